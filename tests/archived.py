"""Closed runs for tests of the archive: made, listed, deleted as retention does, and read again."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from activities.archive import Archiving
from activities.closed_runs import ClosedRuns
from audit.histories import Archive, Histories
from tests.running import Running, running
from tests.temporal import DELETES_AT_ONCE, Connect, TemporalServer

PATIENCE = timedelta(seconds=0.3)


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


def closed_runs(here: Running) -> ClosedRuns:
    """What it looks for them with."""
    found = here.registers
    return ClosedRuns(here.client, found.archived_runs, found.journal, found.queries)


def histories(here: Running, *, archive: bool = True) -> Histories:
    """Histories, with the archive as a second source or without."""
    both = Archive(here.registers.archived_runs, here.registers.archive_files) if archive else None
    return Histories(here.client, here.client.data_converter.payload_codec, archive=both, patience=PATIENCE)


async def listed(here: Running, closed: int) -> None:
    """Wait until the server's list names so many closed runs."""
    async with asyncio.timeout(60):
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
