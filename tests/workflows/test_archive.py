"""Closed runs are archived as the server has them, found by several ways, and stand in for what the server deleted."""

import asyncio
import gzip
import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from structlog.testing import capture_logs
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowExecution as Listed
from temporalio.client import WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities.archive import Archiving
from activities.closed_runs import ClosedRuns
from audit.closed_run import ArchiveDamaged
from audit.histories import Archive, Histories
from audit.history import RunMissing, events_of
from rebuild import Finding, Rebuild
from storage.archive_files import ArchiveFolder
from storage.errors import StoreUnavailable
from storage.journal import journal
from storage.read_model import READ_TABLES
from storage.register_log import RegisterLog
from tests.running import Running, running
from tests.temporal import DELETES_AT_ONCE, Connect, TemporalServer
from workflows.ports import Archived, ArchiveInput

pytestmark = pytest.mark.slow

PATIENCE = timedelta(seconds=1)


@pytest.fixture(scope="module")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server of this file's own: a round looks at every delegation of the namespace."""
    server = TemporalServer(tmp_path_factory.mktemp("temporal"), dynamic=DELETES_AT_ONCE)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def here(tmp_path: Path, connect: Connect, temporal_server: TemporalServer) -> AsyncIterator[Running]:
    """An installation whose files are gone from the server afterwards, so that the next one begins with none."""
    async with running(tmp_path, connect, temporal_server.address) as installation:
        yield installation
        for run in [one async for one in installation.client.list_workflows("WorkflowType = 'Delegation'")]:
            await forget(installation, run.id, run.run_id)


def archiving(here: Running, retention: timedelta = timedelta(days=3650)) -> Archiving:
    """What the worker archives with."""
    return Archiving(here.client, here.registers, retention)


def histories(here: Running, *, archive: bool = True) -> Histories:
    """Histories, with the archive as a second source or without."""
    both = Archive(here.registers.archived_runs, here.registers.archive_files) if archive else None
    return Histories(here.client, here.client.data_converter.payload_codec, archive=both, patience=PATIENCE)


async def listed(here: Running, closed: int) -> None:
    """Wait until the server's list names so many closed runs."""
    async with asyncio.timeout(30):
        while closed > len(
            [one async for one in here.client.list_workflows("WorkflowType = 'Delegation'") if one.close_time]
        ):
            await asyncio.sleep(0.02)


async def end(here: Running) -> None:
    """Cancel and close the file, to the end of its run."""
    await here.send({"type": "cancel_delegation", "reason": await here.text("Đoàn bạn hoãn.")})
    await here.send({"type": "close_delegation"})
    await here.client.get_workflow_handle(here.id).result()


async def closed_file(here: Running) -> str:
    """One more file that was opened, cancelled and closed; its id."""
    here.id = f"d-{uuid.uuid4().hex[:12]}"
    await here.open()
    await end(here)
    return here.id


async def continued_file(here: Running) -> list[str]:
    """A file whose first run was continued by a second; the ids of both."""
    await here.open()
    first = (await here.client.get_workflow_handle(here.id).describe()).run_id
    await asyncio.gather(*(here.send({"type": "revise_request", "title": f"Đoàn {n}"}) for n in range(155)))
    await here.idle()
    second = (await here.client.get_workflow_handle(here.id).describe()).run_id
    assert first != second
    return [first, second]


async def forget(here: Running, delegation: str, run_id: str) -> None:
    """Delete a run from the server, as its retention does."""
    await here.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=here.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=delegation, run_id=run_id),
        )
    )
    handle = here.client.get_workflow_handle(delegation, run_id=run_id)
    async with asyncio.timeout(60):
        while True:
            try:
                await handle.fetch_history()
            except RPCError as error:
                assert error.status is RPCStatusCode.NOT_FOUND  # noqa: PT017
                return
            await asyncio.sleep(0.02)


async def test_what_the_server_deleted_is_read_from_the_archive(here: Running) -> None:
    """Every closed run of a file that was continued, closed and reopened stands in the archive as the server had it.

    Once its histories are deleted, while the file is open in a later run, trail and rebuild are what they were.
    """
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


async def test_a_run_that_the_list_does_not_name_is_found(here: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """By going back from the open run, by the journal when the list names nothing, and on from an archived run.

    One whose retention was over before it was archived is never passed over.
    """
    first, second = await continued_file(here)
    hidden = {first}
    listing = ClosedRuns._listed

    async def lagging(self: ClosedRuns) -> AsyncIterator[list[Listed]]:
        async for page in listing(self):
            yield [one for one in page if one.run_id not in hidden]

    monkeypatch.setattr(ClosedRuns, "_listed", lagging)
    looking = ClosedRuns(here.client, here.registers.archived_runs, here.registers.journal)
    assert list(await looking.unarchived()) == [first]
    hidden.add(second)
    assert list(await looking.unarchived()) == [first]
    assert await archiving(here).round() == Archived(archived=1, waiting=0)
    assert await looking.unarchived() == {}
    await end(here)
    assert list(await looking.unarchived()) == [second]
    await forget(here, here.id, second)
    done = await archiving(here).round()
    assert (done.archived, done.waiting, done.failure) == (0, 1, "run_lost")


async def test_a_file_without_its_row_is_taken_over(here: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who died after writing the file and before its row left what the next round enters; also packed otherwise."""
    for packed_otherwise in (False, True):
        await closed_file(here)
        runs = here.registers.archived_runs

        async def away(_run: Any) -> bool:
            raise StoreUnavailable("locked")

        with monkeypatch.context() as patch:
            patch.setattr(runs, "enter", away)
            with pytest.raises(StoreUnavailable):
                await archiving(here).round()
        assert await runs.of(here.id) == []
        [left] = (here.settings.data_dir / "archive" / here.id).iterdir()
        if packed_otherwise:
            content = gzip.compress(gzip.decompress(left.read_bytes()), compresslevel=1)
            left.chmod(0o600)
            left.write_bytes(content)
        assert await archiving(here).round() == Archived(archived=1, waiting=0)
        [row] = await runs.of(here.id)
        assert row.digest == hashlib.sha256(left.read_bytes()).hexdigest()
        assert await histories(here)._archive.history(here.id, row.run_id) is not None  # type: ignore[union-attr]


async def test_a_place_that_is_taken_is_an_alarm_and_holds_up_nothing_else(here: Running) -> None:
    """Another history where one belongs is left as it is and told; the other runs are archived."""
    first = await closed_file(here)
    await listed(here, 1)
    [run_id] = await ClosedRuns(here.client, here.registers.archived_runs, here.registers.journal).unarchived()
    place = here.settings.data_dir / "archive" / first / f"00000001-{run_id}.json.gz"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"something else")
    second = await closed_file(here)
    await listed(here, 2)
    with capture_logs() as logs:
        done = await archiving(here).round()
    assert (done.archived, done.waiting, done.failure) == (1, 1, "place_taken")
    assert {"event": "place_taken", "delegation": first, "run": run_id, "log_level": "error"} in logs
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["archive_failing"]
    assert place.read_bytes() == b"something else"
    assert len(await here.registers.archived_runs.of(second)) == 1
    state = await here.registers.archived_runs.state()
    assert state is not None
    assert (state.waiting, state.failure, state.oldest) == (1, "place_taken", done.oldest)
    place.unlink()
    assert await archiving(here).round() == Archived(archived=1, waiting=0)


async def test_rounds_are_bounded_and_go_on(here: Running) -> None:
    """What one leaves the next takes, as an activity of a worker; the longest closed goes first."""
    files = [await closed_file(here) for _ in range(3)]
    await listed(here, 3)
    work = archiving(here, retention=timedelta(0))
    environment = ActivityEnvironment()
    with capture_logs() as logs:
        first = await environment.run(work.archive, ArchiveInput(limit=2))
    assert (first.archived, first.waiting, first.failure) == (2, 1, None)
    [row] = await here.registers.archived_runs.of(files[0])
    assert first.oldest is not None
    assert first.oldest > row.closed_at
    [alarm] = logs
    assert (alarm["event"], alarm["waiting"], alarm["log_level"]) == ("archive_overdue", 1, "warning")
    assert await environment.run(work.archive, ArchiveInput()) == Archived(archived=1, waiting=0)
    assert [len(await here.registers.archived_runs.of(one)) for one in files] == [1, 1, 1]


async def test_two_rounds_at_once_archive_each_run_once(here: Running) -> None:
    """Two workers may find the same run; it has one file and one row."""
    files = [await closed_file(here) for _ in range(3)]
    await listed(here, 3)
    rounds = await asyncio.gather(archiving(here).round(), archiving(here).round())
    assert [one.waiting for one in rounds] == [0, 0]
    assert len(await RegisterLog(here.registers.database).entries("archive")) == 3
    assert [len(await here.registers.archived_runs.of(one)) for one in files] == [1, 1, 1]


async def test_an_archive_that_cannot_be_written_fails_honestly_and_heals(here: Running, tmp_path: Path) -> None:
    """The reason is kept for people, nothing is entered; with room again the next round brings everything."""
    await closed_file(here)
    await listed(here, 1)
    (tmp_path / "archive").write_bytes(b"a file where the folder belongs")
    assert isinstance(here.registers.archive_files, ArchiveFolder)
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(archiving(here).archive, ArchiveInput())
    assert failed.value.type == "archive_unavailable"
    state = await here.registers.archived_runs.state()
    assert state is not None
    assert (state.waiting, state.failure) == (1, "cannot_open")
    assert state.alarm(state.looked_at, timedelta(days=3650)) == "archive_failing"
    assert await here.registers.archived_runs.of(here.id) == []
    (tmp_path / "archive").unlink()
    assert await archiving(here).round() == Archived(archived=1, waiting=0)
    state = await here.registers.archived_runs.state()
    assert state is not None
    assert state.alarm(state.looked_at, timedelta(days=3650)) is None


async def test_an_archive_keeps_the_ciphertext(
    tmp_path: Path, connect: Connect, temporal_server: TemporalServer
) -> None:
    """Where payloads are encrypted, so is the archive; with the keys it is read like the server's own."""
    async with running(tmp_path, connect, temporal_server.address, profile="embedded") as here:
        await closed_file(here)
        await listed(here, 1)
        assert (await archiving(here).round()).archived == 1
        [row] = await here.registers.archived_runs.of(here.id)
        content = gzip.decompress(await here.registers.archive_files.read(row.location)).decode()
        assert "Hội hữu nghị" not in content
        assert "binary/legation-aes-gcm" not in content, "in JSON, metadata is base64"
        codec = here.client.data_converter.payload_codec
        events = await here.registers.journal.events(here.id)
        assert await events_of([WorkflowHistory.from_json(here.id, content)], codec) == events
        await forget(here, here.id, row.run_id)
        assert await histories(here).trail(here.id) == events
