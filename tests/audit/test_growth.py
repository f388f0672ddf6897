"""How the tree of checkpoints grew, told with few hashes: every root comes of it, and of nothing else."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Leaf, leaf_hash_of
from audit.growth import KnownLeaf, Subtree, growth, lines_of
from audit.merkle import Frontier, root_of
from audit.tiles import GrowingTree, nodes_in
from tests.evidence.tampering import grow

OURS, OTHERS = "a-file", "others"


class Stretch(NamedTuple):
    """Events of one stream at consecutive places."""

    stream: str
    first_seq: int
    last_seq: int
    position: int


def digest(seq: int) -> str:
    """The hash of an event."""
    return hashlib.sha256(str(seq).encode()).hexdigest()


BATCHES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)).filter(any), min_size=1, max_size=12)
"""How many of our events, and of others', each checkpoint adds."""


def laid_out(batches: list[tuple[int, int]]) -> tuple[list[bytes], list[int], list[Stretch]]:
    """The leaves' hashes, the sizes of the checkpoints, and where our events are."""
    leaves, sizes, stretches = list[bytes](), list[int](), list[Stretch]()
    seqs = {OURS: 0, OTHERS: 0}
    for counts in batches:
        for stream, count in zip((OURS, OTHERS), counts, strict=True):
            if stream == OURS and count:
                stretches.append(Stretch(OURS, seqs[OURS] + 1, seqs[OURS] + count, len(leaves)))
            for _ in range(count):
                seqs[stream] += 1
                leaves.append(leaf_hash_of(Leaf(stream=stream, seq=seqs[stream], hash=digest(seqs[stream]))))
        sizes.append(len(leaves))
    return leaves, sizes, stretches


@given(BATCHES, st.integers(0, 5))
def test_whoever_adds_up_what_is_told_gets_every_root(batches: list[tuple[int, int]], hidden: int) -> None:
    """Known leaves by their names, the others as subtrees; also where some of our own are told as others are."""
    leaves, sizes, stretches = laid_out(batches)
    tree = GrowingTree()
    for leaf in leaves:
        tree.append(leaf)
    last = sum(stretch.last_seq - stretch.first_seq + 1 for stretch in stretches)
    known = {OURS: range(1, last + 1 - hidden)}
    added = growth(sizes, stretches, known)
    hashes: Mapping[tuple[str, int], str] = {(OURS, seq): digest(seq) for seq in known[OURS]}
    grown = Frontier()
    for size, line in zip(sizes, lines_of(added, nodes_in(tree.tiles())), strict=True):
        items: list[dict[str, Any]] = line["added"]
        for one in items:
            grow(grown, one, hashes)
        assert (grown.size, grown.root()) == (size, root_of(leaves[:size]))
    named = [one.seq for items in added for one in items if isinstance(one, KnownLeaf)]
    assert named == list(known[OURS])


def test_others_cost_a_few_hashes_however_many_they_are() -> None:
    """A million events of others beside one of ours: the largest subtrees that fit."""
    [added] = growth([1_000_001], [Stretch(OURS, 1, 1, 500_000)], {OURS: {1}})
    assert added.count(KnownLeaf(OURS, 1)) == 1
    assert len(added) <= 40
    assert sum(1 << one.level for one in added if isinstance(one, Subtree)) == 1_000_000
