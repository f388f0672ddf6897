"""Checklists and notes of files."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "checklist_entries",
        sa.Column("id", Name, nullable=False),
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("template", Name),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("title_vi", sa.Text()),
        sa.Column("title_en", sa.Text()),
        sa.Column("text", Name),
        sa.Column("anchor", Name),
        sa.Column("side", Name),
        sa.Column("offset", sa.Integer()),
        sa.Column("unit", Name),
        sa.Column("assignee", Name),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", Name, nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", Name, nullable=False),
        sa.Column("done_at", Instant()),
        sa.Column("done_by", Name),
        sa.Column("removed_at", Instant()),
        sa.Column("removed_by", Name),
        sa.PrimaryKeyConstraint("id", name="pk_checklist_entries"),
    )
    op.create_index("ix_checklist_entries_delegation_id", "checklist_entries", ["delegation_id"])
    op.create_index("ix_checklist_entries_assignee_done_at", "checklist_entries", ["assignee", "done_at"])
    op.create_table(
        "note_versions",
        sa.Column("note", Name, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("author", Name, nullable=False),
        sa.Column("text", Name, nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("note", "version", name="pk_note_versions"),
    )
    op.create_index(
        "ix_note_versions_delegation_id_begun_at_note", "note_versions", ["delegation_id", "begun_at", "note"]
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
