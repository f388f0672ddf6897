"""The mail ledger: every message that is or was to be sent, once for each key, frozen before it first leaves.

A resend after a crash is byte-identical, because the bytes stand here. They, and the mailbox, are encrypted under the
file's key and then under the key of everyone the message is for: destroying any of these keys makes them unreadable.
What became of messages that were not delivered is read and mended by `storage/dead_letters.py`.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.data_keys import DataKeys, file_key, person_key
from storage.engine import Database
from storage.keyring import Keyring
from storage.mail_rows import (
    ENTRY_COLUMNS,
    HANDED_OVER,
    MAILBOX_INDEX,
    UNREACHABLE,
    UNSENT,
    Claimed,
    Count,
    Entry,
    Mail,
    Sending,
    Status,
    entry_of,
    mail_ledger,
    split,
    subjects,
    unlocked,
    written,
)
from storage.metadata import Instant, utc_now
from storage.upsert import insert_into

__all__ = ["Claimed", "Count", "Entry", "Mail", "MailLedger", "Sending", "Status", "mail_ledger"]

INSERT_BATCH = 50
MINUTE = timedelta(minutes=1)


ACCEPTED = (
    update(mail_ledger)
    .where(mail_ledger.c.message_id == bindparam("accepted"), mail_ledger.c.status != "bounced")
    .values(status="sent", sent_at=bindparam("at", type_=Instant), lease_until=None, refusal=None, status_code=None)
)
"""Put together once: it is what a sender waits for after every mail."""


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
                rows = [written(mail, index, keys, now) for mail in mails[start : start + INSERT_BATCH]]
                entered = await connection.execute(
                    insert_into(connection, mail_ledger)
                    .values(rows)
                    .on_conflict_do_nothing()
                    .returning(mail_ledger.c.message_id, mail_ledger.c.status)
                )
                new |= {message_id for message_id, status in entered if status == "pending"}
        return [mail.message_id for mail in mails if mail.message_id in new]

    async def claim(
        self, errand: str, *, limit: int, lease: timedelta, now: datetime, per_minute: int = 0
    ) -> list[Claimed]:
        """Take up to `limit` messages of an errand for sending, and hold them until `now + lease` (wall time).

        Never returned: a message while an earlier one of the same item to the same mailbox is unsent, so that a CANCEL
        cannot overtake; one that another sender holds; one that was put off until later; and one to a domain to which
        `per_minute` messages (0: any number) were handed over within the last minute. A sender that died loses its
        messages when the lease ends.

        The pace is counted in the ledger itself, so all workers keep it together. On SQLite exactly; on PostgreSQL two
        that claim at the same instant do not see each other's claims, so it may be exceeded by `limit` a worker.
        """
        async with self._database.writing() as connection:
            taken = await _pace(connection, now) if per_minute else {}
            full = [domain for domain, count in taken.items() if count >= per_minute]
            wanted = _claimable(errand, now, full).order_by(mail_ledger.c.position).limit(limit)
            rows = (await connection.execute(wanted.with_for_update(skip_locked=True))).all()
            rows = _within_pace(rows, taken, per_minute) if per_minute else rows
            keys = await self._keys.get_many(connection, {subject for row in rows for subject in subjects(row)})
            # Without content: it named somebody who was erased, or its time is over.
            readable = [row for row in rows if row.content and all(subject in keys for subject in subjects(row))]
            unreadable = [row.position for row in rows if row not in readable]
            if unreadable:
                await _settle(connection, mail_ledger.c.position.in_(unreadable), status="refused", refusal="erased")
            if readable:
                await connection.execute(
                    update(mail_ledger)
                    .where(mail_ledger.c.position.in_([row.position for row in readable]))
                    .values(
                        status="sending",
                        attempts=mail_ledger.c.attempts + 1,
                        attempted_at=now,
                        lease_until=now + lease,
                        next_attempt_at=None,
                    )
                )
        return [
            Claimed(
                position=row.position,
                message_id=row.message_id,
                uid=row.uid,
                method=row.method,
                attempt=row.attempts + 1,
                deferrals=row.deferrals or 0,
                participants=split(row.participants),
                mailbox=unlocked("mailbox", row, keys).decode(),
                content=unlocked("content", row, keys),
            )
            for row in readable
        ]

    async def mark_sent(self, message_ids: Sequence[str], at: datetime) -> None:
        """Note that the mail server accepted these messages."""
        async with self._database.writing() as connection:
            # One that was refused meanwhile by another attempt was accepted after all: what was sent stays sent.
            for message_id in message_ids:
                await connection.execute(ACCEPTED, {"accepted": message_id, "at": at})

    async def mark_refused(self, message_id: str, code: str, status_code: str | None = None) -> None:
        """Note that the mail server refuses a message for good; no code carries an address. A sent one stays sent."""
        async with self._database.writing() as connection:
            which = and_(mail_ledger.c.message_id == message_id, mail_ledger.c.status.not_in(HANDED_OVER))
            await _settle(connection, which, status="refused", refusal=code, status_code=status_code)

    async def defer(self, message_id: str, until: datetime, code: str | None, status_code: str | None = None) -> None:
        """Put off a claimed message that the server does not take for now: nobody gets it before `until` (wall time).

        The others of its errand go on; those after it to the same mailbox, of the same item, wait for it.
        """
        async with self._database.writing() as connection:
            await _settle(
                connection,
                and_(mail_ledger.c.message_id == message_id, mail_ledger.c.status == "sending"),
                status="pending",
                refusal=code,
                status_code=status_code,
                next_attempt_at=until,
                deferrals=func.coalesce(mail_ledger.c.deferrals, 0) + 1,
            )

    async def give_up(self, message_id: str, code: str | None, status_code: str | None = None) -> None:
        """Make a claimed message a dead letter: nobody tries it again unless a person asks for it."""
        async with self._database.writing() as connection:
            which = and_(mail_ledger.c.message_id == message_id, mail_ledger.c.status == "sending")
            await _settle(connection, which, status="dead", refusal=code or UNREACHABLE, status_code=status_code)

    async def bury(self, errand: str, entered_before: datetime | None = None) -> int:
        """Make dead letters of what is unsent of an errand, and return how many.

        With `entered_before` (wall time), only of what was entered, or taken up again, before that instant.
        """
        which = and_(mail_ledger.c.errand == errand, mail_ledger.c.status.in_(UNSENT))
        if entered_before is not None:
            since = func.coalesce(mail_ledger.c.resent_at, mail_ledger.c.enqueued_at, type_=Instant)
            which = and_(which, since < entered_before)
        async with self._database.writing() as connection:
            refusal = func.coalesce(mail_ledger.c.refusal, UNREACHABLE)
            values = {"status": "dead", "refusal": refusal, "lease_until": None, "next_attempt_at": None}
            return (await connection.execute(update(mail_ledger).where(which).values(values))).rowcount

    async def next_attempt(self, errand: str) -> datetime | None:
        """Return when the first unsent message of an errand that was put off may be claimed.

        None where one is unsent that was not put off: what keeps it (an earlier message, another sender, the pace of
        its domain) may end at any instant.
        """
        of_errand = and_(mail_ledger.c.errand == errand, mail_ledger.c.status.in_(UNSENT))
        wanted = select(
            func.min(mail_ledger.c.next_attempt_at, type_=Instant),
            func.count().filter(mail_ledger.c.next_attempt_at.is_(None)),
        ).where(of_errand)
        async with self._database.reading() as connection:
            first, at_once = (await connection.execute(wanted)).one()
        return None if at_once else first

    async def release(self, message_ids: Sequence[str]) -> None:
        """Give claimed messages back after a failure that will pass: the next attempt may claim them at once."""
        async with self._database.writing() as connection:
            which = and_(mail_ledger.c.message_id.in_(message_ids), mail_ledger.c.status == "sending")
            await _settle(connection, which, status="pending")

    async def release_all(self, errand: str) -> int:
        """Give back whatever a sender of this errand holds that is known to be dead; return how many messages.

        Without this they wait for their lease to end. If the sender lives after all, a message may go out twice, in
        the same bytes.
        """
        async with self._database.writing() as connection:
            held = await connection.execute(
                update(mail_ledger)
                .where(mail_ledger.c.errand == errand, mail_ledger.c.status == "sending")
                .values(status="pending", lease_until=None)
            )
        return held.rowcount

    async def pending(self, errand: str) -> int:
        """Return how many messages of an errand are still to be sent."""
        wanted = (
            select(func.count())
            .select_from(mail_ledger)
            .where(mail_ledger.c.errand == errand, mail_ledger.c.status.in_(UNSENT))
        )
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).scalar_one()

    async def of_errand(self, errand: str) -> list[Entry]:
        """Return every line that an effect entered or hands over, in the order of sending."""
        return await self._entries(or_(mail_ledger.c.errand == errand, mail_ledger.c.issue == errand))

    async def of_issue(self, issue: str) -> list[Entry]:
        """Return every line of an issue, in the order of sending."""
        return await self._entries(mail_ledger.c.issue == issue)

    async def of_delegation(self, delegation_id: str) -> list[Entry]:
        """Return every line of a delegation, in the order of sending."""
        return await self._entries(mail_ledger.c.delegation_id == delegation_id)

    async def told(self, delegation_id: str, uid: str) -> list[Entry]:
        """Return who was told what of an item and when: every line of its UID, in the order of sending."""
        return await self._entries(mail_ledger.c.delegation_id == delegation_id, mail_ledger.c.uid == uid)

    async def latest(self, delegation_id: str, kinds: Collection[str]) -> list[Entry]:
        """Return the last line of some kinds for everybody on a file, one for each kind, in the order of sending."""
        last = (
            select(func.max(mail_ledger.c.position))
            .where(mail_ledger.c.delegation_id == delegation_id, mail_ledger.c.kind.in_(kinds))
            .group_by(mail_ledger.c.participants, mail_ledger.c.kind)
        )
        return await self._entries(mail_ledger.c.position.in_(last))

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

    async def sending(self, delegation_id: str) -> Sending:
        """Return how far the mails of a delegation are: mailboxes by whether everything for them has left."""
        waits = mail_ledger.c.status.in_(UNSENT)
        put_off = and_(waits, mail_ledger.c.next_attempt_at.is_not(None))
        each = (
            select(func.count().filter(waits).label("waiting"), func.count().filter(put_off).label("put_off"))
            .where(mail_ledger.c.delegation_id == delegation_id)
            .group_by(mail_ledger.c.mailbox_hash)
            .subquery()
        )
        wanted = select(
            func.count(),
            func.count().filter(each.c.waiting == 0),
            func.count().filter(each.c.put_off > 0),
            func.coalesce(func.sum(each.c.waiting), 0),
        ).select_from(each)
        async with self._database.reading() as connection:
            return Sending(*map(int, (await connection.execute(wanted)).one()))

    async def mark(self, delegation_id: str) -> str:
        """Return figures that are others once a mail of a delegation was entered, left, failed or came back."""
        of_file = mail_ledger.c.delegation_id == delegation_id
        wanted = select(
            func.count(),
            func.count().filter(mail_ledger.c.status.in_(UNSENT)),
            func.count().filter(mail_ledger.c.status == "sent"),
            func.count().filter(mail_ledger.c.next_attempt_at.is_not(None)),
        ).where(of_file)
        async with self._database.reading() as connection:
            return ".".join(str(figure) for figure in (await connection.execute(wanted)).one())

    async def _entries(self, *which: ColumnElement[bool]) -> list[Entry]:
        wanted = select(*ENTRY_COLUMNS).where(*which).order_by(mail_ledger.c.position)
        async with self._database.reading() as connection:
            return [entry_of(row) for row in await connection.execute(wanted)]


def _claimable(errand: str, now: datetime, full: Sequence[str]) -> Select[Any]:
    earlier = mail_ledger.alias("earlier")
    return select(mail_ledger).where(
        mail_ledger.c.errand == errand,
        or_(
            and_(
                mail_ledger.c.status == "pending",
                or_(mail_ledger.c.next_attempt_at.is_(None), mail_ledger.c.next_attempt_at <= now),
            ),
            and_(mail_ledger.c.status == "sending", mail_ledger.c.lease_until <= now),
        ),
        ~exists().where(
            earlier.c.uid == mail_ledger.c.uid,
            earlier.c.mailbox_hash == mail_ledger.c.mailbox_hash,
            earlier.c.position < mail_ledger.c.position,
            earlier.c.status.in_(UNSENT),
        ),
        *([or_(mail_ledger.c.domain_hash.is_(None), mail_ledger.c.domain_hash.not_in(full))] if full else []),
    )


async def _pace(connection: AsyncConnection, now: datetime) -> dict[str, int]:
    """Return how many messages were handed over to each domain within the last minute."""
    wanted = (
        select(mail_ledger.c.domain_hash, func.count())
        .where(mail_ledger.c.attempted_at > now - MINUTE, mail_ledger.c.domain_hash.is_not(None))
        .group_by(mail_ledger.c.domain_hash)
    )
    return {row[0]: row[1] for row in await connection.execute(wanted)}


def _within_pace(rows: Sequence[Row[Any]], taken: dict[str, int], per_minute: int) -> list[Row[Any]]:
    kept, count = [], Counter(taken)
    for row in rows:
        if row.domain_hash is None or count[row.domain_hash] < per_minute:
            count[row.domain_hash] += 1
            kept.append(row)
    return kept


async def _settle(connection: AsyncConnection, which: ColumnElement[bool], **values: Any) -> None:
    await connection.execute(update(mail_ledger).where(which).values({"lease_until": None, **values}))
