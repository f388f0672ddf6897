"""What coordinators look for: lists with filters and pages, one file, its events."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Row, select

from domain.desk import IDLE_PHASES
from domain.folding import folded
from domain.seal import Head, SealedEvent
from domain.state import Delegation, Phase
from storage.cursors import BadCursor, beyond, read_cursor, write_cursor
from storage.engine import Database
from storage.journal import EventLine, Wanted, journal, read, read_lines, read_numbers
from storage.lists import LARGEST_PAGE, Filters, Listed, Page, SortKey, count_of, listed, page, page_of, visits_of
from storage.read_model import ceilings, deadlines, delegations, participants

__all__ = ["LARGEST_PAGE", "EventLine", "Filters", "Listed", "Page", "Queries", "SortKey", "Wanted"]

POLL = 0.01
LONGEST_POLL = 0.1

OPEN_PHASES = tuple(str(phase) for phase in Phase if phase not in IDLE_PHASES)
"""Named one by one, since most files are over and an index leads to the rest."""


@dataclass(frozen=True)
class File:
    """A whole delegation as it stands after event `head.seq`."""

    state: Delegation
    head: Head
    updated_at: datetime


@dataclass(frozen=True)
class NamedBy:
    """That an open file names somebody, by the reference in the register of people, and as what."""

    person: str
    delegation_id: str
    title: str
    role: str


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
        as_of: datetime | None = None,
    ) -> Page:
        """Return a page of the list, now or as it was at an instant (`storage/lists.py`)."""
        wanted = page_of(filters or Filters(), sort, descending=descending, limit=limit, cursor=cursor, as_of=as_of)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return page(rows, sort, descending=descending, limit=limit)

    async def count(self, filters: Filters | None = None) -> int:
        """Return how many delegations there are."""
        async with self._database.reading() as connection:
            count: int = (await connection.execute(count_of(filters or Filters()))).scalar_one()
        return count

    async def visits(
        self,
        partners: Collection[str],
        people: Collection[str],
        *,
        within: frozenset[str] | None,
        most: int,
        meant: Callable[[str, tuple[str, ...]], bool] | None = None,
    ) -> tuple[Listed, ...]:
        """Return the delegations whose partner goes by one of these names, or on whose file one of these people is.

        People are references of the register; diacritics and case of names do not matter. The latest journey first, at
        most `most`; `within` are the organisations whose files the reader may see. `meant` says of a folded name and a
        journey's countries whether a file with them is one of those that were asked for.
        """
        names = {folded(name) for name in partners}
        wanted = visits_of(names, people, within).limit(LARGEST_PAGE)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()

        def asked_for(row: Row[Any]) -> bool:
            name = folded(row.partner)
            return row.is_on or (name in names and (meant is None or meant(name, tuple(row.countries.split()))))

        return tuple(listed(row) for row in rows if asked_for(row))[:most]

    async def get(self, delegation_id: str) -> File | None:
        """Return one delegation."""
        found = await self.of([delegation_id])
        return found[0] if found else None

    async def of(self, delegation_ids: Sequence[str]) -> list[File]:
        """Return the delegations of these ids that there are, by id."""
        wanted = select(delegations).where(delegations.c.id.in_(delegation_ids)).order_by(delegations.c.id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [
            File(
                state=Delegation.model_validate_json(row.state),
                head=Head(seq=row.seq, hash=row.head_hash),
                updated_at=row.updated_at,
            )
            for row in rows
        ]

    async def events(
        self, delegation_id: str, *, after: int = 0, limit: int | None = None, types: Sequence[str] = ()
    ) -> list[SealedEvent]:
        """Return a delegation's sealed events in order, from the one after `after`: for the trail and the stream."""
        async with self._database.reading() as connection:
            return await read(connection, delegation_id, after=after, limit=limit, types=types)

    async def event_lines(self, delegation_id: str, types: Sequence[str] = ()) -> list[EventLine]:
        """Return a delegation's events of some types (else of all) in order, without what they say."""
        async with self._database.reading() as connection:
            return await read_lines(connection, delegation_id, Wanted(types=tuple(types)))

    async def event_numbers(
        self, delegation_id: str, wanted: Wanted, *, beyond: int = 0, newest: bool = False, limit: int
    ) -> list[int]:
        """Return the numbers of up to `limit` events of a delegation, those later than `beyond` in order.

        With `newest` those before it (0: before none), the last one first.
        """
        async with self._database.reading() as connection:
            return await read_numbers(connection, delegation_id, wanted, beyond=beyond, newest=newest, limit=limit)

    async def actors(self, delegation_id: str) -> frozenset[str]:
        """Return by whom a delegation's events are."""
        wanted = select(journal.c.actor).where(journal.c.delegation_id == delegation_id).distinct()
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(wanted)).scalars())

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

    async def people_on_open_files(self, *, within: frozenset[str] | None, most: int) -> list[NamedBy]:
        """Return at most `most` places of people on files that are not over, those of what changed last first."""
        wanted = (
            select(participants.c.person, participants.c.delegation_id, delegations.c.title, participants.c.role)
            .join_from(participants, delegations, delegations.c.id == participants.c.delegation_id)
            .where(
                participants.c.active,
                delegations.c.phase.in_([str(phase) for phase in Phase if phase not in IDLE_PHASES]),
            )
            .order_by(delegations.c.updated_at.desc(), participants.c.delegation_id, participants.c.participant_id)
            .limit(most)
        )
        if within is not None:
            wanted = wanted.where(delegations.c.organisation.in_(sorted(within)))
        async with self._database.reading() as connection:
            return [NamedBy(*row) for row in await connection.execute(wanted)]

    async def files_of_person(self, ref: str) -> list[str]:
        """Return the delegations on whose file a person of the register is or was."""
        wanted = select(participants.c.delegation_id).where(participants.c.person == ref).distinct()
        async with self._database.reading() as connection:
            return list((await connection.execute(wanted.order_by(participants.c.delegation_id))).scalars())


def _read_due(cursor: str) -> tuple[datetime, str, str]:
    due_at, delegation, what = read_cursor(cursor, str, str, str)
    try:
        return datetime.fromisoformat(due_at).astimezone(UTC), delegation, what
    except (ValueError, OverflowError):
        raise BadCursor from None
