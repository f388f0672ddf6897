"""A mail that came to the organizer's mailbox: from whom, and what it says (RFC 6047 for how answers travel).

Everything is bounded before it is parsed, and no octets raise. HTML and XML are never looked at.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

from calendars.replies import LARGEST_OBJECT, Said, Unreadable, read_object

LARGEST_MAIL = 1_000_000
"""Octets of a mail that is parsed; of a larger one not even its parts are counted."""

MOST_BOUNDARIES = 500
DEEPEST = 20
MOST_PARTS = 100
MOST_OBJECTS = 5
MOST_HEADERS = 500
LONGEST_HEADER = 4_000

_NESTS = re.compile(rb"(?i)\b(?:multipart|message)/")
_BOUNDARY = re.compile(rb"(?m)^--")
_MESSAGE_ID = re.compile(rb"(?im)^message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,900}>)")
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_ANSWERS_ITSELF = frozenset({"auto-replied"})


@dataclass(frozen=True)
class DeliveryReport:
    """What became of a mail of ours (RFC 3464): no answer of anybody."""


@dataclass(frozen=True)
class AutomaticAnswer:
    """A program's answer to any mail (RFC 3834), such as a notice of absence."""


@dataclass(frozen=True)
class Received:
    """One mail. `sender` is the one address of From in lower case, empty where there is none or several.

    `subject` is one line for people. `authentic` is what the installation's own mail server found (RFC 8601): None
    where it says nothing, or where none is trusted.
    """

    says: Said | DeliveryReport | AutomaticAnswer
    sender: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    authentic: bool | None = None


def message_id_of(octets: bytes) -> str:
    """Return the Message-ID of a mail, `<…@…>`, or an empty text; only its head is looked at."""
    found = _MESSAGE_ID.search(head_of(octets))
    return found.group(1).decode("ascii", errors="replace") if found else ""


def head_of(octets: bytes) -> bytes:
    """Return the header lines, at most 64 KiB of them."""
    start = octets[: 64 * 1024]
    end = _END_OF_HEAD.search(start)
    return start[: end.start()] if end else start


def body_of(octets: bytes) -> bytes:
    """Return what follows the header lines: the same whichever way the mail came."""
    end = _END_OF_HEAD.search(octets)
    return octets[end.end() :] if end else b""


def read_mail(octets: bytes, *, largest: int = LARGEST_MAIL, trusted: str = "") -> Received:
    """Return what a mail says, whatever its octets are; never raises.

    `trusted` is the authserv-id of the installation's own mail server: of the results of authentication in the head,
    only the topmost is looked at, and only if that server wrote it. Codes of their own: `mail_too_large`,
    `mail_nested`, `mail_too_many_parts`, `mail_broken`, `no_calendar`, `winmail_dat`, `objects_differ`; all others are
    those of `read_object`.
    """
    if len(octets) > largest:
        return Received(Unreadable("mail_too_large"))
    if len(_NESTS.findall(octets)) > DEEPEST:
        return Received(Unreadable("mail_nested"))
    if len(_BOUNDARY.findall(octets)) > MOST_BOUNDARIES:
        return Received(Unreadable("mail_too_many_parts"))
    try:
        return _read(message_from_bytes(octets), trusted)
    except Exception:  # noqa: BLE001 - whatever strangers send, one mail is unreadable and no more
        return Received(Unreadable("mail_broken"))


def _read(mail: Message, trusted: str) -> Received:
    if len(mail) > MOST_HEADERS:
        return Received(Unreadable("mail_broken"))
    sender = _sender(mail)
    return Received(_says(mail, sender), sender, _subject(mail), _authentic(mail, trusted))


def _says(mail: Message, sender: str) -> Said | DeliveryReport | AutomaticAnswer:
    if _reports(mail, sender):
        return DeliveryReport()
    if mail.get_content_type() == "multipart/report":
        return AutomaticAnswer()
    automatic = _header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    if automatic in _ANSWERS_ITSELF:
        return AutomaticAnswer()
    parts = list(_parts(mail))
    if len(parts) > MOST_PARTS:
        return Unreadable("mail_too_many_parts")
    found = list(dict.fromkeys(_object(part, sender) for part in parts if _is_calendar(part)))[: MOST_OBJECTS + 1]
    # Calendars answer for people with the same header (auto-generated), so only what holds no answer is one.
    if not found and (automatic not in ("", "no") or _answers_by_itself(mail)):
        return AutomaticAnswer()
    if not found:
        winmail = any(part.get_content_type() == "application/ms-tnef" for part in parts)
        return Unreadable("winmail_dat" if winmail else "no_calendar")
    # The same object often comes twice, as an alternative and as an attachment, one of them damaged on the way.
    readable = [one for one in found if not isinstance(one, Unreadable)]
    if len(readable) > 1:
        return Unreadable("objects_differ")
    return readable[0] if readable else found[0]


def _parts(mail: Message) -> Iterator[Message]:
    """Yield the parts that are no containers, without those of mails inside: what is forwarded is nobody's answer."""
    if mail.get_content_maintype() == "message":
        return
    payload = mail.get_payload()
    if isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _parts(part)
    else:
        yield mail


def _is_calendar(part: Message) -> bool:
    if part.get_content_type() in ("text/calendar", "application/ics", "text/x-vcalendar"):
        return True
    return (part.get_filename() or "").strip().lower().endswith(".ics")


def _object(part: Message, sender: str) -> Said:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return Unreadable("object_broken")
    if len(octets) > LARGEST_OBJECT:
        return Unreadable("object_too_large")
    # Of an attachment with another type the parameters belong to that type.
    of_calendar = part.get_content_type() == "text/calendar"
    method = _parameter(part, "method") if of_calendar else ""
    return read_object(octets, charset=_parameter(part, "charset"), method=method, sender=sender)


def _parameter(part: Message, name: str) -> str:
    value = part.get_param(name)
    # As (charset, language, value) where RFC 2231 was used.
    text = value[2] if isinstance(value, tuple) else value
    return str(text or "")[:64].strip()


def _reports(mail: Message, sender: str) -> bool:
    """Whether it is a report of RFC 3464, or of the older kind without a form: by nobody, with no path back."""
    if mail.get_content_type() == "multipart/report":
        return _parameter(mail, "report-type").lower() in ("", "delivery-status")
    return _header(mail, "Return-Path").strip() == "<>" and sender.partition("@")[0] in ("mailer-daemon", "postmaster")


def _answers_by_itself(mail: Message) -> bool:
    return (
        bool(_header(mail, "X-Autoreply") or _header(mail, "X-Autorespond"))
        or _header(mail, "Precedence").strip().lower() in ("auto_reply", "bulk", "junk")
        or _header(mail, "X-Auto-Response-Suppress").strip().lower() == "all"
    )


def _sender(mail: Message) -> str:
    fields = mail.get_all("From") or []
    if len(fields) != 1 or len(str(fields[0])) > LONGEST_HEADER:
        return ""
    addresses = {address.strip().lower() for _, address in getaddresses([_unfolded(str(fields[0]))]) if "@" in address}
    return addresses.pop()[:320] if len(addresses) == 1 else ""


def _authentic(mail: Message, trusted: str) -> bool | None:
    """Return what the trusted server found by DMARC (RFC 7489), the one check that is about the address in From."""
    results = mail.get_all("Authentication-Results") or []
    if not trusted or not results:
        return None
    server, _, found = _unfolded(str(results[0])[:LONGEST_HEADER]).partition(";")
    if server.split(maxsplit=1)[:1] != [trusted]:
        return None
    said = re.search(r"(?i)(?:^|[\s;])dmarc\s*=\s*([a-z]+)", found)
    return {"pass": True, "fail": False}.get(said.group(1).lower()) if said else None


def _subject(mail: Message) -> str:
    parts = []
    for text, charset in decode_header(_unfolded(_header(mail, "Subject"))):
        if isinstance(text, bytes):
            try:
                parts.append(text.decode(charset or "utf-8", errors="replace"))
            except LookupError:
                parts.append(text.decode("utf-8", errors="replace"))
        else:
            parts.append(text)
    return "".join(one for one in "".join(parts) if one.isprintable())[:200].strip()


def _header(mail: Message, name: str) -> str:
    return str(mail.get(name, ""))[:LONGEST_HEADER]


def _unfolded(value: str) -> str:
    return " ".join(value.split())
