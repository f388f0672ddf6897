"""Lists of delegations: filters, orders and stable pages, of today's lines and of those that stood at an instant."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, false, func, literal, or_, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.types import Date

from domain.folding import folded
from storage.cursors import BadCursor, beyond, read_cursor, write_cursor
from storage.read_model import deadlines, delegations, participants
from storage.search_text import sort_key
from storage.versions import versions

SortKey = Literal["starts", "updated", "next_due", "title"]

Columns = ReadOnlyColumnCollection[str, Any]

LARGEST_PAGE = 200


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
    """A line of the list. Dates are in the file's zone, instants in UTC (business time).

    `seq` and `updated_at` are of the last event; in a list as of an instant, of the last that changed the line.
    """

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
class _Order:
    """How a list is sorted: a key that is never NULL, then the id."""

    key: ColumnElement[Any]
    read: Any
    write: Any


def _order(sort: SortKey, table: Columns, *, descending: bool) -> _Order:
    match sort:
        case "starts":
            return _Order(table.starts, date.fromisoformat, date.isoformat)
        case "updated":
            return _Order(table.updated_at, _instant, datetime.isoformat)
        case "title":
            return _Order(table.title_folded, str, str)
        case "next_due":
            # What has no due date comes last, whichever way the list runs.
            none = date.min if descending else date.max
            key = func.coalesce(table.next_due_on, literal(none, Date))
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


def page_of(
    filters: Filters,
    sort: SortKey,
    *,
    descending: bool = False,
    limit: int = 50,
    cursor: str | None = None,
    as_of: datetime | None = None,
) -> Select[Any]:
    """Return the query of a page of at most `limit` (1 to 200) delegations, and one line more if there are more.

    With `as_of`, an instant, the lines are those that stood then, and files opened later are missing. What stood is
    what the longest prefix of a file's events gives whose last event is at or before the instant: by number, since
    clocks may go back. The cursor names the last line seen, so lines that come or go meanwhile shift nothing: no line
    is repeated or skipped unless its own key changed. Raises BadCursor, and ValueError for another limit.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise ValueError(f"a page has 1 to {LARGEST_PAGE} lines")
    table: Columns = delegations.c if as_of is None else versions.c
    own_id = table.id if as_of is None else table.delegation_id
    special: dict[str, ColumnElement[Any]] = {"id": own_id.label("id")}
    if as_of is None:
        special["next_due_rule"] = NEXT_DUE_RULE
    named = (special[name] if name in special else table[name] for name in Listed.__dataclass_fields__)
    wanted = select(*named).where(*_conditions(filters, table))
    if as_of is not None:
        wanted = wanted.select_from(delegations.join(versions, versions.c.delegation_id == delegations.c.id)).where(
            versions.c.seq == _standing_at(as_of)
        )
    order = _order(sort, table, descending=descending)
    columns = (order.key, own_id)
    if cursor is not None:
        seen = _read_cursor(cursor, sort, descending, order)
        wanted = wanted.where(beyond(columns, seen, descending=descending))
    return wanted.order_by(*(column.desc() if descending else column.asc() for column in columns)).limit(limit + 1)


def _standing_at(instant: datetime) -> ColumnElement[int]:
    earlier = versions.alias("earlier")
    return (
        select(earlier.c.seq)
        .where(earlier.c.delegation_id == delegations.c.id, earlier.c.since <= instant)
        .order_by(earlier.c.since.desc(), earlier.c.seq.desc())
        .limit(1)
        .correlate(delegations)
        .scalar_subquery()
    )


def page(found: Sequence[Row[Any]], sort: SortKey, *, descending: bool, limit: int) -> Page:
    """Return the page that a query's rows are, with the cursor of the next."""
    more, rows = len(found) > limit, found[:limit]
    return Page(
        items=tuple(listed(row) for row in rows),
        next_cursor=_write_cursor(rows[-1], sort, descending) if more else None,
    )


def count_of(filters: Filters) -> Select[Any]:
    """Return the query of how many delegations there are."""
    return select(func.count()).select_from(delegations).where(*_conditions(filters, delegations.c))


def _conditions(filters: Filters, table: Columns) -> list[ColumnElement[bool]]:
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


def visits_of(names: Collection[str], people: Collection[str], within: frozenset[str] | None) -> Select[Any]:
    """Return the query of delegations with one of these people, or with one of these folded names in what they say.

    The latest first. `is_on` says that one of the people is on the file.
    """
    with_people = select(participants.c.delegation_id).where(participants.c.person.in_(sorted(people)))
    is_on = delegations.c.id.in_(with_people)
    named = [delegations.c.search_text.contains(name, autoescape=True) for name in sorted(names) if name]
    special = {"next_due_rule": NEXT_DUE_RULE}
    columns = (special[name] if name in special else delegations.c[name] for name in Listed.__dataclass_fields__)
    wanted = select(*columns, is_on.label("is_on")).where(or_(is_on, *named))
    if within is not None:
        wanted = wanted.where(delegations.c.organisation.in_(sorted(within)))
    return wanted.order_by(delegations.c.starts.desc(), delegations.c.id)


def listed(row: Row[Any]) -> Listed:
    """Return the line of a list that a row is."""
    known = {name: row._mapping[name] for name in Listed.__dataclass_fields__}
    return Listed(**known | {"countries": tuple(row.countries.split())})


COLUMN_OF = {"starts": "starts", "updated": "updated_at", "next_due": "next_due_on", "title": "title"}


def _write_cursor(row: Row[Any], sort: SortKey, descending: bool) -> str:
    value = row._mapping[COLUMN_OF[sort]]
    write = _order(sort, delegations.c, descending=descending).write
    return write_cursor(sort, descending, sort_key(value) if sort == "title" else write(value), row.id)


def _read_cursor(cursor: str, sort: SortKey, descending: bool, order: _Order) -> tuple[Any, str]:
    of_sort, of_direction, value, last_id = read_cursor(cursor, str, bool, str, str)
    if (of_sort, of_direction) != (sort, descending):
        raise BadCursor
    try:
        return order.read(value), last_id
    except (ValueError, TypeError, OverflowError):
        raise BadCursor from None
