"""Which calendar collections lack what, and who is at work on one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.state import Phase
from storage.collection_rows import Due, Owner, calendar_collections, calendar_due, calendar_resources
from storage.engine import Database
from storage.metadata import utc_now
from storage.read_model import delegations, participants
from storage.upsert import insert_into


class CollectionQueue:
    """What collections are to be brought to: noted once for each file, however often it is said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def concerned(self, delegation_id: str, owners: Sequence[Owner]) -> list[str]:
        """Return the collections of these owners, and those that hold something of a file, by id."""
        holds = select(calendar_resources.c.collection).where(calendar_resources.c.delegation_id == delegation_id)
        owned = [
            (calendar_collections.c.owner_kind == kind)
            & calendar_collections.c.owner.in_(sorted({one.id for one in owners if one.kind == kind}))
            for kind in ("person", "organisation")
        ]
        wanted = select(calendar_collections.c.id).where(or_(*owned, calendar_collections.c.id.in_(holds)))
        async with self._database.reading() as connection:
            return list((await connection.execute(wanted.order_by(calendar_collections.c.id))).scalars())

    async def files_of(self, owner: Owner) -> list[str]:
        """Return the delegations that are not closed and whose programme may concern an owner, by id."""
        if owner.kind == "organisation":
            wanted = select(delegations.c.id).where(delegations.c.organisation == owner.id)
        else:
            on = select(participants.c.delegation_id).where(participants.c.person == owner.id)
            wanted = select(delegations.c.id).where(delegations.c.id.in_(on))
        wanted = wanted.where(delegations.c.phase != Phase.CLOSED.value).order_by(delegations.c.id)
        async with self._database.reading() as connection:
            return list((await connection.execute(wanted)).scalars())

    async def want(self, ids: Sequence[str], delegation_id: str) -> None:
        """Note that these collections are to be brought to a file as it now stands."""
        if ids:
            async with self._database.writing() as connection:
                await want(connection, ids, [delegation_id], utc_now())

    async def want_all(self, id: str) -> None:
        """Note that a collection is to be brought to every file it holds something of."""
        async with self._database.writing() as connection:
            held = select(calendar_resources.c.delegation_id).where(calendar_resources.c.collection == id).distinct()
            await want(connection, [id], list((await connection.execute(held)).scalars()), utc_now())

    async def due(self, id: str) -> list[Due]:
        """Return the files that a collection is to be brought to, the longest waiting first."""
        wanted = select(calendar_due.c.delegation_id, calendar_due.c.version).where(calendar_due.c.collection == id)
        async with self._database.reading() as connection:
            rows = await connection.execute(wanted.order_by(calendar_due.c.since, calendar_due.c.delegation_id))
            return [Due(*row) for row in rows]

    async def settled(self, id: str, due: Due) -> None:
        """Note that a collection was brought to a file, unless it was wanted anew meanwhile."""
        async with self._database.writing() as connection:
            await connection.execute(
                delete(calendar_due).where(
                    calendar_due.c.collection == id,
                    calendar_due.c.delegation_id == due.delegation_id,
                    calendar_due.c.version == due.version,
                )
            )

    async def behind(self, now: datetime) -> list[str]:
        """Return the collections that lack something and may be tried at an instant, the longest waiting first.

        Those that need other credentials are left alone until they have them.
        """
        table = calendar_collections.c
        waits = select(calendar_due.c.collection)
        wanted = select(table.id).where(
            table.id.in_(waits) | (table.state == "leaving"),
            table.state != "needs_credentials",
            or_(table.retry_at.is_(None), table.retry_at <= now),
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(wanted.order_by(table.synced_at, table.id))).scalars())

    async def reviewable(self) -> list[str]:
        """Return the collections that a review may look into, by id."""
        table = calendar_collections.c
        wanted = select(table.id).where(table.state.in_(("working", "unreachable"))).order_by(table.id)
        async with self._database.reading() as connection:
            return list((await connection.execute(wanted)).scalars())

    # One writer at a time

    async def claim(self, id: str, holder: str, *, lease: timedelta, now: datetime) -> bool:
        """Take a collection for oneself until `now + lease`, or hold it for longer; False while another has it."""
        table = calendar_collections.c
        free = or_(table.lease.is_(None), table.lease == holder, table.lease_until <= now)
        taken = update(calendar_collections).where(table.id == id, free).values(lease=holder, lease_until=now + lease)
        async with self._database.writing() as connection:
            return (await connection.execute(taken)).rowcount == 1

    async def release(self, id: str, holder: str) -> None:
        """Let a collection go."""
        table = calendar_collections.c
        let_go = update(calendar_collections).where(table.id == id, table.lease == holder)
        async with self._database.writing() as connection:
            await connection.execute(let_go.values(lease=None, lease_until=None))


async def want(connection: AsyncConnection, ids: Sequence[str], files: Sequence[str], now: datetime) -> None:
    """Note, in the caller's transaction, that these collections are to be brought to these files."""
    rows = [{"collection": id, "delegation_id": file, "version": 1, "since": now} for id in ids for file in files]
    if rows:
        entered = insert_into(connection, calendar_due).values(rows)
        again = {"version": calendar_due.c.version + 1}
        await connection.execute(
            entered.on_conflict_do_update(index_elements=["collection", "delegation_id"], set_=again)
        )
