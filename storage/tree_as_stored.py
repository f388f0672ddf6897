"""Checkpoints, what they added, and the tiles of their tree as the rows stand; nothing is believed."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from domain.canonical import canonical_json
from storage.checkpoint_rows import KeptSpan, Tile, checkpoint_spans, checkpoints, merkle_tiles
from storage.engine import Database

BATCH = 500
NUMBERS = ("first_seq", "last_seq", "position", "checkpoint")
WIDTH, HASH = 256, 32
"""Hashes of a whole tile, and bytes of a hash."""


@dataclass(frozen=True)
class StoredCheckpoint:
    """A row: its number, its size, and its document; None where that is no JSON object in its canonical form."""

    number: int
    size: int
    document: dict[str, Any] | None


class StoredTree:
    """The tables of checkpoints of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def checkpoints(self) -> list[StoredCheckpoint]:
        """Return every checkpoint in the order of their numbers."""
        wanted = select(checkpoints).order_by(checkpoints.c.number)
        return [
            StoredCheckpoint(row["number"], row["size"], _object(row["document"])) for row in await self._rows(wanted)
        ]

    async def spans(self, stream: str | None = None) -> AsyncIterator[list[KeptSpan]]:
        """Yield what checkpoints added, in the order of places in the tree, a batch in memory at a time."""
        after: int | None = None
        table = checkpoint_spans.c
        wanted = select(checkpoint_spans).order_by(table.position).limit(BATCH)
        if stream is not None:
            wanted = wanted.where(table.stream == stream)
        while batch := await self._rows(wanted if after is None else wanted.where(table.position > after)):
            yield [_span(row) for row in batch]
            after = batch[-1]["position"]

    async def leaves(self, first: int, count: int) -> list[bytes | None]:
        """Return the kept hashes of leaves from place `first` of the tree on; None for each that is not kept."""
        number, last = first // WIDTH, (first + count - 1) // WIDTH
        at = merkle_tiles.c
        wanted = select(at.tile, at.hashes).where(at.level == 0, at.tile.between(number, last))
        found = {row["tile"]: _octets(row["hashes"]) for row in await self._rows(wanted)}
        kept: list[bytes | None] = []
        for place in range(first, first + count):
            start = place % WIDTH * HASH
            one = found.get(place // WIDTH, b"")[start : start + HASH]
            kept.append(one if len(one) == HASH else None)
        return kept

    async def tile(self, tile: Tile) -> bytes | None:
        """Return the hashes of one tile."""
        level, number = tile
        wanted = select(merkle_tiles.c.hashes).where(merkle_tiles.c.level == level, merkle_tiles.c.tile == number)
        rows = await self._rows(wanted)
        return _octets(rows[0]["hashes"]) if rows else None

    async def tiles(self) -> int:
        """Return how many tiles there are."""
        return int((await self._rows(select(func.count().label("count")).select_from(merkle_tiles)))[0]["count"])

    async def _rows(self, wanted: Select[Any]) -> list[dict[str, Any]]:
        async with self._database.reading() as connection:
            return [dict(row) for row in (await connection.execute(wanted)).mappings()]


def _span(row: dict[str, Any]) -> KeptSpan:
    """The row; what is no number there is -1, and fits nowhere."""
    first, last, position, checkpoint = (row[name] if isinstance(row[name], int) else -1 for name in NUMBERS)
    return KeptSpan(str(row["stream"]), first, last, str(row["head"]), position, checkpoint)


def _octets(kept: Any) -> bytes:
    """What is kept, as far as it is octets: SQLite takes text into any column."""
    return bytes(kept) if isinstance(kept, (bytes, memoryview)) else b""


def _object(written: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(written)
        whole = isinstance(found, dict) and canonical_json(found).decode() == written
    except (ValueError, TypeError, RecursionError):
        return None
    return found if whole else None
