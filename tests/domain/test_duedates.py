"""Due dates: which rule, which day, and why."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import canonical_json
from domain.duedates import Anchors, Due, due, dues
from domain.rules import Conditions, DeadlineRule, Edition
from tests.rulebook import edition


def visit(**known: Any) -> Anchors:
    """Scenario A of domain.md: guests from Monday 6 to Sunday 12 April 2026."""
    told = {
        "direction": "inbound",
        "opened": date(2026, 2, 24),
        "arrival": date(2026, 4, 6),
        "departure": date(2026, 4, 12),
    }
    return Anchors.model_validate(told | known)


def trip(**known: Any) -> Anchors:
    """Scenario B of domain.md: our people travel from 15 to 22 June 2026."""
    told = {
        "direction": "outbound",
        "opened": date(2026, 4, 1),
        "arrival": date(2026, 6, 15),
        "departure": date(2026, 6, 22),
    }
    return Anchors.model_validate(told | known)


def found(anchors: Anchors, of: Edition | None = None) -> dict[str, Due]:
    return {each.what: each for each in dues(of or edition(), anchors)}


@pytest.mark.parametrize(
    ("what", "anchors", "rule", "due_on"),
    [
        ("report", visit(), "IN-REPORT v2", date(2026, 4, 15)),
        ("notice_police", visit(), "IN-NOTICE-POLICE", date(2026, 4, 2)),
        ("notice_department", visit(), "IN-NOTICE-DEPARTMENT", date(2026, 4, 2)),
        ("guest_data", visit(), "IN-GUEST-DATA", date(2026, 4, 1)),
        ("report", visit(opened=date(2025, 12, 31)), "IN-REPORT", date(2026, 4, 15)),
        ("proposal", visit(), "IN-PROPOSAL", date(2026, 3, 27)),
        ("proposal", visit(entry_papers_needed=True), "IN-PROPOSAL-ENTRY", date(2026, 3, 7)),
        ("provincial_chair", visit(provincial_chair=True), "IN-CHAIR", date(2026, 3, 30)),
        (
            "entry_papers",
            visit(entry_papers_needed=True, papers_requested=date(2026, 3, 12)),
            "IN-ENTRY-PAPERS",
            date(2026, 3, 19),
        ),
        ("appraisal", visit(submitted=date(2026, 2, 25)), "APPRAISAL", date(2026, 2, 28)),
        ("conference_application", visit(conference="prime_minister"), "CONFERENCE-PM", date(2026, 2, 25)),
        ("conference_application", visit(conference="other"), "CONFERENCE-OTHER", date(2026, 3, 7)),
        ("report", trip(), "OUT-REPORT v2", date(2026, 7, 2)),
        ("report", trip(issuer="international_office"), "OUT-REPORT-INTERNATIONAL-OFFICE v2", date(2026, 6, 29)),
        ("report", trip(issuer="education_ministry"), "OUT-REPORT-EDUCATION v2", date(2026, 7, 7)),
        ("report", trip(issuer="hanoi"), "OUT-REPORT v2", date(2026, 7, 2)),
    ],
)
def test_each_deadline_of_the_field_falls_on_its_day(what: str, anchors: Anchors, rule: str, due_on: date) -> None:
    """The table of deadlines in domain.md, by the dates of its scenarios; version 1 where the rule's name has none."""
    one = found(anchors)[what]
    name, _, version = rule.partition(" v")
    assert (one.rule, one.version, one.due_on) == (name, int(version or 1), due_on)


def test_what_does_not_concern_a_file_is_not_due() -> None:
    """No conference, no chair, no entry papers, nothing submitted: four things are not due; nor is our trip noticed."""
    assert set(found(visit())) == {"proposal", "guest_data", "notice_police", "notice_department", "report"}
    assert set(found(trip())) == {"report"}


def test_a_deadline_waits_for_its_anchor() -> None:
    """Before the papers are requested there is no day from which to count, and no due date is invented."""
    assert "entry_papers" not in found(visit(entry_papers_needed=True))


def test_a_due_date_lasts_to_the_end_of_the_business_day() -> None:
    """15 April in Hà Nội ends at 16:59:59 UTC; reminders come at 08:00 there, the last on the day itself."""
    report = found(visit())["report"]
    assert report.due_at == datetime(2026, 4, 15, 16, 59, 59, tzinfo=UTC)
    assert report.remind_at == (
        datetime(2026, 4, 14, 1, 0, tzinfo=UTC),
        datetime(2026, 4, 15, 1, 0, tzinfo=UTC),
    )


def test_the_zone_of_the_edition_decides_when_the_day_ends() -> None:
    """The same rules kept in Berlin end the day in Berlin, in summer time."""
    berlin = edition().model_copy(update={"zone": "Europe/Berlin"})
    assert found(visit(), berlin)["report"].due_at == datetime(2026, 4, 15, 21, 59, 59, tzinfo=UTC)


def test_a_due_date_says_how_it_was_found() -> None:
    """Five working days from Thursday 12 March pass one weekend."""
    anchors = visit(entry_papers_needed=True, papers_requested=date(2026, 3, 12))
    one = found(anchors)["entry_papers"]
    how = one.calculation
    counted = (how.anchor, how.anchor_on, how.offset, how.unit, how.side)
    assert counted == ("papers_requested", date(2026, 3, 12), 5, "working_days", "after")
    assert [str(day) for day in how.skipped] == ["2026-03-14 weekend", "2026-03-15 weekend"]
    assert (how.holiday_table, how.table_covers, how.due_on_working_day) == ("VN 2024-2036", True, True)
    assert (one.source, one.satisfied_by) == ("Guidance on form NA2 [9]", "entry_papers_granted")


def test_tet_moves_entry_papers_by_a_week() -> None:
    """Papers requested on Thursday 12 February 2026 are due on the 26th, and each day of Tết is named."""
    anchors = visit(entry_papers_needed=True, papers_requested=date(2026, 2, 12))
    one = found(anchors)["entry_papers"]
    assert one.due_on == date(2026, 2, 26)
    tet = [day.name.text("en") for day in one.calculation.skipped if day.name]
    assert tet == [
        "Lunar New Year's Eve",
        "Lunar New Year",
        "Second Day of Lunar New Year",
        "Third Day of Lunar New Year",
        "Fourth Day of Lunar New Year",
    ]


def test_days_before_an_anchor_skip_holidays_too() -> None:
    """Guests come on Monday 23 February 2026: the chair is asked five working days earlier, before Tết."""
    anchors = visit(provincial_chair=True, arrival=date(2026, 2, 23), departure=date(2026, 2, 27))
    chair = found(anchors)["provincial_chair"]
    assert chair.due_on == date(2026, 2, 9)
    assert len(chair.calculation.skipped) == 9


def test_calendar_days_do_not_move_and_say_when_no_office_is_open() -> None:
    """Ten days before 6 April is a Friday; with entry papers it is a Saturday, and the calculation says so."""
    assert found(visit())["proposal"].calculation.due_on_working_day
    assert not found(visit(entry_papers_needed=True))["proposal"].calculation.due_on_working_day


def test_beyond_the_holiday_table_the_calculation_says_so() -> None:
    """A date in a year whose holidays are not known is found by weekends alone, and does not pretend otherwise."""
    anchors = visit(opened=date(2037, 1, 5), arrival=date(2037, 4, 6), departure=date(2037, 4, 12))
    assert not found(anchors)["report"].calculation.table_covers


def report_rule(**changes: Any) -> DeadlineRule:
    rule = next(rule for rule in edition().deadlines if rule.id == "IN-REPORT")
    return DeadlineRule.model_validate(rule.model_dump() | {"effective_to": None} | changes)


def test_the_rule_in_force_when_the_file_was_opened_counts() -> None:
    """A second version from 1 March leaves a file opened in February alone."""
    first = report_rule(effective_to=date(2026, 2, 28))
    second = report_rule(version=2, offset=7, effective_from=date(2026, 3, 1))
    both = edition().model_copy(update={"deadlines": (first, second)})
    february, march = found(visit(), both)["report"], found(visit(opened=date(2026, 3, 1)), both)["report"]
    assert (february.version, february.due_on) == (1, date(2026, 4, 15))
    assert (march.version, march.due_on) == (2, date(2026, 4, 19))


def test_a_rule_that_does_not_apply_gives_no_date() -> None:
    """`due` answers None for another direction or an issuer that the file is not under."""
    assert due(report_rule(), trip(), edition()) is None
    assert due(report_rule(conditions=Conditions(issuer="hanoi")), visit(), edition()) is None


def test_due_dates_come_in_order() -> None:
    """Earliest first, and by rule where the day is the same."""
    anchors = visit(entry_papers_needed=True, submitted=date(2026, 2, 25), papers_requested=date(2026, 3, 12))
    assert [each.what for each in dues(edition(), anchors)] == [
        "appraisal",
        "proposal",
        "entry_papers",
        "guest_data",
        "notice_department",
        "notice_police",
        "report",
    ]


def test_a_due_date_can_be_sealed() -> None:
    """It has a canonical form, and reads back the same."""
    for one in dues(edition(), visit(entry_papers_needed=True, papers_requested=date(2026, 2, 12))):
        assert canonical_json(one.model_dump(mode="json"))
        assert one == Due.model_validate_json(one.model_dump_json())


@given(
    st.dates(date(2024, 1, 1), date(2036, 6, 1)),
    st.integers(0, 300),
    st.integers(0, 60),
    st.integers(0, 300),
    st.booleans(),
    st.sampled_from(["none", "prime_minister", "other"]),
    st.sampled_from([None, "hanoi", "education_ministry"]),
    st.sampled_from(["inbound", "outbound"]),
)
def test_a_deadline_lies_on_its_side_of_its_anchor(
    opened: date, ahead: int, length: int, papers: int, entry: bool, conference: str, issuer: str | None, way: str
) -> None:
    """What is due after something is never due before it, each thing is due once, and reminders do not come late."""
    start = date.fromordinal(opened.toordinal() + ahead)
    anchors = Anchors.model_validate(
        {
            "direction": way,
            "opened": opened,
            "submitted": opened,
            "arrival": start,
            "departure": date.fromordinal(start.toordinal() + length),
            "papers_requested": date.fromordinal(opened.toordinal() + papers),
            "entry_papers_needed": entry,
            "provincial_chair": entry,
            "conference": conference,
            "issuer": issuer,
        }
    )
    answers = dues(edition(), anchors)
    assert len(answers) == len({each.what for each in answers})
    for each in answers:
        how = each.calculation
        assert (each.due_on >= how.anchor_on) if how.side == "after" else (each.due_on <= how.anchor_on)
        assert abs((each.due_on - how.anchor_on).days) == how.offset + len(how.skipped)
        assert list(each.remind_at) == sorted(each.remind_at)
        assert all(at < each.due_at for at in each.remind_at)
