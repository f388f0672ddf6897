"""Histories that the server deleted, and an archive whose disk is full or read-only.

What was archived stands in for what is gone; what cannot be archived now is said honestly, and heals by itself.
"""

import asyncio
import gzip
import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.archive import Archiving
from audit.closed_run import ArchiveDamaged
from audit.history import RunMissing
from rebuild import Finding, Rebuild
from storage.archive_files import ArchiveFolder
from storage.journal import journal
from storage.read_model import READ_TABLES
from storage.register_log import RegisterLog
from tests.archived import (
    PATIENCE,
    archiving,
    closed_file,
    continued_file,
    end,
    forget,
    here,
    histories,
    listed,
    temporal_server,
)
from tests.faults.page import Note
from tests.faults.test_store import fill, remounted
from tests.running import Running
from workflows.ports import Archived, ArchiveInput

pytestmark = pytest.mark.slow

__all__ = ["here", "temporal_server"]

RETENTION = timedelta(days=3650)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 128 kilobytes for the archive alone."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=128k,mode=0700", "legation-test", str(disk)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs the rights of an administrator")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
async def small(here: Running, small_disk: Path) -> Running:
    """An installation whose archive is on the small disk, with one closed file."""
    here.registers = replace(here.registers, archive_files=ArchiveFolder(small_disk))
    await listed_closed_file(here)
    return here


async def listed_closed_file(here: Running) -> None:
    """One more closed file, which the server's list names as closed."""
    closed = await closed_file(here)
    async with asyncio.timeout(30):
        while not [one async for one in here.client.list_workflows(f"WorkflowId = '{closed}'") if one.close_time]:
            await asyncio.sleep(0.02)


async def fails(here: Running, reason: str) -> None:
    """A round says why it cannot, people see it, and nothing was entered or left behind."""
    work = Archiving(here.client, here.registers, RETENTION)
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(work.archive, ArchiveInput())
    assert (failed.value.type, failed.value.non_retryable) == ("archive_unavailable", False)
    assert str(failed.value) == f"archive_unavailable: the archive is unavailable: {reason}"
    state = await here.registers.archived_runs.state()
    assert state is not None
    assert (state.failure, state.alarm(datetime.now(UTC), RETENTION)) == (reason, "archive_failing")
    assert state.waiting >= 1
    assert await here.registers.archived_runs.of(here.id) == []


async def heals(here: Running) -> None:
    """The next round brings everything, and the alarm is over."""
    done = await Archiving(here.client, here.registers, RETENTION).round()
    assert (done.waiting, done.failure) == (0, None)
    state = await here.registers.archived_runs.state()
    assert state is not None
    assert state.alarm(datetime.now(UTC), RETENTION) is None
    [row] = await here.registers.archived_runs.of(here.id)
    assert len(await here.registers.archive_files.read(row.location)) == row.size


def files(disk: Path) -> list[Path]:
    """Every file on the disk but the ballast."""
    return sorted(path for path in disk.rglob("*") if path.is_file() and path.name != "ballast")


async def test_a_full_archive(small: Running, small_disk: Path, note: Note) -> None:
    """Not one page is left for a history; commands go on."""
    note(row="2", fault="archive's disk full")
    await asyncio.to_thread(fill, small_disk / "ballast")
    await fails(small, "disk_full")
    assert files(small_disk) == []
    await listed_closed_file(small)
    (small_disk / "ballast").unlink()
    await heals(small)


async def test_a_read_only_archive(small: Running, small_disk: Path, note: Note) -> None:
    """What stands there can still be read."""
    note(row="2", fault="archive's disk read-only")
    first = small.id
    await heals(small)
    kept = files(small_disk)
    await listed_closed_file(small)
    assert await asyncio.to_thread(remounted, small_disk, "ro")
    await fails(small, "read_only")
    assert files(small_disk) == kept
    [row] = await small.registers.archived_runs.of(first)
    assert len(await small.registers.archive_files.read(row.location)) == row.size
    assert await asyncio.to_thread(remounted, small_disk, "rw")
    await heals(small)


async def test_what_the_server_deleted_is_read_from_the_archive(here: Running, note: Note) -> None:
    """Every closed run of a file that was continued, closed and reopened stands in the archive as the server had it.

    Once its histories are deleted, while the file is open in a later run, trail and rebuild are what they were.
    """
    note(row="10", fault="closed runs deleted by the server's retention while the file is open in a later run")
    chain = await continued_file(here)
    await end(here)
    await here.send({"type": "reopen_delegation", "reason": await here.text("Sửa lỗi.")})
    await here.idle()
    events = await here.registers.journal.events(here.id)
    whole = {run: await here.client.get_workflow_handle(here.id, run_id=run).fetch_history() for run in chain}
    places = await histories(here).places(here.id)
    assert set(places) == {event.hash for event in events}
    await listed(here, 2)

    assert await archiving(here).round() == Archived(archived=2, waiting=0)
    rows = await here.registers.archived_runs.of(here.id)
    assert [row.run_id for row in rows] == chain
    assert (rows[0].first_seq, rows[1].first_seq) == (1, rows[0].last_seq + 1)
    assert [events[row.last_seq - 1].hash for row in rows] == [row.head for row in rows]
    assert rows[1].prev_head == rows[0].head
    assert (rows[0].following, rows[1].following) == (chain[1], None)
    for row in rows:
        stored = (here.settings.data_dir / "archive" / row.location).read_bytes()
        content = gzip.decompress(stored)
        assert json.loads(content) == whole[row.run_id].to_json_dict()
        assert stored[4:8] == bytes(4), "no time of packing in it"
        assert row.digest == hashlib.sha256(stored).hexdigest()
        assert row.content_digest == hashlib.sha256(content).hexdigest()
        assert row.size == len(stored)
    sealed = await RegisterLog(here.registers.database).entries("archive")
    assert [one.data["after"] for one in sealed] == [row.sealed() for row in rows]
    assert await archiving(here).round() == Archived(archived=0, waiting=0)

    for run in chain:
        await forget(here, here.id, run)
    with pytest.raises(RunMissing) as missing:
        await histories(here, archive=False).trail(here.id)
    assert missing.value.seq == 1
    assert await histories(here).trail(here.id) == events
    assert await histories(here).places(here.id) == places
    async with here.registers.database.writing() as connection:
        for table in (*READ_TABLES, journal):
            await connection.execute(delete(table))
    rebuild = Rebuild(histories(here), here.registers, patience=PATIENCE)
    assert (await rebuild.replace()).findings == []
    assert await here.registers.journal.events(here.id) == events
    assert (await rebuild.compare()).findings == []

    # And it says where it is when it is not what it was.
    damaged = here.settings.data_dir / "archive" / rows[1].location
    damaged.chmod(0o600)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    with pytest.raises(ArchiveDamaged) as refused:
        await histories(here).trail(here.id)
    assert (refused.value.location, refused.value.reason) == (rows[1].location, "digest")
    left = {digest: place for digest, place in places.items() if place.run_id != chain[1]}
    assert await histories(here).places(here.id) == left, "what one run no longer proves, the others still do"
    damaged.unlink()
    with pytest.raises(ArchiveDamaged) as refused:
        await histories(here).trail(here.id)
    assert (refused.value.location, refused.value.reason) == (rows[1].location, "missing")
    finding = Finding("archive_damaged", here.id, place=rows[1].location)
    assert (await Rebuild(histories(here), here.registers, patience=PATIENCE).compare()).findings == [finding]
    assert await archiving(here).round() == Archived(archived=0, waiting=0)
