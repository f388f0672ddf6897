"""More commands on one delegation than one run of a workflow may take (issue: more than 2,000 under steady load)."""

import asyncio
import time

import pytest

from domain.evolve import fold
from domain.seal import genesis, verify_chain
from tests.faults.page import Note
from tests.running import Running

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

COMMANDS = 2_100
"""The server's own limit is 2,000 updates a run."""

CLIENTS = 12


async def test_two_thousand_commands_are_two_thousand_events(here: Running, note: Note) -> None:
    """Twelve clients who never pause: every receipt names events of its own, the trail has no gap, nothing is lost."""
    await here.open()
    numbers = iter(range(COMMANDS))
    acknowledged: dict[str, tuple[int, int]] = {}

    async def client() -> None:
        for number in numbers:
            receipt = await here.send({"type": "revise_request", "title": f"Đoàn {number}"}, key=f"load-{number}")
            acknowledged[receipt.command_id] = (receipt.first_seq, receipt.last_seq)

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    seconds = time.monotonic() - began
    await here.idle()
    events = await here.registers.journal.events(here.id)
    verify_chain(genesis(here.id), events)
    assert fold(events) == await here.file()
    revised = [event for event in events if event.type == "RequestRevised"]
    assert len(revised) == len({event.command_id for event in revised}) == COMMANDS
    assert {event.command_id: event.seq for event in revised}.keys() == acknowledged.keys()
    assert all(acknowledged[event.command_id][0] <= event.seq <= acknowledged[event.command_id][1] for event in revised)
    runs = [run async for run in here.client.list_workflows(f'WorkflowId = "{here.id}"')]
    note(row="20", fault=f"{COMMANDS} commands from {CLIENTS} clients on one delegation")
    note(commands_a_second=round(COMMANDS / seconds), runs_seen=len(runs))
    assert len(runs) >= COMMANDS // 200
