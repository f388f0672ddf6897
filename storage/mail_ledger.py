"""The mail ledger: every message that is or was to be sent, once for each key, frozen before it first leaves.

A resend after a crash is byte-identical, because the bytes stand here. They, and the mailbox, are encrypted under the
file's key and then under the key of everyone the message is for: destroying any of these keys makes them unreadable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    Row,
    Select,
    Table,
    UniqueConstraint,
    and_,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.data_keys import DataKeys, file_key, person_key
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.upsert import insert_into

Status = Literal["pending", "sending", "sent", "refused"]

MAILBOX_INDEX = "index:mailboxes"
"""The subject of the key under which mailboxes are found again without standing there in plain text."""

INSERT_BATCH = 50

mail_ledger = Table(
    "mail_ledger",
    metadata,
    Column("position", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("uid", Name, nullable=False),
    Column("recurrence_id", Name, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("method", Name, nullable=False),
    Column("mailbox_hash", Name, nullable=False),
    Column("view_hash", Name, nullable=False),
    Column("message_id", Name, nullable=False, unique=True),
    Column("delegation_id", Name, nullable=False),
    Column("issue", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("participants", Name, nullable=False),
    Column("persons", Name, nullable=False),
    Column("mailbox", Secret, nullable=False),
    Column("content", Secret, nullable=False),
    Column("status", Name, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("refusal", Name),
    Column("enqueued_at", Instant, nullable=False),
    Column("sent_at", Instant),
    # Named by hand: the name by convention is longer than PostgreSQL takes.
    UniqueConstraint(
        "uid", "recurrence_id", "sequence", "method", "mailbox_hash", "view_hash", name="uq_mail_ledger_message"
    ),
    Index(None, "issue", "position"),
    Index(None, "delegation_id", "position"),
    Index(None, "uid", "mailbox_hash", "position"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True)
class Mail:
    """One message to one mailbox.

    `uid`, `recurrence_id` (empty for a single item), `sequence`, `method` and `view_hash` are those of design.md
    section 5.7; a message that is no calendar item takes its effect's key as uid, sequence 0, and its kind as method.
    `participants` are ids on the file, `persons` their references in the register; `content` is the message as it goes
    out. `issue` is the key of the effect that asked for it.
    """

    uid: str
    sequence: int
    method: str
    view_hash: str
    message_id: str
    delegation_id: str
    issue: str
    kind: str
    participants: tuple[str, ...]
    mailbox: str = field(repr=False)
    content: bytes = field(repr=False)
    persons: tuple[str, ...] = ()
    recurrence_id: str = ""


@dataclass(frozen=True)
class Claimed:
    """A message that the caller now has to send, until the lease ends. `attempt` counts from 1."""

    position: int
    message_id: str
    uid: str
    method: str
    attempt: int
    participants: tuple[str, ...]
    mailbox: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """A line of the ledger, without address and content. Instants are wall time in UTC."""

    position: int
    uid: str
    recurrence_id: str
    sequence: int
    method: str
    view_hash: str
    message_id: str
    issue: str
    kind: str
    participants: tuple[str, ...]
    mailbox_hash: str
    status: Status
    attempts: int
    refusal: str | None
    enqueued_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class Count:
    """How many messages of one issue, kind, method and status there are, and to how many mailboxes."""

    issue: str
    kind: str
    method: str
    status: Status
    messages: int
    mailboxes: int


class MailLedger:
    """Messages by key: enqueued once, claimed by one sender at a time, each mailbox's in their order."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def enqueue(self, mails: Sequence[Mail]) -> list[str]:
        """Enter messages, all or none, and return the Message-IDs of those that were new, in the order given.

        A message whose key is in the ledger already is passed over, whatever became of it. One for somebody who was
        erased is entered without address and content, as refused (`erased`), and not returned.
        """
        if not mails:
            return []
        async with self._database.writing() as connection:
            index = await self._keys.obtain(connection, MAILBOX_INDEX)
            files = {mail.delegation_id for mail in mails}
            keys = {file_key(file): await self._keys.obtain(connection, file_key(file)) for file in sorted(files)}
            people = sorted({person_key(ref) for mail in mails for ref in mail.persons})
            keys |= await self._keys.get_many(connection, people)
            now, new = utc_now(), set[str]()
            # One statement for a batch: rows get their positions in the order given, which is the order of sending.
            for start in range(0, len(mails), INSERT_BATCH):
                rows = [_row(mail, index, keys, now) for mail in mails[start : start + INSERT_BATCH]]
                entered = await connection.execute(
                    insert_into(connection, mail_ledger)
                    .values(rows)
                    .on_conflict_do_nothing()
                    .returning(mail_ledger.c.message_id, mail_ledger.c.status)
                )
                new |= {message_id for message_id, status in entered if status == "pending"}
        return [mail.message_id for mail in mails if mail.message_id in new]

    async def claim(self, issue: str, *, limit: int, lease: timedelta, now: datetime) -> list[Claimed]:
        """Take up to `limit` messages of an issue for sending, and hold them until `now + lease` (wall time).

        Never returned: a message while an earlier one of the same item to the same mailbox is unsent, so that a CANCEL
        cannot overtake; and one that another sender holds. A sender that died loses its messages when the lease ends.
        """
        async with self._database.writing() as connection:
            wanted = _claimable(issue, now).order_by(mail_ledger.c.position).limit(limit)
            rows = (await connection.execute(wanted.with_for_update(skip_locked=True))).all()
            keys = await self._keys.get_many(connection, {subject for row in rows for subject in _subjects(row)})
            readable = [row for row in rows if all(subject in keys for subject in _subjects(row))]
            unreadable = [row.position for row in rows if row not in readable]
            if unreadable:
                await _settle(connection, mail_ledger.c.position.in_(unreadable), status="refused", refusal="erased")
            if readable:
                await connection.execute(
                    update(mail_ledger)
                    .where(mail_ledger.c.position.in_([row.position for row in readable]))
                    .values(status="sending", attempts=mail_ledger.c.attempts + 1, lease_until=now + lease)
                )
        return [
            Claimed(
                position=row.position,
                message_id=row.message_id,
                uid=row.uid,
                method=row.method,
                attempt=row.attempts + 1,
                participants=_split(row.participants),
                mailbox=_unlocked("mailbox", row, keys).decode(),
                content=_unlocked("content", row, keys),
            )
            for row in readable
        ]

    async def mark_sent(self, message_ids: Sequence[str], at: datetime) -> None:
        """Note that the mail server accepted these messages."""
        async with self._database.writing() as connection:
            # One that was refused meanwhile by another attempt was accepted after all: what was sent stays sent.
            await _settle(
                connection, mail_ledger.c.message_id.in_(message_ids), status="sent", sent_at=at, refusal=None
            )

    async def mark_refused(self, message_id: str, code: str) -> None:
        """Note that the mail server refuses a message for good; `code` carries no address. A sent one stays sent."""
        async with self._database.writing() as connection:
            which = and_(mail_ledger.c.message_id == message_id, mail_ledger.c.status != "sent")
            await _settle(connection, which, status="refused", refusal=code)

    async def release(self, message_ids: Sequence[str]) -> None:
        """Give claimed messages back after a failure that will pass: the next attempt may claim them at once."""
        async with self._database.writing() as connection:
            which = and_(mail_ledger.c.message_id.in_(message_ids), mail_ledger.c.status == "sending")
            await _settle(connection, which, status="pending")

    async def release_all(self, issue: str) -> int:
        """Give back whatever a sender of this issue holds that is known to be dead; return how many messages.

        Without this they wait for their lease to end. If the sender lives after all, a message may go out twice, in
        the same bytes.
        """
        async with self._database.writing() as connection:
            held = await connection.execute(
                update(mail_ledger)
                .where(mail_ledger.c.issue == issue, mail_ledger.c.status == "sending")
                .values(status="pending", lease_until=None)
            )
        return held.rowcount

    async def pending(self, issue: str) -> int:
        """Return how many messages of an issue are neither sent nor refused."""
        wanted = (
            select(func.count())
            .select_from(mail_ledger)
            .where(mail_ledger.c.issue == issue, mail_ledger.c.status.in_(("pending", "sending")))
        )
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).scalar_one()

    async def of_issue(self, issue: str) -> list[Entry]:
        """Return every line of an issue, in the order of sending."""
        return await self._entries(mail_ledger.c.issue == issue)

    async def of_delegation(self, delegation_id: str) -> list[Entry]:
        """Return every line of a delegation, in the order of sending."""
        return await self._entries(mail_ledger.c.delegation_id == delegation_id)

    async def told(self, delegation_id: str, uid: str) -> list[Entry]:
        """Return who was told what of an item and when: every line of its UID, in the order of sending."""
        return await self._entries(mail_ledger.c.delegation_id == delegation_id, mail_ledger.c.uid == uid)

    async def counts(self, delegation_id: str) -> list[Count]:
        """Return how many messages went to how many mailboxes, by issue, kind, method and status."""
        groups = (mail_ledger.c.issue, mail_ledger.c.kind, mail_ledger.c.method, mail_ledger.c.status)
        wanted = (
            select(
                *groups,
                func.count().label("messages"),
                func.count(mail_ledger.c.mailbox_hash.distinct()).label("mailboxes"),
            )
            .where(mail_ledger.c.delegation_id == delegation_id)
            .group_by(*groups)
            .order_by(func.min(mail_ledger.c.position))
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [Count(*row) for row in rows]

    async def _entries(self, *which: ColumnElement[bool]) -> list[Entry]:
        columns = [mail_ledger.c[name] for name in Entry.__dataclass_fields__]
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(*columns).where(*which).order_by(mail_ledger.c.position))).all()
        return [Entry(**row._asdict() | {"participants": _split(row.participants)}) for row in rows]


def _claimable(issue: str, now: datetime) -> Select[Any]:
    earlier = mail_ledger.alias("earlier")
    return select(mail_ledger).where(
        mail_ledger.c.issue == issue,
        or_(
            mail_ledger.c.status == "pending",
            and_(mail_ledger.c.status == "sending", mail_ledger.c.lease_until <= now),
        ),
        ~exists().where(
            earlier.c.uid == mail_ledger.c.uid,
            earlier.c.mailbox_hash == mail_ledger.c.mailbox_hash,
            earlier.c.position < mail_ledger.c.position,
            earlier.c.status.in_(("pending", "sending")),
        ),
    )


async def _settle(connection: AsyncConnection, which: ColumnElement[bool], **values: Any) -> None:
    await connection.execute(update(mail_ledger).where(which).values(lease_until=None, **values))


def _row(mail: Mail, index: DataKey, keys: dict[str, DataKey], now: datetime) -> dict[str, Any]:
    subjects = [file_key(mail.delegation_id), *(person_key(ref) for ref in mail.persons)]
    chain = [keys[subject] for subject in subjects if subject in keys]
    readable = len(chain) == len(subjects)
    return {
        "uid": mail.uid,
        "recurrence_id": mail.recurrence_id,
        "sequence": mail.sequence,
        "method": mail.method,
        "mailbox_hash": index.mac(mail.mailbox.lower().encode()),
        "view_hash": mail.view_hash,
        "message_id": mail.message_id,
        "delegation_id": mail.delegation_id,
        "issue": mail.issue,
        "kind": mail.kind,
        "participants": " ".join(mail.participants),
        "persons": " ".join(mail.persons),
        "mailbox": _locked(mail.mailbox.encode(), "mailbox", mail.message_id, chain) if readable else b"",
        "content": _locked(mail.content, "content", mail.message_id, chain) if readable else b"",
        "status": "pending" if readable else "refused",
        "refusal": None if readable else "erased",
        "attempts": 0,
        "enqueued_at": now,
    }


def _subjects(row: Row[Any]) -> list[str]:
    return [file_key(row.delegation_id), *(person_key(ref) for ref in _split(row.persons))]


def _locked(content: bytes, column: str, message_id: str, chain: Sequence[DataKey]) -> bytes:
    for key in chain:
        content = key.encrypt(content, context=f"{column} {message_id}".encode())
    return content


def _unlocked(column: str, row: Row[Any], keys: dict[str, DataKey]) -> bytes:
    content: bytes = row._mapping[column]
    for subject in reversed(_subjects(row)):
        content = keys[subject].decrypt(content, context=f"{column} {row.message_id}".encode())
    return content


def _split(names: str) -> tuple[str, ...]:
    return tuple(names.split())
