"""Ways to change what is written, enumerated: every leaf of a JSON by every class of byte in it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from domain.canonical import canonical_json


@dataclass(frozen=True)
class Alteration:
    """Other bytes in the place of those that are written; `what` says which."""

    what: str
    written: bytes


def of_json(value: Any) -> Iterator[Alteration]:
    """Yield each change of the canonical JSON of a value: of every leaf by class of byte, of every key, of its form."""
    whole = canonical_json(value)
    for path, start, end in _leaves(value, "", 0):
        for kind, place, octet in classes(whole[start:end]):
            at = start + place
            yield Alteration(f"{path} {kind}", whole[:at] + octet + whole[at + 1 :])
    for path, start, _ in _keys(value, "", 0):
        # The first letter of a key: the field is another one.
        other = b"y" if whole[start : start + 1] == b"x" else b"x"
        yield Alteration(f"{path} key", whole[:start] + other + whole[start + 1 :])
    yield Alteration("a blank", whole[:1] + b" " + whole[1:])
    yield Alteration("cut", whole[:-1])
    yield Alteration("not UTF-8", whole[:-2] + b"\xff" + whole[-2:])
    if spelled := _escaped(whole):
        yield Alteration("escaped otherwise", spelled)


def classes(written: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield, for each class of byte in some bytes, the place of the first one and another byte of that class."""
    seen: set[str] = set()
    for place, octet in enumerate(written):
        escaped = place > 0 and written[place - 1 : place] == b"\\"
        kind, other = _class(octet, escaped=escaped)
        if kind not in seen and other is not None:
            seen.add(kind)
            yield kind, place, bytes([other])


def _class(octet: int, *, escaped: bool) -> tuple[str, int | None]:
    if escaped:
        return "escape", ord("t") if octet != ord("t") else ord("n")
    if octet >= 0xC0:
        return "lead byte", octet ^ 1
    if octet >= 0x80:
        return "continuation byte", octet ^ 1
    letter = chr(octet)
    if letter.isdigit():
        return "digit", ord("1") if letter == "0" else octet - 1 if letter != "1" else ord("2")
    if letter.isalpha():
        return "letter", octet ^ 1 if chr(octet ^ 1).isalpha() else ord("b" if letter != "b" else "c")
    if letter in '"\\':
        return "quote", None
    return "punctuation", ord("~") if letter != "~" else ord("!")


def _escaped(whole: bytes) -> bytes | None:
    """The same JSON, with one letter written by its code; None where there is none."""
    for place, octet in enumerate(whole):
        if chr(octet).isalpha() and whole[place - 1] == ord('"'):
            return whole[:place] + b"\\u%04x" % octet + whole[place + 1 :]
    return None


def _leaves(value: Any, path: str, start: int) -> Iterator[tuple[str, int, int]]:
    if isinstance(value, dict):
        for name, inner, at in _members(value, start):
            yield from _leaves(inner, f"{path}.{name}", at)
    elif isinstance(value, list):
        at = start + 1
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]", at)
            at += len(canonical_json(inner)) + 1
    else:
        yield path, start, start + len(canonical_json(value))


def _keys(value: Any, path: str, start: int) -> Iterator[tuple[str, int, int]]:
    if isinstance(value, dict):
        for name, inner, at in _members(value, start):
            key = len(canonical_json(name))
            yield f"{path}.{name}", at - 1 - key + 1, at - 2
            yield from _keys(inner, f"{path}.{name}", at)


def _members(value: dict[str, Any], start: int) -> Iterator[tuple[str, Any, int]]:
    """Each member in canonical order, with the place at which its value begins."""
    at = start + 1
    for name, inner in json.loads(canonical_json(value)).items():
        at += len(canonical_json(name)) + 1
        yield name, inner, at
        at += len(canonical_json(inner)) + 1
