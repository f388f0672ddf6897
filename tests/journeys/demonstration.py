"""`legation demo` as a person runs it, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.folder import StackRecord
from tests.embedded.running_stack import ROOT

LONGEST = 300
"""Seconds after which a demo that has not ended is taken for one that hangs."""


def demo(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """Start the demo with `--json`, on free ports and a data folder of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("LEGATION_", "LC_", "LANG"))}
    with open(folder.with_name(f"{folder.name}.err"), "wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "cli", "--data", str(folder), "demo", *words, "--json", "--ports", "free"],
            cwd=ROOT,
            env=environment | {"LC_ALL": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def played_to_the_end(folder: Path, *words: str) -> dict[str, Any]:
    """What `legation demo … --exit --json` prints: one object, and nothing beside it."""
    process = demo(folder, *words, "--exit")
    output, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, folder.with_name(f"{folder.name}.err").read_text()
    printed: dict[str, Any] = json.loads(output)
    return printed


@contextmanager
def kept_running(folder: Path, *words: str) -> Iterator[tuple[dict[str, Any], StackRecord]]:
    """What the demo prints, and what runs meanwhile; Ctrl-C ends it, with exit code 0."""
    process = demo(folder, *words)
    try:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            # The object is printed indented, so only its last line is a brace alone.
            if line == "}\n":
                break
        printed = json.loads(text)
        yield printed, StackRecord.model_validate_json((folder / "run" / "stack.json").read_bytes())
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert (process.returncode, rest) == (0, "")
    finally:
        process.kill()
        process.wait()
