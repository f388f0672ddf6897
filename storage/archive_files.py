"""Where the histories of closed runs are kept: a folder, or a bucket (storage/archive_bucket.py). Written once.

A place is `delegation/first-run.json.gz`: relative, so that an archive can be moved as a whole. What stands at a place
is never replaced; whoever comes to put something there learns what stands there.
"""

import asyncio
import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from storage.errors import StoreUnavailable, as_unavailable
from storage.references import new_reference

LOCATION = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?/[0-9]{8,}-[0-9a-f-]{36}\.json\.gz")
ABANDONED = 24 * 60 * 60
"""Seconds after which a part that nobody finished is what a crash left."""


class ArchiveUnavailable(StoreUnavailable):
    """The archive cannot take or give anything now; nothing half-written stands in it.

    `reason` as in the base, or `refused` where a server does not accept the key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.args = (f"the archive is unavailable: {reason}",)


class NotArchived(LookupError):
    """Nothing stands at this place of the archive, or it is no place of one."""


class ArchiveFiles(Protocol):
    """A place for write-once files."""

    async def keep(self, location: str, content: bytes) -> bytes:
        """Put `content` at a place that is free, durably, and return what stands there now: it, or what stood there.

        Raises ArchiveUnavailable; then the place is as it was.
        """
        ...

    async def read(self, location: str) -> bytes:
        """Return what stands at a place. Raises NotArchived and ArchiveUnavailable."""
        ...

    async def sweep(self) -> None:
        """Remove what crashes left unfinished."""
        ...


@runtime_checkable
class ListedArchive(Protocol):
    """An archive that can say what stands in it."""

    async def locations(self) -> list[str]:
        """Return every place where something stands, in the order of their names. Raises ArchiveUnavailable."""
        ...


def named_in(location: str) -> tuple[str, str] | None:
    """Return the delegation and the run that a place is named after; None where it is no place of an archive."""
    if LOCATION.fullmatch(location) is None:
        return None
    delegation, _, name = location.partition("/")
    return delegation, name.partition("-")[2].removesuffix(".json.gz")


def location_of(delegation: str, first_seq: int, run_id: str) -> str:
    """Return the place of a run in the archive: a listing of its folder is in the order of the trail."""
    return f"{delegation}/{first_seq:08}-{run_id}.json.gz"


def require_location(location: str) -> str:
    """Return a place if it is one; a register that was tampered with must not lead out of the archive."""
    if LOCATION.fullmatch(location) is None:
        raise NotArchived(location)
    return location


@contextlib.contextmanager
def honest_archive() -> Iterator[None]:
    """Turn a failure of the archive inside the block into ArchiveUnavailable; anything else passes as it is."""
    try:
        yield
    except (OSError, StoreUnavailable) as error:
        known = as_unavailable(error)
        raise ArchiveUnavailable(known.reason if known else "io_error") from error


class ArchiveFolder:
    """An archive in a folder of a file system with hard links."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made at the first write, readable by its owner alone."""
        self._folder = folder

    async def keep(self, location: str, content: bytes) -> bytes:
        """See ArchiveFiles. A part is written and synced first and then linked to its place, which never replaces."""
        place = self._folder / require_location(location)
        with honest_archive():
            return await asyncio.to_thread(self._keep, place, content)

    async def read(self, location: str) -> bytes:
        """See ArchiveFiles."""
        place = self._folder / require_location(location)
        with honest_archive():
            try:
                return await asyncio.to_thread(place.read_bytes)
            except FileNotFoundError:
                raise NotArchived(location) from None

    async def sweep(self) -> None:
        """See ArchiveFiles."""
        with honest_archive():
            await asyncio.to_thread(self._sweep)

    async def locations(self) -> list[str]:
        """See ListedArchive."""
        with honest_archive():
            return await asyncio.to_thread(self._locations)

    def _locations(self) -> list[str]:
        return sorted(str(place.relative_to(self._folder)) for place in self._folder.glob("*/*.json.gz"))

    @property
    def _incoming(self) -> Path:
        return self._folder / ".incoming"

    def _keep(self, place: Path, content: bytes) -> bytes:
        with contextlib.suppress(FileNotFoundError):
            return _standing(place)
        for folder in (self._incoming, place.parent):
            _make(folder)
        part = self._incoming / new_reference("part")
        try:
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(part, place)
            except FileExistsError:
                return _standing(place)
            _sync(place.parent)
        finally:
            part.unlink(missing_ok=True)
        return content

    def _sweep(self) -> None:
        before = time.time() - ABANDONED
        with contextlib.suppress(FileNotFoundError):
            for part in self._incoming.iterdir():
                if part.stat().st_mtime < before:
                    part.unlink(missing_ok=True)


def _standing(place: Path) -> bytes:
    """What stands at a place, made to last: whoever put it there may have died before its folder was synced."""
    content = place.read_bytes()
    _sync(place.parent)
    return content


def _make(folder: Path) -> None:
    """Make a folder, and those above it, so that a power cut does not take it back."""
    if folder.is_dir():
        return
    _make(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
