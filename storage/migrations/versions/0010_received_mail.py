"""Mail that comes to the organizer's mailbox, what became of it, and how far the mailbox was read."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")
Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "received_mail",
        sa.Column("position", Big, autoincrement=True, nullable=False),
        sa.Column("ref", Name, nullable=False),
        sa.Column("message_id", Name, nullable=False),
        sa.Column("body", Name, nullable=False),
        sa.Column("mailbox", Name, nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.Column("outcome", Name, nullable=False),
        sa.Column("kind", Name),
        sa.Column("reason", Name),
        sa.Column("delegation_id", Name),
        sa.Column("item_id", Name),
        sa.Column("participants", Name, nullable=False),
        sa.Column("subjects", Name, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant()),
        sa.Column("settled_by", Name),
        sa.PrimaryKeyConstraint("position", name="pk_received_mail"),
        sa.UniqueConstraint("ref", name="uq_received_mail_ref"),
        sa.UniqueConstraint("message_id", "body", name="uq_received_mail_identity"),
        sa.UniqueConstraint("mailbox", "uidvalidity", "uid", name="uq_received_mail_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_received_mail_outcome_position", "received_mail", ["outcome", "position"])
    op.create_table(
        "mailbox_places",
        sa.Column("mailbox", Name, nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name="pk_mailbox_places"),
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
