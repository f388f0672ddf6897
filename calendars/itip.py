"""iTIP (RFC 5546): the REQUEST that puts an item into a calendar, the CANCEL that takes it out.

Both are pure: the same arguments give the same bytes, so that a repeated sending is recognised as one. Components are
built with icalendar, and written as it writes them, in the order in which they are put together. Nothing here leans on
what icalendar refuses: it guards a part of it by `assert` alone.
"""

from datetime import datetime
from typing import Literal

from icalendar import Calendar, vCalAddress

from calendars.components import PRODID, described, zones_of
from calendars.serialising import serialised
from calendars.views import ItemView
from domain.mailbox import Mailbox
from domain.text import one_line
from domain.values import Language, Value

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
    people = [asked(one) for one in _of_one_mailbox(attendees)]
    return _message("REQUEST", view, dtstamp, view.status.upper(), organizer, people)


def cancel(view: ItemView, organizer: Mailbox, attendees: tuple[Attendee, ...], dtstamp: datetime) -> bytes:
    """Return an iCalendar object with METHOD:CANCEL and one VEVENT (RFC 5546 section 3.2.5), as UTF-8 with CRLF.

    `view` is what the recipient last saw, with the raised sequence. STATUS is CANCELLED also when the item goes on for
    others: in this recipient's calendar it was theirs alone, and readers drop it only when told so.
    """
    people = [named(one.mailbox) for one in _of_one_mailbox(attendees)]
    return _message("CANCEL", view, dtstamp, "CANCELLED", organizer, people)


def _of_one_mailbox(attendees: tuple[Attendee, ...]) -> tuple[Attendee, ...]:
    if len({one.mailbox.key for one in attendees}) != 1:
        raise ValueError("attendees: a message goes to the people of exactly one mailbox")
    return attendees


def _message(
    method: str, view: ItemView, dtstamp: datetime, status: str, organizer: Mailbox, people: list[vCalAddress]
) -> bytes:
    event = described(view, dtstamp, status)
    event.add("ORGANIZER", named(organizer))
    event.add("ATTENDEE", people)
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("METHOD", method)
    for component in (*zones_of(view), event):
        calendar.add_component(component)
    return serialised(calendar)


def asked(one: Attendee) -> vCalAddress:
    """Return the ATTENDEE of somebody who is asked, or told without being asked again."""
    person = named(one.mailbox)
    person.params.update(
        CUTYPE="INDIVIDUAL",
        ROLE="REQ-PARTICIPANT",
        PARTSTAT=one.answer,
        RSVP="TRUE" if one.answer == "NEEDS-ACTION" else "FALSE",
        LANGUAGE=one.language,
    )
    return person


def named(mailbox: Mailbox) -> vCalAddress:
    """Return `mailto:address` with the name as CN.

    Three characters have no place in a parameter (RFC 5545 section 3.2). A double quote ends it, and readers that know
    the escape of RFC 6868, which icalendar writes, are rare: it becomes an apostrophe. The sign of that escape is
    dropped, and so is the backslash, which escapes nothing here but hides the next character from some readers.
    """
    name = one_line(mailbox.name.replace('"', "'").replace("^", "").replace("\\", ""))
    return vCalAddress(f"mailto:{mailbox.address}", params={"CN": name} if name else {})
