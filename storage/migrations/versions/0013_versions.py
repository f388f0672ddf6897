"""What a delegation was at any instant: its line in lists at each change, its whole state every so many events.

Both are read tables. They are emptied with the others: the next start fills them from the journal.
"""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _line() -> list[sa.Column[object]]:
    return [
        sa.Column("direction", Name, nullable=False),
        sa.Column("phase", Name, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_folded", Name, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("organisation", Name, nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("coordinator", Name, nullable=False),
        sa.Column("countries", Name, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("head_count", sa.Integer(), nullable=False),
        sa.Column("waits_for", Name),
        sa.Column("next_due_on", sa.Date()),
        sa.Column("next_due_what", Name),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("next_due_rule", Name),
        sa.Column("updated_at", Instant(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "delegation_versions",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        *_line(),
        sa.PrimaryKeyConstraint("delegation_id", "seq", name="pk_delegation_versions"),
    )
    op.create_index(
        "ix_delegation_versions_delegation_id_since_seq", "delegation_versions", ["delegation_id", "since", "seq"]
    )
    op.create_table(
        "delegation_snapshots",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("head_hash", Name, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", "seq", name="pk_delegation_snapshots"),
    )
    op.execute("DELETE FROM delegations")


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
