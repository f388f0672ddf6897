"""`python -m keys`: the master keys of an installation, changed for new ones and retired, for `legation keys`.

A composition root of its own. It takes one JSON request on standard input and gives one JSON answer on standard output;
no key is ever among what it says, only their public ids.
"""

import asyncio
import base64
import gzip
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import func, select
from temporalio.client import Client
from temporalio.service import RPCError

from embedded.archive import archive_of
from embedded.at_hand import temporal_at_hand
from embedded.connection import connect
from embedded.failure import Sentence, StackFailure
from embedded.folder import DataFolder, StackAlreadyRuns
from locales import mark
from settings import Settings, SettingsRefused, load_settings
from storage.archive_files import ArchiveFiles, NotArchived
from storage.archived_runs import ArchivedRuns
from storage.data_keys import rewrap, wrapped_under
from storage.engine import Database
from storage.errors import StoreUnavailable
from storage.feeds import feeds
from storage.keyring import FORMAT, CiphertextDamaged, Keyring, MasterKey, UnknownMasterKey

PRIVATE = 0o600


class KeysRefused(StackFailure):
    """Why the keys were left as they are."""


class Request(BaseModel):
    """What is asked: a new master key in the place of the newest, or what may go of the older ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["rotate", "retire"]


IN_ENVIRONMENT = mark(
    "The master keys stand in LEGATION_MASTER_KEY: put a new one (32 random bytes in base64) before the others, with a "
    "comma between, restart every process, and run this again."
)


@dataclass(frozen=True)
class Needed:
    """How much still needs a master key that is not the newest: nothing, if it may go."""

    key: str
    data_keys: int
    feeds: int
    histories: int
    archived: int

    @property
    def by_anything(self) -> bool:
        """Whether retiring the key would make something unreadable."""
        return bool(self.data_keys or self.feeds or self.histories or self.archived)


async def rotate(settings: Settings) -> dict[str, Any]:
    """Make a new master key, the first of the file, and wrap every data key anew; return its id and how many.

    Killed anywhere, the next call goes on: as long as a data key is wrapped under an older key, no further one is made.
    Keys of the environment are changed there; then this wraps. Raises KeysRefused.
    """
    with _alone(settings):
        keys = [MasterKey.of(secret) for secret in settings.master_keys()]
        database = Database(settings.database_url)
        try:
            made = not set(await wrapped_under(database)) - {keys[0].id}
            if made and settings.master_key is not None:
                raise KeysRefused(IN_ENVIRONMENT)
            if made:
                keys.insert(0, MasterKey.generate())
                _write(settings.master_key_file, keys)
            wrapped = await rewrap(database, Keyring(keys))
        finally:
            await database.close()
    return {"key": keys[0].id, "made": made, "wrapped": wrapped, "older": [key.id for key in keys[1:]]}


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the data folder: a process that runs there could not read what a key of the file encrypts from now on."""
    if settings.master_key is not None:
        yield
        return
    settings.master_keys()
    try:
        with DataFolder(settings.data_dir).held():
            yield
    except StackAlreadyRuns:
        raise KeysRefused(
            mark("Legation runs on %(folder)s and holds its keys: stop it first."), folder=settings.data_dir
        ) from None


async def retire(settings: Settings) -> dict[str, Any]:
    """Take away every older master key that nothing needs any more, and say what still needs the others.

    Looks through data keys, calendars' addresses, every history that the server keeps, and the archive. Keys of the
    environment are only named.
    """
    keys = [MasterKey.of(secret) for secret in settings.master_keys()]
    older = [key.id for key in keys[1:]]
    needed = await _needed(settings, older) if older else []
    gone = [one.key for one in needed if not one.by_anything]
    if gone and settings.master_key is None:
        _write(settings.master_key_file, [key for key in keys if key.id not in gone])
    kept = [asdict(one) for one in needed if one.by_anything]
    return {"newest": keys[0].id, "retired": gone, "kept": kept, "in_environment": settings.master_key is not None}


async def _needed(settings: Settings, older: list[str]) -> list[Needed]:
    database = Database(settings.database_url)
    try:
        under = await wrapped_under(database)
        async with database.reading() as connection:
            count = select(feeds.c.key_id, func.count()).where(feeds.c.revoked_at.is_(None)).group_by(feeds.c.key_id)
            addresses = {row[0]: row[1] for row in await connection.execute(count)}
        archived = await _in_archive(ArchivedRuns(database), archive_of(settings), older)
    finally:
        await database.close()
    async with temporal_at_hand(settings) as reached:
        histories = await _in_histories(await connect(reached), older)
    return [Needed(key, under.get(key, 0), addresses.get(key, 0), histories[key], archived[key]) for key in older]


async def _in_histories(client: Client, keys: list[str]) -> dict[str, int]:
    """Return in how many runs a payload is sealed under each key."""
    found = dict.fromkeys(keys, 0)
    async for listed in client.list_workflows():
        # Read as they are kept: nothing is decoded.
        history = await client.get_workflow_handle(listed.id, run_id=listed.run_id).fetch_history()
        octets = b"".join(event.SerializeToString() for event in history.events)
        for key in keys:
            found[key] += named_in(key) in octets
    return found


async def _in_archive(archived: ArchivedRuns, files: ArchiveFiles, keys: list[str]) -> dict[str, int]:
    """Return in how many archived runs a payload is sealed under each key; they are JSON, payloads in base64."""
    found = dict.fromkeys(keys, 0)
    for run_id in [run_id for runs in (await archived.runs()).values() for run_id in runs]:
        run = await archived.get(run_id)
        octets = b"" if run is None else gzip.decompress(await files.read(run.location))
        for key in keys:
            name = named_in(key)
            # Whole groups of three, so that what follows does not change the letters.
            found[key] += base64.b64encode(name[: len(name) // 3 * 3]) in octets
    return found


def named_in(key: str) -> bytes:
    """Return how everything begins that a master key encrypted."""
    return FORMAT + bytes([len(key)]) + key.encode()


def _write(path: Path, keys: list[MasterKey]) -> None:
    """Put a file with these keys in the place of the one there is, whole or not at all."""
    beside = path.with_suffix(".new")
    text = "".join(base64.b64encode(key.secret).decode() + "\n" for key in keys)
    with open(beside, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, PRIVATE)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _answered(content: bytes) -> dict[str, Any]:
    try:
        request, settings = Request.model_validate_json(content), load_settings()
        work = rotate(settings) if request.type == "rotate" else retire(settings)
        return {"value": asyncio.run(work), "notes": []}
    except StackFailure as refused:
        return {"refused": _as_data(refused.sentence)}
    except (UnknownMasterKey, CiphertextDamaged):
        return {"refused": _as_data(Sentence(mark("A data key was wrapped with a master key that is not here.")))}
    except NotArchived:
        return {"refused": _as_data(Sentence(mark("An archived history is missing: see `legation archive list`.")))}
    except StoreUnavailable as unavailable:
        text = mark("The database cannot be used: %(reason)s.")
        return {"refused": _as_data(Sentence(text, {"reason": unavailable.reason}))}
    except (RPCError, RuntimeError):
        return {"refused": _as_data(Sentence(mark("The Temporal server does not answer.")))}
    except (SettingsRefused, ValidationError) as refused:
        return {"refused": _as_data(Sentence("%(reason)s", {"reason": refused}))}


def _as_data(sentence: Sentence) -> dict[str, Any]:
    return {"text": sentence.text, "values": {name: str(value) for name, value in sentence.values.items()}}


def main() -> int:
    """Answer the request on standard input. Always 0: a refusal is an answer."""
    os.umask(0o077)
    json.dump(_answered(sys.stdin.buffer.read()), sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(code)
