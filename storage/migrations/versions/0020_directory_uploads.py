"""Tables for the directory that were sent and wait."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "directory_uploads",
        sa.Column("id", Name, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("state", Name, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("digest", Name),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_directory_uploads"),
    )
    op.create_index("ix_directory_uploads_account_sent_at", "directory_uploads", ["account", "sent_at"])
    op.create_index("ix_directory_uploads_changed_at", "directory_uploads", ["changed_at"])


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
