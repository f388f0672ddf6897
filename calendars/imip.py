"""iMIP (RFC 6047): how an iTIP message travels by e-mail.

The mail itself is composed by `notices.message`, which takes the part made here as the last alternative, the form a
calendar client prefers (RFC 2046 section 5.1.4).
"""

import re
from email.message import EmailMessage
from email.policy import SMTP

from domain.canonical import digest_of
from domain.mailbox import Mailbox
from domain.values import Digest

_METHOD = re.compile(rb"^METHOD:([A-Z]+)\r\n", re.MULTILINE)
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


def calendar_part(ics: bytes) -> EmailMessage:
    """Return the `text/calendar; method=…` part of a message, base64 so that no relay touches the CRLF of the object.

    The method parameter is read from the object: the two must be equal (RFC 6047 section 2.4). Refuses with ValueError
    an object without METHOD or with bare line feeds.
    """
    method = _METHOD.search(ics)
    if method is None or ics.count(b"\n") != ics.count(b"\r\n"):
        raise ValueError("the calendar object has no METHOD or lost its CRLF")
    part = EmailMessage(policy=SMTP)
    part.set_content(
        ics,
        maintype="text",
        subtype="calendar",
        cte="base64",
        params={"charset": "utf-8", "method": method.group(1).decode("ascii")},
    )
    return part


def message_id(
    *, uid: str, sequence: int, method: str, mailbox: Mailbox, view_hash: Digest, domain: str, recurrence_id: str = ""
) -> str:
    """Return the Message-ID of one sending, `<64 hexadecimal digits@domain>`, derived from the key of its ledger row.

    Sent again after a crash, the same version to the same mailbox carries the same id; receivers see one message.
    `domain` is the sending domain, in lower-case ASCII; refuses another with ValueError.
    """
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("domain: a lower-case ASCII domain such as example.org")
    return f"<{digest_of([uid, recurrence_id, sequence, method, mailbox.key, view_hash])}@{domain}>"
