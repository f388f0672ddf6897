"""Calendar collections brought to what they should hold (CalDAV): as an effect of a file, by the clock, and on demand.

What is lacking is noted first (storage/collection_queue.py), one line for each file and collection, and struck out once
it was brought: whoever dies leaves the line to the next attempt. A collection has one writer at a time; several
collections are written side by side, and each has a limit of its own, so that a slow one holds up nobody. A collection
that fails is noted with when to try again, and the effect ends well: its file does not wait for somebody's server.
"""

import asyncio
import secrets
import traceback
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating
from activities.collection_review import review
from activities.collection_writing import Writing
from activities.house import House
from activities.trail import TrailBehind
from calendars.caldav import CalDav, CalDavFailed, Credentials, CredentialsRefused, Unreachable
from calendars.guard import AddressRefused
from storage.collection_rows import Access, Collection, Owner
from storage.data_keys import KeyDestroyed
from storage.errors import StoreUnavailable
from storage.metadata import utc_now
from storage.queries import File
from storage.registers import Registers
from workflows import ports
from workflows.ports import CarryOutInput, Synced, SyncInput

SIDE_BY_SIDE = 8
FILES_KEPT = 16
LEFT_BEHIND = timedelta(days=3)
"""How long a collection that cannot be emptied keeps its credentials after it was removed."""


@dataclass(frozen=True)
class Patience:
    """How long who works on a collection holds it, how long one turn and one effect may take, and when to try again.

    `pauses` are those between attempts of one turn, in seconds.
    """

    lease: timedelta = timedelta(seconds=15)
    turn: timedelta = timedelta(minutes=2)
    effect: timedelta = timedelta(minutes=4)
    pauses: tuple[float, ...] = (0.5, 2.0)


@dataclass
class Turn:
    """What came of one turn with a collection; `drifted` items were not as they had been left."""

    worked: bool
    drifted: int = 0


class CollectionSync:
    """Carries out `sync_calendars`, and the rounds over all collections."""

    def __init__(self, registers: Registers, caldav: CalDav, house: House, patience: Patience | None = None) -> None:
        """Take the collaborators of this installation."""
        self._registers = registers
        self._queries = registers.queries
        self._collections = registers.collections
        self._entries = registers.collection_entries
        self._queue = registers.collection_queue
        self._caldav = caldav
        self._domain = house.mail_domain
        self._patience = patience or Patience()
        self._files: dict[str, File] = {}

    async def sync_calendars(self, asked: CarryOutInput, alive: Callable[[], None]) -> None:
        """Bring the collections of a file's people and of its office to its programme as it now stands.

        Raises TrailBehind and StoreUnavailable; a server that fails is noted and tried again by the clock.
        """
        read = await self._file(asked.delegation)
        if read is None or read.head.seq < asked.effect.seq:
            raise TrailBehind
        file = read.state
        owners = [Owner("organisation", file.organisation)]
        owners += [Owner("person", one.person.ref) for one in file.people.values() if one.channel == "caldav"]
        ids = await self._queue.concerned(file.id, owners)
        await self._queue.want(ids, file.id)
        # What does not get its turn in this time stays noted, and has it by the clock.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience.effect.total_seconds()):
                await self._turns(ids, alive)

    @activity.defn(name=ports.SYNC_COLLECTIONS)
    async def sync(self, asked: SyncInput) -> Synced:
        """Bring one collection, or all that lack something, to what they should hold; with `review`, look through them.

        Those that need other credentials are left alone.
        """
        try:
            async with beating():
                if asked.collection is not None:
                    ids = [asked.collection]
                elif asked.review:
                    ids = await self._queue.reviewable()
                else:
                    ids = await self._queue.behind(utc_now())
                turns = await self._turns(
                    ids, activity.heartbeat, reviewing=asked.review, demanded=asked.collection is not None
                )
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None
        worked = sum(turn.worked for turn in turns)
        return Synced(worked=worked, failed=len(turns) - worked, drifted=sum(turn.drifted for turn in turns))

    async def _turns(
        self, ids: Iterable[str], alive: Callable[[], None], *, reviewing: bool = False, demanded: bool = False
    ) -> list[Turn]:
        room = asyncio.Semaphore(SIDE_BY_SIDE)

        async def one(id: str) -> Turn | None:
            async with room:
                alive()
                return await self._turn(id, reviewing=reviewing, demanded=demanded)

        found = await asyncio.gather(*(one(id) for id in ids), return_exceptions=True)
        for failure in found:
            if isinstance(failure, BaseException):
                # The others had their turn all the same.
                raise failure
        return [turn for turn in found if isinstance(turn, Turn)]

    async def _turn(self, id: str, *, reviewing: bool, demanded: bool) -> Turn | None:
        """Take a turn with a collection; None where there is nothing to do, or nothing that may be done."""
        while await self._collections.get(id) is not None:
            async with self._holding(id) as holding:
                collection = await self._collections.get(id) if holding else None
                if collection is None or not self._may_try(collection, demanded):
                    return None
                try:
                    access = await self._collections.access(id)
                except KeyDestroyed:
                    # A backup was restored that knows the collection and not the key.
                    access = None
                if access is None:
                    await self._collections.forget(id)
                    return None
                turn = await self._attempts(collection, access, reviewing=reviewing)
            # Wanted anew while we held it, and whoever wanted it could not have it.
            if not turn.worked or not await self._queue.due(id):
                return turn
        return None

    def _may_try(self, collection: Collection, demanded: bool) -> bool:
        if demanded:
            return True
        early = collection.retry_at is not None and collection.retry_at > utc_now()
        return collection.state != "needs_credentials" and not early

    async def _attempts(self, collection: Collection, access: Access, *, reviewing: bool) -> Turn:
        try:
            async with asyncio.timeout(self._patience.turn.total_seconds()):
                for pause in (*self._patience.pauses, None):
                    try:
                        return await self._work(collection, access, reviewing=reviewing)
                    except Unreachable as error:
                        if pause is None or (error.again and error.again.total_seconds() > pause):
                            raise
                        await asyncio.sleep(pause)
        except (CalDavFailed, AddressRefused) as error:
            await self._failed(collection, error)
        except TimeoutError:
            # What was brought so far is noted: the next turn goes on from there.
            await self._failed(collection, Unreachable("too_slow"))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one collection fails, whatever broke; the others have their turn
            # An unknown error's text may name people.
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = type(error).__name__
            activity.logger.error("a calendar collection failed: %s at %s:%s", kind, where.name, where.lineno)
            await self._failed(collection, Unreachable("internal_error"))
        return Turn(worked=False)

    async def _work(self, collection: Collection, access: Access, *, reviewing: bool) -> Turn:
        """Bring a collection to every file that it lacks, one after the other."""
        async with self._caldav.session(access.url, Credentials(access.username, access.password)) as session:
            writing = Writing(session, collection, self._entries, self._domain)
            try:
                for due in await self._queue.due(collection.id):
                    await writing.bring(await self._file(due.delegation_id), due.delegation_id)
                    await self._queue.settled(collection.id, due)
                if reviewing and collection.state != "leaving":
                    await review(writing, self._entries, self._file)
            finally:
                await self._entries.drifted(collection.id, writing.drifted)
        if collection.state == "leaving":
            await self._collections.forget(collection.id)
        else:
            await self._entries.worked(collection.id, reviewed=reviewing)
        return Turn(worked=True, drifted=len(writing.drifted))

    async def _file(self, delegation: str) -> File | None:
        """Return a file as it stands; read again only when it has gone on."""
        known = self._files.get(delegation)
        if known is not None and await self._queries.seq(delegation) == known.head.seq:
            return known
        if len(self._files) >= FILES_KEPT:
            self._files.clear()
        read = await self._queries.get(delegation)
        if read is not None:
            self._files[delegation] = read
        return read

    async def _failed(self, collection: Collection, error: CalDavFailed | AddressRefused) -> None:
        refused = isinstance(error, CredentialsRefused)
        if collection.state == "leaving" and (refused or self._left_long_ago(collection)):
            await self._collections.forget(collection.id)
            return
        again = error.again if isinstance(error, CalDavFailed) else None
        failed = await self._entries.failed(
            collection.id, error.code, "needs_credentials" if refused else "unreachable", again=again
        )
        if failed:
            activity.logger.warning("the calendar collection %s stopped working: %s", collection.id, error.code)

    def _left_long_ago(self, collection: Collection) -> bool:
        return collection.failed_since is not None and collection.failed_since < utc_now() - LEFT_BEHIND

    @asynccontextmanager
    async def _holding(self, id: str) -> AsyncIterator[bool]:
        """Hold a collection while in it; not held (False) is one that is gone, or that somebody else goes on with.

        Whoever died held it until the lease ends: that is waited for. Whoever is alive finds what is wanted anew.
        """
        holder, lease = secrets.token_hex(8), self._patience.lease
        loop = asyncio.get_running_loop()
        end = loop.time() + lease.total_seconds() + 1
        while not await self._queue.claim(id, holder, lease=lease, now=utc_now()):
            if loop.time() > end:
                yield False
                return
            await asyncio.sleep(min(1.0, lease.total_seconds() / 5))
        renewing = asyncio.create_task(self._renew(id, holder))
        try:
            yield True
        finally:
            renewing.cancel()
            with suppress(StoreUnavailable):
                await self._queue.release(id, holder)

    async def _renew(self, id: str, holder: str) -> None:
        while True:
            await asyncio.sleep(self._patience.lease.total_seconds() / 3)
            with suppress(StoreUnavailable):
                await self._queue.claim(id, holder, lease=self._patience.lease, now=utc_now())
