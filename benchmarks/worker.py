"""`python -m benchmarks.worker`: the real worker, and the floor's beside it in the same process."""

import asyncio
import cProfile
import os
import signal

from temporalio.client import Client
from temporalio.worker import Worker

from activities.codec import data_converter
from benchmarks.floor import TASK_QUEUE, Floor, nothing
from embedded.connection import connect
from settings import Settings, load_settings
from storage.registers import Registers
from worker import STICKY, build_worker, sandbox

PROFILE = "BENCHMARK_PROFILE"
"""Names a file: the worker then profiles its event loop's thread and writes what it saw there."""


def build_floor_worker(client: Client) -> Worker:
    """Return the worker of the floor, under the sandbox and the sticky timeout of the real one."""
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[Floor],
        activities=[nothing],
        workflow_runner=sandbox(),
        sticky_queue_schedule_to_start_timeout=STICKY,
    )


async def run(settings: Settings) -> None:
    """Run both workers until asked to end."""
    registers = Registers.open(settings.database_url, settings.master_keys(), settings.data_dir)
    sealed = data_converter(registers.keyring if settings.encrypts_payloads else None)
    client = await connect(settings, data_converter=sealed)
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    try:
        plain = await Client.connect(client.service_client.config.target_host, namespace=client.namespace)
        async with build_worker(client, settings, registers), build_floor_worker(plain):
            await asked.wait()
    finally:
        await registers.close()


def main() -> None:
    """Run, profiled if the environment asks for it."""
    wanted = os.environ.get(PROFILE)
    profile = cProfile.Profile() if wanted else None
    if profile:
        profile.enable()
    asyncio.run(run(load_settings()))
    if profile and wanted:
        profile.disable()
        profile.dump_stats(wanted)


if __name__ == "__main__":
    main()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(0)
