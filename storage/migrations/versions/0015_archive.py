"""Closed runs in the archive, and what the last round of archiving found."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "archived_runs",
        sa.Column("run_id", Name, nullable=False),
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("prev_head", Name, nullable=False),
        sa.Column("head", Name, nullable=False),
        sa.Column("digest", Name, nullable=False),
        sa.Column("content_digest", Name, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("location", Name, nullable=False),
        sa.Column("following", Name),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_archived_runs"),
    )
    op.create_index("ix_archived_runs_delegation_id", "archived_runs", ["delegation_id"])
    op.create_table(
        "archive_state",
        sa.Column("name", Name, nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("oldest_closed_at", Instant()),
        sa.Column("failure", Name),
        sa.Column("looked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_archive_state"),
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
