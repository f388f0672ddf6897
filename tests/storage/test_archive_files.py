"""The archive's folder: written once, whole or not at all, and nothing leads out of it."""

import asyncio
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.archive_files import ABANDONED, ArchiveFolder, ArchiveUnavailable, NotArchived, location_of

RUN = "0198f2a4-0000-7000-8000-000000000001"
PLACE = location_of("tokyo-2026", 1, RUN)


@pytest.fixture
def folder(tmp_path: Path) -> ArchiveFolder:
    return ArchiveFolder(tmp_path / "archive")


def files(folder: Path) -> list[str]:
    """Every file below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_what_is_kept_is_read_back(folder: ArchiveFolder, tmp_path: Path) -> None:
    """At a place that sorts by the trail, readable by its owner alone, and not writable by anybody."""
    assert f"tokyo-2026/00000001-{RUN}.json.gz" == PLACE
    assert await folder.keep(PLACE, b"history") == b"history"
    assert await folder.read(PLACE) == b"history"
    assert files(tmp_path / "archive") == [PLACE]
    assert stat.S_IMODE((tmp_path / "archive" / PLACE).stat().st_mode) == 0o400
    assert stat.S_IMODE((tmp_path / "archive").stat().st_mode) == 0o700


async def test_what_stands_is_never_replaced(folder: ArchiveFolder) -> None:
    """Who comes second learns what stands there; also of many that come at once exactly one is first."""
    await folder.keep(PLACE, b"first")
    assert await folder.keep(PLACE, b"second") == b"first"
    assert await folder.read(PLACE) == b"first"
    place = location_of("tokyo-2026", 9, RUN)
    kept = await asyncio.gather(*(folder.keep(place, f"{n}".encode()) for n in range(16)))
    assert set(kept) == {await folder.read(place)}


async def test_nothing_stands_there(folder: ArchiveFolder) -> None:
    """An empty archive answers like one that lacks this run."""
    with pytest.raises(NotArchived):
        await folder.read(PLACE)


@pytest.mark.parametrize(
    "place",
    [
        "../keys/master.key",
        "/etc/passwd",
        f"tokyo/../../00000001-{RUN}.json.gz",
        f"../00000001-{RUN}.json.gz",
        f"tokyo/a/00000001-{RUN}.json.gz",
        f"tokyo/00000001-{RUN}.json.gz\n",
        "",
    ],
)
async def test_no_place_leads_out_of_the_archive(folder: ArchiveFolder, place: str) -> None:
    """Whatever a register that was tampered with says."""
    with pytest.raises(NotArchived):
        await folder.read(place)
    with pytest.raises(NotArchived):
        await folder.keep(place, b"x")


async def test_what_a_crash_left_is_swept(folder: ArchiveFolder, tmp_path: Path) -> None:
    """A part that nobody finished goes after a day; one that is being written stays."""
    await folder.sweep()
    await folder.keep(PLACE, b"history")
    incoming = tmp_path / "archive" / ".incoming"
    (incoming / "part_old").write_bytes(b"half")
    (incoming / "part_new").write_bytes(b"half")
    old = (incoming / "part_old").stat().st_mtime - ABANDONED - 1
    os.utime(incoming / "part_old", (old, old))
    await folder.sweep()
    assert files(tmp_path / "archive") == [".incoming/part_new", PLACE]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kilobytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64k,mode=0700", "legation-test", str(disk)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs the rights of an administrator")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def remount(disk: Path, how: str) -> None:
    """Mount a disk anew as `ro` or `rw`."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def test_a_full_disk_takes_nothing_by_halves(small_disk: Path) -> None:
    """It is said, nothing is left of the attempt, and with room again the same is kept."""
    folder = ArchiveFolder(small_disk)
    await folder.keep(PLACE, b"x" * 4096)
    before = files(small_disk)
    place = location_of("tokyo-2026", 2, RUN)
    with pytest.raises(ArchiveUnavailable) as full:
        await folder.keep(place, b"x" * 100_000)
    assert (full.value.reason, str(full.value)) == ("disk_full", "the archive is unavailable: disk_full")
    assert files(small_disk) == before
    assert await folder.keep(place, b"x" * 4096) == b"x" * 4096


async def test_a_read_only_disk_is_said_and_read_all_the_same(small_disk: Path) -> None:
    """What stands there is still good; what is new waits until it can be written."""
    folder = ArchiveFolder(small_disk)
    await folder.keep(PLACE, b"history")
    remount(small_disk, "ro")
    place = location_of("tokyo-2026", 2, RUN)
    with pytest.raises(ArchiveUnavailable) as refused:
        await folder.keep(place, b"history")
    assert refused.value.reason == "read_only"
    assert await folder.read(PLACE) == b"history"
    remount(small_disk, "rw")
    assert await folder.keep(place, b"history") == b"history"


async def test_a_folder_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    """A wrong setting is said like a broken disk."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiveUnavailable) as refused:
        await ArchiveFolder(tmp_path / "file").keep(PLACE, b"x")
    assert refused.value.reason == "cannot_open"
