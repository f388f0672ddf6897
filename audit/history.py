"""The sealed events of a delegation out of Temporal's histories: a derivation, from which every table can be rebuilt.

A decision stands in a history as the result of a local activity, in a marker. What was decided counts, with one
exception: a decision that the workflow could not fold was never applied, and its update says so by its failure.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent, MarkerRecordedEventAttributes
from temporalio.api.update.v1 import Outcome
from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadCodec

from domain.seal import ChainBroken, Head, SealedEvent, genesis, verify_chain

LOCAL_ACTIVITY = "core_local_activity"
DECIDE = "decide"
REFUSED = "refused"

Decided = tuple[SealedEvent, ...]


class HistoryUnreadable(ValueError):
    """A history that is not as a server records it: `event_id` is the first event that does not fit.

    The text carries no content.
    """

    def __init__(self, workflow_id: str, event_id: int, reason: str) -> None:
        super().__init__(f"history of {workflow_id}, event {event_id}: {reason}")
        self.workflow_id = workflow_id
        self.event_id = event_id
        self.reason = reason


class RunMissing(ChainBroken):
    """No run that is known begins where the trail goes on; `seq` is the first event that nobody carries."""

    def __init__(self, seq: int) -> None:
        super().__init__(seq, "no run carries it")


@dataclass(frozen=True)
class Run:
    """What one run of a delegation decided.

    `head` is where the trail stood when the run began. `unanswered` is a decision at its end that no update asked for
    (a deadline, an outcome): only what comes after can tell that it was not applied. `state` is the file as the run
    was handed it, as JSON; None for one that begins with the file itself.
    """

    delegation: str
    run_id: str
    head: Head
    events: Decided
    unanswered: Decided = ()
    state: Mapping[str, Any] | None = None
    places: Mapping[str, int] = field(default_factory=dict)
    """The id of the history's event in which each sealed event stands, by its hash."""


@dataclass(frozen=True)
class Place:
    """Where a sealed event stands: in which run, and in which event of its history."""

    run_id: str
    event_id: int


async def events_of(histories: Sequence[WorkflowHistory], codec: PayloadCodec | None = None) -> list[SealedEvent]:
    """Return a delegation's whole trail, from event 1, out of the histories of all its runs in whatever order.

    `codec` opens encrypted payloads. Raises HistoryUnreadable for a history with a hole in it, and ChainBroken with
    the number of the first event that is missing or is not what was sealed.
    """
    return joined([await read_run(history, codec) for history in histories])


async def read_run(history: WorkflowHistory, codec: PayloadCodec | None = None) -> Run:
    """Return what one run decided and applied, not yet verified. Raises HistoryUnreadable."""
    require_whole(history)
    reading = _Reading(history.workflow_id, codec)
    for event in history.events:
        await reading.take(event)
    return reading.run(history.run_id)


def joined(runs: Sequence[Run]) -> list[SealedEvent]:
    """Return the events of a delegation's runs as one verified trail.

    Runs are ordered by where they begin in the trail, never by the time at which they started: a clock that was moved
    forward does not go from one run to the next. Raises RunMissing or another ChainBroken.
    """
    if not runs:
        return []
    head = genesis(runs[0].delegation)
    trail: list[SealedEvent] = []
    for run, events in in_order(runs):
        if run.head.seq > head.seq:
            raise RunMissing(head.seq + 1)
        if run.head != head:
            raise ChainBroken(run.head.seq + 1, "the run that carries it does not go on where the one before it ended")
        head = verify_chain(head, events)
        trail += events
    return trail


def in_order(runs: Sequence[Run]) -> list[tuple[Run, Decided]]:
    """Return a delegation's runs by where they begin in the trail, each with what it added to it; nothing verified."""
    ordered = sorted(runs, key=lambda run: (run.head.seq, bool(run.events or run.unanswered)))
    found = []
    for place, run in enumerate(ordered):
        events = run.events
        following = ordered[place + 1].head.seq if place + 1 < len(ordered) else None
        if run.unanswered and (following is None or following >= run.unanswered[0].seq):
            events += run.unanswered
        found.append((run, events))
    return found


def require_whole(history: WorkflowHistory) -> None:
    """Refuse, with HistoryUnreadable, a history without its start or with a hole. A replayer would wait for ever."""
    for expected, event in enumerate(history.events, start=1):
        if event.event_id != expected:
            raise HistoryUnreadable(history.workflow_id, expected, f"event {event.event_id} stands in its place")
    first = history.events[0].event_type if history.events else None
    if first != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
        raise HistoryUnreadable(history.workflow_id, 1, "a run begins with its start")


class _Reading:
    """Goes through one history in order. `_pending` is the decision of which it is not yet known whether it counted.

    There is at most one: a delegation decides one command at a time. Whether it was asked for by an update is told by
    its command's id, not by the actor: deadlines that have passed are recorded, by the system, with the next command.
    """

    def __init__(self, workflow_id: str, codec: PayloadCodec | None) -> None:
        self._workflow_id = workflow_id
        self._codec = codec
        self._head = genesis(workflow_id)
        self._state: Mapping[str, Any] | None = None
        self._applied: list[SealedEvent] = []
        self._pending: Decided = ()
        self._asked: dict[int, str] = {}
        self._places: dict[str, int] = {}

    async def take(self, event: HistoryEvent) -> None:
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                carried = await self._json(event, event.workflow_execution_started_event_attributes.input.payloads[0])
                self._head = self._valid(event, Head, carried.get("head"))
                self._state = carried.get("state")
            case EventType.EVENT_TYPE_MARKER_RECORDED:
                if decided := await self._decided(event, event.marker_recorded_event_attributes):
                    self._places |= {one.hash: event.event_id for one in decided}
                    self._settle(superseded_by=decided)
                    self._pending = decided
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                accepted = event.workflow_execution_update_accepted_event_attributes
                envelope = await self._json(event, accepted.accepted_request.input.args.payloads[0])
                self._asked[event.event_id] = str(envelope.get("command_id"))
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
                completed = event.workflow_execution_update_completed_event_attributes
                self._answered(self._asked.pop(completed.accepted_event_id, None), completed.outcome)
            case _:
                pass

    def run(self, run_id: str) -> Run:
        unanswered = () if self._is_asked else self._pending
        if not unanswered:
            self._settle()
        return Run(self._workflow_id, run_id, self._head, tuple(self._applied), unanswered, self._state, self._places)

    @property
    def _is_asked(self) -> bool:
        """Whether an update waits for the pending decision."""
        return bool(self._pending) and self._pending[0].command_id in self._asked.values()

    def _settle(self, superseded_by: Decided = ()) -> None:
        asked, pending, self._pending = self._is_asked, self._pending, ()
        # The next decision went out from the same event: this one, of the system's own, was not folded and made again.
        if superseded_by and pending and not asked and superseded_by[0].seq == pending[0].seq:
            return
        self._applied += pending

    def _answered(self, command_id: str | None, outcome: Outcome) -> None:
        if not self._pending or self._pending[0].command_id != command_id:
            return
        if _not_applied(outcome):
            self._pending = ()
        else:
            self._settle()

    async def _decided(self, event: HistoryEvent, marker: MarkerRecordedEventAttributes) -> Decided:
        if marker.marker_name != LOCAL_ACTIVITY or "result" not in marker.details:
            return ()
        about = json.loads(marker.details["data"].payloads[0].data)
        if about.get("activity_type") != DECIDE:
            return ()
        decision = await self._json(event, marker.details["result"].payloads[0])
        return tuple(self._valid(event, SealedEvent, one) for one in decision.get("events", ()))

    async def _json(self, event: HistoryEvent, payload: Payload) -> Mapping[str, Any]:
        return await content_of(self._workflow_id, event.event_id, payload, self._codec)

    def _valid(self, event: HistoryEvent, kind: type[Any], value: Any) -> Any:
        return valid(self._workflow_id, event.event_id, kind, value)


async def content_of(
    workflow_id: str, event_id: int, payload: Payload, codec: PayloadCodec | None
) -> Mapping[str, Any]:
    """Return the JSON object that a payload of a history's event carries. Raises HistoryUnreadable."""
    if codec is not None:
        payload = (await codec.decode([payload]))[0]
    try:
        value = json.loads(payload.data)
    except ValueError:
        raise HistoryUnreadable(workflow_id, event_id, "a payload is not JSON") from None
    if not isinstance(value, dict):
        raise HistoryUnreadable(workflow_id, event_id, "a payload is not an object")
    return value


def valid(workflow_id: str, event_id: int, kind: type[Any], value: Any) -> Any:
    """Return what an event's payload holds as a model of the domain. Raises HistoryUnreadable."""
    try:
        return kind.model_validate(value)
    except ValidationError as invalid:
        field = ".".join(str(part) for part in invalid.errors(include_input=False)[0]["loc"])
        reason = f"{kind.__name__} without a valid {field or 'form'}"
        raise HistoryUnreadable(workflow_id, event_id, reason) from None


def _not_applied(outcome: Outcome) -> bool:
    """Whether an update failed for our own reasons; a refusal's evidence is applied like any event."""
    if not outcome.HasField("failure"):
        return False
    return outcome.failure.application_failure_info.type != REFUSED
