"""Today: what waits for a coordinator, what is due, who answered, what went wrong; and what others see in its place."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.checklist import Due
from domain.events import AnyEvent, ReplyRecorded
from storage.mail_ledger import Mail
from storage.metadata import utc_now
from storage.persons import PersonDetails
from storage.received_mail import Arrived
from tests.api.front import Front
from tests.pages.filled import TODAY, part_of, put, reading, statements, text_of
from tests.pages.test_guard import visit, with_rules
from tests.storage.streams import cancelled, deadline, item, member, submitted

pytestmark = pytest.mark.slow

ISSUE = "issue:nara:1"


async def refused(found: Front, number: int) -> None:
    """A message of the file `nara` that a mail server refused."""
    one = Mail(
        uid=f"s{number}",
        sequence=0,
        method="REQUEST",
        view_hash="v1",
        message_id=f"<{number}@songlam.example>",
        delegation_id="nara",
        issue=ISSUE,
        kind="itinerary_request",
        participants=("m1",),
        mailbox=f"m{number}@example.jp",
        content=b"Subject: x\r\n\r\nx",
        persons=(),
    )
    await found.at.mail.enqueue([one])
    await found.at.mail.claim(ISSUE, limit=9, lease=timedelta(minutes=1), now=utc_now())
    await found.at.mail.mark_refused(one.message_id, "550", "5.1.1")


async def test_today_says_what_is_due_whose_desk_files_are_on_and_where_they_stand(tmp_path: Path) -> None:
    """One's own files alone; a due date with its rule and how long is left; who signs, by name."""
    async with with_rules(tmp_path) as found:
        await put(found, "nara", deadline("report", TODAY), title="Đoàn Nara")
        await put(found, "kobe", submitted(), title="Đoàn Kobe")
        await put(found, "a-late", deadline("report", TODAY + timedelta(days=15)), title="Đoàn Sendai")
        await put(found, "over", cancelled(), title="Đoàn Sapporo")
        await put(found, "other", title="Đoàn Osaka", coordinator="minh")
        page = await visit(await reading(found, "lan"), "GET /")
    assert page.status_code == 200
    assert "Delegations" in page.text
    due = part_of(page.text, "due")
    assert "Đoàn Nara" in due
    assert "due soon" not in due
    assert "today" in due
    assert "rule IN-REPORT" in due
    assert [one in due for one in ("Đoàn Kobe", "Đoàn Sendai")] == [False, False]
    waits = part_of(page.text, "waits")
    assert "Đoàn Kobe Department head: Lê Văn Hùng" in waits
    assert "Đoàn Nara" not in waits
    mine = part_of(page.text, "mine")
    assert mine.startswith("My open files 3 Show all Drafted 2 Đoàn Sendai")
    assert "Submitted 1 Đoàn Kobe" in mine
    assert [one in text_of(page.text) for one in ("Đoàn Sapporo", "Đoàn Osaka")] == [False, False]


async def test_today_has_what_one_has_to_do_oneself(tmp_path: Path) -> None:
    """Of the next 14 days, over all files; not what somebody else has to do, nor what is done."""
    async with with_rules(tmp_path) as found:
        await put(found, "nara", title="Đoàn Nara", starts=TODAY + timedelta(days=7))
        tasks = (("Gifts", Due(offset=7), "lan"), ("Cars", None, "hung"), ("Flags", None, "lan"))
        made = [await found.at.checklists.add("nara", *one, by="lan", key=one[0]) for one in tasks]
        await found.at.checklists.tick("nara", made[-1].id, done=True, by="lan")
        page = await visit(await reading(found, "lan"), "GET /")
    mine = part_of(page.text, "tasks")
    assert mine.startswith("My tasks Gifts due soon Đoàn Nara")
    assert [one in mine for one in ("Cars", "Flags")] == [False, False]


async def test_today_says_who_answered_and_what_did_not_arrive(tmp_path: Path) -> None:
    """By person, a refusal first, and only the last answer to one thing; a mail leads to its file."""
    async with with_rules(tmp_path) as found:
        details = {"given_name": "x", "language": "en", "nationality": "JP"}
        refs = [
            await found.at.persons.register(PersonDetails(full_name=name, email=f"{n}@tokyo.example", **details))  # type: ignore[arg-type]
            for n, name in enumerate(("Sato Kenji", "Suzuki Aiko"))
        ]
        people: list[AnyEvent] = [member(n).model_copy(update={"person": ref}) for n, ref in enumerate(refs, 1)]
        answers = [
            ("m1", "accepted", None),
            ("m2", "accepted", "s1"),
            ("m2", "declined", "s1"),
            ("m2", "accepted", "s2"),
        ]
        said = [ReplyRecorded(participant_id=who, answer=answer, item_id=what) for who, answer, what in answers]  # type: ignore[arg-type]
        await put(found, "nara", *people, item(1), item(2), *said, title="Đoàn Nara")
        for number in (1, 2):
            await refused(found, number)
        await found.at.registers.received_mail.take("x", 1, 1, [Arrived(1, "<a@b>", b"x", b"x", "too_large")])
        page = await visit(await reading(found, "lan"), "GET /")
        others = await visit(await reading(found, "root"), "GET /")
    assert part_of(page.text, "answers").startswith(
        "Answers since yesterday 1 reply has to be looked at by somebody "
        "Suzuki Aiko declines accepts Phiên làm việc 1 Đoàn Nara"
    )
    assert part_of(page.text, "answers").count("Đoàn Nara") == 2
    letters = page.text.partition('id="letters"')[2].partition("</section>")[0]
    assert "<strong>Sato Kenji</strong>" in letters
    assert ("2 messages" in letters, letters.count('href="/delegations/nara/invitations"')) == (True, 1)
    # An administrator sees what is in reach, whoever coordinates it.
    assert "Open files 1" in text_of(others.text)


async def test_an_empty_day_says_what_will_appear_and_how(tmp_path: Path) -> None:
    """To a coordinator also where a delegation is opened."""
    async with with_rules(tmp_path) as found:
        page = await visit(await reading(found, "lan"), "GET /")
        others = await visit(await reading(found, "root"), "GET /")
    said = text_of(page.text)
    for sentence in (
        "Nothing waits for you",
        "No due date falls into the next 14 days.",
        "Nobody else has to act.",
        "Nobody has answered since yesterday.",
        "Everything was delivered",
        "No file is open.",
    ):
        assert sentence in said
    assert page.text.count('href="/files/new"') == 2
    assert 'href="/files/new"' not in others.text


async def test_whoever_coordinates_nothing_begins_with_the_inbox(tmp_path: Path) -> None:
    """The same page at both addresses, and no way to a Today that is not theirs."""
    async with with_rules(tmp_path) as found:
        await put(found, "kobe", submitted(), title="Đoàn Kobe")
        for account, shown in (("hung", True), ("an", False)):
            browser = await reading(found, account)
            for path in ("GET /", "GET /inbox"):
                page = (await visit(browser, path)).text
                assert "<h1>Waits for me</h1>" in page
                assert ('href="/delegations/kobe/steps/head"' in page) is shown
                assert '<a href="/inbox" aria-current="page">' in page
                assert ">Today<" not in page
        page = (await visit(await reading(found, "lan"), "GET /inbox")).text
        assert (">Today<" in page, '<a href="/inbox" aria-current="page">' in page) == (True, True)


async def test_the_coordinator_s_own_move_leads_to_the_file(tmp_path: Path) -> None:
    """A line without a way is none."""
    async with with_rules(tmp_path) as found:
        await put(found, "nara", title="Đoàn Nara")
        page = (await visit(await reading(found, "lan"), "GET /inbox")).text
        await put(found, "sendai", submitted(), title="Đoàn Sendai", coordinator="hung")
        own = text_of((await visit(await reading(found, "hung"), "GET /inbox")).text)
    # What lies at one's desk and is not one's own to sign stays there, and says why.
    assert "Not yours to sign Nobody decides on a file that they opened, wrote, submitted or ran." in own
    assert '<a href="/delegations/nara">Đoàn Nara</a>' in page
    assert "Your move as coordinator" in page


async def test_many_files_cost_no_more_statements_than_few(tmp_path: Path) -> None:
    """A fixed number, for Today as for the inbox."""
    async with with_rules(tmp_path) as found:
        browser, counts = await reading(found, "lan"), []
        for much in (1, 12):
            for number in range(much):
                events = [member(1), submitted() if number % 2 else deadline("report", TODAY)]
                await put(found, f"f-{much}-{number}", *events)
            await visit(browser, "GET /")
            for path in ("GET /", "GET /inbox"):
                with statements(found) as asked:
                    assert (await visit(browser, path)).status_code == 200
                counts.append(len(asked))
    assert counts[:2] == counts[2:]
    assert counts[0] <= 27
