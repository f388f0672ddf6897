"""A delegation as it stood at one event: what an effect works from, the same at every attempt."""

from dataclasses import dataclass

from domain.events import AnyEvent
from domain.evolve import evolve, fold
from domain.seal import SealedEvent
from domain.state import Delegation
from domain.upcast import read_event
from storage.journal import Journal


class TrailBehind(Exception):
    """The journal does not have the event yet; a later attempt will find it."""


@dataclass(frozen=True)
class Standing:
    """The file before and after one event."""

    before: Delegation
    event: AnyEvent
    sealed: SealedEvent
    after: Delegation


async def standing_at(journal: Journal, delegation: str, seq: int) -> Standing:
    """Return the file around event `seq`. Raises TrailBehind while the journal ends before it."""
    events = await journal.events(delegation, limit=seq)
    if len(events) < seq:
        raise TrailBehind
    before = fold(events[:-1])
    sealed = events[-1]
    event = read_event(sealed)
    after = evolve(before, event, sealed)
    return Standing(before=before or after, event=event, sealed=sealed, after=after)
