"""Days of a checklist follow the visit; templates are for a direction and grades."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain.bilingual import Bilingual
from domain.checklist import ChecklistTemplate, Due, Pressing, Task, pressing
from domain.workdays import WorkCalendar
from storage.checklist_templates import SHIPPED, load_templates
from tests.rulebook import edition

# A Monday and the Sunday after it.
STARTS, ENDS = date(2026, 4, 6), date(2026, 4, 12)


@pytest.mark.parametrize(
    ("due", "day"),
    [
        (Due(offset=0), date(2026, 4, 6)),
        (Due(offset=1), date(2026, 4, 5)),
        (Due(offset=1, unit="working_days"), date(2026, 4, 3)),
        (Due(offset=5, unit="working_days"), date(2026, 3, 30)),
        (Due(offset=2, side="after"), date(2026, 4, 8)),
        (Due(anchor="departure", side="after", offset=3, unit="working_days"), date(2026, 4, 15)),
        (Due(anchor="departure", offset=0), date(2026, 4, 12)),
    ],
)
def test_a_day_is_counted_from_the_visit(due: Due, day: date) -> None:
    """The anchor's own day is not counted; working days leave out weekends."""
    assert due.day(STARTS, ENDS, WorkCalendar()) == day


def test_a_day_moves_with_the_visit_and_leaves_out_holidays() -> None:
    """The kings' festival of 2026 is a Sunday and gives Monday 27 April; 30 April and 1 May are off as well."""
    due, calendar = Due(offset=3, unit="working_days"), edition().work_calendar
    assert due.day(STARTS, ENDS, calendar) == date(2026, 4, 1)
    later = timedelta(days=28)
    assert due.day(STARTS + later, ENDS + later, calendar) == date(2026, 4, 24)


@pytest.mark.parametrize(
    ("due_on", "done", "how"),
    [
        (date(2026, 4, 1), True, "done"),
        (None, False, "undated"),
        (date(2026, 3, 31), False, "overdue"),
        (date(2026, 4, 1), False, "soon"),
        (date(2026, 4, 3), False, "soon"),
        (date(2026, 4, 4), False, "later"),
    ],
)
def test_how_a_day_presses(due_on: date | None, done: bool, how: Pressing) -> None:
    """From two days before its day on."""
    assert pressing(due_on, date(2026, 4, 1), done=done) == how


def test_a_template_is_for_a_direction_and_the_grades_it_names() -> None:
    """Without grades for any, even where none is known."""
    task = Task(id="gifts", title=Bilingual(vi="Tặng phẩm", en="Gifts"))
    named: dict[str, Any] = {"title": task.title, "tasks": (task,)}
    general = ChecklistTemplate(id="general", direction="inbound", **named)
    high = ChecklistTemplate(id="high", direction="any", grades=("A", "B"), **named)
    assert [general.fits("inbound", None), general.fits("inbound", "C"), general.fits("outbound", "A")] == [1, 1, 0]
    assert [high.fits("inbound", None), high.fits("outbound", "A"), high.fits("inbound", "C")] == [0, 1, 0]


def test_the_shipped_templates_name_nothing_twice() -> None:
    """Entries are found by the ids of template and task."""
    templates = load_templates(SHIPPED)
    assert [(one.id, one.direction, one.grades) for one in templates] == [
        ("inbound-general", "inbound", ()),
        ("inbound-grade-a-b", "inbound", ("A", "B")),
        ("outbound-general", "outbound", ()),
    ]
    for one in templates:
        assert len({task.id for task in one.tasks}) == len(one.tasks)
