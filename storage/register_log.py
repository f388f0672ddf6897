"""The log of administrative changes: who changed which entry of which register, when, from what to what.

One sealed chain for each register, made like a delegation's (domain/seal.py): an entry that is changed, removed or put
in between is named by its number. Written here is only what is not personal: ids, roles, positions, periods.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, Integer, Row, Table, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from domain.seal import ChainBroken, Head, SealedEvent, genesis, seal, verify_chain
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
)


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

    async def verify(self, register: Register) -> Head:
        """Return the head of a register's chain, or raise ChainBroken with the number of its first bad entry.

        A cut tail is a whole chain: only a head kept elsewhere shows it.
        """
        wanted = select(register_log).where(register_log.c.register == register).order_by(register_log.c.seq)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return verify_chain(first_head(register), (_read(row) for row in rows))


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
    """A change that contradicts what the registers say; `code` is stable and names no person."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
