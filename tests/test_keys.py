"""Master keys changed for new ones and retired: everything stays readable, and a key that is needed stays."""

import asyncio
import base64
import gzip
import json
import stat
import uuid
from pathlib import Path

import pytest
from pydantic import SecretStr
from temporalio.common import RawValue

import keys
from activities.codec import EncryptingCodec
from embedded.folder import DataFolder
from keys import KeysRefused, Needed, named_in, rotate
from settings import Settings
from storage.archive_files import ArchiveFolder, location_of
from storage.archived_runs import ArchivedRun
from storage.data_keys import wrapped_under
from storage.feeds import Subject
from storage.keyring import Keyring, MasterKey
from storage.metadata import utc_now
from storage.migrate import migrate
from storage.persons import Person
from storage.registers import Registers
from tests.command import legation
from tests.running import Running
from tests.storage.test_persons import SATO


class Kept:
    """A data folder with a key file and one person."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder)
        self.person = ""

    async def make(self) -> "Kept":
        await asyncio.to_thread(DataFolder(self.settings.data_dir).make_key, self.settings.master_key_file)
        await migrate(self.settings.database_url)
        registers = self.registers()
        self.person = (await registers.persons.register(SATO)).ref
        await registers.close()
        return self

    def registers(self) -> Registers:
        return Registers.open(self.settings.database_url, self.settings.master_keys(), self.settings.data_dir)

    async def readable(self) -> bool:
        registers = self.registers()
        try:
            return isinstance(await registers.persons.get(self.person), Person)
        finally:
            await registers.close()

    async def under(self) -> dict[str, int]:
        registers = self.registers()
        try:
            return await wrapped_under(registers.database)
        finally:
            await registers.close()


@pytest.fixture
async def kept(tmp_path: Path) -> Kept:
    return await Kept(tmp_path).make()


async def test_a_new_key_comes_first_and_wraps_everything(kept: Kept) -> None:
    """The file keeps its mode; the key before stays to read with."""
    [old] = kept.settings.master_keys()
    done = await rotate(kept.settings)
    new, second = kept.settings.master_keys()
    assert (second, done["made"], done["wrapped"], done["older"]) == (old, True, 1, [MasterKey.of(old).id])
    assert await kept.under() == {MasterKey.of(new).id: 1}
    assert stat.S_IMODE(kept.settings.master_key_file.stat().st_mode) == 0o600
    assert await kept.readable()


async def test_a_rotation_that_was_killed_goes_on_with_the_key_it_made(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the new key and the last data key: no further key is made, and nothing was unreadable meanwhile."""

    class Killed(BaseException):
        """The process is no more."""

    async def killed(*_: object) -> int:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(keys, "rewrap", killed)
        with pytest.raises(Killed):
            await rotate(kept.settings)
    between = kept.settings.master_keys()
    assert len(between) == 2
    assert await kept.readable()
    done = await rotate(kept.settings)
    assert (done["made"], done["wrapped"], kept.settings.master_keys()) == (False, 1, between)
    assert await kept.under() == {MasterKey.of(between[0]).id: 1}


async def test_keys_are_not_changed_under_a_running_stack(kept: Kept) -> None:
    """Its processes hold the keys of before, and could not read what a new one wraps."""
    with DataFolder(kept.settings.data_dir).held(), pytest.raises(KeysRefused):
        await rotate(kept.settings)
    assert len(kept.settings.master_keys()) == 1


async def test_keys_of_the_environment_are_changed_there(kept: Kept) -> None:
    """Without a new one it says what to do; with one before the others it wraps."""
    [old], new = kept.settings.master_keys(), MasterKey.generate().secret
    said = [base64.b64encode(key).decode() for key in (new, old)]
    before = kept.settings.model_copy(update={"master_key": SecretStr(said[1])})
    with pytest.raises(KeysRefused, match="LEGATION_MASTER_KEY"):
        await rotate(before)
    after = kept.settings.model_copy(update={"master_key": SecretStr(",".join(said))})
    assert (await rotate(after))["wrapped"] == 1
    assert kept.settings.master_keys() == (old,)


async def test_a_key_goes_when_nothing_needs_it(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address made with it, a history sealed under it, or an archived one keep it; then it leaves the file."""
    registers = kept.registers()
    feed = await registers.feeds.make(Subject.of_account("lan"), by="lan")
    await rotate(kept.settings)
    newest, old = (MasterKey.of(secret).id for secret in kept.settings.master_keys())
    found = {old: 3}

    async def in_histories(*_: object) -> dict[str, int]:
        return found

    async def no_server(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(keys, "_in_histories", in_histories)
    monkeypatch.setattr(keys, "connect", no_server)
    settings = kept.settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    await _archive(registers, settings.archive_folder, named_in(newest) + b"0123456789")
    assert (await keys.retire(settings))["kept"] == [vars(Needed(old, 0, 1, 3, 0))]
    found[old] = 0
    await registers.feeds.revoke(feed.id, by="lan")
    await registers.close()
    done = await keys.retire(settings)
    assert (done["retired"], done["kept"], len(kept.settings.master_keys())) == ([old], [], 1)
    assert await kept.readable()


async def test_a_key_that_an_archived_history_was_sealed_under_stays(kept: Kept) -> None:
    """The server has forgotten it; the archive has not."""
    await rotate(kept.settings)
    old = MasterKey.of(kept.settings.master_keys()[1]).id
    registers = kept.registers()
    await _archive(registers, kept.settings.archive_folder, named_in(old) + b"0123456789")
    files = ArchiveFolder(kept.settings.archive_folder)
    found = await keys._in_archive(registers.archived_runs, files, [old, "x" * 12])
    assert found == {old: 1, "x" * 12: 0}
    await registers.close()


async def _archive(registers: Registers, folder: Path, payload: bytes) -> None:
    history = {"events": [{"payloads": [{"data": base64.b64encode(payload).decode()}]}]}
    content = gzip.compress(json.dumps(history).encode())
    run = str(uuid.uuid4())
    await ArchiveFolder(folder).keep(location_of("visit", 1, run), content)
    digest, now = "0" * 64, utc_now()
    named = {"delegation": "visit", "run_id": run, "location": location_of("visit", 1, run), "following": None}
    seals = {"prev_head": digest, "head": digest, "digest": digest, "content_digest": digest}
    counts = {"first_seq": 1, "last_seq": 2, "size": len(content), "closed_at": now, "archived_at": now}
    await registers.archived_runs.enter(ArchivedRun(**named, **seals, **counts))  # type: ignore[arg-type]


@pytest.mark.slow
async def test_what_is_sealed_in_a_history_is_found_by_its_key(here: Running) -> None:
    """Without decoding anything: the id of the key stands before every payload."""
    key, other = MasterKey.generate(), MasterKey.generate()
    client = here.client
    [payload] = await EncryptingCodec(Keyring([key])).encode(client.data_converter.payload_converter.to_payloads(["x"]))
    workflow = f"sealed-{uuid.uuid4().hex}"
    await client.start_workflow("Nobody", RawValue(payload), id=workflow, task_queue=workflow)
    try:
        async with asyncio.timeout(30):
            while (found := await keys._in_histories(client, [key.id, other.id]))[key.id] == 0:
                await asyncio.sleep(0.1)
        assert found == {key.id: 1, other.id: 0}
    finally:
        await client.get_workflow_handle(workflow).terminate()


@pytest.mark.slow
async def test_the_command_rotates_and_says_what_still_needs_the_old_key(kept: Kept) -> None:
    """In a process of its own, which says ids and never a key; what cannot be carried out is one plain sentence."""
    folder = str(kept.settings.data_dir)
    done = await asyncio.to_thread(legation, "--data", folder, "keys", "rotate", "--json")
    assert done.returncode == 0, done.stderr
    newest, old = kept.settings.master_keys()
    said = json.loads(done.stdout)
    assert (said["key"], said["older"], said["wrapped"]) == (MasterKey.of(newest).id, [MasterKey.of(old).id], 1)
    assert base64.b64encode(newest).decode() not in done.stdout + done.stderr
    refused = await asyncio.to_thread(legation, "--data", folder, "keys", "retire")
    assert refused.returncode == 1
    assert f"There are no data of Legation in {folder}" in refused.stderr
