"""Mails as calendars answer with, written from RFC 5545, 5546 and 6047 and what vendors document; nobody's real mail.

Each takes what is answered and gives the octets that arrive.
"""

import base64
import quopri
from collections.abc import Callable
from dataclasses import dataclass
from email.header import Header


@dataclass(frozen=True)
class Answered:
    """What somebody answers, and to what."""

    uid: str = "monday.visit@hoihuunghi.example"
    attendee: str = "ito@tokyo.example"
    partstat: str = "ACCEPTED"
    sequence: int = 0
    dtstamp: str = "20260311T020000Z"
    comment: str = ""
    sender: str = ""
    organizer: str = "lich@hoihuunghi.example"
    message_id: str = "<one@client.example>"
    name: str = "Itō Haruka"

    @property
    def from_address(self) -> str:
        """Where the mail comes from."""
        return self.sender or self.attendee

    def head(self, content_type: str, *more: str) -> bytes:
        """The header lines, and the blank one after them."""
        lines = (
            f"From: {Header(self.name, 'utf-8').encode()} <{self.from_address}>",
            f"To: {self.organizer}",
            f"Subject: {Header(f'Trả lời: {self.partstat}', 'utf-8').encode()}",
            "Date: Wed, 11 Mar 2026 09:00:00 +0700",
            f"Message-ID: {self.message_id}",
            "MIME-Version: 1.0",
            *more,
            f"Content-Type: {content_type}",
            "",
            "",
        )
        return "\r\n".join(lines).encode()


def calendar(*lines: str, method: str | None = "REPLY", prodid: str = "-//Example//EN") -> str:
    """A calendar object with one VEVENT of these lines."""
    head = ["BEGIN:VCALENDAR", f"PRODID:{prodid}", "VERSION:2.0", *([f"METHOD:{method}"] if method else [])]
    return "\r\n".join([*head, *lines, "END:VCALENDAR", ""])


def event(one: Answered, *more: str, attendee: str | None = None) -> tuple[str, ...]:
    """The lines of a VEVENT that answers."""
    who = attendee or f'ATTENDEE;CN="{one.name}";PARTSTAT={one.partstat}:mailto:{one.attendee}'
    comment = [f"COMMENT:{one.comment}"] if one.comment else []
    return (
        "BEGIN:VEVENT",
        f"UID:{one.uid}",
        f"SEQUENCE:{one.sequence}",
        f"DTSTAMP:{one.dtstamp}",
        "DTSTART:20260406T020000Z",
        "DTEND:20260406T030000Z",
        f"ORGANIZER:mailto:{one.organizer}",
        who,
        *comment,
        *more,
        "END:VEVENT",
    )


def outlook(one: Answered) -> bytes:
    """Exchange: one alternative in base64, MAILTO in capitals, a zone by its Windows name, its own properties."""
    object_ = calendar(
        "BEGIN:VTIMEZONE",
        "TZID:SE Asia Standard Time",
        "BEGIN:STANDARD",
        "DTSTART:16010101T000000",
        "TZOFFSETFROM:+0700",
        "TZOFFSETTO:+0700",
        "END:STANDARD",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        f"ATTENDEE;PARTSTAT={one.partstat};CN={one.name}:MAILTO:{one.attendee}",
        f"COMMENT;LANGUAGE=en-US:{one.comment}\\n",
        f"UID:{one.uid}",
        f"SUMMARY;LANGUAGE=en-US:{one.partstat.title()}: Session",
        "DTSTART;TZID=SE Asia Standard Time:20260406T090000",
        "DTEND;TZID=SE Asia Standard Time:20260406T100000",
        "CLASS:PUBLIC",
        f"DTSTAMP:{one.dtstamp}",
        f"SEQUENCE:{one.sequence}",
        "X-MICROSOFT-CDO-APPT-SEQUENCE:0",
        "X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY",
        "END:VEVENT",
        prodid="Microsoft Exchange Server 2010",
    )
    encoded = base64.encodebytes(object_.encode()).replace(b"\n", b"\r\n")
    return (
        one.head('multipart/alternative; boundary="_000_ABC_"', "X-MS-Has-Attach:", "Thread-Topic: Session")
        + b'--_000_ABC_\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + base64.b64encode(b"See you there")
        + b'\r\n\r\n--_000_ABC_\r\nContent-Type: text/calendar; charset="utf-8"; method=REPLY\r\n'
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + encoded
        + b"\r\n--_000_ABC_--\r\n"
    )


def google(one: Answered) -> bytes:
    """Google Calendar: mixed around alternative, the object twice, generated on behalf of the person, lines folded."""
    object_ = calendar(
        *event(
            one,
            attendee=_folded(
                f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={one.partstat};"
                f"CN={one.attendee};X-NUM-GUESTS=0:mailto:{one.attendee}"
            ),
        ),
        prodid="-//Google Inc//Google Calendar 70.9054//EN",
    ).encode()
    return (
        one.head(
            'multipart/mixed; boundary="outer"',
            "Sender: Google Calendar <calendar-notification@google.example>",
            "Auto-Submitted: auto-generated",
        )
        + b'--outer\r\nContent-Type: multipart/alternative; boundary="inner"\r\n\r\n'
        + b'--inner\r\nContent-Type: text/plain; charset="UTF-8"; format=flowed; delsp=yes\r\n'
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode("đã nhận lời".encode())
        + b'\r\n--inner\r\nContent-Type: text/html; charset="UTF-8"\r\n\r\n<p>accepted</p>\r\n'
        + b'--inner\r\nContent-Type: text/calendar; charset="UTF-8"; method=REPLY\r\n'
        + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        + quopri.encodestring(object_.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        + b'\r\n--inner--\r\n--outer\r\nContent-Type: application/ics; name="invite.ics"\r\n'
        + b'Content-Disposition: attachment; filename="invite.ics"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + base64.encodebytes(object_).replace(b"\n", b"\r\n")
        + b"\r\n--outer--\r\n"
    )


def apple(one: Answered) -> bytes:
    """Apple: parameters in another order, quoted, the address also as EMAIL, no ORGANIZER's own name, bare 8 bit."""
    object_ = calendar(
        "CALSCALE:GREGORIAN",
        "BEGIN:VEVENT",
        "DTEND;TZID=Asia/Ho_Chi_Minh:20260406T100000",
        "TRANSP:OPAQUE",
        f"UID:{one.uid}",
        f"DTSTAMP:{one.dtstamp}",
        f"SEQUENCE:{one.sequence}",
        *([f"COMMENT:{one.comment}"] if one.comment else []),
        _folded(
            f'ATTENDEE;CN="{one.name}";CUTYPE=INDIVIDUAL;EMAIL="{one.attendee}";PARTSTAT={one.partstat};'
            f"ROLE=REQ-PARTICIPANT:mailto:{one.attendee}"
        ),
        "DTSTART;TZID=Asia/Ho_Chi_Minh:20260406T090000",
        f'ORGANIZER;CN="Liên hiệp":mailto:{one.organizer}',
        "END:VEVENT",
        prodid="-//Apple Inc.//macOS 15//EN",
    ).encode()
    return (
        one.head('multipart/alternative; boundary="Apple-Mail=_1"')
        + b"--Apple-Mail=_1\r\nContent-Transfer-Encoding: 7bit\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nok"
        + b"\r\n--Apple-Mail=_1\r\nContent-Transfer-Encoding: 8bit\r\n"
        + b'Content-Type: text/calendar; method=REPLY; charset="utf-8"; name="iCal-20260311.ics"\r\n\r\n'
        + object_
        + b"\r\n--Apple-Mail=_1--\r\n"
    )


def thunderbird(one: Answered) -> bytes:
    """Thunderbird: text and the object as alternatives inside mixed, RSVP kept, X-MOZ properties, LF line ends."""
    object_ = calendar(
        *event(
            one,
            "X-MOZ-RECEIVED-SEQUENCE:0",
            "X-MOZ-RECEIVED-DTSTAMP:20260310T020000Z",
            attendee=f"ATTENDEE;RSVP=TRUE;PARTSTAT={one.partstat};ROLE=REQ-PARTICIPANT:mailto:{one.attendee}",
        ),
        prodid="-//Mozilla.org/NONSGML Mozilla Calendar V1.1//EN",
    )
    whole = (
        one.head('multipart/mixed; boundary="------------070"', "User-Agent: Mozilla Thunderbird")
        + b"This is a multi-part message in MIME format.\r\n--------------070\r\n"
        + b'Content-Type: multipart/alternative; boundary="------------071"\r\n\r\n'
        + b"--------------071\r\nContent-Type: text/plain; charset=UTF-8; format=flowed\r\n\r\nok\r\n"
        + b"--------------071\r\nContent-Type: text/calendar; charset=UTF-8; method=REPLY\r\n"
        + b"Content-Transfer-Encoding: 8bit\r\n\r\n"
        + object_.encode()
        + b"\r\n--------------071--\r\n--------------070--\r\n"
    )
    return whole.replace(b"\r\n", b"\n")


def zimbra(one: Answered) -> bytes:
    """A client that only attaches: octet-stream by the name meeting.ics, no METHOD parameter, no ORGANIZER."""
    object_ = calendar(*(line for line in event(one) if not line.startswith("ORGANIZER")), prodid="Zimbra-Calendar")
    return (
        one.head('multipart/mixed; boundary="=_z"')
        + b'--=_z\r\nContent-Type: text/plain; charset="utf-8"\r\n\r\nAccept\r\n'
        + b"--=_z\r\nContent-Type: application/octet-stream; name=meeting.ics\r\n"
        + b"Content-Disposition: attachment; filename=meeting.ics\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(object_.encode()).replace(b"\n", b"\r\n")
        + b"\r\n--=_z--\r\n"
    )


def bare(one: Answered, object_: bytes, content_type: str = "text/calendar; method=REPLY; charset=utf-8") -> bytes:
    """A mail that is nothing but the object."""
    encoding = b"Content-Transfer-Encoding: base64\r\n"
    head = one.head(content_type)
    return head[:-2] + encoding + b"\r\n" + base64.encodebytes(object_).replace(b"\n", b"\r\n")


def _folded(line: str) -> str:
    octets, lines = line.encode(), []
    while len(octets) > 74:
        cut = 74
        while octets[cut] & 0xC0 == 0x80:
            cut -= 1
        lines.append(octets[:cut])
        octets = b" " + octets[cut:]
    return b"\r\n".join([*lines, octets]).decode()


CLIENTS: dict[str, Callable[[Answered], bytes]] = {
    "outlook": outlook,
    "google": google,
    "apple": apple,
    "thunderbird": thunderbird,
    "zimbra": zimbra,
}
