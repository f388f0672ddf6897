"""Canonical dumps of the read tables, to tell whether they are, byte for byte, what a fold of the events gives."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Table, select, type_coerce
from sqlalchemy.types import NullType

from domain.canonical import canonical_json
from domain.seal import SealedEvent
from domain.values import write_instant
from storage.engine import Database
from storage.read_model import READ_TABLES, Rows, delegations, row_of_delegation, rows_of_events, rows_of_state
from storage.versions import walk


async def dump_read_tables(
    database: Database, delegation_id: str | None = None, *, tables: Sequence[Table] = READ_TABLES
) -> bytes:
    """Return every row of the read tables (of one delegation, or of all) as lines of canonical JSON, in a fixed order.

    All tables are read in one transaction. On PostgreSQL that is one snapshot only at REPEATABLE READ, which is used.
    """
    async with database.snapshot() as connection:
        lines: list[bytes] = []
        for table in tables:
            column = table.c.id if table is delegations else table.c.delegation_id
            wanted = select(*_as_kept(table, on_sqlite=database.on_sqlite)).order_by(*table.primary_key.columns)
            if delegation_id is not None:
                wanted = wanted.where(column == delegation_id)
            lines += [_line(table.name, _read(table, row._asdict())) for row in await connection.execute(wanted)]
    return b"".join(lines)


async def listed_in_read_tables(database: Database) -> dict[str, str]:
    """Return every delegation that has a row in some read table, with the name of the first such table."""
    found: dict[str, str] = {}
    async with database.snapshot() as connection:
        for table in READ_TABLES:
            column = table.c.id if table is delegations else table.c.delegation_id
            for name in (await connection.execute(select(column).distinct())).scalars():
                found.setdefault(name, table.name)
    return found


async def unreadable_table(database: Database, delegation_id: str) -> str | None:
    """Return the first read table with a row of this delegation that no dump can be made of."""
    for table in READ_TABLES:
        try:
            await dump_read_tables(database, delegation_id, tables=[table])
        except (ValueError, TypeError):
            return table.name
    return None


def seq_of(dump: bytes) -> int:
    """Return the event up to which a delegation's read tables stand in its dump; 0 when they do not list it."""
    first = json.loads(dump.partition(b"\n")[0] or b"{}")
    seq = first.get("seq") if first.get("table") == delegations.name else None
    return seq if isinstance(seq, int) else 0


def dump_of_fold(histories: Mapping[str, Sequence[SealedEvent]]) -> bytes:
    """Return what `dump_read_tables` must return when these are the events of every delegation (or of one)."""
    rows: Rows = {}
    for delegation_id, events in histories.items():
        state, dated = walk(delegation_id, None, events)
        if state is not None:
            parts = (
                dated,
                rows_of_state(state),
                rows_of_events(delegation_id, events),
                row_of_delegation(state, events[-1]),
            )
            for part in parts:
                for table, content in part.items():
                    rows.setdefault(table, {}).update(content)
    return b"".join(_lines(rows))


def _lines(rows: Rows) -> Iterator[bytes]:
    for table in READ_TABLES:
        names = [column.name for column in table.primary_key.columns]
        for key, row in _ordered(rows.get(table.name, {}).items()):
            yield _line(table.name, dict(zip(names, key, strict=True)) | row)


def _ordered(rows: Iterable[tuple[tuple[Any, ...], dict[str, Any]]]) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    return sorted(rows, key=lambda entry: tuple(_sortable(part) for part in entry[0]))


def _sortable(part: Any) -> Any:
    return part.encode() if isinstance(part, str) else part


def _as_kept(table: Table, *, on_sqlite: bool) -> list[ColumnElement[Any]]:
    """The columns of a table; of SQLite as they are kept, so that another spelling of the same value is another."""
    return [type_coerce(column, NullType()).label(column.name) if on_sqlite else column for column in table.columns]


def _read(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row, with truth values in the place of the 0 and 1 that SQLite keeps."""
    flags = [column.name for column in table.columns if isinstance(column.type, Boolean) and row[column.name] in (0, 1)]
    return row | {name: bool(row[name]) for name in flags}


def _line(table: str, row: Mapping[str, Any]) -> bytes:
    return canonical_json({"table": table} | {name: _plain(value) for name, value in row.items()}) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return write_instant(value)
    return value.isoformat() if isinstance(value, date) else value
