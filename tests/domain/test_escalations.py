"""Deadlines that are missed and still not met: who hears of it, when, and when no longer."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import commands as c
from domain import events as e
from domain.decision import Effect
from domain.rule import effective
from domain.rules import DeadlineRule, Edition
from domain.state import Phase
from tests.builders import (
    COORDINATOR,
    Said,
    drafted,
    instant,
    report_digest,
    reported,
    reporting,
    sign,
    submitted,
    text,
)
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step
from tests.domain.policed import under as under_policies
from tests.rulebook import edition

TWICE = (
    {"after": 1, "unit": "working_days", "to": "department_head"},
    {"after": 3, "unit": "working_days", "to": "president"},
)
REPORT = c.FileReport(results=text("results"))


def rule(**changes: Any) -> DeadlineRule:
    """The rule for the report that the shipped edition has today: three days after departure."""
    found = next(one for one in edition().deadlines if one.id == "IN-REPORT" and one.effective_to is None)
    return DeadlineRule.model_validate(found.model_dump(mode="json") | {"escalate": TWICE} | changes)


def under(*rules: DeadlineRule) -> Edition:
    """The shipped rules with these in the place of all other deadlines."""
    return edition().model_copy(update={"deadlines": rules})


def told(going: Given, what: str | None = None) -> list[tuple[str, str, int, datetime]]:
    """Every escalation so far, or those of one thing: what, to whom, its number, when."""
    return [
        (event.data["what"], event.data["to"], event.data["level"], event.instant)
        for event in going.play.events
        if event.type == "DeadlineEscalated" and what in (None, event.data["what"])
    ]


def test_two_positions_hear_of_a_report_that_stays_undone() -> None:
    """Due on Wednesday 15 April: on Thursday and, three working days after, on Monday the 20th, at 08:00."""
    going = given(*reporting(), rules=under(rule())).wait("2026-05-30T00:00")
    assert told(going) == [
        ("report", "department_head", 1, instant("2026-04-16T08:00")),
        ("report", "president", 2, instant("2026-04-20T08:00")),
    ]
    report = going.state.deadlines["report"]
    assert (report.status, report.escalations, report.to_escalate) == ("missed", 2, ())
    assert going.state.next_wake is None


def test_working_days_pass_over_holidays_and_days_do_not() -> None:
    """Due on Sunday 26 April 2026; the 27th, 30 April and 1 May are no working days."""
    late = given(*reporting(), rules=under(rule(offset=14))).wait("2026-05-30T00:00")
    assert [at for *_, at in told(late)] == [instant("2026-04-28T08:00"), instant("2026-05-04T08:00")]
    days = ({"after": 1, "unit": "days", "to": "department_head"}, {"after": 3, "unit": "days", "to": "president"})
    late = given(*reporting(), rules=under(rule(offset=14, escalate=days))).wait("2026-05-30T00:00")
    assert [at for *_, at in told(late)] == [instant("2026-04-27T08:00"), instant("2026-04-29T08:00")]


def test_what_is_done_in_time_escalates_to_nobody() -> None:
    """A report filed on the day before."""
    assert told(given(*reported(), rules=under(rule())).wait("2026-05-30T00:00"), "report") == []


def test_once_it_is_done_nobody_else_hears_of_it() -> None:
    """Filed after the first notice: late, and the president is left in peace."""
    going = given(*reporting(), rules=under(rule())).wait("2026-04-17T09:00")
    going.further(Said(REPORT, COORDINATOR, "2026-04-17T10:00")).wait("2026-05-30T00:00")
    assert [to for _, to, *_ in told(going, "report")] == ["department_head"]
    assert (going.state.deadlines["report"].status, going.state.next_wake) == ("late", None)


def test_who_was_to_be_told_and_no_longer_has_to_is_not_written_to() -> None:
    """After a long sleep the report itself wakes the file: the events stand, no mail goes out for them."""
    woken = given(*reporting(), rules=under(rule())).when(REPORT, at="2026-04-21T10:00").accepted()
    kinds = [event.type for event in woken.events if event.type.startswith("Deadline")]
    assert kinds == ["DeadlineMissed", "DeadlineEscalated", "DeadlineEscalated", "DeadlineMet", "DeadlineSet"]
    assert [one.args["notice"] for one in woken.effects if one.kind == "send_notice"] == [
        "deadline_missed",
        "report_waits",
    ]


def test_each_escalation_is_a_notice_of_its_own() -> None:
    """The effect names what is late; the event behind it says to whom."""
    woken = given(*reporting(), rules=under(rule())).when(c.Tick(), at="2026-04-21T10:00").accepted()
    notices = [one for one in woken.effects if one.args.get("notice") == "deadline_escalated"]
    first, second = woken.of(e.DeadlineEscalated)
    assert (first.to, second.to) == ("department_head", "president")
    seqs = [one.seq for one in notices]
    assert notices == [
        Effect(
            key=f"told:report:2026-04-15:{level}:{seq}",
            kind="send_notice",
            seq=seq,
            args={"notice": "deadline_escalated", "what": "report"},
        )
        for level, seq in zip((1, 2), seqs, strict=True)
    ]


def test_what_could_only_be_late_escalates_from_its_due_date_on() -> None:
    """Concluded a week late, the report was due before it could be asked for: missed at once, and told at once."""
    earlier = rule(anchor="departure", offset=0)
    going = given(*reporting()[:-1], rules=under(earlier))
    going.further(Said(c.Conclude(), COORDINATOR, "2026-04-12T20:00")).wait("2026-04-14T09:00")
    assert [to for _, to, *_ in told(going)] == ["department_head"]
    proposal = rule(anchor="arrival", side="before", offset=60, satisfied_by="submitted", what="proposal")
    known = given(rules=under(proposal)).further(*reporting()[:1])
    assert known.state.deadlines["proposal"].status == "missed"
    assert known.wait("2026-03-30T00:00").state.deadlines["proposal"].escalations == 2


def test_while_nothing_is_due_nobody_is_told() -> None:
    """Put off after it was missed; taken up with other dates, it is due anew and escalates anew."""
    proposal = rule(anchor="arrival", side="before", offset=30, satisfied_by="submitted", what="proposal")
    going = given(*reporting()[:6], rules=under(proposal)).wait("2026-03-08T09:00")
    assert going.state.deadlines["proposal"].status == "missed"
    going.further(Said(c.Postpone(reason=text()), COORDINATOR, "2026-03-08T10:00"))
    assert (going.state.phase, going.state.next_wake) == (Phase.POSTPONED, None)
    going.further(Said(c.Resume.model_validate({"starts": "2026-06-01", "ends": "2026-06-07"}), COORDINATOR))
    going.wait("2026-05-30T00:00")
    assert [(to, at) for _, to, _, at in told(going)] == [
        ("department_head", instant("2026-05-04T08:00")),
        ("president", instant("2026-05-06T08:00")),
    ]


def test_what_is_no_longer_asked_for_is_told_to_nobody() -> None:
    """Missed, then newer rules no longer know it: it is lifted, with the escalations to come."""
    proposal = rule(anchor="arrival", side="before", offset=30, satisfied_by="submitted", what="proposal")
    going = given(*reporting()[:6], rules=under(proposal), newest=under()).wait("2026-03-08T09:00")
    going.when(c.AdoptRules()).then(e.RulesAdopted, e.DeadlineLifted(what="proposal"))
    assert told(going.wait("2026-05-30T00:00")) == []


LEVELS = ({"after": 1, "to": "chair"}, {"after": 3, "to": "president"})
STEPS = under_policies(policy(step("head", escalate_to="chair", escalate=LEVELS), step("chair")))


def test_a_step_that_nobody_answers_is_told_further_until_somebody_does() -> None:
    """Due on Monday 2 March: on that day, then one and three working days after it, at 08:00; nothing is signed."""
    going = given(*submitted(), rules=STEPS)
    going.wait("2026-03-04T12:00")
    escalated = [(one.type, one.data["to"]) for one in going.play.events if one.type.endswith("Escalated")]
    assert escalated == [("StepEscalated", "chair"), ("DeadlineEscalated", "chair")]
    assert told(going) == [("step.head.1", "chair", 1, instant("2026-03-03T08:00"))]
    late = given(*submitted(), rules=STEPS).wait("2026-05-30T00:00")
    assert told(late)[1:] == [("step.head.1", "president", 2, instant("2026-03-05T08:00"))]
    assert (late.state.next_wake, [one.status for one in late.state.open_steps]) == (None, ["open"])
    going.further(sign("head", holding("head"), "2026-03-04T13:00")).wait("2026-03-06T12:00")
    assert [to for what, to, *_ in told(going) if what == "step.head.1"] == ["chair"]


REVIEW = {"matter": "final_report", "id": "REVIEW", "version": 7}
ACCEPTING = under_policies(
    policy(step("head")),
    policy(step("chair", remind_before=(1, 0), escalate_to="president", escalate=LEVELS), **REVIEW),
)
WAITING = (*drafted(), c.SubmitRequest(), sign("head", holding("head")), *reporting()[-4:], REPORT)


def test_a_report_is_to_be_accepted_in_time_like_any_step() -> None:
    """Filed on Sunday 12 April: due on Wednesday, by its policy; reminded of, missed, told to three; it still waits."""
    going = given(*WAITING, rules=ACCEPTING)
    due = going.state.deadlines["step.report.1"]
    assert (due.due_on.isoformat(), due.rule, due.status) == ("2026-04-15", e.RuleRef(rule="REVIEW", version=7), "open")
    going.wait("2026-05-30T00:00")
    kinds = [(one.type, one.data.get("to")) for one in going.play.events if one.data.get("what") == "step.report.1"]
    assert kinds == [
        ("DeadlineSet", None),
        ("DeadlineReminded", None),
        ("DeadlineReminded", None),
        ("DeadlineMissed", None),
        ("DeadlineEscalated", "president"),
        ("DeadlineEscalated", "chair"),
        ("DeadlineEscalated", "president"),
    ]
    assert [one.data["what"] for one in going.play.events if one.type == "StepEscalated"] == []
    assert going.state.report is not None
    assert going.state.report.status == "filed"


def test_an_answered_report_is_due_no_more_and_the_next_one_is_due_anew() -> None:
    """Returned in time, that was the answer; the corrected one has its own three days."""
    going = given(*WAITING, rules=ACCEPTING)
    back = c.ReturnReport(report_digest=report_digest(going.state), reason=text())
    going.further(Said(back, holding("chair"), "2026-04-14T09:00"), Said(REPORT, COORDINATOR, "2026-04-20T09:00"))
    found = {what: (one.status, str(one.due_on)) for what, one in going.state.deadlines.items() if "report." in what}
    assert found == {"step.report.1": ("met", "2026-04-15"), "step.report.2": ("open", "2026-04-23")}
    accepted = c.AcceptReport(report_digest=report_digest(going.state))
    going.further(Said(accepted, holding("chair"), "2026-04-24T09:00"))
    assert going.state.deadlines["step.report.2"].status == "late"


@pytest.mark.parametrize("sealed", [True, False], ids=["with its policy", "by the last signer of the chain"])
def test_a_report_that_waits_since_before_gets_its_day_with_the_next_decision(sealed: bool) -> None:
    """As files that were filed before it was enforced: known late where it has passed, and told further at once."""
    going = given(*WAITING, rules=ACCEPTING)
    report = going.state.report
    assert report is not None
    old = report.model_copy(update={"chain": None} | ({} if sealed else {"review": None}))
    deadlines = {what: one for what, one in going.state.deadlines.items() if what != "step.report.1"}
    going.play.state = going.state.model_copy(update={"report": old, "deadlines": deadlines})
    woken = going.when(c.Tick(), at="2026-04-28T09:00")
    [missed] = woken.of(e.DeadlineMissed)
    rule = e.RuleRef(rule="REVIEW", version=7) if sealed else e.RuleRef(rule="POLICY", version=1)
    assert (missed.what, missed.known_late, missed.rule) == ("step.report.1", True, rule)
    going.wait("2026-04-28T09:01")
    assert [to for _, to, *_ in told(going)] == (["president", "chair", "president"] if sealed else [])


def test_every_shipped_step_goes_up_more_than_once_and_never_only_to_itself() -> None:
    """By the rules in force from 2026 on; those from before stay as they were."""
    policies = effective(edition().approvals, date(2026, 1, 1))
    assert {one.id for one in policies} == {one.id for one in edition().approvals}
    for one in policies:
        assert one.version == 2
        for each in one.steps:
            further = {up.to for up in each.escalate} | {each.escalate_to}
            assert (len(each.escalate), each.escalate_to in (None, *each.positions)) == (2, False), (one.id, each.id)
            assert further - set(each.positions), (one.id, each.id)
    before = effective(edition().approvals, date(2025, 12, 31))
    assert {(one.id, one.version) for one in before} == {(one.id, 1) for one in policies}
    assert not any(each.escalate for one in before for each in one.steps)


@pytest.mark.parametrize(
    "escalate",
    [
        [{"after": 3, "to": "president"}, {"after": 1, "to": "department_head"}],
        [{"after": 1, "to": "president"}, {"after": 1, "to": "department_head"}],
        [
            {"after": 1, "unit": "days", "to": "president"},
            {"after": 2, "unit": "working_days", "to": "department_head"},
        ],
        [{"after": 0, "to": "president"}],
    ],
)
def test_a_rule_escalates_in_order_and_never_on_the_due_date(escalate: list[dict[str, Any]]) -> None:
    """Out of order, twice on one day, in mixed units, or before it is missed: refused when the rule is read."""
    with pytest.raises(ValidationError):
        rule(escalate=escalate)
    with pytest.raises(ValidationError):
        policy(step("head", escalate=escalate))


WAKES = st.lists(st.integers(1, 60 * 24), max_size=12)


@settings(max_examples=25)
@for_all(
    after=st.lists(st.integers(1, 30), unique=True, min_size=1, max_size=5).map(sorted),
    unit=st.sampled_from(["days", "working_days"]),
    hours=WAKES,
    filed=st.integers(0, 60 * 24),
)
def test_escalations_fire_once_each_in_order_and_never_after_it_is_met(
    after: list[int], unit: str, hours: list[int], filed: int
) -> None:
    """However often and however late the file is woken, and whenever the report comes."""
    plan = [{"after": each, "unit": unit, "to": f"position_{each}"} for each in after]
    going = given(*reporting(), rules=under(rule(escalate=plan)))
    start = going.now
    for minutes in sorted({*hours, filed}):
        at = datetime.fromtimestamp(start.timestamp() + minutes * 3600, tz=start.tzinfo)
        if minutes == filed:
            going.play.send("filed", COORDINATOR, (REPORT.model_dump(mode="json"),), at)
        else:
            going.play.decide("tick", COORDINATOR, ({"type": "tick"},), at)
    events = going.play.events
    escalated = [one for one in events if one.type == "DeadlineEscalated" and one.data["what"] == "report"]
    assert [event.data["level"] for event in escalated] == list(range(1, len(escalated) + 1))
    assert [event.data["to"] for event in escalated] == [one["to"] for one in plan[: len(escalated)]]
    met = next(event.seq for event in events if event.type == "DeadlineMet" and event.data["what"] == "report")
    assert [event.seq for event in escalated if event.seq > met] == []
