"""Who answers: what the mail ledger knows of a mailbox and an item, asked by an address that stands nowhere in it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from storage.data_keys import DataKeys, KeyDestroyed
from storage.engine import Database
from storage.journal import journal
from storage.keyring import Keyring
from storage.mail_rows import MAILBOX_INDEX, mail_ledger, mailbox_mac, split
from storage.metadata import utc_now


@dataclass(frozen=True)
class LastTold:
    """The last message about an item to one mailbox: who it named, and whether it left.

    `participants` are ids on the file, `persons` their references in the register, in the same order.
    """

    position: int
    method: str
    sequence: int
    status: str
    participants: tuple[str, ...]
    persons: tuple[str, ...]


class Answering:
    """Reads the ledger for whoever answers, and lets a message that was sent go out once more."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def delegation_of(self, uid: str) -> str | None:
        """Return whose item a UID names, or None if nobody was ever told of it."""
        wanted = select(mail_ledger.c.delegation_id).where(mail_ledger.c.uid == uid).limit(1)
        async with self._database.reading() as connection:
            found: str | None = (await connection.execute(wanted)).scalar_one_or_none()
        return found

    async def last_told(self, uid: str, address: str) -> LastTold | None:
        """Return the last message about an item to a mailbox, or None if it was never told of it."""
        async with self._database.reading() as connection:
            try:
                index = await self._keys.get(connection, MAILBOX_INDEX)
            except KeyDestroyed:
                return None
            wanted = (
                select(mail_ledger)
                .where(mail_ledger.c.uid == uid, mail_ledger.c.mailbox_hash == mailbox_mac(index, address))
                .order_by(mail_ledger.c.position.desc())
                .limit(1)
            )
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            return None
        return LastTold(
            position=row.position,
            method=row.method,
            sequence=row.sequence,
            status=row.status,
            participants=split(row.participants),
            persons=split(row.persons),
        )

    async def recorded(self, delegation_id: str, command_id: str) -> bool:
        """Return whether the journal has an event of a command: a file remembers only its last ones."""
        wanted = select(journal.c.seq).where(
            journal.c.delegation_id == delegation_id, journal.c.command_id == command_id
        )
        async with self._database.reading() as connection:
            return (await connection.execute(wanted.limit(1))).one_or_none() is not None

    async def once_more(self, told: LastTold, errand: str, *, sent_before: datetime) -> bool:
        """Give a message that was sent to an errand of its own, to go out in the same octets; False if it is not time.

        It is time when it last left before `sent_before` (wall time).
        """
        async with self._database.writing() as connection:
            done = await connection.execute(
                update(mail_ledger)
                .where(
                    mail_ledger.c.position == told.position,
                    mail_ledger.c.status == "sent",
                    mail_ledger.c.sent_at < sent_before,
                )
                .values(status="pending", errand=errand, deferrals=0, resent_at=utc_now(), next_attempt_at=None)
            )
        return done.rowcount == 1
