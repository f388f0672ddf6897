"""One child process: started in a group of its own, it ends with the process that started it, however that one ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1


class Child:
    """A running process of the stack and its log file."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @classmethod
    def start(cls, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path) -> "Child":
        """Starts `command` in `folder`, appending both its outputs to `log` (mode 0600, folders are made).

        The child leads its own process group, so the terminal's Ctrl-C reaches the supervisor alone, which stops
        the parts in order. On Linux the kernel kills the child when the supervisor dies, even by SIGKILL. That signal
        is tied to the thread that starts the child, so call this from the main thread.
        """
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open_private(log) as output:
            return cls(
                subprocess.Popen(
                    list(command),
                    cwd=folder,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509
                )
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        """SIGTERM to the whole group; nothing if it has ended."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the whole group, also to what the child left behind, and collects the exit code."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return


def open_private(path: Path) -> IO[bytes]:
    """Opens a file for appending that only its owner may read, whatever the umask is."""
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))


# Loaded before any fork: between fork and exec a child must not take the dynamic linker's lock.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with(parent: int) -> Callable[[], None] | None:
    libc = _libc
    if libc is None:
        return None

    def before_exec() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died before the call above; then nobody is left to be told.
        if os.getppid() != parent:
            os._exit(1)

    return before_exec
