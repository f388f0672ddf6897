"""What rights rest on stands in the log as it stands in the tables: what was never sealed is, as it was found.

Accounts and tenures of the first release are older than the log, and 0022 gave tenures an organisation without an
entry. From here on every row is what its entries say.
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from domain.canonical import canonical_json
from domain.seal import Head, genesis, seal
from domain.values import write_instant
from storage.metadata import Instant, utc_now

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_LOG = sa.table(
    "register_log",
    *(sa.column(name) for name in ("register", "seq", "change", "version", "at", "actor", "entry", "data")),
    *(sa.column(name) for name in ("prev_hash", "hash")),
)
_ACCOUNTS = sa.table(
    "accounts", *(sa.column(name) for name in ("id", "organisation", "person")), sa.column("disabled_at", Instant())
)
_ROLES = sa.table("account_roles", sa.column("account"), sa.column("role"))
_TENURES = sa.table(
    "tenures",
    *(sa.column(name) for name in ("id", "account", "position", "organisation")),
    *(sa.column(name, Instant()) for name in ("since", "until", "replaced_at")),
)
_TOKENS = sa.table(
    "tokens",
    *(sa.column(name) for name in ("id", "account")),
    *(sa.column(name, Instant()) for name in ("expires_at", "revoked_at")),
)


def upgrade() -> None:
    connection = op.get_bind()
    known = _last(connection, "accounts")
    roles: dict[str, list[str]] = {}
    for row in connection.execute(sa.select(_ROLES).order_by(_ROLES.c.account, _ROLES.c.role)):
        roles.setdefault(row.account, []).append(row.role)
    for row in connection.execute(sa.select(_ACCOUNTS).order_by(_ACCOUNTS.c.id)).all():
        said = known.get(row.id, {})
        found = _said(roles=roles.get(row.id, []), organisation=row.organisation, person=row.person)
        if "roles" not in said:
            _record(connection, "accounts", "account_found", row.id, found)
        if row.disabled_at is not None and not said.get("disabled"):
            _record(connection, "accounts", "account_disabled", row.id, None)
    for row in connection.execute(sa.select(_TOKENS).order_by(_TOKENS.c.id)).all():
        if row.id not in known:
            found = _said(account=row.account, expires_at=row.expires_at)
            _record(connection, "accounts", "token_found", row.id, found)
            if row.revoked_at is not None:
                _record(connection, "accounts", "token_revoked", row.id, None, {"account": row.account})
    held = _last(connection, "tenures")
    current = sa.select(_TENURES).where(_TENURES.c.replaced_at.is_(None)).order_by(_TENURES.c.id)
    for row in connection.execute(current).all():
        found = _said(
            account=row.account,
            position=row.position,
            organisation=row.organisation,
            since=row.since,
            until=row.until,
        )
        before = held.get(row.id)
        if before is None or before == {name: value for name, value in found.items() if name != "organisation"}:
            if before != found:
                _record(connection, "tenures", "tenure_found", row.id, found, before)


def _last(connection: sa.Connection, register: str) -> dict[str, dict[str, Any]]:
    """What the log says of each entry last; what it never said is not here."""
    found: dict[str, dict[str, Any]] = {}
    wanted = sa.select(_LOG.c.entry, _LOG.c.change, _LOG.c.data).where(_LOG.c.register == register)
    for row in connection.execute(wanted.order_by(_LOG.c.seq)):
        after = json.loads(row.data).get("after")
        if row.change == "account_disabled":
            found.setdefault(row.entry, {})["disabled"] = True
        elif after is not None:
            found[row.entry] = after
    return found


def _said(**values: Any) -> dict[str, Any]:
    written = {name: write_instant(one) if hasattr(one, "tzinfo") else one for name, one in values.items()}
    return {name: value for name, value in written.items() if value is not None}


def _record(
    connection: sa.Connection,
    register: str,
    change: str,
    entry: str,
    after: dict[str, Any] | None,
    before: dict[str, Any] | None = None,
) -> None:
    newest = sa.select(_LOG.c.seq, _LOG.c.hash).where(_LOG.c.register == register).order_by(_LOG.c.seq.desc())
    row = connection.execute(newest.limit(1)).one_or_none()
    sealed = seal(
        genesis(f"register:{register}") if row is None else Head(seq=row.seq, hash=row.hash),
        type=change,
        version=1,
        at=utc_now(),
        actor="system",
        command_id=entry,
        data={name: value for name, value in (("before", before), ("after", after)) if value is not None},
    )
    connection.execute(
        sa.insert(_LOG).values(
            register=register,
            seq=sealed.seq,
            change=sealed.type,
            version=sealed.version,
            at=sealed.at,
            actor=sealed.actor,
            entry=sealed.command_id,
            data=canonical_json(sealed.data).decode(),
            prev_hash=sealed.prev_hash,
            hash=sealed.hash,
        )
    )


def downgrade() -> None:
    """A store is never taken back to an older schema: restore a backup instead."""
    raise NotImplementedError("migrations run forward only")
