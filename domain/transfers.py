"""Ways that nobody can manage: two items in a row for the same people, in different places, with too little between.

No register knows distances, so the rule is coarse, and it is said in words wherever it marks something: between two
places there have to be 15 minutes, between two time zones two hours. A transfer or a flight in between is the way
itself. Items that overlap are no matter of ways (`domain/programme.py` finds them); stays in hotels contain the others.
"""

from itertools import pairwise

from domain.folding import folded
from domain.state import Delegation, Item
from domain.values import Fact

MINUTES_BETWEEN_PLACES = 15
MINUTES_BETWEEN_ZONES = 120

WAYS = ("transfer", "flight")


class TooShort(Fact):
    """Two items between which there is too little time, in whole minutes; `people` attend both, as they joined."""

    first: str
    second: str
    minutes: int
    needed: int
    people: tuple[str, ...]


def too_short(state: Delegation) -> tuple[TooShort, ...]:
    """Return every way that is too short, in the order in which the items begin.

    O(n log n) in the items, and one look at each item for each who attends it.
    """
    in_order = sorted(
        (item for item in state.items.values() if not item.cancelled and item.kind != "hotel"),
        key=lambda item: (item.starts.instant, item.ends.instant, item.id),
    )
    of_person: dict[str, list[Item]] = {}
    for item in in_order:
        for who in state.attendees(item):
            of_person.setdefault(who, []).append(item)
    people: dict[tuple[str, str], list[str]] = {}
    for who in state.people:
        for first, second in pairwise(of_person.get(who, ())):
            if _between(first, second) is not None:
                people.setdefault((first.id, second.id), []).append(who)
    place = {item.id: number for number, item in enumerate(in_order)}
    found = []
    for (first_id, second_id), who_attend in people.items():
        between = _between(state.items[first_id], state.items[second_id])
        if between:
            minutes, needed = between
            found.append(
                TooShort(first=first_id, second=second_id, minutes=minutes, needed=needed, people=tuple(who_attend))
            )
    return tuple(sorted(found, key=lambda one: (place[one.first], place[one.second])))


def _between(first: Item, second: Item) -> tuple[int, int] | None:
    """The minutes between two items and the minutes there have to be; None where that is enough, or no way at all."""
    if first.kind in WAYS or second.kind in WAYS or not first.place or not second.place:
        return None
    if folded(first.place) == folded(second.place):
        return None
    needed = MINUTES_BETWEEN_PLACES if first.ends.zone == second.starts.zone else MINUTES_BETWEEN_ZONES
    minutes = int((second.starts.instant - first.ends.instant).total_seconds()) // 60
    return (minutes, needed) if 0 <= minutes < needed else None
