"""What an act would lead to, in words, before it is done: decided by the decider itself, by what was typed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from fastapi import Request

from api.pages.frame import SHAPES, Head
from api.pages.offers import Foreseen
from api.pages.possible import Possible, why_not
from api.pages.reader import reader_of
from api.pages.stateline import Line, Standing, Turned, asked_for, edition_words, lines
from domain.canonical import digest_of
from domain.commands import SubmitRequest
from domain.events import DeadlineLifted, DeadlineMet, DeadlineMissed, DeadlineSet
from domain.state import Delegation, Phase
from locales import mark, translator

LATE = mark("overdue since %(day)s")
MOVED = mark("by %(day)s instead of %(before)s")
SET = mark("by %(day)s")
MET = mark("done")
LIFTED = mark("no longer due")


@dataclass(frozen=True)
class Due:
    """What becomes of one due date, in words; `rule` is where the date comes from, with its version."""

    duty: str
    said: str
    kind: Literal["set", "met", "lifted", "late"]
    rule: str = ""


@dataclass(frozen=True)
class Consequences:
    """What an act would lead to. `before` and `after` are the coordinators, where they change, else both empty.

    `elsewhere` says that the file then stands somewhere else: `lines` say where, in the phase `phase`, whose shape is
    `shape`; `due` are the dates that it sets, moves, meets and lifts. `signers` are the steps, in words, whose signers
    are written to. `seen` stands for all of it: where it is another one later, something else would happen.
    """

    foreseen: Foreseen
    elsewhere: bool
    phase: Phase
    shape: str
    lines: tuple[Line, ...]
    before: str
    after: str
    due: tuple[Due, ...]
    signers: tuple[str, ...]
    seen: str


def consequences(
    request: Request, head: Head, found: Foreseen, names: Mapping[str, str], now: datetime
) -> Consequences:
    """Return in words what was foreseen of the file of a head; `names` are what coordinators are called."""
    reader, after = reader_of(request), found.after
    # A newer edition has its own words once it is adopted.
    edition = head.possible.context.newest if after.edition == head.possible.context.newest.digest() else head.edition
    words, rules = translator(reader.language), edition_words(edition, reader.language)
    known, before = {**head.names, **names}, head.possible.state
    missing = None
    if after.phase in (Phase.DRAFTED, Phase.RETURNED):
        refusal = Possible(after, head.possible.context).coordinating().refusal(SubmitRequest())
        missing = why_not(request, refusal, rules)
    standing = Standing(after, edition, words, head.today, known, head.titles, missing, _turned(found, after, now))
    moved, said = before.coordinator != after.coordinator, lines(standing)
    return Consequences(
        foreseen=found,
        elsewhere=moved or before.phase is not after.phase or said != head.lines,
        phase=after.phase,
        shape=SHAPES.get(after.phase, "info"),
        lines=said,
        before=known.get(before.coordinator, before.coordinator) if moved else "",
        after=known.get(after.coordinator, after.coordinator) if moved else "",
        due=tuple(_due(request, before, found, head)),
        signers=tuple(rules.step(one) for one in found.notices),
        seen=seen(found),
    )


def seen(found: Foreseen) -> str:
    """Return what stands for everything that was foreseen: the same where the same would happen again."""
    told = [
        [one.participant, *([message.item_id for message in some] for some in (one.asked, one.cancelled)), one.letter]
        for one in found.hearings
    ]
    dates = [[one.what, one.due_on.isoformat()] for one in found.events if isinstance(one, DeadlineSet)]
    kinds = [type(one).__name__ for one in found.events]
    return digest_of([found.after.phase.value, found.after.coordinator, kinds, dates, told, list(found.notices)])


def _turned(found: Foreseen, after: Delegation, now: datetime) -> Turned | None:
    """Return the foreseen event that says why the file then stands where it does; its reason is not sealed yet."""
    types = asked_for(after)
    last = next((one for one in reversed(found.events) if type(one).__name__ in types), None)
    return Turned(type(last).__name__, now, last.model_dump(mode="json", exclude_none=True)) if last else None


def _due(request: Request, before: Delegation, found: Foreseen, head: Head) -> Iterator[Due]:
    reader = reader_of(request)
    words, rules = translator(reader.language), edition_words(head.edition, reader.language)

    def day(on: date) -> str:
        return words.weekday_date(on)

    def named(what: str) -> str:
        stood = found.after.deadlines.get(what) or before.deadlines.get(what)
        rule: dict[str, Any] = stood.rule.model_dump() if stood else {"rule": "", "version": 0}
        return rules.duty(what, rule)

    for one in found.events:
        match one:
            case DeadlineSet():
                stood = before.deadlines.get(one.what)
                said = words.tr(SET, day=day(one.due_on))
                if stood is not None and stood.due_on != one.due_on:
                    said = words.tr(MOVED, day=day(one.due_on), before=day(stood.due_on))
                by = words.tr("%(rule)s, version %(version)s", rule=one.rule.rule, version=one.rule.version)
                yield Due(rules.duty(one.what, one.rule.model_dump()), said, "set", by)
            case DeadlineMissed():
                by = words.tr("%(rule)s, version %(version)s", rule=one.rule.rule, version=one.rule.version)
                duty = rules.duty(one.what, one.rule.model_dump())
                yield Due(duty, words.tr(LATE, day=day(one.due_on)), "late", by)
            case DeadlineMet():
                yield Due(named(one.what), words.tr(MET), "met")
            case DeadlineLifted():
                yield Due(named(one.what), words.tr(LIFTED), "lifted")
            case _:
                pass
