"""What a page asks of the database: as many statements for a large file, or a long list, as for a small one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.decided import Decided, Filling, invited, moved, opened, submitted
from domain.checklist import Due
from domain.decision import Actor
from domain.directory import ContactEntry, PartnerEntry
from domain.events import RequestSubmitted, StepPlan
from domain.institution import Organisation, Position
from domain.values import PersonRef
from storage.accounts import AccountDetails
from storage.feeds import Subject
from storage.mail_ledger import Mail
from storage.metadata import utc_now
from storage.persons import PersonDetails
from storage.received_mail import Arrived, Filed
from tests.api.front import Browser, Front
from tests.pages.filled import NOW, TODAY, put, reading, statements
from tests.pages.test_guard import visit, with_rules
from tests.rulebook import edition
from tests.storage.streams import submitted as proposal

pytestmark = pytest.mark.slow

FEW, MANY = 2, 30

COORDINATOR = Actor(id="lan", roles=("coordinator",))
APPROVERS = {
    "department_head": Actor(id="hung", roles=("approver",), positions=("department_head",)),
    "vice_president": Actor(id="mai", roles=("approver",), positions=("vice_president",)),
}

PARTS = {
    "": ("lan", 21),
    "/request": ("lan", 14),
    "/people": ("lan", 9),
    "/programme": ("lan", 9),
    "/programme?view=list": ("lan", 9),
    "/programme?view=now": ("lan", 9),
    "/programme/preview": ("lan", 9),
    "/programme/print": ("lan", 5),
    "/programme/items/i-1": ("lan", 9),
    "/approvals": ("lan", 11),
    "/invitations": ("lan", 14),
    "/report": ("lan", 10),
    "/trail": ("lan", 22),
    "/trail?seq=9": ("lan", 30),
    "/trail/verification": ("an", 11),
    "/checklist": ("lan", 15),
    "/notes": ("lan", 13),
}
"""The parts of a file: who asks, and how many statements it takes at most, those of the session among them."""


async def people(found: Front, many: int) -> list[PersonRef]:
    """People in the register."""
    details: dict[str, Any] = {"given_name": "x", "email": "a@tokyo.example", "language": "vi", "nationality": "JP"}
    return [
        await found.at.persons.register(PersonDetails(full_name=f"Sato {number}", **details)) for number in range(many)
    ]


async def filled(found: Front, name: str, many: int, bring: Callable[..., Awaitable[None]]) -> Decided:
    """A file of so many delegates and items, brought to where `bring` brings it."""
    starts = TODAY + timedelta(days=120)
    filling = Filling(COORDINATOR, APPROVERS, await people(found, many), await people(found, 1), many, starts)
    one = Decided(found.at, found.at.registers.projection, edition(), NOW, name)
    await opened(one, filling)
    await bring(one, filling)
    return one


async def answered(one: Decided, filling: Filling) -> None:
    """Everybody was invited and answered, items were moved since, and the trail is longer than one page of it."""
    await invited(one, filling)
    replies = [
        {"type": "record_reply", "participant_id": f"m-{number}", "answer": "accepted", "item_id": f"i-{number}"}
        for number in range(len(filling.delegates))
    ]
    await one.send(filling.coordinator, *replies)
    await moved(one, filling, 40)


async def busy(found: Front, name: str, many: int) -> None:
    """A checklist, notes and mails that were refused."""
    for number in range(many):
        await found.at.checklists.add(name, f"Việc {number}", Due(offset=number), "lan", by="lan", key=f"c{number}")
        await found.at.notes.write(name, f"Ghi chú {number}", by="lan", key=f"n{number}")
    await refused(found, name, many)


async def refused(found: Front, name: str, many: int) -> None:
    """Mails of a file that a server refused."""
    issue = f"{name}:issue:1"
    letters = [
        Mail(
            uid=f"{name}-{number}",
            sequence=0,
            method="REQUEST",
            view_hash="v1",
            message_id=f"<{name}-{number}@songlam.example>",
            delegation_id=name,
            issue=issue,
            kind="itinerary_request",
            participants=(f"m-{number}",),
            mailbox=f"m{number}@example.jp",
            content=b"Subject: x\r\n\r\nx",
            persons=(),
        )
        for number in range(many)
    ]
    await found.at.mail.enqueue(letters)
    await found.at.mail.claim(issue, limit=many, lease=timedelta(minutes=1), now=utc_now())
    for one in letters:
        await found.at.mail.mark_refused(one.message_id, "550", "5.1.1")


async def asked_for(found: Front, browser: Browser, path: str) -> int:
    """How many statements a page takes, once whatever is read once is known."""
    first = await visit(browser, f"GET {path}")
    assert first.status_code == 200, (path, first.text[:2000])
    with statements(found) as asked:
        await visit(browser, f"GET {path}")
    return len(asked)


async def test_the_parts_of_a_file_ask_no_more_where_more_is_on_it(tmp_path: Path) -> None:
    """People, items, answers, events, due dates, tasks, notes, mails: of each 30 instead of 2."""
    async with with_rules(tmp_path) as found:
        for name, many in (("few", FEW), ("many", MANY)):
            await filled(found, name, many, answered)
            await busy(found, name, many)
        browsers = {account: await reading(found, account) for account in ("lan", "an")}
        counts = {
            path: [await asked_for(found, browsers[account], f"/delegations/{name}{path}") for name in ("few", "many")]
            for path, (account, _) in PARTS.items()
        }
    assert {path: few for path, (few, _) in counts.items()} == {path: many for path, (_, many) in counts.items()}
    assert {path: most for path, (_, most) in counts.items() if most > PARTS[path][1]} == {}


async def test_a_dossier_that_waits_asks_no_more_where_more_is_in_it(tmp_path: Path) -> None:
    """The request and its approvals before the decision; the step that is to be signed, the inbox, reading in a row."""
    async with with_rules(tmp_path) as found:
        lan, hung = await reading(found, "lan"), await reading(found, "hung")
        counts: dict[str, list[int]] = {}
        for name, many in (("few", FEW), ("many", MANY)):
            await filled(found, name, many, submitted)
            for path in ("/request", "/approvals"):
                counts.setdefault(path, []).append(await asked_for(found, lan, f"/delegations/{name}{path}"))
            for path in ("/steps/department_head",):
                counts.setdefault(path, []).append(await asked_for(found, hung, f"/delegations/{name}{path}"))
            for path in ("/inbox", "/inbox/read"):
                counts.setdefault(path, []).append(await asked_for(found, hung, path))
    for path, (few, more) in counts.items():
        assert few == more <= 26, path


async def test_a_stage_of_many_positions_asks_for_their_holders_at_once(tmp_path: Path) -> None:
    """Each of them by name, as many statements for nine as for one."""
    async with with_rules(tmp_path) as found:
        lan, counts = await reading(found, "lan"), []
        for number in range(9):
            account = AccountDetails(
                id=f"signer-{number}", name=f"Người ký {number}", roles=("approver",), positions=(f"office-{number}",)
            )
            await found.at.accounts.create(account)
        for many in (1, 9):
            steps = [
                StepPlan(id=f"s{n}", position=f"office-{n}", title_vi="Ký", title_en="Sign", stage=1)
                for n in range(many)
            ]
            sent: RequestSubmitted = proposal().model_copy(update={"steps": tuple(steps)})
            await put(found, f"chain-{many}", sent)
            counts.append(await asked_for(found, lan, f"/delegations/chain-{many}/approvals"))
            page = (await visit(lan, f"GET /delegations/chain-{many}/approvals")).text
            assert [f"Người ký {number}" in page for number in range(9)] == [number < many for number in range(9)]
    assert counts[0] == counts[1] <= 26


async def test_a_personal_page_asks_no_more_where_more_is_on_the_programme(tmp_path: Path) -> None:
    """Items, answers, people whom one may reach."""
    async with with_rules(tmp_path) as found:
        counts = []
        for name, many in (("few", FEW), ("many", MANY)):
            one = await filled(found, name, many, answered)
            subject = Subject.page(name, "m-1", one.file.people["m-1"].person.ref)
            feed = await found.at.feeds.make(subject, by="lan")
            counts.append(await asked_for(found, found.browser(), f"/my/{found.at.feeds.token_of(feed)}"))
    assert counts[0] == counts[1] <= 26


@asynccontextmanager
async def administered(tmp_path: Path) -> AsyncIterator[tuple[Front, Browser, Callable[[int], Awaitable[None]]]]:
    """An installation, an administrator who reads it, and what adds so many of everything to its lists."""
    async with with_rules(tmp_path) as found:
        begun: Iterator[int] = iter(range(10_000))

        async def more(many: int) -> None:
            name = f"file-{next(begun)}"
            await filled(found, name, many, answered)
            await refused(found, name, many)
            since = NOW - timedelta(days=300)
            for number in (next(begun) for _ in range(many)):
                organisation = {"slug": f"org-{number}", "kind": "authority", "parent": None, "since": since}
                named = organisation | {"name": {"vi": f"Sở {number}", "en": f"Office {number}"}}
                await found.at.institution.add_organisation(Organisation.model_validate(named), by="root")
                position = {"slug": f"pos-{number}", "title": {"vi": f"Chức {number}", "en": f"Post {number}"}}
                await found.at.institution.add_position(Position.model_validate(position), by="root")
                account = AccountDetails(
                    id=f"acc-{number}", name=f"Người {number}", roles=("approver",), positions=(f"pos-{number}",)
                )
                await found.at.accounts.create(account)
                partner = PartnerEntry(kind="partner", name=f"Hội {number}", country="JP")
                host = await found.at.directory.add(partner, "root", idempotency_key=f"d{number}")
                (ref,) = await people(found, 1)
                contact = ContactEntry(kind="contact", at=host.id, person=ref)
                await found.at.directory.add(contact, "root", idempotency_key=f"e{number}")
                begins = NOW + timedelta(days=number)
                await found.at.leaves.register(account.id, "mai", begins, begins + timedelta(days=1), by="mai")
                arrived = Arrived(number + 1, f"<{number}@b.example>", b"x", b"Subject: x\r\n\r\nx", None)
                (mail,) = await found.at.registers.received_mail.take("x", 1, number + 1, [arrived])
                filed = Filed("review", "reply", "sender_unknown", name, "i-1", ("m-1",))
                await found.at.registers.received_mail.file(mail, filed)

        yield found, await reading(found, "root"), more


async def test_lists_of_the_administration_ask_no_more_where_more_is_in_them(tmp_path: Path) -> None:
    """Accounts, organisations, positions, leave, rules, mail that did not arrive, answers, the log; the directory."""
    sections = ("accounts", "organisations", "positions", "leave", "rules", "undelivered", "replies", "log")
    paths = (*(f"/admin/{section}" for section in sections), "/directory")
    counts: dict[str, list[int]] = {}
    async with administered(tmp_path) as (found, root, more):
        for many in (1, 8):
            await more(many)
            for path in paths:
                counts.setdefault(path, []).append(await asked_for(found, root, path))
    for path, (few, many) in counts.items():
        assert few == many <= 16, path


async def test_a_page_of_a_list_reads_that_page_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 120 accounts and positions 50 stand on the first page, and the others are not asked for."""
    async with with_rules(tmp_path) as found:
        known = len(await found.at.accounts.actors())
        for number in range(120 - known):
            await found.at.accounts.create(AccountDetails(id=f"acc-{number:03}", name=f"Người {number}", roles=()))
        for number in range(120):
            position = {"slug": f"pos-{number:03}", "title": {"vi": f"Chức {number}", "en": f"Post {number}"}}
            await found.at.institution.add_position(Position.model_validate(position), by="root")
        root, asked = await reading(found, "root"), list[tuple[int, int]]()
        page = found.at.accounts.page

        async def noted(offset: int, limit: int) -> list[AccountDetails]:
            asked.append((offset, limit))
            return await page(offset, limit)

        async def never() -> list[AccountDetails]:
            raise AssertionError("a page of accounts reads them all")

        monkeypatch.setattr(found.at.accounts, "page", noted)
        monkeypatch.setattr(found.at.accounts, "actors", never)
        pages = [(await visit(root, f"GET /admin/accounts?page={number}")).text for number in (1, 2, 3, 9)]
        posts = [(await visit(root, f"GET /admin/positions?page={number}")).text for number in (1, 3)]
    assert asked == [(0, 50), (50, 50), (100, 50), (100, 50)]
    # Beside the page's accounts stand the two approvers of whom nobody is known to be the person.
    assert [one.count('href="/admin/accounts/') for one in pages] == [52, 52, 22, 22]
    assert [one.count('href="/admin/positions/') for one in posts] == [50, 20]
    assert "Page 3 of 3" in pages[2]
