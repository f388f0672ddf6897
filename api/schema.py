"""Whether the store has the schema of this release. The API never migrates: that is done once, before it starts."""

from functools import cache
from pathlib import Path

import structlog
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import storage
from storage.engine import Database
from storage.errors import StoreUnavailable

log = structlog.get_logger()


class SchemaOutdated(RuntimeError):
    """The store was not brought to the schema of this release."""

    def __init__(self) -> None:
        super().__init__("The database does not have the schema of this release: start it with `legation up`.")


@cache
def newest() -> str | None:
    """Return the revision that this release was made for."""
    return ScriptDirectory(str(Path(storage.__file__).parent / "migrations")).get_current_head()


async def schema_is_current(database: Database) -> bool:
    """Whether the store has exactly that revision; raises StoreUnavailable."""
    async with database.reading() as connection:
        found = await connection.run_sync(lambda plain: MigrationContext.configure(plain).get_current_revision())
    return found == newest()


async def require_schema(store: Database | str) -> None:
    """Raise SchemaOutdated for a store, or the store at a URL, that has another schema.

    A store that does not answer is let pass: the API says 503 until it does.
    """
    database = Database(store) if isinstance(store, str) else store
    try:
        if not await schema_is_current(database):
            raise SchemaOutdated
    except StoreUnavailable as unavailable:
        log.warning("store_unavailable", reason=unavailable.reason)
    finally:
        if database is not store:
            await database.close()
