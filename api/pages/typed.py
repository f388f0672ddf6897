"""What people type into forms, as they type it: days, times, numbers and lists. Pure."""

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

DAY = re.compile(
    r"^(?:(?P<y1>\d{4})-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})|(?P<d2>\d{1,2})[./-](?P<m2>\d{1,2})[./-](?P<y2>\d{4}))$"
)
CLOCK = re.compile(r"^(?P<hour>\d{1,2})(?:\s*(?:[:.hg]|giờ)\s*(?P<minute>\d{2})?)?$", re.IGNORECASE)
WHOLE = re.compile(r"^-?\d{1,18}$")


class Typed(dict[str, str]):
    """The fields of a form as they came: of several with one name the last, and by `all` every one of them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        """`pairs` are names and values in the order of the form."""
        super().__init__(pairs)
        self.pairs = tuple(pairs)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of one name, in the order of the form."""
        return tuple(value for one, value in self.pairs if one == name)


def day_of(text: str) -> date | None:
    """Return the day that was typed, `2026-04-11`, `11/4/2026` or `11.04.2026`, or None.

    The day stands before the month, as in Viet Nam and in Europe.
    """
    found = DAY.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = (int(found[f"{part}1"] or found[f"{part}2"]) for part in "ymd")
    try:
        return date(year, month, day)
    except ValueError:
        return None


def time_of(text: str) -> time | None:
    """Return the time of day that was typed, `9`, `09:30`, `9h30`, `9 giờ 30` or `9.30`, or None."""
    found = CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return time(int(found["hour"]), int(found["minute"] or 0))
    except ValueError:
        return None


def instant_of(text: str, here: ZoneInfo) -> datetime | None:
    """Return the instant that was typed, or None: `2026-03-26T12:00` as a browser has it, or `26/3/2026 9h30`.

    Without a zone on the clock of `here`; a day alone until its last second. Only the years from 1990 to 2199.
    """
    written, _, clock = text.strip().partition(" ")
    day, at = day_of(written), time_of(clock) if clock.strip() else time(23, 59, 59)
    if day is not None:
        found = None if at is None else datetime.combine(day, at)
    else:
        try:
            found = datetime.fromisoformat(text.strip())
        except ValueError:
            return None
    if found is None or not 1990 <= found.year <= 2199:
        return None
    return found if found.tzinfo else found.replace(tzinfo=here)


def number_of(text: str) -> int | None:
    """Return the whole number that was typed, with or without blanks or dots between its thousands, or None."""
    plain = re.sub(r"(?<=\d)[\s\u00a0.](?=\d{3}(?:\D|$))", "", text.strip())
    return int(plain) if WHOLE.fullmatch(plain) else None


def lines_of(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines of a text area, or the values of several boxes, without blank ones."""
    return tuple(line.strip() for value in values for line in value.splitlines() if line.strip())
