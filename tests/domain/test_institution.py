"""Organisations, positions, tenures and leave: what holds at an instant, and which entries contradict each other."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.bilingual import Bilingual
from domain.institution import (
    Closing,
    Held,
    Leave,
    Organisation,
    Seating,
    Substitution,
    Tenure,
    end_contradiction,
    end_in_past,
    held_by,
    leave_contradiction,
    leave_unfounded,
    lineage,
    organisation_contradiction,
    seats,
    sits,
    substitutions_of,
    subtree,
    tenure_contradiction,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def day(number: int) -> datetime:
    """An instant, so many days after 1 March 2026."""
    return START + timedelta(days=number)


def union(
    slug: str, parent: str | None = None, since: int = 0, until: int | None = None, successor: str | None = None
) -> Organisation:
    """An organisation for a stretch of days."""
    return Organisation(
        slug=slug,
        kind="provincial_union",
        parent=parent,
        name=Bilingual(vi="Đơn vị", en="Unit"),
        since=day(since),
        until=None if until is None else day(until),
        successor=successor,
    )


def tenure(account: str, position: str, since: int = 0, until: int | None = None) -> Tenure:
    """A tenure for a stretch of days."""
    return Tenure(
        id=f"ten-{account}-{position}-{since}",
        account=account,
        position=position,
        since=day(since),
        until=None if until is None else day(until),
    )


def leave(account: str, substitute: str, since: int, until: int, **more: Any) -> Leave:
    """A leave for a stretch of days."""
    return Leave(
        id=more.pop("id", f"lea-{account}-{substitute}-{since}"),
        account=account,
        substitute=substitute,
        since=day(since),
        until=day(until),
        **more,
    )


TREE = [
    union("central"),
    union("song-lam", "central", 0, 10),
    union("song-lam", "north", 10),
    union("north", "central", 5),
    union("song-lam-japan", "song-lam"),
]


@pytest.mark.parametrize(
    ("on", "root", "expected"),
    [
        (0, "central", {"central", "song-lam", "song-lam-japan"}),
        (10, "north", {"north", "song-lam", "song-lam-japan"}),
        (9, "north", {"north"}),
        (10, "song-lam", {"song-lam", "song-lam-japan"}),
        (0, "nowhere", {"nowhere"}),
    ],
)
def test_a_subtree_is_an_organisation_and_all_below_it_at_that_instant(on: int, root: str, expected: set[str]) -> None:
    """A provincial union that moves under another takes its own parts with it."""
    assert subtree(TREE, root, day(on)) == expected


def test_a_lineage_leads_upwards_as_the_tree_is_at_that_instant() -> None:
    """And an organisation lies in the subtree of exactly those in its lineage."""
    assert lineage(TREE, "song-lam-japan", day(9)) == ("song-lam-japan", "song-lam", "central")
    assert lineage(TREE, "song-lam-japan", day(10)) == ("song-lam-japan", "song-lam", "north", "central")
    assert lineage(TREE, "nowhere", day(0)) == ("nowhere",)


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (union("song-lam", "central", 3, 4), "organisation_exists"),
        (union("hue", "nowhere"), "parent_unknown"),
        (union("hue", "north", 4), "parent_unknown"),
        (union("hue", "hue"), "organisation_cycle"),
        (union("hue", "north", 5), None),
        (union("hue"), None),
        (union("hue", "north", 6, 30), None),
        (union("hue", "ha-tay", 3, 9), None),
        (union("hue", "ha-tay", 3, 10), "parent_ends_first"),
        (union("hue", "ha-tay", 3), "parent_ends_first"),
    ],
)
def test_an_organisation_that_contradicts_the_tree_is_not_entered(new: Organisation, code: str | None) -> None:
    """Two entries of one slug at a time, a parent that is not there (yet), or not so long, a circle."""
    renamed = [union("ha-tay", "central", 2, 5), union("ha-tay", "central", 5, 9)]
    assert organisation_contradiction([*TREE, *renamed], new) == code


def test_a_circle_is_found_however_long_and_whenever_it_closes() -> None:
    """Also where the entry that closes it begins later than the new one."""
    chain = [union("b", "a"), union("c", "b")]
    assert organisation_contradiction(chain, union("a", "c")) == "organisation_cycle"
    later = [union("b"), union("c", "b", 0, 5), union("c", "a", 5)]
    assert organisation_contradiction(later, union("a", "b", 0, 6)) is None
    assert organisation_contradiction(later, union("a", "c", 0, 6)) == "organisation_cycle"


MERGED = [
    union("central"),
    union("ninh-binh", "central", 0, 10, "nam-ha"),
    union("ha-nam", "central", 0, 10),
    union("nam-ha", "central", 4, 20),
    union("nam-ha", "central", 20),
]


def test_what_has_ended_leads_on_to_its_successor_else_to_what_it_stood_below() -> None:
    """From the instant of its end; the files of merged provinces are in the reach of the province they became."""
    assert lineage(MERGED, "ninh-binh", day(10) - TICK) == ("ninh-binh", "central")
    assert lineage(MERGED, "ninh-binh", day(10)) == ("ninh-binh", "nam-ha", "central")
    assert lineage(MERGED, "ha-nam", day(30)) == ("ha-nam", "central")
    assert lineage(MERGED, "nam-ha", day(3)) == ("nam-ha",)
    assert subtree(MERGED, "nam-ha", day(9)) == {"nam-ha"}
    assert subtree(MERGED, "nam-ha", day(30)) == {"nam-ha", "ninh-binh"}
    assert subtree(MERGED, "central", day(30)) == {"central", "nam-ha", "ninh-binh", "ha-nam"}


def test_the_desks_of_what_has_ended_are_its_successor_s() -> None:
    """Nobody can sit there again: its files wait at the nearest desk further up, from the instant of the end."""
    held = [seat("binh", "president", "ninh-binh", 1, 10), seat("chi", "president", "central", 1)]
    assert Seating(MERGED, held, day(9)).holders("president", "ninh-binh") == ("binh",)
    assert Seating(MERGED, held, day(10)).holders("president", "ninh-binh") == ("chi",)
    merged = Seating(MERGED, [*held, seat("an", "president", "nam-ha", 10)], day(10))
    assert merged.holders("president", "ninh-binh") == ("an",)
    assert merged.files_of("president", "nam-ha") == frozenset({"nam-ha", "ninh-binh"})


@pytest.mark.parametrize(
    ("ending", "files", "code"),
    [
        (union("song-lam-japan", "song-lam", 0, 12), 0, None),
        (union("song-lam-japan", "song-lam", 0, 12), 2, "organisation_needs_successor"),
        (union("song-lam-japan", "song-lam", 0, 12, "song-lam"), 2, None),
        (union("song-lam-japan", "song-lam", 0, 12, "song-lam-japan"), 2, "successor_is_itself"),
        (union("song-lam-japan", "song-lam", 0, 12, "nowhere"), 2, "successor_unknown"),
        (union("song-lam-japan", "song-lam", 0, 4, "north"), 2, "successor_unknown"),
        (union("song-lam", "central", 0, 8), 0, "organisation_goes_on"),
        (union("north", "central", 5, 9), 0, "organisation_in_use"),
    ],
)
def test_an_end_leaves_no_file_and_no_office_behind(ending: Organisation, files: int, code: str | None) -> None:
    """Without a successor only where nothing goes on; nothing of its own comes back after it."""
    others = [one for one in TREE if (one.slug, one.since) != (ending.slug, ending.since)]
    assert end_contradiction(others, ending, files=files, tenures=0) == code
    if code == "organisation_needs_successor":
        assert end_contradiction(others, ending, files=0, tenures=1) == code


def test_two_that_end_do_not_lead_to_each_other() -> None:
    """Also where the one comes to its end only later."""
    a, b = union("a", None, 0, 10, "b"), union("b", None, 0, 20, "a")
    assert end_contradiction([a], b.model_copy(update={"until": day(9)}), files=0, tenures=0) == "organisation_cycle"
    again = [a, union("a", None, 15)]
    assert end_contradiction(again, b, files=0, tenures=0) is None


@pytest.mark.parametrize("until", [START, START - TICK])
def test_a_period_that_does_not_end_after_it_begins_is_refused(until: datetime) -> None:
    """Backwards, or of no length."""
    with pytest.raises(ValidationError, match="does not end after it begins"):
        Tenure(id="ten", account="mai", position="president", since=START, until=until)


def test_nobody_holds_one_position_twice_at_a_time() -> None:
    """The same position later, or another one beside it, is no contradiction."""
    known = [tenure("mai", "president", 0, 10)]
    assert tenure_contradiction(known, tenure("mai", "president", 9)) == "tenure_exists"
    for other in (tenure("mai", "president", 10), tenure("mai", "finance", 5), tenure("hung", "president", 5)):
        assert tenure_contradiction(known, other) is None


AWAY = leave("mai", "hung", 5, 10)


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (leave("mai", "mai", 20, 21), "substitute_is_oneself"),
        (leave("mai", "an", 9, 12), "leave_overlaps"),
        (leave("lan", "mai", 9, 12), "substitute_on_leave"),
        (leave("hung", "an", 9, 12), "leave_while_substituting"),
        (leave("mai", "an", 10, 12), None),
        (leave("lan", "hung", 5, 10), None),
        (leave("lan", "an", 5, 10), None),
        (leave("mai", "an", 5, 10, positions=("finance",)), "leave_overlaps"),
    ],
)
def test_leave_that_contradicts_other_leave_is_not_registered(new: Leave, code: str | None) -> None:
    """Substitution is not passed on, so a substitute may not be away: whichever of the two is registered first."""
    assert leave_contradiction([AWAY], new) == code


def test_two_positions_may_have_two_substitutes() -> None:
    """Each for itself; two for one of them may not."""
    known = [leave("mai", "hung", 5, 10, positions=("president", "finance"))]
    assert leave_contradiction(known, leave("mai", "an", 5, 10, positions=("protocol",))) is None
    for positions in (("finance", "protocol"), ()):
        assert leave_contradiction(known, leave("mai", "an", 5, 10, positions=positions)) == "leave_overlaps"


@pytest.mark.parametrize(
    ("positions", "substitutes", "code"),
    [
        ((), None, None),
        (("president",), None, None),
        (("president",), "song-lam", None),
        (("president",), "central", None),
        (("president",), "north", "substitute_out_of_reach"),
        ((), "north", "substitute_out_of_reach"),
        (("protocol",), "north", None),
        (("presidnet",), None, "position_not_held"),
        (("president", "finance"), None, "position_not_held"),
    ],
)
def test_a_leave_is_for_what_is_held_and_a_substitute_who_reaches_it(
    positions: tuple[str, ...], substitutes: str | None, code: str | None
) -> None:
    """At some time of the leave; a desk of the whole house is anybody's, for the files in their reach."""
    held = [
        seat("mai", "president", "song-lam", 1),
        seat("mai", "finance", "song-lam", 1, 5),
        seat("mai", "protocol", None, 7),
        seat("hung", "presidnet", "song-lam", 1),
    ]
    new = leave("mai", "hung", 5, 9, positions=positions)
    assert leave_unfounded(new, held, TREE, substitutes) == code


@pytest.mark.parametrize(("since", "until", "past"), [(0, 4, True), (0, 5, False), (6, 7, False)])
def test_an_end_takes_back_nothing_that_was_a_right(since: int, until: int, past: bool) -> None:
    """What has begun ends now at the earliest; what is to come has given nothing yet."""
    assert end_in_past(leave("mai", "hung", since, 20), day(until), day(5)) is past


def test_a_leave_that_was_revoked_contradicts_nothing_and_none_contradicts_itself() -> None:
    """A changed end is compared with the others only."""
    revoked = AWAY.model_copy(update={"revoked_at": day(4)})
    assert leave_contradiction([revoked], leave("mai", "an", 9, 12)) is None
    assert leave_contradiction([AWAY], AWAY.model_copy(update={"until": day(12)})) is None


def test_a_substitute_signs_for_what_the_person_replaced_holds_inside_the_leave_alone() -> None:
    """Two positions held, one of them named: before, at the first instant, at the last, after."""
    held = [tenure("mai", "president"), tenure("mai", "finance", 7)]
    away = leave("mai", "hung", 5, 10, positions=("president",))

    def in_force(at: datetime) -> dict[str, bool]:
        return {one.position: one.in_force for one in substitutions_of("hung", held, [away], at)}

    assert in_force(day(5) - TICK) == {"president": False}
    assert in_force(day(5)) == {"president": True}
    assert in_force(day(10) - TICK) == {"president": True, "finance": False}
    assert in_force(day(10)) == {"president": False, "finance": False}
    assert substitutions_of("hung", held, [away], day(6)) == (
        Substitution(
            leave="lea-mai-hung-5",
            account="mai",
            position="president",
            tenure="ten-mai-president-0",
            held_since=day(0),
            in_force=True,
            leave_since=day(5),
            leave_until=day(10),
        ),
    )
    early = away.model_copy(update={"revoked_at": day(7)})
    assert [one.leave_until for one in substitutions_of("hung", held, [early], day(6))][:1] == [day(7)]


def test_substitution_is_not_passed_on() -> None:
    """The substitute of a substitute has nothing of the first one's."""
    held = [tenure("mai", "president"), tenure("hung", "finance")]
    away = [leave("mai", "hung", 0, 10), leave("hung", "an", 0, 10)]
    assert [one.position for one in substitutions_of("an", held, away, day(5))] == ["finance"]


def test_of_two_tenures_of_a_position_the_one_held_longest_counts() -> None:
    """Whoever wrote past the register's own check changes nobody's right."""
    both = [tenure("mai", "president", 3), tenure("mai", "president", 1)]
    assert held_by("mai", both, day(4)) == (Held(position="president", tenure="ten-mai-president-1", since=day(1)),)


PEOPLE = ("an", "hung", "mai")
POSITIONS = ("finance", "president")
SPANS = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda span: (span[0], span[0] + span[1]))
TENURES = st.lists(
    st.builds(
        lambda account, position, span: tenure(account, position, *span),
        st.sampled_from(PEOPLE),
        st.sampled_from(POSITIONS),
        SPANS,
    ),
    max_size=6,
)
LEAVES = st.lists(
    st.builds(
        lambda account, substitute, span, positions, revoked: leave(
            account,
            substitute,
            *span,
            positions=positions,
            revoked_at=None if revoked is None else day(revoked),
        ),
        st.sampled_from(PEOPLE),
        st.sampled_from(PEOPLE),
        SPANS,
        st.sampled_from([(), (), ("finance",), ("president",)]),
        st.none() | st.integers(0, 18),
    ),
    max_size=5,
)


def registered(asked: Sequence[Leave]) -> list[Leave]:
    """The leaves that the register takes, one after the other."""
    taken: list[Leave] = []
    for place, one in enumerate(asked):
        new = one.model_copy(update={"id": f"lea-{place}"})
        if leave_contradiction(taken, new) is None:
            taken.append(new)
    return taken


@forall(TENURES, LEAVES, st.integers(0, 19))
def test_in_any_register_exactly_the_entitled_may_sign(held: list[Tenure], asked: list[Leave], on: int) -> None:
    """Whoever holds the position on that day, and who is registered for one that holds it, is away and not revoked."""
    away = registered(asked)
    for position in POSITIONS:
        owners = {
            one.account
            for one in held
            if one.position == position and one.since <= day(on) and one.until is not None and day(on) < one.until
        }
        substitutes = {
            one.substitute
            for one in away
            if one.account in owners
            and one.since <= day(on) < one.until
            and (one.revoked_at is None or day(on) < one.revoked_at)
            and position in (one.positions or POSITIONS)
        }
        assert set(Seating([], held, day(on)).holders(position, "anywhere")) == owners
        for account in PEOPLE:
            own = {one.position for one in held_by(account, held, day(on))}
            assert (position in own) is (account in owners)
            for_others = {one.position for one in substitutions_of(account, held, away, day(on)) if one.in_force}
            assert (position in for_others) is (account in substitutes)


@forall(LEAVES, st.integers(0, 19))
def test_no_register_has_a_substitute_who_is_away(asked: list[Leave], on: int) -> None:
    """Nor anybody two for one position, nor anybody in their own place."""
    standing = [one for one in registered(asked) if one.revoked_at is None and one.contains(day(on))]
    for position in POSITIONS:
        away = [one.account for one in standing if one.covers(position)]
        assert len(away) == len(set(away))
    assert not {one.substitute for one in standing} & {one.account for one in standing}


@forall(st.lists(st.tuples(st.sampled_from("abcde"), st.none() | st.sampled_from("abcde"), SPANS), max_size=12))
def test_no_tree_has_a_circle_whatever_is_asked(asked: list[tuple[str, str | None, tuple[int, int]]]) -> None:
    """On every day each organisation is found from above and from below alike."""
    tree: list[Organisation] = []
    for slug, parent, span in asked:
        new = union(slug, parent, *span)
        if organisation_contradiction(tree, new) is None:
            tree.append(new)
    for number in range(20):
        here = {one.slug: one.parent for one in tree if one.contains(day(number))}
        for slug in here:
            seen, above = [slug], here[slug]
            while above is not None:
                assert above not in seen
                seen.append(above)
                above = here.get(above)
            assert lineage(tree, slug, day(number)) == tuple(seen)
            for root in "abcde":
                assert (slug in subtree(tree, root, day(number))) is (root in seen)


SONG_LAM = ("song-lam-japan", "song-lam", "central")
PLACES = [("president", "central"), ("president", "song-lam"), ("finance", "central"), ("president", "hue")]


def test_a_desk_stands_at_the_nearest_organisation_upwards_that_has_it() -> None:
    """What a province has not itself is the central union's; another province's desks are nobody's here."""
    assert seats(PLACES, SONG_LAM) == {"president": "song-lam", "finance": "central"}
    assert seats(PLACES, ("central",)) == {"president": "central", "finance": "central"}
    assert seats(PLACES, ("ninh-thuan",)) == {}


def test_who_holds_a_position_sits_at_the_desk_of_that_organisation_alone() -> None:
    """For the whole house alone at each."""
    desks = seats(PLACES, SONG_LAM)
    assert sits("president", "song-lam", desks)
    assert not sits("president", "central", desks)
    assert not sits("president", "hue", desks)
    assert sits("finance", "central", desks)
    assert sits("president", None, desks)
    assert not sits("protocol", "central", desks)


def seat(account: str, position: str, at: str | None, since: int, until: int | None = None) -> Tenure:
    """Return a tenure from one day of the year until another."""
    return Tenure(
        id=f"{account}-{position}",
        account=account,
        position=position,
        organisation=at,
        since=day(since),
        until=day(until) if until else None,
    )


def test_the_seating_says_who_sits_where_and_whose_files_come_to_them() -> None:
    """A vacant desk stays where it is, and what was taken back within a day is none."""
    tree = [
        union("central"),
        union("song-lam", "central"),
        union("song-lam-japan", "song-lam"),
        union("hue", "central"),
    ]
    tenures = [
        seat("chi", "president", "central", 1),
        seat("binh", "president", "song-lam", 1, 20),
        seat("mai", "president", "hue", 1),
        seat("linh", "finance", None, 1),
        Tenure(
            id="mistaken",
            account="an",
            position="finance",
            organisation="hue",
            since=day(2),
            until=day(2) + timedelta(hours=3),
        ),
    ]
    seating = Seating(tree, tenures, day(10))
    assert seating.desk("president", "song-lam-japan") == "song-lam"
    assert seating.holders("president", "song-lam-japan") == ("binh",)
    assert seating.holders("president", "central") == ("chi",)
    assert seating.holders("finance", "hue") == ("linh",)
    assert seating.desk("finance", "hue") is None
    assert seating.files_of("president", "song-lam") == frozenset({"song-lam", "song-lam-japan"})
    assert seating.files_of("president", "central") == frozenset({"central"})
    assert seating.files_of("finance", None) is None

    vacant = Seating(tree, tenures, day(25))
    assert vacant.desk("president", "song-lam") == "song-lam"
    assert vacant.holders("president", "song-lam") == ()


def test_a_desk_that_is_given_up_is_none_until_it_is_held_again() -> None:
    """Its files go to the next above from that instant on; as things stood before, they still did."""
    tree = [union("central"), union("song-lam", "central")]
    held = [seat("chi", "president", "central", 1), seat("binh", "president", "song-lam", 1, 20)]
    closed = [Closing(position="president", organisation="song-lam", closed_at=day(number)) for number in (30, 25)]
    assert Seating(tree, held, day(25) - TICK, closed).holders("president", "song-lam") == ()
    for number in (25, 30, 40):
        assert Seating(tree, held, day(number), closed).holders("president", "song-lam") == ("chi",)
    again = [*held, seat("an", "president", "song-lam", 27, 29)]
    assert Seating(tree, again, day(28), closed).holders("president", "song-lam") == ("an",)
    assert Seating(tree, again, day(29), closed).holders("president", "song-lam") == ()
    assert Seating(tree, again, day(30), closed).holders("president", "song-lam") == ("chi",)
