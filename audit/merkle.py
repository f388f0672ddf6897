"""Merkle trees as RFC 9162 section 2.1 hashes them: roots, and proofs of inclusion and of consistency.

Hashes are 32 bytes of SHA-256. A tree is never held: its root grows at the right edge (`Frontier`), and proofs ask for
the hashes of complete subtrees, wherever those are kept.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

EMPTY = sha256().digest()
"""The root of a tree without leaves."""

Nodes = Callable[[int, int], bytes]
"""Returns the hash of the complete subtree of `2**level` leaves that begins with leaf `index * 2**level`."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node above two subtrees."""
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """The right edge of a tree: the roots of its complete subtrees, the largest and leftmost first."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Take the next leaf's hash."""
        left = self.size
        while left & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            left >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root of a tree of these leaves."""
    frontier = Frontier()
    for leaf in leaf_hashes:
        frontier.append(leaf)
    return frontier.root()


def frontier_of(size: int, nodes: Nodes) -> Frontier:
    """Return the right edge of a tree of `size` leaves, so that it can grow."""
    peaks, start = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            peaks.append(nodes(level, start >> level))
            start += 1 << level
    return Frontier(size, peaks)


def inclusion_proof(index: int, size: int, nodes: Nodes) -> tuple[bytes, ...]:
    """Return the path that proves leaf `index` (from 0) to be in the tree of the first `size` leaves (2.1.3.1).

    Raises IndexError when that tree has no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError("the tree has no such leaf")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, nodes))
            end = middle
        else:
            path.append(_subtree(start, middle, nodes))
            start = middle
    return tuple(reversed(path))


def consistency_proof(first: int, second: int, nodes: Nodes) -> tuple[bytes, ...]:
    """Return the path that proves the tree of the first `second` leaves to begin with that of `first` (2.1.4.1).

    Raises IndexError unless 0 < first <= second.
    """
    if not 0 < first <= second:
        raise IndexError("the first tree is not a part of the second")
    path: list[bytes] = []
    start, end, known = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_subtree(middle, end, nodes))
            end = middle
        else:
            path.append(_subtree(start, middle, nodes))
            start, known = middle, False
    if not known:
        path.append(_subtree(start, end, nodes))
    return tuple(reversed(path))


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows the leaf of this hash at `index` in the tree of this size and root (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree of `second` leaves begins with the one of `first` (2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than the size of a tree of at least two leaves."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtree(start: int, end: int, nodes: Nodes) -> bytes:
    """Return the hash over leaves `start` to `end`, where `start` is a multiple of the next power of two above."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(size)
    return node_hash(_subtree(start, middle, nodes), _subtree(middle, end, nodes))
