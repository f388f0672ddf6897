"""Row 10: journal and read tables are rebuilt from histories while commands go on, and equal a fold byte for byte."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.service import RPCError, RPCStatusCode

from audit.histories import Histories
from audit.history import events_of
from domain.seal import head_of, seal
from embedded.ports import free_ports
from rebuild import Finding, Rebuild
from storage.dump import dump_of_fold, dump_read_tables
from storage.journal import journal
from storage.read_model import READ_TABLES, deadlines, delegations, participants
from storage.versions import versions
from tests.audit.histories import all_runs
from tests.postgresql import fresh_database
from tests.running import MASTER_KEY, Running, running
from tests.temporal import DELETES_AT_ONCE, Connect, TemporalServer

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server of this file's own: a rebuild reads every delegation of the namespace."""
    server = TemporalServer(tmp_path_factory.mktemp("temporal"), dynamic=DELETES_AT_ONCE)
    server.start()
    yield server
    server.kill()


def rebuild_of(here: Running, patience: float = 1.0) -> Rebuild:
    """A rebuild in this process."""
    wait = timedelta(seconds=patience)
    codec = here.client.data_converter.payload_codec
    return Rebuild(Histories(here.client, codec, patience=wait), here.registers, patience=wait)


async def findings_of(here: Running) -> list[Finding]:
    """What a comparison finds of this installation's delegation."""
    account = await rebuild_of(here).compare()
    return [one for one in account.findings if one.delegation == here.id]


async def damage(here: Running, *statements: Any) -> None:
    """Change the store behind everybody's back."""
    async with here.registers.database.writing() as connection:
        for statement in statements:
            await connection.execute(statement)


EVERYTHING = [delete(table) for table in (*READ_TABLES, journal)]


@pytest.fixture
async def file(here: Running) -> Running:
    """A submitted file with two delegates and a session."""
    await here.open()
    await here.add("head", "head")
    await here.add("second")
    await here.schedule("s1")
    await here.send({"type": "submit_request"})
    await here.idle()
    return here


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a store, empty for the embedded one."""
    if request.param == "sqlite":
        yield ""
    else:
        with fresh_database() as url:
            yield url


@pytest.mark.faults
async def test_a_rebuild_during_writes_equals_a_fold(
    database_url: str, tmp_path: Path, connect: Connect, temporal_server: TemporalServer
) -> None:
    """Three files are written without a pause while everything is dropped, damaged and rebuilt again and again."""
    async with running(tmp_path, connect, temporal_server.address, database_url=database_url) as here:
        files = [here, *(replace(here, id=f"{here.id}-{n}") for n in (2, 3))]
        await asyncio.gather(*(one.open() for one in files))
        enough = asyncio.Event()
        acknowledged: list[tuple[str, int, str]] = []

        async def write(one: Running, name: str) -> None:
            number = 0
            while not enough.is_set():
                number += 1
                receipt = await one.send({"type": "revise_request", "title": f"Đoàn {name} {number}"})
                acknowledged.append((one.id, receipt.last_seq, receipt.head))

        async def more(count: int) -> None:
            wanted = len(acknowledged) + count
            while len(acknowledged) < wanted:
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as group:
            for one in files:
                for name in ("a", "b"):
                    group.create_task(write(one, name))
            rebuild = rebuild_of(here, patience=10)
            assert (await rebuild.replace()).findings == []
            for statements in (
                EVERYTHING,
                [delete(delegations)],
                [update(journal).where(journal.c.seq == 2).values(data="{}")],
                [delete(journal).where(journal.c.seq > 20)],
            ):
                await more(20)
                await damage(here, *statements)
                await more(2)
                assert (await rebuild.replace()).findings == []
            assert (await rebuild.compare()).findings == []
            enough.set()

        for one in files:
            await one.idle()
        trails = {one.id: await events_of(await all_runs(here.client, one.id)) for one in files}
        assert {(one, seq, trails[one][seq - 1].hash) for one, seq, _ in acknowledged} == set(acknowledged)
        for one in files:
            assert await here.registers.journal.events(one.id) == trails[one.id]
            stored = await dump_read_tables(here.registers.database, one.id)
            assert stored == dump_of_fold({one.id: trails[one.id]})


async def test_a_store_is_rebuilt_from_nothing(file: Running) -> None:
    """From a file that was continued, closed and reopened: the same journal and the same rows, byte for byte."""
    await file.send({"type": "withdraw_request", "reason": await file.text("Cần bổ sung hồ sơ.")})
    await asyncio.gather(*(file.send({"type": "revise_request", "title": f"Đoàn {n}"}) for n in range(160)))
    await file.send({"type": "cancel_delegation", "reason": await file.text("Đoàn bạn hoãn.")})
    await file.send({"type": "close_delegation"})
    await file.client.get_workflow_handle(file.id).result()
    await file.send({"type": "reopen_delegation", "reason": await file.text("Sửa lỗi.")})
    await file.idle()
    events = await file.registers.journal.events(file.id)
    rows = await dump_read_tables(file.registers.database, file.id)
    await damage(file, *EVERYTHING)
    assert await findings_of(file) == [
        Finding("journal_behind", file.id, seq=1),
    ]
    account = await rebuild_of(file).replace()
    assert account.findings == []
    assert account.events >= len(events)
    assert await file.registers.journal.events(file.id) == events
    assert await dump_read_tables(file.registers.database, file.id) == rows
    assert await findings_of(file) == []


def here_only(statement: Any, table: Any, delegation: str) -> Any:
    """A statement for one delegation's rows."""
    return statement.where((table.c.id if table is delegations else table.c.delegation_id) == delegation)


def rarely(*cell: Any) -> Any:
    """A cell that is not tried every day."""
    return pytest.param(*cell, marks=pytest.mark.faults)


@pytest.mark.parametrize(
    ("statement", "table", "code", "seq", "differing"),
    [
        (update(journal).where(journal.c.seq == 3).values(actor="mai"), journal, "journal_differs", 3, None),
        rarely(delete(journal).where(journal.c.seq == 4), journal, "journal_differs", 4, None),
        (update(deadlines).values(status="met"), deadlines, "table_differs", None, "deadlines"),
        rarely(update(delegations).values(head_count=7), delegations, "table_differs", None, "delegations"),
        rarely(update(delegations).values(seq=2), delegations, "table_differs", None, "delegations"),
        rarely(delete(participants), participants, "table_differs", None, "participants"),
        (delete(delegations), delegations, "table_differs", None, "delegations"),
        rarely(update(versions).values(phase="closed"), versions, "table_differs", None, "delegation_versions"),
    ],
)
async def test_damage_is_named_and_mended(
    file: Running, statement: Any, table: Any, code: str, seq: int | None, differing: str | None
) -> None:
    """A comparison names the delegation and the first event or table that differs; a rebuild puts it right."""
    await damage(file, here_only(statement, table, file.id))
    assert await findings_of(file) == [Finding(code, file.id, seq=seq, table=differing)]
    await rebuild_of(file).replace()
    assert await findings_of(file) == []


async def test_a_cut_tail_is_named_and_mended(file: Running) -> None:
    """Journal and read tables of an older backup agree with each other, but not with the history."""
    events = await file.registers.journal.events(file.id)
    await damage(
        file,
        here_only(delete(journal).where(journal.c.seq > 7), journal, file.id),
        *(here_only(delete(table), table, file.id) for table in READ_TABLES),
    )
    await file.registers.projection.catch_up()
    assert await findings_of(file) == [Finding("journal_behind", file.id, seq=8)]
    await rebuild_of(file).replace()
    assert await file.registers.journal.events(file.id) == events
    assert await findings_of(file) == []


async def test_rows_that_no_history_has_are_told(file: Running) -> None:
    """An event that continues the chain but stands in no history is kept, since it may be all that is left of one."""
    events = await file.registers.journal.events(file.id)
    forged = seal(
        head_of(events[-1]),
        type="RequestRevised",
        version=1,
        at=events[-1].instant,
        actor="lan",
        command_id="0" * 40,
        data={"title": "Đoàn khác"},
    )
    await file.registers.projection.project(file.id, [forged])
    beyond = Finding("beyond_history", file.id, seq=len(events) + 1)
    assert beyond in await findings_of(file)
    account = await rebuild_of(file).replace()
    assert beyond in account.findings
    assert await file.registers.journal.events(file.id) == [*events, forged]


async def test_rows_of_a_delegation_that_nobody_knows_go(file: Running) -> None:
    """A row in a read table without journal and history is told by a comparison and removed by a rebuild."""
    async with file.registers.database.reading() as connection:
        row = (await connection.execute(here_only(select(delegations), delegations, file.id))).one()._asdict()
    await damage(file, insert(delegations).values(row | {"id": "ghost"}))
    assert Finding("table_differs", "ghost", table="delegations") in (await rebuild_of(file).compare()).findings
    await rebuild_of(file).replace()
    assert "ghost" not in {one.delegation for one in (await rebuild_of(file).compare()).findings}
    assert await file.registers.queries.get("ghost") is None


async def test_a_journal_without_a_history_is_kept(file: Running) -> None:
    """The histories of a delegation were lost: that is an error, and what is left of it stays."""
    before = await dump_read_tables(file.registers.database, file.id)
    handle = file.client.get_workflow_handle(file.id)
    await handle.terminate()
    await file.client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=file.client.namespace, workflow_execution=WorkflowExecution(workflow_id=file.id)
        )
    )
    async with asyncio.timeout(60):
        while True:
            try:
                await handle.fetch_history()
            except RPCError as error:
                assert error.status is RPCStatusCode.NOT_FOUND  # noqa: PT017
                break
            await asyncio.sleep(0.05)
    assert Finding("no_history", file.id) in (await rebuild_of(file).replace()).findings
    assert await dump_read_tables(file.registers.database, file.id) == before


def as_command(here: Running, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """`python -m rebuild` as the command starts it."""
    said = {
        "PROFILE": "demo",
        "LANGUAGE": "vi",
        "DATA_DIR": str(here.settings.data_dir),
        "TEMPORAL_ADDRESS": here.settings.temporal_address or "",
        "MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
        **settings,
    }
    return subprocess.run(
        [sys.executable, "-m", "rebuild", *words],
        cwd=ROOT,
        env=os.environ | {f"LEGATION_{name}": value for name, value in said.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_the_command_says_what_it_found(file: Running) -> None:
    """Exit code 0 and one JSON object; after damage exit code 1 and sentences that name the place."""
    clean = await asyncio.to_thread(as_command, file, "--json")
    assert (clean.returncode, clean.stderr) == (0, "")
    account = json.loads(clean.stdout)
    assert account["findings"] == []
    assert account["checked_only"] is False
    assert account["events"] >= len(await file.registers.journal.events(file.id))
    await damage(file, here_only(update(journal).where(journal.c.seq == 3).values(actor="mai"), journal, file.id))
    differs = await asyncio.to_thread(as_command, file, "--check")
    assert differs.returncode == 1
    assert f"{file.id}, sự kiện 3: nhật ký có sự kiện khác với lịch sử." in differs.stdout.splitlines()
    as_json = await asyncio.to_thread(as_command, file, "--check", "--json")
    assert {"code": "journal_differs", "delegation": file.id, "seq": 3, "table": None, "place": None} in json.loads(
        as_json.stdout
    )["findings"]


async def test_a_server_that_does_not_answer_is_one_sentence(file: Running) -> None:
    """Nothing is written, and the exit code is 1."""
    refused = await asyncio.to_thread(as_command, file, TEMPORAL_ADDRESS=f"127.0.0.1:{free_ports(1)[0]}", LANGUAGE="en")
    assert refused.returncode == 1
    assert refused.stderr.strip() == "The Temporal server does not answer."
