"""iTIP (RFC 5546): the REQUEST that puts an item into a calendar, the CANCEL that takes it out.

Both are pure: the same arguments give the same bytes, so that a repeated sending is recognised as one. Components are
built and written with icalendar, in the order in which they are put together. Nothing here leans on what icalendar
refuses: it guards a part of it by `assert` alone.
"""

from datetime import UTC, date, datetime
from typing import Literal

from icalendar import Calendar, Component, Event, Timezone, vCalAddress, vDate, vDatetime, vText

from calendars.views import ItemView
from calendars.zones import goes_out_in_utc, vtimezone
from domain.mailbox import Mailbox
from domain.text import one_line
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
    people = [_asked(one) for one in _of_one_mailbox(attendees)]
    return _message("REQUEST", view, dtstamp, view.status.upper(), organizer, people)


def cancel(view: ItemView, organizer: Mailbox, attendees: tuple[Attendee, ...], dtstamp: datetime) -> bytes:
    """Return an iCalendar object with METHOD:CANCEL and one VEVENT (RFC 5546 section 3.2.5), as UTF-8 with CRLF.

    `view` is what the recipient last saw, with the raised sequence. STATUS is CANCELLED also when the item goes on for
    others: in this recipient's calendar it was theirs alone, and readers drop it only when told so.
    """
    people = [_named(one.mailbox) for one in _of_one_mailbox(attendees)]
    return _message("CANCEL", view, dtstamp, "CANCELLED", organizer, people)


def _of_one_mailbox(attendees: tuple[Attendee, ...]) -> tuple[Attendee, ...]:
    if len({one.mailbox.key for one in attendees}) != 1:
        raise ValueError("attendees: a message goes to the people of exactly one mailbox")
    return attendees


def _message(
    method: str, view: ItemView, dtstamp: datetime, status: str, organizer: Mailbox, people: list[vCalAddress]
) -> bytes:
    *zones, event = item_components(view, dtstamp, status)
    event.add("ORGANIZER", _named(organizer))
    event.add("ATTENDEE", people)
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("METHOD", method)
    for component in (*zones, event):
        calendar.add_component(component)
    octets: bytes = calendar.to_ical(sorted=False)
    return octets


def item_components(view: ItemView, dtstamp: datetime, status: str) -> tuple[Component, ...]:
    """Return the zones that an item names, then the item as a VEVENT that names nobody: all that every channel says."""
    event = Event()
    event.add("UID", _Text(view.uid))
    event.add("DTSTAMP", _instant(dtstamp))
    event.add("SEQUENCE", view.sequence)
    event.add("STATUS", status)
    _add_span(event, view)
    event.add("SUMMARY", _Text(view.summary))
    if view.location:
        event.add("LOCATION", _Text(view.location))
    if view.description:
        event.add("DESCRIPTION", _Text(view.description))
    return (*_zones(view), event)


def _add_span(event: Event, view: ItemView) -> None:
    if view.all_day_stay:
        _add_day(event, "DTSTART", view.first_day)
        _add_day(event, "DTEND", view.last_day)
    else:
        _add_moment(event, "DTSTART", view.starts)
        _add_moment(event, "DTEND", view.ends)
    event.add("TRANSP", "TRANSPARENT" if view.all_day_stay else "OPAQUE")


def _add_day(event: Event, name: str, day: date) -> None:
    event.add(name, vDate(day), {"VALUE": "DATE"})


def _add_moment(event: Event, name: str, moment: Moment) -> None:
    if goes_out_in_utc(moment):
        event.add(name, _instant(moment.instant))
    else:
        # The zone is named beside a bare wall clock: from a clock with a zone icalendar would choose a name itself.
        event.add(name, vDatetime(datetime.fromisoformat(moment.local)), {"TZID": moment.zone})


def _instant(instant: datetime) -> vDatetime:
    """Return an aware instant in form 2, `20260411T073000Z` (RFC 5545 section 3.3.5); parts of a second are dropped.

    icalendar would take a time without zone for UTC: refused with ValueError.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return vDatetime(instant.astimezone(UTC))


def _zones(view: ItemView) -> list[Timezone]:
    """Return each zone that the item names, once, in the order of their first use."""
    if view.all_day_stay:
        return []
    named = dict.fromkeys(moment.zone for moment in (view.starts, view.ends) if not goes_out_in_utc(moment))
    return [component for zone in named if (component := vtimezone(zone))]


def _asked(one: Attendee) -> vCalAddress:
    person = _named(one.mailbox)
    person.params.update(
        CUTYPE="INDIVIDUAL",
        ROLE="REQ-PARTICIPANT",
        PARTSTAT=one.answer,
        RSVP="TRUE" if one.answer == "NEEDS-ACTION" else "FALSE",
        LANGUAGE=one.language,
    )
    return person


def _named(mailbox: Mailbox) -> vCalAddress:
    """Return `mailto:address` with the name as CN.

    Three characters have no place in a parameter (RFC 5545 section 3.2). A double quote ends it, and readers that know
    the escape of RFC 6868, which icalendar writes, are rare: it becomes an apostrophe. The sign of that escape is
    dropped, and so is the backslash, which escapes nothing here but hides the next character from some readers.
    """
    name = one_line(mailbox.name.replace('"', "'").replace("^", "").replace("\\", ""))
    return vCalAddress(f"mailto:{mailbox.address}", params={"CN": name} if name else {})


class _Text(vText):
    r"""TEXT in which a written `\N`, as in `Z:\Nghi thức`, stays what it is: icalendar would make it a line break."""

    def to_ical(self) -> bytes:
        return rb"\\N".join(vText(part).to_ical() for part in self.split(r"\N"))
