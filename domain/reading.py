"""What a sealed event says of itself, for whoever reads the trail: when it took effect, by what right and rule, why.

Nothing is worked out anew: it is what the event carries, and where it names a deadline or a step only, what the file
said of that before and after it.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Literal

from domain import events as e
from domain.decision import SYSTEM
from domain.events import AnyEvent, Right, RuleRef
from domain.seal import SealedEvent
from domain.state import Delegation, Proposal
from domain.upcast import read_event
from domain.values import Fact, Instant

TICK = "tick:"
"""What the id of a command begins with that a deadline brought (`workflows/delegation.py`)."""

EFFECT = "effect:"
"""What the id of a command begins with that records what became of an effect: `effect:KEY:SEQ`."""


OUTCOMES = ("InvitationsIssued", "InvitationsDelivered", "DocumentRendered", "NoticeSent", "EffectFailed")
"""Events that ask for messages to people, or that record what became of something an earlier one asked for."""

FROM_REGISTERS = ("StandInsNoted", "ReplyRecorded", "MailBounced")
"""Events that the system records because a register holds something new."""


class Effective(Fact):
    """When something took effect: an instant in UTC, or a calendar day where no clock time is known."""

    at: Instant | None = None
    on: date | None = None


class Cause(Fact):
    """Why the system did something by itself.

    `deadline`: time had passed; where something was due, it is `what`. `outcome`: something that event `seq` asked for
    was carried out, or given up. `register`: a register told the file of a leave, a mail or the like.
    """

    kind: Literal["deadline", "outcome", "register"]
    what: str | None = None
    seq: int | None = None


def took_effect(event: AnyEvent) -> Effective | None:
    """Return when an event took effect where it says so itself; None where that is when it was decided."""
    match event:
        case e.DeadlineMissed(due_at=due_at):
            return Effective(at=due_at)
        case e.FactObserved(observed_at=observed):
            return Effective(at=observed)
        case e.ReplyRecorded(dtstamp=datetime() as written):
            return Effective(at=written)
        case e.ExternalDecisionRecorded(dated=day) | e.FormalityRecorded(on=day):
            return Effective(on=day)
        case e.StandInsNoted(stand_ins=noted) if noted:
            return Effective(at=min(one.since for one in noted))
    return None


def right_of(event: AnyEvent) -> Right | None:
    """Return the right by which somebody signed, as it was sealed."""
    return getattr(event, "right", None)


def rules_of(event: AnyEvent, before: Delegation | None, after: Delegation) -> tuple[RuleRef, ...]:
    """Return the rules that an event follows from, each once, in the order in which it names them."""
    return tuple(dict.fromkeys(_rules(event, before, after)))


def _rules(event: AnyEvent, before: Delegation | None, after: Delegation) -> Iterator[RuleRef]:
    match event:
        case e.RequestSubmitted(chain=chain, breaches=breaches) | e.ChangeSubmitted(chain=chain, breaches=breaches):
            yield chain
            yield from (RuleRef(rule=one.limit.partition("/")[0], version=one.version) for one in breaches)
        case e.LimitJustified(breach=breach):
            yield RuleRef(rule=breach.limit.partition("/")[0], version=breach.version)
        case e.CeilingSet(lines=lines):
            yield from (line.rule for line in lines)
        case e.FactObserved(rule=rule) | e.DeadlineSet(rule=rule) | e.DeadlineMissed(rule=rule):
            yield rule
        case (
            e.DeadlineLifted(what=what)
            | e.DeadlineMet(what=what)
            | e.DeadlineReminded(what=what)
            | e.DeadlineEscalated(what=what)
        ):
            stands = (before and before.deadlines.get(what)) or after.deadlines.get(what)
            if stands:
                yield stands.rule
        case (
            e.StepSigned()
            | e.StepReturned()
            | e.StepRejected()
            | e.ExternalDecisionRecorded()
            | e.StepEscalated()
            | e.SignOffRefused()
            | e.DelegationRejected()
        ):
            proposal: Proposal | None = before.current_proposal if before else None
            if proposal:
                yield proposal.chain


def cause_of(sealed: SealedEvent) -> Cause | None:
    """Return why the system did it; None for what an account did."""
    if sealed.actor != SYSTEM:
        return None
    if asked := asked_by(sealed.command_id):
        key, seq = asked
        return Cause(kind="outcome", what=key, seq=seq)
    if sealed.type in FROM_REGISTERS and not sealed.command_id.startswith(TICK):
        return Cause(kind="register")
    # Also within somebody's command: what had become due by then is recorded before it.
    named = sealed.data.get("what") if sealed.type.startswith("Deadline") else None
    return Cause(kind="deadline", what=named if isinstance(named, str) else None)


def asked_by(command_id: str) -> tuple[str, int] | None:
    """Return the effect whose outcome a command records, and the number of the event that asked for it."""
    key, _, seq = command_id.removeprefix(EFFECT).rpartition(":")
    return (key, int(seq)) if command_id.startswith(EFFECT) and key and seq.isdecimal() else None


def asks_for(event: AnyEvent) -> str | None:
    """Return the key of the effect that an event names itself, by which messages to people on the file are entered."""
    match event:
        case e.InvitationsIssued(issue=issue):
            return f"calendars:{issue}"
        case e.DocumentRendered(kind="invitation_letter", number=number):
            return f"letter-mail:{number}"
    return None


def effects_asked_for(events: Iterable[SealedEvent]) -> dict[str, int]:
    """Return which event asked for each effect, by its key: as outcomes say, and as events name it themselves."""
    found: dict[str, int] = {}
    for sealed in events:
        if asked := asked_by(sealed.command_id):
            found[asked[0]] = asked[1]
        if sealed.type in OUTCOMES and (key := asks_for(read_event(sealed))):
            found[key] = sealed.seq
    return found


def is_about(sealed: SealedEvent, named: str) -> bool:
    """Whether an event names a step, an item, a participant, a document or anything else by this id."""
    return names(sealed.data, named)


def names(data: Any, named: str) -> bool:
    """Whether what an event says names something by this id."""
    return any(named == text or named in text.split(".") for text in _texts(data))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
