"""Replays histories with the worker's own workflow, sandbox and converter, or with ones that were changed on purpose.

A process of its own: `python -m tests.replay.replaying [--change NAME …] FILE …` prints one JSON line for each change
and file, with what went wrong or null. The Replayer waits for ever on some histories, so whoever starts this can kill
it.
"""

import argparse
import asyncio
import importlib
import json
import os
import sys
import tempfile
from pathlib import Path

from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Replayer

from activities.codec import data_converter
from audit.history import HistoryUnreadable, require_whole
from tests.replay.changes import CHANGES, changed_source
from tests.replay.recordings import read
from worker import sandbox
from workflows.delegation import DelegationWorkflow


def changed_workflow(change: str, folder: Path) -> type:
    """Return the workflow class of a changed copy of its source."""
    module = f"changed_{change.replace('-', '_')}"
    (folder / f"{module}.py").write_text(changed_source(change), encoding="utf-8")
    changed: type = importlib.import_module(module).DelegationWorkflow
    return changed


async def replay(workflow: type, paths: list[Path], change: str | None) -> None:
    """Replay each file and print what came of it."""
    # The core would write its warnings to standard output, between the lines.
    quiet = Runtime(telemetry=TelemetryConfig(logging=None))
    replayer = Replayer(
        workflows=[workflow], workflow_runner=sandbox(), data_converter=data_converter(None), runtime=quiet
    )
    for path in paths:
        history = read(path)
        failure: str | None
        try:
            require_whole(history)
            if len(history.events) < 2:
                raise HistoryUnreadable(history.workflow_id, 2, "nothing was done yet")
            result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
            failure = None if result.replay_failure is None else str(result.replay_failure)
        except HistoryUnreadable as unreadable:
            failure = str(unreadable)
        print(json.dumps({"change": change, "file": path.name, "failure": failure}), flush=True)


async def replay_all(changes: list[str], paths: list[Path]) -> None:
    """Replay with each changed workflow the recordings that are to notice it; without a change, every file."""
    if not changes:
        await replay(DelegationWorkflow, paths, None)
    with tempfile.TemporaryDirectory(prefix="legation-replay-") as folder:
        sys.path.insert(0, folder)
        for change in changes:
            noticing = [path for path in paths if path.name.startswith(CHANGES[change].caught_by)]
            await replay(changed_workflow(change, Path(folder)), noticing, change)


def main() -> None:
    """Replay what the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--change", choices=list(CHANGES), action="append", default=[])
    parser.add_argument("files", nargs="+", type=Path)
    asked = parser.parse_args()
    asyncio.run(replay_all(asked.change, asked.files))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(0)
