"""Sealed chains as their rows stand, for verification: nothing is believed, and nothing raises because of its content.

A stream is a delegation (its id; rows of the journal) or a register (`register:<name>`; rows of the register log).
"""

import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, Table, event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from domain.seal import SealedEvent
from storage.engine import Database
from storage.journal import journal
from storage.register_log import register_log

REGISTER = "register:"
BATCH = 500

Stored = tuple[int, SealedEvent | None]
"""An entry's number and what stands there; None where that cannot be read, or is not written as it was sealed."""


def read_any_text(database: Database) -> None:
    """Let what is no UTF-8 be read as text that has no canonical form, so that one bad byte is found and not met.

    For a database that was opened for verification; SQLite alone stores such text.
    """
    if not database.on_sqlite:
        return

    @event.listens_for(database.engine.sync_engine, "connect")
    def _tolerate(connection: Any, _record: object) -> None:
        connection.driver_connection.text_factory = lambda octets: octets.decode("utf-8", "surrogateescape")


class StoredChains:
    """Every stream of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def streams(self) -> list[str]:
        """Return the name of every stream that has an entry, delegations first, each kind in the order of its bytes."""
        async with self._database.reading() as connection:
            files = (await connection.execute(select(journal.c.delegation_id).distinct())).scalars().all()
            registers = (await connection.execute(select(register_log.c.register).distinct())).scalars().all()
        # What is no text is a stream that nobody can have: its name stands as Python writes it.
        names = [one if isinstance(one, str) else repr(one) for one in files]
        names += [f"{REGISTER}{one if isinstance(one, str) else repr(one)}" for one in registers]
        return sorted(names, key=lambda name: (name.startswith(REGISTER), name.encode("utf-8", "surrogateescape")))

    async def entries(
        self, stream: str, *, after: int | None = None, within: AsyncConnection | None = None
    ) -> AsyncIterator[list[Stored]]:
        """Yield a stream's entries in order, a batch in memory at a time: all, or those after a number.

        What has no number stands as an unreadable one behind the others. `within` is a transaction to read in.
        """
        table, mine = _place(stream)
        rename = {"change": "type", "entry": "command_id"} if table is register_log else {}
        wanted = select(table).where(mine).order_by(table.c.seq).limit(BATCH)
        more = True
        while more:
            rows = await self._rows(wanted if after is None else wanted.where(table.c.seq > after), within)
            numbered = [row for row in rows if isinstance(row["seq"], int)]
            found = [(row["seq"], _event({rename.get(name, name): row[name] for name in row})) for row in numbered]
            after = found[-1][0] if found else after
            more = len(numbered) == BATCH
            if len(numbered) < len(rows):
                found.append(((after or 0) + 1, None))
            if found:
                yield found

    async def hashes(self, stream: str, first: int, last: int) -> AsyncIterator[list[tuple[int, str]]]:
        """Yield number and stored hash of entries `first` to `last`, as far as there are such, in order."""
        table, mine = _place(stream)
        wanted = select(table.c.seq, table.c.hash).where(mine, table.c.seq <= last).order_by(table.c.seq)
        while first <= last:
            rows = await self._rows(wanted.where(table.c.seq >= first).limit(BATCH * 10))
            if not rows:
                return
            yield [(row["seq"], row["hash"] if isinstance(row["hash"], str) else "") for row in rows]
            first = rows[-1]["seq"] + 1

    async def _rows(self, wanted: Select[Any], within: AsyncConnection | None = None) -> list[dict[str, Any]]:
        if within is not None:
            return [dict(row) for row in (await within.execute(wanted)).mappings()]
        async with self._database.reading() as connection:
            return [dict(row) for row in (await connection.execute(wanted)).mappings()]


def _place(stream: str) -> tuple[Table, ColumnElement[bool]]:
    if stream.startswith(REGISTER):
        return register_log, register_log.c.register == stream.removeprefix(REGISTER)
    return journal, journal.c.delegation_id == stream


def _event(row: dict[str, Any]) -> SealedEvent | None:
    try:
        data = json.loads(row["data"])
        event = SealedEvent.model_validate(row | {"data": data}, strict=True)
        # Another spelling of the same JSON has the same hash, but nobody of ours wrote it.
        return event if canonical_json(data).decode() == row["data"] else None
    except (ValidationError, ValueError, TypeError, RecursionError):
        return None
