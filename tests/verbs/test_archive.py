"""The archive by the verbs, on the real stack: its worker archives, a person lists and fetches."""

import asyncio
import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.embedded.running_stack import legation
from tests.installed import Installed
from tests.verbs.test_journey import VISIT, done, send, verb, written
from workflows import ports
from workflows.ports import Archived, ArchiveInput

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]


@workflow.defn(name="OneRound", sandboxed=False)
class OneRound:
    """Asks the workers of an installation for one round of archiving."""

    @workflow.run
    async def run(self, task_queue: str) -> Archived:
        archived: Archived = await workflow.execute_activity(
            ports.ARCHIVE_RUNS,
            ArchiveInput(),
            result_type=Archived,
            task_queue=task_queue,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=10),
        )
        return archived


async def archive(here: Installed) -> Archived:
    """One round by the stack's own worker."""
    record = here.record
    client = await Client.connect(
        record.temporal_address, namespace=record.temporal_namespace, data_converter=pydantic_data_converter
    )
    queue = f"test-{uuid4().hex}"
    async with Worker(client, task_queue=queue, workflows=[OneRound], workflow_runner=UnsandboxedWorkflowRunner()):
        return await client.execute_workflow(OneRound.run, record.temporal_task_queue, id=queue, task_queue=queue)


def test_a_closed_run_is_listed_and_fetched(here: Installed, tmp_path: Path) -> None:
    """Its file is what stands in the data folder, and never overwrites one of the reader's own."""
    done(here, "lan", "open", written(tmp_path, "visit.yaml", VISIT.format(id="tokyo-archive")))
    answer = httpx2.post(
        f"{here.url}/delegations/tokyo-archive/texts",
        json={"text": "Đoàn bạn hoãn."},
        headers=here.headers("lan"),
        timeout=60,
    )
    send(here, "tokyo-archive", type="cancel_delegation", reason=answer.json())
    send(here, "tokyo-archive", type="close_delegation")

    async def archived() -> list[dict[str, Any]]:
        async with asyncio.timeout(60):
            while True:
                assert (await archive(here)).failure is None
                listed = await asyncio.to_thread(done, here, "root", "archive", "list", "--delegation", "tokyo-archive")
                if listed["items"]:
                    return list(listed["items"])

    [run] = asyncio.run(archived())
    assert (run["first_seq"], run["following"]) == (1, None)
    shown = " ".join(verb(here, "root", "archive", "list").stdout.split())
    assert run["run_id"] in shown
    assert f"1–{run['last_seq']}" in shown

    out = tmp_path / "history.json.gz"
    fetched = verb(here, "root", "archive", "fetch", run["run_id"], "--out", str(out))
    assert fetched.stdout == f"{out}, SHA-256 {run['digest']}\n"
    assert out.read_bytes() == (here.folder / "archive" / run["location"]).read_bytes()
    assert json.loads(gzip.decompress(out.read_bytes()))["events"][0]["eventId"] == "1"
    again = verb(here, "root", "archive", "fetch", run["run_id"], "--out", str(out))
    assert (again.returncode, again.stderr) == (1, f"{out} exists already or cannot be written.\n")
    assert (
        "đã tồn tại" in verb(here, "root", "archive", "fetch", run["run_id"], "--out", str(out), language="vi").stderr
    )

    status = json.loads(legation("--data", str(here.folder), "status", "--json").stdout)
    assert status["archive"] == {"ready": True, "detail": "ready"}
