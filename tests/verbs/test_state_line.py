"""The sentence at the top of a file: phase, desk, day, working days left, rule."""

from datetime import UTC, datetime
from typing import Any

from locales import translator
from tests.rulebook import edition
from verbs.state_line import state_line
from words.edition import EditionWords

NOW = datetime(2026, 4, 24, 2, tzinfo=UTC)
"""Friday, 24 April 2026, 9 o'clock in Hà Nội; 27 and 30 April and 1 May are off."""


def file(**more: Any) -> dict[str, Any]:
    return {
        "phase": "drafted",
        "waits_for": "coordinator",
        "open_step": None,
        "updated_at": "2026-04-20T02:00:00Z",
        "state": {"zone": "Asia/Ho_Chi_Minh", "coordinator": "lan"},
        **more,
    }


def due(what: str, day: str, rule: str, status: str = "open") -> dict[str, Any]:
    return {"what": what, "due_on": day, "rule": {"rule": rule, "version": 1}, "status": status}


def said(view: dict[str, Any], *deadlines: dict[str, Any], language: str = "en") -> str:
    words = translator("vi" if language == "vi" else "en")
    return state_line(view, deadlines, EditionWords(edition().model_dump(mode="json"), words), words, now=NOW)


REPORT = due("report", "2026-05-04", "IN-REPORT")
POLICE = due("notice_police", "2026-05-01", "IN-NOTICE-POLICE")


def test_it_names_what_is_due_next_and_by_which_rule() -> None:
    assert said(file(), POLICE, REPORT) == (
        "Drafted: waits for the coordinator (lan); due by Fri 1 May 2026, 2 working days left: Notice to the police, "
        "rule IN-NOTICE-POLICE, version 1."
    )


def test_working_days_leave_out_weekends_and_holidays() -> None:
    """From Friday to the Monday after the long weekend: Monday 27, Tuesday, Wednesday … by the edition's own table."""
    worked = EditionWords(edition().model_dump(mode="json"), translator("en"))
    for last in ("2026-04-24", "2026-04-27", "2026-05-04", "2026-05-11"):
        day = datetime.fromisoformat(last).date()
        expected = edition().work_calendar.working_days_between(NOW.date(), day)
        assert worked.working_days_until(NOW.date(), day) == expected


def test_an_open_step_waits_on_the_desk_of_its_position_until_its_own_day() -> None:
    """Not until what is due first: the approver has to know the approver's day."""
    view = file(phase="submitted", waits_for="department_head", open_step={"id": "department_head"})
    step = due("step.department_head.1", "2026-04-28", "IN-APPROVAL")
    assert said(view, POLICE, step) == (
        "Submitted: waits for Department head until Tue 28 Apr 2026, 1 working day left, rule IN-APPROVAL, version 1."
    )


def test_a_resubmitted_proposal_waits_until_the_day_of_its_own_step() -> None:
    """The step of the first proposal was met; the second one's has another day."""
    view = file(phase="submitted", waits_for="department_head", open_step={"id": "department_head"})
    first = due("step.department_head.1", "2026-04-22", "IN-APPROVAL", "met")
    second = due("step.department_head.2", "2026-04-24", "IN-APPROVAL")
    assert "until Fri 24 Apr 2026, today, rule" in said(view, first, second)


def test_what_was_missed_comes_before_what_is_due() -> None:
    missed = due("guest_data", "2026-04-22", "IN-GUEST-DATA", "missed")
    assert said(file(), missed, REPORT) == (
        "Drafted: waits for the coordinator (lan); overdue since Wed 22 Apr 2026: Guest data to the international "
        "office, rule IN-GUEST-DATA, version 1."
    )


def test_days_are_counted_from_the_files_own_clock_where_it_is_ahead() -> None:
    """In the demo weeks pass in seconds: to the wall's clock everything would be far away."""
    assert "overdue" not in said(file(updated_at="2026-05-01T03:00:00Z"), POLICE)
    assert "due by Fri 1 May 2026, today" in said(file(updated_at="2026-05-01T03:00:00Z"), POLICE)


def test_a_file_on_nobodys_desk_says_its_phase_alone() -> None:
    assert said(file(phase="closed", waits_for=None), REPORT) == "Closed."


def test_a_desk_without_a_day_is_named_all_the_same() -> None:
    assert said(file(phase="reporting")) == "Reporting: waits for the coordinator (lan)."


def test_it_is_said_in_vietnamese() -> None:
    assert said(file(), POLICE, language="vi") == (
        "Dự thảo: chờ cán bộ điều phối (lan); hạn Thứ Sáu, 01/05/2026, còn 2 ngày làm việc: "
        "Thông báo cho cơ quan công an, quy tắc IN-NOTICE-POLICE, phiên bản 1."
    )


def test_a_desk_whose_holder_is_on_leave_names_who_may_sign_and_until_when() -> None:
    """Only while the leave is in force; a leave to come is nobody's news yet."""
    away = {
        "what": "vice_president",
        "position": "vice_president",
        "account": "mai",
        "substitute": "hung",
        "since": "2026-04-22T17:00:00Z",
        "until": "2026-04-29T17:00:00Z",
    }
    state = {"zone": "Asia/Ho_Chi_Minh", "coordinator": "lan"}
    view = file(phase="under_approval", waits_for="vice_president", open_step={"id": "vice_president"})
    step = due("step.vice_president.1", "2026-04-28", "IN-APPROVAL")
    now = view | {"state": state | {"stand_ins": [away | {"in_force": True}]}}
    assert said(now, step).startswith(
        "Under approval: waits for Vice-president (mai on leave; hung may sign until 00:00, 30 Apr 2026) until Tue 28"
    )
    assert "(mai nghỉ phép; hung ký thay đến 00:00, 30/04/2026)" in said(now, step, language="vi")
    to_come = view | {"state": state | {"stand_ins": [away]}}
    assert said(to_come, step).startswith("Under approval: waits for Vice-president until Tue 28 Apr")
