"""The projection: journal and read tables are, byte for byte, what a fold of the events gives."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from domain.events import AnyEvent
from domain.evolve import fold
from domain.seal import SealedEvent, head_of
from storage import versions
from storage.dump import dump_of_fold, dump_read_tables
from storage.engine import Database
from storage.journal import Journal, JournalDiverged, JournalGap, journal
from storage.persons import Persons
from storage.persons import persons as persons_table
from storage.projection import Projection
from storage.queries import Queries
from storage.read_model import READ_TABLES, deadlines, delegations, participants, programme_items
from storage.texts import Texts
from storage.texts import texts as texts_table
from tests.storage.streams import (
    HEAD_STEP,
    a_whole_file,
    cancelled,
    every_kind,
    member,
    opened,
    sealed,
    signed,
    submitted,
)
from tests.storage.test_persons import SATO

VISIT = "spring-visit"


@pytest.fixture(autouse=True)
def _frequent_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample file is shorter than the distance between two kept states."""
    monkeypatch.setattr(versions, "SNAPSHOT_EVERY", 5)


@pytest.fixture
def projection(database: Database) -> Projection:
    return Projection(database)


async def test_a_projected_file_is_the_fold_of_its_events(database: Database, projection: Projection) -> None:
    """The dump of the tables equals the dump of a fold that never saw a database."""
    chain = a_whole_file()
    assert await projection.project(VISIT, chain) == head_of(chain[-1])
    assert await dump_read_tables(database) == dump_of_fold({VISIT: chain})


async def test_event_by_event_gives_the_same_as_all_at_once(database: Database, projection: Projection) -> None:
    """Also when every event is applied by a process that has to read the state from the table."""
    chain = a_whole_file()
    for event in chain:
        await Projection(database).project(VISIT, [event])
    assert await dump_read_tables(database) == dump_of_fold({VISIT: chain})


async def test_the_list_says_what_the_events_said(database: Database, projection: Projection) -> None:
    """Figures of the sample file, one by one."""
    await projection.project(VISIT, a_whole_file())
    listed = (await Queries(database).delegations()).items[0]
    assert listed.title == "Đoàn Nhật Bản và Đức thăm tỉnh Sông Lam"
    assert (listed.phase, listed.direction, listed.coordinator) == ("under_approval", "inbound", "minh")
    assert (listed.countries, listed.year) == (("JP", "DE"), 2026)
    assert (listed.starts, listed.ends) == (date(2026, 4, 6), date(2026, 4, 12))
    assert (listed.head_count, listed.waits_for) == (3, "vice_president")
    assert (listed.next_due_on, listed.overdue) == (None, True)
    assert listed.opened_at == datetime(2026, 2, 24, 2, tzinfo=UTC)
    assert listed.seq == 24
    async with database.reading() as connection:
        moved = (await connection.execute(select(programme_items).where(programme_items.c.item_id == "s1"))).one()
        due = (await connection.execute(select(deadlines).order_by(deadlines.c.what))).all()
        left = (await connection.execute(select(participants.c.active).order_by("participant_id"))).scalars().all()
    assert moved.starts_at == datetime(2026, 4, 11, 7, 30, tzinfo=UTC)
    assert (moved.starts_local, moved.place) == ("2026-04-11T14:30", "Hội trường B")
    assert [(line.what, line.status, line.reminders) for line in due] == [
        ("proposal", "met", 0),
        ("report", "missed", 1),
    ]
    assert left == [True, True, True, False]


async def test_every_ceiling_is_kept_with_the_event_that_set_it(database: Database, projection: Projection) -> None:
    """A later ceiling does not overwrite the earlier one."""
    await projection.project(VISIT, a_whole_file())
    history = await Queries(database).ceilings_of(VISIT)
    assert [(line.seq, line.total_vnd, line.head_count) for line in history] == [
        (8, 67_200_000, 4),
        (20, 61_600_000, 3),
    ]


async def test_what_was_applied_before_changes_nothing(database: Database, projection: Projection) -> None:
    """The API and the worker both bring the same events."""
    chain = a_whole_file()
    await projection.project(VISIT, chain)
    before = await dump_read_tables(database)
    assert await projection.project(VISIT, chain[5:9]) == head_of(chain[-1])
    assert await projection.project(VISIT, ()) == head_of(chain[-1])
    assert await dump_read_tables(database) == before


async def test_a_gap_and_a_fork_leave_the_file_as_it_was(database: Database, projection: Projection) -> None:
    """Refused, nothing written."""
    chain = a_whole_file()
    await projection.project(VISIT, chain[:6])
    before = await dump_read_tables(database)
    with pytest.raises(JournalGap):
        await projection.project(VISIT, chain[7:])
    fork = sealed(VISIT, [cancelled()], after=head_of(chain[4]))
    with pytest.raises(JournalDiverged):
        await projection.project(VISIT, fork)
    assert await dump_read_tables(database) == before
    assert await Journal(database).events(VISIT) == chain[:6]


async def test_an_unknown_file_without_events_is_refused(projection: Projection) -> None:
    """There is nothing to bring up to date."""
    with pytest.raises(JournalDiverged):
        await projection.project("unknown", ())


async def test_dropped_tables_are_rebuilt_from_the_journal(database: Database, projection: Projection) -> None:
    """All files, and only those that are behind."""
    chains = {f"visit-{n}": a_whole_file(f"visit-{n}") for n in range(5)}
    for delegation_id, chain in chains.items():
        await projection.project(delegation_id, chain)
    before = await dump_read_tables(database)
    await projection.drop_read_tables()
    assert await dump_read_tables(database) == b""
    assert await projection.catch_up() == 5
    assert await projection.catch_up() == 0
    assert await dump_read_tables(database) == before == dump_of_fold(chains)
    await projection.drop_read_model_of("visit-3")
    assert await projection.catch_up() == 1
    assert await dump_read_tables(database) == before
    assert await dump_read_tables(database, "visit-3") == dump_of_fold({"visit-3": chains["visit-3"]})


async def test_the_next_event_repairs_a_file_whose_rows_were_dropped(
    database: Database, projection: Projection
) -> None:
    """A rebuild during writes: the writer finds nothing and folds the whole journal."""
    chain = a_whole_file()
    await projection.project(VISIT, chain[:-1])
    await projection.drop_read_tables()
    await projection.project(VISIT, chain[-1:])
    assert await dump_read_tables(database) == dump_of_fold({VISIT: chain})


async def test_a_history_replaces_a_damaged_journal(database: Database, projection: Projection) -> None:
    """A row that was changed and a tail that was cut are healed; what came later and continues the history stays."""
    chain = a_whole_file()
    await projection.project(VISIT, chain)
    async with database.writing() as connection:
        await connection.execute(update(journal).where(journal.c.seq == 2).values(actor="forged"))
        await connection.execute(update(delegations).values(head_count=99))
    assert await projection.replace(VISIT, chain[:20]) == head_of(chain[-1])
    assert await Journal(database).events(VISIT) == chain
    async with database.writing() as connection:
        await connection.execute(delete(journal).where(journal.c.seq > 12))
    assert await projection.replace(VISIT, chain) == head_of(chain[-1])
    assert await Journal(database).events(VISIT) == chain
    assert await dump_read_tables(database) == dump_of_fold({VISIT: chain})


async def test_a_later_tail_that_does_not_continue_the_history_is_dropped(
    database: Database, projection: Projection
) -> None:
    """The history is the truth."""
    chain = a_whole_file()
    fork = sealed(VISIT, [member(7), member(8)], after=head_of(chain[2]))
    await projection.project(VISIT, [*chain[:3], *fork])
    await projection.replace(VISIT, chain[:4])
    assert await Journal(database).events(VISIT) == chain[:4]


async def test_rows_left_behind_by_a_deleted_line_do_not_stay(database: Database, projection: Projection) -> None:
    """Somebody deletes the list's line by hand: the rebuild starts that file from nothing."""
    chain = a_whole_file()
    await projection.project(VISIT, chain[:16])
    async with database.writing() as connection:
        await connection.execute(delete(delegations))
    await projection.project(VISIT, chain)
    assert await dump_read_tables(database) == dump_of_fold({VISIT: chain})


async def test_an_edit_of_a_read_table_shows_in_the_dump(database: Database, projection: Projection) -> None:
    """One changed value in any table is a difference."""
    chain = a_whole_file()
    await projection.project(VISIT, chain)
    truth = dump_of_fold({VISIT: chain})
    for statement in (
        "UPDATE delegations SET head_count = head_count + 1",
        "UPDATE deadlines SET status = 'open' WHERE what = 'report'",
        "UPDATE programme_items SET place = 'elsewhere' WHERE item_id = 's2'",
        "UPDATE participants SET active = NOT active WHERE participant_id = 'm1'",
        "UPDATE ceilings SET total_vnd = total_vnd + 1 WHERE seq = 8",
        "UPDATE delegation_versions SET phase = 'closed' WHERE seq = 1",
        "UPDATE delegation_snapshots SET state = '{}' WHERE seq = 5",
    ):
        async with database.writing() as connection:
            await connection.execute(text(statement))
        assert await dump_read_tables(database) != truth
        await projection.drop_read_tables()
        await projection.catch_up()
        assert await dump_read_tables(database) == truth


async def test_what_an_event_names_is_claimed_in_the_register(
    database: Database, projection: Projection, request: pytest.FixtureRequest
) -> None:
    """In the same transaction, so that no sweep can take it."""
    keyring = request.getfixturevalue("keyring")
    person = await Persons(database, keyring).register(SATO)
    other = await Persons(database, keyring).register(SATO)
    reason = await Texts(database, keyring).write(VISIT, "reason")
    events: list[AnyEvent] = [
        opened(VISIT),
        member(1).model_copy(update={"person": person}),
        cancelled().model_copy(update={"reason": reason}),
    ]
    await projection.project(VISIT, sealed(VISIT, events))
    async with database.reading() as connection:
        claimed = select(persons_table.c.ref).where(persons_table.c.claimed_at.is_not(None))
        assert (await connection.execute(claimed)).scalars().all() == [person.ref]
        assert (await connection.execute(select(texts_table.c.claimed_at))).scalar_one() is not None
    assert other.ref != person.ref


async def test_writers_and_a_rebuild_at_once_end_in_the_fold(store_url: str) -> None:
    """Two processes bring the same bursts while a third drops and rebuilds the tables."""
    stores = [Database(store_url) for _ in range(3)]
    chains = {f"visit-{n}": a_whole_file(f"visit-{n}") for n in range(3)}
    writing = 2

    async def write(store: Database) -> None:
        nonlocal writing
        projection = Projection(store)
        for start in range(0, 24, 3):
            for delegation_id, chain in chains.items():
                await projection.project(delegation_id, chain[start : start + 3])
        writing -= 1

    async def rebuild(store: Database) -> None:
        projection = Projection(store)
        while writing:
            await projection.drop_read_tables()
            await projection.catch_up()

    try:
        await asyncio.gather(write(stores[0]), write(stores[1]), rebuild(stores[2]))
        await Projection(stores[2]).catch_up()
        assert await dump_read_tables(stores[2]) == dump_of_fold(chains)
    finally:
        for store in stores:
            await store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_bursts_in_any_overlap_give_the_fold(data: st.DataObject, sqlite_template: Path, tmp_path: Path) -> None:
    """However the events are cut into bursts, repeated and dropped in between."""
    chain = a_whole_file()
    cuts = data.draw(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 4), st.booleans()), min_size=1, max_size=24))

    async def play() -> tuple[bytes, Sequence[SealedEvent]]:
        database = Database(f"sqlite:///{path}", synchronous="OFF")
        projection, done = Projection(database), 0
        for length, back, drop in cuts:
            if drop:
                await projection.drop_read_tables()
            end = min(len(chain), done + length)
            await projection.project(VISIT, chain[max(0, done - back) : end])
            done = end
        dump = await dump_read_tables(database)
        await database.close()
        return dump, chain[:done]

    path = tmp_path / "play.db"
    for old in tmp_path.glob("play.db*"):
        old.unlink()
    shutil.copy(sqlite_template, path)
    dump, applied = asyncio.run(play())
    assert dump == dump_of_fold({VISIT: applied})


def test_the_state_of_a_file_survives_being_written_down() -> None:
    """Reading a stored state and folding on gives the same bytes as folding from the first event."""
    chain = a_whole_file()
    for place in range(1, len(chain)):
        whole, part = fold(chain), fold(chain[:place])
        assert whole is not None
        assert part is not None
        again = fold(chain[place:], type(part).model_validate_json(part.model_dump_json()))
        assert again is not None
        assert again.model_dump_json() == whole.model_dump_json()


def test_every_read_table_gets_rows_in_these_tests() -> None:
    """A new read table must join the sample file, or its equality was never tried."""
    abroad = sealed("trip", [opened("trip", direction="outbound"), member(1), submitted()])
    dump = dump_of_fold({VISIT: a_whole_file(), "trip": abroad})
    for table in READ_TABLES:
        assert f'"table":"{table.name}"'.encode() in dump


async def test_a_step_and_a_filed_end_change_whose_desk_the_file_is_on(
    database: Database, projection: Projection
) -> None:
    """The coordinator's, then each approver's in turn, then nobody's."""
    events: list[AnyEvent] = [opened(VISIT), submitted(), signed(HEAD_STEP), cancelled()]
    desks = []
    for event in sealed(VISIT, events):
        await projection.project(VISIT, [event])
        desks.append((await Queries(database).delegations()).items[0].waits_for)
    assert desks == ["coordinator", "department_head", "vice_president", None]
    assert len(every_kind(VISIT)) == 24
