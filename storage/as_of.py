"""A delegation as it was: after an event, or at an instant.

Order is by `seq`, never by time, since a clock may go back. What stood at an instant is the state after the longest
prefix of the events whose last one is at or before it; an event dated later that such a prefix holds counts with it.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.evolve import fold
from domain.seal import Head
from domain.state import Delegation
from domain.values import write_instant
from storage.engine import Database
from storage.journal import head_of_journal, journal, read
from storage.queries import File
from storage.versions import snapshots


class NotYetOpen(LookupError):
    """The file had no event by then, or there is no such file."""


class BeyondHead(LookupError):
    """The file has not come to that event yet; `seq` is its last one."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"the last event is {seq}")
        self.seq = seq


class AsOf:
    """Reading what a delegation was, from the kept state before it and the events since."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seq_at(self, delegation_id: str, instant: datetime) -> int:
        """Return the number of the last event at or before an instant, whatever the clock said before it.

        Raises NotYetOpen.
        """
        async with self._database.reading() as connection:
            return await _seq_at(connection, delegation_id, instant)

    async def file_at(self, delegation_id: str, instant: datetime) -> File:
        """Return the file as it was at an instant. Raises NotYetOpen."""
        async with self._database.snapshot() as connection:
            return await _file(connection, delegation_id, await _seq_at(connection, delegation_id, instant))

    async def file_after(self, delegation_id: str, seq: int) -> File:
        """Return the file as it was after event `seq`. Raises NotYetOpen for 0, BeyondHead."""
        async with self._database.snapshot() as connection:
            return await _file(connection, delegation_id, seq)


async def _seq_at(connection: AsyncConnection, delegation_id: str, instant: datetime) -> int:
    # No event from the first snapshot on that is `since` later is dated so early: it has the earliest time of them all.
    later = select(func.min(snapshots.c.seq)).where(
        snapshots.c.delegation_id == delegation_id, snapshots.c.since > instant
    )
    earlier = select(func.max(snapshots.c.seq)).where(
        snapshots.c.delegation_id == delegation_id, snapshots.c.since <= instant
    )
    first = (await connection.execute(earlier)).scalar_one() or 0
    end = (await connection.execute(later)).scalar_one()
    wanted = select(func.max(journal.c.seq)).where(
        journal.c.delegation_id == delegation_id, journal.c.seq >= first, journal.c.at <= write_instant(instant)
    )
    if end is not None:
        wanted = wanted.where(journal.c.seq < end)
    found = (await connection.execute(wanted)).scalar_one()
    if found is None:
        raise NotYetOpen
    return int(found)


async def _file(connection: AsyncConnection, delegation_id: str, seq: int) -> File:
    if seq < 1:
        raise NotYetOpen
    kept = (
        await connection.execute(
            select(snapshots.c.seq, snapshots.c.head_hash, snapshots.c.state)
            .where(snapshots.c.delegation_id == delegation_id, snapshots.c.seq <= seq)
            .order_by(snapshots.c.seq.desc())
            .limit(1)
        )
    ).one_or_none()
    begin = kept.seq if kept else 0
    # With the event of the kept state: it is the last one where none has come since.
    events = await read(connection, delegation_id, after=max(begin - 1, 0), limit=seq - max(begin - 1, 0))
    if not events or events[-1].seq < seq:
        head = await head_of_journal(connection, delegation_id)
        if head is None:
            raise NotYetOpen
        raise BeyondHead(head.seq)
    state = Delegation.model_validate_json(kept.state) if kept else None
    state = fold((event for event in events if event.seq > begin), state)
    if state is None:
        raise NotYetOpen
    return File(state=state, head=Head(seq=seq, hash=events[-1].hash), updated_at=events[-1].instant)
