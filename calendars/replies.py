"""What somebody's calendar answers to an invitation (RFC 5546 section 3.2), read out of one iCalendar object.

What comes from outside is cut down before it is parsed: of the lines of a VEVENT only those that are wanted are looked
at, each by icalendar. Zones, alarms and rules of recurrence are passed over unread; nothing is ever expanded. Of an
answer PARTSTAT and COMMENT are taken, nothing else.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from icalendar import vText
from icalendar.parser import Contentline

Answer = Literal["accepted", "declined", "tentative"]

LARGEST_OBJECT = 256 * 1024
LONGEST_LINE = 20_000
MOST_LINES = 4_000
MOST_EVENTS = 20
LONGEST_COMMENT = 2_000
LONGEST_NAME = 255

PARTSTAT: dict[str, Answer] = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
WANTED = frozenset({"ATTENDEE", "COMMENT", "DTEND", "DTSTAMP", "DTSTART", "METHOD", "RECURRENCE-ID", "SEQUENCE", "UID"})
RECURRING = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE"})
CHARSETS = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "ascii", "cp1252", "cp1258", "iso8859-1", "iso8859-2", "iso8859-15"}
    | {"shift_jis", "euc_jp", "iso2022_jp", "gb2312", "gbk", "gb18030", "big5", "euc_kr", "koi8-r", "cp1251", "cp874"}
)
"""As Python calls them; what else a message names is read as UTF-8 or Windows-1252."""
FOLD = re.compile(rb"(?:\r\n|\n|\r)[ \t]")
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
TIMES = {"%Y%m%dT%H%M%SZ": "%Y-%m-%dT%H:%MZ", "%Y%m%dT%H%M%S": "%Y-%m-%dT%H:%M", "%Y%m%d": "%Y-%m-%d"}
"""How a proposed time is written, and how it is shown."""


@dataclass(frozen=True)
class Reply:
    """METHOD:REPLY: what `attendee` answers to version `sequence` of the item `uid`.

    `attendee` is the address as the answer has it, in lower case; `dtstamp` in UTC, None where there is none.
    """

    uid: str
    sequence: int
    attendee: str = field(repr=False)
    answer: Answer
    dtstamp: datetime | None = None
    comment: str = field(default="", repr=False)
    recurrence_id: str = ""


@dataclass(frozen=True)
class Counter:
    """METHOD:COUNTER: another time is proposed, as the wall clock and zone that were written; for a person."""

    uid: str
    sequence: int
    attendee: str = field(repr=False)
    starts: str = ""
    ends: str = ""
    comment: str = field(default="", repr=False)


@dataclass(frozen=True)
class Refresh:
    """METHOD:REFRESH: the last message about an item is asked for again."""

    uid: str
    attendee: str = field(repr=False)


@dataclass(frozen=True)
class DeclineCounter:
    """METHOD:DECLINECOUNTER: an organizer's word, which nobody has to say to us; for a person."""

    uid: str


@dataclass(frozen=True)
class Unreadable:
    """Nothing that can be acted on; `code` is stable and says why."""

    code: str


Said = Reply | Counter | Refresh | DeclineCounter | Unreadable


def read_object(octets: bytes, charset: str = "", method: str = "", sender: str = "") -> Said:
    """Return what an iCalendar object says, whatever its octets are; never raises.

    `charset` and `method` are what the message says of the part, both without effect where the object knows better;
    `sender` is the address the message came from, which picks the one who answers where several attendees are named.
    Codes: `object_too_large`, `object_not_text`, `object_broken`, `too_many_lines`, `too_many_events`, `no_event`,
    `methods_differ`, `method_missing`, `not_an_answer`, `several_items`, `recurring`, `uid_missing`,
    `sequence_malformed`, `attendee_missing`, `attendees_several`, `partstat_missing`, `partstat_delegated`.
    """
    try:
        return _read(octets, charset, method, sender)
    except _Refused as refused:
        return Unreadable(refused.code)
    except Exception:  # noqa: BLE001 - whatever strangers write, one message is unreadable and no more
        return Unreadable("object_broken")


class _Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class _Line:
    name: str
    params: Mapping[str, object]
    value: str


@dataclass
class _Event:
    lines: list[_Line] = field(default_factory=list)
    recurring: bool = False

    def all(self, name: str) -> list[_Line]:
        return [line for line in self.lines if line.name == name]

    def value(self, name: str) -> str:
        found = self.all(name)
        return found[0].value.strip() if found else ""


def _read(octets: bytes, charset: str, declared: str, sender: str) -> Said:
    if len(octets) > LARGEST_OBJECT:
        raise _Refused("object_too_large")
    written, events = _components(_unfolded(_text(octets, charset)))
    method = written or declared.strip().upper()
    if not method:
        raise _Refused("method_missing")
    if written and declared and written != declared.strip().upper():
        # RFC 6047 section 2.4: the two are one; which of them lies cannot be known.
        raise _Refused("methods_differ")
    if method not in ("REPLY", "COUNTER", "REFRESH", "DECLINECOUNTER"):
        raise _Refused("not_an_answer")
    event = _the_one(events)
    uid = event.value("UID")
    if not uid or len(uid) > LONGEST_NAME or not uid.isprintable():
        raise _Refused("uid_missing")
    if method == "DECLINECOUNTER":
        return DeclineCounter(uid)
    attendee = _attendee(event, sender)
    who = _address(attendee.value)
    if method == "REFRESH":
        return Refresh(uid, who)
    if method == "COUNTER":
        starts, ends = (_moment(event.all(name)) for name in ("DTSTART", "DTEND"))
        return Counter(uid, _sequence(event), who, starts, ends, _comment(event))
    if event.recurring:
        raise _Refused("recurring")
    partstat = str(attendee.params.get("PARTSTAT", "")).upper()
    if partstat not in PARTSTAT:
        raise _Refused("partstat_delegated" if partstat == "DELEGATED" else "partstat_missing")
    return Reply(
        uid=uid,
        sequence=_sequence(event),
        attendee=who,
        answer=PARTSTAT[partstat],
        dtstamp=_stamp(event.value("DTSTAMP")),
        comment=_comment(event),
        recurrence_id=event.value("RECURRENCE-ID")[:LONGEST_NAME],
    )


def _text(octets: bytes, charset: str) -> str:
    """Return the object as text: by its own marks first, then UTF-8, then what was declared, then Windows-1252."""
    for mark, name in MARKS.items():
        if octets.startswith(mark):
            return _decoded(octets, name)
    if octets[:2] == b"B\x00":
        return _decoded(octets, "utf-16-le")
    if octets[:2] == b"\x00B":
        return _decoded(octets, "utf-16-be")
    if b"\x00" in octets:
        raise _Refused("object_not_text")
    # Lines are folded by octets, also in the middle of a letter (RFC 5545 section 3.1).
    octets = FOLD.sub(b"", octets)
    try:
        named = codecs.lookup(charset).name if charset and charset.isascii() and "\x00" not in charset else ""
    except LookupError:
        named = ""
    # One in seven bits with escapes is also good ASCII, so what was declared comes first there.
    order = (named, "utf-8") if named == "iso2022_jp" else ("utf-8", named)
    for name in order:
        if name in CHARSETS and not name.startswith("utf-16"):
            try:
                return octets.decode(name)
            except UnicodeDecodeError:
                continue
    return octets.decode("cp1252", errors="replace")


def _decoded(octets: bytes, charset: str) -> str:
    try:
        return octets.decode(charset)
    except UnicodeDecodeError:
        raise _Refused("object_not_text") from None


def _unfolded(text: str) -> Iterator[str]:
    """Yield the content lines: a blank or tab at its beginning continues the line before (RFC 5545 section 3.1).

    Line ends are CRLF, and LF or CR where somebody on the way lost the other half.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MOST_LINES:
        raise _Refused("too_many_lines")
    whole: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and whole:
            whole.append(line[1:])
            continue
        if whole:
            yield "".join(whole)
        whole = [line]
    yield "".join(whole)


def _components(lines: Iterator[str]) -> tuple[str, list[_Event]]:
    """Return METHOD and the VEVENTs; what stands in other components is passed over, but they have to end."""
    open_now: list[str] = []
    method, events, seen = "", list[_Event](), False
    for line in lines:
        head = line.partition(":")[0].partition(";")[0].strip().upper()
        if head == "BEGIN":
            open_now.append(line.partition(":")[2].strip().upper())
            if len(open_now) > 4 or (seen and len(open_now) == 1):
                raise _Refused("object_broken")
            if open_now[0] != "VCALENDAR":
                raise _Refused("object_not_text")
            seen = True
            if open_now == ["VCALENDAR", "VEVENT"]:
                events.append(_Event())
        elif head == "END":
            if not open_now or open_now.pop() != line.partition(":")[2].strip().upper():
                raise _Refused("object_broken")
        elif open_now == ["VCALENDAR"] and head == "METHOD":
            found = line.partition(":")[2].strip().upper()
            if method and found != method:
                raise _Refused("methods_differ")
            method = found
        elif open_now == ["VCALENDAR", "VEVENT"]:
            if len(events) > MOST_EVENTS:
                raise _Refused("too_many_events")
            events[-1].recurring |= head in RECURRING
            if head in WANTED:
                events[-1].lines.append(_parsed(line))
    if not seen:
        raise _Refused("object_not_text")
    if open_now:
        raise _Refused("object_broken")
    return method[:32], events


def _parsed(line: str) -> _Line:
    if len(line) > LONGEST_LINE:
        raise _Refused("object_broken")
    # A parameter without a value, or a lost quotation mark, is refused by icalendar.
    name, params, value = Contentline(line).parts()  # type: ignore[no-untyped-call]
    return _Line(str(name).upper(), {str(key).upper(): part for key, part in params.items()}, str(value))


def _the_one(events: list[_Event]) -> _Event:
    """Return the event that is answered: of one item alone, the answer to it as a whole where there are several."""
    if not events:
        raise _Refused("no_event")
    if len({event.value("UID") for event in events}) > 1:
        raise _Refused("several_items")
    whole = [event for event in events if not event.value("RECURRENCE-ID")]
    if len(whole) > 1 or (len(events) > 1 and not whole):
        raise _Refused("several_items")
    return whole[0] if whole else events[0]


def _attendee(event: _Event, sender: str) -> _Line:
    attendees = event.all("ATTENDEE")
    if not attendees:
        raise _Refused("attendee_missing")
    if len(attendees) == 1:
        return attendees[0]
    # Section 3.2.3 allows one; some programs name everybody, and themselves among them.
    own = [line for line in attendees if _address(line.value) == sender.lower()]
    if len({str(line.params.get("PARTSTAT", "")).upper() for line in own}) != 1:
        raise _Refused("attendees_several")
    return own[0]


def _address(value: str) -> str:
    address = value.strip()
    return (address[7:] if address[:7].lower() == "mailto:" else address).strip().lower()[:320]


def _sequence(event: _Event) -> int:
    value = event.value("SEQUENCE") or "0"  # RFC 5545 section 3.8.7.4: without one it is 0
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) < 2**31):
        raise _Refused("sequence_malformed")
    return int(value)


def _stamp(value: str) -> datetime | None:
    try:
        stamp = datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return stamp if 1990 <= stamp.year <= 2199 else None


def _moment(lines: list[_Line]) -> str:
    """Return a proposed time for a person to read, `2026-04-11T15:00 Asia/Ho_Chi_Minh`: the zone as it was called."""
    if not lines:
        return ""
    value, zone = lines[0].value.strip(), str(lines[0].params.get("TZID", ""))[:64]
    for form, shown in TIMES.items():
        try:
            clock = datetime.strptime(value, form).replace(tzinfo=UTC)
            return f"{clock.strftime(shown)} {_plain(zone)}".strip()
        except ValueError:
            continue
    return ""


def _comment(event: _Event) -> str:
    whole = "\n".join(str(vText(vText.from_ical(line.value))) for line in event.all("COMMENT")[:10])
    return _plain(whole, keep="\n\t")[:LONGEST_COMMENT].strip()


def _plain(text: str, keep: str = "") -> str:
    """Return text in NFC without controls, halves of surrogate pairs and marks that turn the direction of reading."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize(
        "NFC", "".join(one for one in lines if one in keep or unicodedata.category(one) not in ("Cc", "Cf", "Cs"))
    )
