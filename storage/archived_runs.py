"""The register of archived runs: which closed run of which delegation stands where in the archive, under which digest.

Each row is sealed into the log of changes with the same content, so a row that was lost, changed or put in shows, and
so does a file that is not the one that was archived.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, ColumnElement, Integer, Row, Table, and_, func, or_, select
from sqlalchemy.orm import aliased

from domain.decision import SYSTEM
from domain.values import write_instant
from storage.cursors import BadCursor, read_cursor, write_cursor
from storage.engine import Database
from storage.metadata import Instant, Name, metadata
from storage.read_model import delegations
from storage.register_log import RegisterLog, record
from storage.upsert import insert_into

REGISTER: Literal["archive"] = "archive"
RUN_ARCHIVED = "run_archived"
ASKED_AT_ONCE = 500
"""Ids in one statement: below the limit of parameters of every engine."""

archived_runs = Table(
    "archived_runs",
    metadata,
    Column("run_id", Name, primary_key=True),
    Column("delegation_id", Name, nullable=False, index=True),
    Column("first_seq", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("prev_head", Name, nullable=False),
    Column("head", Name, nullable=False),
    Column("digest", Name, nullable=False),
    Column("content_digest", Name, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("location", Name, nullable=False),
    Column("following", Name),
    Column("closed_at", Instant, nullable=False),
    Column("archived_at", Instant, nullable=False),
)

archive_state = Table(
    "archive_state",
    metadata,
    Column("name", Name, primary_key=True),
    Column("waiting", Integer, nullable=False),
    Column("oldest_closed_at", Instant),
    Column("failure", Name),
    Column("looked_at", Instant, nullable=False),
)

THIS = "archive"
"""The name of the one row of `archive_state`."""


@dataclass(frozen=True)
class ArchivedRun:
    """A closed run in the archive. `prev_head` and `head` are the hashes of the trail before and after it.

    `digest` is SHA-256 of the `size` bytes at `location`, `content_digest` that of the history's JSON in them;
    `following` is the run that continued it. Instants are in UTC: `closed_at` the server's, `archived_at` wall time.
    """

    delegation: str
    run_id: str
    first_seq: int
    last_seq: int
    prev_head: str
    head: str
    digest: str
    content_digest: str
    size: int
    location: str
    following: str | None
    closed_at: datetime
    archived_at: datetime

    def sealed(self) -> dict[str, Any]:
        """Return what the log of changes has of it."""
        return asdict(self) | {
            "closed_at": write_instant(self.closed_at),
            "archived_at": write_instant(self.archived_at),
        }


@dataclass(frozen=True)
class Totals:
    """How many runs are archived, in how many bytes."""

    runs: int
    size: int


@dataclass(frozen=True)
class ArchivePage:
    """A page of archived runs, the last archived first, and the cursor of the next page if there may be one."""

    items: tuple[ArchivedRun, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class ArchiveDifference:
    """A run whose row is not what was sealed. `code`: row_missing, row_differs, row_unsealed."""

    code: Literal["row_missing", "row_differs", "row_unsealed"]
    delegation: str
    run_id: str


Alarm = Literal["archive_failing", "archive_overdue"]


@dataclass(frozen=True)
class ArchiveState:
    """What the last round of archiving found. `waiting` closed runs are not archived, the oldest since `oldest`.

    `failure` is why it could not archive (a code); at `looked_at`, wall time, it looked for all closed runs.
    """

    waiting: int
    oldest: datetime | None
    failure: str | None
    looked_at: datetime

    def waited(self, now: datetime) -> timedelta:
        """Return for how long a closed run may have waited by now: also one that no round has looked for yet."""
        since = self.looked_at if self.oldest is None else min(self.oldest, self.looked_at)
        return max(now - since, timedelta(0))

    def alarm(self, now: datetime, retention: timedelta) -> Alarm | None:
        """Return what people have to be told: that archiving fails, or that it is late by a quarter of retention."""
        if self.failure is not None:
            return "archive_failing"
        return "archive_overdue" if self.waited(now) > retention / 4 else None


class ArchivedRuns:
    """Knows what is archived."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enter(self, run: ArchivedRun) -> bool:
        """Enter a run whose file stands in the archive, and seal that; False if it is entered already."""
        values = asdict(run)
        values["delegation_id"] = values.pop("delegation")
        async with self._database.writing() as connection:
            entered = await connection.execute(
                insert_into(connection, archived_runs)
                .values(values)
                .on_conflict_do_nothing()
                .returning(archived_runs.c.run_id)
            )
            if entered.one_or_none() is None:
                return False
            await record(
                connection,
                REGISTER,
                RUN_ARCHIVED,
                run.run_id,
                by=SYSTEM,
                after=run.sealed(),
                at=run.archived_at,
            )
        return True

    async def of(self, delegation: str) -> list[ArchivedRun]:
        """Return a delegation's archived runs in the order of its trail."""
        wanted = (
            select(archived_runs)
            .where(archived_runs.c.delegation_id == delegation)
            .order_by(archived_runs.c.first_seq, archived_runs.c.last_seq, archived_runs.c.run_id)
        )
        async with self._database.reading() as connection:
            return [_run(row) for row in await connection.execute(wanted)]

    async def get(self, run_id: str) -> ArchivedRun | None:
        """Return an archived run."""
        wanted = select(archived_runs).where(archived_runs.c.run_id == run_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else _run(row)

    async def known(self, run_ids: Collection[str]) -> set[str]:
        """Return those of these runs that are archived."""
        asked, found = sorted(set(run_ids)), set[str]()
        async with self._database.reading() as connection:
            for start in range(0, len(asked), ASKED_AT_ONCE):
                some = asked[start : start + ASKED_AT_ONCE]
                rows = await connection.execute(select(archived_runs.c.run_id).where(archived_runs.c.run_id.in_(some)))
                found.update(rows.scalars())
        return found

    async def runs(self) -> dict[str, list[str]]:
        """Return the ids of the archived runs of each delegation."""
        found: dict[str, list[str]] = defaultdict(list)
        async with self._database.reading() as connection:
            for row in await connection.execute(select(archived_runs.c.delegation_id, archived_runs.c.run_id)):
                found[row.delegation_id].append(row.run_id)
        return dict(found)

    async def continued(self) -> list[tuple[str, str]]:
        """Return (delegation, run) of the runs that continued an archived one and are not archived themselves."""
        later = aliased(archived_runs)
        wanted = (
            select(archived_runs.c.delegation_id, archived_runs.c.following)
            .join_from(archived_runs, later, archived_runs.c.following == later.c.run_id, isouter=True)
            .where(archived_runs.c.following.is_not(None), later.c.run_id.is_(None))
            .order_by(archived_runs.c.delegation_id, archived_runs.c.following)
        )
        async with self._database.reading() as connection:
            return [(row.delegation_id, row.following) for row in await connection.execute(wanted)]

    async def totals(self, *, reach: frozenset[str] | None = None) -> Totals:
        """Return how much is archived: of all delegations, or of those of these organisations."""
        wanted = select(func.count(), func.coalesce(func.sum(archived_runs.c.size), 0)).select_from(archived_runs)
        if reach is not None:
            wanted = wanted.where(_within(reach))
        async with self._database.reading() as connection:
            runs, size = (await connection.execute(wanted)).one()
        return Totals(int(runs), int(size))

    async def page(self, *, limit: int, cursor: str | None = None, reach: frozenset[str] | None = None) -> ArchivePage:
        """Return a page of all, or of the delegations of these organisations, the last archived first.

        Raises BadCursor.
        """
        wanted = select(archived_runs).order_by(archived_runs.c.archived_at.desc(), archived_runs.c.run_id.desc())
        if reach is not None:
            wanted = wanted.where(_within(reach))
        if cursor is not None:
            at, run_id = read_cursor(cursor, str, str)
            try:
                place = datetime.fromisoformat(at)
            except ValueError:
                place = None
            wanted = wanted.where(_after(place, run_id))
        async with self._database.reading() as connection:
            rows = [_run(row) for row in await connection.execute(wanted.limit(limit + 1))]
        shown = tuple(rows[:limit])
        more = len(rows) > limit
        last = write_cursor(write_instant(shown[-1].archived_at), shown[-1].run_id) if more else None
        return ArchivePage(shown, last)

    async def differences(self) -> list[ArchiveDifference]:
        """Compare every row with what was sealed when it was entered. Raises ChainBroken where the log does not hold.

        Files are compared by whoever reads them: a row that is as sealed names their digest.
        """
        log = RegisterLog(self._database)
        await log.verify(REGISTER)
        sealed = {
            entry.command_id: entry.data["after"] for entry in await log.entries(REGISTER) if entry.type == RUN_ARCHIVED
        }
        async with self._database.reading() as connection:
            rows = {row.run_id: _run(row) for row in await connection.execute(select(archived_runs))}
        found = []
        for run_id in sorted({*sealed, *rows}):
            row = rows.get(run_id)
            if row is None:
                found.append(ArchiveDifference("row_missing", str(sealed[run_id]["delegation"]), run_id))
            elif run_id not in sealed:
                found.append(ArchiveDifference("row_unsealed", row.delegation, run_id))
            elif row.sealed() != sealed[run_id]:
                found.append(ArchiveDifference("row_differs", row.delegation, run_id))
        return found

    async def note(self, state: ArchiveState) -> None:
        """Keep what a round found."""
        values = {
            "waiting": state.waiting,
            "oldest_closed_at": state.oldest,
            "failure": state.failure,
            "looked_at": state.looked_at,
        }
        async with self._database.writing() as connection:
            await connection.execute(
                insert_into(connection, archive_state)
                .values(name=THIS, **values)
                .on_conflict_do_update(index_elements=["name"], set_=values)
            )

    async def state(self) -> ArchiveState | None:
        """Return what the last round found; None before the first one."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(archive_state))).one_or_none()
        if row is None:
            return None
        return ArchiveState(row.waiting, row.oldest_closed_at, row.failure, row.looked_at)


def _within(reach: frozenset[str]) -> ColumnElement[bool]:
    listed = select(delegations.c.id).where(delegations.c.organisation.in_(sorted(reach)))
    return archived_runs.c.delegation_id.in_(listed)


def _after(at: datetime | None, run_id: str) -> ColumnElement[bool]:
    if at is None or at.tzinfo is None:
        raise BadCursor
    column = archived_runs.c.archived_at
    return or_(column < at, and_(column == at, archived_runs.c.run_id < run_id))


def _run(row: Row[Any]) -> ArchivedRun:
    values = row._mapping
    fields = {name: values[name] for name in ArchivedRun.__dataclass_fields__ if name != "delegation"}
    return ArchivedRun(delegation=values["delegation_id"], **fields)
