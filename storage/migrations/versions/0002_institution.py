"""Organisations, positions, tenures and leave; the log of administrative changes."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant, utc_now
from storage.references import new_reference

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("organisation", Name))
    op.add_column("accounts", sa.Column("person", Name))
    op.create_table(
        "organisations",
        sa.Column("slug", Name, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant()),
        sa.Column("kind", Name, nullable=False),
        sa.Column("parent", Name),
        sa.Column("name_vi", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", Name, nullable=False),
        sa.PrimaryKeyConstraint("slug", "since", name="pk_organisations"),
    )
    op.create_table(
        "positions",
        sa.Column("slug", Name, nullable=False),
        sa.Column("organisation", Name),
        sa.Column("title_vi", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", Name, nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_positions"),
    )
    tenures = op.create_table(
        "tenures",
        sa.Column("id", Name, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("position", Name, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant()),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", Name, nullable=False),
        sa.Column("replaced_at", Instant()),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_tenures_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", "version", name="pk_tenures"),
    )
    op.create_index("ix_tenures_account", "tenures", ["account"])
    op.create_index("ix_tenures_position", "tenures", ["position"])
    op.create_table(
        "leaves",
        sa.Column("id", Name, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("substitute", Name, nullable=False),
        sa.Column("positions", Name, nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("revoked_at", Instant()),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("recorded_by", Name, nullable=False),
        sa.Column("replaced_at", Instant()),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_leaves_account", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["substitute"], ["accounts.id"], name="fk_leaves_substitute", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", "version", name="pk_leaves"),
    )
    op.create_index("ix_leaves_account", "leaves", ["account"])
    op.create_index("ix_leaves_substitute", "leaves", ["substitute"])
    op.create_table(
        "register_log",
        sa.Column("register", Name, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change", Name, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", Name, nullable=False),
        sa.Column("actor", Name, nullable=False),
        sa.Column("entry", Name, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("prev_hash", Name, nullable=False),
        sa.Column("hash", Name, nullable=False),
        sa.PrimaryKeyConstraint("register", "seq", name="pk_register_log"),
    )
    _turn_positions_into_tenures(tenures)
    op.drop_table("account_positions")


def _turn_positions_into_tenures(tenures: sa.Table) -> None:
    """What was held until now is held since the account was opened, as far as anybody knows."""
    accounts = sa.table("accounts", sa.column("id"), sa.column("created_at", Instant()))
    held = sa.table("account_positions", sa.column("account"), sa.column("position"))
    rows = op.get_bind().execute(
        sa.select(held.c.account, held.c.position, accounts.c.created_at)
        .join_from(held, accounts, accounts.c.id == held.c.account)
        .order_by(held.c.account, held.c.position)
    )
    now = utc_now()
    op.bulk_insert(
        tenures,
        [
            {
                "id": new_reference("ten"),
                "version": 1,
                "account": row.account,
                "position": row.position,
                "since": row.created_at,
                "recorded_at": now,
                "recorded_by": "system",
            }
            for row in rows
        ],
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
