"""Bringing a store to the schema of this release, at every start."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from storage.engine import make_plain_engine
from storage.errors import honest

MIGRATION_WAIT = 60.0
"""Seconds to wait for another process that migrates."""

ADVISORY_LOCK = 0x6C656761
"""The number of the lock that PostgreSQL's migrating processes queue for: “lega”."""


class SchemaTooNew(RuntimeError):
    """The store was migrated by a newer release than this one."""

    def __init__(self, revision: str) -> None:
        super().__init__(f"the store has the schema {revision} of a newer release")
        self.revision = revision


async def migrate(url: str | URL) -> str:
    """Apply the migrations that are missing, all or none, and return the schema's revision.

    Several processes may start at once: one migrates, the others wait and find nothing to do. Raises SchemaTooNew,
    and StoreUnavailable when the store cannot be reached or written.
    """
    return await asyncio.to_thread(migrate_now, url)


def migrate_now(url: str | URL) -> str:
    """Do what `migrate` does, in this thread."""
    engine = make_plain_engine(url, lock_wait=MIGRATION_WAIT)
    try:
        with honest(), engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
            config = _config(connection)
            scripts = ScriptDirectory.from_config(config)
            current = MigrationContext.configure(connection).get_current_revision()
            if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
                raise SchemaTooNew(current)
            command.upgrade(config, "head")
            head = scripts.get_current_head()
            if head is None:
                raise RuntimeError("the release has no migrations")
            return head
    finally:
        engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
