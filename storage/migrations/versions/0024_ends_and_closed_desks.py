"""An organisation that ends may name a successor, a position may end, and a desk may be given up for good."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant, Name

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("organisations") as table:
        table.add_column(sa.Column("successor", Name))
    with op.batch_alter_table("positions") as table:
        table.add_column(sa.Column("ended_at", Instant()))
    op.create_table(
        "closed_desks",
        sa.Column("position", Name, nullable=False),
        sa.Column("organisation", Name, nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.Column("recorded_by", Name, nullable=False),
        sa.PrimaryKeyConstraint("position", "organisation", "closed_at", name="pk_closed_desks"),
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
