"""The register of calendar collections: where somebody's items are put by CalDAV, with what credentials, how it stands.

A person on files, or the office of an organisation, has at most one. Address and credentials are encrypted under the
person's key, or the office's: erasing the person takes them, and everything kept here about them, away.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from storage.collection_queue import want
from storage.collection_rows import (
    Access,
    Collection,
    Owner,
    OwnerKind,
    calendar_collections,
    calendar_due,
    calendar_resources,
)
from storage.data_keys import DataKeys, person_key
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.metadata import utc_now
from storage.references import new_reference
from storage.register_log import queue, record
from storage.upsert import insert_into


class CollectionExists(ValueError):
    """The owner has another collection; it has to be removed first."""


class Collections:
    """Collections by owner."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def register(self, owner: Owner, access: Access, *, by: str, files: Sequence[str]) -> str:
        """Enter an owner's collection, or new credentials of the one they have, and return its id.

        `files` are the delegations that it is to be brought to. It counts as verified now, and as working. Raises
        CollectionExists when they have another one, unless that was removed and cannot be emptied now; and KeyDestroyed
        for an erased person.
        """
        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            key = await self._key(connection, owner)
            known = await self._row(connection, owner)
            lingers = known is not None and known.state == "leaving" and known.failed_since is not None
            if known is not None and lingers and _opened(known, key).url != access.url:
                # It cannot be emptied now: whoever has another one does not wait for it.
                await connection.execute(delete(calendar_collections).where(calendar_collections.c.id == known.id))
                known = None
            id = known.id if known else new_reference("col")
            sealed = key.encrypt(canonical_json(access.model_dump(mode="json")), context=id.encode())
            fresh: dict[str, Any] = {
                "ciphertext": sealed,
                "state": "working",
                "failure": None,
                "failed_since": None,
                "attempts": 0,
                "retry_at": None,
                "verified_at": now,
                "leaving_since": None,
            }
            after = {"owner_kind": owner.kind, "owner": owner.id}
            if known is None:
                row = fresh | {
                    "id": id,
                    "owner_kind": owner.kind,
                    "owner": owner.id,
                    "registered_by": by,
                    "registered_at": now,
                }
                await connection.execute(insert_into(connection, calendar_collections).values(row))
                await record(connection, "calendars", "collection_registered", id, by=by, after=after)
            else:
                if _opened(known, key).url != access.url:
                    raise CollectionExists("the owner has another collection")
                changed = update(calendar_collections).where(calendar_collections.c.id == id).values(**fresh)
                await connection.execute(changed)
                await record(connection, "calendars", "collection_credentials_changed", id, by=by, after=after)
            await want(connection, [id], files, now)
        return id

    async def verified(self, id: str) -> None:
        """Note that a collection was found with the credentials that are known: it is tried again at once."""
        now, table = utc_now(), calendar_collections.c
        working = update(calendar_collections).where(table.id == id, table.state != "leaving")
        fresh = {"state": "working", "failure": None, "failed_since": None, "attempts": 0, "retry_at": None}
        async with self._database.writing() as connection:
            await connection.execute(working.values(**fresh, verified_at=now))

    async def leave(self, owner: Owner, *, by: str) -> str | None:
        """Begin to take everything of ours out of an owner's collection, and return its id; None if they have none.

        Once it is empty, or nobody may write to it, `forget` removes it.
        """
        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            known = await self._row(connection, owner)
            if known is None:
                return None
            leaving = update(calendar_collections).where(calendar_collections.c.id == known.id)
            await connection.execute(leaving.values(state="leaving", leaving_since=now, retry_at=None, attempts=0))
            before = {"owner_kind": owner.kind, "owner": owner.id}
            await record(connection, "calendars", "collection_removed", known.id, by=by, before=before)
            held = select(calendar_resources.c.delegation_id).where(calendar_resources.c.collection == known.id)
            files = list((await connection.execute(held.distinct())).scalars())
            await want(connection, [known.id], files, now)
        return str(known.id)

    async def forget(self, id: str) -> None:
        """Remove a collection, its credentials and everything kept about it."""
        async with self._database.writing() as connection:
            await connection.execute(delete(calendar_collections).where(calendar_collections.c.id == id))

    async def of(self, owner: Owner) -> Collection | None:
        """Return an owner's collection."""
        found = await self.all(owner.kind, owner.id)
        return found[0] if found else None

    async def get(self, id: str) -> Collection | None:
        """Return a collection by its id."""
        async with self._database.reading() as connection:
            row = (await connection.execute(_listed().where(calendar_collections.c.id == id))).one_or_none()
        return _collection(row) if row else None

    async def all(self, kind: OwnerKind | None = None, owner: str | None = None) -> list[Collection]:
        """Return collections, those that do not work first, then by owner."""
        wanted = _listed()
        if kind is not None:
            wanted = wanted.where(calendar_collections.c.owner_kind == kind)
        if owner is not None:
            wanted = wanted.where(calendar_collections.c.owner == owner)
        working = calendar_collections.c.state == "working"
        order = (working, calendar_collections.c.owner_kind, calendar_collections.c.owner)
        async with self._database.reading() as connection:
            return [_collection(row) for row in await connection.execute(wanted.order_by(*order))]

    async def access(self, id: str) -> Access | None:
        """Return where a collection is and with what it is opened; None if it is gone. Raises KeyDestroyed."""
        async with self._database.reading() as connection:
            wanted = select(calendar_collections).where(calendar_collections.c.id == id)
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                return None
            return _opened(row, await self._keys.get(connection, _subject(Owner(row.owner_kind, row.owner))))

    async def _key(self, connection: AsyncConnection, owner: Owner) -> DataKey:
        if owner.kind == "person":
            return await self._keys.get(connection, _subject(owner))
        return await self._keys.obtain(connection, _subject(owner))

    async def _row(self, connection: AsyncConnection, owner: Owner) -> Row[Any] | None:
        wanted = select(calendar_collections).where(
            calendar_collections.c.owner_kind == owner.kind, calendar_collections.c.owner == owner.id
        )
        return (await connection.execute(wanted.with_for_update())).one_or_none()


async def forget_collection_of(connection: AsyncConnection, ref: str) -> None:
    """Remove a person's collection in the transaction that erases the person. What stands in it is theirs."""
    owned = (calendar_collections.c.owner_kind == "person") & (calendar_collections.c.owner == ref)
    await connection.execute(delete(calendar_collections).where(owned))


def _subject(owner: Owner) -> str:
    return person_key(owner.id) if owner.kind == "person" else f"organisation:{owner.id}"


def _opened(row: Row[Any], key: DataKey) -> Access:
    return Access.model_validate_json(key.decrypt(row.ciphertext, context=row.id.encode()))


def _listed() -> Select[Any]:
    entries = select(func.count()).where(calendar_resources.c.collection == calendar_collections.c.id)
    behind = select(func.count()).where(calendar_due.c.collection == calendar_collections.c.id)
    return select(
        calendar_collections, entries.scalar_subquery().label("entries"), behind.scalar_subquery().label("behind")
    )


def _collection(row: Row[Any]) -> Collection:
    return Collection(
        id=row.id,
        owner=Owner(row.owner_kind, row.owner),
        state=row.state,
        failure=row.failure,
        failed_since=row.failed_since,
        retry_at=row.retry_at,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
        verified_at=row.verified_at,
        synced_at=row.synced_at,
        reviewed_at=row.reviewed_at,
        entries=row.entries,
        behind=row.behind,
    )
