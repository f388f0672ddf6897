"""Temporal's server, or the API too, of a data folder: what runs there, else started for the time it is needed.

Started on a stopped folder they only show what is there: no worker runs, so no file goes on. `python -m
embedded.at_hand` does it for the command line: it writes one line of JSON, `{"api_url": …}` or `{"refused": …}`, and
ends when its standard input does.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from embedded.failure import StackFailure
from embedded.folder import DataFolder, StackRecord
from embedded.ports import Ports
from embedded.stack import Only, Stack, run
from locales import mark
from settings import Settings, SettingsRefused, load_settings


class NothingThere(StackFailure):
    """No stack ever ran on the data folder."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            mark("There are no data of Legation in %(folder)s: start it with `legation up`."), folder=settings.data_dir
        )


@asynccontextmanager
async def temporal_at_hand(settings: Settings) -> AsyncIterator[Settings]:
    """The settings with the address of the Temporal server that has the folder's histories, while it answers.

    One that the settings name, else the one of the running stack, else one started here and stopped again: then call
    it from the main thread. Raises StackFailure.
    """
    if settings.temporal_address is not None or settings.profile == "server":
        yield settings
    elif (record := DataFolder(settings.data_dir).read()) is not None:
        yield _reaching(settings, record)
    else:
        async with stack_at_hand(settings, "temporal") as stack:
            yield _reaching(settings, stack.record)


def stack_at_hand(settings: Settings, only: Only) -> Stack:
    """A part of the stack on a stopped data folder, on free ports, in the profile it last had. Raises NothingThere."""
    folder = DataFolder(settings.data_dir)
    profile = folder.profile()
    if profile is None:
        raise NothingThere(settings)
    return Stack(settings.model_copy(update={"profile": profile}), Ports.free(), only=only)


def _reaching(settings: Settings, record: StackRecord) -> Settings:
    return settings.model_copy(
        update={
            "profile": record.profile,
            "temporal_address": record.temporal_address,
            "temporal_namespace": record.temporal_namespace,
            "temporal_task_queue": record.temporal_task_queue,
        }
    )


async def _until_unneeded(stack: Stack) -> None:
    _answer({"api_url": stack.api_url})
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


def _answer(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201


def main() -> int:
    """0, or 1 after a refusal."""
    try:
        stack = stack_at_hand(load_settings(), "api")
        asyncio.run(run(stack, _until_unneeded))
    except StackFailure as failure:
        sentence = failure.sentence
        _answer({"refused": {"text": sentence.text, "values": {k: str(v) for k, v in sentence.values.items()}}})
        return 1
    except SettingsRefused as refused:
        _answer({"refused": {"text": "%(problem)s", "values": {"problem": str(refused)}}})
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # A signal leaves a thread at standard input, which would be waited for.
    os._exit(code)
