"""The chain of sealed events: each carries the hash of the one before it.

The hash covers everything but itself, over canonical JSON (RFC 8785) with SHA-256. The first event's `prev_hash` is
made from the delegation's id, so that no event can be moved to another file.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from domain.canonical import digest_of
from domain.values import Digest, Fact, write_instant


class SealedEvent(Fact):
    """A recorded event as it stands in the history, the journal and every export.

    `seq` counts from 1 without gaps; `at` is business time in UTC (`2026-04-11T07:30:00.000000Z`), kept as written
    because the hash covers its spelling; `data` is the event's own content; `actor` and `command_id` are opaque.
    """

    seq: Annotated[int, Field(ge=1)]
    type: str
    version: Annotated[int, Field(ge=1)]
    at: str
    actor: str
    command_id: str
    data: dict[str, Any]
    prev_hash: Digest
    hash: Digest

    @property
    def instant(self) -> datetime:
        """When it happened, in UTC."""
        return datetime.fromisoformat(self.at)


SEALED = ("seq", "type", "version", "at", "actor", "command_id", "data", "prev_hash")


class Head(Fact):
    """The end of a chain: the last event's number and hash."""

    seq: int
    hash: Digest


class ChainBroken(ValueError):
    """A chain that does not hold, with the number of its first bad event."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"event {seq}: {reason}")
        self.seq = seq
        self.reason = reason


def genesis(delegation: str) -> Head:
    """Return the head of an empty chain: number 0, and a hash that only this delegation has."""
    return Head(seq=0, hash=digest_of({"legation": 1, "delegation": delegation}))


def hash_of(event: SealedEvent) -> str:
    """Return the hash an event must carry. It is over exactly these fields, whatever else an event may come to have."""
    return digest_of({name: getattr(event, name) for name in SEALED})


def seal(
    head: Head, *, type: str, version: int, at: datetime, actor: str, command_id: str, data: dict[str, Any]
) -> SealedEvent:
    """Return the next sealed event after `head`; `at` is an aware instant."""
    body = {
        "seq": head.seq + 1,
        "type": type,
        "version": version,
        "at": write_instant(at),
        "actor": actor,
        "command_id": command_id,
        "data": data,
        "prev_hash": head.hash,
    }
    return SealedEvent.model_validate(body | {"hash": digest_of(body)})


def head_of(event: SealedEvent) -> Head:
    """Return the head of a chain that ends with this event."""
    return Head(seq=event.seq, hash=event.hash)


def verify_chain(head: Head, events: Iterable[SealedEvent]) -> Head:
    """Return the head after `events`, or raise ChainBroken at the first one that does not continue the chain."""
    for event in events:
        if event.seq != head.seq + 1:
            raise ChainBroken(event.seq, f"follows event {head.seq}")
        if event.prev_hash != head.hash:
            raise ChainBroken(event.seq, f"does not carry the hash of event {head.seq}")
        if event.hash != hash_of(event):
            raise ChainBroken(event.seq, "its content is not what was sealed")
        head = head_of(event)
    return head
