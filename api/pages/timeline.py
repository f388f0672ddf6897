"""What happened to a file, entry by entry in words: for its trail, and for whatever page shows the last of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain, groupby
from typing import Any, get_args
from zoneinfo import ZoneInfo

from fastapi import Request

from api.installation import Installation
from api.pages.dossier import people_of
from api.pages.reader import reader_of
from api.reading import SaidChange, TrailEntry
from domain.decision import SYSTEM, participant_of
from domain.events import AnyEvent
from domain.seal import SealedEvent
from domain.state import Delegation
from locales import translator
from words import trail as told_as
from words.events import Names, told_apart
from words.events import Reader as Teller

ABOUT_ACCOUNTS = ("account", "by", "coordinator", "on_behalf_of", "previous", "substitute", "to")

MENTIONING = (
    *("CoordinatorChanged", "DelegationOpened", "DeskMoved", "DeskReturned", "StandInsNoted"),
    *("StepSigned", "StepReturned", "StepRejected", "ReportReturned", "ReportAccepted"),
)
"""Events that name accounts which need not have done anything."""

WRITTEN = {
    event.__name__: names
    for event in get_args(get_args(AnyEvent)[0])
    if (names := [name for name in ("reason", "justification", "comment") if name in event.model_fields])
}
"""The fields of events that refer to what somebody wrote about them, by type; a report has a page of its own."""


@dataclass(frozen=True)
class Told:
    """An entry of the trail in words. `at` is on the file's clock; `who` is a name where the reader may see names.

    `written` are the texts that whoever did it wrote, where the reader may read them and they are still kept.
    """

    entry: TrailEntry
    at: datetime
    who: str
    by_right: str
    took_effect: str
    changes: tuple[SaidChange, ...]
    rules: str
    came: tuple[str, ...]
    written: tuple[str, ...] = ()

    @property
    def by_itself(self) -> bool:
        """Whether the system did it."""
        return self.entry.actor == SYSTEM

    @property
    def follows(self) -> bool:
        """Whether it is a due date that follows from what somebody did: the rule set it, met it or lifted it."""
        return not self.by_itself and self.entry.type.startswith("Deadline")


Days = list[tuple[date, list[Told]]]


def by_day(told: Iterable[Told]) -> Days:
    """Return entries by the day on which they were decided, in their order; a clock that went back begins one anew."""
    return [(day, list(group)) for day, group in groupby(told, key=lambda one: one.at.date())]


def in_words(entries: Iterable[TrailEntry], teller: Teller) -> list[Told]:
    """Return entries in words, in their order."""
    zone = ZoneInfo(teller.zone)

    def told(one: TrailEntry) -> Told:
        said = one.model_dump(mode="json")
        return Told(
            entry=one,
            at=one.at.astimezone(zone),
            who=told_as.who(said, teller),
            by_right=told_as.by_right(said, teller),
            took_effect=told_as.took_effect(said, teller),
            changes=tuple(change.said for change in one.changes if change.said),
            rules=told_as.rules(said, teller),
            came=tuple(told_as.came_of_it(said, teller)),
        )

    return [told(one) for one in entries]


async def with_texts(request: Request, at: Installation, id: str, told: Sequence[Told]) -> list[Told]:
    """Return entries with the texts that they refer to; without them where the reader may read none."""
    seqs = {one.entry.seq for one in told if one.entry.type in WRITTEN}
    if not seqs or not reader_of(request).sees_personal_data:
        return list(told)
    events = await at.queries.events(id, types=[*WRITTEN])
    refs = {one.seq: _refs(one) for one in events if one.seq in seqs}
    texts = await at.texts.read_many(chain.from_iterable(refs.values()))
    return [
        replace(one, written=tuple(texts[ref] for ref in refs.get(one.entry.seq, ()) if ref in texts)) for one in told
    ]


def _refs(event: SealedEvent) -> list[str]:
    return [said["ref"] for name in WRITTEN[event.type] if (said := event.data.get(name))]


async def names_on(request: Request, at: Installation, state: Delegation) -> Names:
    """Return what all are called whom the trail of a file may name; nobody where the reader may read no names."""
    if not reader_of(request).sees_personal_data:
        return Names()
    mentioned = accounts_in(one.data for one in await at.queries.events(state.id, types=MENTIONING))
    return await names_of(request, at, state, mentioned | await at.queries.actors(state.id))


async def names_of(request: Request, at: Installation, state: Delegation, accounts: Collection[str]) -> Names:
    """Return what the people on a file and the holders of accounts are called; nobody where the reader may not read it.

    Whose data were erased is called by their number on the file.
    """
    reader = reader_of(request)
    if not reader.sees_personal_data:
        return Names()
    words = translator(reader.language)
    found = await people_of(at, state, state.people.values(), reader)
    people = {
        place: one.name or words.tr("erased person %(number)s", number=one.number)
        for place, one in found.items()
        if one.name or one.number
    }
    holders = {one for one in accounts if one != SYSTEM and participant_of(one) is None}
    return Names(told_apart(people), await at.accounts.names(holders))


def accounts_in(said: Iterable[Any]) -> set[str]:
    """Return the accounts that events name in what they say, and some words that are none."""
    found: set[str] = set()
    for one in said:
        if isinstance(one, dict):
            found |= {value for name, value in one.items() if name in ABOUT_ACCOUNTS and isinstance(value, str)}
            found |= accounts_in(one.values())
        elif isinstance(one, list):
            found |= accounts_in(one)
    return found
