"""Making checkpoints, and showing them to witnesses: what a round does.

A checkpoint is made in two steps. What is new is read and hashed in a snapshot, which holds up nobody; then it enters
in one short transaction, if no other one was made meanwhile. A signature is never put over a stream that is not what
the checkpoint before held of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating
from audit.checkpoint import Checkpoint, document_of, following, octets, public_bytes
from audit.signing_key import NoSigningKey, SigningKeys
from audit.tiles import GrowingTree, edge_of, leaf_hashes
from audit.witnesses import Witness, WitnessFailed
from domain.values import write_instant
from storage.checkpoint_rows import SEALING, KeptCheckpoint, KeptSpan
from storage.checkpoints import MOST, Checkpoints
from storage.engine import Database
from storage.errors import StoreUnavailable
from storage.metadata import utc_now
from storage.unsealed import CheckpointRefused, Unsealed
from workflows import ports
from workflows.ports import CheckpointMade, Witnessed

ATTEMPTS = 5
"""Times that others may be first before a maker lets them."""

CHECKPOINTS = "checkpoints"
"""In the place of a stream, where what is not as it was are the checkpoints themselves."""

SHOWN = 100
"""Checkpoints read at a time for a witness."""


@dataclass(frozen=True)
class Made:
    """A checkpoint that was made. `clock_back`: the clock stood before the one before it, whose time it then has.

    `left` is how many events were left to the next one.
    """

    checkpoint: Checkpoint
    added: int
    left: int
    clock_back: bool


class Sealing:
    """Makes checkpoints over everything that is sealed."""

    def __init__(
        self,
        database: Database,
        keys: Callable[[], SigningKeys],
        *,
        now: Callable[[], datetime] = utc_now,
        most: int = MOST,
    ) -> None:
        """`keys` are asked for at each checkpoint, so that a new one counts from the next on; `now` is wall time."""
        self._kept = Checkpoints(database)
        self._keys = keys
        self._now = now
        self._most = most

    async def make(self) -> Made | None:
        """Make one checkpoint; None where nothing is new.

        Raises CheckpointRefused (besides the codes of streams: checkpoint_changed, tree_changed), NoSigningKey and
        StoreUnavailable; nothing is kept then.
        """
        for _ in range(ATTEMPTS):
            async with self._kept.unsealed(most=self._most) as found:
                before = found.before
                if not found.count:
                    break
                made, spans, tree = await self._grown(found)
            checkpoint = made.checkpoint
            kept = KeptCheckpoint(checkpoint.number, checkpoint.size, document_of(checkpoint))
            if await self._kept.keep(kept, spans, tree.tiles(), at=self._now()):
                return made
        else:
            # Somebody else was first each time, so there is a checkpoint of just now.
            return None
        await self._kept.done(SEALING, before.number if before else 0, at=self._now())
        return None

    async def _grown(self, found: Unsealed) -> tuple[Made, list[KeptSpan], GrowingTree]:
        keys = self._keys()
        before = Checkpoint.model_validate(found.before.document) if found.before else None
        tree = await _tree(found, before, keys)
        number, spans = before.number + 1 if before else 1, dict[str, KeptSpan]()
        async for stream, events in found.events():
            position = tree.size
            for leaf in leaf_hashes(stream, events):
                tree.append(leaf)
            (first, _), (last, head) = events[0], events[-1]
            if stream in spans:
                first, position = spans[stream].first_seq, spans[stream].position
            spans[stream] = KeptSpan(stream, first, last, head, position, number)
        now = write_instant(self._now())
        at = max(now, before.at) if before else now
        checkpoint = following(
            before, size=tree.size, root=tree.root(), at=at, key=keys.newest, endorser=_endorser(before, keys)
        )
        return Made(checkpoint, found.count, found.left, at != now), list(spans.values()), tree


async def _tree(found: Unsealed, before: Checkpoint | None, keys: SigningKeys) -> GrowingTree:
    """Return the tree that grows from here; raises CheckpointRefused where it is not the one that was signed."""
    if before is None:
        return GrowingTree()
    if not keys.signed(before):
        raise CheckpointRefused("checkpoint_changed", CHECKPOINTS, before.number)
    try:
        tree = GrowingTree(before.size, await found.tiles(edge_of(before.size)))
    except ValueError:
        raise CheckpointRefused("tree_changed", CHECKPOINTS, before.number) from None
    if tree.root().hex() != before.root:
        raise CheckpointRefused("tree_changed", CHECKPOINTS, before.number)
    return tree


def _endorser(before: Checkpoint | None, keys: SigningKeys) -> Ed25519PrivateKey | None:
    if before is None or octets(before.public_key) == public_bytes(keys.newest):
        return None
    return keys.holding(octets(before.public_key))


class CheckpointDuties:
    """The two activities of a round."""

    def __init__(self, database: Database, sealing: Sealing, witnesses: Sequence[Witness] = ()) -> None:
        """Take the collaborators of this installation."""
        self._kept = Checkpoints(database)
        self._sealing = sealing
        self._witnesses = witnesses

    @activity.defn(name=ports.MAKE_CHECKPOINT)
    async def make(self) -> CheckpointMade:
        """Make checkpoints until nothing is left to seal. What may not be signed over is noted, and told loudly."""
        try:
            async with beating():
                return await self._make()
        except CheckpointRefused as refused:
            await self._kept.failed(SEALING, refused.code, at=utc_now(), stream=refused.stream, seq=refused.seq)
            activity.logger.error("no checkpoint is signed: %s", refused)
            raise ApplicationError(
                str(refused), refused.code, refused.stream, refused.seq, type="checkpoint_refused", non_retryable=True
            ) from None
        except NoSigningKey as missing:
            await self._kept.failed(SEALING, missing.code, at=utc_now())
            activity.logger.error("no checkpoint is signed: %s", missing)
            raise ApplicationError(str(missing), missing.code, type="checkpoint_refused", non_retryable=True) from None
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None

    async def _make(self) -> CheckpointMade:
        added, number, back = 0, None, False
        while (made := await self._sealing.make()) is not None:
            number, added, back = made.checkpoint.number, added + made.added, back or made.clock_back
            if made.clock_back:
                activity.logger.warning(
                    "the clock stands before checkpoint %s: the next one has its time", made.checkpoint.number - 1
                )
            if not made.left:
                break
        return CheckpointMade(number=number, added=added, clock_back=back)

    @activity.defn(name=ports.WITNESS_CHECKPOINTS)
    async def witness(self) -> Witnessed:
        """Show each witness the checkpoints it has not seen, in order. One that fails is shown them the next time."""
        try:
            async with beating():
                shown = [await self._show(witness) for witness in self._witnesses]
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None
        return Witnessed(shown=sum(count for count, _ in shown), failed=sum(failed for _, failed in shown))

    async def _show(self, witness: Witness) -> tuple[int, bool]:
        known = (await self._kept.duties()).get(witness.name)
        number, shown = known.number if known else 0, 0
        while page := await self._kept.page(after=number, limit=SHOWN):
            for one in page:
                try:
                    await witness.show(one.number, one.document)
                except WitnessFailed as failed:
                    new = await self._kept.failed(witness.name, failed.code, at=utc_now(), seq=one.number)
                    if failed.alarming:
                        activity.logger.error("%s has another checkpoint %s than ours", witness.name, one.number)
                    elif new:
                        activity.logger.warning("%s does not take checkpoints: %s", witness.name, failed.code)
                    return shown, True
                await self._kept.done(witness.name, one.number, at=utc_now())
                number, shown = one.number, shown + 1
        return shown, False
