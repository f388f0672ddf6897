"""The tables of checkpoints. Registers: a rebuild never touches them, since they are what it is measured by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from storage.metadata import Instant, Name, Secret, Words, metadata

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False, unique=True),
    Column("document", Words, nullable=False),
)

checkpoint_spans = Table(
    "checkpoint_spans",
    metadata,
    Column("stream", Name, primary_key=True),
    Column("first_seq", Integer, primary_key=True, autoincrement=False),
    Column("last_seq", Integer, nullable=False),
    Column("head", Name, nullable=False),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("checkpoint", ForeignKey("checkpoints.number"), nullable=False),
    UniqueConstraint("stream", "last_seq"),
    Index(None, "checkpoint"),
)

merkle_tiles = Table(
    "merkle_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("tile", Integer, primary_key=True, autoincrement=False),
    Column("hashes", Secret, nullable=False),
)

checkpoint_duties = Table(
    "checkpoint_duties",
    metadata,
    Column("duty", Name, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("done_at", Instant),
    Column("failure", Name),
    Column("stream", Name),
    Column("seq", Integer),
    Column("failed_since", Instant),
)

SEALING = "sealing"
"""The duty to make checkpoints; the others are those to show them to witnesses."""

Tile = tuple[int, int]
"""Level and number of a tile."""


@dataclass(frozen=True)
class KeptCheckpoint:
    """A checkpoint as it is kept: its number, the leaves of its tree, and the document that was signed."""

    number: int
    size: int
    document: dict[str, Any]


@dataclass(frozen=True)
class KeptSpan:
    """Events of one stream that one checkpoint added, from place `position` of the tree on; `head` is the last hash."""

    stream: str
    first_seq: int
    last_seq: int
    head: str
    position: int
    checkpoint: int


@dataclass(frozen=True)
class Duty:
    """How something that is done again and again last went.

    `number` is the last checkpoint it was done for (0 for none), `done_at` the wall time at which it last went well;
    `failure` is the code of what went wrong since `failed_since`, at event `seq` of `stream` where it has a place.
    """

    duty: str
    number: int
    done_at: datetime | None
    failure: str | None = None
    stream: str | None = None
    seq: int | None = None
    failed_since: datetime | None = None
