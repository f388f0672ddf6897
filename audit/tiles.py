"""The tree of checkpoints in tiles: 256 hashes of one level in a row, and of the levels only every eighth.

What lies between is hashed anew from one tile, so a proof in a tree of a million leaves reads at most six tiles. Tile
`(level, number)` holds the hashes of complete subtrees of `256**level` leaves, from `number * 256` on; the last tile of
a level may have fewer. What is complete never changes: a tile only ever grows.
"""

from collections.abc import Iterable, Iterator, Mapping

from audit.merkle import Nodes, frontier_of, leaf_hash, node_hash
from domain.canonical import canonical_json

HASH = 32
"""Bytes of a hash."""

WIDTH = 256
"""Hashes of a whole tile."""

LEVELS = 8
"""Levels of the tree from one level of tiles to the next."""

Tile = tuple[int, int]
"""Level and number of a tile."""


def tile_of(level: int, index: int) -> Tile:
    """Return the tile that tells the hash of the complete subtree of `2**level` leaves at `index`."""
    return level // LEVELS, (index << level % LEVELS) // WIDTH


def nodes_in(tiles: Mapping[Tile, bytes]) -> Nodes:
    """Return where proofs find the hashes of subtrees in these tiles. Raises KeyError for a tile that is not there,

    and IndexError for a subtree that is not complete.
    """

    def node(level: int, index: int) -> bytes:
        content, depth = tiles[tile_of(level, index)], level % LEVELS
        start = (index << depth) % WIDTH * HASH
        found = content[start : start + (HASH << depth)]
        if len(found) != HASH << depth:
            raise IndexError("the subtree is not complete")
        return _folded(found)

    return node


def edge_of(size: int) -> tuple[Tile, ...]:
    """Return the tiles at the right edge of a tree of `size` leaves that have fewer than 256 hashes, and some."""
    found, level = [], 0
    while size:
        if size % WIDTH:
            found.append((level, size // WIDTH))
        size, level = size // WIDTH, level + 1
    return tuple(found)


class GrowingTree:
    """A tree that leaves are added to, of which it holds the right edge and what was not fetched yet."""

    def __init__(self, size: int = 0, edge: Mapping[Tile, bytes] | None = None) -> None:
        """`edge` are the tiles that `edge_of` names. Raises ValueError where one has not as many hashes as it must."""
        self.size = size
        self._levels: list[bytearray] = []
        self._whole: dict[Tile, bytes] = {}
        rest, level = size, 0
        while rest:
            content = (edge or {}).get((level, rest // WIDTH), b"") if rest % WIDTH else b""
            if len(content) != rest % WIDTH * HASH:
                raise ValueError("the tiles are not those of a tree of this size")
            self._levels.append(bytearray(content))
            rest, level = rest // WIDTH, level + 1

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        number, level = self.size, 0
        self.size += 1
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            tile = self._levels[level]
            tile += leaf
            if len(tile) < WIDTH * HASH:
                return
            whole = bytes(tile)
            tile.clear()
            number //= WIDTH
            self._whole[level, number] = whole
            leaf, level = _folded(whole), level + 1

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        return frontier_of(self.size, nodes_in(self._edge())).root()

    def fetch(self) -> dict[Tile, bytes]:
        """Return the tiles that became whole since the last time, once."""
        found, self._whole = self._whole, {}
        return found

    def tiles(self) -> dict[Tile, bytes]:
        """Return what `fetch` would, and the tiles of the right edge as they stand."""
        return self.fetch() | self._edge()

    def _edge(self) -> dict[Tile, bytes]:
        return {tile: bytes(self._levels[tile[0]]) for tile in edge_of(self.size)}


def leaf_hashes(stream: str, events: Iterable[tuple[int, str]]) -> Iterator[bytes]:
    """Yield the leaves' hashes of a stream's events, each its number and hash: what `leaf_hash_of` returns.

    Four times as fast, since the entry is put together from its parts: RFC 8785 leaves no choice how.
    """
    end = b',"stream":' + canonical_json(stream) + b"}"
    for seq, digest in events:
        yield leaf_hash(b'{"hash":"%s","seq":%d' % (digest.encode("ascii"), seq) + end)


def _folded(hashes: bytes) -> bytes:
    """Return the hash above `2**n` hashes."""
    row = [hashes[start : start + HASH] for start in range(0, len(hashes), HASH)]
    while len(row) > 1:
        row = [node_hash(row[place], row[place + 1]) for place in range(0, len(row), 2)]
    return row[0]
