"""Content lines of iCalendar (RFC 5545 section 3.1): escaping, parameters, folding."""

import re
from datetime import UTC, date, datetime

from domain.text import one_line

FOLD_OCTETS = 75
_NEEDS_QUOTES = re.compile(r"[:;,]")


def text(value: str) -> str:
    """Return a TEXT value, escaped (RFC 5545 section 3.3.11)."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def parameter(name: str, value: str) -> str:
    """Return `;NAME=value`, quoted where it must be.

    A double quote has no place in a parameter (section 3.2), and readers that know the escape of RFC 6868 are rare: it
    becomes an apostrophe. Its sign of escape, which those few would act upon, is dropped.
    """
    plain = one_line(value).replace('"', "'").replace("^", "")
    return f';{name}="{plain}"' if _NEEDS_QUOTES.search(plain) else f";{name}={plain}"


def utc(instant: datetime) -> str:
    """Return an aware instant in form 2, `20260411T073000Z` (section 3.3.5); parts of a second are dropped."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def local(wall: datetime) -> str:
    """Return a wall-clock time as `20260411T143000`; its zone stands in a parameter beside it."""
    return wall.strftime("%Y%m%dT%H%M%S")


def day(value: date) -> str:
    """Return a DATE value, `20260411` (section 3.3.4)."""
    return value.strftime("%Y%m%d")


def fold(line: str) -> bytes:
    """Return one content line as UTF-8 octets with CRLF, folded so that no line is longer than 75 octets.

    A fold never stands inside a character: section 3.1 allows it, but readers that decode before they unfold break.
    """
    if "\r" in line or "\n" in line:
        raise ValueError("a content line has a line break in it")
    octets = line.encode("utf-8")
    folded, start, room = [], 0, FOLD_OCTETS
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0b1100_0000 == 0b1000_0000:
            end -= 1
        folded.append(octets[start:end])
        start, room = end, FOLD_OCTETS - 1
    folded.append(octets[start:])
    return b"\r\n ".join(folded) + b"\r\n"


def block(*content: str) -> bytes:
    """Return content lines one after the other, each folded."""
    return b"".join(map(fold, content))
