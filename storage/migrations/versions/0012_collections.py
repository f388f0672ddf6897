"""Calendar collections that items are put into by CalDAV, what they lack, what stands in them, what drifted."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _collection() -> sa.Column[str]:
    return sa.Column("collection", Name, nullable=False)


def _of_collection(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["collection"],
        ["calendar_collections.id"],
        name=f"fk_{table}_collection_calendar_collections",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        "calendar_collections",
        sa.Column("id", Name, nullable=False),
        sa.Column("owner_kind", Name, nullable=False),
        sa.Column("owner", Name, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("state", Name, nullable=False),
        sa.Column("failure", Name),
        sa.Column("failed_since", Instant()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", Instant()),
        sa.Column("lease", Name),
        sa.Column("lease_until", Instant()),
        sa.Column("registered_by", Name, nullable=False),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("verified_at", Instant()),
        sa.Column("synced_at", Instant()),
        sa.Column("reviewed_at", Instant()),
        sa.Column("leaving_since", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_collections"),
        sa.UniqueConstraint("owner_kind", "owner", name="uq_calendar_collections_owner_kind_owner"),
    )
    op.create_table(
        "calendar_due",
        _collection(),
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("collection", "delegation_id", name="pk_calendar_due"),
        _of_collection("calendar_due"),
    )
    op.create_table(
        "calendar_resources",
        _collection(),
        sa.Column("uid", Name, nullable=False),
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("item_id", Name, nullable=False),
        sa.Column("name", Name, nullable=False),
        sa.Column("etag", Name),
        sa.Column("digest", Name),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("collection", "uid", name="pk_calendar_resources"),
        _of_collection("calendar_resources"),
    )
    op.create_index("ix_calendar_resources_delegation_id", "calendar_resources", ["delegation_id"])
    op.create_table(
        "calendar_drift",
        _collection(),
        sa.Column("uid", Name, nullable=False),
        sa.Column("found_at", Instant(), nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("repaired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("collection", "uid", "found_at", name="pk_calendar_drift"),
        _of_collection("calendar_drift"),
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
