"""The decider: `decide(state, command, context) -> Outcome`, and the sealing of what was decided.

Every command has one row here: in which phases it is allowed, and the function that decides it. Who may send it stands
in `domain/permission.py`.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError

from domain import (
    amendment,
    approval,
    effects,
    formalities,
    invitations,
    lifecycle,
    mail,
    members,
    programme,
    report,
    request,
)
from domain import commands as c
from domain import events as e
from domain.commands import COMMAND, Command
from domain.deadlines import deadline_events, passed
from domain.decision import SYSTEM, Context, DecideInput, Decision, Outcome, Refusal, accept, refuse
from domain.events import Event
from domain.evolve import evolve
from domain.invitations import quiet_window_passed, reaches_calendars
from domain.observations import observed
from domain.permission import SIGNING, permitted
from domain.request import ceiling
from domain.seal import Head, SealedEvent, head_of, seal
from domain.stand_ins import stand_in_events, stand_ins_passed
from domain.state import PLANNING, Delegation, Phase
from domain.values import Value

PREPARING = frozenset({Phase.DRAFTED, Phase.RETURNED})
IN_APPROVAL = frozenset({Phase.SUBMITTED, Phase.UNDER_APPROVAL})
BEFORE_JOURNEY = PREPARING | IN_APPROVAL | {Phase.APPROVED, Phase.INVITING}
ALIVE = BEFORE_JOURNEY | {Phase.UNDER_WAY, Phase.REPORTING}
NOT_CLOSED = frozenset(Phase) - {Phase.CLOSED}

Rule = Callable[[Delegation, Any, Context], Outcome]


class Row(NamedTuple):
    """Where a command is allowed, and what decides it.

    `answers` says that it is also allowed where a change after the decision is under approval.
    """

    phases: frozenset[Phase]
    rule: Rule
    answers: bool = False


TABLE: dict[type[Value], Row] = {
    c.ReviseRequest: Row(PREPARING, request.revise_request),
    c.AttachDocument: Row(PREPARING | PLANNING | {Phase.REPORTING}, request.attach_document),
    c.JustifyLimit: Row(PREPARING | PLANNING, request.justify_limit),
    c.SubmitRequest: Row(PREPARING, request.submit),
    c.SubmitChange: Row(PLANNING, amendment.submit_change),
    c.WithdrawRequest: Row(IN_APPROVAL, request.withdraw_request),
    c.AdoptRules: Row(ALIVE - IN_APPROVAL | {Phase.POSTPONED}, request.adopt_rules),
    c.SignOff: Row(IN_APPROVAL, approval.sign_off, answers=True),
    c.ReturnStep: Row(IN_APPROVAL, approval.return_step, answers=True),
    c.RejectStep: Row(IN_APPROVAL, approval.reject_step, answers=True),
    c.RecordExternalDecision: Row(IN_APPROVAL, approval.record_external_decision, answers=True),
    c.IssueDecision: Row(IN_APPROVAL, approval.issue_decision),
    c.AddMember: Row(PREPARING | PLANNING, members.add_member),
    c.ReplaceMember: Row(PREPARING | PLANNING, members.replace_member),
    c.WithdrawMember: Row(PREPARING | PLANNING, members.withdraw_member),
    c.AppointParticipant: Row(PREPARING | IN_APPROVAL | PLANNING, members.appoint),
    c.ReleaseParticipant: Row(PREPARING | IN_APPROVAL | PLANNING, members.release),
    c.ScheduleItem: Row(PREPARING | PLANNING, programme.schedule),
    c.MoveItem: Row(PREPARING | PLANNING, programme.move),
    c.ReviseItem: Row(PREPARING | PLANNING, programme.revise),
    c.CancelItem: Row(PREPARING | PLANNING, programme.cancel),
    c.RestoreItem: Row(PREPARING | PLANNING, programme.restore),
    c.PublishProgramme: Row(PREPARING | PLANNING, programme.publish),
    c.Invite: Row(frozenset({Phase.APPROVED}), invitations.invite),
    c.ChooseChannel: Row(ALIVE | {Phase.POSTPONED}, invitations.choose_channel),
    c.RecordReply: Row(frozenset({Phase.INVITING, Phase.UNDER_WAY}), invitations.record_reply),
    c.ResendMail: Row(NOT_CLOSED, mail.resend_mail),
    c.RecordFormality: Row(ALIVE, formalities.record_formality),
    c.HandOver: Row(NOT_CLOSED, lifecycle.hand_over),
    c.Depart: Row(frozenset({Phase.APPROVED, Phase.INVITING}), lifecycle.depart),
    c.Conclude: Row(frozenset({Phase.UNDER_WAY}), lifecycle.conclude),
    c.FileReport: Row(frozenset({Phase.REPORTING}), report.file_report),
    c.ReturnReport: Row(frozenset({Phase.REPORTING}), report.return_report),
    c.AcceptReport: Row(frozenset({Phase.REPORTING}), report.accept_report),
    c.Postpone: Row(BEFORE_JOURNEY, lifecycle.postpone),
    c.Resume: Row(frozenset({Phase.POSTPONED}), lifecycle.resume),
    c.CancelDelegation: Row(BEFORE_JOURNEY | {Phase.UNDER_WAY, Phase.POSTPONED}, lifecycle.cancel_delegation),
    c.CloseDelegation: Row(frozenset({Phase.REPORTING, Phase.REJECTED, Phase.CANCELLED}), lifecycle.close),
    c.ReopenDelegation: Row(frozenset({Phase.CLOSED}), lifecycle.reopen),
    c.Tick: Row(frozenset(Phase), lambda state, command, context: accept()),
    # What follows from it is a reaction, as it is to every command that may bring a file to another desk.
    c.ReviewDesks: Row(frozenset(Phase), lambda state, command, context: accept()),
    c.RecordDelivery: Row(frozenset(Phase), effects.record_delivery),
    c.RecordDocument: Row(frozenset(Phase), effects.record_document),
    c.RecordNotice: Row(frozenset(Phase), effects.record_notice),
    c.RecordBounce: Row(frozenset(Phase), mail.record_bounce),
    c.RecordFailure: Row(frozenset(Phase), effects.record_failure),
}


def decide(delegation: str, state: Delegation | None, command: Command, context: Context) -> Outcome:
    """Return what one command leads to.

    Refusals of its own: those of `permitted`, `delegation_exists`, `delegation_unknown`, `delegation_closed`,
    `wrong_phase`; all others are the rule's.
    """
    if isinstance(command, c.OpenDelegation):
        forbidden = permitted(context.actor, command.type, context.lineage)
        if forbidden:
            return refuse(forbidden, command=command.type)
        if state is not None:
            return refuse("delegation_exists")
        return request.open_delegation(delegation, command, context)
    refusal = barred(state, type(command), context)
    if refusal is not None or state is None:
        return Outcome(refusal=refusal)
    return TABLE[type(command)].rule(state, command, context)


def barred(state: Delegation | None, kind: type[Value], context: Context) -> Refusal | None:
    """Return why no command of a kind is taken now, whatever it says: by role, reach and phase; else None.

    Who may sign is not among it: that is for the rule itself, which records the attempt.
    """
    name: str = kind.model_fields["type"].default
    forbidden = permitted(context.actor, name, context.lineage)
    if forbidden and name not in SIGNING:
        return Refusal(code=forbidden, params={"command": name})
    if state is None:
        return Refusal(code="delegation_unknown")
    row = TABLE[kind]
    answerable = row.answers and state.current_proposal is not state.proposal
    if state.phase in row.phases or answerable:
        return None
    if state.phase is Phase.CLOSED:
        return Refusal(code="delegation_closed", params={"command": name})
    allowed = sorted(one.value for one in row.phases)
    return Refusal(code="wrong_phase", params={"command": name, "phase": state.phase.value, "allowed": allowed})


def decide_all(asked: DecideInput, context: Context) -> tuple[Decision, Delegation | None, Head]:
    """Decide an envelope's commands as one, seal what came of it, and say what is to be done and when to look again.

    A refusal leaves no event but its evidence, and says which of several commands it was. Deadlines that passed
    before the command came are recorded first, by the system: nothing is met that was already missed.
    """
    sealing = Sealing(asked, context)
    sealing.pass_time()
    batch = len(asked.envelope.commands) > 1
    undo = sealing.mark()
    for index, raw in enumerate(asked.envelope.commands):
        if raw.get("type") not in amendment.EDITS:
            sealing.judge_signatures()
        outcome = _decide_raw(asked.envelope.delegation, sealing.state, raw, sealing.context)
        if outcome.refusal:
            sealing.rewind(undo)
            sealing.add(outcome.events)
            refusal = outcome.refusal.model_copy(update={"index": index}) if batch else outcome.refusal
            return sealing.decision(refusal), sealing.state, sealing.head
        sealing.add(outcome.events)
    sealing.react()
    return sealing.decision(None), sealing.state, sealing.head


def _decide_raw(delegation: str, state: Delegation | None, raw: dict[str, Any], context: Context) -> Outcome:
    try:
        command = COMMAND.validate_python(raw)
    except ValidationError as error:
        # The API validates first; this is a command from a newer or older build.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return refuse("malformed_command", field=".".join(str(part) for part in first["loc"]))
    return decide(delegation, state, command, context)


class Sealing:
    """Collects the events of one decision while it folds them."""

    def __init__(self, asked: DecideInput, context: Context) -> None:
        self.state = asked.state
        self.head = asked.head
        self.sealed: list[SealedEvent] = []
        self._command_id = asked.envelope.command_id
        self._context = context
        self._judged = 0

    @property
    def context(self) -> Context:
        """What decisions ask; from the event that adopts a newer edition on, that edition."""
        newest = self._context.newest
        if self.state and self.state.edition == newest.digest():
            return self._context.model_copy(update={"edition": newest})
        return self._context

    def add(self, events: tuple[Event, ...], actor: str | None = None) -> None:
        """Seal events and fold them."""
        for event in events:
            one = seal(
                self.head,
                type=type(event).__name__,
                version=event.version,
                at=self.context.now,
                actor=actor or self.context.actor.id,
                command_id=self._command_id,
                data=event.model_dump(mode="json", exclude={"type"}, exclude_none=True),
            )
            self.state = evolve(self.state, event, one)  # type: ignore[arg-type]  # every Event is one of AnyEvent
            self.sealed.append(one)
            self.head = head_of(one)

    def pass_time(self) -> None:
        """Record what became due since the last decision."""
        if self.state is not None:
            now = self.context.now
            self.add((*passed(self.state, now), *stand_ins_passed(self.state, now)), SYSTEM)
            self.add(quiet_window_passed(self.state, self.context), SYSTEM)

    def judge_signatures(self) -> None:
        """Seal what the edits since the last time mean for what was signed."""
        new, self._judged = self.sealed[self._judged :], len(self.sealed)
        if self.state is not None and any(one.type in amendment.CHANGING for one in new):
            self.add(tuple(amendment.outdated(self.state, self.context.edition)))

    def mark(self) -> tuple[Delegation | None, Head, int]:
        """Return where to rewind to."""
        return self.state, self.head, len(self.sealed)

    def rewind(self, mark: tuple[Delegation | None, Head, int]) -> None:
        """Forget what was added since a mark."""
        self.state, self.head, kept = mark
        del self.sealed[kept:]

    def react(self) -> None:
        """Add what follows: signatures that fall, observations, calendars, ceiling, deadlines, who stands in."""
        if self.state is None:
            return
        self.judge_signatures()
        self.add(tuple(observed(self.state, self.sealed, self.context)))
        self.add(tuple(self._calendars()))
        if self.state.proposal:
            limit = ceiling(self.state, self.context.edition)
            now = self.state.ceiling
            if limit and (now is None or limit.model_dump(exclude={"type"}) != now.model_dump()):
                self.add((limit,))
        self.add(tuple(deadline_events(self.state, self.context)))
        self.add(tuple(stand_in_events(self.state, self.context)))

    def _calendars(self) -> Iterator[Event]:
        assert self.state
        kinds = {one.type for one in self.sealed}
        if kinds & {"DelegationPostponed", "DelegationCancelled", "DelegationConcluded"}:
            yield from invitations.issue(self.state, self.context)
        elif reaches_calendars(self.state) and kinds & {kind.__name__ for kind in REACHING_CALENDARS}:
            yield from invitations.issue(self.state, self.context, quietly=True)

    def decision(self, refusal: Refusal | None) -> Decision:
        """Return what is recorded."""
        wanted = tuple(effects.effects_of(self.state, tuple(self.sealed))) if self.state else ()
        return Decision(
            events=tuple(self.sealed),
            effects=wanted,
            wake=self.state.next_wake if self.state else None,
            refusal=refusal,
        )


REACHING_CALENDARS = (
    e.ProgrammePublished,
    e.DelegationInvited,
    e.MemberAdded,
    e.MemberReplaced,
    e.MemberWithdrawn,
    e.ParticipantAppointed,
    e.ParticipantReleased,
    e.ChannelChosen,
)
