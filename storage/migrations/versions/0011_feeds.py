"""Feeds and personal pages, by the SHA-256 of their tokens."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")



def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", Name, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("subject", Name, nullable=False),
        sa.Column("delegation", Name),
        sa.Column("person", Name),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("key_id", Name, nullable=False),
        sa.Column("digest", Name, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", Name, nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant()),
        sa.Column("fetched_on", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_feeds"),
        sa.UniqueConstraint("digest", name="uq_feeds_digest"),
        sa.UniqueConstraint("kind", "subject", name="uq_feeds_kind_subject"),
    )
    op.create_index("ix_feeds_delegation", "feeds", ["delegation"])
    op.create_index("ix_feeds_person", "feeds", ["person"])


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
