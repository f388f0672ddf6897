"""Exactly one digest on each local day, in every zone, whatever the clocks do."""

import os
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.digest import digest_due

ZONES = sorted(available_timezones() - {"localtime", "Factory", "posixrules"})
FIRST = datetime(2025, 12, 30, tzinfo=UTC)
RUNS = [FIRST + timedelta(hours=hour) for hour in range(24 * 369)]
YEAR = [date(2026, 1, 1) + timedelta(days=day) for day in range(365)]


def days_of_2026(zone: str, hour: int, runs: list[datetime]) -> list[date]:
    """The days for which a digest is due, in the order of the runs."""
    due = (digest_due(now, zone, hour) for now in runs)
    return [day for day in due if day is not None and day.year == 2026]


def behaviours() -> dict[tuple[object, ...], str]:
    """One zone for each way in which clocks behave in 2026: many names share one."""
    seen: dict[tuple[object, ...], str] = {}
    for name in ZONES:
        zone = ZoneInfo(name)
        changes = tuple((FIRST + timedelta(hours=at)).astimezone(zone).utcoffset() for at in range(24 * 369))
        seen.setdefault(changes, name)
    return seen


@pytest.mark.slow
def test_every_zone_gets_exactly_one_digest_for_each_day_of_2026() -> None:
    """At two, an hour that some clocks skip in spring and show twice in autumn. Asked every full hour.

    Every third behaviour each day, all of them where one explores.
    """
    every = 1 if os.environ.get("HYPOTHESIS") == "explore" else 3
    for zone in [*behaviours().values()][::every]:
        assert days_of_2026(zone, 2, RUNS) == YEAR, zone


@forall(
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 23),
    start=st.integers(0, 24 * 365),
    delays=st.lists(st.integers(0, 3599), min_size=72, max_size=72),
)
def test_runs_that_come_late_within_their_hour_change_nothing(
    zone: str, hour: int, start: int, delays: list[int]
) -> None:
    """A schedule starts a little after the full hour, now sooner, now later."""
    runs = RUNS[start : start + 72]
    late = [now + timedelta(seconds=delay) for now, delay in zip(runs, delays, strict=False)]
    assert days_of_2026(zone, hour, late) == days_of_2026(zone, hour, runs)


@pytest.mark.parametrize(
    ("zone", "now", "day"),
    [
        ("Asia/Ho_Chi_Minh", "2026-03-10T00:00:07+00:00", date(2026, 3, 10)),
        ("Asia/Ho_Chi_Minh", "2026-03-10T01:00:00+00:00", None),
        ("Asia/Ho_Chi_Minh", "2026-03-09T23:59:59+00:00", None),
        ("Asia/Kolkata", "2026-03-10T02:00:00+00:00", date(2026, 3, 10)),
        ("Asia/Kolkata", "2026-03-10T01:00:00+00:00", None),
        ("Europe/Prague", "2026-03-28T06:00:00+00:00", date(2026, 3, 28)),
        ("Europe/Prague", "2026-03-29T05:00:00+00:00", date(2026, 3, 29)),
        ("Pacific/Kiritimati", "2026-03-09T17:00:00+00:00", date(2026, 3, 10)),
    ],
)
def test_the_morning_is_that_of_the_account_s_own_clock(zone: str, now: str, day: date | None) -> None:
    """Never before the hour; where a clock stands on the half hour, half an hour after it."""
    assert digest_due(datetime.fromisoformat(now), zone, 7) == day


def test_an_hour_that_the_clock_skips_comes_with_the_jump_and_one_shown_twice_once() -> None:
    """Prague, two o'clock, on 29 March and 25 October."""
    spring = [digest_due(datetime(2026, 3, 29, hour, tzinfo=UTC), "Europe/Prague", 2) for hour in range(3)]
    assert spring == [None, date(2026, 3, 29), None]
    autumn = [digest_due(datetime(2026, 10, 25, hour, tzinfo=UTC), "Europe/Prague", 2) for hour in range(3)]
    assert autumn == [date(2026, 10, 25), None, None]
