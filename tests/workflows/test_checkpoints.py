"""Rounds of checkpoints on a real server: sealed, shown to witnesses, and never over what does not hold."""

import asyncio
import errno
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import delete
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.checkpoint_log import CheckpointLog
from activities.checkpoints import CheckpointDuties
from audit.checkpoint import Checkpoint, document_of, verify_checkpoints
from audit.signing_key import SigningKeys
from audit.witnesses import FolderWitness, UrlWitness, Witness
from domain.canonical import canonical_json
from embedded.ports import HOST, free_ports
from storage.checkpoint_rows import SEALING
from storage.checkpoints import Checkpoints
from storage.engine import Database
from storage.journal import journal
from storage.migrate import migrate
from tests.running import CHECKPOINT_KEY, Running, running
from tests.storage.sealing import goes_on, made, sealing
from tests.temporal import Connect, TemporalServer
from workflows.checkpoints import CheckpointRound
from workflows.ports import RoundDone, Witnessed


class Keeper:
    """A witness over HTTP that keeps what it is posted; `answers` are what it says before it takes anything."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.types: set[str | None] = set()
        self.answers: list[int] = []
        keeper = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                status = keeper.answers.pop(0) if keeper.answers else 201
                if status == 201:
                    keeper.kept.append(content)
                    keeper.types.add(self.headers["Content-Type"])
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}/checkpoints"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Take nothing any more."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def numbers(self) -> list[int]:
        """The numbers of what it keeps, in the order it came."""
        return [json.loads(one)["number"] for one in self.kept]


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    """A witness over HTTP."""
    found = Keeper()
    yield found
    found.close()


@pytest.fixture
async def database(tmp_path: Path) -> Any:
    """A store with three checkpoints."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    store = Database(url)
    for _ in range(3):
        await goes_on(store, "visit", 1)
        await made(store)
    yield store
    await store.close()


async def shown(database: Database, *witnesses: Witness) -> Witnessed:
    """Show witnesses what they have not seen."""
    duties = CheckpointDuties(database, sealing(database), witnesses)
    return await ActivityEnvironment().run(duties.witness)


def patient(url: str) -> UrlWitness:
    """A witness whose pauses are short."""
    return UrlWitness(url, pauses=(0.01, 0.01), patience=2.0)


async def test_a_witness_is_shown_every_checkpoint_in_order_as_it_was_signed(
    database: Database, keeper: Keeper
) -> None:
    """Once each where nothing goes wrong: canonical JSON, from which the digest can be made."""
    assert await shown(database, patient(keeper.url)) == Witnessed(shown=3)
    assert keeper.kept == [canonical_json(document_of(one)) for one in await CheckpointLog(database).all()]
    assert keeper.types == {"application/json"}
    await goes_on(database, "visit", 1)
    await made(database)
    assert await shown(database, patient(keeper.url)) == Witnessed(shown=1)
    assert await shown(database, patient(keeper.url)) == Witnessed()
    assert keeper.numbers == [1, 2, 3, 4]


async def test_a_witness_that_fails_is_shown_the_rest_the_next_time(database: Database, keeper: Keeper) -> None:
    """Tried a few times; nothing is left out and the order is kept. A redirect is no success."""
    keeper.answers = [503, 201, 302, 500, 503]
    witness = patient(keeper.url)
    assert await shown(database, witness) == Witnessed(shown=1, failed=1)
    duty = (await Checkpoints(database).duties())[witness.name]
    assert (duty.number, duty.failure, duty.seq) == (1, "witness_refused", 2)
    assert await shown(database, witness) == Witnessed(shown=2)
    assert keeper.numbers == [1, 2, 3]
    duty = (await Checkpoints(database).duties())[witness.name]
    assert (duty.number, duty.failure, duty.failed_since) == (3, None, None)


async def test_a_witness_that_is_away_holds_up_neither_checkpoints_nor_the_other_witnesses(
    database: Database, keeper: Keeper
) -> None:
    """What it missed is noted, with since when. No address stands in a name: it may hold a secret."""
    away = patient(f"http://{HOST}:{free_ports(1)[0]}/token/s3cret")
    assert await shown(database, away, patient(keeper.url)) == Witnessed(shown=3, failed=1)
    duties = await Checkpoints(database).duties()
    assert (duties[away.name].failure, duties[away.name].number) == ("witness_unreachable", 0)
    since = duties[away.name].failed_since
    assert since is not None
    await goes_on(database, "visit", 1)
    await made(database)
    assert await shown(database, away, patient(keeper.url)) == Witnessed(shown=1, failed=1)
    assert (await Checkpoints(database).duties())[away.name].failed_since == since
    assert "s3cret" not in str(await Checkpoints(database).duties())


async def test_a_folder_gets_a_file_for_each_checkpoint_and_none_is_ever_replaced(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is there with other bytes is an alarm: one of the two was made anew."""
    folder = tmp_path / "elsewhere"
    assert await shown(database, FolderWitness(folder)) == Witnessed(shown=3)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["checkpoint-000001.json", "checkpoint-000002.json", "checkpoint-000003.json"]
    third = json.loads((folder / names[2]).read_bytes())
    assert Checkpoint.model_validate(third) == await CheckpointLog(database).latest()
    other = b'{"number":4}\n'
    (folder / "checkpoint-000004.json").write_bytes(other)
    await goes_on(database, "visit", 1)
    await made(database)
    assert await shown(database, FolderWitness(folder)) == Witnessed(failed=1)
    assert (folder / "checkpoint-000004.json").read_bytes() == other
    duty = (await Checkpoints(database).duties())[FolderWitness(folder).name]
    assert (duty.number, duty.failure, duty.seq) == (3, "witness_contradicts", 4)
    assert "has another checkpoint 4 than ours" in caplog.text


async def test_a_folder_without_links_gets_whole_files_too(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on exFAT; nothing is left beside them."""

    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr("os.link", refused)
    folder = tmp_path / "elsewhere"
    assert await shown(database, FolderWitness(folder)) == Witnessed(shown=3)
    assert sorted(path.name for path in folder.iterdir()) == [f"checkpoint-00000{number}.json" for number in (1, 2, 3)]


async def test_a_checkpoint_that_a_killed_worker_had_written_already_is_no_alarm(
    database: Database, tmp_path: Path
) -> None:
    """The same bytes are the same checkpoint; and a folder that is none is a failure like any other."""
    folder = tmp_path / "elsewhere"
    await shown(database, FolderWitness(folder))
    again = FolderWitness(folder)
    await Checkpoints(database).done(again.name, 0, at=datetime.now(UTC))
    assert await shown(database, again) == Witnessed(shown=3)
    assert len(list(folder.iterdir())) == 3
    (tmp_path / "file").touch()
    witness = FolderWitness(tmp_path / "file" / "below")
    assert await shown(database, witness) == Witnessed(failed=1)
    assert (await Checkpoints(database).duties())[witness.name].failure == "folder_unusable"


async def test_without_a_key_nothing_is_signed_and_it_is_told(database: Database) -> None:
    """Once it is there again, so are checkpoints."""
    await goes_on(database, "visit", 1)
    bare = CheckpointDuties(database, sealing(database))
    bare._sealing._keys = lambda: SigningKeys.of(())
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(bare.make)
    assert (failed.value.type, failed.value.details) == ("checkpoint_refused", ("signing_key_missing",))
    assert (await Checkpoints(database).duties())[SEALING].failure == "signing_key_missing"
    assert (await ActivityEnvironment().run(CheckpointDuties(database, sealing(database)).make)).number == 4
    assert (await Checkpoints(database).duties())[SEALING].failure is None


async def round_(here: Running) -> RoundDone:
    """Go round once, as the schedule does."""
    name, queue = f"round:{uuid4().hex}", here.settings.temporal_task_queue
    return await here.client.execute_workflow(CheckpointRound.run, id=name, task_queue=queue)


@pytest.mark.slow
async def test_a_round_seals_what_files_and_registers_have_done_and_shows_it(
    tmp_path: Path, connect: Connect, temporal_server: TemporalServer, keeper: Keeper
) -> None:
    """By the installation's own worker and key; a journal that was cut stops it, and its witness still hears."""
    more: dict[str, Any] = {"witness_url": SecretStr(keeper.url), "witness_folder": tmp_path / "elsewhere"}
    async with running(tmp_path, connect, temporal_server.address, **more) as here:
        await here.open()
        await here.add("head", "head")
        first = await round_(here)
        assert (first.made.number, first.witnessed) == (1, Witnessed(shown=2))
        again = await round_(here)
        assert (again.made, again.witnessed) == (first.made.model_copy(update=NOTHING), Witnessed())
        assert again.archived is not None
        await here.add("sato")
        both = await asyncio.gather(*(round_(here) for _ in range(4)))
        assert sorted(one.made.number or 0 for one in both) == [0, 0, 0, 2]
        log = CheckpointLog(here.registers.database)
        latest = verify_checkpoints(await log.all(), SigningKeys.of([CHECKPOINT_KEY]).public)
        assert latest is not None
        assert latest.number == 2
        await until(lambda: {*keeper.numbers} == {1, 2})
        head = await here.registers.journal.head(here.id)
        assert head is not None
        await here.idle()
        async with here.registers.database.writing() as connection:
            await connection.execute(delete(journal).where(journal.c.seq == head.seq))
        keeper.kept.clear()
        await Checkpoints(here.registers.database).done(UrlWitness(keeper.url).name, 1, at=datetime.now(UTC))
        with pytest.raises(WorkflowFailureError) as failed:
            await round_(here)
        cause: Any = failed.value.cause.__cause__
        assert (cause.type, cause.details) == ("checkpoint_refused", ("stream_cut", here.id, head.seq))
        assert keeper.numbers == [2]
        duty = (await Checkpoints(here.registers.database).duties())[SEALING]
        assert (duty.number, duty.failure, duty.stream, duty.seq) == (2, "stream_cut", here.id, head.seq)


NOTHING = {"number": None, "added": 0}


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)
