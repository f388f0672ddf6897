"""The archive's disk full or read-only: an honest failure, nothing half-written, people are told, and it heals."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.archive import Archiving
from storage.archive_files import ArchiveFolder
from tests.faults.page import Note
from tests.faults.test_store import fill, remounted
from tests.running import Running, running
from tests.temporal import Connect, TemporalServer
from tests.workflows.test_archive import closed_file
from workflows.ports import ArchiveInput

pytestmark = pytest.mark.slow

RETENTION = timedelta(days=3650)


@pytest.fixture(scope="module")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server of this file's own: a round looks at every delegation of the namespace."""
    server = TemporalServer(tmp_path_factory.mktemp("temporal"))
    server.start()
    yield server
    server.kill()


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
async def here(
    tmp_path: Path, connect: Connect, temporal_server: TemporalServer, small_disk: Path
) -> AsyncIterator[Running]:
    """An installation whose archive is on the small disk, with one closed file."""
    async with running(tmp_path, connect, temporal_server.address) as installation:
        installation.registers = replace(installation.registers, archive_files=ArchiveFolder(small_disk))
        await listed_closed_file(installation)
        yield installation


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


async def test_a_full_archive(here: Running, small_disk: Path, note: Note) -> None:
    """Not one page is left for a history; commands go on."""
    note(row="2", fault="archive's disk full")
    await asyncio.to_thread(fill, small_disk / "ballast")
    await fails(here, "disk_full")
    assert files(small_disk) == []
    await listed_closed_file(here)
    (small_disk / "ballast").unlink()
    await heals(here)


async def test_a_read_only_archive(here: Running, small_disk: Path, note: Note) -> None:
    """What stands there can still be read."""
    note(row="2", fault="archive's disk read-only")
    first = here.id
    await heals(here)
    kept = files(small_disk)
    await listed_closed_file(here)
    assert await asyncio.to_thread(remounted, small_disk, "ro")
    await fails(here, "read_only")
    assert files(small_disk) == kept
    [row] = await here.registers.archived_runs.of(first)
    assert len(await here.registers.archive_files.read(row.location)) == row.size
    assert await asyncio.to_thread(remounted, small_disk, "rw")
    await heals(here)
