"""The register of identities: which account somebody is whom another provider vouches for (OpenID Connect).

An account is found by issuer and subject alone, never by an e-mail address: addresses are given to others, subjects
are not (OpenID Connect Core 1.0 section 5.7).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint, delete, select

from domain.decision import SYSTEM
from storage.account_notices import tell_owner
from storage.accounts import UnknownAccount, accounts
from storage.data_keys import DataKeys, KeyDestroyed, account_key
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.references import new_reference
from storage.register_log import queue, record
from storage.sessions import end_sessions
from storage.upsert import insert_into

SUBJECT_INDEX = "index:subjects"

identities = Table(
    "identities",
    metadata,
    Column("id", Name, primary_key=True),
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("issuer", Name, nullable=False),
    # A provider may use an e-mail address as subject: it is found by a keyed digest and shown by decrypting it.
    Column("subject_mac", Name, nullable=False),
    Column("subject", Secret, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("issuer", "subject_mac"),
)


@dataclass(frozen=True)
class Identity:
    """Whom an issuer calls `subject`; `created_at` is wall time in UTC."""

    id: str
    account: str
    issuer: str
    subject: str
    created_at: datetime


class IdentityExists(ValueError):
    """Issuer and subject belong to an account already."""


class Identities:
    """Identities by issuer and subject, each of one account; an account may have several."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def link(self, account: str, issuer: str, subject: str, *, by: str = SYSTEM) -> Identity:
        """Link an account; the log has the issuer, not the subject.

        Raises UnknownAccount, and IdentityExists when another entry has issuer and subject.
        """
        identity = Identity(new_reference("idn"), account, issuer, subject, utc_now())
        async with self._database.writing() as connection:
            await queue(connection)
            known = select(accounts.c.id).where(accounts.c.id == account, accounts.c.disabled_at.is_(None))
            if (await connection.execute(known)).one_or_none() is None:
                raise UnknownAccount(f"there is no account “{account}”")
            key = await self._keys.obtain(connection, account_key(account))
            index = await self._keys.obtain(connection, SUBJECT_INDEX)
            row = {
                "id": identity.id,
                "account": account,
                "issuer": issuer,
                "subject_mac": _mac(index, subject),
                "subject": key.encrypt(subject.encode(), context=identity.id.encode()),
                "created_at": identity.created_at,
            }
            entered = (
                insert_into(connection, identities).values(row).on_conflict_do_nothing().returning(identities.c.id)
            )
            if (await connection.execute(entered)).one_or_none() is None:
                raise IdentityExists("issuer and subject are linked already")
            after = {"account": account, "issuer": issuer}
            await record(connection, "accounts", "identity_linked", identity.id, by=by, after=after)
            await tell_owner(connection, account, "identity_linked", by=by)
        return identity

    async def account_of(self, issuer: str, subject: str) -> str | None:
        """Return whose account it is, or None if nobody's, or that of a disabled one."""
        async with self._database.reading() as connection:
            try:
                index = await self._keys.get(connection, SUBJECT_INDEX)
            except KeyDestroyed:
                # Nobody was linked yet.
                return None
            wanted = (
                select(identities.c.account)
                .join_from(identities, accounts, identities.c.account == accounts.c.id)
                .where(
                    identities.c.issuer == issuer,
                    identities.c.subject_mac == _mac(index, subject),
                    accounts.c.disabled_at.is_(None),
                )
            )
            account: str | None = (await connection.execute(wanted)).scalar_one_or_none()
        return account

    async def of(self, account: str) -> list[Identity]:
        """Return an account's identities, the oldest first."""
        wanted = (
            select(identities).where(identities.c.account == account).order_by(identities.c.created_at, identities.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
            if not rows:
                return []
            key = await self._keys.get(connection, account_key(account))
        return [
            Identity(
                row.id,
                row.account,
                row.issuer,
                key.decrypt(row.subject, context=row.id.encode()).decode(),
                row.created_at,
            )
            for row in rows
        ]

    async def unlink(self, identity: str, *, by: str = SYSTEM) -> bool:
        """Remove an identity and end the sessions that a provider opened for its account; False if there is none."""
        async with self._database.writing() as connection:
            await queue(connection)
            removed = delete(identities).where(identities.c.id == identity)
            row = (await connection.execute(removed.returning(identities.c.account, identities.c.issuer))).one_or_none()
            if row is not None:
                before = {"account": row.account, "issuer": row.issuer}
                await record(connection, "accounts", "identity_unlinked", identity, by=by, before=before)
                await end_sessions(connection, row.account, utc_now(), factor="oidc")
                await tell_owner(connection, row.account, "identity_unlinked", by=by)
        return row is not None


def _mac(index: DataKey, subject: str) -> str:
    return index.mac(subject.encode("utf-8", "surrogatepass"))
