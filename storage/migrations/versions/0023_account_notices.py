"""Owners are told what happens to their accounts, and no token is good for ever.

A token without an end gets one: 30 days where it may sign, else 90, to give whoever uses it the time to make another.
"""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant, Name, Secret, utc_now

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_notices",
        sa.Column("id", Name, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("what", Name, nullable=False),
        sa.Column("done_at", Instant, nullable=False),
        sa.Column("done_by", Name, nullable=False),
        sa.Column("ciphertext", Secret, nullable=False),
        sa.Column("lease_until", Instant),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_account_notices_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_account_notices"),
    )
    op.create_index("ix_account_notices_account", "account_notices", ["account"])
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("vouched_at", Instant))
    tokens = sa.table("tokens", sa.column("scopes", Name), sa.column("expires_at", Instant))
    signs = sa.or_(tokens.c.scopes.is_(None), tokens.c.scopes.like("%sign%"))
    endless, now = tokens.update().where(tokens.c.expires_at.is_(None)), utc_now()
    op.execute(endless.where(signs).values(expires_at=now + timedelta(days=30)))
    op.execute(endless.where(sa.not_(signs)).values(expires_at=now + timedelta(days=90)))


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
