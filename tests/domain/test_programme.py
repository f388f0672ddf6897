"""The programme: its items, their times, and where they overlap."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import commands as c
from domain import events as e
from domain.programme import Clash, Overlap, clashes, overlaps
from domain.state import Delegation
from domain.values import Value
from tests.builders import approved, at, drafted, invited, member, moved, opening, session
from tests.domain.given import given


def test_an_item_is_sealed_with_wall_clock_zone_and_instant() -> None:
    """A local time is resolved once and stays what it was, whatever zones do later."""
    flight = c.ScheduleItem(
        item_id="flight",
        kind="flight",
        title="Tokyo to Hà Nội",
        starts=at("2026-04-06T08:30", "Asia/Tokyo"),
        ends=at("2026-04-06T12:15"),
        published=False,
    )
    (event,) = given(*drafted()).when(flight).then(e.ItemScheduled).of(e.ItemScheduled)
    assert event.model_dump(mode="json")["starts"] == {
        "local": "2026-04-06T08:30",
        "zone": "Asia/Tokyo",
        "instant": "2026-04-05T23:30:00.000000Z",
    }
    assert event.ends.instant > event.starts.instant


def test_an_item_does_not_end_before_it_starts_counted_in_instants() -> None:
    """09:00 in Tokyo is 07:00 in Hà Nội: the wall clocks alone would mislead."""
    with pytest.raises(ValidationError, match="the end is not after the start"):
        c.ScheduleItem(item_id="x", title="x", starts=at("2026-04-06T09:00"), ends=at("2026-04-06T10:00", "Asia/Tokyo"))


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (session("monday"), "item_exists", {"field": "item_id", "item": "monday"}),
        (
            session("x", audience=c.Audience(people=("nobody",))),
            "participant_unknown",
            {"field": "audience.people", "member": "nobody"},
        ),
        (moved("nothing", "2026-04-06T14:00", "2026-04-06T16:00"), "item_unknown", {"item": "nothing"}),
        (moved("monday", "2026-04-06T14:00", "2026-04-06T16:00"), "item_unchanged", {"item": "monday"}),
        (c.ReviseItem(item_id="monday", title="Session monday"), "item_unchanged", {"item": "monday"}),
        (c.ReviseItem(item_id="monday"), "item_unchanged", {"item": "monday"}),
        (c.ReviseItem(item_id="nothing", title="x"), "item_unknown", {"item": "nothing"}),
        (
            c.ReviseItem(item_id="monday", audience=c.Audience(people=("nobody",))),
            "participant_unknown",
            {"member": "nobody"},
        ),
        (c.CancelItem(item_id="nothing"), "item_unknown", {"item": "nothing"}),
    ],
)
def test_what_does_not_fit_the_programme_is_refused(command: Value, code: str, said: dict[str, Any]) -> None:
    """By the item or the person it is about."""
    given(*drafted()).when(command).then_refused(code, **said)


def test_a_move_keeps_the_place_unless_another_is_named() -> None:
    """Time is what changes; a move to the same time elsewhere is a change too."""
    going = given(*drafted())
    going.further(moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"))
    assert going.state.items["monday"].place == "Friendship House"
    going.further(moved("monday", "2026-04-06T15:00", "2026-04-06T17:00", place="Town Hall"))
    assert going.state.items["monday"].place == "Town Hall"


def test_a_revision_records_only_what_changed() -> None:
    """The words of an item, without its time."""
    revision = c.ReviseItem(item_id="monday", title="Welcome", place="Friendship House", published=True)
    given(*drafted()).when(revision).then(e.ItemRevised(item_id="monday", title="Welcome"))


def test_a_cancelled_item_is_gone_for_every_further_command() -> None:
    """It is not moved, revised or cancelled again, and its id is not used again."""
    going = given(*drafted(), c.CancelItem(item_id="monday"))
    for command in (
        moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"),
        c.ReviseItem(item_id="monday", title="x"),
        c.CancelItem(item_id="monday"),
    ):
        going.when(command).then_refused("item_unknown")
    going.when(session("monday")).then_refused("item_exists")


def test_publication_names_what_is_meant_for_calendars() -> None:
    """Neither cancelled nor unpublished items, in the order in which they were scheduled."""
    going = given(*approved(), session("hidden", published=False), c.CancelItem(item_id="monday"))
    going.when(c.PublishProgramme()).then(e.ProgrammePublished(programme=1, items=("tuesday",)))


def test_a_programme_without_a_published_item_is_neither_published_nor_sent() -> None:
    """There is nothing to tell."""
    going = given(*approved(), c.CancelItem(item_id="monday"), c.CancelItem(item_id="tuesday"))
    going.when(c.PublishProgramme()).then_refused("programme_empty")
    going.when(c.Invite()).then_refused("programme_empty")


def test_a_programme_that_everybody_knows_is_not_published_again() -> None:
    """Unless something changed for somebody."""
    going = given(*invited())
    going.when(c.PublishProgramme()).then_refused("programme_unchanged")
    going.further(session("hidden", published=False)).when(c.PublishProgramme()).then_refused("programme_unchanged")
    going.further(session("wednesday")).when(c.PublishProgramme()).then(e.ProgrammePublished)


def test_overlaps_of_a_person_and_of_a_place_are_shown() -> None:
    """The head is asked to be in two places, two sessions to share one; neither is forbidden."""
    alone = c.Audience(people=("sato",))
    going = given(
        opening(),
        member("sato", role="head"),
        member("ito"),
        session("one", "2026-04-07T09:00", "2026-04-07T11:00", place="A"),
        session("two", "2026-04-07T10:30", "2026-04-07T12:00", place="B", audience=alone),
        session("three", "2026-04-07T10:59", "2026-04-07T12:00", place="A", audience=c.Audience()),
    )
    assert set(overlaps(going.state)) == {
        Overlap(what="person:sato", first="one", second="two"),
        Overlap(what="place:A", first="one", second="three"),
    }


def test_items_that_meet_at_a_minute_do_not_overlap() -> None:
    """One ends as the next begins."""
    following = session("next", "2026-04-06T16:00", "2026-04-06T17:00")
    assert overlaps(given(*drafted(), following).state) == ()


def test_a_hotel_stay_a_cancelled_item_and_somebody_who_left_overlap_with_nothing() -> None:
    """A stay contains sessions by nature."""
    same = ("2026-04-06T14:00", "2026-04-06T16:00")
    going = given(
        opening(),
        member("sato"),
        member("ito"),
        session("standing", *same, place="A", audience=c.Audience(people=("ito",))),
        session("stay", *same, place="A", kind="hotel"),
        session("off", *same, place="A"),
        session("left", *same, place="B", audience=c.Audience(people=("sato", "ito"))),
        c.CancelItem(item_id="off"),
        c.WithdrawMember(member_id="ito"),
    )
    assert overlaps(going.state) == ()


def test_overlaps_compare_instants_and_not_wall_clocks() -> None:
    """09:00 in Berlin is 15:00 in Hà Nội before summer time."""
    going = given(
        opening(),
        member("ito"),
        session("one", "2026-03-23T09:00", "2026-03-23T10:00", "Europe/Berlin"),
        session("two", "2026-03-23T15:30", "2026-03-23T16:30", place="B"),
    )
    assert overlaps(going.state) == (Overlap(what="person:ito", first="one", second="two"),)


def quarter(number: int) -> str:
    """The start of a quarter of an hour, counted from the midnight before the guests arrive."""
    return f"2026-04-{6 + number // 96:02}T{number // 4 % 24:02}:{number % 4 * 15:02}"


@forall(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.sampled_from("ABC")), max_size=12))
def test_the_sweep_finds_exactly_the_pairs_that_comparing_all_finds(claims: list[tuple[int, int, str]]) -> None:
    """Every pair at one place whose times meet, each once; in n log n rather than n squared."""

    items = [
        session(f"item-{number}", quarter(start), quarter(start + length), place=place, audience=c.Audience())
        for number, (start, length, place) in enumerate(claims)
    ]
    state = given(opening(), *items).state
    expected = {
        (frozenset((one.item_id, other.item_id)), f"place:{one.place}")
        for one, other in combinations(items, 2)
        if one.place == other.place
        and one.starts.resolve().instant < other.ends.resolve().instant
        and other.starts.resolve().instant < one.ends.resolve().instant
    }
    found = [(frozenset((one.first, one.second)), one.what) for one in overlaps(state)]
    assert (set(found), len(found)) == (expected, len(expected))


def test_items_back_to_back_never_overlap() -> None:
    """400 quarters of an hour in a row, at one place."""
    items = [session(f"item-{n}", quarter(n), quarter(n + 1), place="A") for n in range(400)]
    assert overlaps(given(opening()).when(*items).accepted().state) == ()


@forall(
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.integers(1, 8),
            st.sampled_from(["A", "B", None]),
            st.sampled_from([("delegates",), ("hosts",), ("delegates", "hosts"), ()]),
            st.sampled_from([(), ("ito",), ("sato", "bao")]),
        ),
        max_size=8,
    )
)
def test_clashes_are_the_overlaps_with_each_two_items_once(
    claims: list[tuple[int, int, str | None, tuple[str, ...], tuple[str, ...]]],
) -> None:
    """Whoever attends both is named, in the order in which they joined, and whether they are at one place."""
    items = [
        session(
            f"item-{number}",
            quarter(start),
            quarter(start + length),
            place=place,
            audience=c.Audience.model_validate({"groups": groups, "people": people}),
        )
        for number, (start, length, place, groups, people) in enumerate(claims)
    ]
    state = given(*drafted(), *items).state
    expected: dict[tuple[str, str], set[str]] = {}
    for one in overlaps(state):
        expected.setdefault((one.first, one.second), set()).add(one.what)
    order = list(state.people)
    found = clashes(state)
    assert {
        (one.first, one.second): {f"person:{who}" for who in one.people} | _at_place(state, one) for one in found
    } == (expected)
    assert all(list(one.people) == sorted(one.people, key=order.index) for one in found)
    assert len({(one.first, one.second) for one in found}) == len(found)


def _at_place(state: Delegation, clash: Clash) -> set[str]:
    return {f"place:{state.items[clash.first].place}"} if clash.same_place else set()
