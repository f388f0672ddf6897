"""The shipped scenarios, played against the decider alone at exactly their own dates: the figures of domain.md."""

from datetime import date
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from domain.deadlines import standing
from domain.evolve import fold
from domain.formalities import fulfilled
from domain.seal import genesis, verify_chain
from domain.state import Delegation, Phase
from domain.values import business_date
from scenariofile import load_scenario
from tests.domain.player import Play, play
from tests.rulebook import edition

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
FILES = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


@cache
def played(name: str) -> Play:
    """A scenario, played once for a test process."""
    return play(load_scenario(SCENARIOS / f"{name}.yaml"), edition())


def visit() -> Play:
    """Scenario A."""
    return played("inbound-study-visit")


def trip() -> Play:
    """Scenario B."""
    return played("outbound-two-countries")


def ended(going: Play) -> Delegation:
    """The delegation after its last step."""
    assert going.state is not None
    return going.state


def calendars_reached(going: Play) -> dict[str, int]:
    """How many people heard something at each step that reached calendars."""
    return {
        one.step: len({who for event in one.events if event.type == "InvitationsIssued" for who in _told(event.data)})
        for one in going.log
        if any(event.type == "InvitationsIssued" for event in one.events)
    }


def _told(data: dict[str, list[dict[str, list[str]]]]) -> set[str]:
    return {who for message in data["messages"] for who in message["to"]}


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_ends_with_a_closed_file_and_an_unbroken_trail(name: str) -> None:
    """Every step comes to what its file expects, the chain holds, and the fold of the trail is the state."""
    going = played(name)
    assert verify_chain(genesis(going.delegation), going.events) == going.head
    assert fold(going.events) == ended(going)
    assert ended(going).phase is Phase.CLOSED
    assert ended(going).next_wake is None


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_gives_the_same_trail_each_time(name: str) -> None:
    """Nothing in a decision comes from a clock or from chance."""
    assert play(load_scenario(SCENARIOS / f"{name}.yaml"), edition()).head == played(name).head


def test_scenario_a_reaches_20_then_16_calendars_then_one_person() -> None:
    """12 delegates, 5 hosts, 2 escorts, 1 coordinator; then 12 + 1 + 2 + 1; then delegate 9 alone."""
    assert calendars_reached(visit()) == {"invitations": 20, "programme-change": 16, "drop-out": 1}


def test_scenario_a_invites_delegates_to_exactly_the_fourteen_published_sessions() -> None:
    """The pre-meetings, flights and hotels are nobody's calendar entry; every message counts from 0."""
    (issued,) = (event.data for event in visit().at_step("invitations").events if event.type == "InvitationsIssued")
    heard = [message["item_id"] for message in issued["messages"] if "delegate-9" in message["to"]]
    assert len(heard) == len(set(heard)) == 14
    assert {(message["method"], message["sequence"]) for message in issued["messages"]} == {("REQUEST", 0)}
    assert not [item for item in heard if item.startswith(("pre-meeting", "flight", "hotel", "drive"))]


def test_scenario_a_moves_the_forum_for_those_who_attend_it_alone() -> None:
    """Sat 11 Apr 09:00 becomes 14:30, that is 07:30Z; one host hears of it, the four others nothing."""
    (issued,) = (
        event.data for event in visit().at_step("programme-change").events if event.type == "InvitationsIssued"
    )
    (message,) = issued["messages"]
    assert (message["item_id"], message["method"], message["sequence"]) == ("hcmc-forum", "REQUEST", 1)
    assert message["view"]["starts"] == {
        "local": "2026-04-11T14:30",
        "zone": "Asia/Ho_Chi_Minh",
        "instant": "2026-04-11T07:30:00.000000Z",
    }
    assert [who for who in message["to"] if who.startswith("host")] == ["host-hcmc"]


def test_scenario_a_cancels_fourteen_sessions_for_the_one_who_drops_out() -> None:
    """14 cancellations to that person alone; the forum, changed once before, counts one higher."""
    (issued,) = (event.data for event in visit().at_step("drop-out").events if event.type == "InvitationsIssued")
    assert {(message["method"], *message["to"]) for message in issued["messages"]} == {("CANCEL", "delegate-9")}
    counted = {message["item_id"]: message["sequence"] for message in issued["messages"]}
    assert len(counted) == 14
    assert {item for item, sequence in counted.items() if sequence == 2} == {"hcmc-forum"}
    assert {sequence for item, sequence in counted.items() if item != "hcmc-forum"} == {1}


def test_scenario_a_lowers_the_ceiling_with_the_head_count() -> None:
    """12 people 67.2 m + 133.8 m; after the drop-out 11 people 61.6 m + 123.0 m; flowers nothing."""
    set_ = [event for event in visit().events if event.type == "CeilingSet"]
    assert [(event.data["head_count"], event.data["total_vnd"]) for event in set_] == [
        (12, 201_000_000),
        (11, 184_600_000),
    ]
    amounts = [{line["what"]: line["amount_vnd"] for line in event.data["lines"]} for event in set_]
    assert amounts == [
        {"meals": 67_200_000, "lodging_heads": 15_000_000, "lodging_members": 118_800_000, "flowers": 0},
        {"meals": 61_600_000, "lodging_heads": 15_000_000, "lodging_members": 108_000_000, "flowers": 0},
    ]
    assert ended(visit()).head_count == 11


def test_scenario_a_goes_through_its_phases_in_order() -> None:
    """From request to closed file, returned once on the way."""
    phases = list(dict.fromkeys((one.state.phase.value, one.step) for one in visit().log if one.state))
    changes = [now for before, now in zip([("", ""), *phases], phases, strict=False) if before[0] != now[0]]
    assert changes == [
        ("drafted", "request"),
        ("submitted", "proposal-v1"),
        ("returned", "returned"),
        ("submitted", "proposal-v2"),
        ("under_approval", "signed-department"),
        ("approved", "decision"),
        ("inviting", "invitations"),
        ("under_way", "arrival"),
        ("reporting", "departure"),
        ("closed", "closed"),
    ]


def test_scenario_a_has_each_deadline_on_its_day_by_its_rule_and_keeps_them_all() -> None:
    """What, due on, rule, and how it ended: nothing is missed."""
    assert [(one.what, one.due_on, one.rule.rule, one.status) for one in standing(ended(visit()))] == [
        ("step.department_head.1", date(2026, 3, 2), "IN-APPROVAL", "met"),
        ("appraisal", date(2026, 3, 7), "APPRAISAL", "met"),
        ("proposal", date(2026, 3, 7), "IN-PROPOSAL-ENTRY", "met"),
        ("step.department_head.2", date(2026, 3, 9), "IN-APPROVAL", "met"),
        ("step.vice_president.2", date(2026, 3, 11), "IN-APPROVAL", "met"),
        ("entry_papers", date(2026, 3, 19), "IN-ENTRY-PAPERS", "met"),
        ("guest_data", date(2026, 4, 1), "IN-GUEST-DATA", "met"),
        ("notice_department", date(2026, 4, 2), "IN-NOTICE-DEPARTMENT", "met"),
        ("notice_police", date(2026, 4, 2), "IN-NOTICE-POLICE", "met"),
        ("report", date(2026, 4, 15), "IN-REPORT", "met"),
        ("step.report.1", date(2026, 4, 20), "IN-REPORT-ACCEPTANCE", "met"),
    ]
    assert not [event for event in visit().events if event.type == "DeadlineMissed"]


def test_scenario_a_is_reminded_at_eight_in_the_morning() -> None:
    """Reminders fire at 08:00 in the business zone, on the days the rules name."""
    reminded = [
        (event.data["what"], business_date(event.instant, "Asia/Ho_Chi_Minh").isoformat())
        for event in visit().events
        if event.type == "DeadlineReminded"
    ]
    assert reminded == [
        ("appraisal", "2026-02-27"),
        ("appraisal", "2026-03-06"),
        ("entry_papers", "2026-03-18"),
        ("guest_data", "2026-03-29"),
        ("notice_department", "2026-03-30"),
        ("notice_police", "2026-03-30"),
        ("guest_data", "2026-03-31"),
        ("notice_department", "2026-04-01"),
        ("notice_police", "2026-04-01"),
        ("report", "2026-04-14"),
        ("report", "2026-04-15"),
    ]
    business = ZoneInfo("Asia/Ho_Chi_Minh")
    at = {event.instant.astimezone(business).time() for event in visit().events if event.type == "DeadlineReminded"}
    assert [time.isoformat() for time in at] == ["08:00:00"]


def test_scenario_a_meets_by_video_at_another_hour_in_berlin_once_summer_time_begins() -> None:
    """15:00 in Hà Nội is 09:00 and a week later 10:00 in Berlin, and 17:00 in Tokyo both times."""
    meetings = [ended(visit()).items[f"pre-meeting-{number}"].starts.instant for number in (1, 2)]
    shown = [
        [f"{one.astimezone(ZoneInfo(zone)):%H:%M}" for one in meetings] for zone in ("Europe/Berlin", "Asia/Tokyo")
    ]
    assert shown == [["09:00", "10:00"], ["17:00", "17:00"]]


def test_scenario_a_refuses_the_dossier_that_was_replaced() -> None:
    """The one refusal of the scenario leaves no event."""
    refused = {one.step: one.decision.refusal.code for one in visit().log if one.decision.refusal}
    assert refused == {"signed-too-old": "dossier_superseded"}
    assert visit().at_step("signed-too-old").events == ()


def test_scenario_a_signs_the_second_dossier() -> None:
    """What was signed, decided and reported on is proposal 2; the first one is superseded."""
    submitted = [event.data["digest"] for event in visit().events if event.type == "RequestSubmitted"]
    signed = [(event.data["step_id"], event.data["digest"]) for event in visit().events if event.type == "StepSigned"]
    assert signed == [("department_head", submitted[1]), ("vice_president", submitted[1])]
    assert ended(visit()).superseded == (submitted[0],)


def test_scenario_a_asks_for_each_effect_once() -> None:
    """Mailboxes three times, collections four, a letter, a report, reminders, waiting desks, answers: each by its name.

    The three answers that the coordinator hears: returned, signed as a whole, the report accepted.
    """
    keys = [effect.key for one in visit().log for effect in one.decision.effects]
    assert len(keys) == len(set(keys))
    kinds = [effect.kind for one in visit().log for effect in one.decision.effects]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "issue_calendars": 3,
        "render_document": 2,
        "send_notice": 18,
        "sync_calendars": 4,
    }


def test_scenario_b_goes_up_its_chain_and_asks_again_only_where_something_changed() -> None:
    """Five desks in order; finance returned it once, and the department head's signature stood."""
    acts = [
        (event.type, event.data["step_id"], event.actor)
        for event in trip().events
        if event.type in ("StepSigned", "StepReturned", "ExternalDecisionRecorded")
    ]
    assert acts == [
        ("StepSigned", "department_head", "department-head"),
        ("StepReturned", "finance", "finance"),
        ("StepSigned", "finance", "finance"),
        ("StepSigned", "standing_vice_president", "vice-president"),
        ("StepSigned", "president", "president"),
        ("ExternalDecisionRecorded", "competent_authority", "coordinator"),
    ]
    first, second = (event.data for event in trip().events if event.type == "RequestSubmitted")
    assert (first["chain"], first.get("carried")) == ({"rule": "OUT-HIGH-LEVEL", "version": 2}, None)
    carried = [(one["step_id"], one["by"], one["proposal"], one["digest"]) for one in second["carried"]]
    assert carried == [("department_head", "department-head", 1, first["digest"])]
    assert first["digest"] != second["digest"]


def test_scenario_b_refuses_each_step_that_may_not_be_by_its_own_code() -> None:
    """And seals every attempt to sign; a list with two key leaders leaves nothing behind."""
    refused = {one.step: one.decision.refusal.code for one in trip().log if one.decision.refusal}
    assert refused == {
        "second-key-leader": "limit_absolute",
        "coordinator-signs": "own_request",
        "finance-signs-for-president": "not_entitled_to_sign",
        "traveller-signs": "own_trip",
        "substitute-after-leave": "substitute_not_entitled",
    }
    sealed = {step: [event.type for event in trip().at_step(step).events] for step in refused}
    assert sealed.pop("second-key-leader") == []
    assert set(map(tuple, sealed.values())) == {("SignOffRefused",)}


def test_scenario_b_shows_both_names_where_the_substitute_signs_inside_the_leave() -> None:
    """“KT.” for the standing vice-president, by the leave that was registered that morning."""
    (event,) = (
        event
        for event in trip().events
        if event.data.get("step_id") == "standing_vice_president" and event.type == "StepSigned"
    )
    assert event.data["right"] == {
        "position": "standing_vice_president",
        "prefix": "KT",
        "account": "vice-president",
        "tenure": "ten_standing-vice-president_standing_vice_president",
        "held_since": "2026-04-12T01:30:00.000000Z",
        "on_behalf_of": "standing-vice-president",
        "leave": "convalescence",
        "leave_since": "2026-04-28T05:00:00.000000Z",
        "leave_until": "2026-05-08T17:00:00.000000Z",
        "office": "vice_president",
    }


def test_scenario_b_has_its_deadlines_past_the_holidays_of_spring() -> None:
    """27 April, 30 April and 1 May are no working days; the report is due in ten days, and late."""
    chain = "OUT-HIGH-LEVEL"
    assert [(one.what, one.due_on, one.rule.rule, one.status) for one in standing(ended(trip()))] == [
        ("appraisal", date(2026, 4, 17), "APPRAISAL", "met"),
        ("step.department_head.1", date(2026, 4, 17), chain, "met"),
        ("step.finance.1", date(2026, 4, 21), chain, "met"),
        ("step.finance.2", date(2026, 4, 28), chain, "met"),
        ("step.standing_vice_president.2", date(2026, 5, 4), chain, "met"),
        ("step.president.2", date(2026, 5, 7), chain, "met"),
        ("step.competent_authority.2", date(2026, 5, 19), chain, "met"),
        ("report", date(2026, 7, 2), "OUT-REPORT", "late"),
        ("step.report.1", date(2026, 7, 15), "OUT-REPORT-ACCEPTANCE", "met"),
    ]


def test_scenario_b_has_a_late_report_told_to_two_positions_one_after_the_other() -> None:
    """Reminded three times, missed on 2 July, told on the 3rd and the 7th at 08:00, filed on the 8th."""
    business = ZoneInfo("Asia/Ho_Chi_Minh")
    told = [
        (event.type, event.data.get("to"), f"{event.instant.astimezone(business):%d %b %H:%M}")
        for event in trip().events
        if event.type in ("DeadlineReminded", "DeadlineMissed", "DeadlineEscalated", "ReportFiled", "DeadlineMet")
        and event.data.get("what", "report") == "report"
    ]
    assert told == [
        ("DeadlineReminded", None, "29 Jun 08:00"),
        ("DeadlineReminded", None, "01 Jul 08:00"),
        ("DeadlineReminded", None, "02 Jul 08:00"),
        ("DeadlineMissed", None, "02 Jul 23:59"),
        ("DeadlineEscalated", "department_head", "03 Jul 08:00"),
        ("DeadlineEscalated", "president", "07 Jul 08:00"),
        ("ReportFiled", None, "08 Jul 10:00"),
        ("DeadlineMet", None, "08 Jul 10:00"),
    ]


def test_scenario_b_reaches_its_six_travellers_and_nobody_else() -> None:
    """A trip has no reception ceiling, and its members alone are invited."""
    assert calendars_reached(trip()) == {"invitations": 6}
    assert (ended(trip()).head_count, ended(trip()).ceiling) == (6, None)
    assert [one.id for one in ended(trip()).delegates if one.key_leader] == ["member-1"]
    assert "visas_granted" in fulfilled(ended(trip()))
