"""One child process: started in a group of its own, it ends with the process that started it, however that one ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
LOG_BYTES = 10 * 1024 * 1024
"""A log beyond this size is put aside when its part starts; one old log is kept."""


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
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
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
                    umask=0o077,
                    preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509
                )
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.poll()
        # Only looked at, not collected: until `kill` collects it, no other process can be given its number.
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return int(ended.si_status) if ended.si_code == os.CLD_EXITED else -int(ended.si_status)

    def ask_to_end(self) -> None:
        """SIGTERM to the whole group; nothing if it has ended."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the whole group, also to what an ended child left behind, and collects the exit code."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


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
