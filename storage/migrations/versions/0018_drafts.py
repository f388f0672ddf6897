"""What was typed into long forms and not sent yet."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", Name, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
    )
    op.create_index("ix_drafts_account_kind_changed_at", "drafts", ["account", "kind", "changed_at"])
    op.create_index("ix_drafts_changed_at", "drafts", ["changed_at"])


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
