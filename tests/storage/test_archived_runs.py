"""The register of archived runs: each row is sealed, and whatever is done to one shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from domain.seal import ChainBroken, genesis
from storage.archive_files import location_of
from storage.archived_runs import (
    ArchiveDifference,
    ArchivedRun,
    ArchivedRuns,
    ArchiveState,
    Totals,
    archived_runs,
)
from storage.cursors import BadCursor, write_cursor
from storage.engine import Database
from storage.register_log import RegisterLog, register_log

AT = datetime(2026, 3, 2, 8, 30, 15, 123456, tzinfo=UTC)


def run(number: int = 1, *, following: int | None = None, delegation: str = "tokyo-2026") -> ArchivedRun:
    """The `number`th run of a delegation, of ten events."""
    run_id, first = f"0198f2a4-0000-7000-8000-{number:012}", (number - 1) * 10 + 1
    return ArchivedRun(
        delegation=delegation,
        run_id=run_id,
        first_seq=first,
        last_seq=first + 9,
        prev_head=genesis(delegation).hash,
        head=f"{number:064}",
        digest=f"{number + 1:064}",
        content_digest=f"{number + 2:064}",
        size=1_000 * number,
        location=location_of(delegation, first, run_id),
        following=None if following is None else f"0198f2a4-0000-7000-8000-{following:012}",
        closed_at=AT,
        archived_at=AT + timedelta(minutes=number),
    )


@pytest.fixture
def runs(database: Database) -> ArchivedRuns:
    return ArchivedRuns(database)


async def test_a_run_is_entered_once_and_sealed(runs: ArchivedRuns, database: Database) -> None:
    """The second time changes nothing; the seal has every field."""
    assert await runs.enter(run(2))
    assert await runs.enter(run(1, following=2))
    assert not await runs.enter(run(1, following=2))
    assert await runs.of("tokyo-2026") == [run(1, following=2), run(2)]
    assert await runs.of("berlin-2026") == []
    assert await runs.get(run(2).run_id) == run(2)
    assert await runs.get("another") is None
    assert await runs.runs() == {"tokyo-2026": [run(2).run_id, run(1).run_id]}
    assert await runs.known([run(1).run_id, "another"]) == {run(1).run_id}
    assert await runs.totals() == Totals(runs=2, size=3_000)
    entries = await RegisterLog(database).entries("archive")
    assert [(one.type, one.actor, one.command_id, one.data["after"]) for one in entries] == [
        ("run_archived", "system", run(2).run_id, run(2).sealed()),
        ("run_archived", "system", run(1).run_id, run(1, following=2).sealed()),
    ]
    assert entries[0].data["after"]["closed_at"] == "2026-03-02T08:30:15.123456Z"


async def test_what_continued_an_archived_run_is_known(runs: ArchivedRuns) -> None:
    """Until it is archived itself."""
    await runs.enter(run(1, following=2))
    assert await runs.continued() == [("tokyo-2026", run(2).run_id)]
    await runs.enter(run(2, following=3))
    assert await runs.continued() == [("tokyo-2026", run(3).run_id)]
    await runs.enter(run(3))
    assert await runs.continued() == []


async def test_pages_have_the_last_archived_first(runs: ArchivedRuns) -> None:
    """Each run once, however many come between two pages."""
    for number in (1, 2, 3):
        await runs.enter(run(number))
    page = await runs.page(limit=2)
    assert page.items == (run(3), run(2))
    await runs.enter(run(4))
    rest = await runs.page(limit=2, cursor=page.next_cursor)
    assert (rest.items, rest.next_cursor) == ((run(1),), None)
    for cursor in ("x", write_cursor("yesterday", "x"), write_cursor("2026-01-01T00:00:00", "x")):
        with pytest.raises(BadCursor):
            await runs.page(limit=2, cursor=cursor)


@pytest.mark.parametrize("field", ["digest", "location", "head", "first_seq", "size", "delegation_id", "following"])
async def test_a_changed_row_is_told(runs: ArchivedRuns, database: Database, field: str) -> None:
    """Whatever of it was changed."""
    await runs.enter(run(1))
    await runs.enter(run(2))
    assert await runs.differences() == []
    value = 7 if field in ("first_seq", "size") else "f" * 64
    async with database.writing() as connection:
        which = update(archived_runs).where(archived_runs.c.run_id == run(2).run_id)
        await connection.execute(which.values({field: value}))
    delegation = value if field == "delegation_id" else "tokyo-2026"
    assert await runs.differences() == [ArchiveDifference("row_differs", str(delegation), run(2).run_id)]


async def test_a_row_that_went_or_came_is_told(runs: ArchivedRuns, database: Database) -> None:
    """Neither can be lost or added without the log."""
    await runs.enter(run(1))
    async with database.writing() as connection:
        row = (await connection.execute(select(archived_runs))).one()._asdict()
        await connection.execute(delete(archived_runs))
        await connection.execute(insert(archived_runs).values(row | {"run_id": run(9).run_id}))
    assert await runs.differences() == [
        ArchiveDifference("row_missing", "tokyo-2026", run(1).run_id),
        ArchiveDifference("row_unsealed", "tokyo-2026", run(9).run_id),
    ]
    async with database.writing() as connection:
        await connection.execute(update(register_log).values(data="{}"))
    with pytest.raises(ChainBroken):
        await runs.differences()


async def test_the_state_is_what_the_last_round_found(runs: ArchivedRuns) -> None:
    """None before the first one."""
    assert await runs.state() is None
    first = ArchiveState(waiting=3, oldest=AT, failure="disk_full", looked_at=AT + timedelta(hours=1))
    second = ArchiveState(waiting=0, oldest=None, failure=None, looked_at=AT + timedelta(hours=2))
    for state in (first, second):
        await runs.note(state)
        assert await runs.state() == state


@pytest.mark.parametrize(
    ("state", "hours", "alarm"),
    [
        (ArchiveState(1, AT, None, AT), 6, None),
        (ArchiveState(1, AT, None, AT + timedelta(hours=6)), 6.01, "archive_overdue"),
        (ArchiveState(0, None, None, AT), 6, None),
        (ArchiveState(0, None, None, AT), 6.01, "archive_overdue"),
        (ArchiveState(1, AT, "disk_full", AT), 0, "archive_failing"),
        (ArchiveState(1, AT + timedelta(days=9), None, AT + timedelta(days=9)), 0, None),
    ],
    ids=["quarter", "waits-longer", "looked", "nobody-looked", "failed", "clock-ahead"],
)
def test_the_alarm_sounds_after_a_quarter_of_retention(state: ArchiveState, hours: float, alarm: str | None) -> None:
    """Of a day, that is six hours: since a run is closed, or since anybody looked; at once when archiving fails."""
    assert state.alarm(AT + timedelta(hours=hours), timedelta(days=1)) == alarm


def test_a_row_is_sealed_as_it_is() -> None:
    """No field is left out of what is sealed."""
    assert set(run().sealed()) == set(ArchivedRun.__dataclass_fields__)
    assert replace(run(), digest="0").sealed() != run().sealed()
