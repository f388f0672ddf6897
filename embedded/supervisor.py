"""Starts parts in stages, watches them, starts a fallen one again, stops them in order."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from embedded.child import Child
from embedded.failure import Sentence, StackFailure
from embedded.folder import PartRecord
from embedded.health import Check
from locales import mark

POLL_SECONDS: Final = 0.05
FIRST_BACKOFF_SECONDS: Final = 0.1
LONGEST_BACKOFF_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 2.0
"""A part that ran this long before it fell is started again at once."""
CHECK_SECONDS: Final = 5.0
SILENT_CHECKS: Final = 6
"""A part that does not answer this many checks in a row hangs: it is killed and started again."""
GRACE_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Part:
    """One child process of the stack. `name` names its log; `title`, a marked text, stands in sentences."""

    name: str
    title: str
    command: Sequence[str]
    check: Check
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    patience_seconds: float = 30.0


class Supervisor:
    """Runs parts as children of this process, from one event loop in the main thread."""

    def __init__(
        self,
        *,
        folder: Path,
        logs: Path,
        environment: Mapping[str, str],
        report: Callable[[Sentence], None],
        changed: Callable[[Mapping[str, PartRecord]], None],
    ) -> None:
        """`folder`: where children run. `report` gets sentences, `changed` the records whenever a part (re)starts."""
        self._folder = folder
        self._logs = logs
        self._environment = environment
        self._report = report
        self._changed = changed
        self._parts: list[Part] = []
        self._children: dict[str, Child] = {}
        self._records: dict[str, PartRecord] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = False
        self._forced = False

    @property
    def records(self) -> Mapping[str, PartRecord]:
        """The parts as they were last started, by name."""
        return self._records

    async def start(self, parts: Sequence[Part]) -> None:
        """Starts one stage and returns when every part in it is ready; from then on each is kept running.

        Refuses (`StackFailure`) when a part ends before it is ready, or is not ready within its patience.
        """
        for part in parts:
            self._parts.append(part)
            self._launch(part)
        await asyncio.gather(*(self._becomes_ready(part) for part in parts))
        self._keepers += [asyncio.create_task(self._keep(part), name=f"keep {part.name}") for part in parts]

    async def run_once(self, name: str, title: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Runs a command to its end. Refuses (`StackFailure`) with the last line it wrote when it fails."""
        child = self._spawn(name, command, environment)
        try:
            while (code := child.exit_code()) is None:
                await asyncio.sleep(POLL_SECONDS)
        finally:
            child.kill()
        if code != 0:
            raise self._ended(name, title, code)

    async def stop(self) -> None:
        """Stops the parts one after the other, the last started first: SIGTERM, and SIGKILL after ten seconds."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for part in reversed(self._parts):
            await self._end(part)

    def force(self) -> None:
        """Makes a `stop` that waits kill at once."""
        self._forced = True

    async def _end(self, part: Part) -> None:
        child = self._children.pop(part.name, None)
        if child is None:
            return
        child.ask_to_end()
        patience = time.monotonic() + GRACE_SECONDS
        while child.exit_code() is None and not self._forced:
            if time.monotonic() > patience:
                self._say(mark("The %(part)s did not end when asked to; it is killed."), part)
                break
            await asyncio.sleep(POLL_SECONDS)
        child.kill()

    async def _becomes_ready(self, part: Part) -> None:
        give_up = time.monotonic() + part.patience_seconds
        while True:
            child = self._children[part.name]
            code = child.exit_code()
            if code is not None:
                raise self._ended(part.name, part.title, code)
            health = await part.check(child.pid)
            if health.ready:
                return
            if time.monotonic() > give_up:
                raise StackFailure(
                    mark("The %(part)s was not ready after %(seconds)s seconds (%(detail)s): see %(log)s"),
                    part=Sentence(part.title),
                    seconds=f"{part.patience_seconds:.0f}",
                    detail=Sentence(health.detail),
                    log=self._log(part.name),
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _keep(self, part: Part) -> None:
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            child, since = self._children[part.name], time.monotonic()
            code = await self._fallen(part, child)
            # What the fallen process left in its group must not hold its port or its database.
            child.kill()
            if time.monotonic() - since > STEADY_SECONDS:
                backoff = FIRST_BACKOFF_SECONDS
            self._say(mark("The %(part)s ended (%(how)s); it is started again."), part, how=_how(code))
            while True:
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
                try:
                    self._launch(part)
                    break
                except OSError as error:
                    self._say(mark("The %(part)s cannot be started: %(reason)s."), part, reason=error.strerror)

    async def _fallen(self, part: Part, child: Child) -> int:
        """Waits until the child ended; ends it itself when it hangs."""
        silent, next_check = 0, time.monotonic() + CHECK_SECONDS
        while (code := child.exit_code()) is None:
            if time.monotonic() >= next_check:
                silent = 0 if (await part.check(child.pid)).alive else silent + 1
                next_check = time.monotonic() + CHECK_SECONDS
                if silent >= SILENT_CHECKS:
                    self._say(mark("The %(part)s does not answer; it is killed."), part)
                    child.kill()
            await asyncio.sleep(POLL_SECONDS)
        return code

    def _launch(self, part: Part) -> None:
        child = self._spawn(part.name, part.command, part.environment)
        before = self._records.get(part.name)
        self._children[part.name] = child
        self._records[part.name] = PartRecord(
            pid=child.pid, started_at=datetime.now(UTC), restarts=before.restarts + 1 if before else 0
        )
        self._changed(self._records)

    def _spawn(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        if self._stopping:
            raise StackFailure(mark("Legation is stopping."))
        return Child.start(
            command, environment={**self._environment, **environment}, folder=self._folder, log=self._log(name)
        )

    def _ended(self, name: str, title: str, code: int) -> StackFailure:
        return StackFailure(
            mark("The %(part)s ended (%(how)s) before it was ready: %(words)s (see %(log)s)."),
            part=Sentence(title),
            how=_how(code),
            words=_last_line(self._log(name)) or Sentence(mark("it said nothing")),
            log=self._log(name),
        )

    def _say(self, text: str, part: Part, **values: object) -> None:
        self._report(Sentence(text, {"part": Sentence(part.title), **values}))

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


def _how(code: int) -> Sentence:
    if code >= 0:
        return Sentence(mark("exit code %(code)s"), {"code": code})
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    return Sentence(mark("signal %(name)s"), {"name": name})


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = [line.strip() for line in log.read_text("utf-8", errors="replace").splitlines()[-20:] if line.strip()]
        return lines[-1].rstrip(".")[:300] if lines else ""
    return ""
