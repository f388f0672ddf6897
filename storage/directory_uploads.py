"""Tables for the directory that somebody sent and that wait: for being read, for a person's word, for being entered.

A table is its sender's alone, under their account's key. Its content goes as soon as it was entered, could not be read
or was discarded; the rest goes LIFETIME after the last change. Times are wall time in UTC.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Column, Index, Integer, Row, Select, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.data_keys import DataKeys, account_key
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.upsert import insert_into

LIFETIME = timedelta(days=30)

MOST_UPLOADS = 10
"""Tables of one account that have their content still: what is sent again and again fills no disk."""

State = Literal["sent", "read", "accepted", "entered", "refused"]
"""`sent`: to be read. `read`: waits for its sender's word. `accepted`: to be entered as its preview said. The last two
are its ends; `refused` is what cannot be read as a table.
"""

uploads = Table(
    "directory_uploads",
    metadata,
    Column("id", Name, primary_key=True),
    Column("account", Name, nullable=False),
    Column("state", Name, nullable=False),
    Column("size", Integer, nullable=False),
    Column("name", Secret, nullable=False),
    Column("content", Secret, nullable=False),
    Column("said", Secret, nullable=False),
    Column("digest", Name),
    Column("sent_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "account", "sent_at"),
    Index(None, "changed_at"),
)


class TooManyUploads(ValueError):
    """The account has MOST_UPLOADS tables that wait."""


@dataclass(frozen=True)
class Upload:
    """A table that was sent. `name` is what its file was called, `size` its bytes, `digest` that of its preview.

    `said` is what was found out about it, in the words of whoever read it: empty until it was read.
    """

    id: str
    state: State
    name: str
    size: int
    said: dict[str, Any]
    digest: str | None
    sent_at: datetime
    changed_at: datetime


class Uploads:
    """Tables by their sender. `clock` is the wall's."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)
        self.clock: Callable[[], datetime] = utc_now

    async def send(self, account: str, upload: str, name: str, content: bytes) -> None:
        """Keep a table under an id that the page chose; the same id again keeps what came first. TooManyUploads."""
        now = self.clock()
        async with self._database.writing() as connection:
            await sweep_uploads(connection, now - LIFETIME)
            waiting = select(func.count()).where(uploads.c.account == account, uploads.c.content != b"")
            if (await connection.execute(waiting.where(uploads.c.id != upload))).scalar_one() >= MOST_UPLOADS:
                raise TooManyUploads
            key = await self._keys.obtain(connection, account_key(account))
            row = {
                "id": upload,
                "account": account,
                "state": "sent",
                "size": len(content),
                "name": key.encrypt(name.encode(), context=_context(upload, "name")),
                "content": key.encrypt(content, context=_context(upload, "content")),
                "said": _sealed(key, upload, {}),
                "sent_at": now,
                "changed_at": now,
            }
            await connection.execute(insert_into(connection, uploads).values(row).on_conflict_do_nothing())

    async def get(self, account: str, upload: str) -> Upload | None:
        """Return a table of an account without its content, or None where it has none of this id."""
        found = await self._read(account, _lines(account).where(uploads.c.id == upload))
        return found[0] if found else None

    async def of(self, account: str) -> list[Upload]:
        """Return the tables of an account without their content, the last one first."""
        return await self._read(account, _lines(account).order_by(uploads.c.sent_at.desc(), uploads.c.id))

    async def waiting(self, since: timedelta) -> list[tuple[str, str]]:
        """Return account and id of whoever's tables wait for being read or entered for at least so long."""
        now = self.clock()
        wanted = select(uploads.c.account, uploads.c.id).where(
            uploads.c.state.in_(("sent", "accepted")),
            uploads.c.changed_at <= now - since,
            uploads.c.changed_at > now - LIFETIME,
        )
        async with self._database.reading() as connection:
            return [(row.account, row.id) for row in await connection.execute(wanted.order_by(uploads.c.changed_at))]

    async def content(self, account: str, upload: str) -> bytes | None:
        """Return the bytes of a table, or None where they are gone."""
        wanted = select(uploads.c.content).where(uploads.c.account == account, uploads.c.id == upload)
        async with self._database.reading() as connection:
            sealed = (await connection.execute(wanted)).scalar_one_or_none()
            keys = await self._keys.get_many(connection, [account_key(account)])
        key = keys.get(account_key(account))
        return key.decrypt(sealed, context=_context(upload, "content")) if sealed and key else None

    async def move(
        self,
        account: str,
        upload: str,
        before: State,
        after: State,
        *,
        said: dict[str, Any] | None = None,
        digest: str | None = None,
    ) -> bool:
        """Bring a table from one state to another, and return whether it stood in the first.

        What is `read` goes on only with the `digest` of its preview, so nobody accepts one that they did not see. Where
        a table ends, its content goes.
        """
        over = after in ("entered", "refused")
        async with self._database.writing() as connection:
            which = update(uploads).where(
                uploads.c.id == upload, uploads.c.account == account, uploads.c.state == before
            )
            values: dict[str, Any] = {"state": after, "changed_at": self.clock()}
            if before == "read":
                which = which.where(uploads.c.digest == digest)
            elif digest is not None:
                values["digest"] = digest
            if said is not None:
                key = await self._keys.obtain(connection, account_key(account))
                values["said"] = _sealed(key, upload, said)
            if over:
                values["content"] = b""
            return (await connection.execute(which.values(values))).rowcount == 1

    async def discard(self, account: str, upload: str) -> bool:
        """Delete a table that is not being entered; False where there was none."""
        gone = delete(uploads).where(
            uploads.c.id == upload, uploads.c.account == account, uploads.c.state != "accepted"
        )
        async with self._database.writing() as connection:
            return (await connection.execute(gone)).rowcount == 1

    async def _read(self, account: str, wanted: Select[Any]) -> list[Upload]:
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.where(uploads.c.changed_at > self.clock() - LIFETIME))).all()
            keys = await self._keys.get_many(connection, [account_key(account)]) if rows else {}
        key = keys.get(account_key(account))
        return [_upload(row, key) for row in rows] if key else []


async def sweep_uploads(connection: AsyncConnection, before: datetime) -> int:
    """Delete what was last changed before an instant, in the caller's transaction; return how many."""
    return (await connection.execute(delete(uploads).where(uploads.c.changed_at < before))).rowcount


def _lines(account: str) -> Select[Any]:
    columns = [uploads.c[name] for name in (*Upload.__dataclass_fields__, "account")]
    return select(*columns).where(uploads.c.account == account)


def _upload(row: Row[Any], key: DataKey) -> Upload:
    name = key.decrypt(row.name, context=_context(row.id, "name")).decode()
    said = json.loads(key.decrypt(row.said, context=_context(row.id, "said")))
    return Upload(row.id, row.state, name, row.size, said, row.digest, row.sent_at, row.changed_at)


def _sealed(key: DataKey, upload: str, said: dict[str, Any]) -> bytes:
    return key.encrypt(json.dumps(said, ensure_ascii=False).encode(), context=_context(upload, "said"))


def _context(upload: str, what: str) -> bytes:
    return f"upload {upload} {what}".encode()
