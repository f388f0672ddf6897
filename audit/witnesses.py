"""Witnesses: who keeps our checkpoints elsewhere, so that nobody can change them here and stay unnoticed.

A witness is shown each checkpoint at least once, in the order of numbers, as the canonical JSON that its digest is of.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx2
from pydantic import ValidationError

from audit.checkpoint import Checkpoint
from domain.canonical import canonical_json

PAUSES = (0.5, 2.0)
"""Seconds before each further attempt; after them the next round tries again."""

PATIENCE = 10.0
"""Seconds for one attempt."""


NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What file systems without links say (exFAT, some shares)."""


class WitnessFailed(Exception):
    """A witness did not take a checkpoint; `code` is stable. The text names no address: it may hold a secret.

    Codes: witness_unreachable, witness_refused (another answer than success), folder_unusable, and the alarming
    witness_contradicts: it holds another checkpoint of this number.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def alarming(self) -> bool:
        """Whether somebody has to look: two checkpoints of one number mean that one of them was made anew."""
        return self.code == "witness_contradicts"


class Witness(Protocol):
    """Who is shown checkpoints; `name` tells witnesses apart and holds no secret."""

    name: str

    async def show(self, number: int, document: Mapping[str, Any]) -> None:
        """Show a checkpoint. Raises WitnessFailed."""
        ...


class UrlWitness:
    """An address that checkpoints are posted to; any answer of success (2xx) is taken for its word to keep them."""

    def __init__(self, url: str, *, pauses: tuple[float, ...] = PAUSES, patience: float = PATIENCE) -> None:
        """`url` is safe (https, or this machine); `patience` in seconds an attempt."""
        # Another address is another witness, and is shown everything from the first one on.
        self.name = f"url:{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self._url = url
        self._pauses = pauses
        self._patience = patience

    async def show(self, number: int, document: Mapping[str, Any]) -> None:
        """Post a checkpoint, again after a pause where that fails. Raises WitnessFailed; 409 is `witness_contradicts`.

        Redirects are not followed.
        """
        content, headers = canonical_json(dict(document)), {"Content-Type": "application/json"}
        headers["Idempotency-Key"] = f"{document.get('origin')}-{number}"
        async with httpx2.AsyncClient(timeout=self._patience) as http:
            for pause in (*self._pauses, None):
                try:
                    answer = await http.post(self._url, content=content, headers=headers)
                except httpx2.HTTPError:
                    code = "witness_unreachable"
                else:
                    if answer.is_success:
                        return
                    if answer.status_code == httpx2.codes.CONFLICT:
                        raise WitnessFailed("witness_contradicts")
                    code = "witness_refused"
                if pause is None:
                    raise WitnessFailed(code)
                await asyncio.sleep(pause)


class FolderWitness:
    """A folder, best on another machine or medium, that gets a file for each checkpoint. A file is never replaced."""

    def __init__(self, folder: Path) -> None:
        self.name = f"folder:{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
        self._folder = folder

    async def show(self, number: int, document: Mapping[str, Any]) -> None:
        """Write `checkpoint-000012.json`, whole or not at all. Raises WitnessFailed."""
        content = canonical_json(dict(document)) + b"\n"
        try:
            await asyncio.to_thread(self._write, self._folder / f"checkpoint-{number:06}.json", content)
        except OSError:
            raise WitnessFailed("folder_unusable") from None

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            try:
                with open(beside, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                _put(beside, path)
            finally:
                beside.unlink(missing_ok=True)
        if path.read_bytes() != content:
            raise WitnessFailed("witness_contradicts")


def _put(beside: Path, path: Path) -> None:
    """Give a file its name unless another has it already."""
    with contextlib.suppress(FileExistsError):
        try:
            os.link(beside, path)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            # Of two that write at this very moment the later one wins; whoever it is not is told by the content.
            os.rename(beside, path)


def kept_in(folder: Path) -> list[Path]:
    """Return the files of a witness's folder, in the order of their numbers."""
    return sorted(folder.glob("checkpoint-*.json"))


def read_copy(path: Path) -> Checkpoint | None:
    """Return the checkpoint in a file, not verified; None where it cannot be read."""
    try:
        return Checkpoint.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
