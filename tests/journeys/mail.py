"""Mail as its reader gets it: by IMAP from a mailbox, or whole from a mail server."""

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import vobject
from imap_tools import MailBoxUnencrypted

from embedded.folder import StackRecord
from embedded.ports import HOST


@dataclass(frozen=True)
class Told:
    """What one calendar message says, as a reader other than ours understands it."""

    uid: str
    method: str
    sequence: int
    starts: str
    attendee: str

    @property
    def item(self) -> str:
        """The item's id on its file."""
        return self.uid.partition(".")[0]


def mailbox(record: StackRecord, address: str) -> list[EmailMessage]:
    """Every message in a development mailbox, in order of arrival."""
    assert record.mail_password is not None
    with MailBoxUnencrypted(HOST, record.ports.imap).login(address, record.mail_password.get_secret_value()) as box:
        return [parsed(message.obj.as_bytes()) for message in box.fetch(mark_seen=False, bulk=True)]


def parsed(octets: bytes) -> EmailMessage:
    """A message from its octets."""
    message = message_from_bytes(octets, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def calendar_in(message: EmailMessage) -> str | None:
    """The iCalendar object of a message, whose METHOD is that of its part; None for a letter."""
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            octets = part.get_payload(decode=True)
            assert isinstance(octets, bytes)
            assert f"\r\nMETHOD:{part.get_param('method')}\r\n".encode() in octets
            return octets.decode()
    return None


def told(message: EmailMessage) -> Told | None:
    """What a message says about a calendar; None for a letter."""
    if (ics := calendar_in(message)) is None:
        return None
    calendar = vobject.readOne(ics)
    event = calendar.vevent
    return Told(
        uid=event.uid.value,
        method=calendar.method.value,
        sequence=int(event.sequence.value),
        starts=event.dtstart.value.isoformat(),
        attendee=event.attendee.value.removeprefix("mailto:"),
    )


def attached(message: EmailMessage, media_type: str) -> list[tuple[str | None, bytes]]:
    """Names and contents of a message's attachments of one type."""
    found = []
    for part in message.iter_attachments():
        if part.get_content_type() == media_type:
            octets = part.get_payload(decode=True)
            assert isinstance(octets, bytes)
            found.append((part.get_filename(), octets))
    return found
