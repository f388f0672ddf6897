"""The tables of calendar collections, and their rows as they are read."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from domain.values import Value
from storage.metadata import Instant, Name, Secret, metadata

OwnerKind = Literal["person", "organisation"]
CollectionState = Literal["working", "needs_credentials", "unreachable", "leaving"]

calendar_collections = Table(
    "calendar_collections",
    metadata,
    Column("id", Name, primary_key=True),
    Column("owner_kind", Name, nullable=False),
    Column("owner", Name, nullable=False),
    Column("ciphertext", Secret, nullable=False),
    Column("state", Name, nullable=False),
    Column("failure", Name),
    Column("failed_since", Instant),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Instant),
    Column("lease", Name),
    Column("lease_until", Instant),
    Column("registered_by", Name, nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("verified_at", Instant),
    Column("synced_at", Instant),
    Column("reviewed_at", Instant),
    Column("leaving_since", Instant),
    UniqueConstraint("owner_kind", "owner"),
)

calendar_due = Table(
    "calendar_due",
    metadata,
    Column("collection", Name, ForeignKey("calendar_collections.id", ondelete="CASCADE"), primary_key=True),
    Column("delegation_id", Name, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("since", Instant, nullable=False),
)

calendar_resources = Table(
    "calendar_resources",
    metadata,
    Column("collection", Name, ForeignKey("calendar_collections.id", ondelete="CASCADE"), primary_key=True),
    Column("uid", Name, primary_key=True),
    Column("delegation_id", Name, nullable=False),
    Column("item_id", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("etag", Name),
    Column("digest", Name),
    Column("sequence", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index(None, "delegation_id"),
)

calendar_drift = Table(
    "calendar_drift",
    metadata,
    Column("collection", Name, ForeignKey("calendar_collections.id", ondelete="CASCADE"), primary_key=True),
    Column("uid", Name, primary_key=True),
    Column("found_at", Instant, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("repaired", Boolean, nullable=False),
)


@dataclass(frozen=True)
class Owner:
    """Whose collection: a person by reference, or an organisation's office by slug."""

    kind: OwnerKind
    id: str


class Access(Value):
    """Where a collection is, what its owner calls it, and with what it is opened."""

    url: str = field(repr=False)
    name: str = field(default="", repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class Collection:
    """How a collection stands. `entries` are the items it holds, `behind` the files whose changes it lacks.

    Instants are wall time in UTC. `failure` is the code of what went wrong last, since `failed_since`.
    """

    id: str
    owner: Owner
    state: CollectionState
    failure: str | None
    failed_since: datetime | None
    retry_at: datetime | None
    registered_by: str
    registered_at: datetime
    verified_at: datetime | None
    synced_at: datetime | None
    reviewed_at: datetime | None
    entries: int
    behind: int


@dataclass(frozen=True)
class Resource:
    """One item in a collection: the last part of its address, and what was put there.

    `digest` is the SHA-256 of the octets, None while it is not known whether they arrived.
    """

    uid: str
    delegation_id: str
    item_id: str
    name: str
    etag: str | None
    digest: str | None
    sequence: int


@dataclass(frozen=True)
class Written:
    """What stands of an item in a collection: its SEQUENCE, and since when (wall time in UTC)."""

    sequence: int
    written_at: datetime


@dataclass(frozen=True)
class Due:
    """A file whose items a collection is to be brought to; `version` counts how often it was said."""

    delegation_id: str
    version: int


@dataclass(frozen=True)
class Drift:
    """An item that was found otherwise than it was left: `edited`, `missing`, or a `stray` that nobody should have."""

    uid: str
    found_at: datetime
    kind: str
    repaired: bool
