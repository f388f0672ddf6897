"""Transactions, and the one honest error when the store cannot answer."""

import asyncio
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from storage.data_keys import data_keys
from storage.engine import Database, store_url
from storage.errors import StoreUnavailable
from storage.metadata import utc_now
from tests.postgresql import server_uri


def key_row(subject: str) -> dict[str, object]:
    return {"subject": subject, "wrapped": b"", "created_at": utc_now()}


async def enter(database: Database, *subjects: str) -> None:
    async with database.writing() as connection:
        await connection.execute(insert(data_keys), [key_row(subject) for subject in subjects])


async def rows(database: Database) -> int:
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(data_keys))).scalar_one()


async def test_a_writing_transaction_is_kept_whole(database: Database) -> None:
    """What was written is read by the next transaction."""
    async with database.writing() as connection:
        await connection.execute(insert(data_keys), [key_row("a"), key_row("b")])
    assert await rows(database) == 2


async def test_an_exception_undoes_the_whole_transaction(database: Database) -> None:
    """Nothing half done."""

    async def stop_halfway() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(data_keys), [key_row("a")])
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        await stop_halfway()
    assert await rows(database) == 0


async def test_a_mistake_in_a_statement_is_not_called_unavailable(database: Database) -> None:
    """A broken constraint is ours to see, and its text carries no values."""
    with pytest.raises(IntegrityError) as raised:
        await enter(database, "secret-subject", "secret-subject")
    assert "parameters hidden" in str(raised.value)


async def test_a_writer_that_waits_too_long_is_told_that_the_store_is_locked(store_url: str) -> None:
    """A lock that another process holds is an honest error after `lock_wait`, and heals by itself."""
    holder, waiter = Database(store_url), Database(store_url, lock_wait=0.2)
    try:
        async with holder.writing() as connection:
            await connection.execute(insert(data_keys), [key_row("a")])
            with pytest.raises(StoreUnavailable) as raised:
                await enter(waiter, "a")
            assert raised.value.reason == "locked"
        await enter(waiter, "b")
        assert await rows(waiter) == 2
    finally:
        await holder.close()
        await waiter.close()


async def test_a_full_disk_is_an_honest_error_and_heals(tmp_path: Path, sqlite_template: Path) -> None:
    """SQLite says it is full when the file may not grow; afterwards everything committed is there."""
    path = tmp_path / "small.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    try:
        async with database.writing() as connection:
            await connection.execute(insert(data_keys), [key_row("kept")])
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(StoreUnavailable) as raised:
            await enter(database, *("x" * 5000 + str(n) for n in range(50)))
        assert raised.value.reason == "disk_full"
        async with database.writing() as connection:
            await connection.execute(text("PRAGMA max_page_count = 100000"))
            await connection.execute(insert(data_keys), [key_row("later")])
        assert await rows(database) == 2
    finally:
        await database.close()


async def test_a_store_that_is_read_only_is_an_honest_error(tmp_path: Path, sqlite_template: Path) -> None:
    """Reading goes on, writing says why not."""
    path = tmp_path / "read-only.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///file:{path}?mode=ro&uri=true")
    try:
        assert await rows(database) == 0
        with pytest.raises(StoreUnavailable) as raised:
            await enter(database, "a")
        assert raised.value.reason == "read_only"
        assert not await database.answers()
    finally:
        await database.close()


async def test_a_file_that_is_no_database_is_named_damaged(tmp_path: Path) -> None:
    """Overwritten by something else: not our mistake, and not a crash."""
    path = tmp_path / "other.db"
    path.write_bytes(b"this is a letter, not a database" * 100)
    database = Database(f"sqlite:///{path}")
    try:
        with pytest.raises(StoreUnavailable) as raised:
            await rows(database)
        assert raised.value.reason == "damaged"
    finally:
        await database.close()


async def test_a_folder_that_is_not_there_is_an_honest_error(tmp_path: Path) -> None:
    """The data folder may be on a disk that is not mounted."""
    others = set(threading.enumerate())
    database = Database(f"sqlite:///{tmp_path / 'absent' / 'store.db'}")
    try:
        with pytest.raises(StoreUnavailable) as raised:
            await rows(database)
        assert raised.value.reason == "cannot_open"
    finally:
        await database.close()
        # After a failed connect aiosqlite does not wait for its thread, which still wants to answer this event loop.
        own = set(threading.enumerate()) - others
        while any("_connection_worker_thread" in thread.name and thread.is_alive() for thread in own):
            await asyncio.sleep(0)


async def test_a_server_that_is_not_there_is_an_honest_error(tmp_path: Path) -> None:
    """PostgreSQL down: disconnected."""
    database = Database(f"postgresql://nobody@/none?host={tmp_path}")
    try:
        with pytest.raises(StoreUnavailable) as raised:
            await rows(database)
        assert raised.value.reason == "disconnected"
        assert not await database.answers()
    finally:
        await database.close()


async def lose_the_connection(database: Database) -> None:
    async with database.writing() as connection:
        mine = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        async with database.reading() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        await connection.execute(text("SELECT 1"))


async def test_a_connection_that_the_server_ends_is_an_honest_error_and_heals() -> None:
    """The server restarts: the transaction is lost, the next one gets a new connection."""
    database = Database(f"postgresql+psycopg{server_uri().removeprefix('postgresql')}")
    try:
        with pytest.raises(StoreUnavailable) as raised:
            await lose_the_connection(database)
        assert raised.value.reason == "disconnected"
        async with database.writing() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    finally:
        await database.close()


@pytest.mark.slow
async def test_many_writers_at_once_all_succeed(store_url: str) -> None:
    """Six connections of their own, 100 short transactions each: none fails (the default mode of SQLite fails most)."""
    stores = [Database(store_url) for _ in range(6)]

    async def write(number: int, store: Database) -> None:
        for n in range(100):
            async with store.writing() as connection:
                await connection.execute(select(func.count()).select_from(data_keys))
                await connection.execute(insert(data_keys), [key_row(f"{number}-{n}")])

    try:
        await asyncio.gather(*(write(number, store) for number, store in enumerate(stores)))
        assert await rows(stores[0]) == 600
    finally:
        for store in stores:
            await store.close()


async def test_a_cancelled_transaction_leaves_no_lock(database: Database) -> None:
    """A request that is given up must not block the next one."""
    started = asyncio.Event()

    async def give_up() -> None:
        async with database.writing() as connection:
            await connection.execute(insert(data_keys), [key_row("a")])
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(give_up())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await enter(database, "b")
    assert await rows(database) == 1


def test_sqlite_keeps_every_acknowledged_commit(tmp_path: Path) -> None:
    """Write-ahead log, full synchronisation, foreign keys and secure deletion on every connection."""

    async def pragmas() -> dict[str, object]:
        database = Database(f"sqlite:///{tmp_path / 'store.db'}")
        async with database.reading() as connection:
            names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
            found = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in names}
        await database.close()
        return found

    assert asyncio.run(pragmas()) == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }
    assert sqlite3.sqlite_version_info >= (3, 35)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("sqlite:////var/x.db", "sqlite+aiosqlite:////var/x.db"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_a_url_gets_the_asynchronous_driver(given: str, taken: str) -> None:
    """Operators write the plain form."""
    assert str(store_url(given)) == taken


def test_another_engine_is_refused() -> None:
    """Two engines are supported, and no other by accident."""
    with pytest.raises(ValueError, match="SQLite or PostgreSQL, not on mysql"):
        store_url("mysql://u@h/d")


async def test_a_healthy_store_says_so(database: Database) -> None:
    """The question that the API asks before it sends a command."""
    assert await database.answers()
