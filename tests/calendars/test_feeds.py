"""Feeds: what readers that share no code with the writer find in them, and what is never in them.

`python -m tests.calendars.test_feeds` writes the golden file anew; the commit that does so says why.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import recurring_ical_events
import vobject
from hypothesis import given
from hypothesis import strategies as st

from calendars import feeds
from calendars.feeds import CANCELLED_STAYS, KEPT, Feed, Revision, feed
from calendars.views import ItemView
from domain.values import resolve
from tests.calendars.cases import FLIGHT, GOLDEN, REPEATED, SESSION, STAMP, STAY, VIDEO

ZONE = "Asia/Ho_Chi_Minh"
NAME = "Đoàn Hội hữu nghị Tokyo"
NOW = datetime(2026, 3, 25, 12, 0, tzinfo=UTC)
ALL = tuple(Revision(view=view, since=STAMP) for view in (STAY, FLIGHT, REPEATED, SESSION, VIDEO))


def revised(view: ItemView, since: datetime = STAMP, **changes: Any) -> Revision:
    return Revision(view=ItemView.model_validate({**view.model_dump(), **changes}), since=since)


def cancelled(view: ItemView, since: datetime = STAMP) -> Revision:
    return revised(view, since, status="cancelled", sequence=view.sequence + 1)


def lines(content: bytes) -> list[str]:
    return content.replace(b"\r\n ", b"").decode().split("\r\n")


def events(content: bytes) -> list[Any]:
    """The events as vobject reads them."""
    return list(vobject.readOne(content.decode()).contents.get("vevent", []))


def test_the_octets_are_those_of_the_golden_file() -> None:
    """A feed of all kinds of items is the same octets every time; another form is another golden file."""
    made = golden()
    assert made.content == (GOLDEN / "feed.ics").read_bytes()
    assert made.changed == STAMP


def golden() -> Feed:
    return feed(NAME, ZONE, (*ALL, Revision(view=gone(), since=STAMP)), NOW)


def gone() -> ItemView:
    return ItemView.model_validate({**SESSION.model_dump(), "uid": "gone@songlam.example", "status": "cancelled"})


def test_the_order_of_what_is_given_does_not_matter() -> None:
    """By time, then by UID."""
    assert feed(NAME, ZONE, ALL, NOW) == feed(NAME, ZONE, tuple(reversed(ALL)), NOW)


def test_a_feed_asks_nobody_anything() -> None:
    """No METHOD, no ORGANIZER, no ATTENDEE: a program that subscribes answers to nobody."""
    found = lines((GOLDEN / "feed.ics").read_bytes())
    assert [line for line in found if line.startswith(("METHOD", "ORGANIZER", "ATTENDEE"))] == []


def test_a_feed_says_how_it_is_called_and_when_to_look_again() -> None:
    """RFC 7986 sections 5.1 and 5.7, and the two properties that most programs read in their place."""
    found = lines(feed(NAME, ZONE, (), NOW).content)
    assert found[:8] == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Legation//Calendars//EN",
        "CALSCALE:GREGORIAN",
        f"NAME:{NAME}",
        f"X-WR-CALNAME:{NAME}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]


def test_a_feed_without_items_is_a_calendar_all_the_same() -> None:
    """It holds the zone of the business: a calendar needs one component (RFC 5545 section 3.6)."""
    empty = feed(NAME, ZONE, (), NOW)
    assert [one.name for one in vobject.readOne(empty.content.decode()).getChildren()][-1] == "VTIMEZONE"
    assert empty.changed == datetime(1970, 1, 1, tzinfo=UTC)


def test_every_zone_is_defined_once_before_the_events() -> None:
    """The zone of the business first, then those of the items in their order."""
    found = lines(feed(NAME, ZONE, ALL, NOW).content)
    zones = [line for line in found if line.startswith("TZID:")]
    assert zones == ["TZID:Asia/Ho_Chi_Minh", "TZID:Europe/Berlin", "TZID:Europe/Prague"]
    assert max(n for n, line in enumerate(found) if line == "END:VTIMEZONE") < found.index("BEGIN:VEVENT")


def test_vobject_reads_the_exact_instants() -> None:
    """vobject trusts the VTIMEZONEs of the feed."""
    expected = {one.view.uid: one.view for one in ALL if not one.view.all_day_stay}
    read = {one.uid.value: one for one in events(feed(NAME, ZONE, ALL, NOW).content) if one.uid.value in expected}
    assert len(read) == 4
    for uid, view in expected.items():
        assert read[uid].dtstart.value.astimezone(UTC) == view.starts.instant
        assert read[uid].dtend.value.astimezone(UTC) == view.ends.instant


def test_recurring_ical_events_finds_every_item_on_its_day() -> None:
    """A reader that expands calendars for a day finds what takes place on it."""
    calendar = icalendar.Calendar.from_ical(feed(NAME, ZONE, ALL, NOW).content)
    [session] = recurring_ical_events.of(calendar).at((2026, 4, 11))
    assert session["SUMMARY"] == SESSION.summary
    assert session["DTSTART"].dt.astimezone(UTC) == SESSION.starts.instant
    assert len(recurring_ical_events.of(calendar).between((2026, 1, 1), (2027, 1, 1))) == 5


def test_the_stamps_are_those_of_the_revision() -> None:
    """DTSTAMP and LAST-MODIFIED are since when the viewer sees it so, never when somebody fetched it."""
    since = datetime(2026, 3, 20, 8, 30, 59, 999999, tzinfo=UTC)
    [event] = events(feed(NAME, ZONE, (revised(SESSION, since, sequence=3),), NOW).content)
    assert event.dtstamp.value == event.last_modified.value == since.replace(microsecond=0)
    assert event.sequence.value == "3"


def test_a_cancelled_item_stays_as_cancelled_for_a_set_number_of_days() -> None:
    """Programs that look once a day meet it; then it goes, at midnight, and the feed has changed."""
    one = cancelled(VIDEO)
    [event] = events(feed(NAME, ZONE, (one,), NOW).content)
    assert (event.status.value, event.transp.value, event.sequence.value) == ("CANCELLED", "TRANSPARENT", "1")
    midnight = datetime(2026, 4, 25, tzinfo=UTC)
    assert midnight - STAMP > CANCELLED_STAYS
    before, after = (feed(NAME, ZONE, (one,), at) for at in (midnight - timedelta(seconds=1), midnight))
    assert (len(events(before.content)), before.changed) == (1, STAMP)
    assert (len(events(after.content)), after.changed) == (0, midnight)


def test_the_hour_of_fetching_changes_nothing() -> None:
    """Within one day, whatever the hour, and on any day while nothing leaves."""
    whole = feed(NAME, ZONE, (*ALL, cancelled(gone())), NOW)
    for hours in (1, 11, 24, 24 * 20):
        assert feed(NAME, ZONE, (*ALL, cancelled(gone())), NOW + timedelta(hours=hours)) == whole


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_entries_with_one_uid_the_one_that_stands_is_shown(turned: bool) -> None:
    """Somebody who is on a file twice, and taken off once, still goes there."""
    two = (cancelled(SESSION), revised(SESSION))
    [event] = events(feed(NAME, ZONE, tuple(reversed(two)) if turned else two, NOW).content)
    assert event.status.value == "CONFIRMED"


def test_the_newer_of_two_entries_with_one_uid_is_shown() -> None:
    """The higher SEQUENCE, then the later revision."""
    newer = revised(SESSION, sequence=2, summary="Newer")
    [event] = events(feed(NAME, ZONE, (newer, revised(SESSION, STAMP + timedelta(days=1))), NOW).content)
    assert event.summary.value == "Newer"


TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\\Nn;,:\"^'\r\n "), min_size=1, max_size=200)


@given(name=TEXT, summary=TEXT)
def test_no_text_leaves_its_line(name: str, summary: str) -> None:
    """A name or a title with line breaks, escapes or properties in it is a text like any other."""
    view = SESSION.model_copy(update={"summary": summary.replace("\r", " ")})
    found = lines(feed(name, ZONE, (Revision(view=view, since=STAMP),), NOW).content)
    assert sum(line == "BEGIN:VEVENT" for line in found) == 1
    assert sum(line.startswith("NAME:") for line in found) == 1
    [calendar] = vobject.readComponents(feed(name, ZONE, ALL, NOW).content.decode())
    assert len(calendar.contents["vevent"]) == 5


def test_ten_thousand_items_do_not_let_the_cache_grow_without_bound() -> None:
    """What is kept as octets is bounded, whoever asks for how much."""
    starts, ends = resolve("2026-04-11T14:30", ZONE), resolve("2026-04-11T15:30", ZONE)
    for number in range(10_000):
        view = ItemView(uid=f"{number}@songlam.example", summary="x", starts=starts, ends=ends)
        feeds._event(view, STAMP)
    assert feeds._event.cache_info().currsize == KEPT


def test_a_feed_that_nothing_changed_in_is_equal() -> None:
    """Equal octets have an equal ETag."""
    assert feed(NAME, ZONE, ALL, NOW) == Feed(content=feed(NAME, ZONE, ALL, NOW).content, changed=STAMP)


if __name__ == "__main__":
    (GOLDEN / "feed.ics").write_bytes(golden().content)
