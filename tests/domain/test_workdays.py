"""Counting working days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bilingual import Bilingual
from domain.workdays import WEEKDAYS, NamedDay, WorkCalendar
from tests.rulebook import edition

NAME = Bilingual(vi="Ngày thử", en="A day")


def named(day: date) -> NamedDay:
    return NamedDay(date=day, name=NAME, source="test")


DAYS = st.dates(date(2024, 1, 1), date(2036, 12, 31))
FEW = st.lists(DAYS, max_size=30)
COUNTS = st.integers(0, 120)


@st.composite
def calendars(draw: st.DrawFn) -> WorkCalendar:
    worked, off = set(draw(FEW)), set(draw(FEW))
    return WorkCalendar(
        holidays=[named(day) for day in draw(FEW)],
        extra_working=[named(day) for day in worked - off],
        extra_off=[named(day) for day in off],
    )


def last_worked(calendar: WorkCalendar, day: date) -> date:
    while not calendar.is_working(day):
        day -= timedelta(days=1)
    return day


def first_worked(calendar: WorkCalendar, day: date) -> date:
    while not calendar.is_working(day):
        day += timedelta(days=1)
    return day


@given(calendars(), DAYS, COUNTS)
def test_counting_back_undoes_counting_on(calendar: WorkCalendar, day: date, count: int) -> None:
    """From a working day there and back is the same day."""
    start = last_worked(calendar, day)
    assert start == calendar.subtract_working_days(calendar.add_working_days(start, count), count)


@given(calendars(), DAYS, st.integers(1, 120))
def test_from_a_day_off_the_way_back_ends_on_the_working_day_before(
    calendar: WorkCalendar, day: date, count: int
) -> None:
    """A day off counts like the working day before it, and counting back like the one after it."""
    assert last_worked(calendar, day) == calendar.subtract_working_days(calendar.add_working_days(day, count), count)
    assert first_worked(calendar, day) == calendar.add_working_days(calendar.subtract_working_days(day, count), count)


@given(calendars(), DAYS, DAYS, COUNTS)
def test_a_later_start_never_ends_earlier(calendar: WorkCalendar, one: date, other: date, count: int) -> None:
    """Counting keeps the order of days, in both directions."""
    earlier, later = min(one, other), max(one, other)
    assert calendar.add_working_days(earlier, count) <= calendar.add_working_days(later, count)
    assert calendar.subtract_working_days(earlier, count) <= calendar.subtract_working_days(later, count)


@given(calendars(), DAYS, st.integers(1, 120))
def test_the_end_is_worked_and_so_many_days_lie_on_the_way(calendar: WorkCalendar, day: date, count: int) -> None:
    """The end of a count is a working day, and the days on the way are the count and the days off."""
    end = calendar.add_working_days(day, count)
    assert calendar.is_working(end)
    assert count == calendar.working_days_between(day, end)
    assert (end - day).days == count + len(calendar.days_off_between(day + timedelta(days=1), end))


@given(calendars(), DAYS, COUNTS, COUNTS)
def test_counts_add_up(calendar: WorkCalendar, day: date, first: int, second: int) -> None:
    """Counting twice is counting once by the sum."""
    assert calendar.add_working_days(day, first + second) == calendar.add_working_days(
        calendar.add_working_days(day, first), second
    )


@given(calendars(), DAYS)
def test_an_explanation_agrees_with_the_answer(calendar: WorkCalendar, day: date) -> None:
    """`explain` and `is_working` never differ."""
    assert calendar.is_working(day) == calendar.explain(day).working


def test_tet_2026_is_skipped() -> None:
    """Five working days after Thursday 12 February 2026 end on Thursday 26 February: Tết takes a whole week."""
    calendar = edition().work_calendar
    assert calendar.add_working_days(date(2026, 2, 12), 5) == date(2026, 2, 26)
    assert calendar.subtract_working_days(date(2026, 2, 26), 5) == date(2026, 2, 12)
    assert [str(day) for day in calendar.days_off_between(date(2026, 2, 12), date(2026, 2, 26))] == [
        "2026-02-14 weekend",
        "2026-02-15 weekend",
        "2026-02-16 holiday",
        "2026-02-17 holiday",
        "2026-02-18 holiday",
        "2026-02-19 holiday",
        "2026-02-20 holiday",
        "2026-02-21 weekend",
        "2026-02-22 weekend",
    ]


def test_a_holiday_is_named_in_both_languages() -> None:
    """An explanation says which holiday it is."""
    explained = edition().work_calendar.explain(date(2026, 2, 17))
    assert (explained.working, explained.reason) == (False, "holiday")
    assert explained.name == Bilingual(vi="Tết Nguyên Đán", en="Lunar New Year")


def test_a_holiday_on_a_weekend_is_made_up_for() -> None:
    """The Hùng Kings' day of 2026 is a Sunday, so Monday 27 April is off."""
    explained = edition().work_calendar.explain(date(2026, 4, 27))
    assert (explained.working, explained.reason) == (False, "holiday")


@pytest.mark.parametrize(
    ("day", "working", "reason"),
    [
        (date(2026, 1, 2), False, "extra_off"),
        (date(2026, 1, 10), True, "extra_working"),
        (date(2026, 8, 22), True, "extra_working"),
        (date(2026, 8, 29), False, "weekend"),
        (date(2026, 3, 12), True, "ordinary"),
    ],
)
def test_announced_swaps_win_over_the_week(day: date, working: bool, reason: str) -> None:
    """A Friday given off and the Saturday worked for it stand as announced, from our table and the package's."""
    explained = edition().work_calendar.explain(day)
    assert (explained.working, explained.reason) == (working, reason)


def test_a_day_announced_both_ways_is_refused() -> None:
    """A day cannot be worked and off."""
    day = named(date(2026, 1, 10))
    with pytest.raises(ValueError, match="2026-01-10 is announced as worked and as off"):
        WorkCalendar(extra_working=[day], extra_off=[day])


def test_a_week_without_a_working_day_is_refused() -> None:
    """Counting in such a week would never end."""
    with pytest.raises(ValueError, match="a week needs a working day"):
        WorkCalendar(weekend=WEEKDAYS)


def test_none_counted_is_the_day_itself() -> None:
    """Zero working days from a Sunday is that Sunday; less than none is refused."""
    sunday = date(2026, 4, 12)
    assert sunday == WorkCalendar().add_working_days(sunday, 0)
    assert sunday == WorkCalendar().subtract_working_days(sunday, 0)
    with pytest.raises(ValueError, match="0 or more"):
        WorkCalendar().add_working_days(sunday, -1)
