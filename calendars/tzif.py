"""TZif (RFC 8536): what the time-zone files of the `tzdata` package say, and the POSIX rule in their footer."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files

import tzdata

VERSION = tzdata.IANA_VERSION
"""The release of the IANA data that this process reads, such as `2026b`; what is kept on disk names it.

It holds as long as the process: what is cached here is never kept beyond it, so a new release never meets an old
component.
"""

_HEADER = struct.Struct(">4sc15x6l")
_NAME = r"<[+\-A-Za-z0-9]{3,}>|[A-Za-z]{3,}"
_CLOCK = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_POSIX = re.compile(rf"({_NAME})({_CLOCK})(?:({_NAME})({_CLOCK})?,([^,]+),([^,]+))?")
_MONTH_RULE = re.compile(rf"M(\d{{1,2}})\.([1-5])\.([0-6])(?:/({_CLOCK}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Offset:
    """An offset from UTC (east is positive) and what people call it."""

    name: str
    east: timedelta


@dataclass(frozen=True, slots=True)
class Onset:
    """`Mm.w.d/time`: day `weekday` (0 = Sunday) in week `week` (5 = last) of `month`, at `clock` after midnight."""

    month: int
    week: int
    weekday: int
    clock: timedelta

    def wall(self, year: int) -> datetime:
        """Return the wall-clock time of the change in a year, as the clock stood just before it."""
        if self.week == 5:
            end = date(year + self.month // 12, self.month % 12 + 1, 1) - timedelta(days=1)
            chosen = end - timedelta(days=(end.isoweekday() - self.weekday) % 7)
        else:
            first = date(year, self.month, 1)
            chosen = first + timedelta(days=(self.weekday - first.isoweekday()) % 7, weeks=self.week - 1)
        return datetime(chosen.year, chosen.month, chosen.day) + self.clock  # noqa: DTZ001 a wall clock has no zone


@dataclass(frozen=True, slots=True)
class Rule:
    """The yearly rule of a footer: `summer` from `begins` to `ends`; a zone without summer time has none of them."""

    standard: Offset
    summer: Offset | None = None
    begins: Onset | None = None
    ends: Onset | None = None

    def changes(self) -> Iterator[tuple[Onset, Offset, Offset]]:
        """Give the changes of a year as (onset, offset before, offset after), the change to standard time first."""
        if self.summer and self.begins and self.ends:
            yield self.ends, self.summer, self.standard
            yield self.begins, self.standard, self.summer


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone's listed changes as (instant in UTC, offset from then on), and its rule from where the list ends."""

    first: timedelta
    changes: tuple[tuple[datetime, timedelta], ...]
    list_ends: datetime
    rule: Rule | None


@cache
def names() -> frozenset[str]:
    """Return the names of all zones that the `tzdata` package has."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="ascii").split())


@cache
def content(name: str) -> bytes:
    """Return the TZif file of a zone. Refuses with ValueError a name that `tzdata` does not have.

    It is read once: what is made of a zone agrees with itself, though the package be upgraded beneath the process.
    """
    if name not in names():
        raise ValueError("not an IANA time zone")
    return files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


@cache
def zone(name: str) -> Zone:
    """Return what the file of a zone says. Refuses with ValueError a name that `tzdata` does not have."""
    octets = content(name)
    _, _, is_ut, is_std, leaps, times, types, chars = _HEADER.unpack_from(octets)
    # The first block repeats the data in 32 bits (RFC 8536 section 3): step over it.
    start = _HEADER.size + times * 5 + types * 6 + chars + leaps * 8 + is_std + is_ut
    _, _, is_ut, is_std, leaps, times, types, chars = _HEADER.unpack_from(octets, start)
    body = start + _HEADER.size
    instants = struct.unpack_from(f">{times}q", octets, body)
    kinds = octets[body + times * 8 : body + times * 9]
    offsets = [
        timedelta(seconds=struct.unpack_from(">l", octets, body + times * 9 + kind * 6)[0]) for kind in range(types)
    ]
    footer = body + times * 9 + types * 6 + chars + leaps * 12 + is_std + is_ut
    changes, before = [], offsets[0]
    # The list may end with a change of name only, and the rule begins after that one (RFC 8536 section 3.3).
    list_ends = _EPOCH + timedelta(seconds=max(instants, default=-(2**31)))
    for second, kind in zip(instants, kinds, strict=True):
        if offsets[kind] != before:
            before = offsets[kind]
            changes.append((_EPOCH + timedelta(seconds=second), before))
    return Zone(offsets[0], tuple(changes), list_ends, rule(octets[footer:].strip(b"\n").decode("ascii")))


def rule(posix: str) -> Rule | None:
    """Return the rule of a POSIX TZ string (RFC 8536 section 3.3), or None for the forms by day of the year (Jn, n)."""
    whole = _POSIX.fullmatch(posix)
    if whole is None:
        return None
    name, west, summer_name, summer_west, begins, ends = whole.groups()
    standard = Offset(name.strip("<>"), -_clock(west))
    if summer_name is None:
        return Rule(standard)
    first, last = _onset(begins), _onset(ends)
    if first is None or last is None:
        return None
    east = -_clock(summer_west) if summer_west else standard.east + timedelta(hours=1)
    return Rule(standard, Offset(summer_name.strip("<>"), east), first, last)


def _onset(text: str) -> Onset | None:
    parts = _MONTH_RULE.fullmatch(text)
    if parts is None:
        return None
    month, week, weekday, clock = parts.groups()
    return Onset(int(month), int(week), int(weekday), _clock(clock or "2"))


def _clock(text: str) -> timedelta:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = (*map(int, text.lstrip("+-").split(":")), 0, 0)[:3]
    return sign * timedelta(hours=hours, minutes=minutes, seconds=seconds)
