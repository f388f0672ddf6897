"""Sealed chains as their rows stand, for verification: nothing is believed, and nothing raises because of its content.

A stream is a delegation (its id; rows of the journal) or a register (`register:<name>`; rows of the register log).
"""

import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, Table, event, select

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
        return [*sorted(files, key=str.encode), *(f"{REGISTER}{one}" for one in sorted(registers, key=str.encode))]

    async def entries(self, stream: str, *, after: int = 0) -> AsyncIterator[list[Stored]]:
        """Yield a stream's entries in order, a batch in memory at a time."""
        table, mine = _place(stream)
        rename = {"change": "type", "entry": "command_id"} if table is register_log else {}
        while batch := await self._rows(_after(select(table), table, mine, after).limit(BATCH)):
            yield [
                (row["seq"], _event({rename.get(name, name): value for name, value in row.items()})) for row in batch
            ]
            after = batch[-1]["seq"]

    async def hashes(self, stream: str, first: int, last: int) -> AsyncIterator[list[tuple[int, str]]]:
        """Yield number and stored hash of entries `first` to `last`, as far as there are such, in order."""
        table, mine = _place(stream)
        after = first - 1
        wanted = select(table.c.seq, table.c.hash)
        while batch := await self._rows(
            _after(wanted, table, mine, after).where(table.c.seq <= last).limit(BATCH * 10)
        ):
            yield [(row["seq"], row["hash"]) for row in batch]
            after = batch[-1]["seq"]

    async def length(self, stream: str) -> int:
        """Return the number of a stream's last entry; 0 when it has none."""
        table, mine = _place(stream)
        rows = await self._rows(select(table.c.seq).where(mine).order_by(table.c.seq.desc()).limit(1))
        return int(rows[0]["seq"]) if rows else 0

    async def _rows(self, wanted: Select[Any]) -> list[dict[str, Any]]:
        async with self._database.reading() as connection:
            return [dict(row) for row in (await connection.execute(wanted)).mappings()]


def _place(stream: str) -> tuple[Table, ColumnElement[bool]]:
    if stream.startswith(REGISTER):
        return register_log, register_log.c.register == stream.removeprefix(REGISTER)
    return journal, journal.c.delegation_id == stream


def _after(wanted: Select[Any], table: Table, mine: ColumnElement[bool], after: int) -> Select[Any]:
    return wanted.where(mine, table.c.seq > after).order_by(table.c.seq)


def _event(row: dict[str, Any]) -> SealedEvent | None:
    try:
        data = json.loads(row["data"])
        event = SealedEvent.model_validate(row | {"data": data}, strict=True)
        # Another spelling of the same JSON has the same hash, but nobody of ours wrote it.
        return event if canonical_json(data).decode() == row["data"] else None
    except (ValidationError, ValueError, TypeError, RecursionError):
        return None
