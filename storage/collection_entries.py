"""What stands in a calendar collection, what came of the last try to reach it, and what a review found in it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select, update

from storage.collection_rows import Drift, Resource, Written, calendar_collections, calendar_drift, calendar_resources
from storage.engine import Database
from storage.metadata import utc_now
from storage.upsert import insert_into

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)

DRIFT_KEPT = timedelta(days=90)

COLUMNS = tuple(calendar_resources.c[name] for name in Resource.__dataclass_fields__)


class CollectionEntries:
    """Items by collection and UID; written before and after each request, so that who dies leaves a trace of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, collection: str, delegation_id: str | None = None) -> dict[str, Resource]:
        """Return what a collection holds, or may hold, of one file or of all, by UID."""
        wanted = select(*COLUMNS).where(calendar_resources.c.collection == collection)
        if delegation_id is not None:
            wanted = wanted.where(calendar_resources.c.delegation_id == delegation_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(wanted.order_by(calendar_resources.c.uid))
            return {row.uid: Resource(**row._asdict()) for row in rows}

    async def of_item(self, delegation_id: str, item_id: str) -> dict[str, Written]:
        """Return what stands of an item in people's own collections, by the reference of the person."""
        table = calendar_resources.c
        wanted = (
            select(calendar_collections.c.owner, table.sequence, table.changed_at)
            .join(calendar_collections, calendar_collections.c.id == table.collection)
            .where(
                table.delegation_id == delegation_id,
                table.item_id == item_id,
                table.digest.is_not(None),
                calendar_collections.c.owner_kind == "person",
            )
        )
        async with self._database.reading() as connection:
            return {row.owner: Written(row.sequence, row.changed_at) for row in await connection.execute(wanted)}

    async def put(self, collection: str, resource: Resource) -> None:
        """Note an item: without a digest before it is written, with one once it was."""
        row = {**vars(resource), "collection": collection, "changed_at": utc_now()}
        changed = {name: value for name, value in row.items() if name not in ("collection", "uid")}
        async with self._database.writing() as connection:
            known = select(calendar_collections.c.id).where(calendar_collections.c.id == collection)
            if (await connection.execute(known.with_for_update())).one_or_none() is None:
                # Erased or removed while it was written to: nothing is kept about it any more.
                return
            await connection.execute(
                insert_into(connection, calendar_resources)
                .values(row)
                .on_conflict_do_update(index_elements=["collection", "uid"], set_=changed)
            )

    async def drop(self, collection: str, uid: str) -> None:
        """Note that an item is no longer there."""
        async with self._database.writing() as connection:
            await connection.execute(
                delete(calendar_resources).where(
                    calendar_resources.c.collection == collection, calendar_resources.c.uid == uid
                )
            )

    async def worked(self, collection: str, *, reviewed: bool = False) -> None:
        """Note that a collection was brought to what it should hold, and whether it was looked through."""
        now, table = utc_now(), calendar_collections.c
        values = {"attempts": 0, "retry_at": None, "failure": None, "failed_since": None, "synced_at": now}
        values |= {"reviewed_at": now} if reviewed else {}
        async with self._database.writing() as connection:
            await connection.execute(update(calendar_collections).where(table.id == collection).values(**values))
            # One that is being left stays so.
            well = update(calendar_collections).where(table.id == collection, table.state != "leaving")
            await connection.execute(well.values(state="working"))

    async def failed(
        self,
        collection: str,
        code: str,
        state: Literal["needs_credentials", "unreachable"],
        *,
        again: timedelta | None = None,
    ) -> bool:
        """Note a failure and return whether the collection has just stopped working.

        It is tried again after 1, 2, 4, … minutes, at most 6 hours, and not before the server asked for (`again`).
        """
        now, table = utc_now(), calendar_collections.c
        async with self._database.writing() as connection:
            wanted = select(table.state, table.attempts, table.failed_since).where(table.id == collection)
            row = (await connection.execute(wanted.with_for_update())).one_or_none()
            if row is None:
                return False
            pause = min(FIRST_PAUSE * 2 ** min(row.attempts, 20), LONGEST_PAUSE)
            values = {
                "state": row.state if row.state == "leaving" else state,
                "failure": code,
                "failed_since": row.failed_since or now,
                "attempts": row.attempts + 1,
                "retry_at": now + max(pause, again or timedelta(0)),
            }
            await connection.execute(update(calendar_collections).where(table.id == collection).values(**values))
        return bool(row.state == "working")

    async def drifted(self, collection: str, found: Sequence[tuple[str, str, bool]]) -> None:
        """Note what was found otherwise than it was left: (UID, kind, whether it was put right)."""
        if not found:
            return
        now = utc_now()
        rows = [
            {"collection": collection, "uid": uid, "found_at": now, "kind": kind, "repaired": repaired}
            for uid, kind, repaired in {one[0]: one for one in found}.values()
        ]
        async with self._database.writing() as connection:
            known = select(calendar_collections.c.id).where(calendar_collections.c.id == collection)
            if (await connection.execute(known.with_for_update())).one_or_none() is None:
                return
            await connection.execute(insert_into(connection, calendar_drift).values(rows).on_conflict_do_nothing())
            old = calendar_drift.c.found_at < now - DRIFT_KEPT
            await connection.execute(delete(calendar_drift).where(old))

    async def drift(self, collection: str, *, since: datetime | None = None, limit: int = 200) -> list[Drift]:
        """Return what was found otherwise than it was left, the newest first; kept for 90 days."""
        columns = tuple(calendar_drift.c[name] for name in Drift.__dataclass_fields__)
        wanted = select(*columns).where(calendar_drift.c.collection == collection)
        if since is not None:
            wanted = wanted.where(calendar_drift.c.found_at >= since)
        wanted = wanted.order_by(calendar_drift.c.found_at.desc(), calendar_drift.c.uid).limit(limit)
        async with self._database.reading() as connection:
            return [Drift(*row) for row in await connection.execute(wanted)]
