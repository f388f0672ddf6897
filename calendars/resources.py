"""Calendar object resources (RFC 4791 section 4.1): one item as it stands in a collection, and what is read back.

There is no METHOD, no ORGANIZER and no ATTENDEE. A server therefore has nothing to schedule (RFC 6638 section 3.1: a
scheduling object has an ORGANIZER), whatever it makes of `SCHEDULE-AGENT=CLIENT`; and nobody else is named to anybody.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from icalendar import Calendar, Event

from calendars.components import PRODID, described, zones_of
from calendars.serialising import serialised
from calendars.views import ItemView
from domain.canonical import sha256_hex

COMPARED = ("SUMMARY", "LOCATION", "DESCRIPTION", "TRANSP", "STATUS")
"""Texts that are ours. What people add in their own calendar (an alarm, a category, a colour) is theirs."""

USUAL = {"TRANSP": "OPAQUE", "STATUS": "CONFIRMED"}
"""What a property says that a server left out."""

REPEATING = ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")


@dataclass(frozen=True)
class Said:
    """What a resource says of its item, whoever wrote it down: instants in UTC, texts in NFC.

    `ours` tells whether we wrote it: servers keep PRODID, and an invitation by mail would name its organiser.
    """

    uid: str
    span: tuple[str, str]
    texts: tuple[str, ...]
    ours: bool


def resource(view: ItemView, dtstamp: datetime) -> bytes:
    """Return one item as a calendar object resource, UTF-8 with CRLF; the same arguments give the same bytes.

    `dtstamp` is the aware instant since which the item stands so. Refuses with ValueError a cancelled view: what was
    cancelled is taken out of a collection.
    """
    if view.status == "cancelled":
        raise ValueError("view.status: a cancelled item is not put into a collection")
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    for component in (*zones_of(view), described(view, dtstamp, view.status.upper())):
        calendar.add_component(component)
    return serialised(calendar)


def resource_name(uid: str) -> str:
    """Return the last part of the address that an item gets in a collection: it says nothing, and needs no escape."""
    return f"legation-{sha256_hex(uid.encode())[:32]}.ics"


def said(body: bytes) -> Said | None:
    """Return what a resource says, or None where it is no single item that can be read (also one that repeats).

    The bytes are a stranger's: whatever icalendar makes of them, nothing is raised.
    """
    try:
        calendar = Calendar.from_ical(body)
        events = [one for one in calendar.walk("VEVENT") if isinstance(one, Event)]
        if len(events) != 1 or any(name in events[0] for name in REPEATING):
            return None
        [event] = events
        starts = event.decoded("DTSTART")
        if "DTEND" in event:
            ends = event.decoded("DTEND")
        else:
            ends = starts + event.decoded("DURATION") if "DURATION" in event else starts
        return Said(
            uid=str(event["UID"]),
            span=(_point(starts), _point(ends)),
            texts=tuple(_text(event, name) for name in COMPARED),
            ours=str(calendar.get("PRODID", "")) == PRODID and "ORGANIZER" not in event,
        )
    except Exception:  # noqa: BLE001 - icalendar raises whatever a malformed property makes it meet
        return None


def same(one: bytes, other: bytes) -> bool:
    """Whether two resources say the same of their item, though a server wrote one of them down in its own way."""
    if one == other:
        return True
    left, right = said(one), said(other)
    return left is not None and right is not None and _compared(left) == _compared(right)


def _compared(one: Said) -> tuple[Any, ...]:
    return one.uid, one.span, one.texts


def _point(value: Any) -> str:
    if isinstance(value, datetime):
        # A floating time means another instant to every reader: it is none of ours.
        return value.astimezone(UTC).isoformat() if value.tzinfo else f"floating {value.isoformat()}"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError("neither a date nor a time")


def _text(event: Event, name: str) -> str:
    value = event.get(name, USUAL.get(name, ""))
    plain = unicodedata.normalize("NFC", str(value)).strip()
    return plain.upper() if name in USUAL else plain
