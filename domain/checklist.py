"""The office's own list of what is to be done for a visit: what, by whom, by which day. No part of the trail.

A day is kept relative to the visit, so that it moves when the visit does.
"""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field

from domain.bilingual import Bilingual
from domain.rule import Scope, in_scope
from domain.rules import Grade
from domain.values import Direction, Slug, Value
from domain.workdays import WorkCalendar

Pressing = Literal["done", "overdue", "soon", "later", "undated"]

SOON = timedelta(days=2)
"""From so many days before its day on an entry presses."""


class Due(Value):
    """So many days before or after the first (`arrival`) or last (`departure`) day of the visit; 0 is that day itself.

    Working days are those of the file's edition of the rules; the day of the anchor is not counted.
    """

    anchor: Literal["arrival", "departure"] = "arrival"
    side: Literal["before", "after"] = "before"
    offset: Annotated[int, Field(ge=0, le=366)]
    unit: Literal["days", "working_days"] = "days"

    def day(self, starts: date, ends: date, calendar: WorkCalendar) -> date:
        """Return the day for a visit from `starts` to `ends`, both included."""
        first = starts if self.anchor == "arrival" else ends
        if self.unit == "working_days":
            count = calendar.subtract_working_days if self.side == "before" else calendar.add_working_days
            return count(first, self.offset)
        return first + timedelta(days=self.offset if self.side == "after" else -self.offset)


class Task(Value):
    """One thing of a template."""

    id: Slug
    title: Bilingual
    due: Due | None = None


class ChecklistTemplate(Value):
    """What is usually to be done for a delegation of a direction, of these grades or of any."""

    id: Slug
    title: Bilingual
    direction: Scope
    grades: tuple[Grade, ...] = ()
    tasks: Annotated[tuple[Task, ...], Field(min_length=1, max_length=100)]

    def fits(self, direction: Direction, grade: Grade | None) -> bool:
        """Return whether the template is meant for such a delegation; one that names grades wants a known one."""
        return in_scope(self.direction, direction) and (not self.grades or grade in self.grades)


def pressing(due_on: date | None, today: date, *, done: bool) -> Pressing:
    """Return how an entry presses on a day."""
    if done:
        return "done"
    if due_on is None:
        return "undated"
    if due_on < today:
        return "overdue"
    return "soon" if due_on - today <= SOON else "later"
