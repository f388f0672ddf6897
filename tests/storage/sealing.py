"""Streams that grow, and checkpoints over them, for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, select

from activities.checkpoint_log import CheckpointLog
from activities.checkpoints import Made, Sealing
from audit.checkpoint import Leaf, leaf_hash_of
from audit.signing_key import SigningKeys
from domain.seal import SealedEvent
from storage.engine import Database
from storage.journal import append, head_of_journal, journal, lock_stream
from storage.register_log import record, register_log
from tests.storage.streams import member, opened, sealed

SEEDS = (bytes(range(32)),)
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def keys(*seeds: bytes) -> SigningKeys:
    """The keys of these seeds, else of SEEDS."""
    return SigningKeys.of(seeds or SEEDS)


def sealing(database: Database, *seeds: bytes, now: datetime = NOON, most: int = 2**20) -> Sealing:
    """A maker of checkpoints whose clock stands still."""
    return Sealing(database, lambda: keys(*seeds), now=lambda: now, most=most)


async def made(database: Database, *seeds: bytes, now: datetime = NOON) -> Made:
    """A checkpoint that is made now."""
    found = await sealing(database, *seeds, now=now).make()
    assert found is not None
    return found


async def goes_on(database: Database, delegation: str, count: int) -> Sequence[SealedEvent]:
    """Let a delegation's journal go on by so many events."""
    async with database.writing() as connection:
        await lock_stream(connection, delegation)
        head = await head_of_journal(connection, delegation)
        seq = head.seq if head else 0
        new = [opened(delegation) if seq + number == 0 else member(seq + number) for number in range(count)]
        return await append(connection, delegation, sealed(delegation, new, after=head))


async def logs(database: Database, entry: str) -> None:
    """Let the register of accounts change."""
    async with database.writing() as connection:
        await record(connection, "accounts", "account_opened", entry, by="root")


async def put_back(database: Database, delegation: str, events: Sequence[SealedEvent]) -> None:
    """Write events into the journal as they are, whether they fit or not."""
    async with database.writing() as connection:
        for event in events:
            row = event.model_dump(mode="json") | {"delegation_id": delegation, "data": "{}"}
            await connection.execute(insert(journal).values(row))


async def leaves(database: Database) -> list[bytes]:
    """The leaves that the spans name, read from the streams themselves."""
    found: list[bytes] = []
    for span in await CheckpointLog(database).spans():
        register, _, name = span.stream.partition(":")
        table, id = (register_log, register_log.c.register) if name else (journal, journal.c.delegation_id)
        wanted = select(table.c.seq, table.c.hash).where(
            id == (name or register), table.c.seq.between(span.first_seq, span.last_seq)
        )
        async with database.reading() as connection:
            rows = (await connection.execute(wanted.order_by(table.c.seq))).all()
        assert len(found) == span.position
        found += [leaf_hash_of(Leaf(stream=span.stream, seq=row.seq, hash=row.hash)) for row in rows]
    return found
