"""What somebody's day begins with: their open files by phase, what is due, who answered, and whether any of it changed.

A fixed number of statements, however many files there are.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.desk import Seat
from domain.events import ReplyRecorded
from domain.seal import SealedEvent
from domain.upcast import read_event
from domain.values import write_instant
from storage.dead_letters import LISTED
from storage.desks import at_seats
from storage.engine import Database
from storage.journal import journal
from storage.mail_rows import mail_ledger
from storage.queries import OPEN_PHASES
from storage.read_model import deadlines, delegations, desk_rows, participants, programme_items
from storage.received_mail import received_mail

OPEN = delegations.c.phase.in_(OPEN_PHASES)
"""Of files that lie on somebody's desk."""

PER_FILE = 1_000_003
"""What a file counts for beside its events, so that one that comes and one that goes are seen with one sum."""

MOST_REPLIES = 200


@dataclass(frozen=True)
class Scope:
    """Whose files: those that an account coordinates, of some organisations; what is not said does not matter."""

    coordinator: str | None = None
    within: frozenset[str] | None = None


@dataclass(frozen=True)
class OpenFile:
    """A line of an open file. Days are in the file's zone; `files` counts those of its phase."""

    id: str
    title: str
    direction: str
    phase: str
    starts: date
    ends: date
    overdue: bool
    next_due_on: date | None
    next_due_what: str | None
    rule: str | None
    rule_version: int | None
    files: int


@dataclass(frozen=True)
class DueOfFile:
    """A due date of an open file; `due_on` is a day in the file's zone, `status` is `open` or `missed`."""

    delegation_id: str
    title: str
    what: str
    due_on: date
    status: str
    rule: str
    rule_version: int


@dataclass(frozen=True)
class Answered:
    """An answer as the trail has it, at an instant of the file's clock. `item` is what it is about, None for all."""

    delegation_id: str
    title: str
    participant: str
    person: str | None
    answer: str
    item: str | None
    at: datetime


class Today:
    """Reading what a day begins with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def files(self, scope: Scope, *, each: int) -> list[OpenFile]:
        """Return the open files, at most `each` of a phase, those that begin first; each knows how many there are."""
        table = delegations.c
        place = func.row_number().over(partition_by=table.phase, order_by=(table.starts, table.id))
        names = ("id", "title", "direction", "phase", "starts", "ends", "overdue", "next_due_on", "next_due_what")
        numbered = (
            select(
                *(table[name] for name in names),
                func.count().over(partition_by=table.phase).label("files"),
                place.label("place"),
            )
            .where(OPEN, *_of(scope))
            .subquery()
        )
        due = and_(deadlines.c.delegation_id == numbered.c.id, deadlines.c.what == numbered.c.next_due_what)
        wanted: Select[Any] = (
            select(*(numbered.c[name] for name in names), deadlines.c.rule, deadlines.c.rule_version, numbered.c.files)
            .join_from(numbered, deadlines, due, isouter=True)
            .where(numbered.c.place <= each)
            .order_by(numbered.c.starts, numbered.c.id)
        )
        async with self._database.reading() as connection:
            return [OpenFile(*row) for row in await connection.execute(wanted)]

    async def due(self, scope: Scope, *, until: date, limit: int) -> list[DueOfFile]:
        """Return what is due up to and including a day and what was missed and is still to be done, earliest first."""
        # Not the column itself: its index would lead through the due dates of all files that are over.
        still = func.coalesce(deadlines.c.status, "")
        wanted = (
            select(
                deadlines.c.delegation_id,
                delegations.c.title,
                *(deadlines.c[name] for name in ("what", "due_on", "status", "rule", "rule_version")),
            )
            .join_from(deadlines, delegations, delegations.c.id == deadlines.c.delegation_id)
            .where(still.in_(("open", "missed")), deadlines.c.due_on <= until, OPEN, *_of(scope))
            .order_by(deadlines.c.due_at, deadlines.c.delegation_id, deadlines.c.what)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [DueOfFile(*row) for row in await connection.execute(wanted)]

    async def replies(self, scope: Scope, *, since: datetime) -> list[Answered]:
        """Return the answers that came since an instant, the newest first; at most `MOST_REPLIES`.

        The clocks of files are asked, so a file whose clock is behind an earlier event of its own may be passed over.
        """
        # Only a file that changed since can have an answer since: the journal is never gone through as a whole.
        changed = select(delegations.c.id, delegations.c.title).where(delegations.c.updated_at >= since, *_of(scope))
        async with self._database.reading() as connection:
            titles = {row.id: row.title for row in await connection.execute(changed)}
            wanted = (
                _of_files(journal, titles)
                .where(journal.c.type == "ReplyRecorded", journal.c.at >= write_instant(since))
                .order_by(journal.c.at.desc(), journal.c.delegation_id, journal.c.seq.desc())
                .limit(MOST_REPLIES)
            )
            rows = (await connection.execute(wanted)).all()
            events = [(row, sealed, read_event(sealed)) for row, sealed in ((row, _sealed(row)) for row in rows)]
            said = [(row, sealed, event) for row, sealed, event in events if isinstance(event, ReplyRecorded)]
            files = sorted({row.delegation_id for row, *_ in said})
            people = await _people(connection, files)
            items = {
                (row.delegation_id, row.item_id): row.title
                for row in await connection.execute(_of_files(programme_items, files))
            }
        return [
            Answered(
                row.delegation_id,
                titles[row.delegation_id],
                event.participant_id,
                people.get((row.delegation_id, event.participant_id)),
                event.answer,
                items.get((row.delegation_id, event.item_id), event.item_id) if event.item_id else None,
                sealed.instant,
            )
            for row, sealed, event in said
        ]

    async def people_of(self, files: Collection[str]) -> dict[tuple[str, str], str]:
        """Return who participants of some files are, by file and participant: references in the register of people."""
        async with self._database.reading() as connection:
            return await _people(connection, files)

    async def to_be_looked_at(self, scope: Scope) -> int:
        """Return how many received mails wait for a person, as far as the reader may see them."""
        wanted = select(func.count()).select_from(received_mail).where(received_mail.c.outcome == "review")
        if conditions := _of(scope):
            theirs = received_mail.c.delegation_id.in_(select(delegations.c.id).where(*conditions))
            # What no file is known of is everybody's whose reach has no end.
            wanted = wanted.where(
                or_(theirs, received_mail.c.delegation_id.is_(None)) if scope.within is None else theirs
            )
        async with self._database.reading() as connection:
            found: int = (await connection.execute(wanted)).scalar_one()
        return found

    async def mark(self, scope: Scope | None, *, account: str, seats: Collection[Seat]) -> str:
        """Return a mark that is another one once anything changed that Today or the inbox of somebody shows.

        One statement. A change that they do not show may change it too. Without a scope there is the inbox alone.
        """
        mine = or_(desk_rows.c.account == account, *at_seats(seats))
        desks = desk_rows.join(delegations, delegations.c.id == desk_rows.c.delegation_id)
        wanted = select(
            *(
                one.scalar_subquery()
                for one in (
                    *(() if scope is None else (_sum(delegations, OPEN, *_of(scope)),)),
                    _sum(desks, mine),
                    select(func.count()).select_from(mail_ledger).where(LISTED),
                    select(func.count()).select_from(received_mail).where(received_mail.c.outcome == "review"),
                )
            )
        )
        async with self._database.reading() as connection:
            return ".".join(str(number) for number in (await connection.execute(wanted)).one())


def _of(scope: Scope) -> list[ColumnElement[bool]]:
    found = []
    if scope.coordinator is not None:
        found.append(delegations.c.coordinator == scope.coordinator)
    if scope.within is not None:
        found.append(delegations.c.organisation.in_(sorted(scope.within)))
    return found


def _sealed(row: Row[Any]) -> SealedEvent:
    fields = {name: row._mapping[name] for name in SealedEvent.model_fields}
    return SealedEvent.model_validate(fields | {"data": json.loads(row.data)})


async def _people(connection: AsyncConnection, files: Collection[str]) -> dict[tuple[str, str], str]:
    rows = await connection.execute(_of_files(participants, files))
    return {(row.delegation_id, row.participant_id): row.person for row in rows}


def _of_files(table: Any, files: Collection[str]) -> Select[Any]:
    return select(table).where(table.c.delegation_id.in_(sorted(files)))


def _sum(table: Any, *which: ColumnElement[bool]) -> Select[Any]:
    """Files and their events in one number, which every event of one of them makes larger."""
    return select(func.coalesce(func.sum(delegations.c.seq + PER_FILE), 0)).select_from(table).where(*which)
