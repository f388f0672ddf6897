"""VTIMEZONE (RFC 5545 section 3.6.5): the zone of an item in a form that every reader reads alike.

A zone is told as at most two observances with a yearly RRULE each, taken from the rule in its TZif footer; icalendar
only writes them down. Lists of single dates (RDATE), which say the same on paper and which icalendar would make, are
misread by several readers. Where two yearly rules do not say all that the zone does from 2024 on, there is no
VTIMEZONE, and the item goes out in UTC: right, if less pretty.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vDatetime, vRecur, vUTCOffset

from calendars import tzif
from domain.values import Moment

RIGHT_FROM = datetime(2024, 1, 1, tzinfo=UTC)
"""No visit planned with this product lies before it."""

_FIRST_YEAR = 1970
_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_SHORTEST_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY = timedelta(days=1)


@cache
def vtimezone(tzid: str) -> Timezone | None:
    """Return the VTIMEZONE component of a zone, or None: then the item goes out in UTC.

    The component is made once and shared by every message that names the zone: it is not to be changed.

    None for zones whose footer does not say it all from 2024 on (Africa/Casablanca, a zone that changed its law since),
    for changes that no single month holds (Africa/Cairo), and for UTC itself. Refuses with ValueError a name that is no
    IANA zone.
    """
    zone = tzif.zone(tzid)
    if zone.rule is None or zone.rule.standard.name in ("UTC", "-00") or not _rule_says_it_all(zone, zone.rule):
        return None
    if zone.rule.summer is None:
        fixed = zone.rule.standard
        start = datetime(_FIRST_YEAR, 1, 1)  # noqa: DTZ001 a wall clock has no zone
        observances = [_observance(TimezoneStandard, start, None, fixed.east, fixed)]
    else:
        observances = []
        for onset, before, after in zone.rule.changes():
            yearly = _yearly(onset)
            if yearly is None:
                return None
            # Ireland's file calls winter the exception (negative summer time); readers want DAYLIGHT to be ahead.
            kind = TimezoneDaylight if after.east > before.east else TimezoneStandard
            observances.append(_observance(kind, onset.wall(_FIRST_YEAR), yearly, before.east, after))
    component = Timezone()
    component.add("TZID", tzid)
    for observance in observances:
        component.add_component(observance)
    return component


def in_repeated_hour(instant: datetime, zone: str) -> bool:
    """Say whether the wall clock of the zone shows this instant's local time twice (the end of summer time).

    RFC 5545 section 3.3.5 lets a local time with TZID mean the first of the two only, and readers differ.
    """
    wall = instant.astimezone(_clock_of(zone)).replace(fold=0)
    return wall.utcoffset() != wall.replace(fold=1).utcoffset()


def goes_out_in_utc(moment: Moment) -> bool:
    """Say whether a moment must be written as an instant in UTC, because its wall clock would not be read back exactly.

    So for zones without VTIMEZONE, for the repeated hour, and for a moment sealed under an older law than the one the
    VTIMEZONE states: the sealed instant stands.
    """
    if vtimezone(moment.zone) is None or in_repeated_hour(moment.instant, moment.zone):
        return True
    wall = moment.instant.astimezone(_clock_of(moment.zone)).replace(tzinfo=None)
    return moment.instant < RIGHT_FROM or wall != datetime.fromisoformat(moment.local)


@cache
def _clock_of(zone: str) -> ZoneInfo:
    # Not ZoneInfo(zone): that prefers the machine's own files, which may be older than the rule that is written out.
    return ZoneInfo.from_file(BytesIO(tzif.content(zone)), key=zone)


def _rule_says_it_all(zone: tzif.Zone, rule: tzif.Rule) -> bool:
    """Compare the changes listed from 2024 on with those the rule makes; where the list ends the rule is law."""
    last = zone.list_ends
    if last < RIGHT_FROM:
        return True
    listed = [change for change in zone.changes if change[0] >= RIGHT_FROM]
    made = sorted(
        (onset.wall(year).replace(tzinfo=UTC) - before.east, after.east)
        for year in range(RIGHT_FROM.year - 1, last.year + 1)
        for onset, before, after in rule.changes()
    )
    offset_at_start = next((east for instant, east in reversed(zone.changes) if instant < RIGHT_FROM), zone.first)
    offset_by_rule = next((east for instant, east in reversed(made) if instant < RIGHT_FROM), rule.standard.east)
    return offset_at_start == offset_by_rule and listed == [c for c in made if RIGHT_FROM <= c[0] <= last]


def _yearly(onset: tzif.Onset) -> str | None:
    """Return the RRULE of a yearly change, or None where the change may fall into two months.

    POSIX counts the time from the midnight of the named day and may leave that day (`M3.4.4/26`: 02:00 on the Friday
    after the fourth Thursday). That Friday is not always the fourth one, so it is told by its span of month days.
    """
    days = onset.clock // _DAY
    weekday = _WEEKDAYS[(onset.weekday + days) % 7]
    if days == 0:
        return f"FREQ=YEARLY;BYMONTH={onset.month};BYDAY={-1 if onset.week == 5 else onset.week}{weekday}"
    longest = _SHORTEST_MONTH[onset.month - 1]
    if onset.week == 5 and onset.month == 2:
        return None
    first = (longest - 6 if onset.week == 5 else onset.week * 7 - 6) + days
    if first < 1 or first + 6 > longest:
        return None
    span = ",".join(str(first + step) for step in range(7))
    return f"FREQ=YEARLY;BYMONTH={onset.month};BYDAY={weekday};BYMONTHDAY={span}"


def _observance(
    kind: type[TimezoneStandard | TimezoneDaylight],
    start: datetime,
    yearly: str | None,
    before: timedelta,
    after: tzif.Offset,
) -> TimezoneStandard | TimezoneDaylight:
    observance = kind()
    observance.add("DTSTART", vDatetime(start))
    if yearly:
        observance.add("RRULE", vRecur.from_ical(yearly))
    observance.add("TZNAME", after.name)
    observance.add("TZOFFSETFROM", vUTCOffset(before))
    observance.add("TZOFFSETTO", vUTCOffset(after.east))
    return observance
