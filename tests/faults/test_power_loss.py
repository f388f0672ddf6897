"""Row 3: the store's write-ahead log cut at any 512 octets, as a power loss leaves it.

What remains is a prefix of the journal, decision by decision; verification names where it ends; a rebuild from the
histories puts back exactly what is missing.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.restoring import PutBack
from audit.history import events_of
from domain.seal import SealedEvent
from rebuild import Rebuild
from storage.migrate import migrate_now
from storage.projection import Projection
from storage.registers import Registers
from tests.faults.installation import OPEN, OPEN_RUN, Server, Small, beginning, history_of, open_file
from tests.faults.page import Note
from tests.faults.test_tampering import bad

SECTOR = 512
MASTER_KEY = bytes(range(32))


@dataclass(frozen=True)
class Written:
    """A database, its log as it stood before anything of it was carried over, and where each decision ends."""

    database: Path
    log: bytes
    small: Small
    events: tuple[SealedEvent, ...]
    ends: tuple[int, ...]

    def cut(self, at: int, folder: Path) -> Small:
        """The installation with its log cut."""
        folder.mkdir()
        shutil.copy(self.database, folder / "legation.db")
        (folder / "legation.db-wal").write_bytes(self.log[:at])
        return Small(folder, self.small.server)


class Trails:
    """Trails from the histories that the server has."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def runs(self) -> dict[str, list[str]]:
        """Their ids."""
        return {one: list(runs) for one, runs in (await self._server.runs()).items()}

    async def trail(self, delegation: str, runs: Collection[str] = (), *, at_least: int = 0) -> list[SealedEvent]:
        """What they carry."""
        return await events_of(await self._server.whole(delegation))


async def write(folder: Path) -> Written:
    """Project a file, one decision a transaction, into a database whose log is never carried over."""
    play = open_file()
    decisions = [one.decision for one in play.log]
    live = history_of(OPEN, OPEN_RUN, beginning(OPEN), decisions, following=None, open_=True)
    small = Small(folder, Server([live]))
    migrate_now(f"sqlite:///{small.database_file}")
    database = small.database()
    try:
        for one in decisions:
            await Projection(database).project(OPEN, one.events)
        kept = folder / "kept.db"
        shutil.copy(small.database_file, kept)
        log = (folder / "legation.db-wal").read_bytes()
    finally:
        await database.close()
    ends = [0]
    for one in decisions:
        ends.append(ends[-1] + len(one.events))
    return Written(kept, log, small, tuple(play.events), tuple(ends))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The database and its log."""
    return asyncio.run(write(tmp_path_factory.mktemp("written")))


def remaining(small: Small) -> list[str]:
    """The hashes of the journal that is left."""
    with closing(sqlite3.connect(small.database_file)) as connection:
        return [one for (one,) in connection.execute("SELECT hash FROM journal ORDER BY seq")]


async def named(written: Written, at: int, folder: Path) -> int:
    """Cut the log, look what is left, and what a verification says of it; return how many events are left."""
    small = written.cut(at, folder)
    left = remaining(small)
    assert left == [event.hash for event in written.events[: len(left)]]
    assert len(left) in written.ends
    missing = {} if len(left) == len(written.events) else {OPEN: ("journal_behind", len(left) + 1)}
    assert bad(await small.verified()) == missing
    return len(left)


async def healed(written: Written, small: Small, left: int) -> None:
    """Rebuild from the histories; what it put back is what was missing, and everything holds again."""
    registers = Registers.open(f"sqlite:///{small.database_file}", [MASTER_KEY], small.folder, synchronous="OFF")
    try:
        account = await Rebuild(Trails(written.small.server), registers).replace()
    finally:
        await registers.close()
    missing = len(written.events) - left
    assert account.findings == []
    assert account.put_back == ([PutBack(OPEN, left + 1, len(written.events), missing)] if missing else [])
    assert remaining(small) == [event.hash for event in written.events]
    assert bad(await small.verified()) == {}


@pytest.mark.parametrize("part", [0, 0.2, 0.5, 0.8, 1])
async def test_a_cut_log_is_named_and_healed(part: float, written: Written, tmp_path: Path) -> None:
    """At the beginning, here and there, and not at all."""
    at = int(len(written.log) * part) // SECTOR * SECTOR
    left = await named(written, at, tmp_path / "cut")
    await healed(written, Small(tmp_path / "cut", written.small.server), left)


@pytest.mark.faults
@pytest.mark.timeout(1800)
async def test_a_log_cut_at_every_sector(written: Written, tmp_path: Path, note: Note) -> None:
    """Every 512 octets; each prefix that can remain does remain somewhere, and is healed."""
    prefixes: set[int] = set()
    cuts = range(0, len(written.log) + SECTOR, SECTOR)
    for at in cuts:
        folder = tmp_path / str(at)
        left = await named(written, at, folder)
        if left not in prefixes:
            prefixes.add(left)
            await healed(written, Small(folder, written.small.server), left)
        shutil.rmtree(folder)
    note(row="3", fault="the write-ahead log cut at every 512 octets", cuts=len(cuts), prefixes=len(prefixes))
    assert prefixes == set(written.ends)
