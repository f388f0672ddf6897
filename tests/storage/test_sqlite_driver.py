"""How often a transaction crosses to the connection's thread, and that none stays open behind anybody's back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from storage.engine import Database
from storage.errors import StoreUnavailable
from storage.sqlite_driver import Connection


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    """An SQLite file with a table and one pooled connection that was used before."""
    database = Database(f"sqlite:///{tmp_path / 'store.db'}", lock_wait=0.2)
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE things (n INTEGER)"))
    yield database
    await database.close()


@pytest.fixture
def crossings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What crossed to a connection's thread, by the name of what was called there."""
    found: list[str] = []
    cross: Any = Connection._execute

    async def counted(self: Connection, run: Any, *arguments: Any, **named: Any) -> Any:
        found.append(run.__name__)
        return await cross(self, run, *arguments, **named)

    monkeypatch.setattr(Connection, "_execute", counted)
    return found


async def test_a_statement_and_the_end_of_its_transaction_are_all_that_crosses(
    store: Database, crossings: list[str]
) -> None:
    """Not the beginning, and not the rollback by which the pool makes sure."""
    async with store.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar_one() == 0
    assert crossings == ["_begun", "commit"]


async def test_a_transaction_without_a_statement_crosses_never(store: Database, crossings: list[str]) -> None:
    """There is nothing to end."""
    async with store.writing():
        pass
    assert crossings == []


async def test_a_writing_transaction_holds_the_lock_from_its_first_statement(store: Database, tmp_path: Path) -> None:
    """Even if that statement only reads."""
    other = Database(store.url, lock_wait=0.1)
    async with store.writing() as connection:
        await connection.execute(text("SELECT count(*) FROM things"))
        with pytest.raises(StoreUnavailable):
            async with other.writing() as second:
                await second.execute(text("INSERT INTO things VALUES (1)"))
    await other.close()


async def test_what_was_undone_is_not_there(store: Database) -> None:
    """An exception in the block undoes its statements."""
    with suppress(ZeroDivisionError):
        async with store.writing() as connection:
            await connection.execute(text("INSERT INTO things VALUES (1)"))
            raise ZeroDivisionError
    async with store.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar_one() == 0


async def test_a_caller_that_went_away_leaves_no_transaction_open(store: Database) -> None:
    """Cancelled while its statement ran in the connection's thread, it holds the lock no longer."""
    slow = text(
        "INSERT INTO things WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
        " SELECT i FROM n"
    )

    async def write() -> None:
        async with store.writing() as connection:
            running.set()
            await connection.execute(slow)

    for _ in range(3):
        running = asyncio.Event()
        writing = asyncio.create_task(write())
        await running.wait()
        for _ in range(4):
            await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    patient = Database(store.url, lock_wait=5)
    async with patient.writing() as connection:
        await connection.execute(text("INSERT INTO things VALUES (1)"))
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar_one() == 1
    await patient.close()
