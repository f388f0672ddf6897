"""The register of checkpoints: documents as they were signed, what each added to the tree, and the tree's tiles.

A checkpoint enters whole or not at all, and behind the one it was made after or not at all: of two that are made at
once, one stays.
"""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from storage.checkpoint_rows import (
    SEALING,
    Duty,
    KeptCheckpoint,
    KeptSpan,
    Tile,
    checkpoint_duties,
    checkpoint_spans,
    checkpoints,
    merkle_tiles,
)
from storage.engine import Database
from storage.register_log import record
from storage.unsealed import Unsealed, read_tiles, unsealed
from storage.upsert import insert_into

ADVISORY_LOCK = 0x6C656764
"""The number of the lock that PostgreSQL's makers of checkpoints queue for; SQLite has one writer at a time anyhow."""

MOST = 2**20
"""Events that one checkpoint adds at most; the others are left to the next one."""

ROWS = 500
"""Rows written by one statement."""


class Checkpoints:
    """Reads and keeps them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self) -> KeptCheckpoint | None:
        """Return the last checkpoint, or None where there is none yet."""
        async with self._database.reading() as connection:
            return await _latest(connection)

    async def get(self, number: int) -> KeptCheckpoint | None:
        """Return a checkpoint by its number."""
        found = await self.page(after=number - 1, limit=1)
        return found[0] if found and found[0].number == number else None

    async def page(self, *, after: int = 0, limit: int | None = None) -> list[KeptCheckpoint]:
        """Return checkpoints in the order of their numbers, from the one after `after`."""
        wanted = select(checkpoints).where(checkpoints.c.number > after).order_by(checkpoints.c.number).limit(limit)
        async with self._database.reading() as connection:
            return [_kept(row) for row in await connection.execute(wanted)]

    async def spans(self, stream: str | None = None, *, checkpoint: int | None = None) -> list[KeptSpan]:
        """Return what checkpoints added, in the order of places in the tree: all, of one stream, of one checkpoint."""
        wanted = select(checkpoint_spans).order_by(checkpoint_spans.c.position)
        if stream is not None:
            wanted = wanted.where(checkpoint_spans.c.stream == stream)
        if checkpoint is not None:
            wanted = wanted.where(checkpoint_spans.c.checkpoint == checkpoint)
        return await self._spans(wanted)

    async def span_of(self, stream: str, seq: int) -> KeptSpan | None:
        """Return the span that holds an event, or None where no checkpoint has it yet."""
        at = checkpoint_spans.c
        wanted = select(checkpoint_spans).where(at.stream == stream, at.first_seq <= seq, at.last_seq >= seq)
        found = await self._spans(wanted)
        return found[0] if found else None

    async def tiles(self, wanted: Collection[Tile]) -> dict[Tile, bytes]:
        """Return tiles of the tree by level and number; those that are not there are left out."""
        async with self._database.reading() as connection:
            return await read_tiles(connection, wanted)

    @asynccontextmanager
    async def unsealed(self, *, most: int = MOST) -> AsyncIterator[Unsealed]:
        """Look at what no checkpoint holds yet, in a snapshot. Raises CheckpointRefused."""
        async with self._database.snapshot() as connection:
            yield await unsealed(connection, await _latest(connection), most=most)

    async def keep(
        self, checkpoint: KeptCheckpoint, spans: Sequence[KeptSpan], tiles: Mapping[Tile, bytes], *, at: datetime
    ) -> bool:
        """Keep a checkpoint with what it added; `at` is wall time. False, and nothing kept, when another one was

        made meanwhile.
        """
        async with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
            before = await _latest(connection)
            if (before.number if before else 0) != checkpoint.number - 1:
                return False
            document = canonical_json(checkpoint.document).decode()
            row = {"number": checkpoint.number, "size": checkpoint.size, "document": document}
            await connection.execute(insert(checkpoints).values(row))
            for batch in _batches([asdict(one) for one in spans]):
                await connection.execute(insert(checkpoint_spans), batch)
            written = insert_into(connection, merkle_tiles)
            written = written.on_conflict_do_update(
                index_elements=["level", "tile"], set_={"hashes": written.excluded.hashes}
            )
            rows = [{"level": level, "tile": tile, "hashes": hashes} for (level, tile), hashes in tiles.items()]
            for batch in _batches(rows):
                await connection.execute(written, batch)
            await _note(connection, Duty(SEALING, checkpoint.number, at))
        return True

    async def asked(self, *, by: str) -> None:
        """Record that an account asks for a checkpoint now."""
        async with self._database.writing() as connection:
            before = await _latest(connection)
            await record(connection, "checkpoints", "checkpoint_asked", str(before.number + 1 if before else 1), by=by)

    async def duties(self) -> dict[str, Duty]:
        """Return how making checkpoints, and showing them to each witness, last went."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(checkpoint_duties).order_by(checkpoint_duties.c.duty))
            return {row.duty: Duty(**row._mapping) for row in rows}

    async def done(self, duty: str, number: int, *, at: datetime) -> None:
        """Note that a duty went well up to a checkpoint, at this wall time."""
        async with self._database.writing() as connection:
            await _note(connection, Duty(duty, number, at))

    async def failed(
        self, duty: str, code: str, *, at: datetime, stream: str | None = None, seq: int | None = None
    ) -> bool:
        """Note what keeps a duty from being done, and where; True when it was not known before."""
        async with self._database.writing() as connection:
            row = (await connection.execute(select(checkpoint_duties).where(checkpoint_duties.c.duty == duty))).first()
            known = Duty(**row._mapping) if row else Duty(duty, 0, None)
            since = known.failed_since or at
            await _note(connection, Duty(duty, known.number, known.done_at, code, stream, seq, since))
        return (known.failure, known.stream, known.seq) != (code, stream, seq)

    async def _spans(self, wanted: Select[Any]) -> list[KeptSpan]:
        async with self._database.reading() as connection:
            return [KeptSpan(**row._mapping) for row in await connection.execute(wanted)]


async def _latest(connection: AsyncConnection) -> KeptCheckpoint | None:
    row = (await connection.execute(select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1))).first()
    return _kept(row) if row else None


def _kept(row: Row[Any]) -> KeptCheckpoint:
    return KeptCheckpoint(row.number, row.size, json.loads(row.document))


async def _note(connection: AsyncConnection, duty: Duty) -> None:
    row = asdict(duty)
    written = insert_into(connection, checkpoint_duties).values(row)
    await connection.execute(written.on_conflict_do_update(index_elements=["duty"], set_=row))


def _batches(rows: Sequence[dict[str, Any]]) -> list[Sequence[dict[str, Any]]]:
    return [rows[start : start + ROWS] for start in range(0, len(rows), ROWS)]
