"""A file as it was, for people: where it stood, who was on it, what was planned, and what has changed since."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from fastapi import Request

from api.as_of import ThenQuery, file_then
from api.installation import Installation
from api.pages.dossier import items_by_day
from api.pages.frame import SHAPES
from api.pages.reader import reader_of
from api.pages.words import position_titles
from api.problems import Problem
from api.reading import ChangesQuery, SaidChange, changes_between, reader_in
from domain.bilingual import Bilingual
from domain.decision import SYSTEM
from domain.desk import Desk, desks
from domain.state import Deadline, Delegation, Item, Participant
from locales import mark, translator
from storage.queries import File
from words.events import Names, sentence_of


@dataclass(frozen=True)
class Past:
    """A file as it was after entry `seq`, decided at `at` on the file's clock: what `said` says, by `who`.

    `people` are those on the file then, by name where the reader may read it, `gone` those who had left it by then.
    `changed` is what changed from then until entry `to`; what is bookkeeping is not in it.
    """

    state: Delegation
    seq: int
    at: datetime
    who: str
    said: str
    shape: str
    desks: tuple[Desk, ...]
    names: dict[str, str]
    titles: dict[str, Bilingual]
    people: tuple[tuple[str, Participant], ...]
    gone: tuple[str, ...]
    days: tuple[tuple[date, tuple[Item, ...]], ...]
    due: tuple[tuple[str, Deadline], ...]
    to: int
    changed: tuple[SaidChange, ...]


NOT_OPEN_THEN = mark("The file was not open yet at that time. Its first entry is of %(time)s.")


@dataclass(frozen=True)
class Then:
    """When a file is to be shown: after entry `seq` or at the instant `as_of`, compared with it after entry `to`.

    0 and None where that is not said.
    """

    seq: int = 0
    as_of: datetime | None = None
    to: int = 0


async def past_of(
    request: Request, at: Installation, file: File, asked: Then, names: Names
) -> tuple[Past | None, list[tuple[str, str]]]:
    """Return the file as it was, None where it is asked for as it stands; and what is wrong with what was asked."""
    if asked.as_of is None and (not asked.seq or asked.seq >= file.head.seq):
        return None, []
    try:
        query = ThenQuery(as_of=asked.as_of) if asked.as_of else ThenQuery(seq=asked.seq)
        then = await file_then(at, file, query)
    except Problem:
        words, zone = translator(reader_of(request).language), ZoneInfo(file.state.zone)
        first = words.date_and_time(file.state.opened_at.astimezone(zone))
        return None, [("as_of", words.tr(NOT_OPEN_THEN, time=first))]
    if then.head.seq == file.head.seq:
        return None, []
    return await _shown(request, at, file, then, asked, names), []


async def _shown(request: Request, at: Installation, file: File, then: File, asked: Then, names: Names) -> Past:
    state, words = then.state, translator(reader_of(request).language)
    teller = await reader_in(words, state, at, names)
    teller.due |= {what: one.rule.model_dump() for what, one in state.deadlines.items()}
    [event] = await at.queries.events(state.id, after=then.head.seq - 1, limit=1)
    lies = desks(state)
    signers = {
        one.by for proposal in (state.proposal,) if proposal for step in proposal.steps for one in step.signed_by
    }
    to = min(max(asked.to, then.head.seq), file.head.seq) if asked.to else file.head.seq
    found = await changes_between(at, file, ChangesQuery(since_seq=then.head.seq, until_seq=to), words, names)
    return Past(
        state=state,
        seq=then.head.seq,
        at=then.updated_at.astimezone(ZoneInfo(state.zone)),
        who=words.tr("(by itself)") if event.actor == SYSTEM else names.account(event.actor),
        said=sentence_of({"type": event.type, "data": event.data}, teller),
        shape=SHAPES.get(state.phase, "info"),
        desks=lies,
        names={one: names.account(one) for one in {state.coordinator} | signers},
        titles=await position_titles(at, await at.editions.get(state.edition)),
        people=tuple((names.person(one.id), one) for one in state.people.values() if one.active),
        gone=tuple(names.person(one.id) for one in state.people.values() if not one.active),
        days=tuple(items_by_day(one for one in state.items.values() if not one.cancelled)),
        due=tuple(
            (teller.duty(what), one)
            for what, one in sorted(state.deadlines.items(), key=lambda pair: pair[1].due_at)
            if one.status == "open"
        ),
        to=to,
        changed=tuple(one.said for one in found.items if one.said),
    )
