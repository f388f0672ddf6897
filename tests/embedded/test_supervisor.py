"""The supervisor: what it says of parts that do not come up, and that it starts them again with patience."""

import asyncio
import os
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from embedded.failure import StackFailure
from embedded.health import READY, Health
from embedded.supervisor import Part, Supervisor
from tests.embedded.running_stack import lives


async def ready(_pid: int) -> Health:
    return READY


async def never(_pid: int) -> Health:
    return Health(ready=False, alive=True, detail="answers 503")


def supervisor(folder: Path, said: list[str]) -> Supervisor:
    return Supervisor(
        folder=folder,
        logs=folder,
        environment=os.environ,
        report=lambda sentence: said.append(str(sentence)),
        changed=lambda records: None,
    )


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


async def test_a_part_that_ends_at_once_is_refused_with_its_last_words(tmp_path: Path) -> None:
    """One sentence, with where to read on."""
    parts = supervisor(tmp_path, [])
    with pytest.raises(StackFailure) as failure:
        await parts.start([Part("api", "API", program("raise SystemExit('the disk is full')"), never)])
    await parts.stop()
    assert str(failure.value) == (
        f"The API ended (exit code 1) before it was ready: the disk is full (see {tmp_path}/api.log)."
    )


async def test_a_part_that_does_not_become_ready_is_refused_with_what_it_answers(tmp_path: Path) -> None:
    parts = supervisor(tmp_path, [])
    idle = program("import time; time.sleep(60)")
    with pytest.raises(StackFailure) as failure:
        await parts.start([Part("api", "API", idle, never, patience_seconds=0.2)])
    await parts.stop()
    assert str(failure.value) == (f"The API was not ready after 0 seconds (answers 503): see {tmp_path}/api.log")


@pytest.mark.slow
async def test_a_part_that_falls_again_and_again_is_started_with_growing_pauses(tmp_path: Path) -> None:
    """0.1, 0.2, 0.4 seconds: a broken part must not eat the machine."""
    said: list[str] = []
    parts = supervisor(tmp_path, said)
    log = tmp_path / "starts"
    text = (
        f"import time; open({str(log)!r}, 'a').write(f'{{time.monotonic()}}\\n'); time.sleep(0.2); raise SystemExit(3)"
    )
    await parts.start([Part("api", "API", program(text), ready)])
    while not log.exists() or len(log.read_text().splitlines()) < 4:
        await asyncio.sleep(0.02)
    await parts.stop()
    starts = [float(line) for line in log.read_text().splitlines()]
    pauses = [later - earlier for earlier, later in pairwise(starts)]
    assert pauses[2] - pauses[0] > 0.2
    assert said[0] == "The API ended (exit code 3); it is started again."
    assert parts.records["api"].restarts >= 3


async def test_a_part_that_is_killed_takes_what_it_started_with_it(tmp_path: Path) -> None:
    """Its process group ends too: a grandchild must not keep the port of the next one."""
    note = tmp_path / "grandchild"
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    parts = supervisor(tmp_path, [])

    async def started(_pid: int) -> Health:
        return READY if note.exists() and note.read_text() else Health(ready=False, alive=True, detail="")

    await parts.start([Part("api", "API", program(text), started)])
    grandchild = int(note.read_text())
    await parts.stop()
    while lives(grandchild):
        await asyncio.sleep(0.02)


async def test_a_command_that_runs_once_may_fail(tmp_path: Path) -> None:
    parts = supervisor(tmp_path, [])
    with pytest.raises(StackFailure, match="before it was ready: no server"):
        await parts.run_once("bootstrap", "preparation", program("raise SystemExit('no server')"), {})
