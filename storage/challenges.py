"""What a sign-in under way must come back with: each challenge is kept here, used once, and soon forgotten."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Column, Table, delete, insert

from domain.canonical import canonical_json
from storage.accounts import digest_of_secret
from storage.engine import Database
from storage.metadata import Instant, Name, Words, metadata

Kind = Literal["register_passkey", "use_passkey", "oidc"]

challenges = Table(
    "challenges",
    metadata,
    Column("digest", Name, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("account", Name),
    Column("kept", Words, nullable=False),
    Column("expires_at", Instant, nullable=False),
)


@dataclass(frozen=True)
class Challenge:
    """What was kept beside a challenge. `account` is whose it is, if that was known when it was made."""

    account: str | None
    kept: Mapping[str, str]


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
