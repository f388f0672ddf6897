"""A mail as the octets that go over the wire (RFC 5322, RFC 2045–2049).

Composed again from the same parts it is the same octets, boundaries included: a message repeated after a crash is
recognised as the one that was sent.
"""

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import Annotated

from pydantic import Field, StringConstraints

from domain.mailbox import Mailbox
from domain.text import Line
from domain.values import Value
from notices import headers
from notices.render import Rendered

_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,128}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?>")


class Attachment(Value):
    """A file beside the text. The name is shown to the reader: no path in it."""

    name: Annotated[Line, Field(min_length=1, max_length=120, pattern=r"^[^/\\]+$")]
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,90}$")]
    content: bytes


def compose(
    rendered: Rendered,
    *,
    sender: Mailbox,
    recipient: Mailbox,
    message_id: str,
    date: datetime,
    calendar: EmailMessage | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> bytes:
    """Return the octets of a mail to one recipient, with CRLF.

    The text is multipart/alternative: plain, HTML, then `calendar` (made by `calendars.imip.calendar_part`), whose
    ORGANIZER is the `sender`. Attachments stand beside it in a multipart/mixed. Everything is 7-bit (base64), so no
    relay has to touch it. `date` is an aware instant, business time, frozen with the message. Refuses with ValueError
    a `message_id` that is not `<left@domain>` in ASCII, and a date without zone.
    """
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("message_id: not of the form <left@domain>")
    if date.tzinfo is None:
        raise ValueError("date: an instant needs a zone")
    head = (
        headers.address("From", sender),
        headers.address("To", recipient),
        headers.unstructured("Subject", rendered.subject),
        headers.header("Date", format_datetime(date.astimezone(UTC))),
        headers.header("Message-ID", message_id),
        headers.header("Content-Language", rendered.language),
        # RFC 3834: out-of-office programs stay silent; answers of calendar clients are no such programs.
        headers.header("Auto-Submitted", "auto-generated"),
    )
    return b"".join(head) + _body(rendered, message_id, calendar, attachments)


def _body(
    rendered: Rendered, message_id: str, calendar: EmailMessage | None, attachments: tuple[Attachment, ...]
) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail.set_content(rendered.plain, cte="base64")
    mail.add_alternative(rendered.html, subtype="html", cte="base64")
    if calendar is not None:
        mail.attach(calendar)
    for attachment in attachments:
        maintype, subtype = attachment.media_type.split("/")
        mail.add_attachment(attachment.content, maintype=maintype, subtype=subtype, filename=attachment.name)
    for depth, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        # "=_" occurs in no base64 text, so the boundary occurs in no part.
        part.set_boundary("=_" + sha256(f"{depth}{message_id}".encode()).hexdigest()[:40])
    return mail.as_bytes()
