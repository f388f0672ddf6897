"""Records histories on a real server: `python -m tests.replay.record [name …]`.

The shipped scenarios at their own pace, and a long file that is continued as new, closed and reopened. They carry
references instead of personal data, so they can be kept. Afterwards: `python -m tests.replay.golden`.
"""

import asyncio
import os
import sys
import tempfile
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory

from api.engine import TASK_TIMEOUT, WORKFLOW, CommandRefused
from audit.history import read_run
from domain.institution import Organisation, Position
from scenariofile import (
    Act,
    DigestNamed,
    EndLeave,
    FileNamed,
    Leave,
    PersonNamed,
    Placeholder,
    RegisterLeave,
    Scenario,
    TextWritten,
    expand,
    fill,
    load_scenario,
    placeholders,
    shifted,
)
from scenarioplayer.player import weeks_into_the_future
from storage.accounts import AccountDetails
from storage.persons import PersonDetails
from tests.replay.recordings import write
from tests.running import Running, running
from tests.temporal import TemporalServer
from workflows.carried import unopened

ROOT = Path(__file__).parents[2]
RELEASE: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
IDENTITY = "recorder"
"""In the place of a process and a host, which do not belong into a file that is kept."""


async def play(here: Running, scenario: Scenario) -> None:
    """Go a scenario's way, every step at its own business time, shifted into the future."""
    scenario = shifted(scenario, weeks=weeks_into_the_future(scenario, datetime.now(UTC)))
    values: dict[Placeholder, Any] = {}
    leaves = await _institution(here, scenario, values)
    # A run begins at the time of the wall: started before anything is asked of it, it can open at its own date.
    await here.client.start_workflow(
        WORKFLOW,
        unopened(here.id),
        id=here.id,
        task_queue=here.settings.temporal_task_queue,
        task_timeout=TASK_TIMEOUT,
    )
    digests: dict[str, list[str]] = {"dossier": [], "report": []}
    for step in scenario.steps:
        await here.clock.advance(here.id, scenario.when(step).instant)
        if isinstance(step, Act) and step.leave_change:
            await _change_leave(here, scenario, step, leaves)
        elif isinstance(step, Act):
            asked = expand(scenario, step)
            for named in placeholders(asked):
                if isinstance(named, DigestNamed) or named not in values:
                    values[named] = await _value(here, scenario, named, digests)
            bodies = fill(asked, values)
            refused = None
            try:
                await here.send(*bodies, by=step.by, key=step.id)
            except CommandRefused as refusal:
                refused = refusal.refusal.code
            assert refused == (step.expect.refused if step.expect else None), (step.id, refused)
        file = await here.idle()
        for kind, made in (("dossier", file.proposal), ("report", file.report)):
            if made and made.number > len(digests[kind]):
                digests[kind].append(made.digest)


async def _institution(here: Running, scenario: Scenario, values: dict[Placeholder, Any]) -> dict[str, str]:
    """Enter organisations, positions, accounts and leave; return the ids of leave by the names of the file."""
    registers, since = here.registers, datetime(2026, 1, 1, tzinfo=UTC)
    for one in scenario.organisations:
        entry = Organisation(slug=one.id, kind=one.kind, parent=one.parent, name=one.name, since=since)
        await registers.institution.add_organisation(entry, by="root")
    for position in scenario.positions:
        title = Position(slug=position.id, organisation=position.organisation, title=position.title)
        await registers.institution.add_position(title, by="root")
    for actor in scenario.actors:
        details = actor.model_dump(exclude={"person"})
        if actor.person:
            named = PersonNamed(actor.person)
            values[named] = await _value(here, scenario, named, {})
            details["person"] = values[named]["ref"]
        await registers.accounts.create(AccountDetails.model_validate(details))
    leaves: dict[str, str] = {}
    for leave in scenario.leave:
        await _register(here, scenario, leave, leaves)
    return leaves


async def _register(here: Running, scenario: Scenario, leave: Leave, leaves: dict[str, str]) -> None:
    since, until = scenario.instant(leave.since), scenario.instant(leave.until)
    registered = await here.registers.leaves.register(
        leave.account, leave.substitute, since, until, leave.positions, by=leave.account
    )
    leaves[leave.id] = registered.id


async def _change_leave(here: Running, scenario: Scenario, step: Act, leaves: dict[str, str]) -> None:
    change, registers = step.leave_change, here.registers
    if isinstance(change, RegisterLeave):
        await _register(here, scenario, change.entry(step.by), leaves)
    elif isinstance(change, EndLeave):
        await registers.leaves.change_end(leaves[change.leave], scenario.instant(change.until), by=step.by)
    elif change is not None:
        await registers.leaves.revoke(leaves[change.leave], by=step.by)


async def _value(here: Running, scenario: Scenario, named: Placeholder, digests: dict[str, list[str]]) -> Any:
    registers = here.registers
    match named:
        case PersonNamed(who):
            ref = await registers.persons.register(PersonDetails.model_validate(scenario.person(who).details))
            return ref.model_dump()
        case TextWritten(text):
            return await here.text(text)
        case FileNamed(file):
            content, media_type = scenario.content(file)
            stored = await registers.attachments.store(_stream(content), declared=media_type)
            return stored.model_dump(exclude_none=True)
        case DigestNamed(of, number):
            return digests[of][number - 1 if number else -1]


async def _stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def long_file(here: Running) -> None:
    """More commands than a run takes, then closed, and opened again for a correction."""
    await here.open()
    for number in range(1, 161):
        await here.send({"type": "revise_request", "title": f"Đoàn Tokyo, bản {number}"}, key=f"revision-{number}")
    await here.send({"type": "cancel_delegation", "reason": await here.text("Đoàn bạn xin hoãn vô thời hạn.")})
    await here.send({"type": "close_delegation"})
    await here.client.get_workflow_handle(here.id).result()
    await here.send({"type": "reopen_delegation", "reason": await here.text("Sửa lỗi chính tả.")})
    await here.idle()
    await here.send({"type": "close_delegation"})


def _scenario(name: str) -> Callable[[Running], Awaitable[None]]:
    scenario = load_scenario(ROOT / "scenarios" / f"{name}.yaml")
    return lambda here: play(here, scenario)


RECORDED: dict[str, Callable[[], Callable[[Running], Awaitable[None]]]] = {
    "inbound-study-visit": lambda: _scenario("inbound-study-visit"),
    "outbound-high-level": lambda: _scenario("outbound-two-countries"),
    "long-file": lambda: long_file,
}


@asynccontextmanager
async def installation(folder: Path, name: str) -> AsyncIterator[Running]:
    """An installation of its own that leaves no trace of this machine in what it records."""
    server = TemporalServer(folder)
    await asyncio.to_thread(server.start)

    async def connect(**options: Any) -> Client:
        return await Client.connect(server.address, namespace=server.namespace, identity=IDENTITY, **options)

    try:
        async with running(folder, connect, server.address) as here:
            yield replace(here, id=name)
    finally:
        server.kill()


async def recorded(name: str, way: Callable[[Running], Awaitable[None]]) -> list[WorkflowHistory]:
    """Go a way to its end and return the history of every run, in the order of the trail."""
    with tempfile.TemporaryDirectory(prefix="legation-record-") as folder:
        async with installation(Path(folder), name) as here:
            await way(here)
            await here.client.get_workflow_handle(name).result()
            histories = [
                await here.client.get_workflow_handle(name, run_id=listed.run_id).fetch_history()
                async for listed in here.client.list_workflows(f"WorkflowId = '{name}'")
            ]
    runs = {history.run_id: await read_run(history) for history in histories}
    return sorted(histories, key=lambda history: runs[history.run_id].head.seq)


async def main(names: list[str]) -> None:
    """Record the named ways, or all."""
    for name in names or RECORDED:
        for path in write(f"{name}-{RELEASE}", await recorded(name, RECORDED[name]())):
            print(path.name, path.stat().st_size)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
    sys.stdout.flush()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(0)
