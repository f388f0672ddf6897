"""The connection to SQLite or PostgreSQL, and the two kinds of transaction everything else is written in."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.errors import StoreUnavailable, honest
from storage.sqlite_driver import connect

Synchronous = Literal["FULL", "NORMAL", "OFF"]

SPOILT = frozenset(
    {
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Primary result codes after which no SQLite connection that is open is used again."""

WRITES = "legation_writes"
"""Execution option of a connection whose next transaction will write."""

LOCK_WAIT = 5.0
"""Seconds a statement waits for another transaction's lock before the store counts as unavailable."""


def store_url(url: str | URL) -> URL:
    """Return the URL with the asynchronous driver of its engine.

    Takes `sqlite:///path`, `sqlite+aiosqlite:///path`, `postgresql://…` and `postgresql+psycopg://…`; refuses any
    other engine with ValueError.
    """
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"the store runs on SQLite or PostgreSQL, not on {other}")


def make_engine(url: str | URL, *, synchronous: Synchronous = "FULL", lock_wait: float = LOCK_WAIT) -> AsyncEngine:
    """Return an engine with the settings of design.md section 4 on every connection.

    On SQLite every transaction that writes begins with BEGIN IMMEDIATE, so it waits for the lock at once instead of
    failing when it first writes.
    """
    parsed = store_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_async_engine(
            parsed,
            connect_args={"async_creator_fn": connect, "isolation_level": None, "timeout": lock_wait},
            hide_parameters=True,
            pool_timeout=lock_wait,
        )
        dress_sqlite(engine.sync_engine, synchronous)
        return engine
    return create_async_engine(
        parsed,
        connect_args=_postgresql_arguments(lock_wait),
        hide_parameters=True,
        pool_timeout=lock_wait,
        pool_pre_ping=True,
    )


def make_plain_engine(url: str | URL, *, lock_wait: float) -> Engine:
    """Return a synchronous engine for migrations; every transaction on it writes."""
    parsed = store_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed.set(drivername="sqlite"), connect_args={"isolation_level": None, "timeout": lock_wait}
        )
        dress_sqlite(engine, "FULL")
        return engine.execution_options(**{WRITES: True})
    return create_engine(parsed, connect_args=_postgresql_arguments(lock_wait))


def dress_sqlite(engine: Engine, synchronous: Synchronous) -> None:
    """Set the pragmas of every new connection and begin transactions ourselves."""

    @event.listens_for(engine, "connect")
    def _pragmas(dbapi_connection: Any, _record: Any) -> None:
        cursor = dbapi_connection.cursor()
        try:
            # secure_delete overwrites deleted cells: an erased person's wrapped key must not survive in a free page.
            for pragma in (
                "journal_mode = WAL",
                f"synchronous = {synchronous}",
                "foreign_keys = ON",
                "secure_delete = ON",
            ):
                cursor.execute(f"PRAGMA {pragma}")
        finally:
            cursor.close()

    @event.listens_for(engine, "handle_error")
    def _renew(context: ExceptionContext) -> None:
        # What was opened on a read-only disk, or met a broken file, stays so; the next connection sees what was mended.
        code = getattr(context.original_exception, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in SPOILT:
            context.is_disconnect = True

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_arguments(lock_wait: float) -> dict[str, Any]:
    return {"options": f"-c lock_timeout={int(lock_wait * 1000)} -c timezone=UTC", "connect_timeout": 5}


class Database:
    """One store: short transactions on pooled connections, and one typed error when it cannot answer."""

    def __init__(self, url: str | URL, *, synchronous: Synchronous = "FULL", lock_wait: float = LOCK_WAIT) -> None:
        self.url = store_url(url)
        self.engine = make_engine(self.url, synchronous=synchronous, lock_wait=lock_wait)
        self._lock_wait = lock_wait
        # SQLite has one writer and no queue for it: waiters of the same process stand in line here instead of polling.
        self._turn = asyncio.Lock() if self.on_sqlite else None

    @property
    def on_sqlite(self) -> bool:
        """Whether the store is SQLite."""
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads; raises StoreUnavailable when the store cannot answer."""
        with honest():
            async with self.engine.connect() as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A transaction whose every statement reads the store as it stood at the first one."""
        with honest():
            async with self.engine.connect() as connection:
                # SQLite's transactions are snapshots by themselves.
                if not self.on_sqlite:
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: committed at the end, undone by any exception.

        Raises StoreUnavailable when the store cannot answer, also at the commit itself: then nothing was kept.
        """
        with honest():
            async with self._writers_turn(), self.engine.connect() as connection:
                await connection.execution_options(**{WRITES: True})
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def _writers_turn(self) -> AsyncIterator[None]:
        if self._turn is None:
            yield
            return
        try:
            await asyncio.wait_for(self._turn.acquire(), self._lock_wait)
        except TimeoutError:
            raise StoreUnavailable("locked") from None
        try:
            yield
        finally:
            self._turn.release()

    async def answers(self, *, by_writing: bool = False) -> bool:
        """Whether a migrated store can write now.

        It changes no row, so it does not tell whether the disk is full; `by_writing` does, at the price of a commit.
        """
        try:
            async with self.writing() as connection:
                # An empty writing transaction does not notice a read-only store; a statement that writes does.
                which = "" if by_writing else " WHERE 1 = 0"
                await connection.execute(text(f"UPDATE alembic_version SET version_num = version_num{which}"))  # noqa: S608
        except StoreUnavailable:
            return False
        return True

    async def scrub(self, tables: Sequence[str]) -> bool:
        """Remove the traces of deleted rows of these tables from the files the engine keeps; False if a reader held it.

        SQLite: the write-ahead log is emptied into the database, where deleted cells are already overwritten.
        PostgreSQL: the tables are vacuumed; its own write-ahead log and earlier backups are beyond reach.
        """
        with honest():
            async with self.engine.connect() as connection:
                if self.on_sqlite:
                    # The checkpoint runs outside a transaction, so past SQLAlchemy, which would begin one.
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                        busy, _, _ = await cursor.fetchone()
                    return not busy
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                for table in tables:
                    await connection.exec_driver_sql(f'VACUUM "{table}"')
                return True

    async def rewrite(self, tables: Sequence[str]) -> bool:
        """Write what stands in the files anew, so that nothing of deleted rows is left within a page; False if busy.

        SQLite: the whole file, which takes its size once more and holds other writers up meanwhile. PostgreSQL: these
        tables (VACUUM FULL). Pages that were moved keep pieces of cells; `secure_delete` alone does not reach those.
        """
        with honest():
            async with self._writers_turn(), self.engine.connect() as connection:
                if self.on_sqlite:
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    async with driver.execute("VACUUM"):
                        pass
                else:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    for table in tables:
                        await connection.exec_driver_sql(f'VACUUM FULL "{table}"')
        return await self.scrub(tables)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
