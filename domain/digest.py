"""The morning digest: once on each local day, at an hour of the account's own clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EVERY = timedelta(hours=1)
"""How often it is asked whose morning it is."""


def digest_due(now: datetime, zone: str, hour: int) -> date | None:
    """Return the local day whose morning came within the hour before the last full hour of `now`, or at it, or None.

    `hour` (0 to 23) is a wall clock's, in the IANA zone. Asked once within each hour of UTC, it names every local day
    exactly once: an hour that the clock skips in spring comes with the jump, and of one that it shows twice in autumn
    the first counts. Nobody is written to before that hour, nor more than an hour after it.
    """
    asked = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    tz = ZoneInfo(zone)
    today = asked.astimezone(tz).date()
    # Where the clock skips the hour over midnight, the morning of a day falls on the next.
    for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
        morning = datetime.combine(day, time(hour), tz).astimezone(UTC)
        if morning <= asked < morning + EVERY:
            return day
    return None
