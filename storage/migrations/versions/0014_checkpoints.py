"""Checkpoints over everything that is sealed, what each added to the tree, the tree's tiles, and how rounds went."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_checkpoints"),
        sa.UniqueConstraint("size", name="uq_checkpoints_size"),
    )
    op.create_table(
        "checkpoint_spans",
        sa.Column("stream", Name, nullable=False),
        sa.Column("first_seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("head", Name, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "first_seq", name="pk_checkpoint_spans"),
        sa.UniqueConstraint("stream", "last_seq", name="uq_checkpoint_spans_stream_last_seq"),
        sa.UniqueConstraint("position", name="uq_checkpoint_spans_position"),
        sa.ForeignKeyConstraint(["checkpoint"], ["checkpoints.number"], name="fk_checkpoint_spans_checkpoint_checkpoints"),
    )
    op.create_index("ix_checkpoint_spans_checkpoint", "checkpoint_spans", ["checkpoint"])
    op.create_table(
        "merkle_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tile", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "tile", name="pk_merkle_tiles"),
    )
    op.create_table(
        "checkpoint_duties",
        sa.Column("duty", Name, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("done_at", Instant()),
        sa.Column("failure", Name),
        sa.Column("stream", Name),
        sa.Column("seq", sa.Integer()),
        sa.Column("failed_since", Instant()),
        sa.PrimaryKeyConstraint("duty", name="pk_checkpoint_duties"),
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
