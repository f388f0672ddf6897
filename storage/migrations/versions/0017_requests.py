"""Requests of persons, plans of retention with what is due by them, and which versions of details were pared down."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "person_requests",
        sa.Column("id", Name, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("person", Name),
        sa.Column("status", Name, nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("answered_at", Instant()),
        sa.Column("answer_due_at", Instant(), nullable=False),
        sa.Column("carry_out_due_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.Column("commands", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person_requests"),
    )
    op.create_index("ix_person_requests_person", "person_requests", ["person"])
    op.create_index("ix_person_requests_received_at_id", "person_requests", ["received_at", "id"])
    op.create_index("ix_person_requests_status_carry_out_due_at", "person_requests", ["status", "carry_out_due_at"])
    op.create_table(
        "retention_plans",
        sa.Column("id", Name, nullable=False),
        sa.Column("status", Name, nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("made_by", Name, nullable=False),
        sa.Column("digest", Name, nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("agreed_at", Instant()),
        sa.Column("agreed_by", Name),
        sa.Column("ended_at", Instant()),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_retention_plans"),
    )
    op.create_index("ix_retention_plans_status_made_at", "retention_plans", ["status", "made_at"])
    op.create_table(
        "retention_entries",
        sa.Column("plan", Name, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("entry", Name, nullable=False),
        sa.Column("outcome", Name),
        sa.PrimaryKeyConstraint("plan", "kind", "entry", name="pk_retention_entries"),
        sa.ForeignKeyConstraint(
            ["plan"], ["retention_plans.id"], name="fk_retention_entries_plan_retention_plans", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_retention_entries_plan_outcome", "retention_entries", ["plan", "outcome"])
    op.add_column("person_versions", sa.Column("pared_at", Instant()))


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
