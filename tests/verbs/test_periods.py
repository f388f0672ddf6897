"""Days as people give and read them are periods of the business zone, first and last day included."""

from datetime import datetime

import pytest

from locales import translator
from settings import Settings
from verbs.periods import after_last_instant, first_day, first_instant, last_day, period

HERE = Settings(profile="demo")
ENGLISH = translator("en")


def test_the_first_day_begins_and_the_last_ends_at_midnight_of_the_business_zone() -> None:
    """The end is the beginning of the day after."""
    assert period(datetime(2026, 5, 18), datetime(2026, 5, 24), HERE) == {
        "since": "2026-05-18T00:00:00+07:00",
        "until": "2026-05-25T00:00:00+07:00",
    }
    assert period(None, None, HERE) == {}


@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/Los_Angeles"])
@pytest.mark.parametrize("day", [datetime(2026, 3, 29), datetime(2026, 12, 31)])
def test_a_day_is_read_as_it_was_given(zone: str, day: datetime) -> None:
    """Also on a day of 23 hours and across a year's end."""
    there = HERE.model_copy(update={"zone": zone})
    said = ENGLISH.short_date(day.date())
    assert first_day(first_instant(day, there), there, ENGLISH) == said
    assert last_day(after_last_instant(day, there), there, ENGLISH) == said
    assert last_day(None, there, ENGLISH) == ""
