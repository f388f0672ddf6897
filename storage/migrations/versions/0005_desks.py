"""On whose desk a file is. The read tables are emptied: the next start fills them again from the journal."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "desks",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("what", Name, nullable=False),
        sa.Column("whose", Name, nullable=False),
        sa.Column("position", Name),
        sa.Column("account", Name),
        sa.Column("title_vi", sa.Text()),
        sa.Column("title_en", sa.Text()),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("due_at", Instant()),
        sa.Column("missed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", "what", "whose", name="pk_desks"),
    )
    op.create_index("ix_desks_account", "desks", ["account"])
    op.create_index("ix_desks_position", "desks", ["position"])
    op.execute("DELETE FROM delegations")


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
