"""Passwords, links to choose one, passkeys, identities of other providers, sessions; scopes of tokens."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("tokens", sa.Column("scopes", Name))
    op.create_table(
        "challenges",
        sa.Column("digest", Name, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("account", Name),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_challenges"),
    )
    op.create_table(
        "passwords",
        sa.Column("account", Name, nullable=False),
        sa.Column("encoded", Name, nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_passwords_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", name="pk_passwords"),
    )
    op.create_table(
        "password_links",
        sa.Column("digest", Name, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant()),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_password_links_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name="pk_password_links"),
    )
    op.create_index("ix_password_links_account", "password_links", ["account"])
    op.create_table(
        "passkeys",
        sa.Column("id", Name, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("credential", Name, nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("aaguid", Name, nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant()),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_passkeys_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential", name="uq_passkeys_credential"),
    )
    op.create_index("ix_passkeys_account", "passkeys", ["account"])
    op.create_table(
        "identities",
        sa.Column("id", Name, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("issuer", Name, nullable=False),
        sa.Column("subject_mac", Name, nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_identities_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sa.UniqueConstraint("issuer", "subject_mac", name="uq_identities_issuer_subject_mac"),
    )
    op.create_index("ix_identities_account", "identities", ["account"])
    op.create_table(
        "sessions",
        sa.Column("id", Name, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("digest", Name, nullable=False),
        sa.Column("factor", Name, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant()),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_sessions_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("digest", name="uq_sessions_digest"),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
