"""iTIP (RFC 5546): the REQUEST that puts an item into a calendar, the CANCEL that takes it out.

Both are pure: the same arguments give the same bytes, so that a repeated sending is recognised as one.
"""

from datetime import datetime
from typing import Literal

from calendars import lines
from calendars.views import ItemView
from calendars.zones import goes_out_in_utc, vtimezone
from domain.mailbox import Mailbox
from domain.values import Language, Moment, Value

PRODID = "-//Legation//Calendars//EN"

Answer = Literal["NEEDS-ACTION", "ACCEPTED", "TENTATIVE", "DECLINED"]


class Attendee(Value):
    """One recipient of an item.

    `answer` is what the recipient has said to the time and place as they stand now: NEEDS-ACTION asks for an answer;
    anything else keeps it and does not ask again (design rule: only a change of time or place asks again).
    """

    mailbox: Mailbox
    language: Language
    answer: Answer = "NEEDS-ACTION"


def request(view: ItemView, organizer: Mailbox, attendees: tuple[Attendee, ...], dtstamp: datetime) -> bytes:
    """Return an iCalendar object with METHOD:REQUEST and one VEVENT (RFC 5546 section 3.2.2), as UTF-8 with CRLF.

    The attendees are the people behind one mailbox: usually one, two where a mailbox is shared (a second message with
    the same UID would overwrite the first). `dtstamp` is the aware instant at which this version was made, frozen with
    it; `view.sequence` is raised by the caller. Refuses with ValueError attendees of several mailboxes, and a view
    that is cancelled.
    """
    if view.status == "cancelled":
        raise ValueError("view.status: a cancelled item is not requested")
    people = tuple(_attendee(one) + f":mailto:{one.mailbox.address}" for one in _of_one_mailbox(attendees))
    return _calendar("REQUEST", view, dtstamp, view.status.upper(), _organizer(organizer), people)


def cancel(view: ItemView, organizer: Mailbox, attendees: tuple[Attendee, ...], dtstamp: datetime) -> bytes:
    """Return an iCalendar object with METHOD:CANCEL and one VEVENT (RFC 5546 section 3.2.5), as UTF-8 with CRLF.

    `view` is what the recipient last saw, with the raised sequence. STATUS is CANCELLED also when the item goes on for
    others: in this recipient's calendar it was theirs alone, and readers drop it only when told so.
    """
    people = tuple(
        "ATTENDEE" + _name(one.mailbox) + f":mailto:{one.mailbox.address}" for one in _of_one_mailbox(attendees)
    )
    return _calendar("CANCEL", view, dtstamp, "CANCELLED", _organizer(organizer), people)


def _of_one_mailbox(attendees: tuple[Attendee, ...]) -> tuple[Attendee, ...]:
    if len({one.mailbox.key for one in attendees}) != 1:
        raise ValueError("attendees: a message goes to the people of exactly one mailbox")
    return attendees


def _calendar(
    method: str, view: ItemView, dtstamp: datetime, status: str, organizer: str, people: tuple[str, ...]
) -> bytes:
    head = lines.block("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}", f"METHOD:{method}")
    event = lines.block(
        "BEGIN:VEVENT",
        f"UID:{view.uid}",
        f"DTSTAMP:{lines.utc(dtstamp)}",
        f"SEQUENCE:{view.sequence}",
        f"STATUS:{status}",
        *_span(view),
        f"SUMMARY:{lines.text(view.summary)}",
        *([f"LOCATION:{lines.text(view.location)}"] if view.location else []),
        *([f"DESCRIPTION:{lines.text(view.description)}"] if view.description else []),
        organizer,
        *people,
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return head + _zones(view) + event


def _span(view: ItemView) -> list[str]:
    if view.all_day_stay:
        return [
            f"DTSTART;VALUE=DATE:{lines.day(view.first_day)}",
            f"DTEND;VALUE=DATE:{lines.day(view.last_day)}",
            "TRANSP:TRANSPARENT",
        ]
    return [_when("DTSTART", view.starts), _when("DTEND", view.ends), "TRANSP:OPAQUE"]


def _when(name: str, moment: Moment) -> str:
    if goes_out_in_utc(moment):
        return f"{name}:{lines.utc(moment.instant)}"
    wall = datetime.fromisoformat(moment.local)
    return f"{name}{lines.parameter('TZID', moment.zone)}:{lines.local(wall)}"


def _zones(view: ItemView) -> bytes:
    """Return each zone that the item names, once, in the order of their first use."""
    if view.all_day_stay:
        return b""
    named = [moment.zone for moment in (view.starts, view.ends) if not goes_out_in_utc(moment)]
    return b"".join(vtimezone(zone) or b"" for zone in dict.fromkeys(named))


def _organizer(organizer: Mailbox) -> str:
    return "ORGANIZER" + _name(organizer) + f":mailto:{organizer.address}"


def _attendee(one: Attendee) -> str:
    asked = "TRUE" if one.answer == "NEEDS-ACTION" else "FALSE"
    return (
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={one.answer};RSVP={asked}"
        + _name(one.mailbox)
        + lines.parameter("LANGUAGE", one.language)
    )


def _name(mailbox: Mailbox) -> str:
    return lines.parameter("CN", mailbox.name) if mailbox.name else ""
