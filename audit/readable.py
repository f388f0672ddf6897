"""Histories as people can read them: each payload decoded, beside the SHA-256 of its octets as they are archived.

Whoever has the archived file can tell by these digests that it is the same history; no key of the codec is needed for
that, and none is given away.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadCodec

from audit.history import DECIDE, LOCAL_ACTIVITY

ENCODING = "encoding"


async def readable(history: WorkflowHistory, codec: PayloadCodec | None) -> dict[str, Any]:
    """Return a history as the SDK writes it, with the id of its run and its payloads readable.

    Raises what the codec raises for a payload that it cannot open.
    """
    events = json.loads(history.to_json())["events"]
    return {"run_id": history.run_id, "events": await _readable(events, codec)}


def decided(event: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the sealed events that an event of a readable history decided."""
    marker = event.get("markerRecordedEventAttributes", {})
    details = marker.get("details", {})
    if marker.get("markerName") != LOCAL_ACTIVITY or "result" not in details:
        return ()
    about, result = (json.loads(details[name]["payloads"][0]["text"]) for name in ("data", "result"))
    found: Sequence[Mapping[str, Any]] = result.get("events", ()) if about.get("activity_type") == DECIDE else ()
    return found


def begins_at(history: Mapping[str, Any]) -> int:
    """Return the number of the first event that a run may decide: behind the head that it was started with."""
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    carried = json.loads(started["input"]["payloads"][0]["text"])
    return int(carried["head"]["seq"]) + 1


def cut_behind(history: Mapping[str, Any], hashes: Mapping[int, str]) -> tuple[dict[str, Any], int] | None:
    """Return an open run's history up to the decision of the last of these events, and that event's number.

    `hashes` are those of a trail by number. None where the run decided none of them. What an open run records later is
    left out, so that the same trail gives the same history at any time.
    """
    last: tuple[int, int] | None = None
    for place, event in enumerate(history["events"], start=1):
        made = decided(event)
        if made and hashes.get(made[-1]["seq"]) == made[-1]["hash"]:
            last = place, made[-1]["seq"]
    if last is None:
        return None
    return {**history, "events": history["events"][: last[0]]}, last[1]


async def _readable(value: Any, codec: PayloadCodec | None) -> Any:
    if isinstance(value, dict):
        if ENCODING in (value.get("metadata") or ()):
            return await _payload(value, codec)
        return {name: await _readable(part, codec) for name, part in value.items()}
    if isinstance(value, list):
        return [await _readable(part, codec) for part in value]
    return value


async def _payload(written: Mapping[str, Any], codec: PayloadCodec | None) -> dict[str, Any]:
    archived = Payload(
        metadata={name: base64.b64decode(one) for name, one in written["metadata"].items()},
        data=base64.b64decode(written.get("data", "")),
    )
    plain = (await codec.decode([archived]))[0] if codec is not None else archived
    found: dict[str, Any] = {
        "archived_sha256": hashlib.sha256(archived.data).hexdigest(),
        "sealed": plain != archived,
        "about": {name: one.decode() for name, one in plain.metadata.items()},
    }
    try:
        return found | {"text": plain.data.decode()}
    except UnicodeDecodeError:
        return found | {"base64": base64.b64encode(plain.data).decode()}
