"""Closed runs are archived as the server has them, found by several ways, and stand in for what the server deleted."""

import asyncio
import gzip
import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecution as Listed
from temporalio.client import WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.closed_runs import ClosedRuns
from audit.history import events_of
from storage.archive_files import ArchiveFolder
from storage.errors import StoreUnavailable
from storage.register_log import RegisterLog
from tests.archived import (
    archiving,
    closed_file,
    closed_runs,
    continued_file,
    end,
    forget,
    here,
    histories,
    listed,
    temporal_server,
)
from tests.running import Running, running
from tests.temporal import Connect, TemporalServer
from workflows.ports import Archived, ArchiveInput

pytestmark = pytest.mark.slow

__all__ = ["here", "temporal_server"]


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
    looking = closed_runs(here)
    assert list(await looking.unarchived()) == [first]
    hidden.add(second)
    assert list(await looking.unarchived()) == [first]
    assert await archiving(here).round() == Archived(archived=1, waiting=0)
    assert await looking.unarchived() == {}
    await end(here)
    assert list(await looking.unarchived()) == [second]

    async def late(self: ClosedRuns) -> AsyncIterator[list[Listed]]:
        async for page in listing(self):
            yield [replace(one, close_time=None) for one in page]

    monkeypatch.setattr(ClosedRuns, "_listed", late)
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
    [run_id] = await closed_runs(here).unarchived()
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


async def test_runs_that_an_operator_broke_off_or_reset_are_archived_too(here: Running) -> None:
    """They say nothing at their end: what they decided last is it. A reset run is known by its own id."""
    await here.open()
    handle = here.client.get_workflow_handle(here.id)
    await here.idle()
    first = (await handle.describe()).run_id
    history = await handle.fetch_history()
    task = next(one for one in history.events if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
    answer = await here.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=here.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=here.id, run_id=first),
            workflow_task_finish_event_id=task.event_id,
            reason="a test",
            request_id=uuid.uuid4().hex,
        )
    )
    await here.client.get_workflow_handle(here.id, run_id=answer.run_id).terminate()
    await listed(here, 2)
    events = await here.registers.journal.events(here.id)
    assert await archiving(here).round() == Archived(archived=2, waiting=0)
    assert await archiving(here).round() == Archived(archived=0, waiting=0)
    rows = {row.run_id: row for row in await here.registers.archived_runs.of(here.id)}
    assert set(rows) == {first, answer.run_id}
    assert (rows[first].first_seq, rows[first].last_seq, rows[first].head) == (1, len(events), events[-1].hash)


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
