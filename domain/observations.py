"""Facts from other files: observed with their time at each step of the approval. They warn, and never refuse.

How many trips abroad a leader makes in a year (limit `leader_trips_a_year`) no single file knows. So the read tables
are asked when a proposal is submitted and at each signature, and the answer is sealed beside it. They are asked again
when a dossier is shown that waits for signatures: who signs sees what is so, and not what was so at the step before.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from domain.decision import Context, DecideInput, Observed
from domain.events import Event, FactObserved, RuleRef
from domain.limits import measurements
from domain.request import composition
from domain.rule import effective, in_scope
from domain.rules import Edition
from domain.seal import SealedEvent
from domain.state import Delegation, Observation, Participant, Phase
from domain.values import Fact, Instant, business_date

LEADER_TRIPS = "leader_trips_a_year"

SUBMITTING = frozenset({"RequestSubmitted", "ChangeSubmitted"})
SIGNED = frozenset({"StepSigned", "ExternalDecisionRecorded"})
OBSERVING = frozenset({"submit_request", "submit_change", "sign_off", "record_external_decision"})
"""Commands that may lead to a submission or a signature: for these alone other files are looked at."""

NO_TRIP = frozenset({Phase.DRAFTED, Phase.POSTPONED, Phase.REJECTED, Phase.CANCELLED})
"""Phases of a file that is not, or no longer, somebody's trip."""


class AskedAbout(Fact):
    """Whose other trips are to be counted: persons (references), and in which calendar year of the business zone."""

    persons: tuple[str, ...]
    year: int


def asked_about(asked: DecideInput, edition: Edition) -> AskedAbout | None:
    """Return what a decision has to know of other files, or None where it needs nothing.

    Whoever the commands of the same envelope add to the list is asked about too, leader or not.
    """
    commands = asked.envelope.commands
    if not any(command.get("type") in OBSERVING for command in commands):
        return None
    state = asked.state
    direction = state.direction if state else commands[0].get("direction")
    if not any(rule.what == LEADER_TRIPS and rule.direction in ("any", direction) for rule in edition.limits):
        return None
    persons = [one.person.ref for one in leaders(state)] if state else []
    persons += [ref for command in commands if (ref := _person_of(command))]
    starts = [day for command in commands if isinstance(day := command.get("starts"), str)]
    years = [int(day[:4]) for day in starts if day[:4].isdigit()] or ([state.starts.year] if state else [])
    if not persons or not years:
        return None
    return AskedAbout(persons=tuple(dict.fromkeys(persons)), year=years[-1])


def _person_of(command: dict[str, Any]) -> str | None:
    named = command.get("person") if command.get("type") in ("add_member", "replace_member") else None
    ref = named.get("ref") if isinstance(named, dict) else None
    return ref if isinstance(ref, str) else None


def leaders(state: Delegation) -> tuple[Participant, ...]:
    """Return those whose trips the rules count: the head, and whoever is marked as a key leader."""
    return tuple(one for one in state.delegates if one.role == "head" or one.key_leader)


def travels(state: Delegation) -> frozenset[str]:
    """Return the persons (references) for whom the file counts as a trip: none while it is a draft or given up."""
    phase = state.paused_phase if state.phase is Phase.CLOSED else state.phase
    if state.direction != "outbound" or phase in NO_TRIP:
        return frozenset()
    return frozenset(one.person.ref for one in state.delegates)


def observed(state: Delegation, sealed: list[SealedEvent], context: Context) -> Iterator[Event]:
    """Yield what is known of other files at a submission or a signature among newly sealed events.

    The count has this trip in it, as the limit does. What is not known is not said.
    """
    occasions = [
        one for one in sealed if one.type in SUBMITTING | SIGNED and one.data.get("outcome", "approved") == "approved"
    ]
    if not occasions or not context.observations:
        return
    yield from _counted(state, context.edition, context.observations, context.now, occasions[-1].data.get("step_id"))


def _counted(
    state: Delegation, edition: Edition, told: Iterable[Observed], now: datetime, step: str | None = None
) -> Iterator[FactObserved]:
    known = {one.person: one.value for one in told if one.what == LEADER_TRIPS}
    on = business_date(state.rules_since, state.zone)
    if not _limited(state, edition):
        return
    for leader in leaders(state):
        if leader.person.ref not in known:
            continue
        whole = composition(state).model_copy(update={"leader_trips_this_year": known[leader.person.ref] + 1})
        for found in measurements(edition, whole, on):
            if found.what == LEADER_TRIPS:
                yield FactObserved(
                    what=found.what,
                    subject=leader.id,
                    value=found.measured,
                    allowed=found.allowed,
                    rule=RuleRef(rule=found.limit, version=found.version),
                    observed_at=now,
                    step=step,
                )


def _limited(state: Delegation, edition: Edition) -> bool:
    on = business_date(state.rules_since, state.zone)
    return any(
        rule.what == LEADER_TRIPS and in_scope(rule.direction, state.direction)
        for rule in effective(edition.limits, on)
    )


class Renewed(Observation):
    """An observation as other files say it now, beside what was sealed last: null where nothing was."""

    sealed: int | None = None
    sealed_at: Instant | None = None


def asked_of(state: Delegation, edition: Edition) -> AskedAbout | None:
    """Return what has to be known of other files to show a dossier that waits for signatures; None where nothing."""
    proposal = state.current_proposal
    persons = tuple(dict.fromkeys(one.person.ref for one in leaders(state)))
    if proposal is None or not proposal.pending or not persons or not _limited(state, edition):
        return None
    return AskedAbout(persons=persons, year=state.starts.year)


def renewed(state: Delegation, edition: Edition, told: Iterable[Observed], now: datetime) -> tuple[Renewed, ...]:
    """Return what other files say at an instant of the leaders on the list; nothing is sealed by looking."""
    found = []
    for one in _counted(state, edition, told, now):
        before = state.observations.get(f"{one.what}/{one.subject}")
        seen = {"sealed": before.value, "sealed_at": before.observed_at} if before else {}
        found.append(Renewed.model_validate(one.model_dump(exclude={"type"}) | seen))
    return tuple(found)
