"""What happened to a file, entry by entry in words: for its trail, and for whatever page shows the last of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from fastapi import Request

from api.installation import Installation
from api.pages.dossier import people_of
from api.pages.reader import reader_of
from api.reading import SaidChange, TrailEntry
from domain.decision import SYSTEM, participant_of
from domain.state import Delegation
from words import trail as told_as
from words.events import Reader as Teller


@dataclass(frozen=True)
class Told:
    """An entry of the trail in words. `at` is on the file's clock; `who` is a name where the reader may see names."""

    entry: TrailEntry
    at: datetime
    who: str
    by_right: str
    took_effect: str
    changes: tuple[SaidChange, ...]
    rules: str
    came: tuple[str, ...]

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


async def in_words(
    request: Request, at: Installation, state: Delegation, entries: Sequence[TrailEntry], teller: Teller
) -> list[Told]:
    """Return entries in words, in their order."""
    names = await names_of(request, at, state, {one.actor for one in entries})
    zone = ZoneInfo(state.zone)

    def told(one: TrailEntry) -> Told:
        said = one.model_dump(mode="json")
        who = told_as.who(said, teller)
        return Told(
            entry=one,
            at=one.at.astimezone(zone),
            who=names.get(one.actor, who) if one.cause is None else who,
            by_right=told_as.by_right(said, teller),
            took_effect=told_as.took_effect(said, teller),
            changes=tuple(change.said for change in one.changes if change.said),
            rules=told_as.rules(said, teller),
            came=tuple(told_as.came_of_it(said, teller)),
        )

    return [told(one) for one in entries]


async def names_of(request: Request, at: Installation, state: Delegation, actors: set[str]) -> dict[str, str]:
    """Return what those who did something are called: by name for whoever may read names, else as the trail has them.

    The trail has people on the file by their place on it, with `participant:` before it.
    """
    reader = reader_of(request)
    places = {one: place for one in actors if (place := participant_of(one)) is not None}
    accounts = actors - set(places) - {SYSTEM}
    said = places | {one: one for one in accounts}
    if reader.sees_personal_data:
        said |= await at.accounts.names(accounts)
        known = await people_of(
            at, state, [state.people[one] for one in places.values() if one in state.people], reader
        )
        said |= {one: name for one, place in places.items() if place in known and (name := known[place].name)}
    return said
