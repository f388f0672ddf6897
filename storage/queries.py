"""What coordinators look for: lists with filters and pages, one file, its events."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, false, func, literal, select
from sqlalchemy.types import Date

from domain.folding import folded
from domain.seal import Head, SealedEvent
from domain.state import Delegation
from storage.cursors import BadCursor, beyond, read_cursor, write_cursor
from storage.engine import Database
from storage.journal import read
from storage.read_model import ceilings, deadlines, delegations, participants
from storage.search_text import sort_key

SortKey = Literal["starts", "updated", "next_due", "title"]

LARGEST_PAGE = 200
POLL = 0.01
LONGEST_POLL = 0.1


@dataclass(frozen=True)
class Filters:
    """Which delegations: everything that is set must hold. `q` looks in titles, partners and places without diacritics.

    `due_before` takes those with an open deadline due before that day, in the file's own zone. `within` are the
    organisations whose files the reader may see.
    """

    phases: tuple[str, ...] = ()
    direction: str | None = None
    coordinator: str | None = None
    organisation: str | None = None
    country: str | None = None
    year: int | None = None
    q: str | None = None
    due_before: date | None = None
    waits_for: tuple[str, ...] = ()
    overdue: bool | None = None
    within: frozenset[str] | None = None


@dataclass(frozen=True)
class Listed:
    """A line of the list. Dates are in the file's zone, instants in UTC (business time)."""

    id: str
    direction: str
    phase: str
    title: str
    organisation: str
    partner: str
    coordinator: str
    countries: tuple[str, ...]
    year: int
    starts: date
    ends: date
    head_count: int
    waits_for: str | None
    next_due_on: date | None
    next_due_what: str | None
    next_due_rule: str | None
    overdue: bool
    opened_at: datetime
    updated_at: datetime
    seq: int


@dataclass(frozen=True)
class Page:
    """One page, and the cursor of the next one if there may be one."""

    items: tuple[Listed, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class File:
    """A whole delegation as it stands after event `head.seq`."""

    state: Delegation
    head: Head
    updated_at: datetime


@dataclass(frozen=True)
class DueLine:
    """A deadline of some delegation."""

    delegation_id: str
    what: str
    due_on: date
    due_at: datetime
    status: str
    rule: str
    rule_version: int


@dataclass(frozen=True)
class DuePage:
    """One page, and the cursor of the next one if there may be one."""

    items: tuple[DueLine, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class CeilingLine:
    """A ceiling as it was set by event `seq`, in VND."""

    seq: int
    at: datetime
    total_vnd: int
    head_count: int
    days: int
    nights: int


@dataclass(frozen=True)
class _Order:
    """How a list is sorted: a key that is never NULL, then the id."""

    key: ColumnElement[Any]
    read: Any
    write: Any


def _order(sort: SortKey, *, descending: bool) -> _Order:
    match sort:
        case "starts":
            return _Order(delegations.c.starts, date.fromisoformat, date.isoformat)
        case "updated":
            return _Order(delegations.c.updated_at, _instant, datetime.isoformat)
        case "title":
            return _Order(delegations.c.title_folded, str, str)
        case "next_due":
            # What has no due date comes last, whichever way the list runs.
            none = date.min if descending else date.max
            key = func.coalesce(delegations.c.next_due_on, literal(none, Date))
            return _Order(key, date.fromisoformat, lambda due: (due or none).isoformat())


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


NEXT_DUE_RULE = (
    select(deadlines.c.rule)
    .where(deadlines.c.delegation_id == delegations.c.id, deadlines.c.what == delegations.c.next_due_what)
    .scalar_subquery()
    .label("next_due_rule")
)
"""The rule that the next due date of a line came from."""


class Queries:
    """Reading the read model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delegations(
        self,
        filters: Filters | None = None,
        *,
        sort: SortKey = "starts",
        descending: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Return a page of at most `limit` (1 to 200) delegations.

        The cursor names the last line seen, so lines that come or go meanwhile shift nothing: no line is repeated or
        skipped unless its own key changed. Raises BadCursor, and ValueError for another limit.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} lines")
        order = _order(sort, descending=descending)
        named = (
            (NEXT_DUE_RULE if name == "next_due_rule" else delegations.c[name]) for name in Listed.__dataclass_fields__
        )
        wanted, columns = select(*named).where(*_conditions(filters or Filters())), (order.key, delegations.c.id)
        if cursor is not None:
            seen = _read_cursor(cursor, sort, descending, order)
            wanted = wanted.where(beyond(columns, seen, descending=descending))
        wanted = wanted.order_by(*(column.desc() if descending else column.asc() for column in columns))
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.limit(limit + 1))).all()
        more, rows = len(rows) > limit, rows[:limit]
        return Page(
            items=tuple(_listed(row) for row in rows),
            next_cursor=_write_cursor(rows[-1], sort, descending, order) if more else None,
        )

    async def count(self, filters: Filters | None = None) -> int:
        """Return how many delegations there are."""
        wanted = select(func.count()).select_from(delegations).where(*_conditions(filters or Filters()))
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).scalar_one()

    async def get(self, delegation_id: str) -> File | None:
        """Return one delegation."""
        wanted = select(delegations).where(delegations.c.id == delegation_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            return None
        return File(
            state=Delegation.model_validate_json(row.state),
            head=Head(seq=row.seq, hash=row.head_hash),
            updated_at=row.updated_at,
        )

    async def events(
        self, delegation_id: str, *, after: int = 0, limit: int | None = None, types: Sequence[str] = ()
    ) -> list[SealedEvent]:
        """Return a delegation's sealed events in order, from the one after `after`: for the trail and the stream."""
        async with self._database.reading() as connection:
            return await read(connection, delegation_id, after=after, limit=limit, types=types)

    async def ids_in(self, phase: str) -> frozenset[str]:
        """Return the ids of all files in a phase."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(delegations.c.id).where(delegations.c.phase == phase))
            return frozenset(rows.scalars())

    async def organisation_of(self, delegation_id: str) -> str | None:
        """Return the organisation whose delegation it is, or None if there is no such file."""
        wanted = select(delegations.c.organisation).where(delegations.c.id == delegation_id)
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).scalar_one_or_none()

    async def organisations_of_person(self, ref: str) -> frozenset[str]:
        """Return the organisations on whose files somebody is or was, by the reference; none for a newcomer."""
        wanted = (
            select(delegations.c.organisation)
            .join_from(participants, delegations, participants.c.delegation_id == delegations.c.id)
            .where(participants.c.person == ref)
            .distinct()
        )
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(wanted)).scalars())

    async def seq(self, delegation_id: str) -> int:
        """Return the number of the last event the read tables have applied, 0 for an unknown delegation."""
        wanted = select(delegations.c.seq).where(delegations.c.id == delegation_id)
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).scalar_one_or_none() or 0

    async def wait_for_seq(self, delegation_id: str, seq: int, timeout: float = 1.0) -> bool:
        """Wait up to `timeout` seconds until the read tables have applied event `seq`; return whether they have.

        Another process may be the one that applies it, so the table itself is asked, at growing intervals.
        """
        pause, end = POLL, asyncio.get_running_loop().time() + timeout
        while await self.seq(delegation_id) < seq:
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_POLL)
        return True

    async def due(
        self,
        *,
        before: datetime | None = None,
        statuses: Sequence[str] = ("open",),
        limit: int = LARGEST_PAGE,
        cursor: str | None = None,
        within: frozenset[str] | None = None,
    ) -> DuePage:
        """Return a page of deadlines of all delegations, the earliest first, due before an instant if one is given.

        `within` are the organisations whose files the reader may see. Raises BadCursor.
        """
        order = (deadlines.c.due_at, deadlines.c.delegation_id, deadlines.c.what)
        wanted = (
            select(*(deadlines.c[name] for name in DueLine.__dataclass_fields__))
            .where(deadlines.c.status.in_(statuses))
            .order_by(*order)
            .limit(limit + 1)
        )
        if cursor is not None:
            wanted = wanted.where(beyond(order, _read_due(cursor)))
        if before is not None:
            wanted = wanted.where(deadlines.c.due_at < before)
        if within is not None:
            seen = select(delegations.c.id).where(delegations.c.organisation.in_(sorted(within)))
            wanted = wanted.where(deadlines.c.delegation_id.in_(seen))
        async with self._database.reading() as connection:
            found = [DueLine(*row) for row in await connection.execute(wanted)]
        lines, last = tuple(found[:limit]), found[limit - 1] if len(found) > limit else None
        return DuePage(lines, write_cursor(last.due_at.isoformat(), last.delegation_id, last.what) if last else None)

    async def deadlines_of(self, delegation_id: str) -> list[DueLine]:
        """Return a delegation's deadlines, the earliest first."""
        wanted = (
            select(*(deadlines.c[name] for name in DueLine.__dataclass_fields__))
            .where(deadlines.c.delegation_id == delegation_id)
            .order_by(deadlines.c.due_at, deadlines.c.what)
        )
        async with self._database.reading() as connection:
            return [DueLine(*row) for row in await connection.execute(wanted)]

    async def ceilings_of(self, delegation_id: str) -> list[CeilingLine]:
        """Return every ceiling a delegation has had, in order."""
        wanted = (
            select(*(ceilings.c[name] for name in CeilingLine.__dataclass_fields__))
            .where(ceilings.c.delegation_id == delegation_id)
            .order_by(ceilings.c.seq)
        )
        async with self._database.reading() as connection:
            return [CeilingLine(*row) for row in await connection.execute(wanted)]

    async def files_of_person(self, ref: str) -> list[str]:
        """Return the delegations on whose file a person of the register is or was."""
        wanted = select(participants.c.delegation_id).where(participants.c.person == ref).distinct()
        async with self._database.reading() as connection:
            return list((await connection.execute(wanted.order_by(participants.c.delegation_id))).scalars())


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    table = delegations.c
    conditions: list[ColumnElement[bool]] = []
    if _unanswerable(filters):
        return [false()]
    if filters.phases:
        conditions.append(table.phase.in_(filters.phases))
    if filters.waits_for:
        conditions.append(table.waits_for.in_(filters.waits_for))
    for column, value in (
        (table.direction, filters.direction),
        (table.coordinator, filters.coordinator),
        (table.organisation, filters.organisation),
        (table.year, filters.year),
        (table.overdue, filters.overdue),
    ):
        if value is not None:
            conditions.append(column == value)
    if filters.within is not None:
        conditions.append(table.organisation.in_(sorted(filters.within)))
    if filters.country is not None:
        conditions.append(table.countries.contains(f" {filters.country} ", autoescape=True))
    if filters.due_before is not None:
        conditions.append(table.next_due_on < filters.due_before)
    if filters.q is not None:
        conditions += [table.search_text.contains(word, autoescape=True) for word in folded(filters.q).split()]
    return conditions


def _unanswerable(filters: Filters) -> bool:
    """Whether no row can match, and the engines would not even take the question (NUL, a year beyond an integer)."""
    asked = (
        *filters.phases,
        *filters.waits_for,
        *(value for value in vars(filters).values() if isinstance(value, str)),
    )
    return any("\x00" in text for text in asked) or not (filters.year is None or 0 < filters.year < 10_000)


def _listed(row: Row[Any]) -> Listed:
    return Listed(**row._asdict() | {"countries": tuple(row.countries.split())})


COLUMN_OF = {"starts": "starts", "updated": "updated_at", "next_due": "next_due_on", "title": "title"}


def _write_cursor(row: Row[Any], sort: SortKey, descending: bool, order: _Order) -> str:
    value = row._mapping[COLUMN_OF[sort]]
    return write_cursor(sort, descending, sort_key(value) if sort == "title" else order.write(value), row.id)


def _read_cursor(cursor: str, sort: SortKey, descending: bool, order: _Order) -> tuple[Any, str]:
    of_sort, of_direction, value, last_id = read_cursor(cursor, str, bool, str, str)
    if (of_sort, of_direction) != (sort, descending):
        raise BadCursor
    try:
        return order.read(value), last_id
    except (ValueError, TypeError, OverflowError):
        raise BadCursor from None


def _read_due(cursor: str) -> tuple[datetime, str, str]:
    due_at, delegation, what = read_cursor(cursor, str, str, str)
    try:
        return datetime.fromisoformat(due_at).astimezone(UTC), delegation, what
    except (ValueError, OverflowError):
        raise BadCursor from None
