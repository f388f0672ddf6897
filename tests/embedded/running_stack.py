"""A stack in a process of its own, as a person starts it, for tests that kill or stop it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], bool], *, seconds: float = 30.0) -> float:
    """Waits for a condition and returns the seconds it took; fails when it never holds."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "the condition never held"
        time.sleep(0.01)
    return time.monotonic() - start


def legation(*words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """The command, run to its end, under the given `LEGATION_` variables alone."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LEGATION_", "LC_", "LANG"))}
    environment |= {f"LEGATION_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env={"COLUMNS": "200", "LC_ALL": "C.UTF-8"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class RunningStack:
    """The real server, mailbox and bootstrap, with a small worker and API beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder.with_name(f"{folder.name}.out")
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.embedded.programs.run_stack", str(folder)],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output.read_text()

    def until_ready(self) -> None:
        until(lambda: self.record().get("complete", False) or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def record(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / "run" / "stack.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def pids(self) -> dict[str, int]:
        return {name: part["pid"] for name, part in self.record()["parts"].items()}

    def interrupt(self) -> int:
        """One Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)


@contextmanager
def running_stack(folder: Path) -> Iterator[RunningStack]:
    """A ready stack; whatever the test did to it, nothing of it is left afterwards."""
    stack = RunningStack(folder)
    try:
        stack.until_ready()
        yield stack
    finally:
        stack.process.kill()
        stack.process.wait()


def lives(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
