"""An SQLite connection for the event loop whose statements cross to the connection's thread once, not four times.

aiosqlite makes the cursor, executes, fetches and closes in a crossing each; every one waits for the other thread to be
scheduled. Here a statement and its rows are one crossing, a transaction begins in that of its first statement, and
nothing crosses to end one that is over (measured: `benchmarks/README.md`).
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import aiosqlite

CHUNK = 64


class Statement:
    """A cursor as SQLAlchemy's adapter of aiosqlite uses one: all its rows are there once `execute` has returned."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        """Execute a statement and fetch what it returns; `BEGIN …` waits for the statement after it."""
        if sql.startswith("BEGIN"):
            self._connection.beginning = sql
        else:
            await self._connection.in_thread(self._run, sql, parameters, many=False)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """Execute a statement once for each set of parameters."""
        await self._connection.in_thread(self._run, sql, parameters, many=True)
        return self

    async def fetchall(self) -> Sequence[Any]:
        """Return the rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is left open after `execute`."""

    def _run(self, connection: sqlite3.Connection, sql: str, parameters: Any, many: bool) -> None:
        cursor = connection.executemany(sql, parameters) if many else connection.execute(sql, parameters)
        try:
            self.description, self.lastrowid = cursor.description, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
            # After the rows: with RETURNING, SQLite counts a row as changed when it is fetched.
            self.rowcount = cursor.rowcount
        finally:
            cursor.close()


class Connection(aiosqlite.Connection):
    """A connection of aiosqlite that hands out such cursors. `beginning` is how its next statement begins.

    While a cancelled statement still runs, `in_transaction` may be wrong; SQLAlchemy then closes the connection.
    """

    beginning: str | None = None

    def cursor(self) -> Statement:  # type: ignore[override]  # without its detour through a context manager
        """Return a cursor that has not crossed yet."""
        return Statement(self)

    async def in_thread(self, run: Callable[..., None], *arguments: Any, **named: Any) -> None:
        """Call `run` with the sqlite3 connection in the connection's own thread, in the transaction that is wanted."""
        beginning, self.beginning = self.beginning, None
        await self._execute(_begun, self._conn, beginning, run, arguments, named)  # type: ignore[no-untyped-call]

    async def commit(self) -> None:
        """Commit, if anything has begun."""
        self.beginning = None
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Undo, if anything has begun."""
        self.beginning = None
        if self.in_transaction:
            await super().rollback()


def _begun(
    connection: sqlite3.Connection,
    beginning: str | None,
    run: Callable[..., None],
    arguments: tuple[Any, ...],
    named: dict[str, Any],
) -> None:
    if beginning:
        connection.execute(beginning).close()
    run(connection, *arguments, **named)


async def connect(path: str, **arguments: Any) -> Connection:
    """Open a connection; takes what `sqlite3.connect` takes. Its thread does not keep the process alive."""
    connection = Connection(lambda: sqlite3.connect(path, **arguments), CHUNK)
    connection._thread.daemon = True
    await connection
    return connection
