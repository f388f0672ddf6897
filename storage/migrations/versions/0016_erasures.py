"""Erasures of people, agreed by two administrators, and which attached files they took away."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", Name, nullable=False),
        sa.Column("person", Name, nullable=False),
        sa.Column("reason", Name, nullable=False),
        sa.Column("state", Name, nullable=False),
        sa.Column("asked_by", Name, nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("agreed_by", Name),
        sa.Column("agreed_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.Column("traces", sa.Text()),
        sa.Column("done", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_person", "erasures", ["person"])
    op.create_index("ix_erasures_state", "erasures", ["state"])
    op.add_column("attachments", sa.Column("erased_at", Instant()))
    op.add_column("attachments", sa.Column("replaced_by", Name))


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
