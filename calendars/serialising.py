"""How a component of icalendar becomes octets: byte for byte what its own `to_ical(sorted=False)` gives, but faster.

icalendar folds a line character by character, which is most of the time that it takes to write one (measured: 64 %).
A fold is a question about octets, and is answered here by looking at them; what stands in a line is icalendar's.
"""

from functools import lru_cache
from typing import Any

from icalendar import Component, Timezone, vText
from icalendar.parser import Parameters

from calendars.zones import vtimezone

LONGEST_LINE = 74
"""Octets of a line that icalendar fills: one below what RFC 5545 section 3.1 allows."""

KEPT = 1024
"""Zones, and parameters of properties, that are kept as octets."""

_CONTINUES = 0b1100_0000
_CONTINUATION = 0b1000_0000
_ESCAPES = frozenset(rb"\^")


def serialised(component: Component) -> bytes:
    """Return a component and what it holds as octets: UTF-8, CRLF, folded, in the order in which it was put together.

    Refuses with ValueError a line that holds a line break: icalendar guards it by `assert` alone, and what follows the
    break would be read as a property of its own.
    """
    lines = []
    for name, value in component.property_items(sorted=False):
        params: Parameters | None = getattr(value, "params", None)
        named = name.encode()
        if params and (said := _said(params)):
            named += b";" + said
        line = named + b":" + _written(value)
        if b"\n" in line:
            raise ValueError(f"{name}: a line holds no line break")
        lines.append(folded_line(line))
    return b"\r\n".join(lines) + b"\r\n"


def _written(value: Any) -> bytes:
    """Return the octets of a value; the names of components, and what was put in as plain text, are TEXT."""
    written = value.to_ical() if hasattr(value, "to_ical") else vText(value).to_ical()
    return written.encode() if isinstance(written, str) else bytes(written)


def folded_line(line: bytes) -> bytes:
    """Return a line of UTF-8 as lines of at most 74 octets, each but the first behind one blank (RFC 5545 section 3.1).

    No character is parted, and no `\\` or `^` from what it escapes, where anything stands before it.
    """
    length = len(line)
    if length <= LONGEST_LINE:
        return line
    begins, parts = 0, []
    while length - begins > LONGEST_LINE:
        ends = begins + LONGEST_LINE
        while line[ends] & _CONTINUES == _CONTINUATION:
            ends -= 1
        if line[ends - 1] in _ESCAPES and ends - begins > 1:
            ends -= 1
        parts.append(line[begins:ends])
        begins = ends
    parts.append(line[begins:])
    return b"\r\n ".join(parts)


def _said(params: Parameters) -> bytes:
    items = tuple(params.items())
    if all(type(value) is str for _, value in items):
        return _said_once(items)
    said: bytes = params.to_ical(sorted=False)
    return said


@lru_cache(maxsize=KEPT)
def _said_once(items: tuple[tuple[str, str], ...]) -> bytes:
    """The same person is asked to many items, and the same zone named by most."""
    said: bytes = Parameters(items).to_ical(sorted=False)
    return said


@lru_cache(maxsize=KEPT)
def serialised_zone(tzid: str) -> bytes:
    """Return the VTIMEZONE of a zone as octets, or nothing for one that goes out in UTC; the same for every calendar.

    Refuses with ValueError a name that is no IANA zone.
    """
    component: Timezone | None = vtimezone(tzid)
    return b"" if component is None else serialised(component)
