"""What waits where: the most urgent first, in pages that are stable, and how many there are."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.desk import Seat, Substitute
from domain.events import AnyEvent, DeskMoved, DeskStandIn, StandInsNoted
from storage.accounts import AccountDetails, Accounts
from storage.cursors import BadCursor
from storage.desks import DeskFilters, DeskLine, Desks
from storage.engine import Database
from storage.keyring import Keyring
from storage.leaves import Leaves
from storage.metadata import utc_now
from storage.projection import Projection
from storage.tenures import Tenures
from tests.storage.streams import START, cancelled, deadline, opened, sealed, submitted


async def fill(database: Database) -> Desks:
    """Six files: two at the department head's desk, one of them with a due date, three with coordinators, one idle."""
    projection = Projection(database)
    for n in range(6):
        name = f"visit-{n}"
        events: list[AnyEvent] = [
            opened(name, coordinator="linh" if n < 3 else "minh", organisation="songlam" if n % 2 else "central")
        ]
        if n in (0, 1):
            events.append(submitted())
        if n == 1:
            events.append(deadline("step.head.1", date(2026, 3, 2)))
        if n in (2, 3):
            events.append(deadline("report", date(2026, 5, n)))
        if n == 5:
            events.append(cancelled())
        await projection.project(name, sealed(name, events, start=START + timedelta(minutes=n)))
    return Desks(database)


async def test_the_most_urgent_stands_first_and_what_has_no_due_date_last(database: Database) -> None:
    """A page at a time or all at once: the same lines."""
    desks = await fill(database)
    everything = (await desks.lines()).items
    assert [(line.delegation_id, line.what) for line in everything] == [
        ("visit-1", "head"),
        ("visit-2", "coordinator"),
        ("visit-3", "coordinator"),
        ("visit-0", "head"),
        ("visit-4", "coordinator"),
    ]
    paged: list[DeskLine] = []
    cursor = None
    while True:
        page = await desks.lines(limit=2, cursor=cursor)
        paged += page.items
        if (cursor := page.next_cursor) is None:
            break
    assert tuple(paged) == everything
    first = everything[0]
    assert (first.position, first.account, first.title_en) == ("department_head", None, "Head of department")
    assert (first.due_on, first.since) == (date(2026, 3, 2), datetime(2026, 2, 24, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (DeskFilters(positions=("department_head",)), ["visit-1", "visit-0"]),
        (DeskFilters(positions=("department_head",), account="minh"), ["visit-1", "visit-3", "visit-0", "visit-4"]),
        (DeskFilters(account="linh"), ["visit-2"]),
        (DeskFilters(delegation="visit-3"), ["visit-3"]),
        (DeskFilters(positions=("department_head",), within=frozenset({"central"})), ["visit-0"]),
        (DeskFilters(missed=True), []),
        (DeskFilters(within=frozenset({"central"})), ["visit-2", "visit-0", "visit-4"]),
        (DeskFilters(within=frozenset()), []),
        (DeskFilters(positions=("nobody\x00",)), []),
        (DeskFilters(seats=(Seat("department_head"),)), ["visit-1", "visit-0"]),
        (DeskFilters(seats=(Seat("department_head", frozenset({"central"})),)), ["visit-0"]),
        (DeskFilters(seats=(Seat("department_head", frozenset()),), account="linh"), ["visit-2"]),
    ],
)
async def test_desks_are_filtered(database: Database, filters: DeskFilters, expected: list[str]) -> None:
    """By whose they are, by organisation, by whether they are late."""
    desks = await fill(database)
    assert [line.delegation_id for line in (await desks.lines(filters)).items] == expected


async def test_everything_that_waits_is_read_at_once_to_be_counted(database: Database) -> None:
    """The same lines in the same order; and a mark that changes with any of them, and with nothing else."""
    desks = await fill(database)
    assert await desks.waiting() == list((await desks.lines()).items)
    songlam = DeskFilters(within=frozenset({"songlam"}))
    assert [one.delegation_id for one in await desks.waiting(songlam)] == ["visit-1", "visit-3"]
    before = [await desks.mark(None), await desks.mark(songlam.within)]
    await Projection(database).project("visit-8", sealed("visit-8", [opened("visit-8", organisation="central")]))
    after = [await desks.mark(None), await desks.mark(songlam.within)]
    assert (before[0] != after[0], before[1] == after[1]) == (True, True)


@pytest.mark.parametrize("cursor", ["", "!", "W10", "WyJ4Iiwxfg", "WyIyMDI2LTAxLTAxIiwiYSIsMV0", "AAAA"])
async def test_a_cursor_of_another_list_is_refused(database: Database, cursor: str) -> None:
    """Never an error of ours."""
    with pytest.raises(BadCursor):
        await Desks(database).lines(cursor=cursor)


async def test_a_desk_says_who_stands_in_there(database: Database) -> None:
    """As the file knows it: in force or to come, and no more once the desk is left."""
    await Projection(database).project("visit-0", sealed("visit-0", [opened("visit-0"), submitted(), *moved()]))
    [line] = (await Desks(database).lines()).items
    assert line.substitutes == (
        Substitute(
            account="hung",
            substitute="thay",
            leave="lea_1",
            since=START,
            until=START + timedelta(days=9),
            in_force=True,
        ),
    )


async def test_the_files_that_a_leave_touches_are_found(database: Database, keyring: Keyring) -> None:
    """By the desks of the positions that are held, and by what files know: also where the position is held no more."""
    accounts, leaves, tenures = Accounts(database, keyring), Leaves(database), Tenures(database)
    for account in ("hung", "thay", "mai"):
        positions = {"hung": ("department_head",), "mai": ("president",)}.get(account, ())
        await accounts.create(AccountDetails(id=account, name=account, roles=("approver",), positions=positions))
    desks, now = await fill(database), utc_now()
    assert await desks.touched_by("hung", "lea_1", now) == ["visit-0", "visit-1"]
    assert await desks.touched_by("mai", "lea_1", now) == []
    assert await desks.touched_since(now, now) == []

    leave = await leaves.register("hung", "thay", now, now + timedelta(days=1), by="root")
    assert await desks.touched_since(now, now) == ["visit-0", "visit-1"]
    assert await desks.touched_since(leave.until, now) == []

    await Projection(database).project("visit-9", sealed("visit-9", [opened("visit-9"), submitted(), *moved()]))
    [tenure] = await tenures.known(account="hung")
    await tenures.end(tenure.id, now + timedelta(hours=1), by="root")
    assert await desks.touched_by("nobody", "lea_1", now) == ["visit-9"]
    assert await desks.touched_by("nobody", "lea%1", now) == []
    assert await desks.touched_since(leave.until, now) == ["visit-9"]


def moved() -> list[AnyEvent]:
    """The head of the department is on leave, and the desk has moved."""
    period = {"since": START, "until": START + timedelta(days=9)}
    one = DeskStandIn.model_validate(
        {"what": "head", "position": "department_head", "account": "hung", "substitute": "thay", "leave": "lea_1"}
        | period
    )
    moving = DeskMoved(
        what="head", position="department_head", to="thay", on_behalf_of="hung", leave="lea_1", until=one.until
    )
    return [StandInsNoted(stand_ins=(one,)), moving]
