"""Ways that nobody can manage: two items in a row for the same people, in different places, with too little between.

No register knows distances, so the rules are coarse (`rules/ways.yaml`), and what they say is told wherever they mark
something: so many minutes between two places, so many between two time zones. A transfer or a flight in between is the
way itself. Items that overlap are no matter of ways (`domain/programme.py` finds them); stays in hotels contain the
others.
"""

from collections.abc import Mapping
from itertools import pairwise

from domain.events import RuleRef
from domain.folding import folded
from domain.programme import cohorts
from domain.rule import effective
from domain.rules import Edition, WayRule
from domain.state import Delegation, Item
from domain.values import Fact, business_date

WAYS = ("transfer", "flight")


class TooShort(Fact):
    """Two items between which a rule wants more time, in whole minutes; `people` attend both, as they joined."""

    first: str
    second: str
    minutes: int
    needed: int
    rule: RuleRef
    people: tuple[str, ...]


def too_short(state: Delegation, edition: Edition) -> tuple[TooShort, ...]:
    """Return every way that is too short by the rules of the file, in the order in which the items begin.

    O(n log n) in the items for each cohort of people who attend the same.
    """
    in_force = effective(edition.ways, business_date(state.rules_since, state.zone))
    rules: dict[str, WayRule] = {rule.between: rule for rule in in_force}
    in_order = sorted(
        (item for item in state.items.values() if not item.cancelled and item.kind != "hotel"),
        key=lambda item: (item.starts.instant, item.ends.instant, item.id),
    )
    ways: dict[tuple[str, str], tuple[int, WayRule]] = {}
    people: dict[tuple[str, str], list[str]] = {}
    for attended, attending in cohorts(state, in_order):
        for first, second in pairwise(attended):
            if between := _between(first, second, rules):
                ways[first.id, second.id] = between
                people.setdefault((first.id, second.id), []).extend(attending)
    joined = {who: number for number, who in enumerate(state.people)}
    place = {item.id: number for number, item in enumerate(in_order)}
    return tuple(
        TooShort(
            first=first,
            second=second,
            minutes=minutes,
            needed=rule.minutes,
            rule=RuleRef(rule=rule.id, version=rule.version),
            people=tuple(sorted(people[first, second], key=joined.__getitem__)),
        )
        for (first, second), (minutes, rule) in sorted(ways.items(), key=lambda way: [place[one] for one in way[0]])
    )


def _between(first: Item, second: Item, rules: Mapping[str, WayRule]) -> tuple[int, WayRule] | None:
    """The minutes between two items and the rule that wants more; None where that is enough, or no way at all."""
    if first.kind in WAYS or second.kind in WAYS or not first.place or not second.place:
        return None
    if folded(first.place) == folded(second.place):
        return None
    rule = rules.get("places" if first.ends.zone == second.starts.zone else "zones")
    minutes = int((second.starts.instant - first.ends.instant).total_seconds()) // 60
    return (minutes, rule) if rule is not None and 0 <= minutes < rule.minutes else None
