"""Instants as people write them at the command line: a day, a time on the clock of the file, or one with its zone."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from locales import mark
from verbs.refusal import Refusal

DAY = re.compile(r"\d{4}-\d\d-\d\d")

BEGINS = timedelta()
ENDS = timedelta(days=1) - timedelta(microseconds=1)


def instant(written: str, zone: str, *, of_a_day: timedelta = ENDS) -> str:
    """Return an instant (RFC 3339, UTC) for a day (its end, or with BEGINS its beginning), a local time or an instant.

    What names no zone is read on the clock of `zone`. Refuses what is none of these.
    """
    try:
        if DAY.fullmatch(written):
            at = datetime.combine(date.fromisoformat(written), time(), ZoneInfo(zone))
            return _written(at.astimezone(UTC) + of_a_day)
        at = datetime.fromisoformat(written)
        return _written(at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone)))
    except (ValueError, OverflowError):
        text = mark("“%(written)s” is no day or time, such as 2026-03-01, 2026-03-01T09:00 or 2026-03-01T02:00:00Z.")
        raise Refusal(text, written=written) from None


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
