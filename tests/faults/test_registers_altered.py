"""Row 9, the tables that rights come from: what stands there and was never sealed is found, with table, row and field.

The fixed cells are the ways to a right that nobody gave; `make faults` changes every column of every row.
"""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Table, delete, event, select, update

from activities.verification import Verification
from audit.registered import TABLES
from domain.bilingual import Bilingual
from domain.erasure import Traces
from domain.institution import Organisation, Position
from storage.accounts import AccountDetails, Accounts, account_roles, accounts, tokens
from storage.archive_files import ArchiveFolder
from storage.archived_runs import ArchivedRuns
from storage.as_stored import read_any_text
from storage.challenges import Challenges
from storage.engine import Database
from storage.identities import Identities, identities
from storage.institution import Institution, organisations
from storage.keyring import Keyring, MasterKey
from storage.leaves import Leaves, leaves
from storage.migrate import migrate_now
from storage.passkeys import Passkeys, RelyingParty, passkeys
from storage.redaction import Redaction
from storage.tenures import Tenures, closed_desks, positions, tenures
from tests.authenticator import Authenticator
from tests.faults.installation import Server
from tests.faults.page import Note
from tests.postgresql import fresh_database

START = datetime(2026, 1, 5, tzinfo=UTC)
ORIGIN = "https://legation.example"
Found = set[tuple[str, str | None, str | None, str | None]]


def name(vi: str, en: str) -> Bilingual:
    """A name in both languages."""
    return Bilingual(vi=vi, en=en)


async def administer(database: Database) -> None:
    """Every kind of change that the registers of rights know, each of them sealed."""
    keyring = Keyring([MasterKey.of(bytes(range(32)))])
    register, people = Institution(database), Accounts(database, keyring)
    union = Organisation(slug="song-lam", kind="provincial_union", name=name("Sông Lam", "Song Lam"), since=START)
    await register.add_organisation(union, by="root")
    part = Organisation(
        slug="ban", kind="member_organisation", parent="song-lam", name=name("Ban", "Part"), since=START
    )
    await register.add_organisation(part, by="root")
    later = START + timedelta(days=30)
    await register.change_organisation(part.model_copy(update={"name": name("Ban mới", "P2"), "since": later}), by="x")
    await register.end_organisation("ban", later + timedelta(days=3000), by="root")
    heir = part.model_copy(update={"slug": "ban-moi", "name": name("Ban kế tục", "Heir")})
    old = part.model_copy(update={"slug": "ban-cu", "name": name("Ban cũ", "Old part")})
    for further in (heir, old):
        await register.add_organisation(further, by="root")
    await register.end_organisation("ban-cu", later, successor="ban-moi", by="root")
    for slug in ("chair", "finance", "clerk"):
        bound = "song-lam" if slug == "chair" else None
        await register.add_position(Position(slug=slug, organisation=bound, title=name("Chức", "T")), by="root")
    for one in ("mai", "hung", "lan", "gone"):
        roles: Any = ("coordinator", "approver")
        await people.create(AccountDetails(id=one, name=one, roles=roles, organisation="song-lam"))
    moved = AccountDetails(id="lan", name="Lan", roles=("auditor",), positions=("finance",), person="per_lan00000")
    await people.change(moved, by="root")
    tenure = await register.hold("mai", "chair", START, None, by="root")
    await Tenures(database).end(tenure.id, START + timedelta(days=3000), by="root")
    await register.hold("mai", "finance", START, None, by="root")
    away, back = START + timedelta(days=400), START + timedelta(days=420)
    leave = await Leaves(database).register("mai", "hung", away, back, ("chair",), by="mai")
    await Leaves(database).change_end(leave.id, away + timedelta(days=5), by="mai")
    other = await Leaves(database).register("hung", "mai", START, START + timedelta(days=9), by="hung")
    await Leaves(database).revoke(other.id, by="hung")
    party = RelyingParty("legation.example", "Legation", ORIGIN)
    keys = Passkeys(database, keyring, Challenges(database, timedelta(minutes=5)), party)
    for account in ("hung", "hung", "gone"):
        await keys.register(account, Authenticator(ORIGIN).create(await keys.registration(account)), "Thẻ")
    first, *_ = await keys.of("hung")
    await keys.remove(first.id, "hung")
    providers = Identities(database, keyring)
    await providers.unlink((await providers.link("hung", "https://login.example", "s-0")).id)
    await providers.link("hung", "https://login.example", "s-1")
    await people.create_token("mai", expires_at=START + timedelta(days=2000))
    token, _ = await people.create_token("mai")
    await people.revoke(token.id)
    await people.create_token("gone")
    await people.create(AccountDetails(id="back", name="Back", roles=("approver",), organisation="song-lam"))
    await people.create_token("back")
    await people.disable("back", by="root")
    await people.enable("back", by="root")
    held = await register.hold("mai", "clerk", START, None, by="root")
    await Tenures(database).end(held.id, START + timedelta(days=40), by="root")
    await register.rename_position("clerk", name("Văn thư", "Clerk"), by="root")
    await register.close_desk("clerk", "song-lam", by="root")
    await register.end_position("clerk", by="root")
    # An erasure deletes what somebody signed in with and leaves the log as it is.
    await Redaction(database, keyring).accounts(Traces(accounts=("gone",)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that everybody changed as they may."""
    path = tmp_path_factory.mktemp("registers") / "store.db"
    migrate_now(f"sqlite:///{path}")

    async def fill() -> None:
        database = Database(f"sqlite:///{path}", synchronous="OFF")
        await administer(database)
        await database.close()

    asyncio.run(fill())
    return path


async def verified(database: Database) -> Found:
    """Code, table, row and fields of everything that is found in the registers."""

    async def replay(history: object) -> str | None:
        return None

    files = ArchiveFolder(Path("nowhere"))
    verification = Verification(database, Server([]), ArchivedRuns(database), files, None, replay)
    found = [one for name in TABLES for one in (await verification.register(f"register:{name}")).findings]
    return {(one.code, one.table, one.row, one.reason) for one in found}


async def found_in(path: Path) -> Found:
    """The same, of a store in a file."""
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    read_any_text(database)
    try:
        return await verified(database)
    finally:
        await database.close()


class Altered:
    """The store while something is changed behind everybody's back; as it was once that is over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.kept = path.read_bytes()

    def __enter__(self) -> sqlite3.Connection:
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        return self._connection

    def __exit__(self, *raised: object) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        self._path.write_bytes(self.kept)


def id_of(path: Path, sql: str) -> str:
    """One value of the store."""
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute(sql).fetchone()
        return str(found)


LEAVE = "SELECT id FROM leaves WHERE account = 'mai' AND replaced_at IS NULL"
CHAIR = "SELECT id FROM tenures WHERE position = 'chair' AND replaced_at IS NULL"
KEY, IDENTITY = "SELECT id FROM passkeys", "SELECT id FROM identities"
UNION = "SELECT slug || ' ' || since FROM organisations WHERE slug = 'song-lam'"
DESK = "SELECT position || ' ' || organisation || ' ' || closed_at FROM closed_desks"
HEIR = "SELECT slug || ' ' || since FROM organisations WHERE slug = 'ban-cu'"
FIXED: dict[str, tuple[str, str, str, str, str | None]] = {
    "a leave goes on": ("UPDATE leaves SET until = '2036'", "row_differs", "leaves", LEAVE, "until"),
    "its substitute is another": ("UPDATE leaves SET substitute = 'x'", "row_differs", "leaves", LEAVE, "substitute"),
    "its older version counts": ("UPDATE leaves SET replaced_at = NULL", "row_unsealed", "leaves", LEAVE, None),
    "no text": ("UPDATE leaves SET substitute = CAST(x'ff' AS TEXT)", "row_differs", "leaves", LEAVE, "substitute"),
    "a tenure goes on": ("UPDATE tenures SET until = NULL", "row_differs", "tenures", CHAIR, "until"),
    "everywhere": ("UPDATE tenures SET organisation = NULL", "row_differs", "tenures", CHAIR, "organisation"),
    "somebody holds a position": (
        (
            "INSERT INTO tenures (id, version, account, position, since, recorded_at, recorded_by) "
            "VALUES ('ten_x', 1, 'lan', 'chair', '2020', '2020', 'root')"
        ),
        *("row_unsealed", "tenures", "SELECT 'ten_x'", None),
    ),
    "a role": ("INSERT INTO account_roles VALUES ('lan', 'x')", "row_differs", "accounts", "SELECT 'lan'", "roles"),
    "opened again": ("UPDATE accounts SET disabled_at = NULL", "row_differs", "accounts", "SELECT 'gone'", "disabled"),
    "another person's": ("UPDATE accounts SET person = 'x'", "row_differs", "accounts", "SELECT 'lan'", "person"),
    "a passkey": (
        "UPDATE passkeys SET public_key = x'00'",
        "row_differs",
        "passkeys",
        "SELECT id FROM passkeys",
        "key",
    ),
    "an identity": ("DELETE FROM identities", "row_missing", "identities", IDENTITY, None),
    "a token": (
        "INSERT INTO tokens (id, account, digest, created_at) VALUES ('tok_x', 'mai', 'd', '2020')",
        *("row_unsealed", "tokens", "SELECT 'tok_x'", None),
    ),
    "a parent": ("UPDATE organisations SET parent = 'x'", "row_differs", "organisations", UNION, "parent"),
    "a desk is back": ("DELETE FROM closed_desks", "row_missing", "closed_desks", DESK, None),
    "another heir": ("UPDATE organisations SET successor = 'x'", "row_differs", "organisations", HEIR, "successor"),
    "for all": (
        "UPDATE positions SET organisation = 1",
        "row_differs",
        "positions",
        "SELECT 'chair'",
        "organisation",
    ),
}
"""A statement, and what is found: code, table, which row, and field."""


async def test_what_was_changed_as_it_may_holds(store: Path) -> None:
    """Every kind of change, an erasure too."""
    assert await found_in(store) == set()


@pytest.mark.parametrize("what", list(FIXED))
async def test_a_right_that_nobody_gave_is_found(what: str, store: Path) -> None:
    """By table, row and field."""
    statement, code, table, row, field = FIXED[what]
    expected = (code, table, id_of(store, row), field)
    with Altered(store) as connection:
        connection.execute(statement)
        assert expected in await found_in(store)


LOOKED_AT: dict[Table, set[str]] = {
    account_roles: {"account", "role"},
    accounts: {"id", "organisation", "person", "disabled_at"},
    identities: {"id", "account", "issuer"},
    leaves: {"id", "account", "substitute", "positions", "since", "until", "revoked_at", "replaced_at"},
    organisations: {"slug", "since", "until", "kind", "parent", "name_vi", "name_en", "successor"},
    passkeys: {"id", "account", "public_key"},
    positions: {"slug", "organisation", "title_vi", "title_en", "ended_at"},
    closed_desks: {"position", "organisation", "closed_at"},
    tenures: {"id", "account", "position", "organisation", "since", "until", "replaced_at"},
    tokens: {"id", "account", "expires_at", "revoked_at"},
}
"""The columns that a right rests on, by hand. All others say when, how often, or what only the owner of a key reads."""


@pytest.mark.faults
async def test_every_column_of_every_row(store: Path, note: Note) -> None:
    """Another value in each; each row deleted. Those that say nothing of a right raise no alarm."""
    wrong: list[Any] = []
    tried = 0
    for table, looked_at in LOOKED_AT.items():
        with closing(sqlite3.connect(store)) as connection:
            current = " WHERE replaced_at IS NULL" if "replaced_at" in table.columns else ""
            numbers = [one for (one,) in connection.execute(f"SELECT rowid FROM {table.name}{current}")]  # noqa: S608
        for number in numbers:
            for column in table.columns:
                tried += 1
                other, binds = _other(store, table, column, number)
                with Altered(store) as connection:
                    change = f"UPDATE {table.name} SET {column.name} = ? WHERE rowid = ?"  # noqa: S608
                    connection.execute(change, (other, number))
                    if bool(await found_in(store)) != (column.name in looked_at and binds):
                        wrong.append((table.name, column.name, number))
            tried += 1
            with Altered(store) as connection:
                connection.execute(f"DELETE FROM {table.name} WHERE rowid = ?", (number,))  # noqa: S608
                if bool(await found_in(store)) != (table is not tokens):
                    wrong.append((table.name, "deleted", number))
    note(row="9", fault="the tables that rights come from, by column and row", cells=tried, found=tried - len(wrong))
    assert wrong == []


def _other(store: Path, table: Table, column: Column[Any], number: int) -> tuple[Any, bool]:
    """Another value, and whether it says something else: a time at which something was revoked or closed may differ."""
    with closing(sqlite3.connect(store)) as connection:
        (value,) = connection.execute(
            f"SELECT {column.name} FROM {table.name} WHERE rowid = ?",  # noqa: S608
            (number,),
        ).fetchone()
    if column.name in ("disabled_at", "revoked_at", "replaced_at", "until", "expires_at"):
        other = "2031-01-01T00:00:00.000000Z"
        return other, value is None or (table, column.name) not in ((accounts, "disabled_at"), (tokens, "revoked_at"))
    return (value + 1 if isinstance(value, int) else b"x" if isinstance(value, bytes) else f"{value or ''}x"), True


async def test_rows_are_compared_while_others_change_them(store: Path, tmp_path: Path) -> None:
    """Log and tables are read as they stood at one instant."""
    path = shutil.copy(store, tmp_path / "busy.db")
    database, writer = (Database(f"sqlite:///{path}", synchronous="OFF") for _ in range(2))
    asked: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def _noted(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)
        if "FROM tenures" in statement:
            with closing(sqlite3.connect(path)) as other:
                # What a change would leave half done if it were seen.
                other.execute("DELETE FROM tenures")
                other.commit()

    try:
        assert await verified(database) == set()
        assert any("FROM tenures" in one for one in asked)
        async with writer.reading() as connection:
            assert (await connection.execute(select(tenures))).all() == []
    finally:
        await database.close()
        await writer.close()


@pytest.mark.slow
async def test_it_is_the_same_on_postgresql() -> None:
    """Every kind of change holds; a leave that goes on is named."""
    with fresh_database() as url:
        database = Database(url)
        try:
            await administer(database)
            assert await verified(database) == set()
            async with database.writing() as connection:
                await connection.execute(update(leaves).where(leaves.c.account == "mai").values(until=START))
                await connection.execute(delete(identities))
            assert {one[:2] + one[3:] for one in await verified(database)} == {
                ("row_differs", "leaves", "until"),
                ("row_missing", "identities", None),
            }
        finally:
            await database.close()
