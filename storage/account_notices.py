"""What the owner of an account is to be told: entered with the change itself, sent by the worker, gone once it is sent.

A notice keeps name and address as they were when it was entered, so that a former address hears of its own going.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import Column, ForeignKey, Table, delete, insert, literal, or_, select, update
from sqlalchemy import column as named
from sqlalchemy import table as other_table
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.values import Language
from storage.data_keys import DataKeys, account_key
from storage.engine import Database
from storage.keyring import Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.references import new_reference

Told = Literal[
    "password_link_made",
    "password_chosen",
    "password_changed",
    "passkey_registered",
    "passkey_removed",
    "identity_linked",
    "identity_unlinked",
    "token_created",
    "token_revoked",
    "address_changed",
    "account_enabled",
    "leave_registered",
    "leave_end_changed",
    "leave_revoked",
]
"""What somebody is told; all but the address by the word of the register's log."""

account_notices = Table(
    "account_notices",
    metadata,
    Column("id", Name, primary_key=True),
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("what", Name, nullable=False),
    Column("done_at", Instant, nullable=False),
    Column("done_by", Name, nullable=False),
    # The account's own, copied: under its key, readable only while that is there.
    Column("ciphertext", Secret, nullable=False),
    Column("lease_until", Instant),
)

_ACCOUNTS = other_table("accounts", named("id", Name), named("ciphertext", Secret))


@dataclass(frozen=True)
class OwnersNotice:
    """A notice that is to be sent, with whom to tell as they were then; `done_at` is wall time in UTC."""

    id: str
    account: str
    what: Told
    done_at: datetime
    done_by: str
    name: str
    email: str
    language: Language
    zone: str | None


async def tell_owner(connection: AsyncConnection, account: str, what: Told, *, by: str) -> None:
    """Enter a notice to the owner of an account, in the transaction that makes the change.

    `by` is who made it, as in the register's log: the owner is told of their own acts too, since whoever acts in their
    name is not always they. To an address that is about to change it is entered before, to the new one afterwards.
    """
    row = (new_reference("ntc"), account, what, utc_now(), by)
    columns = account_notices.c
    values = [literal(value, column.type) for value, column in zip(row, columns, strict=False)]
    copied = select(*values, _ACCOUNTS.c.ciphertext).where(_ACCOUNTS.c.id == account)
    names = [column.name for column in columns if column.name != "lease_until"]
    await connection.execute(insert(account_notices).from_select(names, copied))


class AccountNotices:
    """Notices in the order in which they were entered; each is held by one sender at a time."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def claim(self, now: datetime, lease: timedelta, *, limit: int = 20) -> list[OwnersNotice]:
        """Take up to `limit` notices and hold them until `now + lease` (wall time); a dead sender loses them then.

        Those of an account without a mailbox, or whose owner was erased, are nobody's to hear: they are removed.
        """
        free = or_(account_notices.c.lease_until.is_(None), account_notices.c.lease_until <= now)
        wanted = select(account_notices).where(free).order_by(account_notices.c.done_at, account_notices.c.id)
        async with self._database.reading() as connection:
            if (await connection.execute(wanted.limit(1))).one_or_none() is None:
                return []
        found: list[OwnersNotice] = []
        async with self._database.writing() as connection:
            rows = (await connection.execute(wanted.limit(limit).with_for_update(skip_locked=True))).all()
            keys = await self._keys.get_many(connection, {account_key(row.account) for row in rows})
            for row in rows:
                key = keys.get(account_key(row.account))
                hidden = json.loads(key.decrypt(row.ciphertext, context=row.account.encode())) if key else {}
                if not hidden.get("email"):
                    await connection.execute(delete(account_notices).where(account_notices.c.id == row.id))
                    continue
                found.append(
                    OwnersNotice(
                        id=row.id,
                        account=row.account,
                        what=cast(Told, row.what),
                        done_at=row.done_at,
                        done_by=row.done_by,
                        name=hidden["name"],
                        email=hidden["email"],
                        language=hidden["language"],
                        zone=hidden.get("zone"),
                    )
                )
            held = account_notices.c.id.in_([one.id for one in found])
            await connection.execute(update(account_notices).where(held).values(lease_until=now + lease))
        return found

    async def done(self, notice: str) -> None:
        """Remove a notice: the mail ledger has it."""
        async with self._database.writing() as connection:
            await connection.execute(delete(account_notices).where(account_notices.c.id == notice))

    async def release(self, notice: str) -> None:
        """Give a notice back, to be tried again."""
        async with self._database.writing() as connection:
            given = update(account_notices).where(account_notices.c.id == notice)
            await connection.execute(given.values(lease_until=None))
