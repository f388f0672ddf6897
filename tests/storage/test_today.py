"""What a day begins with: whose files, by phase, what is due, who answered, and whether any of it changed."""

from datetime import date, timedelta

import pytest

from domain.desk import Seat
from domain.events import AnyEvent, ReplyRecorded
from domain.seal import head_of
from storage.desks import DeskFilters, Desks
from storage.engine import Database
from storage.projection import Projection
from storage.queries import Queries
from storage.today import Scope, Today
from tests.storage.streams import START, cancelled, deadline, item, member, opened, sealed, submitted

LINH = Scope(coordinator="linh")


async def fill(database: Database) -> Today:
    """Five files of linh: three drafted, one submitted, one cancelled; one of minh."""
    projection = Projection(database)
    for number in range(6):
        name = f"visit-{number}"
        events: list[AnyEvent] = [
            opened(
                name,
                title=f"Đoàn {number}",
                coordinator="minh" if number == 5 else "linh",
                organisation="central" if number == 4 else "songlam",
                starts=date(2026, 4, 20) - timedelta(days=number),
            ),
            deadline("report", date(2026, 3, 1 + number)),
        ]
        events += [submitted()] if number == 2 else [cancelled()] if number == 3 else []
        await projection.project(name, sealed(name, events))
    return Today(database)


async def test_open_files_are_counted_by_phase_and_those_that_begin_first_are_shown(database: Database) -> None:
    """Of whose files it is asked, and in reach; what is over is on nobody's desk."""
    today = await fill(database)
    found = await today.files(LINH, each=2)
    assert [(one.id, one.phase, one.files) for one in found] == [
        ("visit-4", "drafted", 3),
        ("visit-2", "submitted", 1),
        ("visit-1", "drafted", 3),
    ]
    assert (found[0].next_due_on, found[0].next_due_what, found[0].rule) == (date(2026, 3, 5), "report", "IN-REPORT")
    assert [one.id for one in await today.files(Scope(within=frozenset({"central"})), each=9)] == ["visit-4"]
    assert [one.id for one in await today.files(Scope(), each=9)] == [f"visit-{number}" for number in (5, 4, 2, 1, 0)]


async def test_what_is_due_by_a_day_comes_earliest_first_with_its_rule(database: Database) -> None:
    """The day itself belongs to it; files that are over do not."""
    today = await fill(database)
    found = await today.due(LINH, until=date(2026, 3, 3), limit=9)
    assert [(one.delegation_id, one.due_on, one.rule, one.status) for one in found] == [
        ("visit-0", date(2026, 3, 1), "IN-REPORT", "open"),
        ("visit-1", date(2026, 3, 2), "IN-REPORT", "open"),
        ("visit-2", date(2026, 3, 3), "IN-REPORT", "open"),
    ]
    assert len(await today.due(LINH, until=date(2026, 3, 9), limit=2)) == 2


async def test_answers_since_an_instant_are_named_with_item_and_person(database: Database) -> None:
    """The newest first; what came before, and on others' files, is not among them."""
    today = await fill(database)
    for name, coordinator in (("answered", "linh"), ("elsewhere", "minh")):
        answers = [
            ReplyRecorded(participant_id="m1", answer="accepted"),
            ReplyRecorded(participant_id="m1", answer="declined", item_id="s1"),
        ]
        events: list[AnyEvent] = [opened(name, coordinator=coordinator), member(1), item(1)]
        await Projection(database).project(name, sealed(name, [*events, *answers]))
    found = await today.replies(LINH, since=START + timedelta(hours=3))
    title = opened("x").title
    assert [(one.title, one.person, one.participant, one.answer, one.item) for one in found] == [
        (title, "per_member0001", "m1", "declined", item(1).title),
        (title, "per_member0001", "m1", "accepted", None),
    ]
    assert [one.answer for one in await today.replies(LINH, since=START + timedelta(hours=4))] == ["declined"]
    assert await today.replies(LINH, since=START + timedelta(hours=5)) == []


async def test_the_mark_is_another_one_once_something_changed(database: Database) -> None:
    """An event of one's own file, or of one on one's desk; not one of a file that is nobody's business here."""
    today = await fill(database)
    projection, queries = Projection(database), Queries(database)

    async def happens(name: str, event: AnyEvent) -> None:
        chain = await queries.events(name)
        await projection.project(name, sealed(name, [event], after=head_of(chain[-1])))

    async def marks() -> tuple[str, str]:
        return (
            await today.mark(LINH, account="linh", seats=()),
            await today.mark(None, account="hung", seats=(Seat("department_head"),)),
        )

    first = await marks()
    assert await marks() == first
    await happens("visit-5", member(1))
    assert await marks() == first
    await happens("visit-0", member(1))
    second = await marks()
    assert (second[0] != first[0], second[1]) == (True, first[1])
    await happens("visit-2", member(1))
    third = await marks()
    assert (third[0] != second[0], third[1] != second[1]) == (True, True)


async def test_desks_are_asked_for_by_file_and_by_who_coordinates(database: Database) -> None:
    """Of many files with one statement; `signing` leaves out what lies with the coordinator."""
    await fill(database)
    desks = Desks(database)
    found = await desks.of(["visit-0", "visit-2", "visit-3"])
    assert {name: [line.what for line in lines] for name, lines in found.items()} == {
        "visit-0": ["coordinator"],
        "visit-2": ["head"],
    }
    signing = await desks.lines(DeskFilters(coordinator="linh", signing=True))
    assert [(line.delegation_id, line.position) for line in signing.items] == [("visit-2", "department_head")]
    assert (await desks.lines(DeskFilters(coordinator="minh", signing=True))).items == ()


@pytest.mark.parametrize(("within", "expected"), [(None, ["visit-5"]), (frozenset({"central"}), [])])
async def test_people_on_open_files_are_found_by_what_changed_last(
    database: Database, within: frozenset[str] | None, expected: list[str]
) -> None:
    """Who left is not among them, nor are files out of reach."""
    await fill(database)
    chain = await Queries(database).events("visit-5")
    await Projection(database).project("visit-5", sealed("visit-5", [member(1)], after=head_of(chain[-1])))
    found = await Queries(database).people_on_open_files(within=within, most=9)
    assert [one.delegation_id for one in found] == expected
