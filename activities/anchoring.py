"""Verifying the checkpoints: their chain and signatures, the tree grown anew from all entries, and copies elsewhere."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from audit.anchoring import Anchoring, SpanOrder, chain_holds, copies_hold
from audit.checkpoint import Checkpoint, Span, document_of
from audit.merkle import includes, inclusion_proof
from audit.tiles import HASH, GrowingTree, Tile, leaf_hashes, nodes_in, tile_of
from audit.verdicts import Verdict
from audit.verification import CHECKPOINTS, Finding
from storage.as_stored import StoredChains
from storage.checkpoint_rows import KeptSpan
from storage.engine import Database
from storage.tree_as_stored import StoredCheckpoint, StoredTree

BATCH = 5000


@dataclass
class Anchored:
    """What was found of the checkpoints, of the streams under them, and how far each stream is under one."""

    verdict: Verdict
    streams: dict[str, list[Finding]] = field(default_factory=dict)
    reached: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By stream: its last event under a checkpoint, and that checkpoint's number."""

    def found(self, finding: Finding) -> None:
        """Keep a finding with the stream it is about."""
        if finding.stream == CHECKPOINTS:
            # A tile that is wrong is wrong under every checkpoint that it reaches to.
            known = [(one.code, one.reason) for one in self.verdict.findings]
            if finding.code != "tile_differs" or (finding.code, finding.reason) not in known:
                self.verdict.findings.append(finding)
        else:
            self.streams.setdefault(finding.stream, []).append(finding)


class TreeVerification:
    """Verifies the checkpoints of one store."""

    def __init__(self, database: Database, trusted: Collection[bytes]) -> None:
        """`trusted` are the public halves of the installation's keys, 32 bytes each."""
        self._chains = StoredChains(database)
        self._tree = StoredTree(database)
        self._trusted = trusted

    async def anchored(self, copies: Sequence[Checkpoint] = (), *, only: Sequence[str] = ()) -> Anchored:
        """Verify all of them; `copies` were kept elsewhere.

        With `only`, the entries of these streams are proven to stand in the newest checkpoint's tree, and the entries
        of others are not read.
        """
        rows = await self._tree.checkpoints()
        good, findings = chain_holds([_read(row) for row in rows], [row.number for row in rows], self._trusted)
        last = good[-1] if good else None
        anchored = Anchored(
            Verdict(
                CHECKPOINTS,
                "checkpoints",
                entries=len(rows),
                head=last.root if last else None,
                checkpoint=last.number if last else None,
            )
        )
        for finding in (*findings, *copies_hold(copies, good, self._trusted)):
            anchored.found(finding)
        if only:
            for stream in only:
                await self._prove(stream, good, anchored)
        else:
            await self._grow(good, anchored, beyond=bool(findings))
        return anchored

    async def _prove(self, stream: str, good: Sequence[Checkpoint], anchored: Anchored) -> None:
        """Prove each entry of a stream by its path through the kept tiles, up to the first that does not hold."""
        sizes = [0, *(one.size for one in good)]
        reached = 0
        async for batch in self._tree.spans(stream):
            for span in batch:
                if span.checkpoint > len(good):
                    continue
                count = span.last_seq - span.first_seq + 1
                fits = (
                    span.first_seq == reached + 1
                    and count > 0
                    and span.checkpoint > 0
                    and sizes[span.checkpoint - 1] <= span.position <= sizes[span.checkpoint] - count
                )
                finding = await self._unproven(span, good[-1]) if fits else _broken(span)
                if finding is not None:
                    anchored.found(finding)
                    return
                reached = span.last_seq
                anchored.reached[stream] = (span.last_seq, span.checkpoint)

    async def _unproven(self, span: KeptSpan, newest: Checkpoint) -> Finding | None:
        """The first entry of a span that the newest checkpoint's tree does not have in its place."""
        root, place = bytes.fromhex(newest.root), "register" if ":" in span.stream else "journal"
        wanted: set[Tile] = set()

        def noted(level: int, index: int) -> bytes:
            wanted.add(tile_of(level, index))
            return bytes(HASH)

        def differs(code: str, seq: int) -> Finding:
            said = {"code": code, "place": place, "stream": span.stream, "seq": seq, "number": span.checkpoint}
            return Finding.model_validate(said)

        ahead = span.position - span.first_seq
        for seq in range(span.first_seq, span.last_seq + 1):
            noted(0, seq + ahead)
            inclusion_proof(seq + ahead, newest.size, noted)
        tiles = {tile: await self._tree.tile(tile) or b"" for tile in sorted(wanted)}
        nodes, expected, head = nodes_in(tiles), span.first_seq, ""
        async for batch in self._chains.hashes(span.stream, span.first_seq, span.last_seq):
            head = batch[-1][1]
            for (seq, _), leaf in zip(batch, leaf_hashes(span.stream, _plain(batch)), strict=True):
                if seq != expected:
                    return differs("leaf_missing", expected)
                try:
                    kept, proof = nodes(0, seq + ahead), inclusion_proof(seq + ahead, newest.size, nodes)
                except IndexError:
                    return _tile_differs(tile_of(0, seq + ahead))
                if not includes(leaf, seq + ahead, newest.size, proof, root):
                    # Where the kept leaf is the entry's own, what lies above it in the tree is wrong.
                    return _tile_differs(tile_of(0, seq + ahead)) if kept == leaf else differs("leaf_differs", seq)
                expected += 1
        if expected <= span.last_seq:
            return differs("leaf_missing", expected)
        return None if span.head == head else _broken(span)

    async def _grow(self, good: Sequence[Checkpoint], anchored: Anchored, *, beyond: bool) -> None:
        """Take every leaf again; `beyond`: what is under a checkpoint that does not hold is passed over."""
        order, tree, grown = SpanOrder(good), Anchoring(), GrowingTree()
        waiting = list(good)
        above: Finding | None = None
        tiles = await self._tree.tiles()
        async for batch in self._tree.spans():
            for span in batch:
                if beyond and span.checkpoint > len(good):
                    continue
                if finding := _misplaced(order, span):
                    anchored.found(finding)
                    return
                self._close(tree, waiting, span.checkpoint, anchored)
                await self._take(span, tree, grown, anchored)
                above = above or await self._above(grown)
        if finding := order.close():
            anchored.found(finding)
            return
        self._close(tree, waiting, len(good) + 1, anchored)
        anchored.reached = order.reached
        above = above or await self._edge(grown, tiles, len(good), beyond=beyond)
        if above and not any(one.code == "tile_differs" for one in anchored.verdict.findings):
            anchored.found(above)

    @staticmethod
    def _close(tree: Anchoring, waiting: list[Checkpoint], before: int, anchored: Anchored) -> None:
        while waiting and waiting[0].number < before:
            for finding in tree.close(waiting.pop(0)):
                anchored.found(finding)

    async def _take(self, span: KeptSpan, tree: Anchoring, grown: GrowingTree, anchored: Anchored) -> None:
        """Take the leaves of one span, as its entries give them and as they were kept."""
        expected, agrees, digest = span.first_seq, False, ""
        async for batch in self._chains.hashes(span.stream, span.first_seq, span.last_seq):
            last = batch[-1][0]
            kept = await self._tree.leaves(span.position + expected - span.first_seq, last - expected + 1)
            hashes = dict(zip((seq for seq, _ in batch), leaf_hashes(span.stream, _plain(batch)), strict=True))
            for seq, one in enumerate(kept, start=expected):
                agrees = tree.take(span.stream, seq, hashes.get(seq), one, number=span.checkpoint)
                grown.append(one or bytes(32))
            expected, digest = last + 1, batch[-1][1]
        if expected > span.last_seq:
            if agrees and span.head != digest:
                anchored.found(_broken(span))
            return
        # The rest of the span is gone.
        for first in range(expected, span.last_seq + 1, BATCH):
            count = min(BATCH, span.last_seq + 1 - first)
            kept = await self._tree.leaves(span.position + first - span.first_seq, count)
            for seq, one in enumerate(kept, start=first):
                tree.take(span.stream, seq, None, one, number=span.checkpoint)
                grown.append(one or bytes(32))

    async def _above(self, grown: GrowingTree) -> Finding | None:
        """The first whole tile that is not kept as its leaves, as they are kept, give it."""
        for tile, hashes in grown.fetch().items():
            if await self._tree.tile(tile) != hashes:
                return _tile_differs(tile)
        return None

    async def _edge(self, grown: GrowingTree, tiles: int, number: int, *, beyond: bool) -> Finding | None:
        """The first tile at the right edge that is not so kept, once all leaves were taken."""
        if beyond or len(await self._tree.checkpoints()) != number:
            # Checkpoints were made meanwhile, or are passed over: their leaves stand behind these.
            return None
        edge = grown.tiles()
        for tile, hashes in edge.items():
            if await self._tree.tile(tile) != hashes:
                return _tile_differs(tile)
        whole, count = grown.size, len(edge)
        while whole := whole // 256:
            count += whole
        return None if count == tiles else _tile_differs(None)


def _read(row: StoredCheckpoint) -> Checkpoint | None:
    """The checkpoint of a row; None where it is not one, or the row says something else of it."""
    try:
        found = Checkpoint.model_validate(row.document)
    except ValidationError:
        return None
    return (
        found if document_of(found) == row.document and (found.number, found.size) == (row.number, row.size) else None
    )


def _misplaced(order: SpanOrder, span: KeptSpan) -> Finding | None:
    try:
        read = Span(
            checkpoint=span.checkpoint,
            stream=span.stream,
            first_seq=span.first_seq,
            last_seq=span.last_seq,
            position=span.position,
        )
    except ValidationError:
        return _broken(span)
    return order.take(read)


def _plain(batch: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The same, but for what can be no hash and so gives no leaf of ours."""
    for seq, digest in batch:
        yield seq, digest if digest.isascii() else ""


def _broken(span: KeptSpan) -> Finding:
    return Finding(
        code="span_broken", place="checkpoints", stream=span.stream, seq=span.last_seq, number=span.checkpoint
    )


def _tile_differs(tile: tuple[int, int] | None) -> Finding:
    reason = f"level {tile[0]}, tile {tile[1]}" if tile else "number of tiles"
    return Finding(code="tile_differs", place="checkpoints", stream=CHECKPOINTS, reason=reason)
