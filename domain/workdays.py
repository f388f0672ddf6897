"""Which days are worked, and how to count them.

Working days leave out weekends and public holidays. Tết moves each year and swaps of days are announced yearly
(domain.md, Deadlines), so the days are given as a table and never computed here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from domain.bilingual import Bilingual
from domain.values import BusinessText, Fact, Value

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKEND: tuple[Weekday, ...] = ("saturday", "sunday")

DayReason = Literal["ordinary", "weekend", "holiday", "extra_off", "extra_working"]

ONE_DAY = timedelta(days=1)


class NamedDay(Value):
    """A day that the weekdays alone do not explain, with its name and the act that made it so."""

    date: date
    name: Bilingual
    source: BusinessText


class DayExplained(Fact):
    """Why a day is worked or not. `name` is given where a table names the day."""

    date: date
    working: bool
    reason: DayReason
    name: Bilingual | None = None

    def __str__(self) -> str:
        """Return the day and its reason: `2026-02-17 holiday`."""
        return f"{self.date.isoformat()} {self.reason}"


@dataclass(frozen=True)
class WorkCalendar:
    """A week and the days that depart from it.

    What is announced for one day wins over the tables: a day in `extra_working` is worked even on a weekend or a
    holiday, and a day in `extra_off` is not worked. Refuses with ValueError a day that stands in both, and a week
    without a working day.
    """

    holidays: Sequence[NamedDay] = ()
    extra_working: Sequence[NamedDay] = ()
    extra_off: Sequence[NamedDay] = ()
    weekend: Sequence[Weekday] = WEEKEND
    _named: dict[date, DayExplained] = field(init=False, repr=False, compare=False)
    _weekend: frozenset[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        both = {day.date for day in self.extra_working} & {day.date for day in self.extra_off}
        if both:
            raise ValueError(f"{min(both)} is announced as worked and as off")
        if len(set(self.weekend)) == len(WEEKDAYS):
            raise ValueError("a week needs a working day")
        named = {
            day.date: DayExplained(date=day.date, working=working, reason=reason, name=day.name)
            for days, working, reason in _ranked(self.holidays, self.extra_off, self.extra_working)
            for day in days
        }
        object.__setattr__(self, "_named", named)
        object.__setattr__(self, "_weekend", frozenset(WEEKDAYS.index(day) for day in self.weekend))

    def explain(self, day: date) -> DayExplained:
        """Return whether a day is worked and why."""
        named = self._named.get(day)
        if named is not None:
            return named
        if day.weekday() in self._weekend:
            return DayExplained(date=day, working=False, reason="weekend")
        return DayExplained(date=day, working=True, reason="ordinary")

    def is_working(self, day: date) -> bool:
        """Return whether a day is worked."""
        named = self._named.get(day)
        return named.working if named is not None else day.weekday() not in self._weekend

    def add_working_days(self, day: date, count: int) -> date:
        """Return the `count`-th working day after a day.

        The day itself is not counted, and none counted is the day itself, worked or not. Refuses a negative count
        with ValueError.
        """
        return self._walk(day, count, ONE_DAY)

    def subtract_working_days(self, day: date, count: int) -> date:
        """Return the `count`-th working day before a day, counted as in `add_working_days`."""
        return self._walk(day, count, -ONE_DAY)

    def working_days_between(self, first: date, last: date) -> int:
        """Return how many working days lie after `first` up to and including `last`; 0 if `last` is not later."""
        return sum(self.is_working(day) for day in _days(first + ONE_DAY, last)) if first < last else 0

    def days_off_between(self, first: date, last: date) -> tuple[DayExplained, ...]:
        """Return the days that are not worked from `first` to `last`, both included, in order."""
        return tuple(explained for day in _days(first, last) if not (explained := self.explain(day)).working)

    def _walk(self, day: date, count: int, step: timedelta) -> date:
        if count < 0:
            raise ValueError("a count of working days is 0 or more")
        while count:
            day += step
            count -= self.is_working(day)
        return day


def _ranked(
    holidays: Sequence[NamedDay], extra_off: Sequence[NamedDay], extra_working: Sequence[NamedDay]
) -> tuple[tuple[Sequence[NamedDay], bool, DayReason], ...]:
    """Return the tables in the order in which a later one wins."""
    return (holidays, False, "holiday"), (extra_off, False, "extra_off"), (extra_working, True, "extra_working")


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
