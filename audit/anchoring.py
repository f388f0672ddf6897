"""The tree of all checkpoints grown anew, from the entries as they stand and from the leaves as they were kept.

What is kept (the tiles of storage) is only a second witness of each leaf: where one of the two gives the root that was
signed, the other one is wrong, and where exactly is known.
"""

from collections.abc import Iterable, Mapping, Sequence

from audit.checkpoint import (
    Checkpoint,
    CheckpointBroken,
    Span,
    digest_of_checkpoint,
    verify_checkpoints,
    why_untrusted,
)
from audit.merkle import Frontier
from audit.tiles import WIDTH
from audit.verification import CHECKPOINTS, Code, Finding


class Anchoring:
    """Takes every leaf in the order of the tree, closes each checkpoint, and keeps a few peaks in memory."""

    def __init__(self) -> None:
        self._stored = Frontier()
        self._kept = Frontier()
        self._differing: dict[str, Finding] = {}
        self._tiles: list[Finding] = []
        self._lost = False

    @property
    def size(self) -> int:
        """How many leaves were taken."""
        return self._stored.size

    def take(self, stream: str, seq: int, leaf: bytes | None, kept: bytes | None, *, number: int) -> bool:
        """Take the next leaf, which checkpoint `number` added, and return whether it is the one that was kept.

        `leaf` is its hash as the entry gives it, None where the entry is gone; `kept` the one that was kept, if any.
        """
        agrees = leaf is not None and leaf == kept
        if not agrees:
            # Of each stream the first one says where to look.
            first = Finding(
                code="leaf_differs" if leaf is not None else "leaf_missing",
                place="register" if ":" in stream else "journal",
                stream=stream,
                seq=seq,
                number=number,
            )
            self._differing.setdefault(stream, first)
            reason = f"level 0, tile {self.size // WIDTH}"
            self._tiles.append(
                Finding(code="tile_differs", place="checkpoints", stream=CHECKPOINTS, number=number, reason=reason)
            )
        self._stored.append(leaf or b"")
        self._kept.append(kept or b"")
        return agrees

    def close(self, checkpoint: Checkpoint) -> list[Finding]:
        """Return what is wrong up to a checkpoint that is known to be signed, once all its leaves were taken."""
        stored, kept, signed = self._stored.root().hex(), self._kept.root().hex(), checkpoint.root
        differing, tiles = [*self._differing.values()], self._tiles[:1]
        self._differing, self._tiles = {}, []
        if stored == signed:
            self._kept = Frontier(self._stored.size, [*self._stored.peaks])
            return tiles
        if kept == signed:
            self._stored = Frontier(self._kept.size, [*self._kept.peaks])
            return differing
        # Neither gives what was signed, and neither will give what was signed later: said once.
        said, self._lost = self._lost, True
        root = Finding(code="root_differs", place="checkpoints", stream=CHECKPOINTS, number=checkpoint.number)
        return differing if said else [*differing, root]


def chain_holds(
    checkpoints: Sequence[Checkpoint | None], numbers: Sequence[int], trusted: Iterable[bytes] | None
) -> tuple[list[Checkpoint], list[Finding]]:
    """Return the checkpoints that hold, from the first on, and what is wrong with the one after them.

    `checkpoints` are in the order of their `numbers`, None where one cannot be read. `trusted` are public keys.
    """
    good: list[Checkpoint] = []
    code: Code
    for expected, (number, one) in enumerate(zip(numbers, checkpoints, strict=True), start=1):
        if number != expected or one is None:
            code = "checkpoint_missing" if number != expected else "checkpoint_unreadable"
            return good, [Finding(code=code, place="checkpoints", stream=CHECKPOINTS, number=expected)]
        good.append(one)
    keys = None if trusted is None else set(trusted)
    try:
        verify_checkpoints(good, keys)
    except CheckpointBroken as broken:
        finding = Finding(
            code="checkpoint_broken",
            place="checkpoints",
            stream=CHECKPOINTS,
            number=broken.number,
            reason=broken.code,
        )
        return good[: broken.number - 1], [finding]
    return good, []


class SpanOrder:
    """Takes spans in the order of their places in the tree, and says which one does not go on where the last ended."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        """`checkpoints` are known to hold."""
        self._sizes: Mapping[int, int] = {0: 0, **{one.number: one.size for one in checkpoints}}
        self._last = (0, b"")
        self._place = 0
        self.reached: dict[str, tuple[int, int]] = {}
        """The last event of each stream, and the last checkpoint that added some of it."""

    def take(self, span: Span) -> Finding | None:
        """Return what is wrong with the next span; after that nothing more can be said."""
        order = (span.checkpoint, span.stream.encode())
        number, stream = self._last[0], span.stream
        goes_on = (
            span.position == self._place
            and order > self._last
            and span.first_seq == self.reached.get(stream, (0, 0))[0] + 1
            and span.last_seq >= span.first_seq
            and span.checkpoint in self._sizes
            # Where another checkpoint begins, the one before it has all its leaves.
            and (span.checkpoint == number or self._place == self._sizes[span.checkpoint - 1])
        )
        if not goes_on:
            return self._broken(span.checkpoint, stream, span.first_seq)
        self._place += span.last_seq - span.first_seq + 1
        if self._place > self._sizes[span.checkpoint]:
            return self._broken(span.checkpoint, stream, span.last_seq)
        self.reached[stream], self._last = (span.last_seq, span.checkpoint), order
        return None

    def close(self) -> Finding | None:
        """Return whether leaves are missing at the end, once every span was taken."""
        newest = max(self._sizes)
        return None if self._place == self._sizes[newest] else self._broken(newest, CHECKPOINTS, None)

    @staticmethod
    def _broken(number: int, stream: str, seq: int | None) -> Finding:
        return Finding(code="span_broken", place="checkpoints", stream=stream, seq=seq, number=number)


def copies_hold(
    copies: Iterable[Checkpoint], ours: Sequence[Checkpoint], trusted: Iterable[bytes] | None
) -> list[Finding]:
    """Return which checkpoints that were kept elsewhere do not stand among ours; `ours` are known to hold.

    A copy that is signed with one of our keys and is not among ours shows a cut tail or an older backup
    (`checkpoint_lost`), or a history that was written anew (`checkpoint_replaced`). One that is not signed with such a
    key shows nothing (`witness_untrusted`).
    """
    keys = None if trusted is None else set(trusted)
    known = {one.number: digest_of_checkpoint(one) for one in ours}
    found: list[Finding] = []
    for copy in sorted(copies, key=lambda one: one.number):
        code: Code | None = None
        reason = why_untrusted(copy, keys)
        if reason is not None:
            code = "witness_untrusted"
        elif copy.number not in known:
            code = "checkpoint_lost"
        elif known[copy.number] != digest_of_checkpoint(copy):
            code = "checkpoint_replaced"
        if code:
            found.append(Finding(code=code, place="witness", stream=CHECKPOINTS, number=copy.number, reason=reason))
    return found
