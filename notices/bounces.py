"""Delivery reports (RFC 3464): what a mail server says later about a mail that one had taken. Pure.

Anybody can write such a report, so what is read here is a claim: the mail ledger knows whether there is such a message,
to such a mailbox (`storage/dead_letters.py`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from email.utils import parseaddr
from typing import Literal

Action = Literal["failed", "delayed", "delivered", "relayed", "expanded"]

ACTIONS: tuple[Action, ...] = ("failed", "delayed", "delivered", "relayed", "expanded")
LARGEST_REPORT = 1_000_000
"""Octets of a report that is read; one with a large mail in it is read up to here."""

RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
MOST_BLOCKS = 100
MOST_PARTS = 50

_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{3,250}>")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_WITHOUT_STATUS: dict[str, str] = {"failed": "5.0.0", "delayed": "4.0.0"}


@dataclass(frozen=True)
class Bounce:
    """What a report says of one mail to one recipient: of several, of the first that failed.

    `status` is an enhanced status code (RFC 3463) such as `5.1.1`. `message_id` is that of our mail, with its angle
    brackets. `recipients` are the addresses that the report names: the final and the original recipient, and to whom
    the returned mail was addressed; in lower case. `diagnostic` is what the other server said, as one line.
    """

    action: Action
    status: str
    message_id: str | None
    recipients: tuple[str, ...] = field(default=(), repr=False)
    diagnostic: str = field(default="", repr=False)

    @property
    def failed(self) -> bool:
        """Whether the mail was not delivered and will not be: a delay is none."""
        return self.action == "failed"


def parse_bounce(raw: bytes) -> Bounce | None:
    """Return what a mail reports about one of ours, or None where it is no report of RFC 3464.

    Nothing in it raises: a report that cannot be read is none.
    """
    report = message_from_bytes(raw[:LARGEST_REPORT], policy=compat32)
    parts = _parts(report)
    statuses = [part for part in parts if part.get_content_type().endswith("delivery-status")]
    if report.get_content_type() != "multipart/report" or not statuses:
        return None
    groups = [group for part in statuses for group in _groups(part)]
    said = [(action, group) for group in groups if (action := _action(group))]
    if not said:
        return None
    action, group = next((one for one in said if one[0] == "failed"), said[0])
    returned = _returned(parts)
    diagnostic = _typed(_text(group, "Diagnostic-Code"))
    addresses = [_typed(_text(group, name)) for name in ("Final-Recipient", "Original-Recipient")]
    addresses += [parseaddr(_text(returned, "To"))[1]] if returned is not None else []
    return Bounce(
        action=action,
        status=_status(_text(group, "Status")) or _status(diagnostic) or _WITHOUT_STATUS.get(action, "2.0.0"),
        message_id=_message_id(report, returned),
        recipients=tuple(dict.fromkeys(one.strip("<> ").lower() for one in addresses if "@" in one)),
        diagnostic=diagnostic[:500],
    )


def _parts(report: Message) -> list[Message]:
    found: list[Message] = []
    for part in report.walk():
        found.append(part)
        if len(found) >= MOST_PARTS:
            break
    return found


def _groups(part: Message) -> Iterator[Message]:
    """Yield the groups of fields of a delivery status: of the message first, then of each recipient (section 2.1)."""
    payload = part.get_payload()
    if isinstance(payload, list):
        inner = [group for group in payload[:MOST_BLOCKS] if isinstance(group, Message)]
        # One that is encoded, against the rule, comes as one group with no field.
        if part.get_content_type() == "message/delivery-status" and any(group.keys() for group in inner):
            yield from inner
            return
        payload = _as_text(inner[0]) if inner else ""
    encoded = Message(policy=compat32)
    encoded["Content-Transfer-Encoding"] = _text(part, "Content-Transfer-Encoding") or "7bit"
    encoded.set_payload(payload if isinstance(payload, str) else "")
    octets = encoded.get_payload(decode=True)
    if isinstance(octets, bytes):
        for block in re.split(rb"\r?\n[ \t]*\r?\n", octets)[:MOST_BLOCKS]:
            yield message_from_bytes(block.strip() + b"\n\n", policy=compat32)


def _as_text(inner: Message) -> str:
    """Return what a part held that was taken for a mail: its first block became a header."""
    fields = [f"{name}: {value}" for name, value in inner.items()]
    rest = inner.get_payload()
    return "\n".join([*fields, ""]) + "\n" + (rest if isinstance(rest, str) else "")


def _returned(parts: list[Message]) -> Message | None:
    """Return the header of the mail that came back, from the third part of the report."""
    for part in parts:
        kind, payload = part.get_content_type(), part.get_payload()
        if kind in RETURNED and isinstance(payload, list) and payload:
            inner = payload[0]
            return inner if isinstance(inner, Message) else None
        if kind in RETURNED and isinstance(payload, str):
            octets = part.get_payload(decode=True)
            return message_from_bytes(octets, policy=compat32) if isinstance(octets, bytes) else None
    return None


def _message_id(report: Message, returned: Message | None) -> str | None:
    sources = [_text(returned, "Message-ID")] if returned is not None else []
    sources += [_text(report, "In-Reply-To"), _text(report, "References")]
    for source in sources:
        # Of a row of references the last is what is answered.
        if found := _MESSAGE_ID.findall(source):
            return str(found[-1])
    return None


def _action(group: Message) -> Action | None:
    said = _text(group, "Action").split(" ")[0].lower()
    return next((action for action in ACTIONS if action == said), None)


def _status(text: str) -> str | None:
    found = _STATUS.search(text)
    return found.group() if found else None


def _typed(text: str) -> str:
    """Return what stands behind the type of a field: `rfc822; anna@example.org`, `smtp; 550 no such user`."""
    return text.partition(";")[2].strip() if ";" in text else text


def _text(message: Message, name: str) -> str:
    """Return a header field as one line; what is not text of ASCII is left out."""
    value = str(message.get(name, ""))
    return " ".join("".join(one if " " <= one <= "~" else " " for one in value).split())
