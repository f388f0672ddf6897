"""A trail in plain words: who, by what right, what, what changed, by which rule, what came of it, what proves it.

Made of the entries of `GET /delegations/{delegation}/trail`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from locales import mark
from words.changes import Said
from words.codes import DOCUMENTS, MAIL_KINDS, MAIL_STATES, word
from words.events import NO_RULE, Reader
from words.prefixes import in_one_line

Entry = Mapping[str, Any]

SYSTEM = "system"

HEADINGS = (
    mark("No."),
    mark("When"),
    mark("Instant (UTC)"),
    mark("Took effect"),
    mark("Who"),
    mark("By right"),
    mark("What"),
    mark("What changed"),
    mark("Rule"),
    mark("What came of it"),
    mark("Hash"),
)

PROOF_HEADINGS = (mark("Workflow"), mark("Run"), mark("Event of the history"))


def who(entry: Entry, reader: Reader) -> str:
    """Who did it, or why the system did it by itself."""
    cause = entry["cause"]
    if cause is None:
        return reader.account(entry["actor"])
    match cause["kind"]:
        case "deadline" if cause["what"]:
            rule = next(iter(entry["rules"]), NO_RULE)
            return reader.tr(mark("by itself, as due: %(duty)s"), duty=reader.rules.duty(cause["what"], rule))
        case "deadline":
            return reader.tr(mark("by itself, as time passed"))
        case "outcome":
            return reader.tr(mark("by itself, after no. %(seq)s"), seq=cause["seq"])
    return reader.tr(mark("by itself, as a register changed"))


def by_right(entry: Entry, reader: Reader) -> str:
    """The sealed right: the position, and whom a substitute replaced under which leave; empty where none was needed."""
    right = entry["right"]
    if right is None:
        return ""
    said = in_one_line(right, reader.rules.position, reader.translator.language)
    if right.get("on_behalf_of"):
        values = {"name": reader.account(right["on_behalf_of"]), "leave": right.get("leave") or "–"}
        return f"{said}, " + reader.tr(mark("in place of %(name)s (leave %(leave)s)"), **values)
    return said


def took_effect(entry: Entry, reader: Reader) -> str:
    """When it took effect, where that is not when it was decided."""
    effective = entry["took_effect"]
    if effective is None:
        return ""
    return reader.day(effective["on"]) if effective["on"] else reader.time(effective["at"])


def what_changed(entry: Entry) -> list[str]:
    """The changes in words, a line each."""
    return [Said(**one["said"]).line() for one in entry["changes"] if one["said"]]


def rules(entry: Entry, reader: Reader) -> str:
    """The rules it follows from, with their versions."""
    return ", ".join(
        reader.tr(mark("%(rule)s, version %(version)s"), rule=one["rule"], version=one["version"])
        for one in entry["rules"]
    )


def came_of_it(entry: Entry, reader: Reader) -> list[str]:
    """The messages and documents that an event led to, and what the system recorded of them."""
    messages = [
        reader.tr(
            mark("%(kind)s, %(state)s: %(messages)s"),
            kind=word(MAIL_KINDS, one["kind"], reader.translator),
            state=word(MAIL_STATES, one["status"], reader.translator),
            messages=one["messages"],
        )
        for one in entry["messages"]
    ]
    documents = [
        f"{word(DOCUMENTS, one['kind'], reader.translator)} {one['number'] or ''} ({one['language'] or '–'})"
        for one in entry["documents"]
    ]
    outcomes = [reader.tr(mark("recorded as no. %(seq)s"), seq=one) for one in entry["outcomes"]]
    return [*messages, *documents, *outcomes]


def cells(entry: Entry, reader: Reader) -> Sequence[str]:
    """One cell for each of HEADINGS, and of PROOF_HEADINGS where the entry has a proof."""
    proof = entry.get("proof")
    proven = (proof["workflow_id"], proof["run_id"], str(proof["event_id"])) if proof else ()
    return (
        str(entry["seq"]),
        reader.time(entry["at"]),
        entry["at"],
        took_effect(entry, reader),
        who(entry, reader),
        by_right(entry, reader),
        entry["said"],
        "; ".join(what_changed(entry)),
        rules(entry, reader),
        "; ".join(came_of_it(entry, reader)),
        entry["hash"],
        *proven,
    )
