"""A calendar program as RFC 5546 wants it, in thirty lines: what one mailbox shows after the messages it got.

It reads with vobject, which shares no code with what writes.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import vobject


@dataclass(frozen=True)
class Entry:
    """What a person sees in the calendar of one item."""

    starts: str
    ends: str
    title: str
    place: str
    notes: str = ""


@dataclass
class Kept:
    """The newest that was heard of one UID; `shown` is None once it was cancelled."""

    sequence: int
    dtstamp: datetime
    shown: Entry | None
    attendees: frozenset[str]


@dataclass
class ModelCalendar:
    """Judges each message by section 2.1.5: by SEQUENCE, then by DTSTAMP; what is older than what it holds is dropped.

    A cancellation of something unknown is remembered too, so that a request that comes later is known to be older.
    """

    kept: dict[str, Kept] = field(default_factory=dict)

    def receive(self, content: bytes) -> bool:
        """Take one mail; return whether anything that is shown changed."""
        calendar = vobject.readOne(calendar_of(content).decode())
        event = calendar.vevent
        uid, sequence, dtstamp = event.uid.value, int(event.sequence.value), event.dtstamp.value
        known = self.kept.get(uid)
        if known and (sequence, dtstamp) < (known.sequence, known.dtstamp):
            return False
        shown = entry_of(event) if calendar.method.value == "REQUEST" else None
        names = frozenset(one.params.get("CN", [""])[0] for one in event.contents.get("attendee", ()))
        attendees = names if shown else frozenset()
        self.kept[uid] = Kept(sequence, dtstamp, shown, attendees)
        return (known.shown, known.attendees) != (shown, attendees) if known else shown is not None

    @property
    def shown(self) -> dict[str, Entry]:
        """Everything that is in the calendar, by UID."""
        return {uid: one.shown for uid, one in self.kept.items() if one.shown}


def entry_of(event: vobject.base.Component) -> Entry:
    """Return what a VEVENT shows; times as instants in UTC, those of whole days as dates."""
    return Entry(
        starts=_written(event.dtstart.value),
        ends=_written(event.dtend.value),
        title=event.summary.value,
        place=event.getChildValue("location", ""),
        notes=event.getChildValue("description", ""),
    )


def _written(value: date) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()


def parts_of(content: bytes) -> list[EmailMessage]:
    """Return every part of a mail that is not itself made of parts."""
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return [part for part in message.walk() if not part.is_multipart()]


def decoded(part: EmailMessage) -> bytes:
    """Return what a part carries, its transfer encoding undone."""
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets


def calendar_of(content: bytes) -> bytes:
    """Return the one iCalendar object of a mail."""
    [part] = [part for part in parts_of(content) if part.get_content_type() == "text/calendar"]
    return decoded(part)


def everything_readable(content: bytes) -> str:
    """Return all that a reader could make out of a mail: octets, headers and parts, decoded and unfolded."""
    message = message_from_bytes(content, policy=default)
    headers = [f"{name}: {value}" for name, value in message.items()]
    bodies = [decoded(part).replace(b"\r\n ", b"").decode() for part in parts_of(content)]
    return "\n".join([content.decode("latin-1"), *headers, *bodies])
