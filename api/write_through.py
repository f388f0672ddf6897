"""People read their own writes: what a command brought is in the journal before its caller is answered.

Answers to commands sent at once arrive in any order; what belongs together is put in order here and written in one
transaction. What cannot be written now reaches the journal by the workflow's outbox.
"""

import asyncio
from collections.abc import Sequence

import structlog

from domain.seal import SealedEvent
from storage.errors import StoreUnavailable
from storage.journal import JournalDiverged, JournalGap
from storage.projection import Projection

log = structlog.get_logger()

PATIENCE = 1.0
"""Seconds a caller waits for its events to be written."""

PAUSE = 0.005


class WriteThrough:
    """Writes events of many delegations, one writer at a time for each."""

    def __init__(self, projection: Projection) -> None:
        """Take the projection of this installation."""
        self._projection = projection
        self._waiting: dict[str, dict[int, tuple[Sequence[SealedEvent], asyncio.Future[None]]]] = {}
        self._writers: dict[str, asyncio.Task[None]] = {}

    async def write(self, delegation: str, events: Sequence[SealedEvent]) -> bool:
        """Write events and return whether the journal has them; False leaves them to the outbox."""
        waiting = self._waiting.setdefault(delegation, {})
        # Copies of one request are answered with the same events: they wait for the same write.
        _, written = waiting.setdefault(events[0].seq, (events, asyncio.get_running_loop().create_future()))
        if delegation not in self._writers:
            self._writers[delegation] = asyncio.create_task(self._write_all(delegation))
        try:
            await asyncio.wait_for(asyncio.shield(written), PATIENCE)
        except (TimeoutError, StoreUnavailable, JournalDiverged) as error:
            waiting.pop(events[0].seq, None)
            log.warning("written_later", delegation=delegation, seq=events[0].seq, reason=type(error).__name__)
            return False
        return True

    async def _write_all(self, delegation: str) -> None:
        waiting = self._waiting[delegation]
        try:
            while waiting:
                burst = _first_unbroken(waiting)
                events = [event for seq in burst for event in waiting[seq][0]]
                try:
                    await self._projection.project(delegation, events)
                except JournalGap:
                    # The answer before these is still on its way to this process, or to another one.
                    await asyncio.sleep(PAUSE)
                except (StoreUnavailable, JournalDiverged) as error:
                    self._settle(waiting, burst, error)
                else:
                    self._settle(waiting, burst, None)
        finally:
            del self._writers[delegation]
            if not waiting:
                self._waiting.pop(delegation, None)

    def _settle(
        self,
        waiting: dict[int, tuple[Sequence[SealedEvent], asyncio.Future[None]]],
        burst: list[int],
        error: Exception | None,
    ) -> None:
        for seq in burst:
            entry = waiting.pop(seq, None)
            if entry is None or entry[1].done():
                continue
            if error:
                entry[1].set_exception(error)
            else:
                entry[1].set_result(None)


def _first_unbroken(waiting: dict[int, tuple[Sequence[SealedEvent], asyncio.Future[None]]]) -> list[int]:
    """Return the keys of the earliest events and of all that follow them without a gap."""
    burst: list[int] = []
    expected: int | None = None
    for seq in sorted(waiting):
        if expected is not None and seq != expected:
            break
        burst.append(seq)
        expected = waiting[seq][0][-1].seq + 1
    return burst
