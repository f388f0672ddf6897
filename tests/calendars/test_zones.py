"""VTIMEZONE components as they go out, read back by two readers that share no zone logic with us or with each other.

The rules are ours (calendars.zones); icalendar writes them down. vobject reads without any of its code.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
import vobject
from icalendar import Timezone
from icalendar.timezone.zoneinfo import ZONEINFO

from calendars import tzif
from calendars.zones import goes_out_in_utc, in_repeated_hour, vtimezone
from domain.values import Moment, resolve

PROBES = 50
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)

IN_UTC = {
    # the clock goes back at the end of the last Thursday of October, which may be the 1st of November
    "Africa/Cairo",
    "Egypt",
    # listed changes that no yearly rule makes
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Asia/Gaza",
    "Asia/Hebron",
}


def law(zone: str) -> ZoneInfo:
    return ZoneInfo.from_file(BytesIO(tzif.content(zone)), key=zone)


def probes(zone: str) -> Iterator[datetime]:
    """Give 50 instants spread over 2024–2035, and the hours around each change of the years 2024, 2026 and 2035."""
    step = (LAST - FIRST) / PROBES
    clock = law(zone)
    for number in range(PROBES):
        yield FIRST + step * number
    for year in (2024, 2026, 2035):
        for day in range(0, 366, 1):
            before = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day)
            after = before + timedelta(days=1)
            if before.astimezone(clock).utcoffset() != after.astimezone(clock).utcoffset():
                yield from (before + timedelta(hours=hour) for hour in range(-26, 50))


def read_by_vobject(component: bytes) -> tzinfo:
    """vobject leaves VTIMEZONE to python-dateutil."""
    calendar = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + component + b"END:VCALENDAR\r\n"
    read: tzinfo = vobject.readOne(calendar.decode()).vtimezone.tzinfo
    return read


def read_by_icalendar(component: bytes) -> tzinfo:
    read: tzinfo = ZONEINFO().create_timezone(Timezone.from_ical(component))
    return read


def octets(zone: str) -> bytes:
    """Return the component of a zone as a message carries it."""
    component = vtimezone(zone)
    assert component is not None
    read: bytes = component.to_ical(sorted=False)
    return read


def written() -> list[str]:
    return sorted(zone for zone in tzif.names() if vtimezone(zone) is not None)


@cache
def distinct() -> dict[bytes, str]:
    """One zone for each distinct law and component: links such as Europe/Oslo need no second reading."""
    chosen: dict[bytes, str] = {}
    for zone in written():
        chosen.setdefault(octets(zone).split(b"\r\n", 2)[2] + tzif.content(zone), zone)
    return chosen


@pytest.mark.slow
@pytest.mark.parametrize("reader", [read_by_vobject, read_by_icalendar])
def test_every_zone_is_read_back_as_its_law_says(reader: Callable[[bytes], tzinfo]) -> None:
    """Every wall-clock time that occurs once is the same instant for the reader as in tzdata, 2024 to 2035."""
    wrong = []
    for zone in distinct().values():
        clock, read = law(zone), reader(octets(zone))
        for instant in probes(zone):
            wall = instant.astimezone(clock).replace(tzinfo=None)
            if in_repeated_hour(instant, zone):
                continue
            if wall - (wall.replace(tzinfo=read).utcoffset() or timedelta()) != instant.replace(tzinfo=None):
                wrong.append((zone, instant))
    assert wrong == []


def test_most_zones_have_a_component() -> None:
    """Only zones that changed their law since 2024, or that no yearly rule of one month describes, go out in UTC."""
    missing = tzif.names() - set(written())
    assert missing >= IN_UTC
    for zone in missing - IN_UTC - {"Factory"}:
        rule = tzif.zone(zone).rule
        assert tzif.zone(zone).list_ends >= FIRST or (rule is not None and rule.standard.name == "UTC"), zone
    assert len(missing) < len(tzif.names()) // 10


@pytest.mark.parametrize(
    ("posix", "yearly"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
        ("NZST-12NZDT,M9.5.0,M4.1.0/3", "FREQ=YEARLY;BYMONTH=9;BYDAY=-1SU"),
        ("IST-2IDT,M3.4.4/26,M10.5.0", "FREQ=YEARLY;BYMONTH=3;BYDAY=FR;BYMONTHDAY=23,24,25,26,27,28,29"),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "FREQ=YEARLY;BYMONTH=3;BYDAY=SA;BYMONTHDAY=24,25,26,27,28,29,30"),
    ],
)
def test_the_footer_becomes_a_yearly_rule(posix: str, yearly: str) -> None:
    """A change before or after its named day is told by its weekday and a span of month days."""
    from calendars.zones import _yearly

    rule = tzif.rule(posix)
    assert rule is not None
    assert rule.begins is not None
    assert _yearly(rule.begins) == yearly


def test_a_rule_by_day_of_the_year_is_not_taken() -> None:
    """`J79` says nothing that BYMONTH and BYDAY could repeat."""
    assert tzif.rule("<+0330>-3:30<+0430>,J79/24,J263/24") is None


def test_viet_nam_has_one_observance() -> None:
    """A zone without summer time is one STANDARD, without RRULE."""
    assert octets("Asia/Ho_Chi_Minh").decode().split("\r\n") == [
        "BEGIN:VTIMEZONE",
        "TZID:Asia/Ho_Chi_Minh",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZNAME:+07",
        "TZOFFSETFROM:+0700",
        "TZOFFSETTO:+0700",
        "END:STANDARD",
        "END:VTIMEZONE",
        "",
    ]


def test_berlin_has_two_yearly_rules() -> None:
    """One RRULE each for winter and summer, no list of dates, in the order in which the year's changes are told."""
    content = octets("Europe/Berlin").decode().split("\r\n")
    assert [line for line in content if line.startswith(("BEGIN", "DTSTART", "R"))] == [
        "BEGIN:VTIMEZONE",
        "BEGIN:STANDARD",
        "DTSTART:19701025T030000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "BEGIN:DAYLIGHT",
        "DTSTART:19700329T020000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
    ]


def test_ireland_is_ahead_in_summer() -> None:
    """Its file calls winter the exception; readers expect DAYLIGHT to be the one that is ahead."""
    daylight = octets("Europe/Dublin").decode().split("BEGIN:DAYLIGHT")[1]
    assert "TZOFFSETTO:+0100" in daylight


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe/", "localtime", ""])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    """A name never becomes a path."""
    with pytest.raises(ValueError, match="not an IANA time zone"):
        vtimezone(zone)


@pytest.mark.parametrize(
    ("instant", "repeated"),
    [
        ("2026-10-24T23:59+00:00", False),
        ("2026-10-25T00:00+00:00", True),
        ("2026-10-25T01:59+00:00", True),
        ("2026-10-25T02:00+00:00", False),
        ("2026-03-29T01:00+00:00", False),
    ],
)
def test_the_repeated_hour_of_berlin(instant: str, repeated: bool) -> None:
    """In Berlin 02:00 to 03:00 is shown twice on 25 October 2026; nothing is shown twice in spring."""
    assert in_repeated_hour(datetime.fromisoformat(instant), "Europe/Berlin") is repeated


def test_what_goes_out_in_utc() -> None:
    """The repeated hour, zones without component, and a wall clock that today's law puts at another instant."""
    assert goes_out_in_utc(resolve("2026-10-25T02:30", "Europe/Berlin", fold=1))
    assert goes_out_in_utc(resolve("2026-10-25T02:30", "Europe/Berlin", fold=0))
    assert goes_out_in_utc(resolve("2027-01-10T09:00", "Africa/Casablanca"))
    assert goes_out_in_utc(resolve("2027-01-10T09:00", "UTC"))
    assert goes_out_in_utc(
        Moment(local="2027-01-10T09:00", zone="Asia/Ho_Chi_Minh", instant=datetime(2027, 1, 10, 1, tzinfo=UTC))
    )
    assert not goes_out_in_utc(resolve("2027-01-10T09:00", "Asia/Ho_Chi_Minh"))
