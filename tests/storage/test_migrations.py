"""Migrations lead to exactly the tables that the code describes."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from storage import migrate as migrate_module
from storage.engine import make_plain_engine
from storage.metadata import Instant
from storage.migrate import SchemaTooNew, _config, migrate, migrate_now
from storage.tables import ALL, metadata
from storage.tenures import tenures
from tests.postgresql import fresh_database

VERSIONS = Path(migrate_module.__file__).parent / "migrations" / "versions"
NEWEST = max(path.name.partition("_")[0] for path in VERSIONS.glob("0*.py"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store without a schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with fresh_database(migrated=False) as url:
            yield url


def test_the_migrated_schema_is_the_metadata(empty_url: str) -> None:
    """Nothing that a migration forgot, nothing that only a migration knows."""
    migrate_now(empty_url)
    engine = make_plain_engine(empty_url, lock_wait=5)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        found = {
            name: sorted(index["name"] or "" for index in inspect(connection).get_indexes(name))
            for name in metadata.tables
        }
    engine.dispose()
    described = {table.name: sorted(str(index.name) for index in table.indexes) for table in metadata.tables.values()}
    # PostgreSQL lists the index behind a unique constraint among the indexes.
    assert {name: [i for i in indexes if not i.startswith("uq_")] for name, indexes in found.items()} == described


def test_every_table_is_listed() -> None:
    """A new table must say whether it is a register, the journal or a read table."""
    assert {table.name for table in ALL} == set(metadata.tables)


async def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    """The second one waits for the first and finds nothing to do."""
    revisions = await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    assert revisions == [NEWEST] * 4


def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    """All or none, on SQLite too."""
    engine = make_plain_engine(empty_url, lock_wait=5)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE tokens (id INTEGER)"))
    with pytest.raises(Exception, match="tokens"):
        migrate_now(empty_url)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == ["tokens"]
    engine.dispose()


def test_a_store_of_a_newer_release_is_left_alone(empty_url: str) -> None:
    """An old release must not write into a schema it does not know."""
    migrate_now(empty_url)
    engine = make_plain_engine(empty_url, lock_wait=5)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SchemaTooNew, match="9999"):
        migrate_now(empty_url)


def test_positions_held_before_there_were_tenures_are_held_since_the_account_was_opened(empty_url: str) -> None:
    """Nobody loses or gains a right by an update."""
    engine = make_plain_engine(empty_url, lock_wait=5)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0001")
        opened = Instant().bind_processor(connection.dialect)
        at = datetime(2026, 3, 1, tzinfo=UTC)
        connection.execute(
            text("INSERT INTO accounts (id, ciphertext, created_at, changed_at) VALUES ('mai', :none, :at, :at)"),
            {"none": b"", "at": opened(at) if opened else at},
        )
        for position in ("finance", "president"):
            connection.execute(
                text("INSERT INTO account_positions (account, position) VALUES ('mai', :position)"),
                {"position": position},
            )
    migrate_now(empty_url)
    with engine.begin() as connection:
        columns = (tenures.c.account, tenures.c.position, tenures.c.since, tenures.c.until, tenures.c.version)
        rows = [tuple(row) for row in connection.execute(select(*columns).order_by(tenures.c.position))]
        assert "account_positions" not in inspect(connection).get_table_names()
    engine.dispose()
    assert rows == [("mai", "finance", at, None, 1), ("mai", "president", at, None, 1)]


def test_tenures_from_before_are_held_where_their_position_or_their_account_is(empty_url: str) -> None:
    """The position's own organisation counts first; who has none and whose position has none holds it everywhere."""
    engine = make_plain_engine(empty_url, lock_wait=5)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0021")
        stored = Instant().bind_processor(connection.dialect)
        when = stored(at) if stored else at
        for account, organisation in (("mai", "song-lam"), ("root", None)):
            connection.execute(
                text(
                    "INSERT INTO accounts (id, ciphertext, created_at, changed_at, organisation) "
                    "VALUES (:id, :none, :at, :at, :organisation)"
                ),
                {"id": account, "none": b"", "at": when, "organisation": organisation},
            )
        connection.execute(
            text(
                "INSERT INTO positions (slug, organisation, title_vi, title_en, recorded_at, recorded_by) "
                "VALUES ('finance', 'central', 'x', 'x', :at, 'root')"
            ),
            {"at": when},
        )
        for account, position in (("mai", "finance"), ("mai", "president"), ("root", "president")):
            connection.execute(
                text(
                    "INSERT INTO tenures (id, version, account, position, since, recorded_at, recorded_by) "
                    "VALUES (:id, 1, :account, :position, :at, :at, 'root')"
                ),
                {"id": f"{account}-{position}", "account": account, "position": position, "at": when},
            )
    migrate_now(empty_url)
    with engine.begin() as connection:
        found = {row.id: row.organisation for row in connection.execute(select(tenures.c.id, tenures.c.organisation))}
    engine.dispose()
    assert found == {"mai-finance": "central", "mai-president": "song-lam", "root-president": None}
