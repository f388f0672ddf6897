"""The register of passwords, and of the one-time links with which people choose them. Times are wall time in UTC."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import Column, ForeignKey, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.decision import SYSTEM
from domain.sign_in import prepared
from storage.account_notices import Told, tell_owner
from storage.accounts import UnknownAccount, accounts, digest_of_secret, revoke_tokens, tokens
from storage.engine import Database
from storage.metadata import Instant, Name, metadata, utc_now
from storage.register_log import queue, record
from storage.sessions import end_sessions
from storage.upsert import insert_into

LINK_PREFIX = "lgl_"
LINK_BYTES = 32
LINK_PAGE = "/sign-in#link="
"""After the `#`, so that the secret reaches no server before somebody sends it: a mail scanner uses nothing up."""

AT_ONCE = 4
"""How many passwords one process hashes at once: each takes the memory of `Cost`."""

passwords = Table(
    "passwords",
    metadata,
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("encoded", Name, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

password_links = Table(
    "password_links",
    metadata,
    Column("digest", Name, primary_key=True),
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)


@dataclass(frozen=True)
class Cost:
    """The work that one guess costs: argon2id's memory in KiB, its passes and its lanes."""

    memory_kib: int
    passes: int
    lanes: int


class Passwords:
    """Passwords by account, as argon2id encodes them (RFC 9106): cost, salt and hash together.

    Passwords are given as typed and prepared here (`domain.sign_in.prepared`); whether a new one is good enough is
    said before, by `new_password`. `clock` returns the wall time in UTC.
    """

    def __init__(
        self, database: Database, cost: Cost, *, link_lifetime: timedelta, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._cost = cost
        self._link_lifetime = link_lifetime
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        # What is compared where there is no password, so that an unknown account takes as long as a known one.
        self._nobodys = self._hasher.hash(secrets.token_bytes(16))
        self._room = asyncio.Semaphore(AT_ONCE)
        self.clock = clock

    async def fits(self, account: str, password: str) -> bool:
        """Whether this is the account's password; False for an unknown or disabled account too, after the same work.

        One that was hashed at a lower cost than today's is hashed anew.
        """
        wanted = (
            select(passwords.c.encoded)
            .join_from(passwords, accounts, passwords.c.account == accounts.c.id)
            .where(passwords.c.account == account, accounts.c.disabled_at.is_(None))
        )
        async with self._database.reading() as connection:
            encoded = (await connection.execute(wanted)).scalar_one_or_none()
        fits = await self._verified(encoded or self._nobodys, password)
        if encoded is None or not fits:
            return False
        if self._is_cheap(encoded):
            dearer = await self._hashed(password)
            async with self._database.writing() as connection:
                # Unless it was changed meanwhile.
                await connection.execute(
                    update(passwords)
                    .where(passwords.c.account == account, passwords.c.encoded == encoded)
                    .values(encoded=dearer)
                )
        return True

    async def change(self, account: str, password: str, *, session: str | None = None) -> None:
        """Set the password of an account; end its sessions, but `session`, and revoke its tokens.

        Whoever asks has shown the old one (`fits`). Raises UnknownAccount.
        """
        encoded = await self._hashed(password)
        async with self._database.writing() as connection:
            await queue(connection)
            await self._put(connection, account, encoded)
            await record(connection, "accounts", "password_changed", account, by=account)
            await self._begin_anew(connection, account, "password_changed", but=session)

    async def make_link(self, account: str, *, by: str = SYSTEM) -> tuple[str, datetime]:
        """Return a secret with which a password is chosen once, and until when; earlier ones of the account are void.

        Only its SHA-256 is kept; that it was made, and by whom, stands in the log. Raises UnknownAccount.
        """
        secret, now = LINK_PREFIX + secrets.token_urlsafe(LINK_BYTES), self.clock()
        until = now + self._link_lifetime
        async with self._database.writing() as connection:
            await queue(connection)
            await _require(connection, account)
            await record(connection, "accounts", "password_link_made", account, by=by)
            await tell_owner(connection, account, "password_link_made", by=by)
            await connection.execute(
                update(password_links)
                .where(password_links.c.account == account, password_links.c.used_at.is_(None))
                .values(used_at=now)
            )
            await connection.execute(
                insert(password_links).values(
                    digest=digest_of_secret(secret), account=account, created_at=now, expires_at=until
                )
            )
        return secret, until

    async def choose(self, secret: str, password: str) -> str | None:
        """Set the password of a link's account, use the link up, end the account's sessions and revoke its tokens.

        Return the account; None when the link is unknown, expired, used or void, or its account disabled: nothing
        happens then.
        """
        digest = digest_of_secret(secret)
        good = (
            password_links.c.digest == digest,
            password_links.c.used_at.is_(None),
            password_links.c.expires_at > self.clock(),
            password_links.c.account.in_(select(accounts.c.id).where(accounts.c.disabled_at.is_(None))),
        )
        async with self._database.reading() as connection:
            if (await connection.execute(select(password_links.c.account).where(*good))).one_or_none() is None:
                return None
        encoded = await self._hashed(password)
        async with self._database.writing() as connection:
            await queue(connection)
            account: str | None = (
                await connection.execute(
                    update(password_links).where(*good).values(used_at=self.clock()).returning(password_links.c.account)
                )
            ).scalar_one_or_none()
            if account is None:
                return None
            await self._put(connection, account, encoded)
            await record(connection, "accounts", "password_chosen", account, by=account)
            await self._begin_anew(connection, account, "password_chosen")
        return account

    async def _begin_anew(
        self, connection: AsyncConnection, account: str, what: Told, *, but: str | None = None
    ) -> None:
        """End what was opened before a new password: whoever had it then is not to go on by a token or a session."""
        await end_sessions(connection, account, self.clock(), but=but)
        await revoke_tokens(connection, tokens.c.account == account, by=account)
        await tell_owner(connection, account, what, by=account)

    async def _put(self, connection: AsyncConnection, account: str, encoded: str) -> None:
        await _require(connection, account)
        row = {"account": account, "encoded": encoded, "changed_at": self.clock()}
        entered = insert_into(connection, passwords).values(row)
        await connection.execute(
            entered.on_conflict_do_update(
                index_elements=["account"],
                set_={"encoded": entered.excluded.encoded, "changed_at": entered.excluded.changed_at},
            )
        )

    async def _hashed(self, password: str) -> str:
        async with self._room:
            return await asyncio.to_thread(self._hasher.hash, _octets(password))

    async def _verified(self, encoded: str, password: str) -> bool:
        async with self._room:
            try:
                return await asyncio.to_thread(self._hasher.verify, encoded, _octets(password))
            except VerifyMismatchError:
                return False

    def _is_cheap(self, encoded: str) -> bool:
        known = extract_parameters(encoded)
        return known.memory_cost < self._cost.memory_kib or known.time_cost < self._cost.passes


async def forget_password(connection: AsyncConnection, account: str, now: datetime) -> None:
    """Remove an account's password and use its open links up, in the caller's transaction."""
    await connection.execute(delete(passwords).where(passwords.c.account == account))
    open_ = update(password_links).where(password_links.c.account == account, password_links.c.used_at.is_(None))
    await connection.execute(open_.values(used_at=now))


async def _require(connection: AsyncConnection, account: str) -> None:
    known = select(accounts.c.id).where(accounts.c.id == account, accounts.c.disabled_at.is_(None))
    if (await connection.execute(known)).one_or_none() is None:
        raise UnknownAccount(f"there is no account “{account}”")


def _octets(password: str) -> bytes:
    return prepared(password).encode("utf-8", "surrogatepass")
