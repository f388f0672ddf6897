"""The tree in tiles is the tree of RFC 9162: the same roots and the same proofs, from few tiles."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import Leaf, leaf_hash_of
from audit.merkle import consistency_proof, includes, inclusion_proof, is_consistent, root_of
from audit.tiles import GrowingTree, Tile, edge_of, leaf_hashes, nodes_in, tile_of

LEAVES = [sha256(bytes([number % 256, number // 256])).digest() for number in range(1_200)]
SIZES = st.integers(1, len(LEAVES))


def grown(*sizes: int) -> dict[Tile, bytes]:
    """The tiles of a tree that grew in steps, each begun from the tiles alone, as a checkpoint does."""
    tiles: dict[Tile, bytes] = {}
    before = 0
    for size in sizes:
        tree = GrowingTree(before, {tile: tiles[tile] for tile in edge_of(before)})
        for leaf in LEAVES[before:size]:
            tree.append(leaf)
        assert tree.root() == root_of(LEAVES[:size])
        tiles |= tree.tiles()
        before = size
    return tiles


@given(SIZES, SIZES, SIZES)
def test_proofs_from_tiles_hold_whatever_steps_the_tree_grew_in(one: int, two: int, three: int) -> None:
    """Every leaf's neighbours, and each earlier tree, by the checks of RFC 9162 that know no tiles."""
    first, second, size = sorted((one, two, three))
    nodes = nodes_in(grown(*sorted({first, second, size})))
    for index in {0, first - 1, second - 1, size - 1, size // 2}:
        proof = inclusion_proof(index, size, nodes)
        assert includes(LEAVES[index], index, size, proof, root_of(LEAVES[:size]))
    for earlier in (first, second, size):
        proof = consistency_proof(earlier, size, nodes)
        assert is_consistent(earlier, size, root_of(LEAVES[:earlier]), root_of(LEAVES[:size]), proof)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 513, 1_200])
def test_a_tree_is_kept_in_one_tile_for_256_hashes_of_a_level(size: int) -> None:
    """And of levels in every eighth; the ones at the edge are those that the next leaf changes."""
    tiles = grown(size)
    assert {tile: len(content) // 32 for tile, content in tiles.items()} == {
        (level, number): min(256, hashes - number * 256)
        for level, hashes in enumerate((size, size // 256))
        for number in range(-(-hashes // 256))
    }
    assert set(edge_of(size)) == {tile for tile, content in tiles.items() if len(content) < 256 * 32}


def test_a_proof_in_a_tree_of_a_million_leaves_reads_six_tiles_at_most() -> None:
    """However the leaf lies."""
    size = 1_000_003
    for index in (0, 1, 65_535, 65_536, 524_288, 999_999, size - 1):
        wanted: set[Tile] = set()

        def noted(level: int, place: int, wanted: set[Tile] = wanted) -> bytes:
            wanted.add(tile_of(level, place))
            return bytes(32)

        assert len(inclusion_proof(index, size, noted)) <= 20
        assert len(wanted) <= 6


def test_tiles_that_do_not_fit_the_size_are_refused() -> None:
    """A tree is never grown from less than there is, nor from more."""
    tiles = grown(300)
    with pytest.raises(ValueError, match="not those of a tree of this size"):
        GrowingTree(300, {(1, 0): tiles[1, 0]})
    with pytest.raises(ValueError, match="not those of a tree of this size"):
        GrowingTree(301, tiles)
    with pytest.raises(IndexError):
        nodes_in(tiles)(0, 300)


def test_leaves_are_hashed_as_their_entries_are_written() -> None:
    """Put together from parts, and byte for byte the canonical JSON, whatever the stream is called."""
    events = [(1, "a" * 64), (2, "0" * 64), (2**31, "f" * 64)]
    for stream in ("d-1", "register:accounts", 'quoted"\\ đoàn'):
        expected = [leaf_hash_of(Leaf(stream=stream, seq=seq, hash=digest)) for seq, digest in events]
        assert list(leaf_hashes(stream, events)) == expected
