"""Checkpoints as they are read and proven: documents from the register, proofs from the tree's tiles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit.checkpoint import Checkpoint, Span
from audit.merkle import Nodes, consistency_proof, inclusion_proof
from audit.tiles import Tile, nodes_in, tile_of
from storage.checkpoint_rows import KeptSpan
from storage.checkpoints import Checkpoints
from storage.engine import Database

Proof = tuple[bytes, ...]


class NotInCheckpoint(LookupError):
    """No checkpoint, or none so early, holds this event yet."""


class UnknownCheckpoint(LookupError):
    """There is no checkpoint of this number."""


class TreeDamaged(Exception):
    """The tiles of the tree are not whole: somebody has to look."""

    def __init__(self) -> None:
        super().__init__("the tree of checkpoints is not whole")


@dataclass(frozen=True)
class Inclusion:
    """That an event stands at `position` of a checkpoint's tree: its leaf's hash, and the path to the root."""

    checkpoint: Checkpoint
    stream: str
    seq: int
    position: int
    leaf: bytes
    proof: Proof


@dataclass(frozen=True)
class Consistency:
    """That the tree of `second` begins with that of `first`: nothing before was changed."""

    first: Checkpoint
    second: Checkpoint
    proof: Proof


class CheckpointLog:
    """The checkpoints of one installation."""

    def __init__(self, database: Database) -> None:
        self._kept = Checkpoints(database)

    async def all(self) -> list[Checkpoint]:
        """Return every checkpoint, in the order of numbers. A document that is none raises ValueError."""
        return await self.page()

    async def page(self, *, after: int = 0, limit: int | None = None) -> list[Checkpoint]:
        """Return checkpoints from the one after `after`."""
        return [Checkpoint.model_validate(one.document) for one in await self._kept.page(after=after, limit=limit)]

    async def latest(self) -> Checkpoint | None:
        """Return the last one."""
        kept = await self._kept.latest()
        return Checkpoint.model_validate(kept.document) if kept else None

    async def get(self, number: int) -> Checkpoint:
        """Return one by its number. Raises UnknownCheckpoint."""
        kept = await self._kept.get(number)
        if kept is None:
            raise UnknownCheckpoint
        return Checkpoint.model_validate(kept.document)

    async def spans(self, stream: str | None = None, *, checkpoint: int | None = None) -> list[Span]:
        """Return what checkpoints added, in the order of the tree: all, of one stream, of one checkpoint."""
        return [span_of(one) for one in await self._kept.spans(stream, checkpoint=checkpoint)]

    async def inclusion(self, stream: str, seq: int, checkpoint: int | None = None) -> Inclusion:
        """Prove that an event stands in a checkpoint's tree, else the last one's.

        Raises UnknownCheckpoint, NotInCheckpoint and TreeDamaged.
        """
        head = await self.latest() if checkpoint is None else await self.get(checkpoint)
        span = await self._kept.span_of(stream, seq)
        if head is None or span is None or span.checkpoint > head.number:
            raise NotInCheckpoint
        position = span.position + seq - span.first_seq

        def path(nodes: Nodes) -> Proof:
            return (nodes(0, position), *inclusion_proof(position, head.size, nodes))

        leaf, *proof = await self._path(path)
        return Inclusion(head, stream, seq, position, leaf, tuple(proof))

    async def consistency(self, first: int, second: int) -> Consistency:
        """Prove that the tree of one checkpoint begins with that of another; raises UnknownCheckpoint, TreeDamaged,

        and IndexError where `first` is the later one.
        """
        before, after = await self.get(first), await self.get(second)
        proof = await self._path(lambda nodes: consistency_proof(before.size, after.size, nodes))
        return Consistency(before, after, proof)

    async def _path(self, path: Callable[[Nodes], Proof]) -> Proof:
        """Return a path of hashes, of which the tiles are asked for first, all at once."""
        wanted: set[Tile] = set()

        def noted(level: int, index: int) -> bytes:
            wanted.add(tile_of(level, index))
            return bytes(32)

        path(noted)
        try:
            return path(nodes_in(await self._kept.tiles(wanted)))
        except (KeyError, IndexError):
            raise TreeDamaged from None


def span_of(kept: KeptSpan) -> Span:
    """Return a span as audits know it."""
    said: dict[str, Any] = {name: getattr(kept, name) for name in Span.model_fields}
    return Span.model_validate(said)
