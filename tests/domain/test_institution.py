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
    Held,
    Leave,
    Organisation,
    Seating,
    Substitution,
    Tenure,
    held_by,
    leave_contradiction,
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


def union(slug: str, parent: str | None = None, since: int = 0, until: int | None = None) -> Organisation:
    """An organisation for a stretch of days."""
    return Organisation(
        slug=slug,
        kind="provincial_union",
        parent=parent,
        name=Bilingual(vi="Đơn vị", en="Unit"),
        since=day(since),
        until=None if until is None else day(until),
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
    ],
)
def test_an_organisation_that_contradicts_the_tree_is_not_entered(new: Organisation, code: str | None) -> None:
    """Two entries of one slug at a time, a parent that is not there (yet), a circle."""
    assert organisation_contradiction(TREE, new) == code


def test_a_circle_is_found_however_long_and_whenever_it_closes() -> None:
    """Also where the entry that closes it begins later than the new one."""
    chain = [union("b", "a"), union("c", "b")]
    assert organisation_contradiction(chain, union("a", "c")) == "organisation_cycle"
    later = [union("b"), union("c", "b", 0, 5), union("c", "a", 5)]
    assert organisation_contradiction(later, union("a", "c", 0, 5)) is None
    assert organisation_contradiction(later, union("a", "c", 0, 6)) == "organisation_cycle"


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
    ],
)
def test_leave_that_contradicts_other_leave_is_not_registered(new: Leave, code: str | None) -> None:
    """Substitution is not passed on, so a substitute may not be away: whichever of the two is registered first."""
    assert leave_contradiction([AWAY], new) == code


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
    """Nor anybody away twice, nor anybody in their own place."""
    standing = [one for one in registered(asked) if one.revoked_at is None and one.contains(day(on))]
    away = [one.account for one in standing]
    assert len(away) == len(set(away))
    assert not {one.substitute for one in standing} & set(away)


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
