"""Taking a person out of the store: what is found, what goes, what of others stays; on both engines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.canonical import sha256_hex
from domain.commands import RenderedDocument
from domain.erasure import Traces
from domain.events import AnyEvent, DelegationInvited, DocumentAttached, DocumentRendered, MemberAdded, ReplyRecorded
from domain.values import AttachmentRef, TextRef
from storage.account_notices import account_notices
from storage.accounts import AccountDetails, Accounts
from storage.data_keys import data_keys
from storage.engine import Database
from storage.feeds import Feeds, Subject
from storage.identities import Identities, identities
from storage.journal import Journal
from storage.keyring import Keyring
from storage.leaves import Leaves
from storage.mail_ledger import Mail, MailLedger, mail_ledger
from storage.metadata import utc_now
from storage.person_requests import PersonRequests, text_owner
from storage.persons import Persons, person_versions
from storage.projection import Projection
from storage.received_mail import Arrived, Filed, ReceivedMail
from storage.redaction import SCRUBBED, Redaction
from storage.register_log import RegisterLog
from storage.tenures import Tenures
from storage.texts import Texts
from storage.traces import LETTER, TraceFinder
from tests.storage.streams import opened, sealed
from tests.storage.test_person_requests import came
from tests.storage.test_persons import SATO

FILE = "spring-visit"
NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)
HIRO = SATO.model_copy(update={"full_name": "ABE HIRO", "email": "hiro@example.jp", "passport_number": "TZ7654321"})


class Store:
    """The registers that an erasure goes through."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.persons = Persons(database, keyring)
        self.ledger = MailLedger(database, keyring)
        self.received = ReceivedMail(database, keyring)
        self.accounts = Accounts(database, keyring)
        self.identities = Identities(database, keyring)
        self.feeds = Feeds(database, keyring)
        self.projection = Projection(database)
        self.finder = TraceFinder(database, keyring, self.persons)
        self.redaction = Redaction(database, keyring)
        self.texts = Texts(database, keyring)
        self.keiko = self.hiro = self.digest = self.comment = self.remark = ""

    async def open(self) -> "Store":
        """A file with Keiko as head and Hiro."""
        keiko, hiro = [await self.persons.register(one) for one in (SATO, HIRO)]
        self.keiko, self.hiro = keiko.ref, hiro.ref
        joined = [
            MemberAdded(member_id="keiko", person=keiko, role="head", country="JP", entry_papers=False),
            MemberAdded(member_id="hiro", person=hiro, role="member", country="JP", entry_papers=False),
        ]
        self.digest = sha256_hex(b"a letter with both names")
        rendered = AttachmentRef(digest=self.digest, media_type="application/pdf", size=24)
        late = MemberAdded(member_id="late", person=hiro, role="member", country="JP", entry_papers=False)
        versions = (RenderedDocument(language="vi", attachment=rendered),)
        document = DocumentRendered(kind="invitation_letter", number=1, versions=versions)
        lettered: list[AnyEvent] = [DelegationInvited(letter=1), document]
        self.comment = (await self.texts.write(FILE, "Tôi đến muộn")).ref
        self.remark = (await self.texts.write(FILE, "Ghi chú của cơ quan")).ref
        said = TextRef(ref=self.comment, commitment="0" * 64)
        answer = ReplyRecorded(participant_id="keiko", answer="accepted", item_id="s1", comment=said)
        await self.projection.project(FILE, sealed(FILE, [opened(FILE), *joined, *lettered, late, answer]))
        return self

    async def mail(self, number: int, kind: str, *persons: str, to: str = "keiko.sato@example.jp") -> str:
        """Enter a mail and return its Message-ID."""
        identity = f"<{number}@songlam.example>"
        content = f"Subject: {number}\r\n\r\nSATO KEIKO".encode()
        named = {"uid": f"u{number}", "sequence": 0, "method": kind, "view_hash": "v", "message_id": identity}
        issue = f"{FILE}:letter-mail:1" if kind == LETTER else "i"
        rest = {
            "delegation_id": FILE,
            "issue": issue,
            "errand": "i",
            "kind": kind,
            "participants": ("m",),
            "mailbox": to,
        }
        await self.ledger.enqueue([Mail(**named, **rest, content=content, persons=persons)])  # type: ignore[arg-type]
        return identity

    async def lines(self) -> list[tuple[str, bool, bool, str | None]]:
        """Status, whether there is a mailbox and a content, and the refusal of every line."""
        async with self.database.reading() as connection:
            rows = (await connection.execute(select(mail_ledger).order_by(mail_ledger.c.position))).all()
        return [(row.status, bool(row.mailbox), bool(row.content), row.refusal) for row in rows]

    async def erase(self, traces: Traces) -> None:
        """Every step within the database."""
        await self.persons.erase(self.keiko)
        await self.redaction.accounts(traces)
        await self.redaction.feeds(self.keiko, traces)
        await self.redaction.mails(self.keiko, traces)
        await self.redaction.received("era_1", self.keiko, traces)


@pytest.fixture
async def store(database: Database, keyring: Keyring) -> Store:
    return await Store(database, keyring).open()


async def test_mails_are_emptied_by_whom_they_are_for_and_whom_they_name(store: Store) -> None:
    """Theirs go, in a shared mailbox too; letters to others lose their text; others' own mails stay."""
    sent = await store.mail(1, "REQUEST", store.keiko)
    await store.mail(2, "REQUEST", store.keiko, store.hiro)
    letter = await store.mail(3, LETTER, store.hiro, to="hiro@example.jp")
    await store.mail(4, LETTER, store.hiro, to="hiro2@example.jp")
    await store.mail(5, "REQUEST", store.hiro, to="hiro@example.jp")
    await store.ledger.claim("i", limit=9, lease=LEASE, now=NOW)
    await store.ledger.mark_sent([sent, letter], NOW)
    before = await store.ledger.counts(FILE)
    traces = await store.finder.look(store.keiko)
    assert (traces.places, len(traces.lines), len(traces.naming)) == ({FILE: (1,)}, 2, 2)
    assert traces.documents == {store.digest: FILE}
    assert [(one.mails, one.first) for one in traces.beyond.to_person] == [(1, NOW)]
    assert [one.mails for one in traces.beyond.to_others] == [1]
    await store.erase(traces)
    assert await store.lines() == [
        ("sent", False, False, None),
        ("refused", False, False, "erased"),
        ("sent", True, False, None),
        ("refused", True, False, "erased"),
        ("sending", True, True, None),
    ]
    assert sum(one.messages for one in await store.ledger.counts(FILE)) == sum(one.messages for one in before)
    assert {one.mailboxes for one in await store.ledger.counts(FILE) if one.method == "REQUEST"} == {1}
    assert await store.redaction.mails(store.keiko, traces) == 0


async def test_what_was_rendered_before_somebody_came_does_not_name_them(store: Store) -> None:
    """A letter lists who is a delegate when it is asked for: one of before stays whole, for all that were in it."""
    third = await store.persons.register(HIRO)
    joins = MemberAdded(member_id="third", person=third, role="member", country="JP", entry_papers=False)
    head = await Journal(store.database).head(FILE)
    await store.projection.project(FILE, sealed(FILE, [joins], after=head))
    await store.mail(1, LETTER, store.hiro, to="hiro@example.jp")
    traces = await store.finder.look(third.ref)
    assert (traces.places, traces.documents, traces.naming) == ({FILE: (4,)}, {}, ())


async def test_a_copy_of_their_passport_goes_and_what_concerns_others_too_is_listed(store: Store) -> None:
    """A file that concerns them alone is theirs; the same bytes for somebody else too are for a person to judge."""
    files = {
        name: AttachmentRef(digest=sha256_hex(name.encode()), media_type="application/pdf", size=9) for name in "abc"
    }
    brought = [
        DocumentAttached(document_id="p1", kind="passport_copy", attachment=files["a"], concerns="keiko"),
        DocumentAttached(document_id="p2", kind="passport_copy", attachment=files["b"], concerns="keiko"),
        DocumentAttached(document_id="p3", kind="passport_copy", attachment=files["b"], concerns="hiro"),
        DocumentAttached(document_id="letter", kind="request_letter", attachment=files["c"]),
    ]
    head = await Journal(store.database).head(FILE)
    await store.projection.project(FILE, sealed(FILE, brought, after=head))
    traces = await store.finder.look(store.keiko)
    assert traces.documents == {store.digest: FILE, files["a"].digest: FILE}
    listed = [files["b"].digest, files["b"].digest, files["c"].digest]
    assert [one.digest for one in traces.beyond.files] == listed


async def test_what_the_person_wrote_beside_an_answer_goes(store: Store) -> None:
    """It is theirs, whatever it says; what the house wrote is listed, for a person to read."""
    traces = await store.finder.look(store.keiko)
    assert (traces.answers, [one.ref for one in traces.beyond.texts]) == ((store.comment,), [store.remark])
    await store.erase(traces)
    assert await store.texts.read_many([store.comment, store.remark]) == {store.remark: "Ghi chú của cơ quan"}


async def test_what_was_written_of_a_request_of_theirs_is_not_listed_but_taken(
    store: Store, database: Database, keyring: Keyring
) -> None:
    """It goes with the person, so nobody has to judge it; another one's is none of theirs."""
    requests = PersonRequests(database, keyring)
    for request, person in (("req_1", store.keiko), ("req_2", store.hiro)):
        await requests.receive(request, came("erasure", person=person), command=request, digest="d", by="lan")
    theirs = await store.texts.write(text_owner("req_1"), "Sato Keiko, please")
    others = await store.texts.write(text_owner("req_2"), "Abe Hiro, please")
    listed = (await store.finder.look(store.keiko)).beyond.texts
    assert [one for one in listed if ":" in one.delegation] == []
    async with database.writing() as connection:
        await requests.forget_texts_of(connection, store.keiko, utc_now())
    assert await store.texts.read_many([theirs.ref, others.ref]) == {others.ref: "Abe Hiro, please"}


async def test_a_name_alone_takes_no_mail_away(store: Store) -> None:
    """It may be somebody else's of that name: such a mail is listed, for a person to look."""
    namesake = Arrived(1, "<1@x>", b"1", b"From: x@y.example\r\n\r\nRegards, Sato  KEIKO")
    own = Arrived(2, "<2@x>", b"2", b"From: Keiko.Sato@example.jp\r\n\r\nyes")
    first, second = await store.received.take("box", 1, 2, [namesake, own])
    traces = await store.finder.look(store.keiko)
    assert (traces.received, traces.beyond.received) == ((second,), (first,))


async def test_a_redacted_mail_is_never_sent(store: Store) -> None:
    """Who takes up what lost its text gets nothing, whoever it was for."""
    await store.mail(1, LETTER, store.hiro, to="hiro@example.jp")
    await store.ledger.claim("i", limit=1, lease=LEASE, now=NOW)
    await store.ledger.release_all("i")
    await store.erase(await store.finder.look(store.keiko))
    async with store.database.writing() as connection:
        await connection.execute(mail_ledger.update().values(status="pending"))
    assert await store.ledger.claim("i", limit=9, lease=LEASE, now=NOW) == []
    assert [line[0] for line in await store.lines()] == ["refused"]


async def test_received_mails_are_found_by_their_keys_and_by_reading_them(store: Store) -> None:
    """One settled for the person, one from an unknown address that names them; a stranger's stays."""
    octets = [b"From: a@b.example\r\n\r\n" + text for text in (b"yes", b"passport tz 1234-567 of mine", b"hello")]
    mails = [Arrived(number, f"<{number}@x>", b"%d" % number, one) for number, one in enumerate(octets, 1)]
    first, second, third = await store.received.take("box", 1, 3, mails)
    await store.received.file(first, Filed("recorded", "REPLY", None, FILE, None, ("keiko",), (store.keiko,)))
    traces = await store.finder.look(store.keiko)
    assert traces.received == (second,)
    await store.erase(traces)
    found = [await store.received.get(ref) for ref in (first, second, third)]
    assert [(one.outcome, one.octets) for one in found if one] == [
        ("recorded", b""),
        ("dismissed", b""),
        ("waiting", octets[2]),
    ]
    await RegisterLog(store.database).verify("received_mail")
    assert await store.redaction.received("era_1", store.keiko, traces) == 0


async def test_accounts_and_feeds_of_the_person_are_closed(store: Store) -> None:
    """What they sign in with goes; their own mails of the house too; other accounts stay as they are."""
    own = AccountDetails(
        id="keiko",
        name="Keiko",
        email="k@home.example",
        roles=("coordinator", "approver"),
        positions=("clerk",),
        person=store.keiko,
    )
    await store.accounts.create(own)
    await store.accounts.create(AccountDetails(id="lan", name="Lan", email="lan@home.example", roles=("coordinator",)))
    await store.identities.link("keiko", "https://login.example", "k@home.example")
    feed = await store.feeds.make(Subject.of_person(store.keiko), by="lan")
    other = await store.feeds.make(Subject.of_person(store.hiro), by="lan")
    await store.mail(1, "step_waits", to="k@home.example")
    await store.mail(2, "step_waits", to="lan@home.example")
    leaves, now = Leaves(store.database), utc_now()
    await leaves.register("lan", "keiko", now, now + timedelta(days=3), by="lan")
    traces = await store.finder.look(store.keiko)
    assert (traces.accounts, len(traces.lines)) == (("keiko",), 1)
    await store.erase(traces)
    assert [one.id for one in await store.accounts.actors()] == ["lan"]
    async with store.database.reading() as connection:
        assert (await connection.execute(select(identities))).all() == []
        told = (await connection.execute(select(account_notices.c.account, account_notices.c.what))).all()
    assert [tuple(one) for one in told] == [("lan", "leave_revoked")]
    assert all(one.revoked_at is not None for one in await leaves.known("keiko"))
    assert all(one.until is not None for one in await Tenures(store.database).known(account="keiko"))
    assert (await _feed(store, feed.id)).revoked_at is not None
    assert (await _feed(store, other.id)).revoked_at is None
    assert [line[1:3] for line in await store.lines()] == [(False, False), (True, True)]
    assert await store.redaction.accounts(traces) == 0
    assert await store.redaction.feeds(store.keiko, traces) == 0


async def _feed(store: Store, feed: str) -> Any:
    return await store.feeds.get(feed)


async def test_a_letter_entered_while_somebody_was_erased_is_met_by_the_second_look(store: Store) -> None:
    """It was composed before their key was gone; what is entered long after is of the time without them."""
    first = await store.finder.look(store.keiko)
    await store.persons.erase(store.keiko)
    await store.mail(1, LETTER, store.hiro, to="hiro@example.jp")
    again = await store.finder.look_again(store.keiko, first)
    assert (len(first.naming), len(again.naming)) == (0, 1)
    async with store.database.writing() as connection:
        later = datetime.now(UTC) + timedelta(minutes=5)
        await connection.execute(mail_ledger.update().values(enqueued_at=later))
    assert (await store.finder.look_again(store.keiko, first)).naming == ()
    assert await store.finder.look_again(store.hiro, first) == first


async def test_nothing_of_what_was_deleted_is_left_in_a_page(store: Store, tmp_path: Path) -> None:
    """Neither the wrapped key nor a ciphertext, though rows have moved between pages for a while (SQLite's file)."""
    many = 150 if store.database.on_sqlite else 3
    refs = [(await store.persons.register(SATO)).ref for _ in range(many)]
    for ref in refs[::3]:
        await store.persons.correct(ref, HIRO)
    for number in range(many // 3):
        await store.mail(number, "REQUEST", store.keiko)
    async with store.database.reading() as connection:
        secrets = [row.ciphertext for row in (await connection.execute(select(person_versions))).all()]
        keys = select(data_keys.c.wrapped).where(data_keys.c.subject.startswith("person:"))
        secrets += (await connection.execute(keys)).scalars()
        secrets += [row.content for row in (await connection.execute(select(mail_ledger))).all()]
    for ref in [*refs, store.hiro]:
        await store.persons.erase(ref)
    await store.erase(await store.finder.look(store.keiko))
    assert await store.database.rewrite([table.name for table in SCRUBBED])
    if store.database.on_sqlite:
        octets = b"".join(path.read_bytes() for path in _files(tmp_path))
        assert [secret for secret in secrets if secret[12:44] in octets] == []


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("store.db*"))
