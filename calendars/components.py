"""What every form of calendar says of an item alike: its event without people, and the zones that it names.

Components are built with icalendar. A value is never handed to it as plain text: Text escapes what it leaves open.
"""

from datetime import UTC, date, datetime

from icalendar import Event, Timezone, vDate, vDatetime, vText

from calendars.views import ItemView
from calendars.zones import goes_out_in_utc, vtimezone
from domain.values import Moment

PRODID = "-//Legation//Calendars//EN"


class Text(vText):
    r"""TEXT in which a written `\N`, as in `Z:\Nghi thức`, stays what it is: icalendar would make it a line break."""

    def to_ical(self) -> bytes:
        return rb"\\N".join(vText(part).to_ical() for part in self.split(r"\N"))


def described(view: ItemView, dtstamp: datetime, status: str) -> Event:
    """Return the VEVENT of an item without ORGANIZER and ATTENDEE; `dtstamp` is an aware instant, `status` in capitals.

    Refuses with ValueError an instant without zone.
    """
    event = Event()
    event.add("UID", Text(view.uid))
    event.add("DTSTAMP", instant_of(dtstamp))
    event.add("SEQUENCE", view.sequence)
    event.add("STATUS", status)
    _add_span(event, view)
    event.add("SUMMARY", Text(view.summary))
    if view.location:
        event.add("LOCATION", Text(view.location))
    if view.description:
        event.add("DESCRIPTION", Text(view.description))
    return event


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
        event.add(name, instant_of(moment.instant))
    else:
        # The zone is named beside a bare wall clock: from a clock with a zone icalendar would choose a name itself.
        event.add(name, vDatetime(datetime.fromisoformat(moment.local)), {"TZID": moment.zone})


def instant_of(instant: datetime) -> vDatetime:
    """Return an aware instant in form 2, `20260411T073000Z` (RFC 5545 section 3.3.5); parts of a second are dropped.

    icalendar would take a time without zone for UTC: refused with ValueError.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return vDatetime(instant.astimezone(UTC))


def zones_named(view: ItemView) -> tuple[str, ...]:
    """Return the names of the zones that stand beside the item's times, each once, in the order of their first use."""
    if view.all_day_stay:
        return ()
    return tuple(dict.fromkeys(moment.zone for moment in (view.starts, view.ends) if not goes_out_in_utc(moment)))


def zones_of(view: ItemView) -> list[Timezone]:
    """Return the VTIMEZONE of each zone that the item names."""
    return [component for zone in zones_named(view) if (component := vtimezone(zone))]
