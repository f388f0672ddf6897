"""A closed run as it is kept for longer than the server keeps it: exactly its history, gzipped, with its digests.

The bytes are the history's JSON as the SDK writes it, with the keys in order: those of a map have none of their own,
and a history must give the same bytes whoever packs it. Payloads stay the ciphertext they are in the history, so the
archive tells no more than the server does, and is read with the same keys.
"""

import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.json_format import MessageToJson, ParseError
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadCodec

from audit.history import HistoryUnreadable, content_of, read_run, valid
from domain.seal import Head, head_of

ENDS = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
"""The last event of every closed run is one of these."""


class RunOpen(Exception):
    """The run goes on, so its history is not whole yet."""


class ArchiveDamaged(Exception):
    """An archived history is missing or is not what was archived; `location` is its place in the archive.

    `reason` is one of missing, digest, unreadable.
    """

    def __init__(self, delegation: str, run_id: str, location: str, reason: str) -> None:
        super().__init__(f"the archived run {run_id} of {delegation} at {location}: {reason}")
        self.delegation = delegation
        self.run_id = run_id
        self.location = location
        self.reason = reason


@dataclass(frozen=True)
class ClosedRun:
    """What a closed run says of itself. `head` is where the trail stood at its end, `prev_head` at its beginning.

    A run that decided nothing has a `last_seq` before its `first_seq`. `previous` and `following` are the runs beside
    it in a chain of continue-as-new; a reopened file begins another chain. `closed_at` is the server's time in UTC.
    """

    delegation: str
    run_id: str
    prev_head: Head
    head: Head
    closed_at: datetime
    previous: str | None
    following: str | None

    @property
    def first_seq(self) -> int:
        """The number of its first event."""
        return self.prev_head.seq + 1

    @property
    def last_seq(self) -> int:
        """The number of its last event."""
        return self.head.seq


@dataclass(frozen=True)
class Packed:
    """A history as it is stored. Digests are SHA-256 in hex: of the stored bytes, and of the JSON in them."""

    stored: bytes
    digest: str
    content_digest: str


async def read_closed(history: WorkflowHistory, codec: PayloadCodec | None = None) -> ClosedRun:
    """Return what a closed run says of itself. Raises RunOpen, and HistoryUnreadable."""
    run = await read_run(history, codec)
    started = history.events[0].workflow_execution_started_event_attributes
    last = history.events[-1]
    if last.event_type not in ENDS:
        raise RunOpen
    head = await _said_at_the_end(history.workflow_id, last, codec)
    if head is None:
        # Broken off from outside: nothing was said, so what it decided last is taken for its end.
        events = (*run.events, *run.unanswered)
        head = head_of(events[-1]) if events else run.head
    ended: Any = getattr(last, str(last.WhichOneof("attributes")))
    return ClosedRun(
        delegation=history.workflow_id,
        run_id=history.run_id,
        prev_head=run.head,
        head=head,
        closed_at=last.event_time.ToDatetime(UTC),
        previous=started.continued_execution_run_id or None,
        following=getattr(ended, "new_execution_run_id", "") or None,
    )


async def _said_at_the_end(delegation: str, last: HistoryEvent, codec: PayloadCodec | None) -> Head | None:
    """Where the trail stands, as a run hands it to the next one, or as the result of the last."""
    if last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
        payload = last.workflow_execution_continued_as_new_event_attributes.input.payloads[0]
    elif last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        payload = last.workflow_execution_completed_event_attributes.result.payloads[0]
    else:
        return None
    said = await content_of(delegation, last.event_id, payload, codec)
    head: Head = valid(delegation, last.event_id, Head, said.get("head"))
    return head


def packed(history: WorkflowHistory) -> Packed:
    """Return a history as it is stored: the same bytes every time, since neither clock nor name goes into them."""
    content = MessageToJson(History(events=history.events), sort_keys=True).encode()
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(content)
    stored = buffer.getvalue()
    return Packed(stored=stored, digest=sha256(stored), content_digest=sha256(content))


def content_digest_of(stored: bytes) -> str | None:
    """Return the digest of the JSON in stored bytes; None where they cannot be unpacked."""
    try:
        return sha256(gzip.decompress(stored))
    except (OSError, EOFError, zlib.error):
        return None


def unpacked(stored: bytes, delegation: str, run_id: str, digest: str, location: str) -> WorkflowHistory:
    """Return the history in stored bytes, once their digest is the recorded one. Raises ArchiveDamaged."""
    if sha256(stored) != digest:
        raise ArchiveDamaged(delegation, run_id, location, "digest")
    try:
        return WorkflowHistory.from_json(delegation, gzip.decompress(stored).decode())
    except (OSError, EOFError, zlib.error, ValueError, ParseError):
        raise ArchiveDamaged(delegation, run_id, location, "unreadable") from None


def sha256(content: bytes) -> str:
    """Return a SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


__all__ = [
    "ArchiveDamaged",
    "ClosedRun",
    "HistoryUnreadable",
    "Packed",
    "RunOpen",
    "content_digest_of",
    "packed",
    "read_closed",
    "sha256",
    "unpacked",
]
