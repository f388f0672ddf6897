"""Signs of life of an activity, so that the work of a worker that died is soon given to another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity

BEAT = 1.0
"""Seconds between two signs of life; the workflow waits for several before it takes a worker for dead."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Give signs of life while the block runs; none for one that is shorter than a beat."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT)
            activity.heartbeat()

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
