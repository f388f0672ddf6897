"""The fold: `evolve(state, event) -> state`. It never refuses and never asks what a rule says today."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from domain import events as e
from domain.desk import lies_on
from domain.dossier import looked_at
from domain.events import AnyEvent
from domain.seal import SealedEvent
from domain.state import (
    Bounced,
    Ceiling,
    Deadline,
    Decision,
    Delegation,
    Document,
    Formality,
    Issue,
    Item,
    Observation,
    Participant,
    Phase,
    Proposal,
    Published,
    Rendered,
    Reply,
    Report,
    Signature,
    StandsIn,
    Step,
    Told,
)
from domain.upcast import read_event

M = TypeVar("M", bound=BaseModel)
Handler = Callable[[Delegation, Any, SealedEvent], Delegation]

_HANDLERS: dict[type[e.Event], Handler] = {}


def _with(model: M, **changes: Any) -> M:
    return model.model_copy(update=changes)


def _on(kind: type[e.Event]) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _HANDLERS[kind] = handler
        return handler

    return register


def evolve(state: Delegation | None, event: AnyEvent, sealed: SealedEvent) -> Delegation:
    """Return the delegation after one event; `sealed` says who recorded it and when."""
    if isinstance(event, e.DelegationOpened):
        return _opened(event, sealed)
    if state is None:
        raise ValueError(f"event {sealed.seq}: {sealed.type} before DelegationOpened")
    after = _HANDLERS[type(event)](state, event, sealed)
    if isinstance(event, WRITING):
        after = _with_author(after, sealed.actor)
    if (desks := lies_on(after)) != lies_on(state):
        after = _with(after, desk_since=sealed.instant)
        if after.stand_ins:
            # Who stood in at a desk that the file has left has nothing to do with it any more.
            kept = tuple(one for one in after.stand_ins if (one.what, one.position) in desks)
            after = _with(after, stand_ins=kept)
    return after


WRITING = (
    e.RequestRevised,
    e.DocumentAttached,
    e.LimitJustified,
    e.MemberAdded,
    e.MemberReplaced,
    e.MemberWithdrawn,
    e.ItemScheduled,
    e.ItemMoved,
    e.ItemRevised,
    e.ItemCancelled,
    e.ItemRestored,
    e.DelegationResumed,
    e.RequestSubmitted,
    e.ChangeSubmitted,
    e.ReportFiled,
)
"""Events by which somebody writes what others are to sign."""


def _with_author(state: Delegation, account: str) -> Delegation:
    if account in (state.opened_by, state.coordinator, *state.authors):
        return state
    return _with(state, authors=(*state.authors, account))


def fold(events: Iterable[SealedEvent], state: Delegation | None = None) -> Delegation | None:
    """Return the delegation after sealed events, starting from `state`."""
    for sealed in events:
        state = evolve(state, read_event(sealed), sealed)
    return state


def _opened(event: e.DelegationOpened, sealed: SealedEvent) -> Delegation:
    return Delegation(
        id=event.delegation,
        phase=Phase.DRAFTED,
        opened_by=sealed.actor,
        opened_at=sealed.instant,
        desk_since=sealed.instant,
        **event.model_dump(exclude={"type", "delegation"}),
    )


_CHANGEABLE = (
    "title",
    "purpose",
    "partner",
    "countries",
    "places",
    "starts",
    "ends",
    "grade",
    "key_leaders",
    "run_by",
    "head_level",
    "stays",
)


@_on(e.RequestRevised)
def _revised(state: Delegation, event: e.RequestRevised, sealed: SealedEvent) -> Delegation:
    said = {name: value for name in _CHANGEABLE if (value := getattr(event, name)) is not None}
    return _with(state, **said)


@_on(e.DocumentAttached)
def _attached(state: Delegation, event: e.DocumentAttached, sealed: SealedEvent) -> Delegation:
    document = Document(
        id=event.document_id,
        kind=event.kind,
        attachment=event.attachment,
        concerns=event.concerns,
        bound=event.bound,
    )
    return _with(state, documents=state.documents | {document.id: document})


@_on(e.LimitJustified)
def _justified(state: Delegation, event: e.LimitJustified, sealed: SealedEvent) -> Delegation:
    entry = (event.breach, event.justification)
    return _with(state, justifications=state.justifications | {event.breach.limit: entry})


# Approval


@_on(e.RequestSubmitted)
def _submitted(state: Delegation, event: e.RequestSubmitted, sealed: SealedEvent) -> Delegation:
    proposal = _proposed(event, sealed)
    signed = any(step.status == "signed" for step in proposal.steps)
    return _with(
        state,
        phase=Phase.UNDER_APPROVAL if signed else Phase.SUBMITTED,
        proposal=proposal,
        amendment=None,
        amended=None,
        superseded=(*state.superseded, *(one.digest for one in state.proposals)),
        earlier_letters=_letters_of(state, *state.proposals),
        decision=None,
    )


@_on(e.ChangeSubmitted)
def _change_submitted(state: Delegation, event: e.ChangeSubmitted, sealed: SealedEvent) -> Delegation:
    before = state.amendment
    change = _proposed(event, sealed, changed=event.changed, about=event.about)
    anew = before is None or before.rejected
    return _with(
        state,
        amendment=change,
        superseded=(*state.superseded, *([before.digest] if before else [])),
        earlier_letters=_letters_of(state, *([before] if before else [])),
        # A change of its own may go back once as incomplete, as the request might.
        incomplete_returns=0 if anew else state.incomplete_returns,
    )


def _letters_of(state: Delegation, *replaced: Proposal) -> tuple[str, ...]:
    """Return the earlier letters with those of proposals that another replaces now."""
    letters = (step.external.letter.digest for one in replaced for step in one.steps if step.external)
    return tuple(dict.fromkeys((*state.earlier_letters, *letters)))


@_on(e.ChangeSuperseded)
def _change_superseded(state: Delegation, event: e.ChangeSuperseded, sealed: SealedEvent) -> Delegation:
    assert state.amendment
    return _with(state, amendment=_with(state.amendment, superseded=True))


@_on(e.SignaturesVoided)
def _voided(state: Delegation, event: e.SignaturesVoided, sealed: SealedEvent) -> Delegation:
    def void(step: Step) -> Step:
        return _with(step, voided_by=tuple(part for part in event.parts if looked_at(part, step.plan.looks_at)))

    return _with_steps(state, event.proposal, event.steps, void)


def _with_steps(
    state: Delegation, number: int, step_ids: tuple[str, ...], change: Callable[[Step], Step]
) -> Delegation:
    def changed(one: Proposal | None) -> Proposal | None:
        if one is None or one.number != number:
            return one
        return _with(one, steps=tuple(change(step) if step.id in step_ids else step for step in one.steps))

    return _with(state, proposal=changed(state.proposal), amendment=changed(state.amendment))


def _proposed(event: e.RequestSubmitted | e.ChangeSubmitted, sealed: SealedEvent, **more: Any) -> Proposal:
    return Proposal(
        number=event.proposal,
        digest=event.digest,
        parts=event.parts,
        chain=event.chain,
        steps=_next_opened(tuple(_planned(plan, event.carried) for plan in event.steps)),
        breaches=event.breaches,
        submitted_by=sealed.actor,
        submitted_at=sealed.instant,
        conflicted=event.conflicted,
        **more,
    )


def _planned(plan: e.StepPlan, carried_over: tuple[e.CarriedSignature, ...]) -> Step:
    """Return a step as it stands on submission: with the signatures that were carried over to it, if any."""
    carried = [one for one in carried_over if one.step_id == plan.id]
    if not carried:
        return Step(plan=plan)
    last = carried[-1]
    answer: dict[str, Any] = {
        "status": "signed",
        "by": last.by,
        "at": last.at,
        "right": last.right,
        "external": last.external,
        "factor": last.factor,
    }
    return Step(
        plan=plan,
        signatures=tuple(
            Signature(
                by=one.by, at=one.at, right=one.right, proposal=one.proposal, digest=one.digest, factor=one.factor
            )
            for one in carried
        ),
        **(answer if len(carried) >= (plan.needed or 1) else {}),
    )


def _next_opened(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps with those open that wait in the first stage that is not signed as a whole."""
    current = next((step for step in steps if step.status != "signed"), None)
    return tuple(
        _with(step, status="open") if current and step.status == "waiting" and step.open_with(current) else step
        for step in steps
    )


@_on(e.RequestWithdrawn)
def _request_withdrawn(state: Delegation, event: e.RequestWithdrawn, sealed: SealedEvent) -> Delegation:
    assert state.proposal
    return _with(state, phase=Phase.DRAFTED, proposal=_with(state.proposal, withdrawn=True))


@_on(e.RulesAdopted)
def _rules_adopted(state: Delegation, event: e.RulesAdopted, sealed: SealedEvent) -> Delegation:
    return _with(state, edition=event.edition, rules_adopted_at=sealed.instant)


@_on(e.FactObserved)
def _observed(state: Delegation, event: e.FactObserved, sealed: SealedEvent) -> Delegation:
    latest = Observation.model_validate(event.model_dump(exclude={"type"}))
    return _with(state, observations=state.observations | {f"{event.what}/{event.subject}": latest})


Status = Literal["signed", "returned", "rejected"]


def _answered(
    proposal: Proposal, step_id: str, sealed: SealedEvent, status: Status, right: e.Right | None, **more: Any
) -> Proposal:
    steps = []
    for step in proposal.steps:
        if step.id != step_id:
            steps.append(step)
            continue
        answer = {"status": status, "by": sealed.actor, "at": sealed.instant, "right": right, **more}
        if status == "signed" and right and step.needed > 1:
            signature = Signature(by=sealed.actor, at=sealed.instant, right=right, factor=more.get("factor"))
            answer["signatures"] = (*step.signatures, signature)
            if len(answer["signatures"]) < step.needed:
                answer = {"signatures": answer["signatures"]}
        steps.append(_with(step, **answer))
    return _with(proposal, steps=_next_opened(tuple(steps)) if status == "signed" else tuple(steps))


def _proven(event: e.StepSigned | e.StepReturned | e.StepRejected | e.ReportAccepted) -> dict[str, Any]:
    return {"factor": event.proof.word if event.proof else None}


PHASES_AFTER: dict[Status, Phase] = {"signed": Phase.UNDER_APPROVAL, "returned": Phase.RETURNED}


def _answer(
    state: Delegation, step_id: str, sealed: SealedEvent, status: Status, right: e.Right | None, **more: Any
) -> Delegation:
    """Return the file after a step was answered; a change under approval leaves the phase of the file as it is."""
    if state.amending and state.amendment:
        change = _answered(state.amendment, step_id, sealed, status, right, **more)
        if not change.signed:
            return _with(state, amendment=change)
        letters = _letters_of(state, *([state.amended] if state.amended else []))
        return _with(state, amendment=None, amended=change, earlier_letters=letters)
    assert state.proposal
    proposal = _answered(state.proposal, step_id, sealed, status, right, **more)
    return _with(state, phase=PHASES_AFTER.get(status, state.phase), proposal=proposal)


@_on(e.StepSigned)
def _signed(state: Delegation, event: e.StepSigned, sealed: SealedEvent) -> Delegation:
    return _answer(state, event.step_id, sealed, "signed", event.right, **_proven(event))


@_on(e.StepReturned)
def _returned(state: Delegation, event: e.StepReturned, sealed: SealedEvent) -> Delegation:
    returns = state.incomplete_returns + (event.kind == "incomplete")
    return _with(
        _answer(state, event.step_id, sealed, "returned", event.right, **_proven(event)), incomplete_returns=returns
    )


@_on(e.StepRejected)
def _step_rejected(state: Delegation, event: e.StepRejected, sealed: SealedEvent) -> Delegation:
    return _answer(state, event.step_id, sealed, "rejected", event.right, **_proven(event))


EXTERNAL_OUTCOMES: dict[str, Status] = {"approved": "signed", "returned": "returned", "rejected": "rejected"}


@_on(e.ExternalDecisionRecorded)
def _external_decision(state: Delegation, event: e.ExternalDecisionRecorded, sealed: SealedEvent) -> Delegation:
    letter = e.ExternalDecision(
        authority=event.authority, reference=event.reference, dated=event.dated, letter=event.letter
    )
    return _answer(state, event.step_id, sealed, EXTERNAL_OUTCOMES[event.outcome], None, external=letter)


@_on(e.StepEscalated)
def _escalated(state: Delegation, event: e.StepEscalated, sealed: SealedEvent) -> Delegation:
    return _with_steps(state, event.proposal, (event.step_id,), lambda step: _with(step, escalated_to=event.to))


def _desk_of(one: e.DeskStandIn) -> tuple[str, str, str]:
    return one.what, one.position, one.leave


@_on(e.StandInsNoted)
def _stand_ins_noted(state: Delegation, event: e.StandInsNoted, sealed: SealedEvent) -> Delegation:
    moved = {_desk_of(one) for one in state.stand_ins if one.in_force}
    noted = tuple(StandsIn(**dict(one), in_force=_desk_of(one) in moved) for one in event.stand_ins)
    return _with(state, stand_ins=noted)


@_on(e.DeskMoved)
def _desk_moved(state: Delegation, event: e.DeskMoved, sealed: SealedEvent) -> Delegation:
    desk = (event.what, event.position, event.leave)
    moved = tuple(_with(one, in_force=True) if _desk_of(one) == desk else one for one in state.stand_ins)
    return _with(state, stand_ins=moved)


@_on(e.DeskReturned)
def _desk_returned(state: Delegation, event: e.DeskReturned, sealed: SealedEvent) -> Delegation:
    desk = (event.what, event.position, event.leave)
    return _with(state, stand_ins=tuple(one for one in state.stand_ins if _desk_of(one) != desk))


@_on(e.DelegationRejected)
def _rejected(state: Delegation, event: e.DelegationRejected, sealed: SealedEvent) -> Delegation:
    return _with(state, phase=Phase.REJECTED)


@_on(e.SignOffRefused)
def _sign_off_refused(state: Delegation, event: e.SignOffRefused, sealed: SealedEvent) -> Delegation:
    return state


@_on(e.DecisionIssued)
def _decided(state: Delegation, event: e.DecisionIssued, sealed: SealedEvent) -> Delegation:
    decision = Decision(
        number=event.number, digest=event.digest, document=event.document, by=sealed.actor, at=sealed.instant
    )
    return _with(state, phase=Phase.APPROVED, decision=decision)


# People


@_on(e.MemberAdded)
def _member_added(state: Delegation, event: e.MemberAdded, sealed: SealedEvent) -> Delegation:
    member = Participant(
        id=event.member_id,
        person=event.person,
        role=event.role,
        country=event.country,
        entry_papers=event.entry_papers,
        key_leader=event.key_leader,
    )
    return _with(state, people=state.people | {member.id: member})


@_on(e.MemberReplaced)
def _member_replaced(state: Delegation, event: e.MemberReplaced, sealed: SealedEvent) -> Delegation:
    gone = _with(state.people[event.member_id], active=False, left="replaced", replaced_by=event.by)
    comes = Participant(
        id=event.by,
        person=event.person,
        role=event.role,
        country=event.country,
        entry_papers=event.entry_papers,
        key_leader=event.key_leader,
    )
    return _with(state, people=state.people | {gone.id: gone, comes.id: comes})


def _leaves(state: Delegation, participant_id: str, how: str) -> Delegation:
    gone = _with(state.people[participant_id], active=False, left=how)
    return _with(state, people=state.people | {gone.id: gone})


@_on(e.MemberWithdrawn)
def _member_withdrawn(state: Delegation, event: e.MemberWithdrawn, sealed: SealedEvent) -> Delegation:
    return _leaves(state, event.member_id, "withdrawn")


@_on(e.ParticipantAppointed)
def _appointed(state: Delegation, event: e.ParticipantAppointed, sealed: SealedEvent) -> Delegation:
    person = Participant(id=event.participant_id, person=event.person, role=event.role)
    return _with(state, people=state.people | {person.id: person})


@_on(e.ParticipantReleased)
def _released(state: Delegation, event: e.ParticipantReleased, sealed: SealedEvent) -> Delegation:
    return _leaves(state, event.participant_id, "released")


# Programme and calendars


@_on(e.ItemScheduled)
def _scheduled(state: Delegation, event: e.ItemScheduled, sealed: SealedEvent) -> Delegation:
    item = Item(
        id=event.item_id,
        kind=event.kind,
        title=event.title,
        starts=event.starts,
        ends=event.ends,
        place=event.place,
        audience=event.audience,
        published=event.published,
        notes=event.notes,
    )
    return _with(state, items=state.items | {item.id: item})


@_on(e.ItemMoved)
def _moved(state: Delegation, event: e.ItemMoved, sealed: SealedEvent) -> Delegation:
    item = state.items[event.item_id]
    item = _with(item, starts=event.starts, ends=event.ends, place=event.place or item.place)
    return _with(state, items=state.items | {item.id: item})


@_on(e.ItemRevised)
def _item_revised(state: Delegation, event: e.ItemRevised, sealed: SealedEvent) -> Delegation:
    item = state.items[event.item_id]
    names = ("title", "kind", "place", "audience", "published", "notes")
    said = {name: value for name in names if (value := getattr(event, name)) is not None}
    item = _with(item, **said, announced=item.announced + event.announce)
    return _with(state, items=state.items | {item.id: item})


@_on(e.ItemCancelled)
def _item_cancelled(state: Delegation, event: e.ItemCancelled, sealed: SealedEvent) -> Delegation:
    item = _with(state.items[event.item_id], cancelled=True)
    return _with(state, items=state.items | {item.id: item})


@_on(e.ItemRestored)
def _item_restored(state: Delegation, event: e.ItemRestored, sealed: SealedEvent) -> Delegation:
    item = state.published[event.item_id].item(event.item_id)
    return _with(state, items=state.items | {item.id: item})


@_on(e.ProgrammePublished)
def _published(state: Delegation, event: e.ProgrammePublished, sealed: SealedEvent) -> Delegation:
    published = dict(state.published)
    for item_id in event.items:
        item = state.items[item_id]
        now = Published(view=item.view, audience=item.audience, notes=item.notes, since=sealed.instant)
        before = published.get(item_id)
        # What did not change stands since it did.
        published[item_id] = before if before and _with(before, since=now.since) == now else now
    for item_id in published.keys() - set(event.items):
        if not published[item_id].cancelled:
            published[item_id] = _with(published[item_id], cancelled=True, since=sealed.instant)
    here = tuple(person.id for person in state.people.values() if person.active)
    return _with(state, programme=event.programme, published=published, published_for=here)


def _withdrawn(state: Delegation, sealed: SealedEvent, *, to_come: bool = False) -> dict[str, Published]:
    """Return the published programme with everything cancelled; with `to_come` only what was not over then."""
    return {
        item_id: one
        if one.cancelled or (to_come and one.view.ends.instant <= sealed.instant)
        else _with(one, cancelled=True, since=sealed.instant)
        for item_id, one in state.published.items()
    }


@_on(e.DelegationInvited)
def _invited(state: Delegation, event: e.DelegationInvited, sealed: SealedEvent) -> Delegation:
    return _with(state, phase=Phase.INVITING, letters=event.letter or state.letters)


@_on(e.QuietWindowOpened)
def _quiet(state: Delegation, event: e.QuietWindowOpened, sealed: SealedEvent) -> Delegation:
    return _with(state, quiet_until=event.until)


@_on(e.QuietWindowClosed)
def _quiet_over(state: Delegation, event: e.QuietWindowClosed, sealed: SealedEvent) -> Delegation:
    return _with(state, quiet_until=None)


@_on(e.ChannelChosen)
def _channel(state: Delegation, event: e.ChannelChosen, sealed: SealedEvent) -> Delegation:
    person = _with(state.people[event.participant_id], channel=event.channel)
    return _with(state, people=state.people | {person.id: person})


@_on(e.InvitationsIssued)
def _issued(state: Delegation, event: e.InvitationsIssued, sealed: SealedEvent) -> Delegation:
    told = dict(state.told)
    for message in event.messages:
        told[message.item_id] = tell(told.get(message.item_id), message)
        if message.method == "REQUEST" and (published := state.published.get(message.item_id)):
            told[message.item_id] = _with(told[message.item_id], notes=published.notes)
    counts = {
        method: sum(len(message.to) for message in event.messages if message.method == method)
        for method in ("REQUEST", "CANCEL")
    }
    issue = Issue(
        number=event.issue,
        at=sealed.instant,
        requests=counts["REQUEST"],
        cancels=counts["CANCEL"],
        people=len({person for message in event.messages for person in message.to}),
    )
    over = state.quiet_until is not None and state.quiet_until <= sealed.instant
    quiet_until = None if over else state.quiet_until
    return _with(state, told=told, issues=(*state.issues, issue), quiet_until=quiet_until)


def _parted(before: Told | None, view: e.CalendarView, withdrawn: tuple[str, ...]) -> dict[str, e.CalendarView]:
    if before is None:
        return {}
    left = dict.fromkeys(before.withdrawn_from, before.view) if before.view != view else {}
    return {who: had for who, had in (left | before.parted).items() if who in withdrawn}


def tell(before: Told | None, message: e.CalendarMessage) -> Told:
    """Return what calendars hold of an item once a message has reached its people."""
    # A move reaches everybody who is to have it; who had it before, and hears nothing, holds what is over.
    moved = before is None or before.view.whereabouts() != message.view.whereabouts()
    current = message.method == "CANCEL" or not moved
    holders = before.holders if before and current else ()
    withdrawn = before.withdrawn_from if before else ()
    if message.method == "REQUEST":
        holders = (*holders, *(person for person in message.to if person not in holders))
        withdrawn = tuple(person for person in withdrawn if person not in message.to)
    else:
        holders = tuple(person for person in holders if person not in message.to)
        withdrawn = (*withdrawn, *(person for person in message.to if person not in withdrawn))
    behind = {who: sequence for who, sequence in before.behind.items() if who in holders} if before else {}
    behind |= {who: before.last_sent(who) for who in message.kept} if before else {}
    return Told(
        sequence=message.sequence,
        view=message.view,
        holders=holders,
        withdrawn_from=withdrawn,
        notes=before.notes if before else (),
        parted=_parted(before, message.view, withdrawn),
        behind={who: sequence for who, sequence in behind.items() if who in holders and who not in message.to},
    )


@_on(e.InvitationsDelivered)
def _delivered(state: Delegation, event: e.InvitationsDelivered, sealed: SealedEvent) -> Delegation:
    issues = tuple(
        _with(issue, sent=event.sent, refused=event.refused) if issue.number == event.issue else issue
        for issue in state.issues
    )
    return _with(state, issues=issues)


@_on(e.ReplyRecorded)
def _replied(state: Delegation, event: e.ReplyRecorded, sealed: SealedEvent) -> Delegation:
    reply = Reply.model_validate(event.model_dump(exclude={"type"}) | {"at": sealed.instant})
    return _with(state, replies=state.replies | {f"{event.participant_id}/{event.item_id or '*'}": reply})


# Formalities and the journey


@_on(e.FormalityRecorded)
def _formality(state: Delegation, event: e.FormalityRecorded, sealed: SealedEvent) -> Delegation:
    done = Formality.model_validate(event.model_dump(exclude={"type"}))
    return _with(state, formalities=(*state.formalities, done))


@_on(e.CoordinatorChanged)
def _coordinator(state: Delegation, event: e.CoordinatorChanged, sealed: SealedEvent) -> Delegation:
    return _with_author(_with(state, coordinator=event.coordinator), event.previous)


@_on(e.DelegationDeparted)
def _departed(state: Delegation, event: e.DelegationDeparted, sealed: SealedEvent) -> Delegation:
    return _with(state, phase=Phase.UNDER_WAY, departed_at=sealed.instant)


@_on(e.DelegationConcluded)
def _concluded(state: Delegation, event: e.DelegationConcluded, sealed: SealedEvent) -> Delegation:
    published = _withdrawn(state, sealed, to_come=True)
    return _with(state, phase=Phase.REPORTING, concluded_at=sealed.instant, published=published, quiet_until=None)


# Report


@_on(e.ReportFiled)
def _filed(state: Delegation, event: e.ReportFiled, sealed: SealedEvent) -> Delegation:
    report = Report(
        number=event.report,
        digest=event.digest,
        results=event.results,
        recommendations=event.recommendations,
        annexes=event.annexes,
        filed_by=sealed.actor,
        filed_at=sealed.instant,
        review=event.review,
        chain=event.chain,
    )
    return _with(state, report=report)


@_on(e.ReportReturned)
def _report_returned(state: Delegation, event: e.ReportReturned, sealed: SealedEvent) -> Delegation:
    assert state.report
    return _with(state, report=_with(state.report, status="returned"))


@_on(e.ReportAccepted)
def _report_accepted(state: Delegation, event: e.ReportAccepted, sealed: SealedEvent) -> Delegation:
    assert state.report
    report = _with(
        state.report,
        status="accepted",
        accepted_by=sealed.actor,
        accepted_at=sealed.instant,
        right=event.right,
        **_proven(event),
    )
    return _with(state, report=report)


# Ends and pauses


@_on(e.DelegationPostponed)
def _postponed(state: Delegation, event: e.DelegationPostponed, sealed: SealedEvent) -> Delegation:
    published = _withdrawn(state, sealed)
    return _with(state, phase=Phase.POSTPONED, paused_phase=state.phase, published=published, quiet_until=None)


@_on(e.DelegationResumed)
def _resumed(state: Delegation, event: e.DelegationResumed, sealed: SealedEvent) -> Delegation:
    def withdrawn(one: Proposal | None) -> Proposal | None:
        return _with(one, withdrawn=True) if one else None

    return _with(
        state,
        phase=Phase.DRAFTED,
        starts=event.starts,
        ends=event.ends,
        proposal=withdrawn(state.proposal),
        amendment=withdrawn(state.amendment),
        amended=withdrawn(state.amended),
        decision=None,
        paused_phase=None,
        formalities_before_resumption=len(state.formalities),
    )


@_on(e.DelegationCancelled)
def _cancelled(state: Delegation, event: e.DelegationCancelled, sealed: SealedEvent) -> Delegation:
    return _with(state, phase=Phase.CANCELLED, published=_withdrawn(state, sealed), quiet_until=None)


@_on(e.DelegationClosed)
def _closed(state: Delegation, event: e.DelegationClosed, sealed: SealedEvent) -> Delegation:
    return _with(state, phase=Phase.CLOSED, paused_phase=state.phase)


@_on(e.DelegationReopened)
def _reopened(state: Delegation, event: e.DelegationReopened, sealed: SealedEvent) -> Delegation:
    return _with(state, phase=state.paused_phase or Phase.REPORTING, paused_phase=None)


# Deadlines, ceilings, and what effects brought


@_on(e.DeadlineSet)
def _deadline_set(state: Delegation, event: e.DeadlineSet, sealed: SealedEvent) -> Delegation:
    deadline = Deadline(
        what=event.what,
        due_on=event.due_on,
        due_at=event.due_at,
        remind_at=event.remind_at,
        rule=event.rule,
        calculation=event.calculation,
        escalate=event.escalate,
    )
    return _with(state, deadlines=state.deadlines | {event.what: deadline})


@_on(e.DeadlineLifted)
def _deadline_lifted(state: Delegation, event: e.DeadlineLifted, sealed: SealedEvent) -> Delegation:
    return _with(state, deadlines={what: kept for what, kept in state.deadlines.items() if what != event.what})


def _mark_deadline(state: Delegation, what: str, **changes: Any) -> Delegation:
    return _with(state, deadlines=state.deadlines | {what: _with(state.deadlines[what], **changes)})


@_on(e.DeadlineMet)
def _deadline_met(state: Delegation, event: e.DeadlineMet, sealed: SealedEvent) -> Delegation:
    was = state.deadlines[event.what].status
    return _mark_deadline(state, event.what, status="late" if was == "missed" else "met")


@_on(e.DeadlineReminded)
def _deadline_reminded(state: Delegation, event: e.DeadlineReminded, sealed: SealedEvent) -> Delegation:
    return _mark_deadline(state, event.what, reminders=state.deadlines[event.what].reminders + 1)


@_on(e.DeadlineMissed)
def _deadline_missed(state: Delegation, event: e.DeadlineMissed, sealed: SealedEvent) -> Delegation:
    if not event.known_late:
        return _mark_deadline(state, event.what, status="missed")
    late = Deadline(
        what=event.what,
        due_on=event.due_on,
        due_at=event.due_at,
        remind_at=(),
        rule=event.rule,
        calculation=event.calculation,
        status="missed",
        escalate=event.escalate,
    )
    return _with(state, deadlines=state.deadlines | {late.what: late})


@_on(e.DeadlineEscalated)
def _deadline_escalated(state: Delegation, event: e.DeadlineEscalated, sealed: SealedEvent) -> Delegation:
    return _mark_deadline(state, event.what, escalations=event.level)


@_on(e.CeilingSet)
def _ceiling(state: Delegation, event: e.CeilingSet, sealed: SealedEvent) -> Delegation:
    return _with(state, ceiling=Ceiling.model_validate(event.model_dump(exclude={"type"})))


@_on(e.DocumentRendered)
def _rendered(state: Delegation, event: e.DocumentRendered, sealed: SealedEvent) -> Delegation:
    document = Rendered(kind=event.kind, number=event.number, versions=event.versions)
    kept = tuple(r for r in state.rendered if (r.kind, r.number) != (event.kind, event.number))
    return _with(state, rendered=(*kept, document))


@_on(e.NoticeSent)
def _notice(state: Delegation, event: e.NoticeSent, sealed: SealedEvent) -> Delegation:
    return state


@_on(e.MailResent)
def _resent(state: Delegation, event: e.MailResent, sealed: SealedEvent) -> Delegation:
    return _with(state, bounced=tuple(one for one in state.bounced if one.message_id not in event.messages))


@_on(e.MailBounced)
def _bounced(state: Delegation, event: e.MailBounced, sealed: SealedEvent) -> Delegation:
    one = Bounced.model_validate(event.model_dump(exclude={"type"}) | {"at": sealed.instant})
    return _with(state, bounced=(*state.bounced, one))


@_on(e.EffectFailed)
def _effect_failed(state: Delegation, event: e.EffectFailed, sealed: SealedEvent) -> Delegation:
    return _with(state, failures=(*state.failures, event.effect))
