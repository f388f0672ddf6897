"""${message}."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "${up_revision}"
down_revision = "${down_revision}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
