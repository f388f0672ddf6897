"""Merkle trees against the definitions of RFC 9162 section 2.1, written out a second time, and against its examples."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import (
    EMPTY,
    Nodes,
    consistency_proof,
    frontier_of,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    root_of,
)

LEAVES = [leaf_hash(bytes([number])) for number in range(64)]
SIZES = st.integers(1, 64)


def defined(leaves: Sequence[bytes]) -> bytes:
    """The Merkle Tree Hash, recursive as the RFC defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined(leaves[:split]), defined(leaves[split:]))


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    def node(level: int, index: int) -> bytes:
        covered = leaves[index << level : (index + 1) << level]
        assert len(covered) == 1 << level, "only complete subtrees are asked for"
        return defined(covered)

    return node


def test_the_hashes_are_those_of_certificate_transparency() -> None:
    """The known roots of the first leaves of CT's reference test data."""
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in entries]
    assert leaves[0].hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(leaves[:2]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_an_empty_tree_is_the_hash_of_nothing() -> None:
    """Section 2.1.1."""
    assert root_of([]) == EMPTY == sha256(b"").digest()


@given(st.integers(0, 64))
def test_a_root_is_as_defined_and_grows_from_any_size(size: int) -> None:
    """From left to right, and from the right edge of a smaller tree."""
    assert root_of(LEAVES[:size]) == defined(LEAVES[:size])
    frontier = frontier_of(size // 2, nodes_of(LEAVES))
    for leaf in LEAVES[size // 2 : size]:
        frontier.append(leaf)
    assert frontier.root() == defined(LEAVES[:size])


@given(SIZES, st.data())
def test_every_leaf_is_proven_where_it_stands_and_nowhere_else(size: int, data: st.DataObject) -> None:
    """Another leaf, place, size or root is refused."""
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, nodes_of(LEAVES))
    root = defined(LEAVES[:size])
    assert includes(LEAVES[index], index, size, proof, root)
    assert len(proof) <= (size - 1).bit_length()
    assert not includes(leaf_hash(b"other"), index, size, proof, root)
    assert not includes(LEAVES[index], index, size, proof, EMPTY)
    assert not any(includes(LEAVES[index], other, size, proof, root) for other in range(size) if other != index)
    assert not includes(LEAVES[index], index, size, (*proof, EMPTY), root)
    if proof:
        assert not includes(LEAVES[index], index, size, proof[:-1], root)


@given(SIZES, SIZES)
def test_a_tree_is_proven_to_begin_with_each_earlier_one(one: int, other: int) -> None:
    """And not with another root, nor by a proof that was changed or cut."""
    first, second = sorted((one, other))
    proof = consistency_proof(first, second, nodes_of(LEAVES))
    roots = defined(LEAVES[:first]), defined(LEAVES[:second])
    assert is_consistent(first, second, *roots, proof)
    assert not is_consistent(first, second, EMPTY, roots[1], proof)
    assert not is_consistent(first, second, roots[0], EMPTY, proof)
    assert not is_consistent(first, second, *roots, (*proof, EMPTY))
    for place in range(len(proof)):
        assert not is_consistent(first, second, *roots, (*proof[:place], EMPTY, *proof[place + 1 :]))
        assert not is_consistent(first, second, *roots, (*proof[:place], *proof[place + 1 :]))


@pytest.mark.parametrize(("first", "second"), [(0, 4), (5, 4)])
def test_what_is_no_part_has_no_proof(first: int, second: int) -> None:
    """Neither is one made, nor is one believed."""
    with pytest.raises(IndexError):
        consistency_proof(first, second, nodes_of(LEAVES))
    assert not is_consistent(first, second, EMPTY, EMPTY, ())


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    """Neither behind the end nor before the beginning."""
    for index in (-1, 4):
        with pytest.raises(IndexError):
            inclusion_proof(index, 4, nodes_of(LEAVES))
        assert not includes(LEAVES[0], index, 4, (), EMPTY)
