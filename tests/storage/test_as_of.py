"""What was, at any instant and after any event: the fold of the events until then, for files and for lists."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.evolve import fold
from domain.seal import SealedEvent, genesis, head_of, seal
from storage import versions
from storage.as_of import AsOf, BeyondHead, NotYetOpen
from storage.dump import dump_of_fold, dump_read_tables
from storage.engine import Database
from storage.lines import line_of
from storage.projection import Projection
from storage.queries import Filters, Queries
from tests.domain.test_scenarios import FILES, played
from tests.storage.streams import START, a_whole_file, cancelled, every_kind, opened, sealed, submitted

VISIT = "spring-visit"
AT = [START + timedelta(hours=hour) for hour in range(8)]


def at_times(times: Sequence[datetime]) -> list[SealedEvent]:
    """The sample file's first events, one at each of these times, whatever their order."""
    head, chain = genesis(VISIT), []
    for event, at in zip(every_kind(VISIT), times, strict=False):
        data = event.model_dump(mode="json", exclude={"type"})
        sealed_event = seal(
            head, type=event.type, version=event.version, at=at, actor="linh", command_id=f"cmd-{head.seq}", data=data
        )
        chain.append(sealed_event)
        head = head_of(sealed_event)
    return chain


@pytest.fixture(autouse=True)
def _frequent_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several kept states in a short file."""
    monkeypatch.setattr(versions, "SNAPSHOT_EVERY", 4)


async def test_after_every_event_the_file_is_the_fold_until_there(database: Database) -> None:
    """Byte for byte, before, at and behind a kept state, with the head and time of that event."""
    chain = a_whole_file()
    await Projection(database).project(VISIT, chain)
    for event in chain:
        file = await AsOf(database).file_after(VISIT, event.seq)
        state = fold(chain[: event.seq])
        assert state is not None
        assert file.state.model_dump_json() == state.model_dump_json()
        assert (file.head, file.updated_at) == (head_of(event), event.instant)


async def test_at_an_instant_the_file_is_what_it_was_after_the_last_event_by_then(database: Database) -> None:
    """Between two events it is what the earlier one left; at the very instant of an event it counts."""
    chain = a_whole_file()
    await Projection(database).project(VISIT, chain)
    at = AsOf(database)
    assert (await at.file_at(VISIT, chain[7].instant)).head.seq == 8
    assert (await at.file_at(VISIT, chain[7].instant - timedelta(microseconds=1))).head.seq == 7
    assert (await at.file_at(VISIT, datetime(2099, 1, 1, tzinfo=UTC))).head.seq == len(chain)


async def test_before_the_opening_and_beyond_the_head_there_is_no_file(database: Database) -> None:
    """Each is told apart; an unknown file never was open."""
    chain = a_whole_file()
    await Projection(database).project(VISIT, chain)
    at = AsOf(database)
    with pytest.raises(NotYetOpen):
        await at.file_at(VISIT, START - timedelta(seconds=1))
    with pytest.raises(NotYetOpen):
        await at.file_after(VISIT, 0)
    with pytest.raises(NotYetOpen):
        await at.file_after("unknown", 1)
    with pytest.raises(BeyondHead) as beyond:
        await at.file_after(VISIT, len(chain) + 1)
    assert beyond.value.seq == len(chain)


async def test_a_clock_that_goes_back_shortens_no_prefix(database: Database) -> None:
    """Event 3 is dated before event 2: from its time on, both have happened."""
    chain = at_times([AT[0], AT[5], AT[2], AT[3]])
    await Projection(database).project(VISIT, chain)
    at = AsOf(database)
    assert [await at.seq_at(VISIT, when) for when in (AT[0], AT[1], AT[2], AT[3], AT[5])] == [1, 1, 3, 4, 4]


async def test_a_list_as_of_an_instant_has_the_lines_of_then(database: Database) -> None:
    """Files that were not open are missing; filters and order ask what stood then."""
    projection, queries = Projection(database), Queries(database)
    early, late = datetime(2026, 2, 28, 17, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC)
    begun = datetime(2026, 2, 20, tzinfo=UTC)
    first = sealed("first", [opened("first", title="B"), submitted()], start=begun)
    await projection.project("first", first)
    gone = sealed("first", [cancelled()], after=head_of(first[-1]), start=late)
    await projection.project("first", gone)
    await projection.project("second", sealed("second", [opened("second", title="A")], start=begun))
    await projection.project("third", sealed("third", [opened("third", title="C")], start=late))

    async def listed(filters: Filters | None = None, at: datetime | None = early) -> list[tuple[str, str]]:
        page = await queries.delegations(filters, sort="title", as_of=at)
        return [(line.id, line.phase) for line in page.items]

    assert await listed() == [("second", "drafted"), ("first", "submitted")]
    assert await listed(Filters(phases=("submitted",))) == [("first", "submitted")]
    assert await listed(Filters(phases=("cancelled",))) == []
    assert await listed(Filters(waits_for=("department_head",))) == [("first", "submitted")]
    assert await listed(at=begun - timedelta(seconds=1)) == []
    assert await listed(at=datetime(2099, 1, 1, tzinfo=UTC)) == await listed(at=None)
    page = await queries.delegations(sort="title", limit=1, as_of=early)
    assert [line.id for line in page.items] == ["second"]
    rest = await queries.delegations(sort="title", limit=1, cursor=page.next_cursor, as_of=early)
    assert ([line.id for line in rest.items], rest.next_cursor) == (["first"], None)


async def test_a_line_then_names_the_rule_of_its_next_due_date(database: Database) -> None:
    """And the last event that changed the line."""
    await Projection(database).project(VISIT, a_whole_file())
    (line,) = (await Queries(database).delegations(as_of=START + timedelta(hours=2))).items
    assert (line.next_due_on, line.next_due_what, line.next_due_rule) == (date(2026, 3, 27), "proposal", "IN-REPORT")
    assert (line.seq, line.updated_at) == (2, START + timedelta(hours=1))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    times=st.lists(st.sampled_from(AT[1:]), min_size=1, max_size=23),
    cuts=st.lists(st.integers(1, 6), min_size=24, max_size=24),
)
def test_whatever_the_clock_does_file_and_list_agree_with_the_fold(
    times: list[datetime], cuts: list[int], sqlite_template: Path, tmp_path: Path
) -> None:
    """In whatever bursts the events come: the longest prefix by number, and the same tables as all at once."""
    chain = at_times([AT[1], *times])
    path = tmp_path / "clock.db"
    for old in tmp_path.glob("clock.db*"):
        old.unlink()
    shutil.copy(sqlite_template, path)

    async def play() -> None:
        database = Database(f"sqlite:///{path}", synchronous="OFF")
        done = 0
        for length in cuts:
            await Projection(database).project(VISIT, chain[done : done + length] or chain[-1:])
            done = min(len(chain), done + length)
        assert await dump_read_tables(database) == dump_of_fold({VISIT: chain[:done]})
        for instant in AT:
            expected = max((event.seq for event in chain[:done] if event.instant <= instant), default=0)
            lines = (await Queries(database).delegations(as_of=instant)).items
            if not expected:
                assert lines == ()
                with pytest.raises(NotYetOpen):
                    await AsOf(database).file_at(VISIT, instant)
                continue
            file = await AsOf(database).file_at(VISIT, instant)
            state = fold(chain[:expected])
            assert file.head.seq == expected
            assert state is not None
            assert file.state.model_dump_json() == state.model_dump_json()
            shown = line_of(state)
            assert [(line.phase, line.title, line.head_count, line.waits_for, line.next_due_on) for line in lines] == [
                (shown["phase"], shown["title"], shown["head_count"], shown["waits_for"], shown["next_due_on"])
            ]
        await database.close()

    asyncio.run(play())


@pytest.mark.parametrize("name", FILES)
def test_a_line_that_is_passed_over_is_the_same(name: str) -> None:
    """Every event of the shipped scenarios: the rows are exactly those where the line reads otherwise than before."""
    events = played(name).events
    _, rows = versions.walk("visit", None, events)
    expected, state, line = [], None, None
    for event in events:
        state = fold([event], state)
        assert state is not None
        shown = line_of(state)
        what = shown["next_due_what"]
        shown["next_due_rule"] = state.deadlines[what].rule.rule if what else None
        if shown != line:
            expected.append((event.seq, shown))
        line = shown
    got = rows[versions.versions.name]
    assert [key[1] for key in got] == [seq for seq, _ in expected]
    assert [{name: row[name] for name in expected[0][1]} for row in got.values()] == [shown for _, shown in expected]
