"""The register of drafts: what somebody has typed into a long form and not sent yet, under their account's key.

A draft is its owner's alone. It goes when it is used, when it is discarded, and LIFETIME after it was last changed.
Times are wall time in UTC.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Index, Row, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.data_keys import DataKeys, account_key
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.upsert import insert_into

LIFETIME = timedelta(days=30)
LARGEST_DRAFT = 500_000
"""Bytes of a draft as it is kept."""

MOST_DRAFTS = 50
"""Drafts of one account: a page that is sent again and again fills no disk."""

drafts = Table(
    "drafts",
    metadata,
    Column("id", Name, primary_key=True),
    Column("account", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("ciphertext", Secret, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "account", "kind", "changed_at"),
    Index(None, "changed_at"),
)


class DraftRefused(ValueError):
    """A draft that is not kept. `code` is `draft_too_large`, `too_many_drafts` or `draft_of_another`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Draft:
    """What was typed, as the names and values of the form in their order."""

    id: str
    kind: str
    pairs: tuple[tuple[str, str], ...]
    created_at: datetime
    changed_at: datetime


class Drafts:
    """Drafts by their owner. `clock` is the wall's."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)
        self.clock: Callable[[], datetime] = utc_now

    async def save(self, account: str, kind: str, draft: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Keep what stands in a form, in the place of what stood there; the page chose the draft's id. DraftRefused."""
        content = json.dumps([list(pair) for pair in pairs], ensure_ascii=False).encode()
        if len(content) > LARGEST_DRAFT:
            raise DraftRefused("draft_too_large")
        now = self.clock()
        async with self._database.writing() as connection:
            await sweep_drafts(connection, now - LIFETIME)
            key = await self._keys.obtain(connection, account_key(account))
            sealed = {"ciphertext": key.encrypt(content, context=_context(draft)), "changed_at": now}
            own = update(drafts).where(drafts.c.id == draft, drafts.c.account == account, drafts.c.kind == kind)
            if (await connection.execute(own.values(sealed))).rowcount:
                return
            count = select(func.count()).select_from(drafts).where(drafts.c.account == account)
            if (await connection.execute(count)).scalar_one() >= MOST_DRAFTS:
                raise DraftRefused("too_many_drafts")
            row = {"id": draft, "account": account, "kind": kind, "created_at": now, **sealed}
            made = insert_into(connection, drafts).values(row).on_conflict_do_nothing().returning(drafts.c.id)
            if (await connection.execute(made)).one_or_none() is None:
                raise DraftRefused("draft_of_another")

    async def get(self, account: str, kind: str, draft: str) -> Draft | None:
        """Return a draft of an account, or None where it has none of this id, or has it no longer."""
        found = await self._read(account, kind, drafts.c.id == draft)
        return found[0] if found else None

    async def of(self, account: str, kind: str) -> list[Draft]:
        """Return the drafts of an account, the last changed first."""
        return await self._read(account, kind)

    async def discard(self, account: str, draft: str) -> bool:
        """Delete a draft; False where there was none."""
        gone = delete(drafts).where(drafts.c.id == draft, drafts.c.account == account)
        async with self._database.writing() as connection:
            return (await connection.execute(gone)).rowcount == 1

    async def _read(self, account: str, kind: str, *which: Any) -> list[Draft]:
        live = (drafts.c.account == account, drafts.c.kind == kind, drafts.c.changed_at > self.clock() - LIFETIME)
        wanted = select(drafts).where(*live, *which).order_by(drafts.c.changed_at.desc(), drafts.c.id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
            keys = await self._keys.get_many(connection, [account_key(account)]) if rows else {}
        key = keys.get(account_key(account))
        return [_draft(row, key) for row in rows] if key else []


async def sweep_drafts(connection: AsyncConnection, before: datetime) -> int:
    """Delete what was last changed before an instant, in the caller's transaction; return how many."""
    return (await connection.execute(delete(drafts).where(drafts.c.changed_at < before))).rowcount


def _draft(row: Row[Any], key: DataKey) -> Draft:
    pairs = json.loads(key.decrypt(row.ciphertext, context=_context(row.id)))
    return Draft(row.id, row.kind, tuple((name, value) for name, value in pairs), row.created_at, row.changed_at)


def _context(draft: str) -> bytes:
    return f"draft {draft}".encode()
