"""What a person may do with a file now: every act there is, which of them the decider takes, which of them is next.

No phase stands here: each act is asked of the decider by a command that it would take.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from api.bodies import as_json
from api.pages.possible import Possible
from domain import commands as c
from domain.canonical import digest_of
from domain.commands import PublicCommand
from domain.decide import decide_all
from domain.decision import DecideInput, Envelope, Refusal
from domain.events import AnyEvent, CalendarMessage, DelegationInvited, InvitationsIssued, QuietWindowOpened
from domain.seal import Head
from domain.state import Delegation, Phase, Step
from domain.upcast import read_event
from domain.values import AttachmentRef, Instant, TextRef, Value, business_date
from domain.views import viewers
from locales import mark

NOTHING = "0" * 64
UNWRITTEN = TextRef(ref="txt_unwritten", commitment=NOTHING)
"""Stands for a text that is still to be written, where the decider is asked what it would lead to."""
UNSENT = AttachmentRef(digest=NOTHING, media_type="application/pdf", size=1)
NOBODY = "nobody"
NEVER = date(2199, 12, 31)

EXPECTED = frozenset(
    {
        "approval_incomplete",
        "change_unapproved",
        "granted_by_oneself",
        "limit_absolute",
        "limit_unjustified",
        "no_approval_chain",
        "no_members",
        "own_request",
        "own_trip",
        "place_signed_already",
        "programme_empty",
        "report_not_accepted",
        "signed_another_step",
        "starts_in_the_past",
        "substitute_not_entitled",
        "desk_of_another_organisation",
    }
)
"""Refusals that speak of something a person can do about, or be surprised by: such an act is shown with its reason."""

REMEDIES: dict[str, tuple[str, str]] = {
    "limit_absolute": ("/people", mark("Look at the people")),
    "limit_unjustified": ("/request", mark("Justify the limit")),
    "no_members": ("/people", mark("Add the delegates")),
    "programme_empty": ("/programme", mark("Write the programme")),
    "starts_in_the_past": ("/request", mark("Change the dates")),
}
"""Where what stands in the way is put right, by the code of the refusal, and what the way there is called."""

Ask = Callable[[Delegation], PublicCommand]


@dataclass(frozen=True)
class Act:
    """Something a person does with a file. `name` is the type of the command, and the last part of the address.

    `ask` makes the command by which the decider is asked whether it is taken. `path` is where it is done if not on a
    page of its own, `back` the part of the file that one goes on to. `ends` says that it ends or interrupts the way,
    `checked` that it leads to what depends on what is typed, so that it is shown once more before it is done.
    """

    name: str
    kind: type[Value]
    label: str
    ask: Ask
    path: str = ""
    back: str = ""
    ends: bool = False
    checked: bool = False


@dataclass(frozen=True)
class Offer:
    """An act as a file offers it: where, under which label (with its `values`), or why it is not taken now."""

    act: Act
    path: str
    refusal: Refusal | None
    values: dict[str, str] = field(default_factory=dict)
    step: Step | None = None


def _open_step(state: Delegation) -> tuple[str, str]:
    step = next((one for one in state.open_steps if one.plan.external), state.open_step)
    proposal = state.current_proposal
    return (step.id if step else NOBODY, proposal.digest if proposal else NOTHING)


def _external(state: Delegation) -> PublicCommand:
    step, digest = _open_step(state)
    proposal = state.current_proposal
    return c.RecordExternalDecision(
        step_id=step,
        dossier_digest=digest,
        outcome="approved",
        authority="-",
        reference="-",
        dated=business_date(proposal.submitted_at if proposal else state.opened_at, state.zone),
        letter=UNSENT,
    )


def _somebody(state: Delegation) -> str:
    return next((one.id for one in state.people.values() if one.active), NOBODY)


def _channel(state: Delegation) -> PublicCommand:
    who = _somebody(state)
    by_mail = who in state.people and state.people[who].by_mail
    return c.ChooseChannel(participant_id=who, channel="feed" if by_mail else "mail")


def _accept(state: Delegation) -> PublicCommand:
    return c.AcceptReport(report_digest=state.report.digest if state.report else NOTHING)


ACTS: tuple[Act, ...] = (
    Act("sign_off", c.SignOff, mark("Answer the step “%(step)s”"), lambda state: _sign(state, state.open_step)),
    Act("accept_report", c.AcceptReport, mark("Accept or return the report"), _accept, path="/steps/report"),
    Act("submit_request", c.SubmitRequest, mark("Submit the proposal"), lambda state: c.SubmitRequest()),
    Act("submit_change", c.SubmitChange, mark("Submit the change"), lambda state: c.SubmitChange(), back="/approvals"),
    Act(
        "issue_decision",
        c.IssueDecision,
        mark("Issue the decision"),
        lambda state: c.IssueDecision(number="-"),
        checked=True,
    ),
    Act("invite", c.Invite, mark("Send the invitations"), lambda state: c.Invite(), back="/invitations"),
    Act(
        "publish_programme",
        c.PublishProgramme,
        mark("Publish the programme"),
        lambda state: c.PublishProgramme(),
        path="/programme",
    ),
    Act(
        "record_external_decision",
        c.RecordExternalDecision,
        mark("Record the letter of the outside authority"),
        _external,
        back="/approvals",
        checked=True,
    ),
    Act("depart", c.Depart, mark("Record that the journey has begun"), lambda state: c.Depart()),
    Act("conclude", c.Conclude, mark("Record that the journey has ended"), lambda state: c.Conclude()),
    Act("close_delegation", c.CloseDelegation, mark("Close the file"), lambda state: c.CloseDelegation()),
    Act(
        "file_report",
        c.FileReport,
        mark("File the report"),
        lambda state: c.FileReport(results=UNWRITTEN),
        path="/report",
    ),
    Act(
        "resume",
        c.Resume,
        mark("Take the delegation up again"),
        lambda state: c.Resume(starts=NEVER, ends=NEVER),
        checked=True,
    ),
    Act(
        "record_formality",
        c.RecordFormality,
        mark("Record a formality"),
        lambda state: c.RecordFormality(kind="note_verbale_sent"),
        checked=True,
    ),
    Act(
        "record_reply",
        c.RecordReply,
        mark("Record an answer"),
        lambda state: c.RecordReply(participant_id=_somebody(state), answer="accepted"),
        back="/invitations",
        checked=True,
    ),
    Act(
        "choose_channel",
        c.ChooseChannel,
        mark("Choose how somebody hears"),
        _channel,
        back="/invitations",
        checked=True,
    ),
    Act(
        "resend_mail",
        c.ResendMail,
        mark("Send again what did not arrive"),
        lambda state: c.ResendMail(messages=(f"<{NOTHING}@nowhere.invalid>",)),
        back="/invitations",
    ),
    Act("adopt_rules", c.AdoptRules, mark("Adopt the newer rules"), lambda state: c.AdoptRules()),
    Act("hand_over", c.HandOver, mark("Hand the file over"), lambda state: c.HandOver(to=NOBODY), checked=True),
    Act(
        "withdraw_request",
        c.WithdrawRequest,
        mark("Take the proposal back"),
        lambda state: c.WithdrawRequest(reason=UNWRITTEN),
        ends=True,
        checked=True,
    ),
    Act(
        "reopen_delegation",
        c.ReopenDelegation,
        mark("Open the file again"),
        lambda state: c.ReopenDelegation(reason=UNWRITTEN),
        checked=True,
    ),
    Act(
        "postpone",
        c.Postpone,
        mark("Put the delegation off"),
        lambda state: c.Postpone(reason=UNWRITTEN),
        ends=True,
        checked=True,
    ),
    Act(
        "cancel_delegation",
        c.CancelDelegation,
        mark("Call the delegation off"),
        lambda state: c.CancelDelegation(reason=UNWRITTEN),
        ends=True,
        checked=True,
    ),
)
"""In the order in which they matter: the first that is taken is the next thing to do, if it is one of NEXT."""

BY_NAME = {act.name: act for act in ACTS}

NEXT = frozenset(
    {
        "sign_off",
        "accept_report",
        "submit_request",
        "submit_change",
        "issue_decision",
        "invite",
        "publish_programme",
        "record_external_decision",
        "depart",
        "conclude",
        "close_delegation",
        "file_report",
        "resume",
    }
)
"""Acts that bring a file on its way, and may be the one primary action of its page."""

LATER = frozenset({"mail_unknown"})
"""Refusals that only say that the command which was asked about is not the one that will be sent."""


def _sign(state: Delegation, step: Step | None) -> PublicCommand:
    proposal = state.current_proposal
    return c.SignOff(step_id=step.id if step else NOBODY, dossier_digest=proposal.digest if proposal else NOTHING)


def refusal_of(act: Act, possible: Possible) -> Refusal | None:
    """Return why an act is not taken now, or None where it is, or where that depends on what will be typed."""
    if (barred := possible.barred(act.kind)) is not None:
        return barred
    found = possible.refusal(act.ask(possible.state))
    return None if found is not None and found.code in LATER else found


def offers(possible: Possible) -> Iterator[Offer]:
    """Yield every act with why it is not taken; each open step is an act of its own."""
    root = f"/delegations/{possible.state.id}"
    for act in ACTS:
        if act.name == "sign_off":
            yield from _to_sign(act, possible, root)
            continue
        path = root + (act.path or f"/acts/{act.name}")
        yield Offer(act, path, refusal_of(act, possible))


def _to_sign(act: Act, possible: Possible, root: str) -> Iterator[Offer]:
    if possible.barred(act.kind) is not None or possible.state.current_proposal is None:
        return
    for step in possible.state.open_steps:
        refusal = possible.refusal(_sign(possible.state, step))
        yield Offer(act, f"{root}/steps/{step.id}", refusal, {"step": step.id}, step)


@dataclass(frozen=True)
class Bar:
    """The acts of a page: the next one, what else is taken, what ends or interrupts the way, and what is not taken yet.

    Where what would be next is not taken, `remedy` says where that is put right, and how the way there is called.
    """

    next: Offer | None
    more: tuple[Offer, ...]
    ending: tuple[Offer, ...]
    waiting: tuple[Offer, ...]
    remedy: tuple[str, str] | None = None


def bar_of(possible: Possible) -> Bar:
    """Return the acts of a file as its reader finds them."""
    found = list(offers(possible))
    taken = [one for one in found if one.refusal is None]
    coming = next((one for one in taken if one.act.name in NEXT and _timely(one.act, possible)), None)
    refused = [one for one in found if one.refusal is not None and one.refusal.code in EXPECTED]
    waiting = tuple(one for one in refused if _timely(one.act, possible))
    codes = [one.refusal.code for one in waiting if one.refusal and one.act.name in NEXT]
    remedy = next((REMEDIES[code] for code in codes if code in REMEDIES), None) if coming is None else None
    others = [one for one in taken if one is not coming]
    return Bar(
        next=coming,
        more=tuple(one for one in others if not one.act.ends),
        ending=tuple(one for one in others if one.act.ends),
        waiting=waiting,
        remedy=remedy,
    )


def _timely(act: Act, possible: Possible) -> bool:
    """Whether an act that is taken is what comes next, and not merely possible."""
    state = possible.state
    today = business_date(possible.context.now, state.zone)
    match act.name:
        case "conclude":
            return today >= state.ends
        case "publish_programme":
            return state.phase in (Phase.INVITING, Phase.UNDER_WAY)
    return True


@dataclass(frozen=True)
class Hearing:
    """What one person would hear: the calendar messages to their mailbox, and whether the letter goes to them.

    `seen` counts the items that stand in their feed or collection instead.
    """

    participant: str
    asked: tuple[CalendarMessage, ...] = ()
    cancelled: tuple[CalendarMessage, ...] = ()
    letter: bool = False
    seen: int = 0


@dataclass(frozen=True)
class Foreseen:
    """What a command would lead to now: its events, the file after it, who hears what, and from when on.

    `messages` counts the calendar messages; with `waits_until` they go out only then. `notices` are the steps whose
    signers are written to that they wait.
    """

    events: tuple[AnyEvent, ...]
    after: Delegation
    hearings: tuple[Hearing, ...]
    messages: int
    waits_until: Instant | None = None
    notices: tuple[str, ...] = ()


def foreseen(possible: Possible, head: Head, command: PublicCommand) -> Foreseen | None:
    """Return what a command would lead to if it were sent now, decided by the decider itself; None if it is refused.

    Nothing is sealed for it.
    """
    said: Any = as_json(command)
    asked = Envelope(
        delegation=possible.state.id,
        command_id="foreseen",
        actor=possible.context.actor.id,
        commands=(said,),
        digest=digest_of([said]),
    )
    wanted = DecideInput(state=possible.state, head=head, envelope=asked, now=possible.context.now)
    decision, after, _ = decide_all(wanted, possible.context)
    if decision.refusal is not None or after is None:
        return None
    events = tuple(read_event(one) for one in decision.events)
    messages = [one for event in events if isinstance(event, InvitationsIssued) for one in event.messages]
    letter = any(isinstance(event, DelegationInvited) and event.letter for event in events)
    return Foreseen(
        events=events,
        after=after,
        hearings=tuple(_hearings(after, messages, letter=letter)),
        messages=sum(len(one.to) for one in messages),
        waits_until=next((one.until for one in events if isinstance(one, QuietWindowOpened)), None),
        notices=tuple(str(one.args["step"]) for one in decision.effects if one.args.get("notice") == "step_waits"),
    )


def _hearings(after: Delegation, messages: list[CalendarMessage], *, letter: bool) -> Iterator[Hearing]:
    for who, person in after.people.items():
        to = [one for one in messages if who in one.to]
        written = letter and person.active and person.delegate
        seen = 0
        if letter and person.active and not person.by_mail:
            seen = sum(who in viewers(after, item) for item in after.published)
        if to or written or seen:
            yield Hearing(
                participant=who,
                asked=tuple(one for one in to if one.method == "REQUEST"),
                cancelled=tuple(one for one in to if one.method == "CANCEL"),
                letter=written,
                seen=seen,
            )
