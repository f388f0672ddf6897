"""The table of wrapped data keys: one for each person, delegation's file and attachment."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Column, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine import Database
from storage.keyring import DataKey, Keyring, key_of
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.upsert import insert_into

data_keys = Table(
    "data_keys",
    metadata,
    Column("subject", Name, primary_key=True),
    Column("wrapped", Secret),
    Column("created_at", Instant, nullable=False),
    Column("destroyed_at", Instant),
)

REWRAP_BATCH = 200


class KeyDestroyed(LookupError):
    """The key of this subject was destroyed, and with it everything it encrypted."""


def person_key(ref: str) -> str:
    """Return the subject of a person's key."""
    return f"person:{ref}"


def account_key(account: str) -> str:
    """Return the subject of an account's key."""
    return f"account:{account}"


def file_key(delegation: str) -> str:
    """Return the subject of the key of a delegation's file."""
    return f"delegation:{delegation}"


class DataKeys:
    """Data keys inside the caller's transaction, so that a key stands or falls with what it encrypts."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring

    async def obtain(self, connection: AsyncConnection, subject: str) -> DataKey:
        """Return the key of a subject, made now if there is none; raises KeyDestroyed when it was destroyed."""
        known = await self._read(connection, subject)
        if known is not None:
            return known
        await self.put(connection, subject, DataKey.generate())
        # Another process may have been first: then its key stands.
        return await self.get(connection, subject)

    async def put(self, connection: AsyncConnection, subject: str, key: DataKey) -> None:
        """Store a key made elsewhere, unless the subject has one."""
        wrapped = key.wrapped(self.keyring, context=subject.encode())
        row = {"subject": subject, "wrapped": wrapped, "created_at": utc_now()}
        await connection.execute(insert_into(connection, data_keys).values(row).on_conflict_do_nothing())

    async def get(self, connection: AsyncConnection, subject: str) -> DataKey:
        """Return the key of a subject; raises KeyDestroyed when there is none, or none any more."""
        known = await self._read(connection, subject)
        if known is None:
            raise KeyDestroyed("there is no key for this subject")
        return known

    async def get_many(self, connection: AsyncConnection, subjects: Iterable[str]) -> dict[str, DataKey]:
        """Return the keys that still exist, by subject."""
        wanted = select(data_keys.c.subject, data_keys.c.wrapped).where(
            data_keys.c.subject.in_(sorted(set(subjects))), data_keys.c.wrapped.is_not(None)
        )
        rows = (await connection.execute(wanted)).all()
        return {row.subject: self.keyring.unwrap(row.wrapped, context=row.subject.encode()) for row in rows}

    async def destroy(self, connection: AsyncConnection, subject: str, at: datetime) -> bool:
        """Destroy a key; False when there was none. The subject never gets another one."""
        done = await connection.execute(
            update(data_keys)
            .where(data_keys.c.subject == subject, data_keys.c.wrapped.is_not(None))
            .values(wrapped=None, destroyed_at=at)
        )
        return done.rowcount == 1

    async def _read(self, connection: AsyncConnection, subject: str) -> DataKey | None:
        row = (
            await connection.execute(select(data_keys.c.wrapped).where(data_keys.c.subject == subject))
        ).one_or_none()
        if row is None:
            return None
        if row.wrapped is None:
            raise KeyDestroyed("the key of this subject was destroyed")
        return self.keyring.unwrap(row.wrapped, context=subject.encode())


async def rewrap(database: Database, keyring: Keyring) -> int:
    """Wrap every data key anew under the newest master key and return how many changed.

    Small transactions: it may run beside everything else, be killed and be run again. Afterwards the older master
    keys may leave the keyring, except for payloads in histories that they encrypted.
    """
    changed, after = 0, ""
    while True:
        async with database.writing() as connection:
            batch = (
                select(data_keys.c.subject, data_keys.c.wrapped)
                .where(data_keys.c.subject > after, data_keys.c.wrapped.is_not(None))
                .order_by(data_keys.c.subject)
                .limit(REWRAP_BATCH)
                .with_for_update()
            )
            rows = (await connection.execute(batch)).all()
            for subject, wrapped in rows:
                if not keyring.is_current(wrapped):
                    context = subject.encode()
                    anew = keyring.unwrap(wrapped, context=context).wrapped(keyring, context=context)
                    await connection.execute(
                        update(data_keys).where(data_keys.c.subject == subject).values(wrapped=anew)
                    )
                    changed += 1
        if len(rows) < REWRAP_BATCH:
            return changed
        after = rows[-1].subject


async def wrapped_under(database: Database) -> dict[str, int]:
    """Return how many data keys are wrapped under each master key, by its id."""
    wanted = select(data_keys.c.wrapped).where(data_keys.c.wrapped.is_not(None))
    async with database.reading() as connection:
        return dict(Counter(key_of(wrapped) for wrapped in (await connection.execute(wanted)).scalars()))


async def count_keys(database: Database) -> int:
    """Return how many data keys exist and are not destroyed."""
    async with database.reading() as connection:
        count = select(func.count()).select_from(data_keys).where(data_keys.c.wrapped.is_not(None))
        return (await connection.execute(count)).scalar_one()
