"""The directory of partners, hosts and contacts, and the imports that were accepted."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "directory_entries",
        sa.Column("id", Name, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("country", Name),
        sa.Column("at", Name),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("name_folded", Name, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("merged_into", Name),
        sa.Column("stands_for", Name, nullable=False),
        sa.Column("idempotency_key", Name),
        sa.Column("body_digest", Name),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_directory_entries"),
        sa.UniqueConstraint("idempotency_key", name="uq_directory_entries_idempotency_key"),
    )
    op.create_index("ix_directory_entries_name_folded_id", "directory_entries", ["name_folded", "id"])
    op.create_index("ix_directory_entries_stands_for", "directory_entries", ["stands_for"])
    op.create_index("ix_directory_entries_at", "directory_entries", ["at"])
    op.create_table(
        "directory_imports",
        sa.Column("digest", Name, nullable=False),
        sa.Column("actor", Name, nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("entered", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("bad", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_directory_imports"),
    )
    op.create_table(
        "directory_versions",
        sa.Column("entry", Name, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", Name, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("other", Name),
        sa.Column("actor", Name, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("entry", "version", name="pk_directory_versions"),
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
