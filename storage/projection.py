"""The projection: sealed events become journal rows and read tables, in one transaction, once."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cache

from sqlalchemy import Table, and_, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.seal import ChainBroken, Head, SealedEvent, head_of, verify_chain
from domain.state import Delegation
from storage.claims import mark_claimed, references_in
from storage.engine import Database
from storage.journal import JournalDiverged, append, head_of_journal, journal, lock_every_stream, lock_stream, read
from storage.read_model import (
    READ_TABLES,
    Key,
    Rows,
    delegations,
    difference,
    row_of_delegation,
    rows_of_events,
)
from storage.upsert import insert_for
from storage.versions import bring_forward, walk

STATES_KEPT = 64


class Projection:
    """Applies sealed events. Any process may, in any order of arrival: each event is applied once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # A head hash names one state for ever, so what is kept here cannot be stale.
        self._states: OrderedDict[str, Delegation] = OrderedDict()

    async def project(self, delegation_id: str, events: Sequence[SealedEvent]) -> Head:
        """Append events to the journal and bring the read tables up to them; return the journal's head.

        Events that were applied before change nothing. Raises JournalGap when earlier ones are missing, JournalDiverged
        when they are others than the journal's, StoreUnavailable when the store cannot answer: then nothing was kept.
        """
        kept: list[tuple[str, Delegation]] = []
        async with self._database.writing() as connection:
            await lock_stream(connection, delegation_id)
            new = await append(connection, delegation_id, events)
            if new:
                await mark_claimed(connection, references_in([event.data for event in new]))
            head = await self._apply(connection, delegation_id, new, kept)
        self._keep(kept)
        return head

    async def catch_up(self) -> int:
        """Apply what stands in the journal and not yet in the read tables; return how many delegations were behind."""
        behind = (
            select(journal.c.delegation_id)
            .join_from(
                journal,
                delegations,
                and_(delegations.c.id == journal.c.delegation_id, delegations.c.seq >= journal.c.seq),
                isouter=True,
            )
            .where(delegations.c.id.is_(None))
            .distinct()
            .order_by(journal.c.delegation_id)
        )
        async with self._database.reading() as connection:
            ids = list((await connection.execute(behind)).scalars())
        for delegation_id in ids:
            await self.project(delegation_id, ())
        return len(ids)

    async def replace(self, delegation_id: str, events: Sequence[SealedEvent]) -> Head:
        """Put the verified events of a history in the place of whatever journal and read tables say of a delegation.

        Rows after them stay as far as they continue the chain: they may have been accepted meanwhile. Raises
        JournalDiverged when the chain of `events` does not hold.
        """
        kept: list[tuple[str, Delegation]] = []
        async with self._database.writing() as connection:
            await lock_stream(connection, delegation_id)
            later = await read(connection, delegation_id, after=events[-1].seq if events else 0)
            await _forget(connection, delegation_id, with_journal=True)
            await append(connection, delegation_id, events)
            await append(connection, delegation_id, _continuing(events, later))
            # An event that comes to the journal this way is not new to `project` any more.
            await mark_claimed(connection, references_in([event.data for event in events]))
            head = await self._apply(connection, delegation_id, (), kept)
        self._keep(kept)
        return head

    async def drop_read_tables(self) -> None:
        """Empty every read table; journal and registers stay."""
        async with self._database.writing() as connection:
            # A projection that has read a state may not write its difference into emptied tables.
            await lock_every_stream(connection)
            for table in READ_TABLES:
                await connection.execute(delete(table))

    async def drop_read_model_of(self, delegation_id: str) -> None:
        """Delete one delegation's rows in the read tables; the journal stays."""
        async with self._database.writing() as connection:
            await lock_stream(connection, delegation_id)
            await _forget(connection, delegation_id, with_journal=False)

    async def _apply(
        self,
        connection: AsyncConnection,
        delegation_id: str,
        new: Sequence[SealedEvent],
        kept: list[tuple[str, Delegation]],
    ) -> Head:
        stored = (
            await connection.execute(
                select(delegations.c.seq, delegations.c.head_hash, delegations.c.updated_at).where(
                    delegations.c.id == delegation_id
                )
            )
        ).one_or_none()
        applied = stored.seq if stored else 0
        pending = new
        if not new or new[0].seq != applied + 1:
            pending = await read(connection, delegation_id, after=applied)
        if not pending:
            head = await head_of_journal(connection, delegation_id)
            if head is None or stored is None or head.hash != stored.head_hash:
                raise JournalDiverged(delegation_id, applied, "the read tables do not stand where the journal ends")
            return head
        before = await self._state(connection, delegation_id, stored.head_hash) if stored else None
        if before is None:
            # Nothing may be left of rows whose delegation is not listed: only differences are written below.
            await _forget(connection, delegation_id, with_journal=False)
        after, dated = walk(delegation_id, before, pending)
        if after is None:
            raise JournalDiverged(delegation_id, pending[0].seq, "the file was never opened")
        if stored is not None:
            await bring_forward(connection, delegation_id, stored.updated_at, pending)
        await _write(connection, delegation_id, before, after, pending, dated)
        kept.append((pending[-1].hash, after))
        return head_of(pending[-1])

    async def _state(self, connection: AsyncConnection, delegation_id: str, head_hash: str) -> Delegation:
        known = self._states.get(head_hash)
        if known is not None:
            return known
        wanted = select(delegations.c.state).where(delegations.c.id == delegation_id)
        return Delegation.model_validate_json((await connection.execute(wanted)).scalar_one())

    def _keep(self, states: Sequence[tuple[str, Delegation]]) -> None:
        for head_hash, state in states:
            self._states[head_hash] = state
            while len(self._states) > STATES_KEPT:
                self._states.popitem(last=False)


def _continuing(events: Sequence[SealedEvent], later: Sequence[SealedEvent]) -> Sequence[SealedEvent]:
    """Return the first of `later` events that go on, unbroken, where `events` end."""
    head = head_of(events[-1]) if events else None
    for place, event in enumerate(later):
        try:
            head = verify_chain(head, [event]) if head else None
        except ChainBroken:
            head = None
        if head is None:
            return later[:place]
    return later


async def _write(
    connection: AsyncConnection,
    delegation_id: str,
    before: Delegation | None,
    after: Delegation,
    events: Sequence[SealedEvent],
    dated: Rows,
) -> None:
    write, gone = difference(before, after)
    write |= rows_of_events(delegation_id, events) | row_of_delegation(after, events[-1]) | dated
    for table in READ_TABLES:
        if gone.get(table.name):
            await _delete_rows(connection, table, gone[table.name])
        if write.get(table.name):
            await _upsert_rows(connection, table, write)


async def _delete_rows(connection: AsyncConnection, table: Table, keys: Sequence[Key]) -> None:
    columns = list(table.primary_key.columns)
    for key in keys:
        await connection.execute(
            delete(table).where(and_(*(column == part for column, part in zip(columns, key, strict=True))))
        )


async def _upsert_rows(connection: AsyncConnection, table: Table, rows: Rows) -> None:
    names = [column.name for column in table.primary_key.columns]
    await connection.execute(
        _upsert_into(connection.dialect.name, table),
        [dict(zip(names, key, strict=True)) | row for key, row in rows[table.name].items()],
    )


@cache
def _upsert_into(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    insert = insert_for(dialect, table)
    values = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=values)


async def _forget(connection: AsyncConnection, delegation_id: str, *, with_journal: bool) -> None:
    for table in READ_TABLES:
        column = table.c.id if table is delegations else table.c.delegation_id
        await connection.execute(delete(table).where(column == delegation_id))
    if with_journal:
        await connection.execute(delete(journal).where(journal.c.delegation_id == delegation_id))
