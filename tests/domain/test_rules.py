"""An edition of the rules: its identity, what holds when, and what cannot stand together."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.canonical import digest_of
from domain.choosing import Facts, choose
from domain.rule import contradictions, effective
from domain.rules import DeadlineRule, Edition
from tests.rulebook import edition


def deadline(**changes: Any) -> DeadlineRule:
    told = {
        "id": "IN-REPORT",
        "version": 1,
        "title": {"vi": "Báo cáo", "en": "Report"},
        "source": "test",
        "effective_from": date(2024, 1, 1),
        "what": "report",
        "direction": "inbound",
        "anchor": "departure",
        "offset": 3,
        "unit": "days",
        "side": "after",
        "remind_before": (1, 0),
        "satisfied_by": "report_filed",
    }
    return DeadlineRule.model_validate(told | changes)


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        deadline(**changes)
    return str(refused.value.errors()[0]["type"])


def test_a_digest_is_that_of_the_canonical_json() -> None:
    """Anybody can make it again from what the register holds."""
    assert edition().digest() == digest_of(edition().said())


def test_an_edition_survives_the_register() -> None:
    """Written as JSON and read back it is equal, with the same digest and the same working days."""
    read = Edition.model_validate_json(edition().model_dump_json())
    assert read == edition()
    assert read.digest() == edition().digest()
    assert read.work_calendar == edition().work_calendar


def test_a_changed_number_changes_the_digest() -> None:
    """A copy with another rule has another identity, also when the first digest was already known."""
    known = edition().digest()
    changed = edition().model_copy(update={"returns_for_incompleteness": 2})
    assert changed.digest() != known
    assert changed.digest() == digest_of(changed.said())


def test_a_copy_with_other_holidays_counts_by_them() -> None:
    """Without the table, New Year's Day of 2026 is a Thursday like any other."""
    assert not edition().work_calendar.is_working(date(2026, 1, 1))
    assert edition().model_copy(update={"holidays": ()}).work_calendar.is_working(date(2026, 1, 1))


def test_a_rule_holds_on_its_first_and_last_day() -> None:
    """Both ends of the period are included."""
    rule = deadline(effective_from=date(2026, 1, 1), effective_to=date(2026, 12, 31))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [rule.effective_on(day) for day in days] == [False, True, True, False]
    assert effective((rule,), date(2027, 1, 1)) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"effective_to": date(2023, 12, 31)}, "period_runs_backward"),
        ({"offset": -1}, "greater_than_equal"),
        ({"remind_before": (1, 3)}, "reminders_out_of_order"),
        ({"remind_before": (3, 3)}, "reminders_out_of_order"),
        ({"id": "in report"}, "string_pattern_mismatch"),
        ({"unit": "weeks"}, "literal_error"),
        ({"source": "two\nlines"}, "text_has_control_character"),
        ({"colour": "red"}, "extra_forbidden"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(changes: dict[str, Any], code: str) -> None:
    """Each mistake has a stable code."""
    assert refusal(**changes) == code


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, "same_version"),
        ({"version": 2}, "same_id_at_once"),
        ({"id": "IN-REPORT-B"}, "same_subject_at_once"),
        ({"id": "IN-REPORT-B", "direction": "any"}, "same_subject_at_once"),
        ({"id": "IN-REPORT-B", "conditions": {"entry_papers_needed": True}}, "same_subject_at_once"),
    ],
)
def test_two_rules_that_answer_the_same_question_contradict(other: dict[str, Any], reason: str) -> None:
    """The pair is named by its places, so that a reader of files can name their lines."""
    assert contradictions((deadline(), deadline(**other))) == ((0, 1, reason),)


@pytest.mark.parametrize(
    "other",
    [
        {"version": 2, "effective_from": date(2026, 1, 1)},
        {"id": "IN-REPORT-B", "effective_from": date(2026, 1, 1)},
        {"id": "OUT-REPORT", "direction": "outbound"},
        {"id": "IN-MINUTES", "what": "minutes"},
        {"id": "IN-REPORT-HANOI", "conditions": {"issuer": "hanoi"}},
    ],
)
def test_rules_that_never_answer_together_stand_side_by_side(other: dict[str, Any]) -> None:
    """Another period, direction, thing or issuer is another question."""
    assert contradictions((deadline(effective_to=date(2025, 12, 31)), deadline(**other))) == ()


def test_conditions_that_exclude_each_other_do_not_contradict() -> None:
    """With and without entry papers are two cases."""
    with_papers = deadline(id="A", conditions={"entry_papers_needed": True})
    without = deadline(id="B", conditions={"entry_papers_needed": False})
    assert contradictions((with_papers, without)) == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"deadlines": [deadline(), deadline(version=2)]}, "rules_contradict"),
        (
            {"weekend": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]},
            "days_contradict",
        ),
        ({"zone": "Asia/Saigon2"}, "zone_unknown"),
        ({"holiday_table": {"country": "VN", "first_year": 2026, "last_year": 2025}}, "years_run_backward"),
    ],
)
def test_an_edition_that_cannot_stand_is_refused(changes: dict[str, Any], code: str) -> None:
    """Also when it comes from elsewhere than the files."""
    with pytest.raises(ValidationError) as refused:
        Edition.model_validate(edition().model_dump() | changes)
    assert refused.value.errors()[0]["type"] == code


def test_the_chain_of_approval_differs_by_direction() -> None:
    """Inbound: department head, vice-president. Outbound: department head, finance, president."""
    inbound = choose(edition().approvals, Facts(direction="inbound"), date(2026, 2, 24)).policy
    outbound = choose(edition().approvals, Facts(direction="outbound"), date(2026, 2, 24)).policy
    assert inbound is not None
    assert outbound is not None
    assert [step.id for step in inbound.steps] == ["department_head", "vice_president"]
    assert [step.id for step in outbound.steps] == ["department_head", "finance", "president"]
    assert inbound.steps[1].title.vi == "Phó Chủ tịch"
    assert choose(edition().approvals, Facts(direction="inbound"), date(2023, 12, 31)).policy is None


def test_the_issuers_that_rules_name_are_known() -> None:
    """So that a form can offer them and refuse others."""
    assert edition().issuers() == {"hanoi", "danang", "international_office", "education_ministry"}


def test_an_incomplete_file_goes_back_once() -> None:
    """domain.md, The regulated steps [10][11]."""
    assert edition().returns_for_incompleteness == 1
