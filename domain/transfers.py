"""Ways that nobody can manage: two items in a row for the same people, in different places, with too little between.

No register knows distances, so the rule is coarse, and it is said in words wherever it marks something: between two
places there have to be 15 minutes, between two time zones two hours. A transfer or a flight in between is the way
itself. Items that overlap are no matter of ways (`domain/programme.py` finds them); stays in hotels contain the others.
"""

from itertools import pairwise

from domain.folding import folded
from domain.programme import cohorts
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

    O(n log n) in the items for each cohort of people who attend the same.
    """
    in_order = sorted(
        (item for item in state.items.values() if not item.cancelled and item.kind != "hotel"),
        key=lambda item: (item.starts.instant, item.ends.instant, item.id),
    )
    ways: dict[tuple[str, str], tuple[int, int]] = {}
    people: dict[tuple[str, str], list[str]] = {}
    for attended, attending in cohorts(state, in_order):
        for first, second in pairwise(attended):
            if between := _between(first, second):
                ways[first.id, second.id] = between
                people.setdefault((first.id, second.id), []).extend(attending)
    joined = {who: number for number, who in enumerate(state.people)}
    place = {item.id: number for number, item in enumerate(in_order)}
    return tuple(
        TooShort(
            first=first,
            second=second,
            minutes=minutes,
            needed=needed,
            people=tuple(sorted(people[first, second], key=joined.__getitem__)),
        )
        for (first, second), (minutes, needed) in sorted(ways.items(), key=lambda way: [place[one] for one in way[0]])
    )


def _between(first: Item, second: Item) -> tuple[int, int] | None:
    """The minutes between two items and the minutes there have to be; None where that is enough, or no way at all."""
    if first.kind in WAYS or second.kind in WAYS or not first.place or not second.place:
        return None
    if folded(first.place) == folded(second.place):
        return None
    needed = MINUTES_BETWEEN_PLACES if first.ends.zone == second.starts.zone else MINUTES_BETWEEN_ZONES
    minutes = int((second.starts.instant - first.ends.instant).total_seconds()) // 60
    return (minutes, needed) if 0 <= minutes < needed else None
