"""What becomes of mail that is not taken at once: put off, given up, returned, sent again. And each domain's pace."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")
NAMES = ("errand", "domain_hash", "status_code", "replaced_by")
INSTANTS = ("attempted_at", "next_attempt_at", "bounced_at", "resent_at")


def upgrade() -> None:
    for name in NAMES:
        op.add_column("mail_ledger", sa.Column(name, Name))
    op.add_column("mail_ledger", sa.Column("deferrals", sa.Integer()))
    for name in INSTANTS:
        op.add_column("mail_ledger", sa.Column(name, Instant()))
    # What is unsent now is sent by the effect that entered it.
    op.execute("UPDATE mail_ledger SET errand = issue, deferrals = 0")
    op.create_index("ix_mail_ledger_errand_position", "mail_ledger", ["errand", "position"])
    op.create_index("ix_mail_ledger_attempted_at_domain_hash", "mail_ledger", ["attempted_at", "domain_hash"])
    op.create_index("ix_mail_ledger_status_position", "mail_ledger", ["status", "position"])


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
