"""The processor's time that a call takes in each process: what a busy machine disturbs less than the clock."""

import os
from collections.abc import Awaitable, Callable

import psutil

from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from benchmarks.timing import Contestant

NAME = "processor"
BATCH = 12
PROCESSES = ("temporal", "worker", "api")


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Sum user and system time over a few hundred calls, with all that they leave to be done; milliseconds a call."""
    floor = await here.floor()
    by_client, written = await here.subject(), await here.subject()
    batched, by_http = await here.subject(), await here.subject()

    async def nothing() -> None:
        return None

    contestants = [
        Contestant("no-op update", lambda: floor.execute_update("no_op"), nothing),
        Contestant("with a local activity", lambda: floor.execute_update("local_activity"), nothing),
        Contestant("command", lambda: here.send(by_client, [by_client.move()]), lambda: here.settle(by_client)),
        Contestant("written through", lambda: here.execute(written, [written.move()]), lambda: here.settle(written)),
        Contestant(f"batch of {BATCH}", lambda: here.send(batched, batched.moves(BATCH)), lambda: here.settle(batched)),
        Contestant("command by HTTP", lambda: here.post(by_http, by_http.move()), lambda: here.settle(by_http)),
    ]
    processes = {name: psutil.Process(here.record.parts[name].pid) for name in PROCESSES}
    processes["client"] = psutil.Process(os.getpid())
    sums = {}
    for one in contestants:
        spent = await _spent(one.call, one.settle, processes, calls=100 if quick else 300)
        sums[one.name] = sum(spent.values())
        note = ", ".join(f"{name} {milliseconds:.1f}" for name, milliseconds in spent.items())
        findings.add(NAME, [Figure(one.name, sums[one.name], "ms", note)])
    update, _, single, _, twelve, http = sums.values()
    findings.add(
        NAME,
        [],
        [
            Ratio("processor_client_to_floor", single / update),
            Ratio("processor_batched_transition_to_floor", twelve / BATCH / update),
            Ratio("processor_http_to_floor", http / update),
        ],
    )


async def _spent(
    call: Callable[[], Awaitable[object]],
    settle: Callable[[], Awaitable[object]],
    processes: dict[str, psutil.Process],
    *,
    calls: int,
) -> dict[str, float]:
    for _ in range(20):
        await call()
    await settle()
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    for _ in range(calls):
        await call()
    await settle()
    after = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    return {name: (after[name] - before[name]) / calls * 1000 for name in processes}
