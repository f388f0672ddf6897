"""`python -m tests.embedded.programs.run_stack FOLDER`: a stack of real parts on free ports, until Ctrl-C."""

import asyncio
import sys
from pathlib import Path

from embedded.ports import Ports
from embedded.stack import Commands, Stack, run
from settings import load_settings

STAND_INS = Commands(
    worker=(sys.executable, "-m", "tests.embedded.programs.polling_worker"),
    api=(sys.executable, "-m", "tests.embedded.programs.healthy_api"),
)


async def until_stopped(_stack: Stack) -> None:
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    ports = Ports.free()
    settings = load_settings({"data_dir": Path(sys.argv[1]), "api_port": ports.api})
    asyncio.run(run(Stack(settings, ports, report=print, commands=STAND_INS), until_stopped))
    print("stopped", flush=True)
