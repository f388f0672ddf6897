"""Every test of the store runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.engine import Database
from storage.keyring import Keyring, MasterKey
from storage.migrate import migrate_now
from tests.postgresql import fresh_database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema and nothing else."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate_now(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """The URL of a new, migrated store on each engine."""
    if request.param == "sqlite":
        path = Path(shutil.copy(sqlite_template, tmp_path / "store.db"))
        yield f"sqlite+aiosqlite:///{path}"
    else:
        with fresh_database() as url:
            yield url


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    """A new, migrated store on each engine."""
    store = Database(store_url)
    yield store
    await store.close()


@pytest.fixture
def keyring() -> Keyring:
    """A keyring with one master key."""
    return Keyring([MasterKey.of(bytes(range(32)))])
