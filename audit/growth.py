"""How the tree of checkpoints grew, told with few hashes: known leaves by their names, all others by subtrees.

A checkpoint adds leaves behind those of the one before. Whoever is given, for each checkpoint, what it added, and
computes the known leaves' hashes by themselves, gets every root, and sees that the tree only grew. So one proof serves
for the inclusion of all known leaves and for the consistency of all checkpoints.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from audit.merkle import Nodes

Known = Mapping[str, Collection[int]]
"""By the name of a stream, the numbers of the events that are told by name."""


class Stretch(Protocol):
    """Events of one stream that a checkpoint added, from place `position` of the tree on."""

    @property
    def stream(self) -> str: ...
    @property
    def first_seq(self) -> int: ...
    @property
    def last_seq(self) -> int: ...
    @property
    def position(self) -> int: ...


@dataclass(frozen=True)
class KnownLeaf:
    """A leaf told by name."""

    stream: str
    seq: int


@dataclass(frozen=True)
class Subtree:
    """A complete subtree of `2**level` leaves, from leaf `index * 2**level` on."""

    level: int
    index: int


Added = KnownLeaf | Subtree


def growth(sizes: Sequence[int], stretches: Sequence[Stretch], known: Known) -> list[list[Added]]:
    """Return, for checkpoints of these sizes, what each added to the tree, in order.

    `stretches` are those of the streams in `known`; the others are told by the largest subtrees that fit.
    """
    named = {
        one.position + place: KnownLeaf(one.stream, one.first_seq + place)
        for one in stretches
        for place in range(one.last_seq - one.first_seq + 1)
        if one.first_seq + place in known.get(one.stream, ())
    }
    places = sorted(named)
    found: list[list[Added]] = []
    start, at = 0, 0
    for size in sizes:
        added: list[Added] = []
        while at < len(places) and places[at] < size:
            added += [*_subtrees(start, places[at]), named[places[at]]]
            start, at = places[at] + 1, at + 1
        found.append([*added, *_subtrees(start, size)])
        start = size
    return found


def lines_of(added: Sequence[Sequence[Added]], nodes: Nodes) -> Iterator[dict[str, Any]]:
    """Yield a document a checkpoint, as the verifier reads it; `nodes` tells the hashes of subtrees."""
    for number, items in enumerate(added, start=1):
        yield {"number": number, "added": [_document(one, nodes) for one in items]}


def _document(one: Added, nodes: Nodes) -> dict[str, Any]:
    if isinstance(one, KnownLeaf):
        return {"stream": one.stream, "seq": one.seq}
    return {"level": one.level, "hash": nodes(one.level, one.index).hex()}


def _subtrees(start: int, end: int) -> Iterator[Subtree]:
    """Yield the largest complete subtrees that cover leaves `start` to `end`, in order."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield Subtree(level, start >> level)
        start += 1 << level
