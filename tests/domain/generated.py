"""Strategies for commands of every public type, over names few enough to collide, and for who sends them when."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from domain import commands as c
from domain.decide import TABLE
from domain.decision import Actor
from domain.permission import may_send
from domain.state import PLANNING, Delegation, Phase
from domain.values import LocalTime, Value
from tests.builders import (
    ADMINISTRATOR,
    AUDITOR,
    COORDINATOR,
    DEPARTMENT_HEAD,
    OTHER_COORDINATOR,
    THE_SYSTEM,
    VICE_PRESIDENT,
    at,
    opening,
    pdf,
    person,
    text,
)

Made = Callable[[Delegation], Value]
"""A command that may need what the delegation has become."""

MEMBERS = st.sampled_from(["sato", "ito", "kato", "mori", "abe", "ono"])
SERVING = st.sampled_from(["bao", "lan", "chi"])
ANYBODY = st.one_of(MEMBERS, SERVING, st.just("nobody"))
PERSONS = st.sampled_from([person(name) for name in ("sato", "ito", "kato", "bao")])
ITEMS = st.sampled_from(["monday", "tuesday", "forum", "dinner", "visit", "talk"])
STEPS = st.sampled_from(["department_head", "vice_president", "president"])
COUNTRIES = st.sampled_from(["JP", "DE", "US"])
PLACES = st.sampled_from(["Friendship House", "Town Hall"])
ZONES = st.sampled_from(["Asia/Ho_Chi_Minh", "Asia/Tokyo", "Europe/Berlin"])
DAYS = [("2026-04-06", "2026-04-12"), ("2026-05-11", "2026-05-12"), ("2026-03-01", "2026-03-01")]
KINDS = st.sampled_from(
    ["entry_papers_requested", "entry_papers_granted", "police_notified", "department_notified", "report_filed"]
)
GROUPS = st.lists(st.sampled_from(["delegates", "hosts", "escorts"]), unique=True, max_size=2).map(tuple)
AUDIENCES = st.builds(
    lambda groups, people: c.Audience.model_validate({"groups": groups, "people": people}),
    GROUPS,
    st.lists(st.sampled_from(["sato", "ito", "bao", "bao", "kato"]), unique=True, max_size=2).map(tuple),
)
TEXTS = st.just(text())
STALE = "0" * 64


@st.composite
def times(draw: st.DrawFn) -> dict[str, LocalTime]:
    """Start and end of an item: an hour of a day around the visit."""
    day, hour, zone = (
        draw(st.sampled_from(["2026-03-12", "2026-04-06", "2026-04-08", "2026-04-20", "2026-05-11"])),
        draw(st.integers(6, 20)),
        draw(ZONES),
    )
    return {"starts": at(f"{day}T{hour:02}:00", zone), "ends": at(f"{day}T{hour + 1:02}:30", zone)}


def dossier(state: Delegation) -> str:
    """The digest that is to be signed, if any."""
    return state.current_proposal.digest if state.current_proposal else STALE


def report(state: Delegation) -> str:
    """The report that stands, if any."""
    return state.report.digest if state.report else STALE


def plain(command_type: type[Value], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Made]:
    """A command whose fields do not depend on the delegation."""

    def made(body: dict[str, Any]) -> Made:
        command = command_type.model_validate(body)
        return lambda state: command

    return st.fixed_dictionaries(fields).map(made)


def answering(
    command_type: type[Value], field: str, now: Callable[[Delegation], str], /, **fields: Any
) -> st.SearchStrategy[Made]:
    """A command about the dossier or report that stands, or about one that does not."""

    def made(drawn: tuple[bool, dict[str, Any]]) -> Made:
        stale, body = drawn
        return lambda state: command_type.model_validate(body | {field: STALE if stale else now(state)})

    return st.tuples(st.sampled_from([False, False, False, True]), st.fixed_dictionaries(fields)).map(made)


def placed(command_type: type[Value], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Made]:
    """A command that gives an item a time."""

    def made(drawn: tuple[dict[str, Any], dict[str, LocalTime]]) -> Made:
        command = command_type.model_validate(drawn[0] | drawn[1])
        return lambda state: command

    return st.tuples(st.fixed_dictionaries(fields), times()).map(made)


def dated(command_type: type[Value], /) -> st.SearchStrategy[Made]:
    """A command that gives the delegation other days."""
    return st.sampled_from(DAYS).flatmap(
        lambda days: plain(command_type, starts=st.just(days[0]), ends=st.just(days[1]))
    )


COMMANDS: dict[str, st.SearchStrategy[Made]] = {
    "open_delegation": st.just(lambda state: opening()),
    "revise_request": st.one_of(
        dated(c.ReviseRequest),
        plain(c.ReviseRequest, title=PLACES, grade=st.sampled_from(["A", "C"])),
        plain(
            c.ReviseRequest,
            countries=st.lists(COUNTRIES, min_size=1, max_size=2, unique=True),
            stays=st.lists(st.fixed_dictionaries({"country": COUNTRIES, "days": st.integers(1, 9)}), max_size=2),
        ),
    ),
    "attach_document": plain(
        c.AttachDocument,
        document_id=st.sampled_from(["letter", "passport"]),
        kind=st.just("letter"),
        attachment=st.just(pdf()),
        concerns=st.none() | ANYBODY,
    ),
    "justify_limit": plain(c.JustifyLimit, limit=st.sampled_from(["OUT-MEMBERS", "NO-RULE"]), justification=TEXTS),
    "submit_request": plain(c.SubmitRequest),
    "submit_change": plain(c.SubmitChange),
    "withdraw_request": plain(c.WithdrawRequest, reason=TEXTS),
    "adopt_rules": plain(c.AdoptRules),
    "sign_off": answering(c.SignOff, "dossier_digest", dossier, step_id=STEPS),
    "return_step": answering(
        c.ReturnStep,
        "dossier_digest",
        dossier,
        step_id=STEPS,
        reason=TEXTS,
        kind=st.sampled_from(["incomplete", "amend"]),
    ),
    "reject_step": answering(c.RejectStep, "dossier_digest", dossier, step_id=STEPS, reason=TEXTS),
    "record_external_decision": answering(
        c.RecordExternalDecision,
        "dossier_digest",
        dossier,
        step_id=STEPS,
        outcome=st.sampled_from(["approved", "returned", "rejected"]),
        authority=PLACES,
        reference=PLACES,
        dated=st.sampled_from([date(2026, 2, 1), date(2030, 1, 1)]),
        letter=st.just(pdf()),
    ),
    "issue_decision": plain(c.IssueDecision, number=st.just("27/QĐ")),
    "add_member": plain(
        c.AddMember,
        member_id=st.one_of(MEMBERS, SERVING),
        person=PERSONS,
        role=st.sampled_from(["head", "member"]),
        country=COUNTRIES,
        entry_papers=st.booleans(),
        key_leader=st.booleans(),
    ),
    "replace_member": plain(
        c.ReplaceMember, member_id=MEMBERS, by=MEMBERS, person=PERSONS, country=COUNTRIES, entry_papers=st.booleans()
    ),
    "withdraw_member": plain(c.WithdrawMember, member_id=MEMBERS),
    "appoint_participant": plain(
        c.AppointParticipant, participant_id=SERVING, person=PERSONS, role=st.sampled_from(["host", "escort"])
    ),
    "release_participant": plain(c.ReleaseParticipant, participant_id=ANYBODY),
    "schedule_item": placed(
        c.ScheduleItem, item_id=ITEMS, title=PLACES, place=PLACES, audience=AUDIENCES, published=st.booleans()
    ),
    "move_item": placed(c.MoveItem, item_id=ITEMS, place=st.none() | PLACES),
    "revise_item": plain(
        c.ReviseItem,
        kind=st.none() | st.sampled_from(["session", "meal", "hotel"]),
        seen=st.sampled_from([None, None, None, None, STALE]),
        item_id=ITEMS,
        title=st.none() | PLACES,
        place=st.none() | PLACES,
        audience=st.none() | AUDIENCES,
        published=st.none() | st.booleans(),
    ),
    "cancel_item": plain(c.CancelItem, item_id=ITEMS),
    "restore_item": plain(c.RestoreItem, item_id=ITEMS),
    "publish_programme": plain(c.PublishProgramme),
    "invite": plain(c.Invite),
    "choose_channel": plain(
        c.ChooseChannel, participant_id=ANYBODY, channel=st.sampled_from(["mail", "feed", "caldav"])
    ),
    "record_reply": plain(
        c.RecordReply,
        participant_id=ANYBODY,
        answer=st.sampled_from(["accepted", "declined"]),
        item_id=st.none() | ITEMS,
        sequence=st.none() | st.integers(0, 3),
        dtstamp=st.none() | st.sampled_from([datetime(2026, 3, day, 8, tzinfo=UTC) for day in (1, 9, 20)]),
        comment=st.none() | TEXTS,
        via=st.none() | st.sampled_from(["mail", "page", "coordinator"]),
    ),
    "resend_mail": plain(c.ResendMail, messages=st.just((f"<{STALE}@songlam.example>",))),
    "record_formality": plain(
        c.RecordFormality, kind=KINDS, members=st.lists(MEMBERS, unique=True, max_size=2).map(tuple)
    ),
    "hand_over": plain(c.HandOver, to=st.sampled_from(["coordinator", "coordinator-2", "department-head"])),
    "depart": plain(c.Depart),
    "conclude": plain(c.Conclude),
    "file_report": plain(c.FileReport, results=TEXTS),
    "return_report": answering(c.ReturnReport, "report_digest", report, reason=TEXTS),
    "accept_report": answering(c.AcceptReport, "report_digest", report),
    "postpone": plain(c.Postpone, reason=TEXTS),
    "resume": dated(c.Resume),
    "cancel_delegation": plain(c.CancelDelegation, reason=TEXTS),
    "close_delegation": plain(c.CloseDelegation),
    "reopen_delegation": plain(c.ReopenDelegation, reason=TEXTS),
}

OFTEN = {
    "add_member": 3,
    "withdraw_member": 3,
    "replace_member": 3,
    "appoint_participant": 2,
    "release_participant": 2,
    "schedule_item": 5,
    "move_item": 5,
    "revise_item": 5,
    "cancel_item": 2,
    "publish_programme": 5,
    "record_formality": 3,
    "revise_request": 3,
    "submit_request": 3,
    "submit_change": 3,
}
"""What people do most, and what has most to go wrong."""

ONWARD: dict[Phase, tuple[Actor, Made]] = {
    Phase.DRAFTED: (COORDINATOR, lambda state: c.SubmitRequest()),
    Phase.RETURNED: (COORDINATOR, lambda state: c.SubmitRequest()),
    Phase.SUBMITTED: (DEPARTMENT_HEAD, lambda s: c.SignOff(step_id="department_head", dossier_digest=dossier(s))),
    Phase.UNDER_APPROVAL: (VICE_PRESIDENT, lambda s: c.SignOff(step_id="vice_president", dossier_digest=dossier(s))),
    Phase.APPROVED: (COORDINATOR, lambda state: c.Invite()),
    Phase.INVITING: (COORDINATOR, lambda state: c.PublishProgramme()),
    Phase.UNDER_WAY: (COORDINATOR, lambda state: c.PublishProgramme()),
    Phase.REPORTING: (VICE_PRESIDENT, lambda state: c.AcceptReport(report_digest=report(state))),
    Phase.POSTPONED: (COORDINATOR, lambda state: c.Resume(starts=date(2026, 5, 11), ends=date(2026, 5, 17))),
    Phase.CLOSED: (COORDINATOR, lambda state: c.ReopenDelegation(reason=text())),
}


AGREED: tuple[Actor, Made] = (
    VICE_PRESIDENT,
    lambda state: c.SignOff(step_id="vice_president", dossier_digest=dossier(state)),
)
"""A change after the decision is signed."""


class Turn(NamedTuple):
    """One turn: so many minutes pass, with or without anybody waking, then somebody sends commands as one."""

    minutes: int
    awake: bool
    actor: Actor
    made: tuple[Made, ...]


ANY_ACTOR = st.sampled_from(
    [COORDINATOR, DEPARTMENT_HEAD, VICE_PRESIDENT, OTHER_COORDINATOR, AUDITOR, ADMINISTRATOR, THE_SYSTEM]
)
FEW = st.sampled_from([1, 1, 2, 3])
ANYTHING = FEW.flatmap(lambda count: st.tuples(ANY_ACTOR, st.tuples(*[st.one_of(*COMMANDS.values())] * count)))


@cache
def turns(phase: Phase) -> st.SearchStrategy[Turn]:
    """Return what may happen next: mostly what the phase allows by who may send it, sometimes anything by anybody."""
    actors = (COORDINATOR, COORDINATOR, COORDINATOR, DEPARTMENT_HEAD, VICE_PRESIDENT)
    sent = [fitting(phase, by) for by in actors if names_fitting(phase, by)]
    ahead = [ONWARD[phase]] if phase in ONWARD else []
    ahead += [AGREED] if phase in PLANNING else []
    onward = [st.tuples(st.just(by), st.tuples(st.just(made))) for by, made in ahead]
    return st.builds(
        lambda minutes, awake, sent: Turn(minutes, awake, *sent),
        st.sampled_from([0, 0, 1, 60, 60, 60 * 24, 60 * 24 * 5, 60 * 24 * 30]),
        st.booleans(),
        st.one_of(*(sent + onward * 3 + [ANYTHING])),
    )


def fitting(phase: Phase, by: Actor) -> st.SearchStrategy[tuple[Actor, tuple[Made, ...]]]:
    """Return commands that somebody may send in a phase."""
    names = names_fitting(phase, by)
    pool = st.one_of(*[COMMANDS[name] for name in names for _ in range(OFTEN.get(name, 1))])
    return FEW.flatmap(lambda count: st.tuples(st.just(by), st.tuples(*[pool] * count)))


def names_fitting(phase: Phase, by: Actor) -> list[str]:
    """Return the types of commands that somebody may send in a phase."""
    allowed = {
        kind.model_fields["type"].default
        for kind, row in TABLE.items()
        if phase in row.phases or (row.answers and phase in PLANNING)
    }
    return [name for name in COMMANDS if name in allowed and may_send(by.roles, name)]
