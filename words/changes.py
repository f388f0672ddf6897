"""What changed in a file, as people read it: what it is called, what stood there, what stands there now.

Made of changes as the API shows them (`domain/changes.py`). What a file keeps for its own bookkeeping is not told.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from locales import mark
from locales.dossier import FIGURES
from words.codes import (
    ANSWERS,
    CEILING_LINES,
    CHANNELS,
    DEADLINE_STATES,
    DIRECTIONS,
    DOCUMENTS,
    FACTORS,
    FORMALITIES,
    ITEM_KINDS,
    LEFT,
    PERSON_ROLES,
    PHASES,
    STEP_STATES,
    word,
)
from words.events import Reader
from words.fields import FIELDS, ROOTS, SILENT, SILENT_ROOTS

HOLDERS = frozenset(
    {
        *("people", "items", "documents", "justifications", "observations", "replies", "deadlines"),
        *("steps", "signatures", "breaches", "issues", "formalities", "rendered", "bounced", "stand_ins", "lines"),
        *("versions", "stays"),
    }
)
"""Fields whose next name is no field but the id or number of one thing among several."""

PEOPLE = frozenset(
    {"participant_id", "participants", "people", "members", "subject", "refused", "replaced_by", "concerns"}
)
"""Fields that name people on the file by their place on it."""

ACCOUNTS = frozenset(
    {
        *("by", "account", "substitute", "on_behalf_of", "coordinator"),
        *("opened_by", "submitted_by", "filed_by", "accepted_by"),
        *("authors", "granted_by"),
    }
)
"""Fields that name whoever did something."""

OFFICES = frozenset({"position", "office", "to", "escalated_to"})

STATES: Mapping[str, Mapping[str, str]] = {
    "deadlines": DEADLINE_STATES,
    "report": {"filed": mark("filed"), "accepted": mark("accepted"), "returned": mark("returned")},
}
"""What a state is called, by the part of the file; elsewhere it is that of a step."""

CODES: Mapping[str, Mapping[str, str]] = {
    "phase": PHASES,
    "direction": DIRECTIONS,
    "role": PERSON_ROLES,
    "kind": ITEM_KINDS | DOCUMENTS | FORMALITIES,
    "answer": ANSWERS,
    "channel": CHANNELS,
    "left": LEFT,
    "factor": FACTORS,
}
"""Fields that hold codes."""

NOTHING = "–"

BEGINS_A_DAY = re.compile(r"\d{4}-\d\d-\d\d")
DAY = len("2026-04-11")
DIGEST = 64
HEXADECIMAL = frozenset("0123456789abcdef")
SHOWN_DIGEST = 16


@dataclass(frozen=True)
class Said:
    """A change in words; `before` is None for what is new, `after` for what is gone."""

    what: str
    before: str | None
    after: str | None

    def line(self) -> str:
        """In one line: `Programme, s-11, begins: 09:00 → 14:30`."""
        return f"{self.what}: {NOTHING if self.before is None else self.before} → {self.after or NOTHING}"


def told(change: Mapping[str, Any], reader: Reader) -> Said | None:
    """Return a change in words, or None where it is bookkeeping."""
    named = change["named"]
    if named[0] in SILENT_ROOTS or not SILENT.isdisjoint(_fields(named)[1:]):
        return None
    before, after, field = change["before"], change["after"], _fields(named)[-1]
    return Said(
        _place(named, reader),
        None if before is None else _Told(reader, named[0]).value(field, before),
        None if after is None else _Told(reader, named[0]).value(field, after),
    )


def _fields(named: Sequence[str]) -> list[str]:
    """The fields of a path, without the ids and numbers of things among several."""
    found: list[str] = []
    thing = False
    for name in named:
        if not thing:
            found.append(name)
        thing = not thing and name in HOLDERS
    return found


def _place(named: Sequence[str], reader: Reader) -> str:
    parts: list[str] = []
    holder = ""
    for depth, name in enumerate(named):
        if holder:
            parts.append(_thing(holder, name, reader))
            holder = ""
        else:
            parts.append(reader.tr(_label(name, first=depth == 0)))
            holder = name if name in HOLDERS else ""
    return ", ".join(parts)


def _label(name: str, *, first: bool) -> str:
    if first and (root := ROOTS.get(name) or FIGURES.get(name)):
        return root
    return FIELDS.get(name, name)


def _thing(holder: str, name: str, reader: Reader) -> str:
    match holder:
        case "people":
            return reader.person(name)
        case "items":
            return reader.item(name)
        case "replies":
            who, _, item = name.partition("/")
            return reader.person(who) if item == "*" else f"{reader.person(who)}, {reader.item(item)}"
        case "observations":
            what, _, who = name.partition("/")
            return f"{what}, {reader.person(who)}"
        case "steps":
            return reader.rules.step(name)
        case "deadlines":
            return reader.duty(name)
        case "justifications" | "breaches":
            return reader.rules.limit(name)
        case "rendered" | "formalities":
            return word(DOCUMENTS | FORMALITIES, name, reader.translator)
        case "lines":
            return word(CEILING_LINES, name, reader.translator)
    return name


@dataclass(frozen=True)
class _Told:
    """Values in words, of one part of a file (`root`)."""

    reader: Reader
    root: str

    def value(self, field: str, value: Any) -> str:
        tr, translator = self.reader.tr, self.reader.translator
        match value:
            case None | []:
                return NOTHING
            case bool():
                return tr(mark("yes")) if value else tr(mark("no"))
            case int():
                return translator.money_vnd(value) if field.endswith("_vnd") else translator.number(value)
            case str():
                return self._text(field, value)
            case list() if field == "parts":
                return translator.number(len(value))
            case list():
                return "; ".join(self.value(field, one) for one in value)
            case dict():
                return self._thing(value) or NOTHING
        return str(value)

    def _thing(self, value: Mapping[str, Any]) -> str:
        match value:
            case {"local": _, "zone": _, "instant": _}:
                return self.reader.moment(value)
            case {"ref": ref, "commitment": _}:
                # What somebody wrote, and who somebody is, stands in the registers alone.
                return str(ref)
            case {"digest": digest, "media_type": kind, "size": _}:
                return f"{kind}, {digest[:SHOWN_DIGEST]}…"
            case {"rule": rule, "version": version} if len(value) == 2:
                return f"{rule} ({version})"
            case {"plan": plan, "status": status}:
                title = plan[f"title_{self.reader.translator.language}"]
                return f"{title} ({self._text('status', status)})"
        return ", ".join(
            f"{self.reader.tr(FIELDS[name])} {self.value(name, one)}"
            for name, one in value.items()
            if name in FIELDS and name not in SILENT and one not in (None, [], {}, False, "")
        )

    def _text(self, field: str, value: str) -> str:
        codes = STATES.get(self.root, STEP_STATES) if field == "status" else CODES.get(field)
        if codes is not None:
            return word(codes, value, self.reader.translator)
        if field in PEOPLE:
            return self.reader.person(value)
        if field in ACCOUNTS:
            return self.reader.account(value)
        if field == "item_id":
            return self.reader.item(value)
        if field in OFFICES:
            return self.reader.rules.position(value)
        if field in ("countries", "country"):
            return self.reader.translator.country(value)
        if self.root == "deadlines" and field == "what":
            return self.reader.duty(value)
        if self.root == "ceiling" and field == "what":
            return word(CEILING_LINES, value, self.reader.translator)
        if len(value) == DIGEST and set(value) <= HEXADECIMAL:
            return f"{value[:SHOWN_DIGEST]}…"
        return self._time(value) if BEGINS_A_DAY.match(value) else value

    def _time(self, value: str) -> str:
        try:
            if len(value) == DAY:
                return self.reader.day(value)
            return self.reader.time(value) if datetime.fromisoformat(value).tzinfo else value
        except ValueError:
            # A text that only begins like a time.
            return value
