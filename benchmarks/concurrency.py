"""Sixteen clients at once, each on a workflow of its own: transitions a second against no-op updates a second."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from benchmarks.subject import Subject

NAME = "16 clients"
CLIENTS = 16
BATCH = 12

Client = Callable[[], Awaitable[object]]


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Count what is answered within a few seconds, in turns; what a round began is finished before the next."""
    floors = [await here.floor() for _ in range(CLIENTS)]
    subjects = [await here.subject() for _ in range(CLIENTS)]

    def mover(subject: Subject, how_many: int) -> Client:
        return lambda: here.send(subject, subject.moves(how_many))

    def writer(subject: Subject) -> Client:
        return lambda: here.execute(subject, subject.moves(1))

    def updater(floor: WorkflowHandle[Any, Any], update: str) -> Client:
        return lambda: floor.execute_update(update)

    async def settle() -> None:
        for subject in subjects:
            await here.settle(subject)

    contestants: dict[str, tuple[Sequence[Client], int]] = {
        "no-op updates": ([updater(floor, "no_op") for floor in floors], 1),
        "updates with a no-op local activity": ([updater(floor, "local_activity") for floor in floors], 1),
        "transitions": ([mover(subject, 1) for subject in subjects], 1),
        "transitions, written through": ([writer(subject) for subject in subjects], 1),
        f"transitions in batches of {BATCH}": ([mover(subject, BATCH) for subject in subjects], BATCH),
    }
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for clients, _ in contestants.values():
        await _answered(clients, 0.5)
    await settle()
    names = list(contestants)
    for number in range(2 if quick else 6):
        shift = number % len(names)
        for name in (*names[shift:], *names[:shift]):
            clients, weight = contestants[name]
            found[name].append(weight * await _answered(clients, 2.0 if quick else 4.0))
            await settle()
    rates = {name: median(values) for name, values in found.items()}
    update, local_activity, single, written, batched = rates.values()
    findings.add(
        NAME,
        [
            Figure(name, rates[name], "/s", f"rounds {min(values):.0f} to {max(values):.0f}")
            for name, values in found.items()
        ],
        [
            Ratio("throughput_to_floor", single / update, 0.6, at_least=True),
            Ratio("throughput_to_local_activity", single / local_activity),
            Ratio("written_throughput_to_floor", written / update),
            Ratio("batched_throughput_to_floor", batched / update, 5.0, at_least=True),
        ],
    )


async def _answered(clients: Sequence[Client], seconds: float) -> float:
    """Return calls a second: each client sends its next call when the one before is answered."""
    begun = time.perf_counter()

    async def keep_calling(call: Client) -> int:
        answered = 0
        while time.perf_counter() - begun < seconds:
            await call()
            answered += 1
        return answered

    counts = await asyncio.gather(*(keep_calling(call) for call in clients))
    return sum(counts) / (time.perf_counter() - begun)
