"""When things are due, and how each date was found."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from domain.bilingual import Bilingual
from domain.events import EscalationPlan
from domain.rule import Conference, RuleId, effective, in_scope
from domain.rules import Anchor, DeadlineRule, Edition
from domain.values import BusinessText, Direction, Fact, Instant, Slug, Value
from domain.workdays import DayExplained, WorkCalendar

END_OF_BUSINESS_DAY = time(23, 59, 59)

AnchorDate = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31))]
"""Far enough from the ends of the calendar that no offset of a rule can leave it."""


class Anchors(Value):
    """What a file knows about itself that a deadline may depend on. Dates are days in the business zone.

    `arrival` is the first day of the visit or trip and `departure` its last; for our own people that is the day they
    come home. `submitted` and `papers_requested` are the latest of their kind. `provincial_chair` says that a
    provincial chair is asked to receive the guests.
    """

    direction: Direction
    opened: AnchorDate
    submitted: AnchorDate | None = None
    arrival: AnchorDate | None = None
    departure: AnchorDate | None = None
    papers_requested: AnchorDate | None = None
    entry_papers_needed: bool = False
    provincial_chair: bool = False
    conference: Conference = "none"
    issuer: Slug | None = None

    def day(self, anchor: Anchor) -> date | None:
        """Return the day of an anchor, or None while it is not known."""
        days: Mapping[Anchor, date | None] = {
            "opened": self.opened,
            "submitted": self.submitted,
            "arrival": self.arrival,
            "departure": self.departure,
            "papers_requested": self.papers_requested,
        }
        return days[anchor]


class Calculation(Fact):
    """How a due date was found: from the day of the anchor, so many days, past the days that were skipped.

    `table_covers` is False where the holiday table ends before the count does: then only weekends were left out.
    `due_on_working_day` warns of a due date on which no office is open; the rules do not move it.
    """

    anchor: Anchor
    anchor_on: date
    offset: int
    unit: Literal["days", "working_days"]
    side: Literal["before", "after"]
    skipped: tuple[DayExplained, ...] = ()
    holiday_table: str
    table_covers: bool
    due_on_working_day: bool


class Due(Fact):
    """Something due on a day, until `due_at`: the last second of that day in the edition's zone, as UTC.

    `remind_at` are instants in UTC, in order. The rule, its version and its source say why.
    """

    what: Slug
    rule: RuleId
    version: int
    title: Bilingual
    source: BusinessText
    satisfied_by: Slug
    due_on: date
    due_at: Instant
    remind_at: tuple[Instant, ...] = ()
    escalate: tuple[EscalationPlan, ...] = ()
    calculation: Calculation


def due(rule: DeadlineRule, anchors: Anchors, edition: Edition) -> Due | None:
    """Return when a rule makes something due, or None if it does not apply or its anchor is not known yet.

    The day of the anchor is not counted; working days leave out weekends and holidays (domain.md, Deadlines).
    Whether the rule was in force is for `dues` to say.
    """
    anchor_on = anchors.day(rule.anchor)
    if anchor_on is None or not _applies(rule, anchors):
        return None
    calendar = edition.work_calendar
    if rule.unit == "days":
        due_on = anchor_on + timedelta(days=rule.offset if rule.side == "after" else -rule.offset)
        skipped: tuple[DayExplained, ...] = ()
    else:
        count = calendar.add_working_days if rule.side == "after" else calendar.subtract_working_days
        due_on = count(anchor_on, rule.offset)
        passed = (anchor_on + timedelta(days=1), due_on) if rule.side == "after" else (due_on, _day_before(anchor_on))
        skipped = calendar.days_off_between(*passed)
    table = edition.holiday_table
    return Due(
        what=rule.what,
        rule=rule.id,
        version=rule.version,
        title=rule.title,
        source=rule.source,
        satisfied_by=rule.satisfied_by,
        due_on=due_on,
        due_at=_instant(due_on, END_OF_BUSINESS_DAY, edition),
        remind_at=tuple(
            _instant(due_on - timedelta(days=days), edition.reminders_at, edition) for days in rule.remind_before
        ),
        escalate=tuple(
            EscalationPlan(
                at=_instant(escalates_on(due_on, one.after, one.unit, calendar), edition.reminders_at, edition),
                to=one.to,
            )
            for one in rule.escalate
        ),
        calculation=Calculation(
            anchor=rule.anchor,
            anchor_on=anchor_on,
            offset=rule.offset,
            unit=rule.unit,
            side=rule.side,
            skipped=skipped,
            holiday_table=f"{table.country} {table.first_year}-{table.last_year}",
            table_covers=table.covers(anchor_on) and table.covers(due_on),
            due_on_working_day=calendar.is_working(due_on),
        ),
    )


def escalates_on(due_on: date, after: int, unit: Literal["days", "working_days"], calendar: WorkCalendar) -> date:
    """Return the day so many days or working days after a due date; the due date itself is not counted."""
    return calendar.add_working_days(due_on, after) if unit == "working_days" else due_on + timedelta(days=after)


def dues(edition: Edition, anchors: Anchors, on: date | None = None) -> tuple[Due, ...]:
    """Return everything that is due by the rules in force on a day, earliest first; by default that of the opening.

    Where the issuer has a rule of its own for a thing, the rules for that thing that name no issuer do not apply.
    """
    rules = [rule for rule in effective(edition.deadlines, on or anchors.opened) if _applies(rule, anchors)]
    own = {rule.what for rule in rules if rule.conditions.issuer is not None}
    chosen = (rule for rule in rules if rule.conditions.issuer is not None or rule.what not in own)
    found = (due(rule, anchors, edition) for rule in chosen)
    return tuple(sorted((each for each in found if each), key=lambda each: (each.due_on, each.rule)))


def _applies(rule: DeadlineRule, anchors: Anchors) -> bool:
    conditions = rule.conditions
    return (
        in_scope(rule.direction, anchors.direction)
        and conditions.entry_papers_needed in (None, anchors.entry_papers_needed)
        and conditions.provincial_chair in (None, anchors.provincial_chair)
        and conditions.conference in (None, anchors.conference)
        and conditions.issuer in (None, anchors.issuer)
    )


def _instant(day: date, at: time, edition: Edition) -> datetime:
    return datetime.combine(day, at, ZoneInfo(edition.zone)).astimezone(UTC)


def _day_before(day: date) -> date:
    return day - timedelta(days=1)
