"""Ways that nobody can manage, and lanes."""

from datetime import timedelta
from typing import Any

import pytest

from domain import commands as c
from domain.events import RuleRef
from domain.lanes import audience_in_lane, lanes, lanes_of
from domain.state import Delegation
from domain.transfers import TooShort, too_short
from domain.values import business_date
from tests.builders import drafted, serving, session
from tests.domain.given import given
from tests.rulebook import edition

DAY = "2026-04-08"


def planned(*items: c.ScheduleItem) -> Delegation:
    """A file with these items beside the usual two, which are on other days."""
    return given(*drafted(), serving("an", "driver"), *items).state


def at(name: str, starts: str, ends: str, place: str | None = "Friendship House", **said: Any) -> c.ScheduleItem:
    """A session on one day."""
    return session(name, f"{DAY}T{starts}", f"{DAY}T{ends}", place=place, **said)


def test_two_places_with_less_than_a_quarter_of_an_hour_between_are_a_way_too_short() -> None:
    """Who attends both is named, and how much there is of what there has to be."""
    state = planned(at("a", "09:00", "10:00"), at("b", "10:14", "11:00", "Town Hall"))
    assert too_short(state, edition()) == (
        TooShort(
            first="a",
            second="b",
            minutes=14,
            needed=15,
            rule=RuleRef(rule="WAY-PLACES", version=1),
            people=("sato", "ito"),
        ),
    )


@pytest.mark.parametrize(
    "second",
    [
        at("b", "10:15", "11:00", "Town Hall"),
        at("b", "10:00", "11:00"),
        at("b", "10:00", "11:00", "FRIENDSHIP  HOUSE"),
        at("b", "09:30", "11:00", "Town Hall"),
        at("b", "10:00", "11:00", None),
        at("b", "10:00", "11:00", "Town Hall", kind="transfer"),
        at("b", "10:00", "11:00", "Town Hall", kind="flight"),
        at("b", "10:00", "11:00", "Town Hall", kind="hotel"),
        at("b", "10:00", "11:00", "Town Hall", audience=c.Audience(people=("bao",))),
    ],
    ids=["enough", "same", "same as people write it", "overlap", "nowhere", "transfer", "flight", "hotel", "others"],
)
def test_what_is_no_way_or_long_enough_is_not_marked(second: c.ScheduleItem) -> None:
    """Time enough, one place, no place, the way itself, a stay, other people; overlaps are marked as such."""
    assert too_short(planned(at("a", "09:00", "10:00"), second), edition()) == ()


def test_what_is_cancelled_or_lies_between_is_no_way() -> None:
    """A transfer between the two is the way; a cancelled item leaves none."""
    here, there = at("a", "09:00", "10:00"), at("b", "10:10", "11:00", "Town Hall")
    assert too_short(planned(here, at("car", "10:00", "10:10", "Town Hall", kind="transfer"), there), edition()) == ()
    going = given(*drafted(), here, there, c.CancelItem(item_id="b"))
    assert too_short(going.state, edition()) == ()


def test_another_time_zone_is_two_hours_away() -> None:
    """Counted in instants: 13:00 in Tokyo is 11:00 in Hà Nội."""
    tokyo = session("b", f"{DAY}T13:00", f"{DAY}T14:00", "Asia/Tokyo", place="Embassy")
    [found] = too_short(planned(at("a", "09:00", "10:00"), tokyo), edition())
    assert (found.minutes, found.needed, found.rule.rule) == (60, 120, "WAY-ZONES")


def test_a_way_is_too_short_by_the_rules_that_held_when_the_file_was_opened() -> None:
    """Another number from the day after on changes nothing for it; an edition that says nothing marks nothing."""
    state = planned(at("a", "09:00", "10:00"), at("b", "10:14", "11:00", "Town Hall"))
    [places, zones] = edition().ways
    opened = business_date(state.opened_at, state.zone)
    until = places.model_copy(update={"effective_to": opened})
    after = {"version": 2, "minutes": 10, "effective_from": opened + timedelta(days=1)}
    changed = edition().model_copy(update={"ways": (until, places.model_copy(update=after), zones)})
    earlier = until.model_copy(update={"effective_to": opened - timedelta(days=1)})
    begun = places.model_copy(update=after | {"effective_from": opened})
    assert [one.needed for one in too_short(state, changed)] == [15]
    assert too_short(state, edition().model_copy(update={"ways": (earlier, begun, zones)})) == ()
    assert too_short(state, edition().model_copy(update={"ways": ()})) == ()


def test_lanes_are_those_that_items_need_in_their_order_and_everybody_s_who_serves() -> None:
    """Places as they come, hosts and drivers also without an item, groups, and what belongs to none of them last."""
    state = planned(at("a", "09:00", "10:00", None), at("b", "11:00", "12:00", "Town Hall"))
    items = list(state.items.values())
    assert lanes(state, items, "place") == ("Friendship House", "Town Hall", "")
    assert lanes(state, items, "host") == ("bao", "")
    assert lanes(state, items, "driver") == ("an", "")
    assert lanes(state, items, "group") == ("delegates",)
    assert lanes_of(state, state.items["tuesday"], "host") == ("bao",)
    assert lanes_of(state, state.items["a"], "place") == ("",)


@pytest.mark.parametrize(
    ("by", "left", "entered", "groups", "people"),
    [
        ("host", "bao", "", ("delegates",), ()),
        ("driver", "", "an", ("delegates",), ("bao", "an")),
        ("group", "delegates", "hosts", ("hosts",), ("bao",)),
        ("group", "delegates", "", (), ("bao",)),
    ],
)
def test_an_item_in_another_lane_is_for_others(
    by: str, left: str, entered: str, groups: tuple[str, ...], people: tuple[str, ...]
) -> None:
    """Who leaves, who joins; what else there is of the audience stays."""
    state = planned()
    found = audience_in_lane(state, state.items["tuesday"], by, left, entered)  # type: ignore[arg-type]  # as lanes are
    assert found == c.Audience.model_validate({"groups": groups, "people": people})


def test_nobody_leaves_without_their_group_or_enters_who_is_not_on_the_file() -> None:
    """The item then stays in its lane."""
    state = planned(at("all", "09:00", "10:00", audience=c.Audience(groups=("hosts",))))
    assert audience_in_lane(state, state.items["all"], "host", "bao", "") is None
    assert audience_in_lane(state, state.items["tuesday"], "host", "bao", "nobody") is None
    assert audience_in_lane(state, state.items["tuesday"], "host", "bao", "ito") is None
    assert audience_in_lane(state, state.items["tuesday"], "group", "delegates", "everybody") is None
