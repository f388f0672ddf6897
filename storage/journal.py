"""The journal: every sealed event of every delegation, exactly as it stands in the history."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, Integer, Row, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from domain.reading import names
from domain.seal import ChainBroken, Head, SealedEvent, genesis, verify_chain
from domain.values import write_instant
from storage.engine import Database
from storage.metadata import Name, Words, metadata
from storage.upsert import insert_into

journal = Table(
    "journal",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("type", Name, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Name, nullable=False),
    Column("actor", Name, nullable=False),
    Column("command_id", Name, nullable=False),
    Column("data", Words, nullable=False),
    Column("prev_hash", Name, nullable=False),
    Column("hash", Name, nullable=False),
    Index(None, "delegation_id", "command_id"),
)

READ_BATCH = 500

EVERY_STREAM = 0x6C656762
"""The number of PostgreSQL's advisory lock that all writers of streams share."""


class JournalDiverged(Exception):
    """The events are not those of the journal, or do not continue it: somebody has to look.

    `seq` is the number of the first event that does not fit. The text carries no content.
    """

    def __init__(self, delegation_id: str, seq: int, reason: str) -> None:
        super().__init__(f"delegation {delegation_id}, event {seq}: {reason}")
        self.delegation_id = delegation_id
        self.seq = seq
        self.reason = reason


class JournalGap(JournalDiverged):
    """Events are missing between the journal's head and these. `head` is the journal's last number."""

    def __init__(self, delegation_id: str, seq: int, head: int) -> None:
        super().__init__(delegation_id, seq, f"the journal ends with event {head}")
        self.head = head


async def lock_stream(connection: AsyncConnection, delegation_id: str) -> None:
    """Let one transaction at a time write a delegation's events and read model, and none while all are locked.

    On SQLite the transaction is the only writer already.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock_shared(EVERY_STREAM)))
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(delegation_id, 0))))


async def lock_every_stream(connection: AsyncConnection) -> None:
    """Wait for every transaction that holds a stream, and let none begin before this one ends."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(EVERY_STREAM)))


async def append(
    connection: AsyncConnection, delegation_id: str, events: Sequence[SealedEvent]
) -> Sequence[SealedEvent]:
    """Append sealed events to a stream that the caller has locked, and return those that were new.

    Events that stand in the journal already are passed over if they are the same. Raises JournalDiverged when one is
    another than the journal's or the chain does not hold, JournalGap when events before the first one are missing.
    """
    if not events:
        return events
    first, last = events[0].seq, events[-1].seq
    rows = await connection.execute(
        select(journal.c.seq, journal.c.hash).where(
            journal.c.delegation_id == delegation_id, journal.c.seq.between(first - 1, last)
        )
    )
    known: dict[int, str] = {row.seq: row.hash for row in rows}
    head = Head(seq=first - 1, hash=known[first - 1]) if first - 1 in known else genesis(delegation_id)
    if head.seq != first - 1:
        raise JournalGap(delegation_id, first, await _last_seq(connection, delegation_id))
    try:
        verify_chain(head, events)
    except ChainBroken as broken:
        raise JournalDiverged(delegation_id, broken.seq, broken.reason) from None
    for event in events:
        if known.get(event.seq, event.hash) != event.hash:
            raise JournalDiverged(delegation_id, event.seq, "the journal has another event here")
    new = [event for event in events if event.seq not in known]
    if new:
        rows_of_new = [_row(delegation_id, event) for event in new]
        await connection.execute(insert_into(connection, journal), rows_of_new)
    return new


async def read(
    connection: AsyncConnection,
    delegation_id: str,
    *,
    after: int = 0,
    limit: int | None = None,
    types: Sequence[str] = (),
) -> list[SealedEvent]:
    """Return a delegation's events in order, from the one after `after`; with `types` only those."""
    wanted = (
        select(journal)
        .where(journal.c.delegation_id == delegation_id, journal.c.seq > after)
        .order_by(journal.c.seq)
        .limit(limit)
    )
    if types:
        wanted = wanted.where(journal.c.type.in_(types))
    return [_event(row) for row in await connection.execute(wanted)]


@dataclass(frozen=True)
class Wanted:
    """Which events of a file: all that is set must hold.

    `about` is the id of anything that an event names (`domain.reading.is_about`). `since` (or later) and `until`
    (before) are aware instants.
    """

    types: tuple[str, ...] = ()
    actor: str = ""
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def within(self, delegation_id: str) -> list[ColumnElement[bool]]:
        """Return what holds of the rows of a file; of those that `about` lets through some may be of others."""
        found = [journal.c.delegation_id == delegation_id]
        if self.types:
            found.append(journal.c.type.in_(self.types))
        if self.actor:
            found.append(journal.c.actor == self.actor)
        if self.about:
            written = json.dumps(self.about, ensure_ascii=False)[1:-1]
            found.append(journal.c.data.contains(written, autoescape=True))
        # Instants are written in one form, whose order is that of time.
        if self.since is not None:
            found.append(journal.c.at >= write_instant(self.since))
        if self.until is not None:
            found.append(journal.c.at < write_instant(self.until))
        return found


@dataclass(frozen=True)
class EventLine:
    """An event without what it says."""

    seq: int
    type: str
    actor: str
    command_id: str


async def read_lines(connection: AsyncConnection, delegation_id: str, wanted: Wanted) -> list[EventLine]:
    """Return a file's events in order, without what they say; `about` is not looked for."""
    columns = [journal.c[name] for name in EventLine.__dataclass_fields__]
    rows = select(*columns).where(*replace(wanted, about="").within(delegation_id)).order_by(journal.c.seq)
    return [EventLine(*row) for row in await connection.execute(rows)]


async def read_numbers(
    connection: AsyncConnection, delegation_id: str, wanted: Wanted, *, beyond: int, newest: bool, limit: int
) -> list[int]:
    """Return the numbers of up to `limit` events, beyond one of them: later than it, or with `newest` earlier.

    In that order; `beyond` 0 is before the first one, or after the last. What events say is read only where something
    is looked for in it.
    """
    order = journal.c.seq.desc() if newest else journal.c.seq
    columns = [journal.c.seq, journal.c.data] if wanted.about else [journal.c.seq]
    found: list[int] = []
    while len(found) < limit:
        which = wanted.within(delegation_id)
        if beyond or not newest:
            which.append(journal.c.seq < beyond if newest else journal.c.seq > beyond)
        rows = (await connection.execute(select(*columns).where(*which).order_by(order).limit(limit))).all()
        found += [row.seq for row in rows if not wanted.about or names(json.loads(row.data), wanted.about)]
        if len(rows) < limit:
            break
        beyond = rows[-1].seq
    return found[:limit]


async def head_of_journal(connection: AsyncConnection, delegation_id: str) -> Head | None:
    """Return the last number and hash of a stream, or None for an unknown delegation."""
    wanted = (
        select(journal.c.seq, journal.c.hash)
        .where(journal.c.delegation_id == delegation_id)
        .order_by(journal.c.seq.desc())
        .limit(1)
    )
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else Head(seq=row.seq, hash=row.hash)


class Journal:
    """Reading the journal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def events(self, delegation_id: str, *, after: int = 0, limit: int | None = None) -> list[SealedEvent]:
        """Return a delegation's events in order, from the one after `after`; none for an unknown delegation."""
        async with self._database.reading() as connection:
            return await read(connection, delegation_id, after=after, limit=limit)

    async def stream(self, delegation_id: str, *, after: int = 0) -> AsyncIterator[SealedEvent]:
        """Yield a delegation's events in order, a batch in memory at a time."""
        while batch := await self.events(delegation_id, after=after, limit=READ_BATCH):
            for event in batch:
                yield event
            after = batch[-1].seq

    async def of_type(self, type: str, *, delegations: Collection[str]) -> list[tuple[str, SealedEvent]]:
        """Return the events of one type of some delegations, each with its delegation, by delegation and in order."""
        wanted = (
            select(journal)
            .where(journal.c.type == type, journal.c.delegation_id.in_(sorted(delegations)))
            .order_by(journal.c.delegation_id, journal.c.seq)
        )
        async with self._database.reading() as connection:
            return [(row.delegation_id, _event(row)) for row in await connection.execute(wanted)]

    async def head(self, delegation_id: str) -> Head | None:
        """Return the last number and hash of a delegation, or None for an unknown one."""
        async with self._database.reading() as connection:
            return await head_of_journal(connection, delegation_id)

    async def heads(self) -> dict[str, Head]:
        """Return the last number and hash of every delegation that the journal knows."""
        last = (
            select(journal.c.delegation_id, func.max(journal.c.seq).label("seq"))
            .group_by(journal.c.delegation_id)
            .subquery()
        )
        wanted = select(journal.c.delegation_id, journal.c.seq, journal.c.hash).join_from(
            last,
            journal,
            (journal.c.delegation_id == last.c.delegation_id) & (journal.c.seq == last.c.seq),
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.order_by(journal.c.delegation_id))).all()
        return {row.delegation_id: Head(seq=row.seq, hash=row.hash) for row in rows}


async def _last_seq(connection: AsyncConnection, delegation_id: str) -> int:
    head = await head_of_journal(connection, delegation_id)
    return head.seq if head else 0


def _row(delegation_id: str, event: SealedEvent) -> dict[str, Any]:
    row = event.model_dump(mode="json")
    return row | {"delegation_id": delegation_id, "data": canonical_json(row["data"]).decode()}


def _event(row: Row[Any]) -> SealedEvent:
    fields = row._asdict()
    del fields["delegation_id"]
    return SealedEvent.model_validate(fields | {"data": json.loads(row.data)})
