"""The register of calendar collections on both engines: who has one, what it lacks, what stands in it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from storage.collection_entries import CollectionEntries
from storage.collection_queue import CollectionQueue
from storage.collection_rows import Access, Owner, Resource, calendar_collections
from storage.collections import CollectionExists, Collections
from storage.data_keys import KeyDestroyed
from storage.engine import Database
from storage.keyring import Keyring
from storage.metadata import utc_now
from storage.persons import PersonDetails, Persons
from storage.register_log import RegisterLog

OFFICE = Owner("organisation", "song-lam")
ACCESS = Access(url="https://calendar.example/haruka/visit/", name="Lịch", username="haruka", password="hunter2")
HARUKA = PersonDetails(
    full_name="Satō Haruka", given_name="Haruka", email="haruka@tokyo.example", language="en", nationality="JP"
)


class Store:
    """The three ways to the tables."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.collections = Collections(database, keyring)
        self.queue = CollectionQueue(database)
        self.entries = CollectionEntries(database)
        self.persons = Persons(database, keyring)

    async def somebody(self) -> Owner:
        """A person of the register."""
        return Owner("person", (await self.persons.register(HARUKA)).ref)

    async def office(self, *files: str) -> str:
        """The office's collection, wanted for these files."""
        return await self.collections.register(OFFICE, ACCESS, by="root", files=files)


@pytest.fixture
def store(database: Database, keyring: Keyring) -> Store:
    """An empty register."""
    return Store(database, keyring)


def held(uid: str, delegation: str = "d-1", digest: str | None = "0" * 64) -> Resource:
    """An item as it stands."""
    return Resource(uid, delegation, uid.partition(".")[0], f"{uid}.ics", '"1"', digest, 0)


async def test_address_and_credentials_are_kept_under_the_owner_s_key_and_go_with_it(store: Store) -> None:
    """In no column stands a word of them; erasing the person leaves no row, and no way to a new one."""
    owner = await store.somebody()
    id = await store.collections.register(owner, ACCESS, by="lan", files=["d-1"])
    await store.entries.put(id, held("s1.d-1@x"))
    assert await store.collections.access(id) == ACCESS
    async with store.database.reading() as connection:
        row = (await connection.execute(select(calendar_collections))).one()
    shown = repr([value if isinstance(value, bytes) else str(value) for value in row])
    assert not [word for word in ("calendar.example", "haruka", "hunter2", "Lịch") if word in shown]
    assert "hunter2" not in repr(ACCESS)

    await store.persons.erase(owner.id)
    assert await store.collections.of(owner) is None
    assert await store.collections.access(id) is None
    assert await store.entries.of(id) == {}
    await store.entries.put(id, held("s2.d-1@x"))
    assert await store.entries.of(id) == {}
    with pytest.raises(KeyDestroyed):
        await store.collections.register(owner, ACCESS, by="lan", files=[])


async def test_an_owner_has_one_collection_whose_credentials_may_change(store: Store) -> None:
    """Another address is another collection: the one there is has to be removed first. The log names who."""
    id = await store.office("d-1", "d-2")
    await store.entries.failed(id, "credentials_refused", "needs_credentials")
    renewed = ACCESS.model_copy(update={"password": "another"})
    assert await store.collections.register(OFFICE, renewed, by="hung", files=["d-2"]) == id
    found = await store.collections.of(OFFICE)
    assert found is not None
    assert (found.state, found.failure, found.registered_by, found.behind) == ("working", None, "root", 2)
    elsewhere = ACCESS.model_copy(update={"url": "https://other.example/"})
    with pytest.raises(CollectionExists):
        await store.collections.register(OFFICE, elsewhere, by="root", files=[])
    assert await store.collections.access(id) == renewed
    log = await RegisterLog(store.database).entries("calendars")
    assert [(one.type, one.actor) for one in log] == [
        ("collection_registered", "root"),
        ("collection_credentials_changed", "hung"),
    ]
    assert "hunter2" not in repr(log)


async def test_what_is_wanted_anew_while_it_is_brought_is_not_struck_out(store: Store) -> None:
    """A line for each file, however often it was said; only the version that was brought is settled."""
    id = await store.office("d-1")
    [due] = await store.queue.due(id)
    await store.queue.want([id], "d-1")
    await store.queue.want([id], "d-2")
    await store.queue.settled(id, due)
    assert [one.delegation_id for one in await store.queue.due(id)] == ["d-1", "d-2"]
    for one in await store.queue.due(id):
        await store.queue.settled(id, one)
    assert await store.queue.due(id) == []


async def test_a_collection_has_one_writer_at_a_time(store: Store) -> None:
    """Until it lets go, or dies and its lease ends; whoever holds it may hold it longer."""
    id, now, lease = await store.office(), utc_now(), timedelta(seconds=15)
    assert await store.queue.claim(id, "one", lease=lease, now=now)
    assert not await store.queue.claim(id, "two", lease=lease, now=now + timedelta(seconds=14))
    assert await store.queue.claim(id, "one", lease=lease, now=now + timedelta(seconds=14))
    assert not await store.queue.claim(id, "two", lease=lease, now=now + timedelta(seconds=16))
    assert await store.queue.claim(id, "two", lease=lease, now=now + timedelta(seconds=29))
    await store.queue.release(id, "one")
    assert not await store.queue.claim(id, "one", lease=lease, now=now + timedelta(seconds=30))
    await store.queue.release(id, "two")
    assert await store.queue.claim(id, "one", lease=lease, now=now + timedelta(seconds=30))


async def test_attempts_grow_apart_and_a_server_that_asks_for_longer_gets_it(store: Store) -> None:
    """1, 2, 4 … minutes, six hours at most; it stopped working once, and since then."""
    id = await store.office("d-1")
    pauses = []
    stopped = []
    for _ in range(12):
        before = utc_now()
        stopped.append(await store.entries.failed(id, "server_failed", "unreachable"))
        found = await store.collections.get(id)
        assert found is not None
        assert found.retry_at is not None
        pauses.append(round((found.retry_at - before) / timedelta(minutes=1)))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]
    assert stopped == [True] + [False] * 11
    await store.entries.worked(id)
    await store.entries.failed(id, "server_busy", "unreachable", again=timedelta(hours=2))
    found = await store.collections.get(id)
    assert found is not None
    assert found.retry_at is not None
    assert found.retry_at - utc_now() > timedelta(minutes=119)
    assert await store.queue.behind(utc_now()) == []
    assert await store.queue.behind(utc_now() + timedelta(hours=3)) == [id]
    await store.entries.failed(id, "credentials_refused", "needs_credentials")
    assert await store.queue.behind(utc_now() + timedelta(days=3)) == []
    assert await store.queue.reviewable() == []
    await store.collections.verified(id)
    assert await store.queue.behind(utc_now()) == [id]


async def test_a_collection_concerns_a_file_by_its_owner_or_by_what_it_holds(store: Store) -> None:
    """Who left the file still has to be emptied of it."""
    somebody, id = await store.somebody(), await store.office()
    own = await store.collections.register(somebody, ACCESS, by="lan", files=[])
    assert await store.queue.concerned("d-1", [OFFICE]) == [id]
    assert await store.queue.concerned("d-1", [somebody]) == [own]
    assert await store.queue.concerned("d-1", []) == []
    await store.entries.put(own, held("s1.d-1@x"))
    assert await store.queue.concerned("d-1", []) == [own]
    assert await store.queue.concerned("d-2", []) == []


async def test_an_item_is_noted_before_and_after_it_is_written(store: Store) -> None:
    """One line for each item; without a digest while nobody knows whether it arrived."""
    id = await store.office()
    await store.entries.put(id, held("s1.d-1@x", digest=None))
    await store.entries.put(id, held("s2.d-2@x", "d-2"))
    assert [one.digest for one in (await store.entries.of(id, "d-1")).values()] == [None]
    await store.entries.put(id, held("s1.d-1@x"))
    assert set(await store.entries.of(id)) == {"s1.d-1@x", "s2.d-2@x"}
    assert (await store.entries.of(id))["s1.d-1@x"] == held("s1.d-1@x")
    await store.entries.drop(id, "s1.d-1@x")
    assert set(await store.entries.of(id)) == {"s2.d-2@x"}


async def test_what_a_removed_collection_holds_is_wanted_out_of_it(store: Store) -> None:
    """It stays until it is empty, whatever fails; then nothing of it is left."""
    id = await store.office()
    await store.entries.put(id, held("s1.d-1@x"))
    assert await store.collections.leave(OFFICE, by="root") == id
    assert [one.delegation_id for one in await store.queue.due(id)] == ["d-1"]
    await store.entries.failed(id, "server_failed", "unreachable")
    await store.entries.worked(id)
    found = await store.collections.get(id)
    assert found is not None
    assert found.state == "leaving"
    await store.collections.forget(id)
    assert await store.collections.leave(OFFICE, by="root") is None
    async with store.database.reading() as connection:
        for table in ("calendar_collections", "calendar_due", "calendar_resources", "calendar_drift"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0  # noqa: S608


async def test_drift_is_kept_for_ninety_days_the_newest_first(store: Store) -> None:
    """One line for each item and review."""
    id = await store.office()
    await store.entries.drifted(id, [("s1", "edited", True), ("s1", "edited", True), ("s2", "stray", False)])
    await store.entries.drifted(id, [("s1", "missing", True)])
    found = await store.entries.drift(id)
    assert [(one.uid, one.kind, one.repaired) for one in found] == [
        ("s1", "missing", True),
        ("s1", "edited", True),
        ("s2", "stray", False),
    ]
    assert await store.entries.drift(id, since=utc_now()) == []
