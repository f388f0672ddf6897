"""Dossiers as they were submitted, out of the trail: the contents behind the commitments, and who answered which.

What is shown of a part is what its sealed commitment was made to, or nothing: a content that does not fit is left out.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple

from domain.dossier import PartContent, dossier_contents
from domain.events import (
    Breach,
    CeilingSet,
    ChangeSubmitted,
    RequestSubmitted,
    RuleRef,
    StepRejected,
    StepReturned,
    StepSigned,
)
from domain.evolve import evolve
from domain.seal import SealedEvent
from domain.state import Ceiling, Delegation, Proposal
from domain.upcast import read_event
from domain.values import Digest, Fact, Instant, TextRef

Why = Literal["you_answered", "desk_answered", "step_before_answered", "approved", "first"]
"""Since when a reader sees what changed: their own last answer, the last one of the desk at which they sit, what the
stage before them saw, what stands approved (of a change after the decision), or nothing earlier."""


class JustifiedBreach(Fact):
    """A limit that the proposal exceeds, and the text that says why."""

    breach: Breach
    justification: TextRef | None


class Dossier(Fact):
    """A proposal as it was submitted, by event `seq`."""

    number: int
    digest: Digest
    seq: int
    submitted_by: str
    submitted_at: Instant
    policy: RuleRef
    parts: tuple[PartContent, ...]
    breaches: tuple[JustifiedBreach, ...]
    ceiling: Ceiling | None


class Given(NamedTuple):
    """An answer to a step: by whom, for which position, on which proposal."""

    proposal: int
    step: str
    by: str
    position: str


class Trail(NamedTuple):
    """What a trail says of dossiers: each one by its number, and the answers to them in order."""

    dossiers: Mapping[int, Dossier]
    answers: tuple[Given, ...]


def standing(state: Delegation) -> Proposal | None:
    """Return the proposal whose dossier is the one to be read and signed now: asked in this one place."""
    return state.current_proposal


def read_trail(events: Iterable[SealedEvent]) -> tuple[Trail, Delegation | None]:
    """Return what a delegation's whole trail, from event 1, says of dossiers, and the delegation after it."""
    state: Delegation | None = None
    found: dict[int, Dossier] = {}
    answers: list[Given] = []
    submitted: tuple[Delegation, RequestSubmitted | ChangeSubmitted, SealedEvent] | None = None
    ceiling: Ceiling | None = None
    for sealed in events:
        event = read_event(sealed)
        again = isinstance(event, RequestSubmitted | ChangeSubmitted)
        if submitted and (again or sealed.command_id != submitted[2].command_id):
            found[submitted[1].proposal] = _dossier(*submitted, ceiling)
            submitted = None
        if isinstance(event, RequestSubmitted | ChangeSubmitted) and state is not None:
            submitted, ceiling = (state, event, sealed), state.ceiling
        elif isinstance(event, StepSigned | StepReturned | StepRejected) and state and state.current_proposal:
            answers.append(Given(state.current_proposal.number, event.step_id, sealed.actor, event.right.position))
        state = evolve(state, event, sealed)
        if submitted and isinstance(event, CeilingSet):
            ceiling = state.ceiling
    if submitted:
        found[submitted[1].proposal] = _dossier(*submitted, ceiling)
    return Trail(found, tuple(answers)), state


def _dossier(
    before: Delegation, event: RequestSubmitted | ChangeSubmitted, sealed: SealedEvent, ceiling: Ceiling | None
) -> Dossier:
    total = ceiling.total_vnd if ceiling else None
    contents = {one.part: one for one in dossier_contents(before, event.breaches, total)}
    parts = []
    for part in event.parts:
        known = contents.get(part.part)
        content = known.content if known and known.commitment == part.commitment else None
        parts.append(PartContent(part=part.part, content=content, commitment=part.commitment))
    return Dossier(
        number=event.proposal,
        digest=event.digest,
        seq=sealed.seq,
        submitted_by=sealed.actor,
        submitted_at=sealed.instant,
        policy=event.chain,
        parts=tuple(parts),
        breaches=tuple(
            JustifiedBreach(breach=breach, justification=justified[1] if justified else None)
            for breach in event.breaches
            for justified in (before.justifications.get(breach.limit),)
        ),
        ceiling=ceiling,
    )


def seen_before(
    trail: Trail,
    proposal: Proposal,
    reader: str,
    step_id: str | None,
    *,
    positions: Collection[str] = (),
    approved: Proposal | None = None,
) -> tuple[int | None, Why]:
    """Return the number of the proposal since which a reader, about to answer a step, is shown what changed, and why.

    It is the one that the reader answered last, on whatever step; else the one that was answered last at the desk at
    which they would answer, whoever sat there (`positions` are those that they hold or stand in for); else the one that
    the stage before the step signed (an earlier one where its signature was carried over); else, of a change after the
    decision, what stands `approved`; else None.
    """
    own = [answer.proposal for answer in trail.answers if answer.by == reader]
    if own:
        return own[-1], "you_answered"
    step = proposal.step(step_id) if step_id else None
    if step is not None:
        desks = {*positions} & {*step.plan.signing_positions}
        of_desk = [answer.proposal for answer in trail.answers if answer.position in desks]
        if of_desk:
            return of_desk[-1], "desk_answered"
        before = proposal.steps[: proposal.steps.index(step)]
        seen = [
            signature.proposal or proposal.number
            for one in before
            if not one.open_with(step)
            for signature in one.signed_by
        ]
        if seen:
            return seen[-1], "step_before_answered"
    if approved is not None and approved.number != proposal.number:
        return approved.number, "approved"
    return None, "first"
