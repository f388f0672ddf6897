"""The register of sessions: who is signed in, since when, and by which factor. Times are wall time in UTC."""

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Column, ForeignKey, Row, Table, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.sign_in import Acting, Factor
from storage.accounts import UnknownAccount, accounts, digest_of_secret, rights_in, with_rights
from storage.engine import Database
from storage.errors import StoreUnavailable
from storage.metadata import Instant, Name, metadata, utc_now
from storage.references import new_reference
from storage.register_log import queue, record

SESSION_BYTES = 32

SEEN_EVERY = timedelta(minutes=1)
"""How exact `last_seen_at` is: a write for every request would cost more than it tells."""

KEPT_FOR = timedelta(days=30)
"""How long a session that is over stays in the register."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", Name, primary_key=True),
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", Name, nullable=False, unique=True),
    Column("factor", Name, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    # When a provider last saw its owner, of sessions that one opened and that it said.
    Column("vouched_at", Instant),
)

_SIGNED_IN = with_rights(
    sessions,
    sessions.c.id,
    sessions.c.digest,
    sessions.c.factor,
    sessions.c.created_at,
    sessions.c.last_seen_at,
    sessions.c.expires_at,
    sessions.c.vouched_at,
).where(sessions.c.digest == bindparam("digest"), sessions.c.ended_at.is_(None))


@dataclass(frozen=True)
class Session:
    """A session without its secret. It was signed in by `factor` at `created_at`, and ends at `expires_at` at last."""

    id: str
    account: str
    factor: Factor
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class Sessions:
    """Sessions by the SHA-256 of their secrets; one that was not used for `idle`, or is older than `absolute`, is over.

    `clock` returns the wall time in UTC.
    """

    def __init__(
        self, database: Database, *, idle: timedelta, absolute: timedelta, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self.idle = idle
        self.absolute = absolute
        self.clock = clock

    async def open(
        self, account: str, factor: Factor, *, instead_of: str = "", vouched_at: datetime | None = None
    ) -> tuple[Session, str]:
        """Return a new session and its secret of 256 random bits; the one that `instead_of` is the secret of ends.

        `vouched_at` is when the provider that opens it last saw somebody show themselves, if it says so. A secret that
        was there before the sign-in is never kept: whoever planted it holds nothing. Raises UnknownAccount, also for a
        disabled one.
        """
        secret, now = secrets.token_urlsafe(SESSION_BYTES), self.clock()
        session = Session(new_reference("ses"), account, factor, now, now, now + self.absolute)
        async with self._database.writing() as connection:
            known = select(accounts.c.id).where(accounts.c.id == account, accounts.c.disabled_at.is_(None))
            if (await connection.execute(known)).one_or_none() is None:
                raise UnknownAccount(f"there is no account “{account}”")
            await connection.execute(delete(sessions).where(sessions.c.expires_at < now - KEPT_FOR))
            await connection.execute(
                update(sessions)
                .where(sessions.c.digest == digest_of_secret(instead_of), sessions.c.ended_at.is_(None))
                .values(ended_at=now)
            )
            row = {**vars(session), "digest": digest_of_secret(secret), "vouched_at": vouched_at}
            await connection.execute(insert(sessions).values(row))
        return session, secret

    async def acting(self, secret: str, *, attended: bool = True) -> Acting | None:
        """Return who is signed in with a secret, or None if the session is unknown, over, or its account disabled.

        One statement. When the session was last seen is noted at most once a minute, and never in the way of the
        request; not `attended`, it is not: what a page asks by itself while nobody looks at it keeps no session alive.
        """
        digest, now = digest_of_secret(secret), self.clock()
        async with self._database.reading() as connection:
            rows = (await connection.execute(_SIGNED_IN, {"digest": digest})).all()
        genuine = hmac.compare_digest(rows[0].digest if rows else digest_of_secret(""), digest)
        if not rows or not genuine or not self._lasts(rows[0], now):
            return None
        if attended and now - rows[0].last_seen_at >= SEEN_EVERY:
            with suppress(StoreUnavailable):
                await self._seen(rows[0].id, now)
        return Acting(
            **vars(rights_in(rows)),
            factor=rows[0].factor,
            factor_at=rows[0].created_at,
            session=rows[0].id,
            vouched_at=rows[0].vouched_at,
        )

    async def of(self, account: str) -> list[Session]:
        """Return the sessions of an account that are not over, the oldest first."""
        now = self.clock()
        wanted = (
            select(sessions)
            .where(sessions.c.account == account, sessions.c.ended_at.is_(None))
            .order_by(sessions.c.created_at, sessions.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [_session(row) for row in rows if self._lasts(row, now)]

    async def end(self, session: str, account: str) -> bool:
        """End a session of an account by its id; False when the account has none of this id that could be ended."""
        async with self._database.writing() as connection:
            done = await connection.execute(
                update(sessions)
                .where(sessions.c.id == session, sessions.c.account == account, sessions.c.ended_at.is_(None))
                .values(ended_at=self.clock())
            )
        return done.rowcount == 1

    async def end_all(self, account: str, *, but: str | None = None, by: str | None = None) -> int:
        """End every session of an account, `but` one, by its id, if named; return how many were ended.

        With `by`, who is not its owner, it is recorded in the log.
        """
        async with self._database.writing() as connection:
            if by is not None:
                await queue(connection)
                await record(connection, "accounts", "sessions_ended", account, by=by)
            return await end_sessions(connection, account, self.clock(), but=but)

    async def _seen(self, session: str, now: datetime) -> None:
        async with self._database.writing() as connection:
            await connection.execute(update(sessions).where(sessions.c.id == session).values(last_seen_at=now))

    def _lasts(self, row: Row[Any], now: datetime) -> bool:
        return bool(now < row.expires_at and now < row.last_seen_at + self.idle)


async def end_sessions(
    connection: AsyncConnection, account: str, at: datetime, *, but: str | None = None, factor: Factor | None = None
) -> int:
    """End sessions of an account, `but` one, or those of one factor, in the caller's transaction; return how many."""
    ending = update(sessions).where(sessions.c.account == account, sessions.c.ended_at.is_(None)).values(ended_at=at)
    if but is not None:
        ending = ending.where(sessions.c.id != but)
    if factor is not None:
        ending = ending.where(sessions.c.factor == factor)
    return (await connection.execute(ending)).rowcount


def _session(row: Row[Any]) -> Session:
    return Session(row.id, row.account, cast(Factor, row.factor), row.created_at, row.last_seen_at, row.expires_at)
