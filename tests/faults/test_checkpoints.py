"""Who makes checkpoints is killed in the middle, or is several: the chain has no gap, and holds nothing twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from activities.checkpoint_log import CheckpointLog
from audit.checkpoint import verify_checkpoints
from audit.merkle import root_of
from storage.checkpoint_rows import checkpoint_duties, checkpoint_spans, checkpoints, merkle_tiles
from storage.engine import Database
from tests.faults.page import Note
from tests.storage.conftest import database, sqlite_template, store_url
from tests.storage.sealing import goes_on, keys, leaves, logs, made, sealing

__all__ = ["database", "sqlite_template", "store_url"]

ROOT = Path(__file__).parent.parent.parent
TABLES = (checkpoints, checkpoint_spans, merkle_tiles, checkpoint_duties)

KILLED = """
import asyncio, os, signal, sys
from sqlalchemy import event
from storage.engine import Database
from tests.storage.sealing import sealing

database = Database(sys.argv[1])

@event.listens_for(database.engine.sync_engine, "after_cursor_execute")
def die(connection, cursor, statement, parameters, context, executemany):
    if statement.startswith("INSERT INTO " + sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(sealing(database).make())
"""

AT_IT = """
import asyncio, sys
from storage.engine import Database
from tests.storage.sealing import sealing

async def seal():
    database, made = Database(sys.argv[1]), 0
    loop = asyncio.get_running_loop()
    over = loop.run_in_executor(None, sys.stdin.read)
    print("ready", flush=True)
    while not over.done():
        made += await sealing(database).make() is not None
    print(made)

asyncio.run(seal())
"""


def child(program: str, database: Database, *words: str) -> "subprocess.Popen[str]":
    """A process of its own that works on the store."""
    url = database.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-c", program, url, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.faults
@pytest.mark.parametrize("table", [table.name for table in TABLES])
async def test_a_process_that_is_killed_in_the_middle_leaves_nothing_half(
    database: Database, table: str, note: Note
) -> None:
    """After the rows of each table in turn; the next process makes the whole checkpoint."""
    note(row="21", fault=f"killed after its rows of {table}, {database.engine.dialect.name}")
    await goes_on(database, "visit", 300)
    with child(KILLED, database, table) as killed:
        assert await asyncio.to_thread(killed.wait, 60) == -signal.SIGKILL
    async with database.reading() as connection:
        counts = [(await connection.execute(select(func.count()).select_from(one))).scalar_one() for one in TABLES]
    assert counts == [0, 0, 0, 0]
    found = await made(database)
    assert (found.checkpoint.number, found.checkpoint.size) == (1, 300)
    assert found.checkpoint.root == root_of(await leaves(database)).hex()


@pytest.mark.faults
async def test_processes_that_seal_at_once_make_one_chain(database: Database, note: Note) -> None:
    """Three, as fast as they can, while a file and a register go on: every event once, in one unbroken tree."""
    note(row="21", fault=f"three processes seal at once while files go on, {database.engine.dialect.name}")
    sealers = [child(AT_IT, database) for _ in range(3)]
    try:
        for one in sealers:
            assert await asyncio.to_thread(_line, one) == "ready\n"
        for number in range(40):
            await goes_on(database, f"visit-{number % 3}", 1 + number % 4)
            await logs(database, f"account-{number}")
        counts = [int((await asyncio.to_thread(one.communicate))[0]) for one in sealers]
    finally:
        for one in sealers:
            one.kill()
    last = await sealing(database).make()
    log = CheckpointLog(database)
    chain = await log.all()
    assert len(chain) == sum(counts) + (last is not None)
    latest = verify_checkpoints(chain, keys().public)
    assert latest is not None
    assert (latest.size, latest.root) == (140, root_of(await leaves(database)).hex())
    added = Counter[str]()
    for span in await log.spans():
        assert span.first_seq == added[span.stream] + 1
        added[span.stream] = span.last_seq
    assert added == {"visit-0": 35, "visit-1": 32, "visit-2": 33, "register:accounts": 40}
    note(checkpoints=len(chain))


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    read: Callable[[], str] = process.stdout.readline
    return read()
