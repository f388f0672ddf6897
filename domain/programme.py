"""The programme: its items, and where they overlap."""

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Literal

from domain.amendment import unapproved
from domain.commands import CancelItem, MoveItem, Note, PublishProgramme, RestoreItem, ReviseItem, ScheduleItem
from domain.decision import Context, Outcome, accept, refuse
from domain.events import ItemCancelled, ItemMoved, ItemRestored, ItemRevised, ItemScheduled, ProgrammePublished
from domain.invitations import newcomers_wait
from domain.meanwhile import changed_meanwhile, item_seen, programme_seen
from domain.state import Delegation, Item
from domain.values import Fact

LARGEST_PROGRAMME = 1_000

Draft = Literal["new", "changed", "gone"]
"""What was drafted of an item since the programme was last published."""


def schedule(state: Delegation, command: ScheduleItem, context: Context) -> Outcome:
    """Refusals: `item_exists`, `programme_full`, `participant_unknown`."""
    if command.item_id in state.items:
        return refuse("item_exists", field="item_id", item=command.item_id)
    if len(state.items) >= LARGEST_PROGRAMME:
        return refuse("programme_full", field="item_id", limit=LARGEST_PROGRAMME)
    if stranger := _stranger(state, command.audience.people):
        return refuse("participant_unknown", field="audience.people", member=stranger)
    if stranger := _stranger(state, _noted(command.notes)):
        return refuse("participant_unknown", field="notes.people", member=stranger)
    return accept(
        ItemScheduled(
            item_id=command.item_id,
            kind=command.kind,
            title=command.title,
            starts=command.starts.resolve(),
            ends=command.ends.resolve(),
            place=command.place,
            audience=command.audience,
            published=command.published,
            notes=command.notes,
        )
    )


def move(state: Delegation, command: MoveItem, context: Context) -> Outcome:
    """Refusals: `item_unknown`, `changed_meanwhile`, `item_unchanged`."""
    item = _standing(state, command.item_id)
    if item is None:
        return refuse("item_unknown", field="item_id", item=command.item_id)
    if refusal := changed_meanwhile(command.seen, item_seen(item)):
        return refusal
    starts, ends, place = command.starts.resolve(), command.ends.resolve(), command.place or item.place
    if (starts, ends, place) == (item.starts, item.ends, item.place):
        return refuse("item_unchanged", field="starts", item=item.id)
    return accept(ItemMoved(item_id=item.id, starts=starts, ends=ends, place=command.place))


def revise(state: Delegation, command: ReviseItem, context: Context) -> Outcome:
    """Refusals: `item_unknown`, `changed_meanwhile`, `participant_unknown`, `item_unchanged`."""
    item = _standing(state, command.item_id)
    if item is None:
        return refuse("item_unknown", field="item_id", item=command.item_id)
    if refusal := changed_meanwhile(command.seen, item_seen(item)):
        return refusal
    if command.audience and (stranger := _stranger(state, command.audience.people)):
        return refuse("participant_unknown", field="audience.people", member=stranger)
    if stranger := _stranger(state, _noted(command.notes or ())):
        return refuse("participant_unknown", field="notes.people", member=stranger)
    names = ("title", "kind", "place", "audience", "published", "notes")
    said = {name: value for name in names if (value := getattr(command, name)) is not None}
    changed = {name: value for name, value in said.items() if value != getattr(item, name)}
    if not changed:
        return refuse("item_unchanged", field="item_id", item=item.id)
    return accept(ItemRevised.model_validate({"item_id": item.id, "announce": command.announce, **changed}))


def cancel(state: Delegation, command: CancelItem, context: Context) -> Outcome:
    """Refusals: `item_unknown`, `changed_meanwhile`."""
    item = _standing(state, command.item_id)
    if item is None:
        return refuse("item_unknown", field="item_id", item=command.item_id)
    return changed_meanwhile(command.seen, item_seen(item)) or accept(ItemCancelled(item_id=item.id))


def restore(state: Delegation, command: RestoreItem, context: Context) -> Outcome:
    """Refusals: `item_unknown`, `changed_meanwhile`, `item_not_published` (there is nothing to go back to: it
    is cancelled instead), `item_unchanged`.
    """
    item, published = state.items.get(command.item_id), state.published.get(command.item_id)
    if item is None:
        return refuse("item_unknown", field="item_id", item=command.item_id)
    if refusal := changed_meanwhile(command.seen, item_seen(item)):
        return refusal
    if published is None or published.cancelled:
        return refuse("item_not_published", field="item_id", item=command.item_id)
    if item == published.item(item.id):
        return refuse("item_unchanged", field="item_id", item=command.item_id)
    return accept(ItemRestored(item_id=item.id))


def publish(state: Delegation, command: PublishProgramme, context: Context) -> Outcome:
    """Refusals: `changed_meanwhile`, `programme_empty`, `programme_unchanged` (everybody already knows it as it is),
    `change_unapproved`.
    """
    if refusal := changed_meanwhile(command.seen, programme_seen(state)):
        return refusal
    items = published_items(state)
    if not items and not state.published:
        return refuse("programme_empty")
    if state.programme and published_as_drafted(state) and not newcomers_wait(state, context.now):
        return refuse("programme_unchanged")
    if change := unapproved(state, context.edition):
        return refuse("change_unapproved", parts=list(change.changed))
    return accept(ProgrammePublished(programme=state.programme + 1, items=items))


def published_items(state: Delegation) -> tuple[str, ...]:
    """Return the ids of the items that are meant for calendars, in the order in which they were scheduled."""
    return tuple(item.id for item in state.items.values() if item.published and not item.cancelled)


def published_as_drafted(state: Delegation) -> bool:
    """Return whether the programme as it stands is the one that was last published."""
    return all(drafted(state, item_id) is None for item_id in state.items)


def drafted(state: Delegation, item_id: str) -> Draft | None:
    """Return what a publication would do to an item in calendars: make it new, change it, take it away; else None."""
    item, one = state.items[item_id], state.published.get(item_id)
    stands = one is not None and not one.cancelled
    if not item.published or item.cancelled:
        return "gone" if stands else None
    if one is None or one.cancelled:
        return "new"
    same = (one.view, one.audience, one.notes) == (item.view, item.audience, item.notes)
    return None if same else "changed"


class Overlap(Fact):
    """Two items that claim the same person or place at the same time."""

    what: str
    """`person:<participant id>` or `place:<place>`"""
    first: str
    second: str


def overlaps(state: Delegation) -> tuple[Overlap, ...]:
    """Return every overlap of a person or a place among standing items; shown, never forbidden.

    O(n log n) in the items of each person or place, plus the overlaps found. Hotel stays contain other items by
    nature and are left out.
    """
    claims: dict[str, list[Item]] = {}
    for item in state.items.values():
        if item.cancelled or item.kind == "hotel":
            continue
        if item.place:
            claims.setdefault(f"place:{item.place}", []).append(item)
        for person in state.attendees(item):
            claims.setdefault(f"person:{person}", []).append(item)
    return tuple(
        Overlap(what=what, first=first.id, second=second.id)
        for what, items in claims.items()
        for first, second in _overlapping(items)
    )


class Clash(Fact):
    """Two items that overlap: `people` attend both, as they joined; `same_place` where they claim one place too."""

    first: str
    second: str
    people: tuple[str, ...]
    same_place: bool


def clashes(state: Delegation) -> tuple[Clash, ...]:
    """Return what `overlaps` finds, each two items once. Those who attend the same are looked at once together."""
    items = [item for item in state.items.values() if not item.cancelled and item.kind != "hotel"]
    people: dict[tuple[str, str], list[str]] = {}
    for attended, attending in cohorts(state, items):
        for first, second in _overlapping(attended):
            people.setdefault((first.id, second.id), []).extend(attending)
    of_place: dict[str, list[Item]] = {}
    for item in items:
        if item.place:
            of_place.setdefault(item.place, []).append(item)
    places = {(first.id, second.id) for here in of_place.values() for first, second in _overlapping(here)}
    joined = {who: number for number, who in enumerate(state.people)}
    return tuple(
        Clash(
            first=pair[0],
            second=pair[1],
            people=tuple(sorted(people.get(pair, ()), key=joined.__getitem__)),
            same_place=pair in places,
        )
        for pair in dict.fromkeys((*people, *sorted(places)))
    )


def cohorts(state: Delegation, items: Iterable[Item]) -> list[tuple[tuple[Item, ...], tuple[str, ...]]]:
    """Return who of the file attends exactly the same of some items, with those: most of a delegation is one cohort."""
    of_person: dict[str, list[Item]] = {}
    for item in items:
        for who in state.attendees(item):
            of_person.setdefault(who, []).append(item)
    alike: dict[tuple[str, ...], tuple[tuple[Item, ...], list[str]]] = {}
    for who in state.people:
        attended = of_person.get(who, [])
        alike.setdefault(tuple(item.id for item in attended), (tuple(attended), []))[1].append(who)
    return [(attended, tuple(people)) for attended, people in alike.values() if attended]


def _overlapping(items: Iterable[Item]) -> Iterable[tuple[Item, Item]]:
    running: list[tuple[float, int, Item]] = []
    for order, item in enumerate(sorted(items, key=lambda item: (item.starts.instant, item.ends.instant))):
        starts = item.starts.instant.timestamp()
        while running and running[0][0] <= starts:
            heappop(running)
        for _, _, other in sorted(running, key=lambda entry: entry[1]):
            yield other, item
        heappush(running, (item.ends.instant.timestamp(), order, item))


def _standing(state: Delegation, item_id: str) -> Item | None:
    item = state.items.get(item_id)
    return item if item and not item.cancelled else None


def _noted(notes: Iterable[Note]) -> Iterable[str]:
    return (who for note in notes for who in note.people)


def _stranger(state: Delegation, people: Iterable[str]) -> str | None:
    return next((who for who in people if who not in state.people), None)
