"""Canonical dumps of the read tables, to tell whether they are, byte for byte, what a fold of the events gives."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from domain.canonical import canonical_json
from domain.seal import SealedEvent
from domain.values import write_instant
from storage.engine import Database
from storage.read_model import READ_TABLES, Rows, delegations, row_of_delegation, rows_of_events, rows_of_state
from storage.versions import walk


async def dump_read_tables(database: Database, delegation_id: str | None = None) -> bytes:
    """Return every row of the read tables (of one delegation, or of all) as lines of canonical JSON, in a fixed order.

    All tables are read in one transaction. On PostgreSQL that is one snapshot only at REPEATABLE READ, which is used.
    """
    async with database.snapshot() as connection:
        lines: list[bytes] = []
        for table in READ_TABLES:
            column = table.c.id if table is delegations else table.c.delegation_id
            wanted = select(table).order_by(*table.primary_key.columns)
            if delegation_id is not None:
                wanted = wanted.where(column == delegation_id)
            lines += [_line(table.name, row._asdict()) for row in await connection.execute(wanted)]
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


def _line(table: str, row: Mapping[str, Any]) -> bytes:
    return canonical_json({"table": table} | {name: _plain(value) for name, value in row.items()}) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return write_instant(value)
    return value.isoformat() if isinstance(value, date) else value
