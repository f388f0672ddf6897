"""The journal takes events once, in order, and refuses whatever does not continue its chain."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from domain.seal import SealedEvent, head_of
from storage.engine import Database
from storage.journal import Journal, JournalDiverged, JournalGap, append, journal, lock_stream
from tests.storage.streams import a_whole_file, member, opened, sealed


async def appended(database: Database, delegation_id: str, events: Sequence[SealedEvent]) -> list[int]:
    """Append events in a transaction of their own and return the numbers of the new ones."""
    async with database.writing() as connection:
        await lock_stream(connection, delegation_id)
        return [event.seq for event in await append(connection, delegation_id, events)]


async def test_events_are_read_exactly_as_they_were_sealed(database: Database) -> None:
    """Every field, byte for byte: the hash can be checked again from the row."""
    chain = a_whole_file()
    assert await appended(database, "spring-visit", chain) == [event.seq for event in chain]
    journal_ = Journal(database)
    assert await journal_.events("spring-visit") == chain
    assert await journal_.events("spring-visit", after=3, limit=2) == chain[3:5]
    assert [event async for event in journal_.stream("spring-visit", after=20)] == chain[20:]
    assert await journal_.head("spring-visit") == head_of(chain[-1])
    assert await journal_.head("unknown") is None


async def test_the_same_events_again_change_nothing(database: Database) -> None:
    """Whole, in part, or overlapping with new ones."""
    chain = a_whole_file()
    assert await appended(database, "spring-visit", chain[:10]) == list(range(1, 11))
    assert await appended(database, "spring-visit", chain[:10]) == []
    assert await appended(database, "spring-visit", chain[4:7]) == []
    assert await appended(database, "spring-visit", chain[8:12]) == [11, 12]
    assert await appended(database, "spring-visit", []) == []


async def test_a_gap_is_refused_and_names_where_the_journal_ends(database: Database) -> None:
    """The caller can fetch what is missing."""
    chain = a_whole_file()
    await appended(database, "spring-visit", chain[:3])
    with pytest.raises(JournalGap) as raised:
        await appended(database, "spring-visit", chain[5:])
    assert (raised.value.seq, raised.value.head) == (6, 3)


async def test_another_event_under_a_known_number_is_refused(database: Database) -> None:
    """Two histories of one delegation: somebody has to look."""
    chain = a_whole_file()
    other = sealed("spring-visit", [opened("spring-visit"), member(9)])
    await appended(database, "spring-visit", chain)
    with pytest.raises(JournalDiverged) as raised:
        await appended(database, "spring-visit", other)
    assert raised.value.seq == 2
    assert not isinstance(raised.value, JournalGap)


async def test_a_burst_that_does_not_carry_the_heads_hash_is_refused(database: Database) -> None:
    """Right number, other past."""
    chain = a_whole_file()
    other = sealed("spring-visit", [opened("spring-visit", title="Another"), member(1), member(2)])
    await appended(database, "spring-visit", chain[:2])
    with pytest.raises(JournalDiverged, match="does not carry the hash of event 2"):
        await appended(database, "spring-visit", other[2:])


async def test_an_event_whose_content_was_changed_is_refused(database: Database) -> None:
    """The hash is computed again, not believed."""
    chain = a_whole_file()
    forged = chain[1].model_copy(update={"actor": "somebody-else"})
    with pytest.raises(JournalDiverged) as raised:
        await appended(database, "spring-visit", [chain[0], forged])
    assert (raised.value.seq, raised.value.reason) == (2, "its content is not what was sealed")


async def test_a_chain_of_another_delegation_is_refused(database: Database) -> None:
    """The first event's hash is bound to the delegation's id."""
    with pytest.raises(JournalDiverged, match="event 1"):
        await appended(database, "autumn-visit", a_whole_file("spring-visit"))


async def test_a_burst_that_is_refused_leaves_nothing(database: Database) -> None:
    """All or none."""
    chain = a_whole_file()
    with pytest.raises(JournalDiverged):
        await appended(database, "spring-visit", [*chain[:5], chain[6]])
    assert await Journal(database).head("spring-visit") is None


async def test_the_heads_of_every_delegation_are_known(database: Database) -> None:
    """What a rebuild compares the histories with."""
    chains = {f"visit-{n}": a_whole_file(f"visit-{n}")[: n + 1] for n in range(3)}
    for delegation_id, chain in chains.items():
        await appended(database, delegation_id, chain)
    assert await Journal(database).heads() == {name: head_of(chain[-1]) for name, chain in chains.items()}


async def test_appends_from_several_connections_at_once_all_succeed(store_url: str) -> None:
    """Six processes bring overlapping bursts of the same streams: no failure, each event once."""
    stores = [Database(store_url) for _ in range(6)]
    chains = {f"visit-{n}": a_whole_file(f"visit-{n}") for n in range(4)}

    async def bring(store: Database) -> None:
        for start in range(0, 24, 2):
            for delegation_id, chain in chains.items():
                await appended(store, delegation_id, chain[max(0, start - 2) : start + 2])

    try:
        await asyncio.gather(*(bring(store) for store in stores))
        async with stores[0].reading() as connection:
            rows = (await connection.execute(select(func.count()).select_from(journal))).scalar_one()
        assert rows == sum(len(chain) for chain in chains.values()) == 96
        for delegation_id, chain in chains.items():
            assert await Journal(stores[0]).events(delegation_id) == chain
    finally:
        for store in stores:
            await store.close()
