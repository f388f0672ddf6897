"""What waits where: the files on each desk, the most urgent first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, false, func, literal, or_, select

from domain.desk import Seat, Substitute
from domain.institution import subtree
from storage.cursors import BadCursor, beyond, read_cursor, write_cursor
from storage.engine import Database
from storage.institution import read_organisations
from storage.leaves import leaves
from storage.metadata import Instant
from storage.queries import LARGEST_PAGE
from storage.read_model import SUBSTITUTES, delegations, desk_rows
from storage.tenures import read_tenures, tenures

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class DeskFilters:
    """Which desks: everything that is set must hold. `positions`, `seats` and `account` are alternatives of each other.

    `account` takes what is that account's own move, `coordinator` the files that it coordinates, `signing` those that
    lie with a position: somebody has to sign. `within` are the organisations whose files are asked for; None for all.
    """

    positions: tuple[str, ...] = ()
    account: str | None = None
    delegation: str | None = None
    missed: bool | None = None
    within: frozenset[str] | None = None
    coordinator: str | None = None
    signing: bool = False
    seats: tuple[Seat, ...] = ()


@dataclass(frozen=True)
class DeskLine:
    """A file on a desk. Instants in UTC, `due_on` in the file's zone; `position` or `account` says whose desk it is."""

    delegation_id: str
    title: str
    phase: str
    direction: str
    organisation: str
    coordinator: str
    what: str
    position: str | None
    account: str | None
    title_vi: str | None
    title_en: str | None
    since: datetime
    due_on: date | None
    due_at: datetime | None
    missed: bool
    substitutes: tuple[Substitute, ...]


@dataclass(frozen=True)
class DeskPage:
    """One page, and the cursor of the next one if there may be one."""

    items: tuple[DeskLine, ...]
    next_cursor: str | None


COLUMNS = tuple(
    delegations.c[name] if name in ("title", "phase", "direction", "organisation", "coordinator") else desk_rows.c[name]
    for name in DeskLine.__dataclass_fields__
)
URGENCY = func.coalesce(desk_rows.c.due_at, literal(NEVER, Instant))
"""What has no due date comes last."""
ORDER = (URGENCY, desk_rows.c.delegation_id, desk_rows.c.what, desk_rows.c.whose)


class Desks:
    """Reading the desks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lines(
        self, filters: DeskFilters | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> DeskPage:
        """Return a page of at most `limit` (1 to 200) lines, what is due first at the top.

        The cursor names the last line seen, so lines that come or go meanwhile shift nothing. Raises BadCursor.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} lines")
        wanted = _joined(*COLUMNS).where(*_conditions(filters or DeskFilters()))
        if cursor is not None:
            wanted = wanted.where(beyond(ORDER, _read_cursor(cursor)))
        wanted = wanted.order_by(*ORDER).limit(limit + 1)
        async with self._database.reading() as connection:
            found = [_line(row) for row in await connection.execute(wanted)]
        shown = found[:limit]
        return DeskPage(tuple(shown), _write_cursor(shown[-1]) if len(found) > limit else None)

    async def of(self, files: Collection[str]) -> dict[str, list[DeskLine]]:
        """Return the desks that each of some files lies on, by the file's id; of one that waits on nobody, nothing."""
        wanted = _joined(*COLUMNS).where(desk_rows.c.delegation_id.in_(sorted(files))).order_by(*ORDER)
        found: dict[str, list[DeskLine]] = {}
        async with self._database.reading() as connection:
            for row in await connection.execute(wanted):
                found.setdefault(row.delegation_id, []).append(_line(row))
        return found

    async def waiting(self, filters: DeskFilters | None = None) -> list[DeskLine]:
        """Return every line, what is due first at the top: as many as there are files at work, to be counted."""
        wanted = _joined(*COLUMNS).where(*_conditions(filters or DeskFilters())).order_by(*ORDER)
        async with self._database.reading() as connection:
            return [_line(row) for row in await connection.execute(wanted)]

    async def mark(self, within: frozenset[str] | None) -> str:
        """Return a mark that is another one once any file that lies on a desk changed, or left its last one."""
        files = select(desk_rows.c.delegation_id).distinct()
        wanted = select(func.count(), func.coalesce(func.sum(delegations.c.seq), 0)).where(
            delegations.c.id.in_(files), *([] if within is None else [delegations.c.organisation.in_(sorted(within))])
        )
        async with self._database.reading() as connection:
            return ".".join(str(number) for number in (await connection.execute(wanted)).one())

    async def touched_by(self, account: str, leave: str, now: datetime) -> list[str]:
        """Return the files that a leave may concern, by id.

        Those on the desk of a position that the account holds, held or will hold, as far as its organisation reaches
        at an instant, and those that know the leave.
        """
        knows = desk_rows.c.substitutes.contains(leave, autoescape=True)
        return await self._files(now, tenures.c.account == account, knows)

    async def touched_since(self, since: datetime, now: datetime) -> list[str]:
        """Return the files that any leave may concern that is in force, to come, or was over only after an instant.

        By id: as `touched_by`, for each such leave, and every file that knows one.
        """
        away = select(leaves.c.account).where(leaves.c.replaced_at.is_(None), leaves.c.until > since)
        return await self._files(now, tenures.c.account.in_(away), desk_rows.c.substitutes.is_not(None))

    async def _files(self, now: datetime, whose: ColumnElement[bool], others: ColumnElement[bool]) -> list[str]:
        async with self._database.reading() as connection:
            held = {(one.position, one.organisation) for one in await read_tenures(connection, whose)}
            known = await read_organisations(connection, now)
            seats = [Seat(position, subtree(known, at, now) if at else None) for position, at in held]
            wanted = _joined(desk_rows.c.delegation_id).where(or_(*at_seats(seats), others)).distinct()
            return list((await connection.execute(wanted.order_by(desk_rows.c.delegation_id))).scalars())


def _line(row: Row[Any]) -> DeskLine:
    substitutes = SUBSTITUTES.validate_json(row.substitutes) if row.substitutes else ()
    return DeskLine(**row._asdict() | {"substitutes": substitutes})


def _joined(*columns: Any) -> Any:
    return select(*columns).join_from(desk_rows, delegations, delegations.c.id == desk_rows.c.delegation_id)


def at_seats(seats: Collection[Seat]) -> list[ColumnElement[bool]]:
    """Return, for each seat, the condition that a desk (joined with its delegation) is that of it."""
    return [
        desk_rows.c.position == one.position
        if one.files_of is None
        else and_(desk_rows.c.position == one.position, delegations.c.organisation.in_(sorted(one.files_of)))
        for one in seats
    ]


def _conditions(filters: DeskFilters) -> list[ColumnElement[bool]]:
    asked = (*filters.positions, filters.account or "", filters.delegation or "", filters.coordinator or "")
    if any("\x00" in text for text in asked):
        return [false()]
    conditions: list[ColumnElement[bool]] = []
    whose: list[ColumnElement[bool]] = []
    if filters.positions:
        whose.append(desk_rows.c.position.in_(filters.positions))
    whose += at_seats(filters.seats)
    if filters.account is not None:
        whose.append(desk_rows.c.account == filters.account)
    if whose:
        conditions.append(or_(*whose))
    if filters.delegation is not None:
        conditions.append(desk_rows.c.delegation_id == filters.delegation)
    if filters.within is not None:
        conditions.append(delegations.c.organisation.in_(sorted(filters.within)))
    if filters.missed is not None:
        conditions.append(desk_rows.c.missed == filters.missed)
    if filters.coordinator is not None:
        conditions.append(delegations.c.coordinator == filters.coordinator)
    if filters.signing:
        conditions.append(desk_rows.c.position.is_not(None))
    return conditions


def _write_cursor(line: DeskLine) -> str:
    due_at = (line.due_at or NEVER).isoformat()
    return write_cursor(due_at, line.delegation_id, line.what, line.position or line.account or "")


def _read_cursor(cursor: str) -> tuple[datetime, str, str, str]:
    due_at, *names = read_cursor(cursor, str, str, str, str)
    delegation, what, whose = names
    try:
        return datetime.fromisoformat(due_at).astimezone(UTC), delegation, what, whose
    except (ValueError, OverflowError):
        raise BadCursor from None
