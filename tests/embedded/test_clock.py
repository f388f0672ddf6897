"""The virtual clock on the real server: what is due on the way fires on the way, in order, at its time."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from embedded.clock import ClockStopped, VirtualClock
from tests.embedded.chains import Chain, fail_until, work
from tests.temporal import Connect

SECOND = timedelta(seconds=1)


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[Worker]:
    async with Worker(client, task_queue=task_queue, workflows=[Chain], activities=[work, fail_until]) as running:
        yield running


async def started(
    client: Client, queue: str, *, deadlines: int = 0, links: int = 0, working: float = 0
) -> tuple[WorkflowHandle[Any, Any], list[datetime]]:
    """A chain with `deadlines`, one every three days from now; its handle names no run."""
    now = datetime.now(UTC)
    due = [now + timedelta(days=3 * each) for each in range(1, deadlines + 1)]
    name = f"chain-{uuid.uuid4()}"
    await client.start_workflow(
        Chain.run, args=[[each.isoformat() for each in due], links, working, []], id=name, task_queue=queue
    )
    return client.get_workflow_handle(name), due


async def lags(handle: WorkflowHandle[Any, Any], due: list[datetime]) -> list[timedelta]:
    fired = [datetime.fromisoformat(each) for each in await handle.query(Chain.fired)]
    return [at - planned for at, planned in zip(fired, due, strict=False)]


async def test_a_workflow_that_waits_without_a_timer_moves_at_once(
    client: Client, clock: VirtualClock, task_queue: str, worker: Worker
) -> None:
    """The workflow's own present is the target, not only the server's figure."""
    handle, _ = await started(client, task_queue)
    target = datetime.now(UTC) + timedelta(days=60)
    assert target <= await clock.advance(handle.id, target) < target + SECOND
    assert target <= datetime.fromisoformat(await handle.execute_update(Chain.now)) < target + 5 * SECOND


@pytest.mark.parametrize("links", [0, 1, 3], ids=["one run", "a run each", "three to a run"])
@pytest.mark.slow
async def test_every_deadline_on_the_way_fires_at_its_time(
    client: Client, clock: VirtualClock, task_queue: str, worker: Worker, links: int
) -> None:
    """Also across continue-as-new, and with an activity after each: ten fire, the eleventh is not yet due."""
    handle, due = await started(client, task_queue, deadlines=11, links=links, working=0.05)
    await clock.advance(handle.id, due[9] + timedelta(days=1))
    late = await lags(handle, due)
    assert len(late) == 10
    # An activity takes real time, and the clock runs on meanwhile: seconds, never hours.
    assert max(late) < 10 * SECOND


@pytest.mark.slow
async def test_an_activity_in_flight_holds_the_clock_until_it_ends(
    client: Client, clock: VirtualClock, task_queue: str, worker: Worker
) -> None:
    """Then the clock goes on by itself, and reaches its target."""
    handle, due = await started(client, task_queue, deadlines=1)
    await handle.signal(Chain.ask, args=["work", 1.0])
    while not (await handle.describe()).raw_description.pending_activities:
        await asyncio.sleep(0.01)
    before = asyncio.get_running_loop().time()
    assert await clock.advance(handle.id, due[0] + timedelta(days=1)) >= due[0] + timedelta(days=1)
    assert asyncio.get_running_loop().time() - before > 0.5
    assert len(await lags(handle, due)) == 1


async def test_a_retried_activity_is_retried_on_the_way(
    client: Client, clock: VirtualClock, task_queue: str, worker: Worker
) -> None:
    """Its backoff is skipped: four attempts (1 + 2 + 4 minutes apart) take no real minute."""
    handle, due = await started(client, task_queue, deadlines=1)
    await handle.signal(Chain.ask, args=["fail_until", 4.0])
    await clock.advance(handle.id, due[0] + SECOND)
    assert len(await lags(handle, due)) == 1


async def test_a_clock_never_goes_back(client: Client, clock: VirtualClock, task_queue: str, worker: Worker) -> None:
    """A target that is past leaves the clock where it is, and a microsecond ahead is no leap to the next deadline."""
    handle, due = await started(client, task_queue, deadlines=1)
    there = await clock.advance(handle.id, due[0] - timedelta(days=1))
    assert there <= await clock.advance(handle.id, due[0] - timedelta(days=2)) < there + 5 * SECOND
    assert await clock.advance(handle.id, await clock.now(handle.id) + timedelta(microseconds=1)) < there + 5 * SECOND
    assert await lags(handle, due) == []


async def test_a_workflow_that_closes_first_stops_the_clock(
    client: Client, clock: VirtualClock, task_queue: str, worker: Worker
) -> None:
    handle, _ = await started(client, task_queue)
    await handle.signal(Chain.close)
    await handle.result()
    with pytest.raises(ClockStopped, match="cannot be moved"):
        await clock.advance(handle.id, datetime.now(UTC) + timedelta(days=1))


@pytest.mark.slow
async def test_without_a_worker_the_clock_gives_up_and_stays(connect: Connect, client: Client, task_queue: str) -> None:
    """It says what it waits for, and does not leap later, when a worker comes."""
    handle, due = await started(client, task_queue, deadlines=1)
    impatient = VirtualClock(await connect(), patience=timedelta(seconds=0.5))
    with pytest.raises(ClockStopped, match="waiting for a worker"):
        await impatient.advance(handle.id, due[0] + timedelta(days=1))
    async with Worker(client, task_queue=task_queue, workflows=[Chain], activities=[work, fail_until]):
        assert datetime.fromisoformat(await handle.execute_update(Chain.now)) < due[0] - timedelta(days=2)
        assert await lags(handle, due) == []
