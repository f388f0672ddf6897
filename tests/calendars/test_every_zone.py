"""Items of every IANA zone as their messages carry them: read by two independent readers, held to Python's own zones.

Readers know many zones by name and may look no further; here each zone goes under a name that nobody knows, so that
what is read is what we wrote.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, reset_tzpath

import icalendar
import pytest
import recurring_ical_events
import tzdata
import vobject
from pydantic import ValidationError

from calendars import tzif
from calendars.itip import request
from calendars.views import ItemView
from calendars.zones import goes_out_in_utc, in_repeated_hour
from domain import values
from domain.values import LocalTime, Moment
from tests.calendars.cases import STAMP, TANAKA, UNION
from tests.calendars.test_zones import FIRST, LAST, PROBES, law

ROOT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)
NAMES_OF_THE_MACHINE = {"Factory", "localtime", "posixrules"}

Reader = Callable[[bytes], dict[str, datetime]]


def changes(zone: str) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Give each change of a zone's offset, 2024 to 2035: its instant, the offset before and after."""
    clock = law(zone)

    def east(instant: datetime) -> timedelta:
        return instant.astimezone(clock).utcoffset() or timedelta()

    days = [FIRST + timedelta(days=day) for day in range((LAST - FIRST).days + 1)]
    for low, high in pairwise(days):
        if east(low) != east(high):
            while high - low > MINUTE:
                middle = low + (high - low) // 2 // MINUTE * MINUTE
                low, high = (middle, high) if east(middle) == east(low) else (low, middle)
            yield high, east(low), east(high)


def probes(zone: str) -> list[datetime]:
    """Return fifty instants, 2024 to 2035: around the first changes and the last, the others evenly spread."""
    found = list(changes(zone))
    steps = (-61, -1, 0, 59, 61)
    near = [change[0] + step * MINUTE for change in (*found[:2], *found[-2:]) for step in steps]
    near = sorted({instant for instant in near if FIRST <= instant < LAST})
    spread = PROBES - len(near)
    return [*near, *(FIRST + (LAST - FIRST) // spread * number // MINUTE * MINUTE for number in range(spread))]


def moment(instant: datetime, zone: str) -> Moment:
    wall = instant.astimezone(law(zone)).replace(tzinfo=None)
    return Moment(local=wall.isoformat(timespec="minutes"), zone=zone, instant=instant)


def item(number: int, instant: datetime, zone: str) -> ItemView:
    starts, ends = moment(instant, zone), moment(instant + 30 * MINUTE, zone)
    return ItemView(uid=f"{number}@songlam.example", summary="x", starts=starts, ends=ends)


def in_one_object(zone: str, instants: list[datetime]) -> bytes:
    """Return the messages of a zone's items as one object, the zone once, under a name that no reader knows."""
    zones, events = set(), []
    for number, instant in enumerate(instants):
        ics = request(item(number, instant, zone), UNION, (TANAKA,), STAMP).replace(b"\r\n ", b"")
        before, event = ics.split(b"BEGIN:VEVENT\r\n")
        if b"BEGIN:VTIMEZONE" in before:
            zones.add(b"BEGIN:VTIMEZONE" + before.partition(b"BEGIN:VTIMEZONE")[2])
        events.append(b"BEGIN:VEVENT\r\n" + event.removesuffix(b"END:VCALENDAR\r\n"))
    assert len(zones) <= 1
    renamed = b"".join((*zones, *events))
    for mark in (b"TZID:", b"TZID="):
        renamed = renamed.replace(mark + zone.encode(), mark + b"nobody-knows/" + zone.encode())
    return b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n" + renamed + b"END:VCALENDAR\r\n"


def by_vobject(ics: bytes) -> dict[str, datetime]:
    """vobject leaves the zone to python-dateutil; it has no line in common with icalendar."""
    return {one.uid.value: one.dtstart.value.astimezone(UTC) for one in vobject.readOne(ics.decode()).vevent_list}


def by_recurring_ical_events(ics: bytes) -> dict[str, datetime]:
    """It expands what icalendar parses; the rules of the zone are read by dateutil's other half."""
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(ics)).between((2023, 12, 1), (2036, 2, 1))
    return {str(one["UID"]): one["DTSTART"].dt.astimezone(UTC) for one in found}


EXPLORING = os.environ.get("HYPOTHESIS") == "explore"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reader", "every", "first"),
    [(by_vobject, 1, 0) if EXPLORING else (by_vobject, 4, 2), (by_recurring_ical_events, 1 if EXPLORING else 4, 0)],
)
def test_fifty_items_of_every_zone_are_read_at_their_instants(reader: Reader, every: int, first: int) -> None:
    """All 598 zones, also those that go out in UTC; skipped and repeated hours are among the probes.

    Each day each reader reads every fourth of them, not the same; all of them where one explores (`make faults`).
    """
    wrong = []
    read: dict[tuple[bytes, bytes], str] = {}
    for zone in sorted(tzif.names())[first::every]:
        instants = probes(zone)
        assert len(instants) == PROBES
        ics = in_one_object(zone, instants)
        # A link such as Europe/Oslo has the octets of its target: read once.
        alike = (ics.replace(zone.encode(), b""), tzif.content(zone))
        if read.setdefault(alike, zone) != zone:
            continue
        expected = {f"{number}@songlam.example": instant for number, instant in enumerate(instants)}
        seen = reader(ics)
        wrong += [(zone, instant, seen.get(uid)) for uid, instant in expected.items() if seen.get(uid) != instant]
    assert wrong == []
    assert len(read) > 300 // every


@pytest.mark.slow
def test_no_zone_takes_a_time_that_does_not_exist_or_an_unsaid_one_of_two() -> None:
    """At every change of every zone, 2024 to 2035: the skipped times are refused, the repeated ones ask for `fold`.

    The repeated ones go out in UTC, whichever is meant.
    """
    skipped = repeated = 0
    for zone in sorted(tzif.names() - NAMES_OF_THE_MACHINE):
        for instant, before, after in changes(zone):
            length = abs(after - before)
            first = (instant + min(before, after)).replace(tzinfo=None)
            for step in (timedelta(), length / 2 // MINUTE * MINUTE, length - MINUTE):
                local = (first + step).isoformat(timespec="minutes")
                with pytest.raises(ValidationError) as refusal:
                    LocalTime(local=local, zone=zone)
                [code] = [error["type"] for error in refusal.value.errors()]
                if after > before:
                    assert code == "local_time_does_not_exist", (zone, local)
                    skipped += 1
                else:
                    assert code == "local_time_is_ambiguous", (zone, local)
                    for fold, east in ((0, before), (1, after)):
                        meant = LocalTime.model_validate({"local": local, "zone": zone, "fold": fold}).resolve()
                        assert meant.instant == (first + step - east).replace(tzinfo=UTC), (zone, local, fold)
                        assert in_repeated_hour(meant.instant, zone)
                        assert goes_out_in_utc(meant)
                    repeated += 1
    assert skipped > 1_000
    assert repeated > 1_000


def test_a_new_release_of_the_zones_never_meets_an_old_component(tmp_path: Path) -> None:
    """What is cached lives as long as its process, and a process reads one release: the next one writes the new law.

    A copy of the package in which Viet Nam keeps Tokyo's time stands for the new release.
    """
    newer = tmp_path / "tzdata"
    shutil.copytree(Path(tzdata.__file__).parent, newer)
    shutil.copy(newer / "zoneinfo" / "Asia" / "Tokyo", newer / "zoneinfo" / "Asia" / "Ho_Chi_Minh")
    (newer / "__init__.py").write_text('__version__ = "2099.1"\nIANA_VERSION = "2099a"\n')
    said = (
        "from calendars import tzif, zones; "
        "print(tzif.VERSION, zones.vtimezone('Asia/Ho_Chi_Minh')['TZID'], "
        "zones.vtimezone('Asia/Ho_Chi_Minh').subcomponents[0]['TZOFFSETTO'].to_ical())"
    )
    for path, expected in (
        (ROOT, f"{tzif.VERSION} Asia/Ho_Chi_Minh +0700"),
        (f"{tmp_path}{os.pathsep}{ROOT}", "2099a Asia/Ho_Chi_Minh +0900"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", said],
            env=os.environ | {"PYTHONPATH": str(path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected


def test_the_file_of_a_zone_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule and clock of a zone come of one reading, so they cannot be of two releases."""
    before = tzif.content("Asia/Tokyo")
    monkeypatch.setattr(tzif, "files", lambda package: pytest.fail(f"{package} was read again"))
    assert tzif.content("Asia/Tokyo") is before


def test_a_machine_with_older_zones_changes_nothing(tmp_path: Path) -> None:
    """Python prefers the machine's files. Local times are resolved by the same release that calendars are told."""
    older = tmp_path / "Europe" / "Chisinau"
    older.parent.mkdir()
    older.write_bytes(tzif.content("Asia/Tokyo"))
    values.clock_of.cache_clear()
    ZoneInfo.clear_cache()
    reset_tzpath(to=[tmp_path])
    try:
        assert ZoneInfo("Europe/Chisinau").utcoffset(datetime(2026, 7, 1)) == timedelta(hours=9)
        resolved = LocalTime(local="2026-07-01T09:00", zone="Europe/Chisinau").resolve()
    finally:
        reset_tzpath()
        ZoneInfo.clear_cache()
    assert resolved.instant == datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert not goes_out_in_utc(resolved)
