"""Histories as people can read them, and the verifier's own way from them to the events, on every recorded history."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory

from activities.codec import EncryptingCodec
from audit.bundle.verify import Bundle
from audit.history import events_of
from audit.readable import begins_at, cut_behind, decided, readable
from storage.keyring import Keyring, MasterKey
from tests.replay.recordings import Recording, recordings

RECORDINGS = recordings()


def by_the_verifier(runs: list[dict[str, Any]]) -> list[Any]:
    """What the verifier takes for decided, run after run."""
    found: list[Any] = []
    for run in runs:
        for event in run["events"]:
            made = Bundle.decision(Bundle.__new__(Bundle), event)
            found[made[0]["seq"] - 1 if made else len(found) :] = made
    return found


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.name)
async def test_the_verifier_reads_the_events_that_we_read(recording: Recording) -> None:
    """From the readable form, with its few lines, as audit/history.py from the server's with all of its own."""
    whole = recording.histories()
    runs = sorted([await readable(one, None) for one in whole], key=begins_at)
    events = [event.model_dump(mode="json") for event in await events_of(whole)]
    assert by_the_verifier(runs) == events
    assert [event for run in runs for one in run["events"] for event in decided(one)] == events


async def test_a_payload_is_readable_beside_the_digest_of_its_ciphertext() -> None:
    """And the same text as where nothing is encrypted; metadata of the codec are not told."""
    [plain, *_] = RECORDINGS[0].histories()
    codec = EncryptingCodec(Keyring([MasterKey.of(bytes(range(32)))]))
    clear = await readable(plain, codec)
    payloads = [one for one in _payloads(clear) if one["text"]]
    assert payloads
    assert {(one["sealed"], one["about"].get("encoding")) for one in payloads} == {(False, "json/plain")}
    written = json.loads(plain.to_json())
    for event in written["events"]:
        for payload in _raw(event):
            one = Payload(
                metadata={name: b64decode(value) for name, value in payload["metadata"].items()},
                data=b64decode(payload.get("data", "")),
            )
            [sealed] = await codec.encode([one])
            payload["metadata"] = {name: b64encode(value).decode() for name, value in sealed.metadata.items()}
            payload["data"] = b64encode(sealed.data).decode()
    sealed_history = WorkflowHistory.from_json(plain.workflow_id, json.dumps(written))
    opened = await readable(sealed_history, codec)
    # In one order: protobuf's maps have none.
    assert sorted(one["text"] for one in _payloads(opened)) == sorted(one["text"] for one in _payloads(clear))
    assert all(one["sealed"] for one in _payloads(opened))
    digests = [{one["archived_sha256"] for one in _payloads(run)} for run in (opened, clear)]
    assert not digests[0] & digests[1]


async def test_of_an_open_run_only_what_brought_forth_the_events_is_told() -> None:
    """The history ends with the decision of the last one, whatever the run recorded since."""
    [history, *_] = RECORDINGS[0].histories()
    run = await readable(history, None)
    events = [event for one in run["events"] for event in decided(one)]
    last = next(event for event in events if event["command_id"] != events[0]["command_id"])
    hashes = {event["seq"]: event["hash"] for event in events if event["seq"] < last["seq"]}
    cut = cut_behind(run, hashes)
    assert cut is not None
    shown, seq = cut
    assert seq == last["seq"] - 1
    assert [event["seq"] for one in shown["events"] for event in decided(one)] == list(range(1, last["seq"]))
    assert decided(shown["events"][-1])
    assert cut_behind(run, {1: "0" * 64}) is None


def _payloads(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and "archived_sha256" in value:
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for part in parts for found in _payloads(part)]


def _raw(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict) and "encoding" in (value.get("metadata") or ()):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for part in parts for found in _raw(part)]
