"""Workflows that wait in the ways a delegation waits; for the tests of the virtual clock alone."""

import asyncio
from datetime import datetime, timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy


@activity.defn
async def work(seconds: float) -> None:
    await asyncio.sleep(seconds)


@activity.defn
async def fail_until(attempt: int) -> None:
    if activity.info().attempt < attempt:
        raise RuntimeError("not yet")


@workflow.defn
class Chain:
    """Notes when each of its deadlines fired; after `links` of them it continues as new."""

    @workflow.init
    def __init__(self, due: list[str], links: int, working: float, fired: list[str]) -> None:
        self._fired = list(fired)
        self._asked: tuple[str, float] | None = None
        self._closed = False

    @workflow.run
    async def run(self, due: list[str], links: int, working: float, fired: list[str]) -> None:
        since = 0
        while due:
            wait = max(datetime.fromisoformat(due[0]) - workflow.now(), timedelta(0))
            try:
                await workflow.wait_condition(lambda: self._asked is not None or self._closed, timeout=wait)
            except TimeoutError:
                self._fired.append(workflow.now().isoformat())
                due = due[1:]
                since += 1
                if working:
                    await workflow.execute_activity(work, working, start_to_close_timeout=timedelta(seconds=30))
                if links and since >= links:
                    workflow.continue_as_new(args=[due, links, working, self._fired])
            if self._closed:
                return
            if self._asked is not None:
                await self._carry_out(*self._asked)
        await workflow.wait_condition(lambda: self._closed)

    async def _carry_out(self, what: str, amount: float) -> None:
        self._asked = None
        retry = RetryPolicy(initial_interval=timedelta(minutes=1), backoff_coefficient=2.0)
        await workflow.execute_activity(
            what,
            amount if what == "work" else int(amount),
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=retry,
        )

    @workflow.update
    async def now(self) -> str:
        return workflow.now().isoformat()

    @workflow.query
    def fired(self) -> list[str]:
        return self._fired

    @workflow.signal
    def ask(self, what: str, amount: float) -> None:
        self._asked = (what, amount)

    @workflow.signal
    def close(self) -> None:
        self._closed = True
