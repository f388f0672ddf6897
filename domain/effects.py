"""Which recorded events ask for something to be done outside. Recording the outcome is a command of its own."""

from collections.abc import Iterable, Iterator
from typing import Literal

from domain.collections import CHANGING
from domain.commands import RecordDelivery, RecordDocument, RecordFailure, RecordNotice
from domain.decision import Context, Effect, Outcome, accept, refuse
from domain.desk import SIGNING_REPORT, lies_on
from domain.events import (
    AnyEvent,
    ChangeSubmitted,
    CoordinatorChanged,
    DeadlineEscalated,
    DeadlineMissed,
    DeadlineReminded,
    DelegationInvited,
    DeskMoved,
    DeskReturned,
    DocumentRendered,
    EffectFailed,
    ExternalDecisionRecorded,
    InvitationsDelivered,
    InvitationsIssued,
    MailResent,
    NoticeSent,
    ReportAccepted,
    ReportFiled,
    ReportReturned,
    RequestSubmitted,
    StepEscalated,
    StepRejected,
    StepReturned,
    StepSigned,
)
from domain.seal import SealedEvent
from domain.state import PLANNING, Delegation, StandsIn, Step
from domain.upcast import read_event


def effects_of(state: Delegation, sealed: tuple[SealedEvent, ...]) -> Iterator[Effect]:
    """Yield the effects that newly sealed events ask for; `state` is the delegation after them."""
    reminded: set[str] = set()
    waiting: set[str] = set()
    answered: set[AnswerKind] = set()
    # A due date is sealed after what opened the step: the mail is written from where the decision ends.
    last = sealed[-1].seq if sealed else 0
    for one in sealed:
        event = read_event(one)
        # Who coordinates hears what others decided; of what they recorded themselves they know.
        if (outcome := _outcome(state, event)) and one.actor != state.coordinator and outcome not in answered:
            answered.add(outcome)
            yield _notice(f"answered:{outcome}:{one.seq}", "answered", one.seq, outcome=outcome)
        match event:
            case InvitationsIssued(issue=issue):
                yield Effect(key=f"calendars:{issue}", kind="issue_calendars", seq=one.seq, args={"issue": issue})
            case DelegationInvited(letter=number) if number:
                yield _render("invitation_letter", number, one.seq)
            case ReportFiled(report=number):
                yield _render("final_report", number, one.seq)
                yield _notice(f"report-waits:{number}", "report_waits", last)
            case DocumentRendered(kind="invitation_letter", number=number):
                yield Effect(key=f"letter-mail:{number}", kind="mail_letter", seq=one.seq, args={"number": number})
            case DeadlineReminded(what=what, due_on=due_on):
                # After a long sleep several reminders of one thing are one notice; done or lifted meanwhile, none.
                stands = state.deadlines.get(what)
                if stands and stands.status == "open" and what not in reminded:
                    reminded.add(what)
                    key = f"reminder:{what}:{due_on.isoformat()}:{one.seq}"
                    yield _notice(key, "deadline_reminder", one.seq, what=what)
            case DeadlineMissed(what=what, due_on=due_on):
                key = f"missed:{what}:{due_on.isoformat()}:{one.seq}"
                yield _notice(key, "deadline_missed", one.seq, what=what)
            case DeadlineEscalated(what=what, due_on=due_on, level=level):
                # Done by the very command that brought the time forward: nobody needs to hear of it any more.
                stands = state.deadlines.get(what)
                if stands and stands.status == "missed":
                    key = f"told:{what}:{due_on.isoformat()}:{level}:{one.seq}"
                    yield _notice(key, "deadline_escalated", one.seq, what=what)
            case RequestSubmitted() | ChangeSubmitted():
                yield from _waits(state, state.open_steps, last, waiting)
            case StepSigned(step_id=signed) | ExternalDecisionRecorded(step_id=signed):
                # The other steps of its stage were told when the stage was opened.
                before = state.current_proposal.step(signed) if state.current_proposal else None
                opened = [step for step in state.open_steps if before and not step.open_with(before)]
                yield from _waits(state, opened, last, waiting)
            case StepEscalated(step_id=late, proposal=number):
                proposal = state.current_proposal
                if proposal and proposal.number == number and late in {step.id for step in state.open_steps}:
                    yield _notice(f"escalated:{number}:{late}:{one.seq}", "step_escalated", one.seq, step=late)
            case DeskMoved(what=what, to=to, on_behalf_of=away) as moved:
                # Back already, or done meanwhile: there is nothing to tell.
                if any(stands.in_force and _same_desk(stands, moved) for stands in state.stand_ins):
                    notice = "report_waits" if what == SIGNING_REPORT else "step_waits"
                    yield _notice(f"desk:{what}:{to}:{one.seq}", notice, one.seq, step=what, to=to, on_behalf_of=away)
            case DeskReturned(what=what, position=position, account=back, substitute=substitute) as returned:
                # Moved again, or done meanwhile.
                again = any(stands.in_force and _same_desk(stands, returned) for stands in state.stand_ins)
                if (what, position) in lies_on(state) and not again:
                    for whose, to in (("back", back), ("substitute", substitute)):
                        key = f"desk-returned:{whose}:{one.seq}"
                        yield _notice(key, "desk_returned", one.seq, step=what, to=to, back=back)
            case CoordinatorChanged(previous=previous, coordinator=coordinator):
                for whose, to in (("new", coordinator), ("previous", previous)):
                    if to != one.actor and coordinator == state.coordinator:
                        yield _notice(f"handed-over:{whose}:{one.seq}", "handed_over", one.seq, to=to)
            case MailResent():
                yield Effect(key=f"resend:{one.seq}", kind="resend_mail", seq=one.seq)
            case _:
                pass
    if state.published and CHANGING & {one.type for one in sealed}:
        yield Effect(key=f"collections:{last}", kind="sync_calendars", seq=last)


AnswerKind = Literal[
    "step_returned",
    "change_returned",
    "delegation_rejected",
    "change_rejected",
    "request_signed",
    "change_signed",
    "report_returned",
    "report_accepted",
]
"""What an answer came to, for who coordinates the file."""


def _outcome(state: Delegation, event: AnyEvent) -> AnswerKind | None:
    """Return what an answer came to for who coordinates the file; nothing where the next desk has it now."""
    of_change = state.phase in PLANNING
    match event:
        case StepReturned() | ExternalDecisionRecorded(outcome="returned"):
            return "change_returned" if of_change else "step_returned"
        case StepRejected() | ExternalDecisionRecorded(outcome="rejected"):
            return "change_rejected" if of_change else "delegation_rejected"
        case StepSigned(digest=digest) | ExternalDecisionRecorded(digest=digest):
            whole = state.amended if of_change else state.proposal
            if whole and whole.digest == digest and whole.signed:
                return "change_signed" if of_change else "request_signed"
        case ReportReturned():
            return "report_returned"
        case ReportAccepted():
            return "report_accepted"
        case _:
            pass
    return None


def _same_desk(stands: StandsIn, moved: DeskMoved | DeskReturned) -> bool:
    return (stands.what, stands.position, stands.leave) == (moved.what, moved.position, moved.leave)


def _waits(state: Delegation, steps: Iterable[Step], seq: int, told: set[str]) -> Iterator[Effect]:
    for step in steps:
        if state.current_proposal and step.id not in told:
            told.add(step.id)
            notice = "letter_awaited" if step.plan.external else "step_waits"
            yield _notice(f"step:{state.current_proposal.number}:{step.id}", notice, seq, step=step.id)


def _render(kind: str, number: int, seq: int) -> Effect:
    return Effect(key=f"render:{kind}:{number}", kind="render_document", seq=seq, args={"kind": kind, "number": number})


def _notice(key: str, notice: str, seq: int, **args: str) -> Effect:
    return Effect(key=key, kind="send_notice", seq=seq, args={"notice": notice, **args})


def record_delivery(state: Delegation, command: RecordDelivery, context: Context) -> Outcome:
    """Refusals: `outcome_recorded_already`."""
    issue = next((one for one in state.issues if one.number == command.issue), None)
    if issue is None or issue.sent is not None:
        return refuse("outcome_recorded_already")
    return accept(InvitationsDelivered(issue=command.issue, sent=command.sent, refused=command.refused))


def record_document(state: Delegation, command: RecordDocument, context: Context) -> Outcome:
    """Refusals: `outcome_recorded_already`."""
    if any((one.kind, one.number) == (command.kind, command.number) for one in state.rendered):
        return refuse("outcome_recorded_already")
    return accept(DocumentRendered(kind=command.kind, number=command.number, versions=command.versions))


def record_notice(state: Delegation, command: RecordNotice, context: Context) -> Outcome:
    """Record that a notice went out."""
    return accept(NoticeSent(effect=command.effect, sent=command.sent, refused=command.refused))


def record_failure(state: Delegation, command: RecordFailure, context: Context) -> Outcome:
    """Record that an effect was given up, for a person to look at."""
    return accept(EffectFailed(effect=command.effect, code=command.code))
