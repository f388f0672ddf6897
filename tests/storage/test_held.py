"""What is held of a person: all of it, of that person alone, without a secret; and recorded that somebody looked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from domain.canonical import digest_of
from domain.commands import RenderedDocument
from domain.directory import ContactEntry, PartnerEntry
from domain.events import DocumentAttached, DocumentRendered, MemberAdded, ReplyRecorded
from domain.person_requests import receive
from domain.request_events import RequestReceived
from domain.values import AttachmentRef, PersonRef, TextRef
from storage.accounts import AccountDetails
from storage.collection_rows import Access, Owner
from storage.feeds import Subject
from storage.held import Held
from storage.mail_ledger import Mail
from storage.mail_rows import mail_ledger
from storage.metadata import utc_now
from storage.person_requests import text_owner
from storage.persons import Erased
from storage.received_mail import Arrived, Filed
from storage.registers import Registers
from tests.rulebook import shipped
from tests.storage.streams import opened, sealed
from tests.storage.test_persons import MARRIED, SATO

PASSWORD = "mật khẩu của lịch"


@pytest.fixture
async def registers(store_url: str, tmp_path: Path) -> AsyncIterator[Registers]:
    found = Registers.open(store_url, [bytes(range(32))], tmp_path / "data")
    yield found
    await found.close()


def paper(letter: str) -> AttachmentRef:
    return AttachmentRef(digest=letter * 64, media_type="application/pdf", size=10)


async def on_a_file(registers: Registers, file: str, sato: PersonRef, ito: PersonRef, said: TextRef) -> None:
    """Both are on a file; what concerns one is there, and what concerns the other."""
    people = {"sato": sato, "ito": ito}
    events = sealed(
        file,
        [
            opened(file),
            *(
                MemberAdded(member_id=name, person=ref, role="member", country="JP", entry_papers=False)
                for name, ref in people.items()
            ),
            *(
                DocumentAttached(document_id=name, kind="passport", attachment=paper(letter), concerns=name)
                for name, letter in (("sato", "a"), ("ito", "b"))
            ),
            DocumentRendered(
                kind="invitation_letter",
                number=1,
                versions=(RenderedDocument(language="vi", attachment=paper("c")),),
            ),
            ReplyRecorded(participant_id="sato", answer="declined", item_id="s1", comment=said, via="mail"),
            ReplyRecorded(participant_id="ito", answer="accepted", item_id="s1"),
        ],
    )
    await registers.projection.project(file, events)


def mail(number: int, person: PersonRef, mailbox: str) -> Mail:
    return Mail(
        uid=f"uid.{number}",
        sequence=0,
        method="notice",
        view_hash="v",
        message_id=f"<{number}@songlam.example>",
        delegation_id="visit",
        issue="issue",
        kind="notice",
        participants=("one",),
        persons=(person.ref,),
        mailbox=mailbox,
        content="Subject: =?utf-8?q?Ch=C6=B0=C6=A1ng_tr=C3=ACnh?=\r\n\r\nKính gửi".encode(),
    )


async def held_of(registers: Registers, person: PersonRef) -> Held:
    found = await registers.held.of(person.ref, by="root")
    assert isinstance(found, tuple)
    held, digest = found
    assert digest == digest_of(held.model_dump(mode="json"))
    return held


async def test_everything_of_one_person_and_of_nobody_else(registers: Registers) -> None:
    """From every register that knows the person; passwords and addresses of feeds are not said."""
    sato, ito = (
        await registers.persons.register(SATO),
        await registers.persons.register(
            SATO.model_copy(update={"full_name": "ITO KENJI", "email": "kenji@example.jp"})
        ),
    )
    said = await registers.texts.write("visit", "Tôi bận.")
    await on_a_file(registers, "visit", sato, ito, said)
    await registers.persons.correct(sato.ref, MARRIED)
    await registers.mail_ledger.enqueue([mail(1, sato, "keiko@example.jp"), mail(2, ito, "kenji@example.jp")])
    async with registers.database.writing() as connection:
        await connection.execute(update(mail_ledger).values(status="sent", sent_at=utc_now()))
    [received] = await registers.received_mail.take(
        "lich@songlam.example", 1, 1, [Arrived(1, "<r@example.jp>", b"body", b"Subject: Xin loi\r\n\r\nbody", None)]
    )
    [waiting] = await registers.received_mail.due(utc_now(), limit=5)
    await registers.received_mail.file(
        waiting.ref,
        Filed(outcome="recorded", kind="reply", delegation_id="visit", participants=("sato",), persons=(sato.ref,)),
    )
    await registers.feeds.make(Subject.participant("visit", "sato", sato.ref), by="lan")
    access = Access(url="https://dav.example.jp/keiko/", username="keiko", password=PASSWORD)
    await registers.collections.register(Owner("person", sato.ref), access, by="lan", files=[])
    partner = await registers.directory.add(
        PartnerEntry(kind="partner", name="Tokyo Friendship Association", country="JP"), "lan", idempotency_key="p"
    )
    for who in (sato, ito):
        entry = ContactEntry(kind="contact", at=partner.id, person=who)
        await registers.directory.add(entry, "lan", idempotency_key=who.ref)
    await registers.accounts.create(AccountDetails(id="keiko", name="Keiko", roles=("approver",), person=sato.ref))
    asked = await registers.texts.write(text_owner("req_1"), "Xin xem.")
    event = receive(
        "access", shipped(), received_at=utc_now(), now=utc_now(), via="email", person=sato.ref, description=asked
    )
    assert isinstance(event, RequestReceived)
    await registers.person_requests.receive("req_1", event, command="k", digest="d", by="lan")

    held = await held_of(registers, sato)
    assert [(one.version, one.details.full_name) for one in held.versions] == [(1, "SATO KEIKO"), (2, "TANAKA KEIKO")]
    assert [(one.delegation, one.role, one.phase) for one in held.files] == [("visit", "member", "drafted")]
    assert [(one.kind, one.digest[0]) for one in held.documents] == [("passport", "a"), ("invitation_letter", "c")]
    assert [(one.item, one.answer, one.comment) for one in held.answers] == [("s1", "declined", "Tôi bận.")]
    assert [(one.address, one.subject, one.status) for one in held.mails] == [
        ("keiko@example.jp", "Chương trình", "sent")
    ]
    assert [one.subject for one in held.received] == ["Xin loi"]
    assert [one.kind for one in held.feeds] == ["participant"]
    assert held.calendar is not None
    assert (held.calendar.url, held.calendar.username) == (access.url, "keiko")
    assert [one.organisation for one in held.contacts] == ["Tokyo Friendship Association"]
    assert [one.id for one in held.accounts] == ["keiko"]
    assert [(one.request, one.texts) for one in held.requests] == [("req_1", ("Xin xem.",))]
    told = held.model_dump_json()
    for secret in (PASSWORD, "ITO KENJI", "kenji@example.jp"):
        assert secret not in told
    other = await held_of(registers, ito)
    assert [one.subject for one in other.mails] == ["Chương trình"]
    assert (other.received, other.feeds, other.calendar, other.accounts, other.requests) == ((), (), None, (), ())
    log = await registers.register_log.entries("persons")
    assert [(one.type, one.command_id, one.actor) for one in log] == [
        ("data_exported", sato.ref, "root"),
        ("data_exported", ito.ref, "root"),
    ]
    assert "SATO" not in "".join(one.model_dump_json() for one in log)
    assert received


async def test_nothing_is_held_of_nobody_and_of_an_erased_person(registers: Registers) -> None:
    """And it is not recorded that somebody looked, as there was nothing to be seen."""
    assert await registers.held.of("per_nobody00", by="root") is None
    sato = await registers.persons.register(SATO)
    await registers.persons.erase(sato.ref)
    assert isinstance(await registers.held.of(sato.ref, by="root"), Erased)
    assert await registers.register_log.entries("persons") == []
