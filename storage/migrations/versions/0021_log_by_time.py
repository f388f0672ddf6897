"""The log of changes is read by time, across all registers."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_register_log_at_register_seq", "register_log", ["at", "register", "seq"])


def downgrade() -> None:
    op.drop_index("ix_register_log_at_register_seq", "register_log")
