"""The register of received mail: everything that came to the organizer's mailbox, once, and what became of it.

A mail is entered before it is read, and attempts to read it are counted before they are made: one that brings a worker
down goes to people after a few. The octets are encrypted: under a key of their own until it is known whose file and
whose answer it is, then under the file's key and the keys of those people, so that erasing a person reaches it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, Index, Integer, Row, Table, UniqueConstraint, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import sha256_hex
from storage.cursors import BadCursor, read_cursor, write_cursor
from storage.data_keys import DataKeys, KeyDestroyed, file_key, person_key
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.read_model import delegations
from storage.references import new_reference
from storage.register_log import record
from storage.upsert import insert_into

Outcome = Literal["waiting", "recorded", "sent_again", "passed_over", "review", "settled", "dismissed"]
"""`passed_over`: a delivery report or an automatic answer. `review`: for a person; `settled`, `dismissed`: by one."""

MOST_ATTEMPTS = 5
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PATIENCE = timedelta(days=1)
"""How long a mail waits for a file that cannot be reached, before people are asked."""

received_mail = Table(
    "received_mail",
    metadata,
    Column("position", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("ref", Name, nullable=False, unique=True),
    Column("message_id", Name, nullable=False),  # its SHA-256, empty where there is none
    Column("body", Name, nullable=False),  # its SHA-256
    Column("mailbox", Name, nullable=False),
    Column("uidvalidity", BigInteger(), nullable=False),
    Column("uid", BigInteger(), nullable=False),
    Column("outcome", Name, nullable=False),
    Column("kind", Name),
    Column("reason", Name),
    Column("delegation_id", Name),
    Column("item_id", Name),
    Column("participants", Name, nullable=False),
    Column("subjects", Name, nullable=False),
    Column("content", Secret, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("settled_by", Name),
    UniqueConstraint("message_id", "body", name="uq_received_mail_identity"),
    UniqueConstraint("mailbox", "uidvalidity", "uid", name="uq_received_mail_uid"),
    Index(None, "outcome", "position"),
    sqlite_autoincrement=True,
)

mailbox_places = Table(
    "mailbox_places",
    metadata,
    Column("mailbox", Name, primary_key=True),
    Column("uidvalidity", BigInteger(), nullable=False),
    Column("uid", BigInteger(), nullable=False),
)


@dataclass(frozen=True)
class Arrived:
    """A mail as the mailbox gave it. `message_id` is empty where it has none; `body` is what identifies its content.

    `reason` is set where it is for people without being read, with no more than its head in `octets`.
    """

    uid: int
    message_id: str = field(repr=False)
    body: bytes = field(repr=False)
    octets: bytes = field(repr=False)
    reason: str | None = None


@dataclass(frozen=True)
class Waiting:
    """A mail to be read now; `attempt` counts from 1."""

    ref: str
    attempt: int
    received_at: datetime
    octets: bytes = field(repr=False)


@dataclass(frozen=True)
class Filed:
    """What became of a mail, and what it is about as far as that is known. `persons` are references in the register."""

    outcome: Outcome
    kind: str
    reason: str | None = None
    delegation_id: str | None = None
    item_id: str | None = None
    participants: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Letter:
    """A line of the register. `octets` are empty where their key was destroyed or they were removed."""

    ref: str
    outcome: Outcome
    kind: str | None
    reason: str | None
    delegation_id: str | None
    item_id: str | None
    participants: tuple[str, ...]
    attempts: int
    received_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    octets: bytes = field(repr=False)


@dataclass(frozen=True)
class LetterPage:
    """One page of the review queue, the oldest first, and the cursor of the next one if there may be one."""

    items: tuple[Letter, ...]
    next_cursor: str | None


class ReceivedMail:
    """Received mail by reference."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def place(self, mailbox: str) -> tuple[int, int] | None:
        """Return how far a mailbox was read: its UIDVALIDITY and the last UID (RFC 9051 section 2.3.1.1)."""
        wanted = select(mailbox_places.c.uidvalidity, mailbox_places.c.uid).where(mailbox_places.c.mailbox == mailbox)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return (row.uidvalidity, row.uid) if row else None

    async def take(self, mailbox: str, uidvalidity: int, up_to: int, mails: Sequence[Arrived]) -> list[str]:
        """Enter mails and note that the mailbox was read up to a UID; return the references of new ones.

        A mail is known by its Message-ID, without one by its body; under another UID, or in a mailbox that was
        numbered anew, it is passed over. A known Message-ID with another body is entered, for people.
        """
        async with self._database.writing() as connection:
            entered = [await self._enter(connection, mailbox, uidvalidity, mail) for mail in mails]
            place = {"mailbox": mailbox, "uidvalidity": uidvalidity, "uid": up_to}
            await connection.execute(
                insert_into(connection, mailbox_places)
                .values(place)
                .on_conflict_do_update(index_elements=["mailbox"], set_=place)
            )
        return [ref for ref in entered if ref is not None]

    async def due(self, now: datetime, *, limit: int) -> list[Waiting]:
        """Take mails whose turn it is, the oldest first, and count the attempt before it is made.

        One whose attempts all ended without a word goes to people (`given_up`). `now` is wall time.
        """
        async with self._database.writing() as connection:
            waiting = and_(received_mail.c.outcome == "waiting", received_mail.c.next_at <= now)
            await connection.execute(
                update(received_mail)
                .where(waiting, received_mail.c.attempts >= MOST_ATTEMPTS)
                .values(outcome="review", kind="unreadable", reason="given_up")
            )
            wanted = select(received_mail).where(waiting).order_by(received_mail.c.position).limit(limit)
            rows = (await connection.execute(wanted.with_for_update(skip_locked=True))).all()
            for row in rows:
                await connection.execute(
                    update(received_mail)
                    .where(received_mail.c.ref == row.ref)
                    .values(attempts=row.attempts + 1, next_at=now + FIRST_PAUSE * 2**row.attempts)
                )
            keys = await self._keys.get_many(connection, {name for row in rows for name in row.subjects.split()})
        return [Waiting(row.ref, row.attempts + 1, row.received_at, opened(row, keys)) for row in rows]

    async def later(self, ref: str, now: datetime, pause: timedelta) -> None:
        """Give a mail back that could not be carried out for now: the attempt does not count."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(received_mail)
                .where(received_mail.c.ref == ref, received_mail.c.outcome == "waiting")
                .values(attempts=received_mail.c.attempts - 1, next_at=now + pause)
            )

    async def file(self, ref: str, filed: Filed) -> None:
        """Note what became of a mail that waits, and bring it under the keys of the file and the people it concerns."""
        async with self._database.writing() as connection:
            row = await self._locked_row(connection, ref)
            if row is None or row.outcome != "waiting":
                return
            values: dict[str, Any] = {
                "outcome": filed.outcome,
                "kind": filed.kind,
                "reason": filed.reason,
                "item_id": filed.item_id,
                "participants": " ".join(filed.participants),
            }
            if filed.delegation_id is not None:
                values |= {"delegation_id": filed.delegation_id}
                values |= await self._under_other_keys(connection, row, filed.delegation_id, filed.persons)
            await connection.execute(update(received_mail).where(received_mail.c.ref == ref).values(values))

    async def close(
        self,
        ref: str,
        outcome: Literal["settled", "dismissed"],
        *,
        by: str,
        delegation_id: str | None = None,
        persons: Sequence[str] = (),
    ) -> bool:
        """Note that a person settled or dismissed a mail of the review queue; False if it is not in it (any more).

        Recorded in the log of changes. Settled for a file, an unmatched mail comes under the file's and the people's
        keys; dismissed, what it said is destroyed with its key.
        """
        async with self._database.writing() as connection:
            row = await self._locked_row(connection, ref)
            if row is None or row.outcome != "review":
                return False
            now = utc_now()
            values: dict[str, Any] = {"outcome": outcome, "settled_at": now, "settled_by": by}
            if outcome == "settled" and delegation_id is not None:
                values |= {"delegation_id": delegation_id}
                values |= await self._under_other_keys(connection, row, delegation_id, persons)
            elif outcome == "dismissed":
                values |= {"content": b""}
                await self._keys.destroy(connection, own_key(ref), now)
            await connection.execute(update(received_mail).where(received_mail.c.ref == ref).values(values))
            after = {"delegation": values.get("delegation_id", row.delegation_id), "reason": row.reason}
            await record(connection, "received_mail", f"mail_{outcome}", ref, by=by, after=after, at=now)
        return True

    async def get(self, ref: str) -> Letter | None:
        """Return a mail, whatever became of it."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(received_mail).where(received_mail.c.ref == ref))).all()
            return (await self._letters(connection, rows))[0] if rows else None

    async def queue(
        self,
        *,
        within: frozenset[str] | None,
        delegation: str | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> LetterPage:
        """Return a page of what waits for a person, the oldest first; raises BadCursor.

        `within` are the organisations whose files the reader may see. What no file is known of is shown to those whose
        reach has no end.
        """
        wanted = select(received_mail).where(received_mail.c.outcome == "review")
        if delegation is not None:
            wanted = wanted.where(received_mail.c.delegation_id == delegation)
        if within is not None:
            theirs = select(delegations.c.id).where(delegations.c.organisation.in_(sorted(within)))
            wanted = wanted.where(received_mail.c.delegation_id.in_(theirs))
        if cursor is not None:
            (after,) = read_cursor(cursor, str)
            if not (after.isascii() and after.isdigit() and len(after) < 19):
                raise BadCursor
            wanted = wanted.where(received_mail.c.position > int(after))
        async with self._database.reading() as connection:
            found = await connection.execute(wanted.order_by(received_mail.c.position).limit(limit + 1))
            rows = found.all()
            items = await self._letters(connection, rows[:limit])
        more = write_cursor(str(rows[limit - 1].position)) if len(rows) > limit else None
        return LetterPage(tuple(items), more)

    async def forget(self, before: datetime) -> int:
        """Destroy what mails said that nobody has to look at any more and that came before an instant (wall time)."""
        over = and_(
            received_mail.c.received_at < before,
            received_mail.c.outcome.not_in(("waiting", "review")),
            or_(received_mail.c.content != b"", received_mail.c.subjects != ""),
        )
        async with self._database.writing() as connection:
            refs = (await connection.execute(select(received_mail.c.ref).where(over).limit(500))).scalars().all()
            for ref in refs:
                await self._keys.destroy(connection, own_key(ref), utc_now())
            await connection.execute(
                update(received_mail).where(received_mail.c.ref.in_(refs)).values(content=b"", subjects="")
            )
        return len(refs)

    async def _enter(self, connection: AsyncConnection, mailbox: str, uidvalidity: int, mail: Arrived) -> str | None:
        body, named = sha256_hex(mail.body), mail.message_id and sha256_hex(mail.message_id.encode())
        known = select(received_mail.c.body).where(received_mail.c.message_id == named)
        bodies = set(
            (await connection.execute(known if named else known.where(received_mail.c.body == body))).scalars()
        )
        if body in bodies:
            return None
        reason = mail.reason or ("message_id_repeated" if bodies else None)
        ref, now, key = new_reference("rcv"), utc_now(), DataKey.generate()
        row = {
            "ref": ref,
            "message_id": named,
            "body": body,
            "mailbox": mailbox,
            "uidvalidity": uidvalidity,
            "uid": mail.uid,
            "outcome": "review" if reason else "waiting",
            "kind": "unreadable" if reason else None,
            "reason": reason,
            "participants": "",
            "subjects": own_key(ref),
            "content": _locked(mail.octets, ref, [key]),
            "attempts": 0,
            "received_at": now,
            "next_at": now,
        }
        entered = await connection.execute(
            insert_into(connection, received_mail).values(row).on_conflict_do_nothing().returning(received_mail.c.ref)
        )
        if entered.one_or_none() is None:
            return None
        await self._keys.put(connection, own_key(ref), key)
        return ref

    async def _locked_row(self, connection: AsyncConnection, ref: str) -> Row[Any] | None:
        wanted = select(received_mail).where(received_mail.c.ref == ref).with_for_update()
        return (await connection.execute(wanted)).one_or_none()

    async def _under_other_keys(
        self, connection: AsyncConnection, row: Row[Any], delegation_id: str, persons: Sequence[str]
    ) -> dict[str, Any]:
        """Return subjects and content under the keys of the file and the people; whoever was erased is gone from it."""
        keys = await self._keys.get_many(connection, row.subjects.split())
        subjects = [file_key(delegation_id), *(person_key(ref) for ref in dict.fromkeys(persons))]
        try:
            chain = [await self._keys.obtain(connection, subjects[0])]
            chain += [await self._keys.get(connection, subject) for subject in subjects[1:]]
        except KeyDestroyed:
            chain = []
        octets = opened(row, keys)
        if row.subjects == own_key(row.ref):
            await self._keys.destroy(connection, own_key(row.ref), utc_now())
        return {
            "subjects": " ".join(subjects),
            "content": _locked(octets, row.ref, chain) if chain and octets else b"",
        }

    async def _letters(self, connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[Letter]:
        keys = await self._keys.get_many(connection, {name for row in rows for name in row.subjects.split()})
        return [
            Letter(
                ref=row.ref,
                outcome=row.outcome,
                kind=row.kind,
                reason=row.reason,
                delegation_id=row.delegation_id,
                item_id=row.item_id,
                participants=tuple(row.participants.split()),
                attempts=row.attempts,
                received_at=row.received_at,
                settled_at=row.settled_at,
                settled_by=row.settled_by,
                octets=opened(row, keys),
            )
            for row in rows
        ]


def own_key(ref: str) -> str:
    """Return the subject of the key that a mail has until it is known whom it concerns."""
    return f"received:{ref}"


def _locked(content: bytes, ref: str, chain: Sequence[DataKey]) -> bytes:
    for key in chain:
        content = key.encrypt(content, context=f"received {ref}".encode())
    return content


def opened(row: Row[Any], keys: dict[str, DataKey]) -> bytes:
    """Return a line's octets; empty where one of its keys is missing, or they were removed."""
    content: bytes = row.content
    subjects = row.subjects.split()
    if not content or not subjects or any(subject not in keys for subject in subjects):
        return b""
    for subject in reversed(subjects):
        content = keys[subject].decrypt(content, context=f"received {row.ref}".encode())
    return content
