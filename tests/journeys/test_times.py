"""Stays, flights over two zones and the hour that Berlin repeats, as a mail server gets them."""

from calendar import SUNDAY, monthcalendar
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import vobject

from domain.state import Delegation
from tests.journeys.mail import calendar_in, parsed
from tests.running import Running

pytestmark = pytest.mark.slow

ALICE = {"groups": ["delegates"]}


def last_sunday_of_october(after: date) -> date:
    """The night in which Berlin's clock goes back, next after a day."""
    for year in (after.year, after.year + 1):
        day = date(year, 10, max(week[SUNDAY] for week in monthcalendar(year, 10)))
        if day > after:
            return day
    raise AssertionError


async def with_items(here: Running, *items: dict[str, Any]) -> Delegation:
    """Invite a delegate to these items."""
    await here.open()
    await here.add("head", "head")
    for item in items:
        await here.send({"type": "schedule_item", "audience": ALICE, **item})
    await here.approve()
    await here.send({"type": "invite"})
    return await here.idle()


def objects(here: Running) -> dict[str, str]:
    """The iCalendar object of each item, unfolded, as the one delegate's mailbox got it."""
    found = {}
    for _, octets in here.post.taken:
        if (ics := calendar_in(parsed(octets))) is not None:
            uid = vobject.readOne(ics).vevent.uid.value
            found[uid.partition(".")[0]] = ics.replace("\r\n ", "")
    return found


async def test_stay_flight_and_repeated_hour_arrive_as_they_were_meant(here: Running) -> None:
    """Whole days with an exclusive end; a zone at each end; an instant in UTC where the wall clock would not do."""
    starts = datetime.now(UTC).date() + timedelta(days=90)
    night = last_sunday_of_october(starts).isoformat()
    first, third = starts.isoformat(), (starts + timedelta(days=2)).isoformat()
    before = (starts - timedelta(days=1)).isoformat()
    await with_items(
        here,
        {
            "item_id": "hotel",
            "kind": "hotel",
            "title": "Stay",
            "starts": {"local": f"{first}T14:00"},
            "ends": {"local": f"{third}T12:00"},
        },
        {
            "item_id": "flight",
            "kind": "flight",
            "title": "Praha – Hà Nội",
            "starts": {"local": f"{before}T13:50", "zone": "Europe/Prague"},
            "ends": {"local": f"{first}T06:20", "zone": "Asia/Ho_Chi_Minh"},
        },
        {
            "item_id": "night",
            "kind": "meeting",
            "title": "Call in the repeated hour",
            "starts": {"local": f"{night}T02:15", "zone": "Europe/Berlin", "fold": 1},
            "ends": {"local": f"{night}T02:45", "zone": "Europe/Berlin", "fold": 1},
        },
    )
    got = objects(here)
    assert set(got) == {"hotel", "flight", "night"}

    def day(text: str) -> str:
        return text.replace("-", "")

    for line in (f"DTSTART;VALUE=DATE:{day(first)}", f"DTEND;VALUE=DATE:{day(third)}", "TRANSP:TRANSPARENT"):
        assert f"\r\n{line}\r\n" in got["hotel"]
    assert "VTIMEZONE" not in got["hotel"]
    for line in (
        f"DTSTART;TZID=Europe/Prague:{day(before)}T135000",
        f"DTEND;TZID=Asia/Ho_Chi_Minh:{day(first)}T062000",
        "TZID:Europe/Prague",
        "TZID:Asia/Ho_Chi_Minh",
    ):
        assert f"\r\n{line}\r\n" in got["flight"]
    # The second of the two is an hour later than the first: at 01:15 in UTC.
    for line in (f"DTSTART:{day(night)}T011500Z", f"DTEND:{day(night)}T014500Z"):
        assert f"\r\n{line}\r\n" in got["night"]
    assert "VTIMEZONE" not in got["night"]


async def test_the_change_from_one_of_the_two_hours_to_the_other_is_told(here: Running) -> None:
    """The wall clock shows the same time; the instant is another one, so the mailbox hears of it."""
    night = last_sunday_of_october(datetime.now(UTC).date() + timedelta(days=90)).isoformat()
    times = [
        {
            "starts": {"local": f"{night}T02:15", "zone": "Europe/Berlin", "fold": fold},
            "ends": {"local": f"{night}T02:45", "zone": "Europe/Berlin", "fold": fold},
        }
        for fold in (0, 1)
    ]
    await with_items(here, {"item_id": "night", "kind": "meeting", "title": "Call", **times[0]})
    await here.send({"type": "move_item", "item_id": "night", **times[1]}, {"type": "publish_programme"})
    await here.idle()
    event = vobject.readOne(objects(here)["night"]).vevent
    assert (event.sequence.value, event.dtstart.value.strftime("%H:%MZ")) == ("1", "01:15Z")
