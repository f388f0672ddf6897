"""Deadlines as facts: set with their rule, moved, met, reminded of, missed; never set into the past of their cause."""

from datetime import date

import pytest

from domain import commands as c
from domain import events as e
from domain.rules import DeadlineRule, Edition
from tests.builders import (
    DEPARTMENT_HEAD,
    FINANCE,
    VICE_PRESIDENT,
    Said,
    accept_report,
    approved,
    drafted,
    instant,
    invited,
    member,
    opening,
    reporting,
    sign,
    submitted,
    text,
    trip,
)
from tests.domain.given import Given, Then, given
from tests.rulebook import edition


def days(going: Given | Then) -> dict[str, tuple[str, str]]:
    """What is due when, and how it stands."""
    return {what: (one.due_on.isoformat(), one.status) for what, one in going.state.deadlines.items()}


def changed(what: str, **said: object) -> Edition:
    """The shipped rules with another number for one thing."""
    rules = tuple(
        DeadlineRule.model_validate({**rule.model_dump(), "version": 2, **said}) if rule.what == what else rule
        for rule in edition().deadlines
    )
    return edition().model_copy(update={"deadlines": rules})


def test_opening_sets_what_is_known_from_the_dates() -> None:
    """Arrival on Monday 6 April, departure on Sunday the 12th (domain.md, Deadlines)."""
    assert days(given(opening())) == {
        "proposal": ("2026-03-27", "open"),
        "guest_data": ("2026-04-01", "open"),
        "notice_police": ("2026-04-02", "open"),
        "notice_department": ("2026-04-02", "open"),
        "report": ("2026-04-15", "open"),
    }


def test_a_deadline_says_its_rule_and_how_it_was_counted() -> None:
    """The end of the business day, the reminders at 08:00, the rule with its version, the anchor and the offset."""
    (found,) = (one for one in given().when(opening()).of(e.DeadlineSet) if one.what == "notice_police")
    assert found == e.DeadlineSet(
        what="notice_police",
        due_on=date(2026, 4, 2),
        due_at=instant("2026-04-02T23:59").replace(second=59),
        remind_at=(instant("2026-03-30T08:00"), instant("2026-04-01T08:00")),
        rule=e.RuleRef(rule="IN-NOTICE-POLICE", version=1),
        calculation=e.Calculation(
            anchor="arrival",
            anchor_on=date(2026, 4, 6),
            offset=4,
            unit="days",
            side="before",
            holiday_table="VN 2024-2036",
        ),
    )


def test_working_days_name_the_days_they_passed_over() -> None:
    """NA2 requested on Thursday 12 March, five working days: the weekend is skipped."""
    papers = member("carter", entry_papers=True)
    asked = c.RecordFormality(kind="entry_papers_requested", members=("carter",))
    (found,) = given(opening(), papers).when(asked, at="2026-03-12T09:00").of(e.DeadlineSet)
    assert found.calculation.skipped == ("2026-03-14 weekend", "2026-03-15 weekend")
    assert (found.what, found.due_on, found.rule.rule) == ("entry_papers", date(2026, 3, 19), "IN-ENTRY-PAPERS")


def test_entry_papers_bring_the_proposal_forward_and_their_end_puts_it_back() -> None:
    """30 days before arrival instead of 10, while somebody needs them."""
    going = given(opening())
    going.further(member("carter", entry_papers=True))
    assert days(going)["proposal"] == ("2026-03-07", "open")
    going.further(c.WithdrawMember(member_id="carter"))
    assert days(going)["proposal"] == ("2026-03-27", "open")


def test_another_day_of_arrival_moves_what_counts_from_it() -> None:
    """A week later, all but the things counted from other days."""
    done = given(*drafted()).when(c.ReviseRequest(starts=date(2026, 4, 13), ends=date(2026, 4, 19)))
    assert days(done) == {
        "proposal": ("2026-04-03", "open"),
        "guest_data": ("2026-04-08", "open"),
        "notice_police": ("2026-04-09", "open"),
        "notice_department": ("2026-04-09", "open"),
        "report": ("2026-04-22", "open"),
    }


def test_what_had_passed_before_it_could_be_set_is_known_late_and_never_set() -> None:
    """Opened on 1 April for the 6th: the proposal is late from the first moment, and is said to be."""
    done = given().when(opening(), at="2026-04-01T09:00")
    assert [(one.what, one.due_on, one.known_late) for one in done.of(e.DeadlineMissed)] == [
        ("proposal", date(2026, 3, 27), True)
    ]
    assert "proposal" not in {one.what for one in done.of(e.DeadlineSet)}
    assert [effect.args["what"] for effect in done.effects] == ["proposal"]
    assert days(done)["proposal"] == ("2026-03-27", "missed")


def test_reminders_that_had_passed_are_not_made_up_for() -> None:
    """Of three days and one day before, only the second is still ahead."""
    done = given().when(opening(), at="2026-03-31T09:00")
    (police,) = (one for one in done.of(e.DeadlineSet) if one.what == "notice_police")
    assert police.remind_at == (instant("2026-04-01T08:00"),)


def test_what_is_done_in_time_is_met() -> None:
    """And is not asked for again."""
    done = given(*invited()).when(c.RecordFormality(kind="police_notified"), at="2026-04-02T23:59")
    assert e.DeadlineMet(what="notice_police") in done.events
    assert days(done)["notice_police"] == ("2026-04-02", "met")


def test_what_is_done_after_the_day_was_missed_first() -> None:
    """In the same decision: the miss is recorded before what came too late."""
    going = given(*invited())
    done = going.when(c.RecordFormality(kind="police_notified"), at="2026-04-03T00:00")
    types = [event.type for event in done.events if getattr(event, "what", None) == "notice_police"]
    assert types == ["DeadlineMissed", "DeadlineMet"]
    assert [event.type for event in done.events].index("FormalityRecorded") > 0
    assert days(done)["notice_police"] == ("2026-04-02", "late")


def test_what_time_brought_is_recorded_by_the_system() -> None:
    """Whoever sends the command that finds it."""
    done = given(*invited()).when(c.RecordFormality(kind="police_notified"), at="2026-04-03T00:00")
    sealed = done.given.play.log[-1].events
    assert {event.actor for event in sealed if event.type == "DeadlineMissed"} == {"system"}
    assert {event.actor for event in sealed if event.type == "FormalityRecorded"} == {"coordinator"}


def test_the_last_second_of_the_day_is_still_in_time() -> None:
    """A tick at 23:59:59 finds it missed; a minute before nothing has happened."""
    going = given(*invited(), c.RecordFormality(kind="guest_data_sent"), c.RecordFormality(kind="department_notified"))
    assert e.DeadlineMissed not in {type(event) for event in going.when(c.Tick(), at="2026-04-02T23:59").events}
    going.wait("2026-04-03T00:00")
    assert days(going)["notice_police"] == ("2026-04-02", "missed")


def test_each_wake_brings_what_is_due_then_and_names_the_next() -> None:
    """One loop for all: reminder, reminder, miss; then the next thing."""
    going = given(opening())
    woken = []
    while going.state.next_wake and going.state.next_wake <= instant("2026-04-01T08:00"):
        wake = going.state.next_wake
        going.play.wait(wake)
        woken.append([event.type + ":" + event.data["what"] for event in going.play.log[-1].events])
    assert woken == [
        ["DeadlineReminded:proposal"],
        ["DeadlineReminded:proposal"],
        ["DeadlineMissed:proposal"],
        ["DeadlineReminded:guest_data"],
        ["DeadlineReminded:notice_department", "DeadlineReminded:notice_police"],
        ["DeadlineReminded:guest_data"],
        ["DeadlineReminded:notice_department", "DeadlineReminded:notice_police"],
    ]


def test_a_long_sleep_is_caught_up_in_one_decision() -> None:
    """Asleep until 1 April noon: what passed is missed without a reminder; of the rest there is one notice each."""
    going = given(opening())
    done = going.when(c.Tick(), at="2026-04-01T12:00")
    assert [event.type + ":" + getattr(event, "what", "") for event in done.events] == [
        "DeadlineMissed:proposal",
        "DeadlineReminded:guest_data",
        "DeadlineReminded:guest_data",
        "DeadlineReminded:notice_department",
        "DeadlineReminded:notice_department",
        "DeadlineReminded:notice_police",
        "DeadlineReminded:notice_police",
    ]
    assert [effect.args["what"] for effect in done.effects] == [
        "proposal",
        "guest_data",
        "notice_department",
        "notice_police",
    ]
    assert going.when(c.Tick(), at="2026-04-01T12:00").events == ()


def test_a_tick_too_early_brings_nothing() -> None:
    """Nor does the same one twice."""
    assert given(opening()).when(c.Tick(), at="2026-03-01T09:00").events == ()


def test_what_no_longer_concerns_the_file_is_lifted() -> None:
    """Nobody needs entry papers any more."""
    papers = (member("carter", entry_papers=True), c.RecordFormality(kind="entry_papers_requested"))
    going = given(opening(), *papers)
    assert "entry_papers" in days(going)
    done = going.when(c.WithdrawMember(member_id="carter"))
    assert e.DeadlineLifted(what="entry_papers") in done.events
    assert "entry_papers" not in days(done)


def test_while_a_file_rests_nothing_is_due() -> None:
    """Postponed, rejected, cancelled: open deadlines are lifted, what was met or missed stays a fact."""
    going = given(*invited(), c.RecordFormality(kind="police_notified"))
    for command in (c.Postpone(reason=text()), c.CancelDelegation(reason=text())):
        done = going.when(command)
        assert {event.what for event in done.of(e.DeadlineLifted)} == {"guest_data", "notice_department", "report"}
        going = given(*invited(), c.RecordFormality(kind="police_notified"))


def test_a_reminder_that_came_due_with_the_cancellation_is_recorded_and_not_sent() -> None:
    """Time is recorded first, then the deadline is lifted: nobody is reminded of what was called off."""
    done = given(*invited()).when(c.CancelDelegation(reason=text()), at="2026-03-30T09:00")
    assert e.DeadlineReminded(what="notice_police", due_on=date(2026, 4, 2)) in done.events
    assert [effect.key for effect in done.effects if effect.kind == "send_notice"] == []


@pytest.mark.parametrize(
    ("when", "due_on", "skipped"),
    [
        ("2026-02-25T16:30", "2026-03-02", ("2026-02-28 weekend", "2026-03-01 weekend")),
        ("2026-03-02T08:00", "2026-03-05", ()),
        ("2026-02-27T23:30", "2026-03-04", ("2026-02-28 weekend", "2026-03-01 weekend")),
    ],
)
def test_a_desk_has_three_working_days(when: str, due_on: str, skipped: tuple[str, ...]) -> None:
    """Counted from the day on which it is its turn, that day not counted."""
    done = given(*drafted()).when(c.SubmitRequest(), at=when)
    (step,) = (one for one in done.of(e.DeadlineSet) if one.what == "step.department_head.1")
    assert (step.due_on.isoformat(), step.calculation.skipped) == (due_on, skipped)
    assert (step.rule, step.calculation.anchor) == (e.RuleRef(rule="IN-APPROVAL", version=2), "step_opened")


def test_tet_is_no_time_to_sign() -> None:
    """Submitted on Thursday 12 February 2026: the week of Tết does not count, the third working day is the 24th."""
    history = (Said(opening(), None, "2026-02-10T09:00"), member())
    done = given(*history).when(c.SubmitRequest(), at="2026-02-12T09:00")
    (step,) = (one for one in done.of(e.DeadlineSet) if one.what == "step.department_head.1")
    assert step.due_on == date(2026, 2, 24)
    assert step.calculation.skipped == (
        "2026-02-14 weekend",
        "2026-02-15 weekend",
        "2026-02-16 holiday",
        "2026-02-17 holiday",
        "2026-02-18 holiday",
        "2026-02-19 holiday",
        "2026-02-20 holiday",
        "2026-02-21 weekend",
        "2026-02-22 weekend",
    )


def test_each_desk_has_its_own_days_from_its_turn_on() -> None:
    """Signed on Thursday the 26th, the next desk has until Tuesday; its own signature meets it."""
    going = given(*submitted())
    done = going.when(sign("department_head", DEPARTMENT_HEAD), at="2026-02-26T09:00")
    assert days(done)["step.department_head.1"] == ("2026-03-02", "met")
    assert days(done)["step.vice_president.1"] == ("2026-03-03", "open")
    assert days(going.when(sign("vice_president", VICE_PRESIDENT)))["step.vice_president.1"] == ("2026-03-03", "met")


def test_a_desk_that_signs_too_late_is_late() -> None:
    """Missed, then met."""
    done = given(*submitted()).when(sign("department_head", DEPARTMENT_HEAD), at="2026-03-03T09:00")
    assert days(done)["step.department_head.1"] == ("2026-03-02", "late")


def test_a_proposal_taken_back_takes_its_desks_deadline_along() -> None:
    """The desk has nothing to sign any more; of the next proposal it has days anew."""
    going = given(*submitted(), Said(c.WithdrawRequest(reason=text()), None, "2026-02-26T09:00"))
    assert "step.department_head.1" not in days(going)
    done = going.when(c.SubmitRequest(), at="2026-03-02T09:00")
    assert days(done)["step.department_head.2"] == ("2026-03-05", "open")


def test_a_second_proposal_is_appraised_within_its_own_three_days() -> None:
    """What was met for the first proposal is open again for the second, until it is met again."""
    going = given(*submitted())
    assert days(going)["appraisal"] == ("2026-02-28", "open")
    going.further(Said(c.WithdrawRequest(reason=text()), None, "2026-02-26T09:00"))
    going.further(Said(c.SubmitRequest(), None, "2026-03-02T09:00"))
    assert days(going)["appraisal"] == ("2026-03-05", "open")
    assert days(going.when(sign("department_head", DEPARTMENT_HEAD)))["appraisal"] == ("2026-03-05", "met")


def test_what_is_met_and_moved_in_one_decision_is_met_and_not_missed_later() -> None:
    """The first day is brought forward so far that the proposal's day has passed, and it is submitted at once."""
    forward = c.ReviseRequest(starts=date(2026, 3, 1))
    done = given(*drafted()).when(forward, c.SubmitRequest(), at="2026-02-25T10:00")
    assert days(done)["proposal"] == ("2026-03-27", "met")


def test_a_missed_day_that_moves_into_the_future_is_open_again() -> None:
    """Other dates, other days; the miss stays in the trail."""
    going = given(opening(), member()).wait("2026-03-28T09:00")
    assert days(going)["proposal"] == ("2026-03-27", "missed")
    done = going.when(c.ReviseRequest(starts=date(2026, 5, 4), ends=date(2026, 5, 10)))
    assert days(done)["proposal"] == ("2026-04-24", "open")


def test_the_report_is_due_three_days_after_the_last_day() -> None:
    """Filed on the 15th it is in time, on the 16th it is late."""
    filed = c.FileReport(results=text())
    assert days(given(*reporting()).when(filed, at="2026-04-15T10:00"))["report"] == ("2026-04-15", "met")
    assert days(given(*reporting()).when(filed, at="2026-04-16T10:00"))["report"] == ("2026-04-15", "late")


def test_a_missed_deadline_is_told_once_and_under_a_name_of_its_own() -> None:
    """By rule, thing and day; a second tick says nothing."""
    going = given(*invited())
    done = going.when(c.Tick(), at="2026-04-16T09:00")
    missed = [effect for effect in done.effects if effect.args.get("notice") == "deadline_missed"]
    assert [effect.args["what"] for effect in missed] == ["guest_data", "notice_department", "notice_police", "report"]
    assert len({effect.key for effect in missed}) == 4
    assert going.when(c.Tick(), at="2026-04-17T09:00").effects == ()


def test_reminders_of_a_deadline_that_moved_have_names_of_their_own() -> None:
    """Otherwise the second one would be taken for the first, and never be sent."""
    going = given(opening()).wait("2026-03-21T09:00")
    going.further(c.ReviseRequest(starts=date(2026, 4, 13), ends=date(2026, 4, 19)))
    going.wait("2026-04-02T00:00")
    keys = [effect.key for one in going.play.log for effect in one.decision.effects if "proposal" in effect.key]
    assert len(keys) == len(set(keys)) == 3


def test_an_adopted_edition_moves_what_it_counts_otherwise_and_names_its_rule() -> None:
    """Notice to the police six days before instead of four; the others stay as they are."""
    newest = changed("notice_police", offset=6)
    going = given(*drafted(), newest=newest)
    assert days(going)["notice_police"] == ("2026-04-02", "open")
    done = going.when(c.AdoptRules())
    assert [(one.what, one.due_on, one.rule.version) for one in done.of(e.DeadlineSet)] == [
        ("notice_police", date(2026, 3, 31), 2)
    ]


def test_an_edition_that_nobody_adopted_changes_nothing() -> None:
    """Open files keep the rules they were opened under."""
    going = given(*drafted(), newest=changed("notice_police", offset=6))
    assert going.when(member("kato")).of(e.DeadlineSet) == ()


def test_a_rule_in_force_since_the_adoption_applies_and_one_of_the_opening_no_longer() -> None:
    """Adopting puts a file under the rules of that day, not of the day it was opened."""
    old = next(rule for rule in edition().deadlines if rule.what == "notice_police")
    ends = old.model_copy(update={"effective_to": date(2026, 2, 28)})
    begins = old.model_copy(update={"version": 2, "offset": 6, "effective_from": date(2026, 3, 1)})
    rules = (*(rule for rule in edition().deadlines if rule is not old), ends, begins)
    newest = edition().model_copy(update={"deadlines": rules})
    going = given(*drafted(), newest=newest)
    assert days(going.when(c.AdoptRules(), at="2026-02-27T09:00"))["notice_police"] == ("2026-04-02", "open")
    going = given(*drafted(), newest=newest)
    assert days(going.when(c.AdoptRules(), at="2026-03-02T09:00"))["notice_police"] == ("2026-03-31", "open")


def test_a_file_is_adopted_and_submitted_under_the_new_rules_in_one_go() -> None:
    """The later command of a batch stands under what the earlier one adopted."""
    limits = tuple(
        rule.model_copy(update={"allowed": 1, "version": 2}) if rule.id == "OUT-MEMBERS" else rule
        for rule in edition().limits
    )
    newest = edition().model_copy(update={"limits": limits})
    going = given(trip(), member("ito"), member("kato"), newest=newest)
    going.when(c.AdoptRules(), c.SubmitRequest()).then_refused("limit_unjustified", index=1, allowed=1)
    going.when(c.SubmitRequest()).accepted()


def test_a_trip_has_its_own_deadlines_by_its_issuer() -> None:
    """10 days for the report where no issuer is named, 7 and 15 by two of them (domain.md [12] to [14])."""
    due = {
        issuer: days(given(trip(issuer=issuer)))["report"][0]
        for issuer in (None, "international_office", "education_ministry")
    }
    assert due == {None: "2026-07-02", "international_office": "2026-06-29", "education_ministry": "2026-07-07"}


def test_finance_has_its_turn_after_the_department_on_a_trip() -> None:
    """The chain of a trip has three desks."""
    history = (
        Said(trip(), None, "2026-04-13T09:00"),
        member(),
        c.SubmitRequest(),
        sign("department_head", DEPARTMENT_HEAD, "2026-04-16T09:00"),
    )
    going = given(*history)
    assert days(going)["step.finance.1"] == ("2026-04-21", "open")
    assert days(going.when(sign("finance", FINANCE)))["step.president.1"][1] == "open"


def test_an_approved_and_reported_delegation_owes_nothing() -> None:
    """Everything met, and nothing left open but what nobody did."""
    done = (
        *approved(),
        c.RecordFormality(kind="police_notified"),
        c.RecordFormality(kind="department_notified"),
        c.RecordFormality(kind="guest_data_sent"),
        Said(c.Depart(), None, "2026-04-06T10:00"),
        Said(c.Conclude(), None, "2026-04-12T20:00"),
        Said(c.FileReport(results=text()), None, "2026-04-14T09:00"),
        accept_report(),
    )
    assert {status for _, status in days(given(*done)).values()} == {"met"}
