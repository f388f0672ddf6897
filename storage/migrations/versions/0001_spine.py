"""The registers, the journal and the read tables."""

import sqlalchemy as sa
from alembic import op

from storage.metadata import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Name = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Name, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    op.create_table(
        "attachments",
        sa.Column("digest", Name, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", Name, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("claimed_at", Instant()),
        sa.PrimaryKeyConstraint("digest", name="pk_attachments"),
    )
    op.create_table(
        "ceilings",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("total_vnd", sa.BigInteger(), nullable=False),
        sa.Column("head_count", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("nights", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", "seq", name="pk_ceilings"),
    )
    op.create_table(
        "data_keys",
        sa.Column("subject", Name, nullable=False),
        sa.Column("wrapped", sa.LargeBinary()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("destroyed_at", Instant()),
        sa.PrimaryKeyConstraint("subject", name="pk_data_keys"),
    )
    op.create_table(
        "deadlines",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("what", Name, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("status", Name, nullable=False),
        sa.Column("rule", Name, nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", "what", name="pk_deadlines"),
    )
    op.create_index("ix_deadlines_status_due_at", "deadlines", ["status", "due_at"])
    op.create_table(
        "delegations",
        sa.Column("id", Name, nullable=False),
        sa.Column("direction", Name, nullable=False),
        sa.Column("phase", Name, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_folded", Name, nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("organisation", Name, nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("coordinator", Name, nullable=False),
        sa.Column("countries", Name, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("head_count", sa.Integer(), nullable=False),
        sa.Column("waits_for", Name),
        sa.Column("next_due_on", sa.Date()),
        sa.Column("next_due_what", Name),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head_hash", Name, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_delegations"),
    )
    op.create_index("ix_delegations_coordinator_starts", "delegations", ["coordinator", "starts"])
    op.create_index("ix_delegations_next_due_on_id", "delegations", ["next_due_on", "id"])
    op.create_index("ix_delegations_phase_starts", "delegations", ["phase", "starts"])
    op.create_index("ix_delegations_starts_id", "delegations", ["starts", "id"])
    op.create_index("ix_delegations_title_folded_id", "delegations", ["title_folded", "id"])
    op.create_index("ix_delegations_updated_at_id", "delegations", ["updated_at", "id"])
    op.create_table(
        "editions",
        sa.Column("id", Name, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("adopted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
    )
    op.create_table(
        "journal",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", Name, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", Name, nullable=False),
        sa.Column("actor", Name, nullable=False),
        sa.Column("command_id", Name, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("prev_hash", Name, nullable=False),
        sa.Column("hash", Name, nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", "seq", name="pk_journal"),
    )
    op.create_index("ix_journal_delegation_id_command_id", "journal", ["delegation_id", "command_id"])
    op.create_table(
        "mail_ledger",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uid", Name, nullable=False),
        sa.Column("recurrence_id", Name, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("method", Name, nullable=False),
        sa.Column("mailbox_hash", Name, nullable=False),
        sa.Column("view_hash", Name, nullable=False),
        sa.Column("message_id", Name, nullable=False),
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("issue", Name, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("participants", Name, nullable=False),
        sa.Column("persons", Name, nullable=False),
        sa.Column("mailbox", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("status", Name, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", Instant()),
        sa.Column("refusal", Name),
        sa.Column("enqueued_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant()),
        sa.PrimaryKeyConstraint("position", name="pk_mail_ledger"),
        sa.UniqueConstraint("message_id", name="uq_mail_ledger_message_id"),
        sa.UniqueConstraint(
            "uid", "recurrence_id", "sequence", "method", "mailbox_hash", "view_hash", name="uq_mail_ledger_message"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mail_ledger_delegation_id_position", "mail_ledger", ["delegation_id", "position"])
    op.create_index("ix_mail_ledger_issue_position", "mail_ledger", ["issue", "position"])
    op.create_index("ix_mail_ledger_uid_mailbox_hash_position", "mail_ledger", ["uid", "mailbox_hash", "position"])
    op.create_table(
        "participants",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("participant_id", Name, nullable=False),
        sa.Column("person", Name, nullable=False),
        sa.Column("role", Name, nullable=False),
        sa.Column("country", Name),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", "participant_id", name="pk_participants"),
    )
    op.create_index("ix_participants_person", "participants", ["person"])
    op.create_table(
        "persons",
        sa.Column("ref", Name, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", Name),
        sa.Column("body_mac", Name),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("claimed_at", Instant()),
        sa.Column("erased_at", Instant()),
        sa.PrimaryKeyConstraint("ref", name="pk_persons"),
        sa.UniqueConstraint("idempotency_key", name="uq_persons_idempotency_key"),
    )
    op.create_table(
        "programme_items",
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("item_id", Name, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.Text()),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("starts_local", Name, nullable=False),
        sa.Column("starts_zone", Name, nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("ends_local", Name, nullable=False),
        sa.Column("ends_zone", Name, nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("delegation_id", "item_id", name="pk_programme_items"),
    )
    op.create_index("ix_programme_items_starts_at", "programme_items", ["starts_at"])
    op.create_table(
        "texts",
        sa.Column("ref", Name, nullable=False),
        sa.Column("delegation_id", Name, nullable=False),
        sa.Column("idempotency_key", Name),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", Name, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("claimed_at", Instant()),
        sa.PrimaryKeyConstraint("ref", name="pk_texts"),
        sa.UniqueConstraint("idempotency_key", name="uq_texts_idempotency_key"),
    )
    op.create_index("ix_texts_delegation_id", "texts", ["delegation_id"])
    op.create_table(
        "account_positions",
        sa.Column("account", Name, nullable=False),
        sa.Column("position", Name, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_account_positions_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "position", name="pk_account_positions"),
    )
    op.create_index("ix_account_positions_position", "account_positions", ["position"])
    op.create_table(
        "account_roles",
        sa.Column("account", Name, nullable=False),
        sa.Column("role", Name, nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_account_roles_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "role", name="pk_account_roles"),
    )
    op.create_table(
        "person_versions",
        sa.Column("ref", Name, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", Name, nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["persons.ref"], name="fk_person_versions_ref", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ref", "version", name="pk_person_versions"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", Name, nullable=False),
        sa.Column("account", Name, nullable=False),
        sa.Column("digest", Name, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant()),
        sa.Column("revoked_at", Instant()),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="fk_tokens_account", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_index("ix_tokens_account", "tokens", ["account"])


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
