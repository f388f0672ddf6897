"""Who travels abroad in which year. The read tables are emptied: the next start fills them again from the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "trips",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("person", Name, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", "person", name="pk_trips"),
    )
    op.create_index("ix_trips_person_year", "trips", ["person", "year"])
    op.execute("DELETE FROM delegations")


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
