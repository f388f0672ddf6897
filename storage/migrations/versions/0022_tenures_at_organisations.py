"""A tenure is held at an organisation: that of its position, else that of its account as it is now."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Name

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tenures") as table:
        table.add_column(sa.Column("organisation", Name))
        table.create_index("ix_tenures_organisation", ["organisation"])
    op.execute(
        "UPDATE tenures SET organisation = coalesce("
        "(SELECT positions.organisation FROM positions WHERE positions.slug = tenures.position), "
        "(SELECT accounts.organisation FROM accounts WHERE accounts.id = tenures.account))"
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
