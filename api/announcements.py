"""Who follows a delegation hears of its next event at once, when this very process wrote it.

Another process's events are found by looking again: a bell only hurries.
"""

import asyncio
import contextlib
from collections.abc import Iterator


class Bell:
    """Rings when there may be something new."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake whoever waits, or will wait next."""
        self._rung.set()

    def silence(self) -> None:
        """Forget earlier ringing: to be done before looking, so that nothing is missed between looking and waiting."""
        self._rung.clear()

    async def wait(self, seconds: float) -> None:
        """Return when it rings, or after so many seconds of real time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()


class Announcements:
    """The bells of everybody who follows a delegation in this process."""

    def __init__(self) -> None:
        self._bells: dict[str, set[Bell]] = {}
        self.closed = False
        """Whether the process is about to end, so that nobody should wait any longer."""

    @contextlib.contextmanager
    def following(self, delegation: str) -> Iterator[Bell]:
        """Yield a bell that rings at each of the delegation's announcements, and at the end."""
        bell = Bell()
        bells = self._bells.setdefault(delegation, set())
        bells.add(bell)
        try:
            yield bell
        finally:
            bells.discard(bell)
            if not bells and self._bells.get(delegation) is bells:
                del self._bells[delegation]

    def announce(self, delegation: str) -> None:
        """Ring for everybody who follows this delegation."""
        for bell in self._bells.get(delegation, ()):
            bell.ring()

    def close(self) -> None:
        """Ring for the last time."""
        self.closed = True
        for bells in self._bells.values():
            for bell in bells:
                bell.ring()
