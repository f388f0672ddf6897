"""What streams have sealed since the last checkpoint, read in order and compared with what checkpoints hold already.

A stream is a delegation's journal, named by its id, or a register's log (`register:accounts`). Nothing is believed
because it stands there: what the tree holds of a stream must still be the stream's, and what is new must continue it.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.seal import Head, genesis
from storage.checkpoint_rows import KeptCheckpoint, Tile, checkpoint_spans, merkle_tiles
from storage.journal import journal
from storage.register_log import register_log

ROWS = 5_000
"""Events read at a time."""

STREAMS = 200
"""Streams read at a time."""

TILES = 500
"""Tiles read at a time: both engines have a limit of parameters."""


class CheckpointRefused(Exception):
    """A stream is not what checkpoints hold of it, or does not hold together: nothing is signed over it.

    `seq` is the first number that does not fit. Codes: stream_cut (it ends before what the tree holds),
    stream_changed (another event stands where the tree's last one did), stream_gap (a number is missing),
    stream_unchained (an event does not carry the hash of the one before it).
    """

    def __init__(self, code: str, stream: str, seq: int) -> None:
        super().__init__(f"stream {stream}, event {seq}: {code}")
        self.code = code
        self.stream = stream
        self.seq = seq


@dataclass(frozen=True)
class Source:
    """A table of sealed events: the column that names a stream, and what stands before that name."""

    table: Table
    id: Column[Any]
    prefix: str = ""

    def id_in(self, stream: ColumnElement[str]) -> ColumnElement[str]:
        """Return the id within a stream's name, so that the table is found by its key."""
        return func.substr(stream, len(self.prefix) + 1) if self.prefix else stream


SOURCES = (Source(journal, journal.c.delegation_id), Source(register_log, register_log.c.register, "register:"))


@dataclass(frozen=True)
class Stretch:
    """Events `first` to `last` of a stream that no checkpoint holds yet; the first one carries the hash `after`."""

    source: Source
    id: str
    first: int
    last: int
    after: str

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self.source.prefix + self.id


Event = tuple[int, str]
"""Number and hash."""


class Unsealed:
    """One look at all streams: what stands after the last checkpoint `before`, in a snapshot."""

    def __init__(
        self, connection: AsyncConnection, before: KeptCheckpoint | None, stretches: Sequence[Stretch], left: int
    ) -> None:
        self._connection = connection
        self.before = before
        self._stretches = stretches
        self.count = sum(one.last - one.first + 1 for one in stretches)
        self.left = left
        """How many events beyond these are left to the next checkpoint."""
        # The hash that the next piece of a stream must carry, where a stream is read in several pieces.
        self._carried: dict[str, str] = {}

    async def tiles(self, wanted: Collection[Tile]) -> dict[Tile, bytes]:
        """Return tiles of the tree by level and number."""
        return await read_tiles(self._connection, wanted)

    async def events(self) -> AsyncIterator[tuple[str, list[Event]]]:
        """Yield streams in the order of their names, and of each its new events, some thousands at a time.

        Raises CheckpointRefused where an event is missing or does not continue the one before it.
        """
        for source, pieces in _batches(self._stretches):
            found = await self._connection.execute(_rows(source, pieces))
            of = {id: list(rows) for id, rows in groupby(found, key=lambda row: row[0])}
            for piece in pieces:
                yield piece.stream, _checked(piece, of.get(piece.id, []), self._carried)


async def unsealed(connection: AsyncConnection, before: KeptCheckpoint | None, *, most: int) -> Unsealed:
    """Compare every stream with what checkpoints hold of it; `most` is how many new events are wanted at most.

    Raises CheckpointRefused at the first stream, in the order of names, that is not what it was.
    """
    stretches: list[Stretch] = []
    refused: list[CheckpointRefused] = []
    for source in SOURCES:
        sealed = await _sealed(connection, source, refused)
        heads = select(source.id, func.max(source.table.c.seq)).group_by(source.id)
        for id, last in await connection.execute(heads):
            head = sealed.get(id) or genesis(source.prefix + id)
            if last > head.seq:
                stretches.append(Stretch(source, id, head.seq + 1, last, head.hash))
    if refused:
        raise min(refused, key=lambda one: one.stream.encode())
    stretches.sort(key=lambda one: one.stream.encode())
    wanted, count = [], 0
    total = sum(one.last - one.first + 1 for one in stretches)
    for one in stretches:
        room = most - count
        if room <= 0:
            break
        last = min(one.last, one.first + room - 1)
        wanted.append(Stretch(one.source, one.id, one.first, last, one.after))
        count += last - one.first + 1
    return Unsealed(connection, before, wanted, total - count)


async def read_tiles(connection: AsyncConnection, wanted: Collection[Tile]) -> dict[Tile, bytes]:
    """Return tiles of the tree by level and number; those that are not there are left out."""
    place, places, found = tuple_(merkle_tiles.c.level, merkle_tiles.c.tile), sorted(wanted), dict[Tile, bytes]()
    for start in range(0, len(places), TILES):
        rows = await connection.execute(select(merkle_tiles).where(place.in_(places[start : start + TILES])))
        found |= {(row.level, row.tile): row.hashes for row in rows}
    return found


async def _sealed(connection: AsyncConnection, source: Source, refused: list[CheckpointRefused]) -> dict[str, Head]:
    """Return the last event that checkpoints hold of each stream, and note those that are not there any more."""
    newest = (
        select(checkpoint_spans.c.stream, func.max(checkpoint_spans.c.last_seq).label("last_seq"))
        .where(checkpoint_spans.c.stream.startswith("register:") if source.prefix else _of_delegations())
        .group_by(checkpoint_spans.c.stream)
        .subquery()
    )
    spans, events = checkpoint_spans.c, source.table.c
    wanted = (
        select(spans.stream, spans.last_seq, spans.head, events.hash)
        .join_from(newest, checkpoint_spans, and_(spans.stream == newest.c.stream, spans.last_seq == newest.c.last_seq))
        .outerjoin(source.table, and_(source.id == source.id_in(spans.stream), events.seq == spans.last_seq))
    )
    found = {}
    for stream, last, head, stands in await connection.execute(wanted):
        if stands is None:
            held = select(func.max(events.seq)).where(source.id == stream[len(source.prefix) :])
            end: int = (await connection.execute(held)).scalar() or 0
            refused.append(CheckpointRefused("stream_cut", stream, min(end + 1, last)))
        elif stands != head:
            refused.append(CheckpointRefused("stream_changed", stream, last))
        found[stream[len(source.prefix) :]] = Head(seq=last, hash=head)
    return found


def _of_delegations() -> ColumnElement[bool]:
    return ~checkpoint_spans.c.stream.startswith("register:")


def _batches(stretches: Sequence[Stretch]) -> Iterator[tuple[Source, list[Stretch]]]:
    """Yield pieces of one source that are read by one statement."""
    batch: list[Stretch] = []
    room = ROWS
    for one in stretches:
        first = one.first
        while first <= one.last:
            if batch and (not room or len(batch) == STREAMS or batch[0].source is not one.source):
                yield batch[0].source, batch
                batch, room = [], ROWS
            last = min(one.last, first + room - 1)
            batch.append(Stretch(one.source, one.id, first, last, one.after if first == one.first else ""))
            room -= last - first + 1
            first = last + 1
    if batch:
        yield batch[0].source, batch


def _rows(source: Source, pieces: Sequence[Stretch]) -> Any:
    events = source.table.c
    either = (and_(source.id == one.id, events.seq.between(one.first, one.last)) for one in pieces)
    return (
        select(source.id, events.seq, events.prev_hash, events.hash).where(or_(*either)).order_by(source.id, events.seq)
    )


def _checked(piece: Stretch, rows: Sequence[Any], carried: dict[str, str]) -> list[Event]:
    before = piece.after or carried[piece.stream]
    for expected, (_, seq, prev_hash, digest) in zip(range(piece.first, piece.last + 1), rows, strict=False):
        if seq != expected:
            raise CheckpointRefused("stream_gap", piece.stream, expected)
        if prev_hash != before:
            raise CheckpointRefused("stream_unchained", piece.stream, seq)
        before = digest
    if len(rows) < piece.last - piece.first + 1:
        raise CheckpointRefused("stream_gap", piece.stream, piece.first + len(rows))
    carried[piece.stream] = before
    return [(row[1], row[3]) for row in rows]
