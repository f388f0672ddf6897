"""What changed between two dossiers: part by part, the programme item by item, request and money figure by figure.

A dossier is taken apart into entries in their order. Put onto the entries of the earlier dossier, the differences give
those of the later one: nothing that changed is missing.
"""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal

from domain.dossier import PartContent
from domain.values import Fact

Key = tuple[str, str | None]
"""The part, and within it an item of the programme or a figure of request or ceiling."""

Entries = Mapping[Key, Any]
"""The content of a dossier in its order. A part that has items or figures has an entry None of its own before them."""

BY_FIGURE = ("request", "ceiling")
BY_ITEM = ("programme",)


class Difference(Fact):
    """One difference. `item` is an item of the programme, or a figure of request or ceiling; None for a whole part.

    `at` is the place among the later dossier's entries of what is new or stands elsewhere; `moved` is what stands
    elsewhere and is the same.
    """

    part: str
    item: str | None = None
    change: Literal["added", "removed", "changed", "moved"]
    before: Any = None
    after: Any = None
    at: int | None = None


def entries(parts: Sequence[PartContent]) -> Entries:
    """Return the entries of a dossier. A part whose content cannot be told is told by its commitment."""
    found: dict[Key, Any] = {}
    for one in parts:
        if one.content is None:
            found[one.part, None] = {"commitment": one.commitment}
        elif one.part in BY_FIGURE:
            found[one.part, None] = None
            found |= {(one.part, figure): value for figure, value in one.content.items()}
        elif one.part in BY_ITEM:
            found[one.part, None] = None
            found |= {(one.part, item["id"]): item for item in one.content}
        else:
            found[one.part, None] = one.content
    return found


def differences(earlier: Entries, later: Entries) -> tuple[Difference, ...]:
    """Return what changed, in the later dossier's order, what was removed last; nothing between equal ones."""
    places = {key: place for place, key in enumerate(later)}
    stayed = _in_order(list(earlier), list(later))
    found = []
    for key, after in later.items():
        (part, item), at = key, None if key in stayed else places[key]
        if key not in earlier:
            found.append(Difference(part=part, item=item, change="added", after=after, at=at))
        elif earlier[key] != after:
            found.append(Difference(part=part, item=item, change="changed", before=earlier[key], after=after, at=at))
        elif at is not None:
            found.append(Difference(part=part, item=item, change="moved", before=after, after=after, at=at))
    found += [
        Difference(part=part, item=item, change="removed", before=before)
        for (part, item), before in earlier.items()
        if (part, item) not in later
    ]
    return tuple(found)


def _in_order(earlier: list[Key], later: list[Key]) -> set[Key]:
    """Return the keys that both have, one behind the other in both."""
    matched = SequenceMatcher(None, earlier, later, autojunk=False).get_matching_blocks()
    return {key for block in matched for key in earlier[block.a : block.a + block.size]}


def applied(earlier: Entries, found: Sequence[Difference]) -> Entries:
    """Return the later dossier's entries: the earlier ones with the differences put onto them."""
    by_key = {(one.part, one.item): one for one in found}
    kept = []
    for key, before in earlier.items():
        one = by_key.get(key)
        if one is None:
            kept.append((key, before))
        elif one.change == "changed" and one.at is None:
            kept.append((key, one.after))
    placed = sorted(
        ((one.at, key, one.after) for key, one in by_key.items() if one.at is not None), key=lambda one: one[0]
    )
    for at, key, after in placed:
        kept.insert(at, (key, after))
    return dict(kept)
