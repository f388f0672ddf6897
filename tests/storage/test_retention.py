"""Plans of retention over a filled store: looked at first, and nothing of an open file is ever touched."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from domain.canonical import digest_of
from domain.events import AnyEvent, DelegationClosed, DelegationReopened, DocumentAttached, MemberAdded
from domain.person_requests import decide, receive
from domain.request_events import Refuse, RequestReceived
from domain.retention import FOR_EVER, KINDS, Kept, cutoffs
from domain.seal import SealedEvent, head_of
from domain.values import AttachmentRef, PersonRef, TextRef
from storage.accounts import AccountDetails
from storage.attachments import UnknownAttachment
from storage.challenges import challenges
from storage.directory_imports import directory_imports
from storage.feeds import Subject
from storage.mail_ledger import Mail
from storage.mail_rows import mail_ledger
from storage.metadata import utc_now
from storage.passwords import password_links
from storage.person_requests import text_owner
from storage.persons import Person
from storage.register_log import ChangeRefused
from storage.registers import Registers
from storage.retention import Plan, retention_entries, retention_plans
from storage.sessions import sessions
from storage.tables import ALL
from tests.rulebook import shipped
from tests.storage.samples import in_pieces
from tests.storage.streams import opened, sealed
from tests.storage.test_persons import SATO

ZONE = "Asia/Ho_Chi_Minh"
LATER = date(2099, 1, 1)
EVERYTHING = cutoffs(shipped().retention, LATER, ZONE)
"""By then every period that ends has ended."""

PEOPLE = ("guest", "both", "staying", "staff")


@dataclass
class Filled:
    """A store in which something of every kind is over: of a closed file `past`, and of an open one `present`."""

    registers: Registers
    folder: Path
    people: dict[str, PersonRef]
    files: dict[str, AttachmentRef]
    chains: dict[str, list[SealedEvent]]

    async def plan(self, only: Sequence[Kept] = KINDS) -> Plan:
        wanted = [cutoff for cutoff in EVERYTHING if cutoff.what in only]
        plan = await self.registers.retention.make(wanted, by="root")
        assert plan is not None
        return plan

    async def apply(self, plan: Plan) -> Plan:
        await self.registers.retention.agree(plan.id, by="root")
        while await self.registers.retention.step(plan.id):
            pass
        found = await self.registers.retention.get(plan.id)
        assert found is not None
        return found

    async def listed(self, plan: Plan) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for kind in plan.kinds:
            entries = await self.registers.retention.entries(plan.id, kind.cutoff.what)
            found[kind.cutoff.what] = [one.entry for one in entries]
        return found

    async def project(self, file: str, *events: AnyEvent) -> None:
        chain = self.chains.setdefault(file, [])
        new = sealed(file, events, after=head_of(chain[-1]) if chain else None)
        chain += new
        await self.registers.projection.project(file, new)

    async def digest(self, *but: str) -> str:
        """A digest of every row of every table but some, and of every file on the disk."""
        skipped = {"retention_plans", "retention_entries", "register_log", *but}
        rows: list[object] = []
        async with self.registers.database.snapshot() as connection:
            for table in ALL:
                if table.name not in skipped:
                    found = (await connection.execute(select(table).order_by(*table.primary_key.columns))).all()
                    rows.append([table.name, [repr(tuple(row)) for row in found]])
        disk = sorted((str(path), path.read_bytes().hex()) for path in self.folder.rglob("*") if path.is_file())
        return digest_of([rows, [list(one) for one in disk if "/attachments/" in one[0] and "disk" not in but]])


@pytest.fixture
async def filled(store_url: str, tmp_path: Path) -> AsyncIterator[Filled]:
    registers = Registers.open(store_url, [bytes(range(32))], tmp_path / "data")
    names = {name: SATO.model_copy(update={"full_name": f"SATO {name.upper()}"}) for name in PEOPLE}
    people = {name: await registers.persons.register(details, idempotency_key=name) for name, details in names.items()}
    files = {
        name: await registers.attachments.store(in_pieces(f"tài liệu {name}\n".encode()))
        for name in ("old", "shared", "new")
    }
    here = Filled(registers, tmp_path / "data", people, files, {})
    for file, members, papers in (
        ("past", ("guest", "both", "staff"), ("old", "shared")),
        ("present", ("both", "staying"), ("shared", "new")),
    ):
        await here.project(
            file,
            opened(file),
            *(
                MemberAdded(member_id=name, person=people[name], role="member", country="JP", entry_papers=False)
                for name in members
            ),
            *(DocumentAttached(document_id=name, kind="paper", attachment=files[name]) for name in papers),
        )
    await here.project("past", DelegationClosed())
    await registers.accounts.create(
        AccountDetails(id="lan", name="Trần Thị Lan", roles=("coordinator",), person=people["staff"].ref)
    )
    await _mails(registers, people)
    await _feeds(registers, people)
    await _sign_in(registers)
    await _request(registers, people["guest"].ref)
    yield here
    await registers.close()


async def _mails(registers: Registers, people: dict[str, PersonRef]) -> None:
    mails = [
        Mail(
            uid=f"uid.{number}",
            sequence=0,
            method="notice",
            view_hash="v",
            message_id=f"<{number}@songlam.example>",
            delegation_id=file,
            issue=f"issue:{file}",
            kind="notice",
            participants=("guest",),
            persons=() if file.startswith("account:") else (people["guest"].ref,),
            mailbox="keiko@example.jp",
            content=b"Subject: Programme\r\n\r\nDear Keiko",
        )
        for number, file in enumerate(["past", "past", "past", "present", "account:lan"])
    ]
    await registers.mail_ledger.enqueue(mails)
    status = {0: "sent", 1: "bounced", 2: "pending", 3: "sent", 4: "sent"}
    async with registers.database.writing() as connection:
        for number, became in status.items():
            which = mail_ledger.c.message_id == f"<{number}@songlam.example>"
            await connection.execute(update(mail_ledger).where(which).values(status=became, sent_at=utc_now()))


async def _feeds(registers: Registers, people: dict[str, PersonRef]) -> None:
    for subject in (
        Subject.participant("past", "guest", people["guest"].ref),
        Subject.participant("present", "both", people["both"].ref),
        Subject.of_account("lan"),
    ):
        await registers.feeds.make(subject, by="lan")
    revoked = await registers.feeds.make(Subject.of_account("hung"), by="lan")
    await registers.feeds.revoke(revoked.id, by="lan")


async def _sign_in(registers: Registers) -> None:
    now, ago = utc_now(), utc_now() - timedelta(hours=1)
    over, _ = await registers.accounts.create_token("lan")
    await registers.accounts.create_token("lan", expires_at=now + timedelta(days=36_500))
    await registers.accounts.revoke(over.id)
    rows = {
        sessions: {"id": "ses_over", "account": "lan", "digest": "a", "factor": "password", "created_at": ago}
        | {"last_seen_at": ago, "expires_at": now, "ended_at": ago},
        password_links: {"digest": "b", "account": "lan", "created_at": ago, "expires_at": now},
        challenges: {"digest": "c", "kind": "oidc", "kept": "{}", "expires_at": now},
        directory_imports: {"digest": "d", "actor": "lan", "accepted_at": ago, "entered": 1, "known": 0, "bad": 0},
    }
    async with registers.database.writing() as connection:
        for table, row in rows.items():
            await connection.execute(insert(table).values(row))


async def _request(registers: Registers, person: str) -> None:
    now = utc_now()
    said = await registers.texts.write(text_owner("req_1"), "Xin xem thông tin của tôi.")
    event = receive("access", shipped(), received_at=now, now=now, via="email", person=person, description=said)
    assert isinstance(event, RequestReceived)
    await registers.person_requests.receive("req_1", event, command="k", digest="d", by="lan")
    refuse = Refuse(reason="repeated")
    await registers.person_requests.change(
        "req_1", lambda state, at: decide(state, refuse, at), command="k2", digest="d2", by="root"
    )


async def test_a_plan_lists_what_is_over_and_removes_nothing(filled: Filled) -> None:
    """Of the closed file alone, and of no file; every other table and every byte on the disk stays as it was."""
    before = await filled.digest()
    plan = await filled.plan()
    assert await filled.digest() == before
    listed = await filled.listed(plan)
    guest, staff = filled.people["guest"].ref, filled.people["staff"].ref
    assert {kind: len(entries) for kind, entries in listed.items()} == {
        "sent_mail": 3, "travel_details": 2, "person_details": 1, "attachments": 1, "feeds": 2, "request_texts": 1,
        "sessions": 1, "sign_in_links": 1, "challenges": 1, "tokens": 1, "repetitions": 4, "directory_imports": 1,
    }  # fmt: skip
    assert listed["travel_details"] == sorted([guest, staff])
    assert listed["person_details"] == [guest]
    assert listed["attachments"] == [filled.files["old"].digest]
    assert set(listed) == set(KINDS) - FOR_EVER
    [entry] = await filled.registers.register_log.entries("retention")
    assert (entry.type, entry.command_id, entry.actor) == ("plan_made", plan.id, "root")
    assert {kind["what"]: kind["count"] for kind in entry.data["after"]["kinds"]}["sent_mail"] == 3
    # What is still the same is the same plan.
    assert (await filled.plan()).id == plan.id
    assert len(await filled.registers.register_log.entries("retention")) == 1


async def test_nothing_is_due_before_its_time(filled: Filled) -> None:
    """Before the visit no period of the shipped rules has passed; without a rule everything is kept."""
    today = cutoffs(shipped().retention, date(2026, 4, 1), ZONE)
    assert await filled.registers.retention.make(today, by="system", even_if_empty=False) is None
    empty = await filled.registers.retention.make(today, by="root")
    assert empty is not None
    assert (empty.count, empty.kinds) == (0, ())
    assert (await filled.apply(empty)).status == "applied"
    assert await filled.registers.retention.make((), by="system", even_if_empty=False) is None


async def test_an_applied_plan_removes_what_it_lists_and_nothing_of_the_open_file(filled: Filled) -> None:
    """What is left of each kind; what was sent stays known as sent; the trail still names what is gone."""
    registers = filled.registers
    plan = await filled.apply(await filled.plan())
    assert plan.status == "applied"
    assert plan.outcome == {
        "attachments": {"removed": 1}, "challenges": {"removed": 1}, "directory_imports": {"removed": 1},
        "feeds": {"removed": 2}, "person_details": {"proposed": 1}, "repetitions": {"removed": 4},
        "request_texts": {"removed": 1}, "sent_mail": {"removed": 3}, "sessions": {"removed": 1},
        "sign_in_links": {"removed": 1}, "tokens": {"removed": 1}, "travel_details": {"removed": 2},
    }  # fmt: skip
    with pytest.raises(UnknownAttachment):
        await registers.attachments.read(filled.files["old"].digest)
    assert await registers.attachments.read(filled.files["shared"].digest) == b"t\xc3\xa0i li\xe1\xbb\x87u shared\n"
    assert [path.name for path in (filled.folder / "attachments").rglob("*") if path.is_file()] != []
    for name in PEOPLE:
        person = await registers.persons.get(filled.people[name].ref)
        assert isinstance(person, Person)
        kept = name in ("both", "staying")
        assert (person.details.full_name, person.details.email) == (f"SATO {name.upper()}", "Keiko.Sato@example.jp")
        travel = (person.details.passport_number, person.details.dietary, person.details.needs)
        assert [one is not None for one in travel] == [kept] * 3
        assert person.commitment == filled.people[name].commitment
        assert (await registers.persons.opening(filled.people[name]) is not None) is kept
        assert isinstance(await registers.persons.as_committed(filled.people[name]), Person)
    async with registers.database.reading() as connection:
        mails = (
            await connection.execute(
                select(mail_ledger.c.status, mail_ledger.c.content != b"").order_by(mail_ledger.c.position)
            )
        ).all()
    assert [tuple(row) for row in mails] == [
        ("sent", False), ("refused", False), ("pending", True), ("sent", True), ("sent", False),
    ]  # fmt: skip
    assert (await registers.dead_letters.page()).items == ()
    feeds = [one.subject.name for one in await registers.feeds.of(account="lan")]
    assert feeds == ["lan"]
    assert [one.subject.name for one in await registers.feeds.of(delegation="present")] == ["both"]
    request = await registers.person_requests.get("req_1")
    assert request is not None
    assert await registers.texts.read_many(text.ref for text in request.texts) == {}
    assert [token.revoked_at for token in await registers.accounts.tokens_of("lan")] == [None]
    log = await registers.register_log.entries("retention")
    assert [one.type for one in log] == ["plan_made", "plan_agreed", "erasure_proposed", "plan_applied"]
    assert log[2].command_id == filled.people["guest"].ref
    await registers.register_log.verify("retention")
    # Whoever applied the plan has asked for the erasure; nobody else has agreed to it yet.
    [erasure] = await registers.erasures.known()
    assert (erasure.person, erasure.reason, erasure.state, erasure.asked_by) == (
        filled.people["guest"].ref, "retention_over", "asked", "root",
    )  # fmt: skip
    # Nothing is left to be done, and whoever was proposed is not proposed again every night.
    assert (await filled.plan()).count == 0


OWN: dict[Kept, tuple[str, ...]] = {
    "sent_mail": ("mail_ledger",),
    "travel_details": ("person_versions",),
    "person_details": ("erasures",),
    "feeds": ("feeds",),
    "request_texts": ("texts", "data_keys"),
    "sessions": ("sessions",),
    "sign_in_links": ("password_links",),
    "challenges": ("challenges",),
    "tokens": ("tokens",),
    "repetitions": ("persons", "texts"),
    "directory_imports": ("directory_imports",),
    "attachments": ("attachments", "data_keys", "disk"),
}


async def test_each_kind_leaves_all_others_alone(filled: Filled) -> None:
    """One after the other: each touches its own tables and no other; what is proposed is asked for, and stays."""
    assert set(OWN) == set(KINDS) - FOR_EVER
    for kind, own in OWN.items():
        before, whole = await filled.digest(*own), await filled.digest()
        assert (await filled.apply(await filled.plan([kind]))).status == "applied"
        assert await filled.digest(*own) == before, kind
        assert await filled.digest() != whole, kind


async def test_a_file_that_was_opened_again_keeps_everything(filled: Filled) -> None:
    """Between the plan and its turn: what the plan lists is looked at once more."""
    plan = await filled.plan(["sent_mail", "travel_details", "person_details", "attachments", "feeds"])
    await filled.project("past", DelegationReopened(reason=TextRef(ref="txt_again000", commitment="a" * 64)))
    before = await filled.digest("feeds", "mail_ledger")
    applied = await filled.apply(plan)
    assert applied.outcome == {
        "attachments": {"kept": 1}, "feeds": {"kept": 1, "removed": 1}, "person_details": {"kept": 1},
        "sent_mail": {"kept": 2, "removed": 1}, "travel_details": {"kept": 2},
    }  # fmt: skip
    assert await filled.digest("feeds", "mail_ledger") == before


async def test_whoever_dies_half_way_goes_on_and_whoever_stops_keeps_the_rest(filled: Filled) -> None:
    """After any number of steps; two at once do the same as one."""
    plan = await filled.plan()
    retention = filled.registers.retention
    assert not await retention.step(plan.id)
    await retention.agree(plan.id, by="root")
    for _ in range(3):
        assert await retention.step(plan.id)
    again = Registers.open(
        str(filled.registers.database.url.render_as_string(hide_password=False)), [bytes(range(32))], filled.folder
    )
    try:
        while any(await asyncio.gather(again.retention.step(plan.id), retention.step(plan.id))):
            pass
        assert (await again.retention.agree(plan.id, by="mai")).agreed_by == "root"
    finally:
        await again.close()
    done = await retention.get(plan.id)
    assert done is not None
    assert done.status == "applied"
    assert sum(count for one in (done.outcome or {}).values() for count in one.values()) == plan.count
    assert [one.type for one in await filled.registers.register_log.entries("retention")].count("plan_applied") == 1
    with pytest.raises(ChangeRefused, match="plan_ended"):
        await retention.stop(plan.id, by="root")


async def test_a_stopped_plan_removes_no_more(filled: Filled) -> None:
    """Also when it was begun; it is not begun again, and another plan may be made."""
    plan, retention = await filled.plan(), filled.registers.retention
    await retention.agree(plan.id, by="root")
    assert await retention.step(plan.id)
    stopped = await retention.stop(plan.id, by="mai")
    before = await filled.digest()
    assert not await retention.step(plan.id)
    assert await filled.digest() == before
    assert (await retention.stop(plan.id, by="mai")) == stopped
    with pytest.raises(ChangeRefused, match="plan_ended"):
        await retention.agree(plan.id, by="root")
    with pytest.raises(ChangeRefused, match="plan_unknown"):
        await retention.agree("ret_nothing00", by="root")
    assert (await filled.plan()).id != plan.id


async def test_another_plan_takes_the_place_of_the_open_one(filled: Filled) -> None:
    """Of two plans only one can be agreed to."""
    first = await filled.plan(["sessions"])
    second = await filled.plan(["sessions", "tokens"])
    found = {plan.id: plan.status for plan in await filled.registers.retention.latest()}
    assert found == {first.id: "superseded", second.id: "open"}
    with pytest.raises(ChangeRefused, match="plan_ended"):
        await filled.registers.retention.agree(first.id, by="root")


async def test_plans_that_nobody_stopped_are_agreed_to_after_their_time(filled: Filled) -> None:
    """By the system, where the settings say so; a younger one waits."""
    plan, retention = await filled.plan(["sessions", "person_details"]), filled.registers.retention
    assert await retention.has_open()
    await retention.agree_to_old(plan.made_at)
    assert await retention.agreed() == []
    await retention.agree_to_old(plan.made_at + timedelta(seconds=1))
    assert await retention.agreed() == [plan.id]
    known = await retention.get(plan.id)
    assert known is not None
    assert (known.status, known.agreed_by, await retention.has_open()) == ("agreed", "system", False)
    # The system asks for nobody's erasure: the log says who might be, for an administrator to see.
    assert (await filled.apply(plan)).status == "applied"
    assert await filled.registers.erasures.known() == []
    assert "erasure_proposed" in [one.type for one in await filled.registers.register_log.entries("retention")]


async def test_a_large_plan_is_carried_out_in_small_steps(filled: Filled) -> None:
    """Hundreds of sessions: no transaction takes more than its share."""
    now = utc_now()
    rows = [
        {"id": f"ses_{number:04}", "account": "lan", "digest": f"x{number}", "factor": "password", "created_at": now}
        | {"last_seen_at": now, "expires_at": now}
        for number in range(450)
    ]
    async with filled.registers.database.writing() as connection:
        await connection.execute(insert(sessions), rows)
    plan, retention = await filled.plan(["sessions"]), filled.registers.retention
    await retention.agree(plan.id, by="root")
    left = []
    more = True
    while more:
        more = await retention.step(plan.id)
        async with filled.registers.database.reading() as connection:
            left.append(len((await connection.execute(select(sessions.c.id))).all()))
    assert left == [351, 251, 151, 51, 0, 0]


async def test_details_are_pared_in_every_version_and_may_be_given_again(filled: Filled) -> None:
    """Nothing opens the commitments of pared versions; a new version of them is whole, and due in its own time."""
    registers, guest = filled.registers, filled.people["guest"]
    married = SATO.model_copy(update={"full_name": "TANAKA KEIKO"})
    second = await registers.persons.correct(guest.ref, married)
    assert [one.details.passport_number for one in await registers.persons.versions(guest.ref)] == ["TZ1234567"] * 2
    await filled.apply(await filled.plan(["travel_details"]))
    assert [one.details.passport_number for one in await registers.persons.versions(guest.ref)] == [None] * 2
    assert [await registers.persons.opening(one) for one in (guest, second)] == [None, None]
    third = await registers.persons.correct(guest.ref, married)
    assert await registers.persons.opening(third) is not None
    assert await filled.listed(await filled.plan(["travel_details"])) == {"travel_details": [guest.ref]}


async def test_no_row_of_a_plan_says_anything_personal(filled: Filled) -> None:
    """References, digests and numbers alone."""
    await filled.apply(await filled.plan())
    async with filled.registers.database.reading() as connection:
        rows = [(await connection.execute(select(table))).all() for table in (retention_plans, retention_entries)]
    entries = [one.model_dump_json() for one in await filled.registers.register_log.entries("retention")]
    for secret in ("SATO", "Keiko", "TZ1234567", "example.jp", "Xin xem"):
        assert secret not in str(rows)
        assert secret not in "".join(entries)


async def test_of_many_files_whatever_is_shared_with_an_open_one_is_kept(filled: Filled) -> None:
    """Files, people and papers at random: what is listed, and then gone, is exactly what closed files alone have."""
    dice, registers = random.Random(20261122), filled.registers
    files = {f"file-{number}": dice.random() < 0.6 for number in range(12)}
    people = {f"p{number}": await registers.persons.register(SATO) for number in range(20)}
    papers = {
        f"d{number}": await registers.attachments.store(in_pieces(f"giấy số {number}\n".encode()))
        for number in range(20)
    }
    on: dict[str, set[str]] = {file: set(dice.sample(sorted(people), 4)) for file in files}
    holding: dict[str, set[str]] = {file: set(dice.sample(sorted(papers), 4)) for file in files}
    for file, closed in files.items():
        await filled.project(
            file,
            opened(file),
            *(
                MemberAdded(member_id=name, person=people[name], role="member", country="JP", entry_papers=False)
                for name in sorted(on[file])
            ),
            *(
                DocumentAttached(document_id=name, kind="paper", attachment=papers[name])
                for name in sorted(holding[file])
            ),
            *([DelegationClosed()] if closed else []),
        )

    def let_go(belonging: dict[str, set[str]]) -> set[str]:
        closed = {name for file, names in belonging.items() if files[file] for name in names}
        return closed - {name for file, names in belonging.items() if not files[file] for name in names}

    gone_people, gone_papers = let_go(on), let_go(holding)
    assert 0 < len(gone_people) < len(people)
    assert 0 < len(gone_papers) < len(papers)
    plan = await filled.plan(["travel_details", "person_details", "attachments"])
    listed = {kind: set(entries) for kind, entries in (await filled.listed(plan)).items()}
    guest, staff, old = filled.people["guest"].ref, filled.people["staff"].ref, filled.files["old"].digest
    assert listed["travel_details"] == {people[name].ref for name in gone_people} | {guest, staff}
    assert listed["person_details"] == {people[name].ref for name in gone_people} | {guest}
    assert listed["attachments"] == {papers[name].digest for name in gone_papers} | {old}
    await filled.apply(plan)
    for name, reference in people.items():
        person = await registers.persons.get(reference.ref)
        assert isinstance(person, Person)
        assert (person.details.passport_number is None) is (name in gone_people), name
    for name in sorted(set(papers) - gone_papers):
        assert await registers.attachments.read(papers[name].digest) == f"giấy số {name[1:]}\n".encode()
