"""The table of the mail ledger, and how a line of it is written and read: mailbox and content encrypted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, Index, Integer, Row, Table, UniqueConstraint

from storage.data_keys import file_key, person_key
from storage.keyring import DataKey
from storage.metadata import Instant, Name, Secret, metadata

Status = Literal["pending", "sending", "sent", "refused", "dead", "bounced"]
"""`refused`: the server said no for good, or the person was erased. `dead`: given up after attempts that all failed.
`bounced`: taken by the server, and returned later (RFC 3464).
"""

UNSENT: tuple[Status, ...] = ("pending", "sending")
HANDED_OVER: tuple[Status, ...] = ("sent", "bounced")
NOT_REACHED: tuple[Status, ...] = ("refused", "dead")

UNREACHABLE = "unreachable"
"""The refusal of a message that no mail server ever answered about."""

MAILBOX_INDEX = "index:mailboxes"
"""The subject of the key under which mailboxes are found again without standing there in plain text."""

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
    # The effect that hands it over: its issue, or the resending that took it up again.
    Column("errand", Name),
    # A recipient's domain is a MAC like the mailbox: it is enough to keep the pace of each.
    Column("domain_hash", Name),
    Column("deferrals", Integer),
    Column("status_code", Name),
    Column("attempted_at", Instant),
    Column("next_attempt_at", Instant),
    Column("bounced_at", Instant),
    Column("resent_at", Instant),
    Column("replaced_by", Name),
    # Named by hand: the name by convention is longer than PostgreSQL takes.
    UniqueConstraint(
        "uid", "recurrence_id", "sequence", "method", "mailbox_hash", "view_hash", name="uq_mail_ledger_message"
    ),
    Index(None, "issue", "position"),
    Index(None, "delegation_id", "position"),
    Index(None, "uid", "mailbox_hash", "position"),
    Index(None, "errand", "position"),
    Index(None, "attempted_at", "domain_hash"),
    Index(None, "status", "position"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True)
class Mail:
    """One message to one mailbox.

    `uid`, `recurrence_id` (empty for a single item), `sequence`, `method` and `view_hash` are those of design.md
    section 5.7; a message that is no calendar item takes its effect's key as uid, sequence 0, and its kind as method.
    `participants` are ids on the file, `persons` their references in the register; `content` is the message as it goes
    out. `issue` is the key of the effect that asked for it, `errand` of the one that hands it over where that is
    another.
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
    errand: str | None = None


@dataclass(frozen=True)
class Sending:
    """How far the mails of a delegation are. `done` mailboxes have had everything that was to leave for them.

    For those that the mail server `put_off` something is tried again later; `messages` have not left yet.
    """

    mailboxes: int
    done: int
    put_off: int
    messages: int


@dataclass(frozen=True)
class Claimed:
    """A message that the caller now has to send, until the lease ends. `attempt` counts from 1.

    `deferrals` counts how often the mail server put it off since it was entered, or was last sent anew.
    """

    position: int
    message_id: str
    uid: str
    method: str
    attempt: int
    deferrals: int
    participants: tuple[str, ...]
    mailbox: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """A line of the ledger, without address and content. Instants are wall time in UTC.

    `refusal` is the reply code of the mail server (RFC 5321) or `erased` or `unreachable`; `status_code` the enhanced
    one (RFC 3463), of a reply or of the report that a message bounced. `attempted_at` is when it was last handed over,
    `next_attempt_at` when it may be again, `replaced_by` the Message-ID of its copy to a corrected mailbox.
    """

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
    status_code: str | None = None
    attempted_at: datetime | None = None
    next_attempt_at: datetime | None = None
    bounced_at: datetime | None = None
    resent_at: datetime | None = None
    replaced_by: str | None = None


@dataclass(frozen=True)
class Count:
    """How many messages of one issue, kind, method and status there are, and to how many mailboxes."""

    issue: str
    kind: str
    method: str
    status: Status
    messages: int
    mailboxes: int


def written(mail: Mail, index: DataKey, keys: dict[str, DataKey], now: datetime) -> dict[str, Any]:
    """Return the values of a new line; without address and content where a key that they need was destroyed."""
    subjects = [file_key(mail.delegation_id), *(person_key(ref) for ref in mail.persons)]
    chain = [keys[subject] for subject in subjects if subject in keys]
    readable = len(chain) == len(subjects)
    address = mail.mailbox.lower()
    return {
        "uid": mail.uid,
        "recurrence_id": mail.recurrence_id,
        "sequence": mail.sequence,
        "method": mail.method,
        "mailbox_hash": mailbox_mac(index, address),
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
        "errand": mail.errand or mail.issue,
        "domain_hash": index.mac(b"domain:" + address.rpartition("@")[2].encode()),
        "deferrals": 0,
    }


def subjects(row: Row[Any]) -> list[str]:
    """Return whose keys open a line, in the order in which it was encrypted."""
    return [file_key(row.delegation_id), *(person_key(ref) for ref in split(row.persons))]


def _locked(content: bytes, column: str, message_id: str, chain: Sequence[DataKey]) -> bytes:
    for key in chain:
        content = key.encrypt(content, context=f"{column} {message_id}".encode())
    return content


def unlocked(column: str, row: Row[Any], keys: dict[str, DataKey]) -> bytes:
    """Return `mailbox` or `content` of a line in the clear; `keys` holds a key for each of its subjects."""
    content: bytes = row._mapping[column]
    for subject in reversed(subjects(row)):
        content = keys[subject].decrypt(content, context=f"{column} {row.message_id}".encode())
    return content


def split(names: str) -> tuple[str, ...]:
    """Return the ids that a column holds."""
    return tuple(names.split())


def mailbox_mac(index: DataKey, mailbox: str) -> str:
    """Return what a mailbox is found by: its address without regard to case, under the key of the index."""
    return index.mac(mailbox.lower().encode())


def entry_of(row: Row[Any]) -> Entry:
    """Return a line that was read with the columns of Entry."""
    return Entry(**row._asdict() | {"participants": split(row.participants)})


ENTRY_COLUMNS = tuple(mail_ledger.c[name] for name in Entry.__dataclass_fields__)
