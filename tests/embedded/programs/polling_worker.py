"""A worker as the stack sees it: polls the task queue that the settings name, until SIGTERM."""

import asyncio
import signal

from temporalio.worker import Worker

from embedded.connection import connect
from settings import load_settings
from tests.embedded.chains import Chain, fail_until, work


async def main() -> None:
    settings = load_settings()
    client = await connect(settings)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    async with Worker(
        client, task_queue=settings.temporal_task_queue, workflows=[Chain], activities=[work, fail_until]
    ):
        await told.wait()


if __name__ == "__main__":
    asyncio.run(main())
