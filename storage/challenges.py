"""What a sign-in or a signature under way must come back with: kept here, used once, and soon forgotten."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Column, Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from storage.accounts import digest_of_secret
from storage.engine import Database
from storage.metadata import Instant, Name, Words, metadata

Kind = Literal["register_passkey", "use_passkey", "oidc", "sign_passkey"]

challenges = Table(
    "challenges",
    metadata,
    Column("digest", Name, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("account", Name),
    Column("kept", Words, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("taken_by", Name),
)


@dataclass(frozen=True)
class Challenge:
    """What was kept beside a challenge. `account` is whose it is, if that was known when it was made.

    `taken_by` is what it was answered for, of those that are kept beyond that.
    """

    account: str | None
    kept: Mapping[str, str]
    taken_by: str | None = None


class Challenges:
    """Challenges by the SHA-256 of what comes back. They are good for `lifetime`."""

    def __init__(self, database: Database, lifetime: timedelta) -> None:
        self._database = database
        self.lifetime = lifetime

    async def put(
        self,
        kind: Kind,
        secret: str,
        now: datetime,
        *,
        account: str | None = None,
        kept: Mapping[str, str] | None = None,
    ) -> None:
        """Keep a challenge from `now` on; those that nobody came back with leave on the way."""
        async with self._database.writing() as connection:
            await connection.execute(delete(challenges).where(challenges.c.expires_at <= now))
            await connection.execute(
                insert(challenges).values(
                    digest=digest_of_secret(secret),
                    kind=kind,
                    account=account,
                    kept=canonical_json(dict(kept or {})).decode(),
                    expires_at=now + self.lifetime,
                )
            )

    async def take(self, kind: Kind, secret: str, now: datetime) -> Challenge | None:
        """Return a challenge and forget it; None when it is unknown, of another kind, expired or was taken before."""
        async with self._database.writing() as connection:
            row = (
                await connection.execute(
                    delete(challenges)
                    .where(challenges.c.digest == digest_of_secret(secret), challenges.c.kind == kind)
                    .returning(challenges.c.account, challenges.c.kept, challenges.c.expires_at)
                )
            ).one_or_none()
        if row is None or row.expires_at <= now:
            return None
        return Challenge(row.account, json.loads(row.kept))

    async def look(self, kind: Kind, secret: str, now: datetime) -> Challenge | None:
        """Return a challenge and keep it; None when it is unknown, of another kind or expired."""
        wanted = select(challenges).where(
            challenges.c.digest == digest_of_secret(secret), challenges.c.kind == kind, challenges.c.expires_at > now
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return Challenge(row.account, json.loads(row.kept), row.taken_by) if row else None

    async def mark(self, connection: AsyncConnection, kind: Kind, secret: str, use: str) -> str | None:
        """Say within a transaction for what a challenge was answered, and return for what it had been before.

        Empty where it was not answered yet, None where it is gone.
        """
        one = (challenges.c.digest == digest_of_secret(secret), challenges.c.kind == kind)
        taken = await connection.execute(
            update(challenges).where(*one, challenges.c.taken_by.is_(None)).values(taken_by=use)
        )
        if taken.rowcount == 1:
            return ""
        before: str | None = (await connection.execute(select(challenges.c.taken_by).where(*one))).scalar_one_or_none()
        return before
