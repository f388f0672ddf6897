"""Replays histories with today's workflow: `python -m replaying`, one history a line on standard input.

A process of its own, because the Replayer waits for ever on some histories: whoever starts it can end it. A line is
`{"workflow_id": …, "history": {…}}` (the JSON of the history, payloads as they are there); the answer to each is a line
`{"failure": null}` or `{"failure": what the Replayer says}`. Keys come from the settings.
"""

import asyncio
import json
import os
import sys

from temporalio.client import WorkflowHistory
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer

from activities.codec import data_converter
from audit.history import HistoryUnreadable, require_whole
from settings import Settings, load_settings
from storage.keyring import Keyring, MasterKey
from worker import sandbox
from workflows.delegation import DelegationWorkflow


def replayer(settings: Settings) -> Replayer:
    """A Replayer with the worker's own workflow, sandbox and converter."""
    keyring = Keyring([MasterKey.of(key) for key in settings.master_keys()]) if settings.encrypts_payloads else None
    # The core would write its warnings to standard output, between the lines.
    quiet = Runtime(telemetry=TelemetryConfig(logging=None))
    return Replayer(
        workflows=[DelegationWorkflow],
        workflow_runner=sandbox(),
        data_converter=data_converter(keyring),
        runtime=quiet,
    )


async def failure_of(one: Replayer, history: WorkflowHistory) -> str | None:
    """Return the kind of what a replay failed with, None when it went well. Content is never told."""
    try:
        require_whole(history)
    except HistoryUnreadable as unreadable:
        return unreadable.reason
    if len(history.events) < 2:
        # Nothing was done yet, and the Replayer would wait for it.
        return None
    result = await one.replay_workflow(history, raise_on_replay_failure=False)
    return None if result.replay_failure is None else type(result.replay_failure).__name__


async def answer() -> None:
    """Replay what comes, line by line, until there is no more."""
    one = replayer(load_settings())
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        failure = await failure_of(one, WorkflowHistory.from_json(asked["workflow_id"], asked["history"]))
        print(json.dumps({"failure": failure}), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(answer())
    sys.stdout.flush()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(0)
