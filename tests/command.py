"""The `legation` command within this process: what a process of its own would say, for a tenth of its time."""

import contextlib
import io
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator

import cli

ONE_AT_A_TIME = threading.Lock()


def legation(*words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end, under the given `LEGATION_` variables alone, with nothing on standard input.

    In a thread of its own, since verbs run event loops of theirs. `tests.embedded.running_stack.legation` starts a
    process instead: where that is what is tested, or where signals and children are.
    """
    done: list[subprocess.CompletedProcess[str]] = []
    with ONE_AT_A_TIME, _environment(settings):
        thread = threading.Thread(target=lambda: done.append(_run(words)), name="legation")
        thread.start()
        thread.join(timeout=120)
    assert done, f"legation {' '.join(words)} did not end"
    return done[0]


def _run(words: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
    out, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    stands = sys.stdin, sys.stdout, sys.stderr, sys.argv
    sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), out, errors
    sys.argv = ["legation", *words]
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 - as the interpreter would at the end of its process
        traceback.print_exc(file=errors)
        code = 1
    finally:
        sys.stdin, sys.stdout, sys.stderr, sys.argv = stands
    texts = [stream.buffer.getvalue().decode("utf-8") for stream in (out, errors)]
    return subprocess.CompletedProcess(["legation", *words], code, *texts)


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """Let the settings be the only ones, in a terminal 200 columns wide that speaks no language."""
    stands = dict(os.environ)
    for name in stands:
        if name.startswith(("LEGATION_", "LC_", "LANG")):
            del os.environ[name]
    os.environ.update({"COLUMNS": "200", "LC_ALL": "C.UTF-8"})
    os.environ.update({f"LEGATION_{name.upper()}": value for name, value in settings.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(stands)
