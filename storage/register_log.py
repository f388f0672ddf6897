"""The log of administrative changes: who changed which entry of which register, when, from what to what.

One sealed chain for each register, made like a delegation's (domain/seal.py): an entry that is changed, removed or put
in between is named by its number. Written here is only what is not personal: ids, roles, positions, periods.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Index, Integer, Row, Table, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from domain.seal import ChainBroken, Head, SealedEvent, genesis, seal, verify_chain
from domain.values import write_instant
from storage.cursors import beyond, read_cursor, write_cursor
from storage.engine import Database
from storage.metadata import Name, Words, metadata, utc_now

Register = Literal[
    "accounts",
    "organisations",
    "positions",
    "tenures",
    "leaves",
    "editions",
    "feeds",
    "received_mail",
    "calendars",
    "persons",
    "person_requests",
    "retention",
    "checkpoints",
    "archive",
    "erasures",
    "evidence",
]

ADVISORY_LOCK = 0x6C65676C
"""The number of the lock that PostgreSQL's writers of this log queue for; SQLite has one writer at a time anyhow."""

register_log = Table(
    "register_log",
    metadata,
    Column("register", Name, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("change", Name, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Name, nullable=False),
    Column("actor", Name, nullable=False),
    Column("entry", Name, nullable=False),
    Column("data", Words, nullable=False),
    Column("prev_hash", Name, nullable=False),
    Column("hash", Name, nullable=False),
    Index(None, "at", "register", "seq"),
)

ORDER = (register_log.c.at, register_log.c.register, register_log.c.seq)
"""The order in which changes of all registers came. Instants are written with all their digits, so that they sort."""


async def queue(connection: AsyncConnection) -> None:
    """Wait until no other transaction changes a register; call it before looking at what a change might contradict."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})


async def record(
    connection: AsyncConnection,
    register: Register,
    change: str,
    entry: str,
    *,
    by: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Seal a change in the transaction that makes it.

    `change` is past tense (`leave_revoked`), `entry` the entry's id, `by` the account that asked, or `system`. `before`
    and `after` are JSON without personal data. `at` is wall time in UTC, now if left out.
    """
    await queue(connection)
    newest = select(register_log.c.seq, register_log.c.hash).where(register_log.c.register == register)
    row = (await connection.execute(newest.order_by(register_log.c.seq.desc()).limit(1))).one_or_none()
    data = {name: dict(value) for name, value in (("before", before), ("after", after)) if value is not None}
    sealed = seal(
        first_head(register) if row is None else Head(seq=row.seq, hash=row.hash),
        type=change,
        version=1,
        at=at or utc_now(),
        actor=by,
        command_id=entry,
        data=data,
    )
    await connection.execute(
        insert(register_log).values(
            register=register,
            seq=sealed.seq,
            change=sealed.type,
            version=sealed.version,
            at=sealed.at,
            actor=sealed.actor,
            entry=sealed.command_id,
            data=canonical_json(sealed.data).decode(),
            prev_hash=sealed.prev_hash,
            hash=sealed.hash,
        )
    )


def first_head(register: str) -> Head:
    """Return the head of a register's empty chain. No delegation has a colon in its id, so the chains never meet."""
    return genesis(f"register:{register}")


@dataclass(frozen=True)
class LogFilters:
    """Which changes: everything that is set must hold. From `since` until before `until`, instants."""

    register: Register | None = None
    actor: str | None = None
    entry: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Logged:
    """A change, and in which register; the id of its entry is in `command_id`."""

    register: Register
    change: SealedEvent


@dataclass(frozen=True)
class LogPage:
    """Changes of all registers, the newest first, and the cursor of the next page if there may be one.

    `unreadable` names those, by register and number, that are not written as changes are.
    """

    items: tuple[Logged, ...]
    next_cursor: str | None
    unreadable: tuple[tuple[str, int], ...] = ()


class RegisterLog:
    """Reads the chains and checks them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(
        self, register: Register, *, after: int = 0, limit: int | None = None, entry: str | None = None
    ) -> list[SealedEvent]:
        """Return a register's changes, or those of one entry, in order, after a number; its id is in `command_id`.

        Raises ChainBroken at the first one that cannot be read.
        """
        wanted = (
            select(register_log)
            .where(register_log.c.register == register, register_log.c.seq > after)
            .order_by(register_log.c.seq)
            .limit(limit)
        )
        if entry is not None:
            wanted = wanted.where(register_log.c.entry == entry)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [_read(row) for row in rows]

    async def page(self, filters: LogFilters, *, limit: int = 50, cursor: str | None = None) -> LogPage:
        """Return a page of at most `limit` changes, the newest first. Raises BadCursor."""
        wanted = select(register_log).where(*_conditions(filters))
        if cursor is not None:
            wanted = wanted.where(beyond(ORDER, read_cursor(cursor, str, str, int), descending=True))
        async with self._database.reading() as connection:
            rows = (
                await connection.execute(wanted.order_by(*(column.desc() for column in ORDER)).limit(limit + 1))
            ).all()
        items: list[Logged] = []
        unreadable: list[tuple[str, int]] = []
        for row in rows[:limit]:
            try:
                items.append(Logged(row.register, _read(row)))
            except ChainBroken as broken:
                unreadable.append((row.register, broken.seq))
        last = rows[limit - 1] if len(rows) > limit else None
        more = write_cursor(last.at, last.register, last.seq) if last else None
        return LogPage(tuple(items), more, tuple(unreadable))

    async def verify(self, register: Register) -> Head:
        """Return the head of a register's chain, or raise ChainBroken with the number of its first bad entry.

        A cut tail is a whole chain: only a head kept elsewhere shows it.
        """
        wanted = select(register_log).where(register_log.c.register == register).order_by(register_log.c.seq)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return verify_chain(first_head(register), (_read(row) for row in rows))


def _conditions(filters: LogFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (register_log.c.register, filters.register),
        (register_log.c.actor, filters.actor),
        (register_log.c.entry, filters.entry),
    ):
        if value is not None:
            conditions.append(column == value)
    if filters.since is not None:
        conditions.append(register_log.c.at >= write_instant(filters.since))
    if filters.until is not None:
        conditions.append(register_log.c.at < write_instant(filters.until))
    return conditions


def _read(row: Row[Any]) -> SealedEvent:
    try:
        data = json.loads(row.data)
        entry = SealedEvent(
            seq=row.seq,
            type=row.change,
            version=row.version,
            at=row.at,
            actor=row.actor,
            command_id=row.entry,
            data=data,
            prev_hash=row.prev_hash,
            hash=row.hash,
        )
    except ValueError as unreadable:
        raise ChainBroken(row.seq, "it cannot be read") from unreadable
    if canonical_json(data).decode() != row.data:
        raise ChainBroken(row.seq, "its content is not written as it was sealed")
    return entry


class ChangeRefused(ValueError):
    """A change that contradicts what the registers say; `code` is stable, and nothing in `params` names a person."""

    def __init__(self, code: str, **params: int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
