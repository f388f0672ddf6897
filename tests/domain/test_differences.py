"""What changed between two dossiers is the whole change: put onto the earlier one it gives the later one."""

from typing import Any

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.differences import BY_FIGURE, BY_ITEM, Difference, applied, differences, entries
from domain.dossier import PartContent

ITEM_IDS = st.sampled_from(["forum", "dinner", "visit", "talk"])
WHOLE = st.sampled_from(["member:a", "member:b", "member:c", "limit:OUT-DAYS", "document:letter", "document:map"])
TOLD = st.one_of(st.none(), st.just({"role": "head"}), st.just({"role": "member"}))


def part(name: str, content: Any) -> PartContent:
    """A part, whatever its commitment."""
    return PartContent(part=name, content=content, commitment="0" * 64)


@st.composite
def dossiers(draw: st.DrawFn) -> tuple[PartContent, ...]:
    """A dossier whose parts and items stand in any order."""
    figures = st.dictionaries(st.sampled_from(["title", "starts", "ends"]), st.integers(0, 2))
    items = st.lists(st.tuples(ITEM_IDS, st.integers(0, 2)), unique_by=lambda one: one[0])
    parts = [part(name, draw(figures)) for name in BY_FIGURE if draw(st.booleans())]
    if draw(st.booleans()):
        parts.append(part(BY_ITEM[0], [{"id": name, "hour": hour} for name, hour in draw(items)]))
    parts += [part(name, draw(TOLD)) for name in draw(st.lists(WHOLE, unique=True))]
    return tuple(draw(st.permutations(parts)))


@forall(dossiers(), dossiers())
def test_the_differences_put_onto_the_earlier_dossier_give_the_later_one(
    earlier: tuple[PartContent, ...], later: tuple[PartContent, ...]
) -> None:
    """Every entry, and the order of entries."""
    before, after = entries(earlier), entries(later)
    assert list(applied(before, differences(before, after)).items()) == list(after.items())


@forall(dossiers())
def test_between_equal_dossiers_there_are_none(one: tuple[PartContent, ...]) -> None:
    """Nothing is said of what stayed."""
    assert differences(entries(one), entries(one)) == ()


@forall(dossiers(), dossiers())
def test_every_difference_is_one(earlier: tuple[PartContent, ...], later: tuple[PartContent, ...]) -> None:
    """What it says was before is what was before; each entry is spoken of once."""
    before, after = entries(earlier), entries(later)
    found = differences(before, after)
    keys = [(one.part, one.item) for one in found]
    assert len(set(keys)) == len(keys)
    for one, key in zip(found, keys, strict=True):
        assert (one.before, one.after) == (before.get(key), after.get(key))
        assert (key in before, key in after) == (one.change != "added", one.change != "removed")
        assert (one.change == "changed") is (key in before and key in after and one.before != one.after)


def test_a_programme_is_told_item_by_item_and_a_request_figure_by_figure() -> None:
    """One hour that moved is one difference."""
    forum, dinner = {"id": "forum", "hour": 9}, {"id": "dinner", "hour": 18}
    earlier = (part("request", {"title": "Visit", "ends": 12}), part("programme", [forum, dinner]), part("ceiling", {}))
    later = (
        part("request", {"title": "Visit", "ends": 13}),
        part("member:a", {"role": "head"}),
        part("programme", [forum | {"hour": 14}, {"id": "talk", "hour": 8}]),
        part("ceiling", {"total_vnd": 5}),
    )
    assert differences(entries(earlier), entries(later)) == (
        Difference(part="request", item="ends", change="changed", before=12, after=13),
        Difference(part="member:a", change="added", after={"role": "head"}, at=3),
        Difference(part="programme", item="forum", change="changed", before=forum, after=forum | {"hour": 14}),
        Difference(part="programme", item="talk", change="added", after={"id": "talk", "hour": 8}, at=6),
        Difference(part="ceiling", item="total_vnd", change="added", after=5, at=8),
        Difference(part="programme", item="dinner", change="removed", before=dinner),
    )


def test_what_only_stands_elsewhere_is_moved() -> None:
    """The order is signed too."""
    one, two = part("member:a", {"n": 1}), part("member:b", {"n": 2})
    [moved] = differences(entries((one, two)), entries((two, one)))
    assert (moved.change, moved.before, moved.after) == ("moved", moved.after, moved.before)


def test_a_part_that_cannot_be_told_is_told_by_its_commitment() -> None:
    """So a change of it is seen all the same."""
    earlier = PartContent(part="programme", content=None, commitment="1" * 64)
    later = PartContent(part="programme", content=None, commitment="2" * 64)
    [found] = differences(entries((earlier,)), entries((later,)))
    assert (found.change, found.before, found.after) == (
        "changed",
        {"commitment": "1" * 64},
        {"commitment": "2" * 64},
    )
