"""What a caller hears when the store cannot answer: one error, mapped from the drivers' own in this place only."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_PROTOCOL: "locked",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_IOERR: "io_error",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_PERM: "cannot_open",
    sqlite3.SQLITE_NOMEM: "out_of_memory",
}
"""Primary result codes (sqlite.org/rescode.html); the extended code keeps the primary one in its low byte."""

POSTGRESQL_UNAVAILABLE = {
    "25006": "read_only",
    "40001": "locked",
    "40P01": "locked",
    "53100": "disk_full",
    "53200": "out_of_memory",
    "53300": "too_many_connections",
    "55P03": "locked",
    "57014": "locked",
    "58030": "io_error",
    "XX001": "damaged",
    "XX002": "damaged",
}
"""SQLSTATE codes (PostgreSQL documentation, appendix A). Classes 08 and 57P mean that the connection is gone."""


FILE_UNAVAILABLE = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
    errno.ENOTDIR: "cannot_open",
    errno.EIO: "io_error",
    errno.EFBIG: "io_error",
    errno.EMFILE: "out_of_files",
    errno.ENFILE: "out_of_files",
}
"""What the operating system says of a file it cannot write or read."""


class StoreUnavailable(Exception):
    """The database cannot take or give anything now; nothing of the transaction was kept.

    `reason` is one of locked, read_only, disk_full, io_error, damaged, cannot_open, out_of_memory,
    out_of_files, too_many_connections, disconnected. The text names neither statement nor values: it may be logged.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store is unavailable: {reason}")
        self.reason = reason


def as_unavailable(error: Exception) -> StoreUnavailable | None:
    """Return the honest error for a failure of the store, or None for a mistake in our own statement."""
    if isinstance(error, StoreUnavailable):
        return error
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("too_many_connections")
    if isinstance(error, ConnectionError):
        return StoreUnavailable("disconnected")
    if isinstance(error, OSError):
        reason = FILE_UNAVAILABLE.get(error.errno or 0)
        return StoreUnavailable(reason) if reason else None
    driver = error.orig if isinstance(error, DBAPIError) else error
    reason = _sqlite_reason(driver) if isinstance(driver, sqlite3.Error) else _postgresql_reason(driver)
    if reason is None and isinstance(error, DBAPIError) and error.connection_invalidated:
        reason = "disconnected"
    return StoreUnavailable(reason) if reason else None


def _sqlite_reason(error: sqlite3.Error) -> str | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return SQLITE_UNAVAILABLE.get(code & 0xFF)
    # The driver raises this one itself, without a result code, after its connection was closed under it.
    return "disconnected" if "connection" in str(error).lower() else None


def _postgresql_reason(error: BaseException | None) -> str | None:
    if type(error).__module__.partition(".")[0] not in ("psycopg", "psycopg_pool"):
        return None
    state = getattr(error, "sqlstate", None)
    if state is None:
        # psycopg's OperationalError without a state is a connection that was refused or lost.
        return "disconnected" if type(error).__name__ in ("OperationalError", "ConnectionTimeout") else None
    if state.startswith(("08", "57P")):
        return "disconnected"
    return POSTGRESQL_UNAVAILABLE.get(state)


@contextmanager
def honest() -> Iterator[None]:
    """Turn a failure of the store inside the block into StoreUnavailable; anything else passes as it is."""
    try:
        yield
    except Exception as error:
        unavailable = as_unavailable(error)
        if unavailable is None or unavailable is error:
            raise
        raise unavailable from error
