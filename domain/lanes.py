"""The programme in lanes: beside each other stands what happens at once, by place, by whom it needs, or for whom."""

from collections.abc import Iterable
from typing import Literal

from domain.commands import Audience
from domain.state import GROUP_ROLES, Delegation, Item

By = Literal["place", "host", "driver", "group"]
"""By what lanes are told apart. Cars are told by who drives them: a file knows people, and no cars."""

NO_LANE = ""
"""The lane of what has no place, needs no host or driver, or is for people named one by one."""


def lanes_of(state: Delegation, item: Item, by: By) -> tuple[str, ...]:
    """Return the lanes in which an item stands: its place, the ids of its hosts or drivers, or its groups."""
    match by:
        case "place":
            return (item.place or NO_LANE,)
        case "host" | "driver":
            serving = tuple(who for who in state.attendees(item) if state.people[who].role == by)
            return serving or (NO_LANE,)
        case "group":
            return item.audience.groups or (NO_LANE,)


def lanes(state: Delegation, items: Iterable[Item], by: By) -> tuple[str, ...]:
    """Return the lanes that items need, in the order in which they are first needed, NO_LANE last.

    Every host or driver on the file has a lane of their own, also one with nothing in it: something may be put there.
    """
    needed = [lane for item in items for lane in lanes_of(state, item, by)]
    if by in ("host", "driver"):
        needed = [*(who for who, person in state.people.items() if person.active and person.role == by), *needed]
    found = tuple(lane for lane in dict.fromkeys(needed) if lane != NO_LANE)
    return (*found, NO_LANE) if NO_LANE in needed or not found else found


def audience_in_lane(state: Delegation, item: Item, by: By, left: str, entered: str) -> Audience | None:
    """Return the audience of an item that goes from one lane to another; None where it cannot leave or enter that one.

    Who attends with a whole group does not leave without it, and nobody enters who is not on the file.
    """
    groups, people = item.audience.groups, item.audience.people
    if by == "group":
        if entered != NO_LANE and entered not in GROUP_ROLES:
            return None
        kept = tuple(group for group in groups if group != left)
        added = () if entered in (NO_LANE, *kept) else (entered,)
        return Audience.model_validate({"groups": (*kept, *added), "people": people})
    with_a_group = {role for group in groups for role in GROUP_ROLES[group]}
    if left != NO_LANE and by in with_a_group:
        return None
    if entered != NO_LANE and (entered not in state.people or state.people[entered].role != by):
        return None
    kept_people = tuple(who for who in people if who != left)
    joined = () if entered in (NO_LANE, *kept_people) else (entered,)
    return Audience(groups=groups, people=(*kept_people, *joined))
