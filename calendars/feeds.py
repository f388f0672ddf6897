"""Feeds: a calendar that programs fetch again and again (RFC 5545, RFC 7986), made from what one viewer may see.

A feed asks nobody anything: it has no METHOD, no ATTENDEE and no ORGANIZER. Its octets depend on what is seen and on
the day alone, so that who fetches it twice can be told that nothing has changed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from icalendar import Calendar, vText

from calendars.components import PRODID, Text, described, instant_of, zones_named
from calendars.serialising import serialised, serialised_zone
from calendars.views import ItemView
from domain.text import one_line
from domain.values import Value

CANCELLED_STAYS = timedelta(days=30)
"""How long a cancelled item stands in a feed as cancelled: programs that fetch once a day must meet it."""

REFRESHED = "PT1H"
"""How often programs are asked to look again (RFC 5545 section 3.3.6); several take their own time all the same."""

KEPT = 4096
"""Events kept as octets, of all feeds together."""

_END = b"END:VCALENDAR\r\n"


class Revision(Value):
    """An item as its viewer sees it, and since when it is so: an aware instant of business time."""

    view: ItemView
    since: datetime


class Feed(Value):
    """A calendar as octets. `changed` is when it last became what it is, to the second, in UTC."""

    content: bytes
    changed: datetime


def feed(name: str, zone: str, seen: Iterable[Revision], now: datetime) -> Feed:
    """Return the calendar of a viewer.

    `name` is what readers call it; `zone` the IANA zone of the business, which is defined in any case, since a calendar
    holds at least one component. Of items with the same UID one is shown: what stands before what is cancelled, then
    the newer. Cancelled items leave at the first midnight in UTC after CANCELLED_STAYS. Nothing else of `now` matters.
    """
    told = _one_for_each_uid(seen)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    shown = [one for one in told if midnight < _leaves(one)]
    gone = [_leaves(one) for one in told if _leaves(one) <= midnight]
    zones = dict.fromkeys([zone, *(name for one in shown for name in zones_named(one.view))])
    content = b"".join(
        (
            _opening(name),
            *(serialised_zone(name) for name in zones),
            *(_event(one.view, one.since) for one in shown),
            _END,
        )
    )
    changed = max([*(one.since for one in told), *gone], default=datetime.fromtimestamp(0, UTC))
    return Feed(content=content, changed=changed.astimezone(UTC).replace(microsecond=0))


def _one_for_each_uid(seen: Iterable[Revision]) -> list[Revision]:
    by_uid: dict[str, Revision] = {}
    for one in seen:
        other = by_uid.get(one.view.uid)
        if other is None or _weight(one) > _weight(other):
            by_uid[one.view.uid] = one
    return sorted(by_uid.values(), key=lambda one: (one.view.starts.instant, one.view.uid))


def _weight(one: Revision) -> tuple[bool, int, datetime]:
    return (one.view.status != "cancelled", one.view.sequence, one.since)


def _leaves(one: Revision) -> datetime:
    """Return the first midnight in UTC from which on the item is not shown any more; the last of all if it stands."""
    if one.view.status != "cancelled":
        return datetime.max.replace(tzinfo=UTC)
    stays = one.since.astimezone(UTC) + CANCELLED_STAYS + timedelta(days=1)
    return stays.replace(hour=0, minute=0, second=0, microsecond=0)


def _opening(name: str) -> bytes:
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("CALSCALE", "GREGORIAN")
    # Both names: RFC 7986 section 5.1, and what most programs read in its place.
    calendar["NAME"] = Text(one_line(name))
    calendar["X-WR-CALNAME"] = Text(one_line(name))
    calendar["REFRESH-INTERVAL"] = vText(REFRESHED, params={"VALUE": "DURATION"})
    calendar["X-PUBLISHED-TTL"] = vText(REFRESHED)
    return serialised(calendar).removesuffix(_END)


def forget() -> None:
    """Forget every event that is kept as octets."""
    _event.cache_clear()


@lru_cache(maxsize=KEPT)
def _event(view: ItemView, since: datetime) -> bytes:
    event = described(view, since, view.status.upper())
    event.add("LAST-MODIFIED", instant_of(since))
    if view.status == "cancelled":
        # A program that shows it all the same must not call its reader busy.
        event["TRANSP"] = vText("TRANSPARENT")
    return serialised(event)
