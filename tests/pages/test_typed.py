"""What people type is read as they mean it, and what cannot be read is left to the command to refuse."""

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.typed import Typed, day_of, instant_of, lines_of, number_of, time_of


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-04-11", date(2026, 4, 11)),
        ("11/4/2026", date(2026, 4, 11)),
        (" 11.04.2026 ", date(2026, 4, 11)),
        ("11-04-2026", date(2026, 4, 11)),
        ("31/2/2026", None),
        ("4/2026", None),
        ("0/0/0000", None),
        ("tomorrow", None),
    ],
)
def test_a_day_is_read_with_the_day_before_the_month(typed: str, read: date | None) -> None:
    """In Viet Nam and in Europe the day stands first; as a picker sends it, the year does."""
    assert day_of(typed) == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("9", time(9)),
        ("09:30", time(9, 30)),
        ("9h30", time(9, 30)),
        ("9h", time(9)),
        ("9 giờ 30", time(9, 30)),
        ("9 GIỜ", time(9)),
        ("16.45", time(16, 45)),
        ("24:00", None),
        ("9:5", None),
        ("noon", None),
    ],
)
def test_a_time_of_day_is_read_as_people_write_it(typed: str, read: time | None) -> None:
    """With a colon, a dot, an h or the word; the hour alone is the full hour."""
    assert time_of(typed) == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [("12", 12), ("201.000.000", 201_000_000), ("201 000", 201_000), ("-3", -3), ("1.5", None), ("", None)],
)
def test_a_number_is_read_with_or_without_its_groups(typed: str, read: int | None) -> None:
    """Dots and blanks group by thousands; a decimal is no whole number."""
    assert number_of(typed) == read


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_left(text: str) -> None:
    """Nothing that can be typed breaks the reading."""
    assert day_of(text) is None or isinstance(day_of(text), date)
    assert time_of(text) is None or isinstance(time_of(text), time)
    assert number_of(text) is None or isinstance(number_of(text), int)


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2199, 12, 31)))
def test_a_day_is_read_in_every_way_it_may_be_written(day: date) -> None:
    """As ISO 8601, and as Vietnamese write it."""
    assert day_of(day.isoformat()) == day
    assert day_of(f"{day.day}/{day.month}/{day.year}") == day
    assert day_of(f"{day.day:02}.{day.month:02}.{day.year}") == day


def test_a_form_keeps_every_value_of_a_name() -> None:
    """The last one counts where one is asked for."""
    form = Typed([("people", "m-1"), ("title", "x"), ("people", "m-2")])
    assert form["people"] == "m-2"
    assert form.all("people") == ("m-1", "m-2")
    assert lines_of(("a\r\n\n b ", "c")) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-03-26T12:00", "2026-03-26T12:00:00+07:00"),
        ("2026-03-26T05:00:00+00:00", "2026-03-26T05:00:00+00:00"),
        ("26/3/2026 12:00", "2026-03-26T12:00:00+07:00"),
        ("26/3/2026 9h30", "2026-03-26T09:30:00+07:00"),
        ("26.03.2026", "2026-03-26T23:59:59+07:00"),
        ("2026-03-26", "2026-03-26T23:59:59+07:00"),
        ("26/3/2026 25:00", None),
        ("30/2/2026", None),
        ("hôm qua", None),
        ("0001-01-01T00:00", None),
        ("", None),
    ],
)
def test_an_instant_is_read_as_browsers_and_people_write_it(written: str, found: str | None) -> None:
    """On the clock of the file where no zone is said; a day alone counts whole."""
    read = instant_of(written, ZoneInfo("Asia/Ho_Chi_Minh"))
    assert (read and read.isoformat()) == found
