"""What the registers hold of each kind that a rule of retention speaks of, and how an entry of it is removed.

Each question is asked in SQL as narrowly as it can be, with the state of every file an entry belongs to; whether an
entry is due is decided by `domain.retention` alone.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.retention import Cutoff, FileStands, Holding, Kept
from domain.state import Phase
from domain.values import write_instant
from storage.accounts import accounts, tokens
from storage.attachments import Attachments, attachments
from storage.challenges import challenges
from storage.dead_letters import ERASED
from storage.directory import entries as directory_entries
from storage.directory_imports import directory_imports
from storage.feeds import feeds
from storage.journal import journal
from storage.mail_rows import UNSENT, mail_ledger
from storage.metadata import Instant, utc_now
from storage.passwords import password_links
from storage.person_requests import PersonRequests, person_requests, text_owner
from storage.persons import Persons, persons
from storage.read_model import delegations, participants
from storage.register_log import register_log
from storage.sessions import sessions
from storage.texts import texts

LARGEST_KIND = 5_000
"""Entries of one kind in one plan; the next one has the rest."""

PROPOSED_AGAIN_AFTER = timedelta(days=365)

BATCH = 200
"""People whose details are opened at once."""

CLOSED = Phase.CLOSED.value
_DIGEST = re.compile(r'"digest":"([0-9a-f]{64})"')
_PERSON = re.compile(r'"ref":"(per_[A-Za-z0-9_-]{8,64})"')

SIMPLE: dict[Kept, tuple[Table, str]] = {
    "sessions": (sessions, "id"),
    "sign_in_links": (password_links, "digest"),
    "challenges": (challenges, "digest"),
    "tokens": (tokens, "id"),
    "directory_imports": (directory_imports, "digest"),
    "feeds": (feeds, "id"),
}
"""Kinds whose entries are rows that are deleted whole, and what they are called by."""

TABLES: dict[Kept, tuple[str, ...]] = {
    **{kind: (table.name,) for kind, (table, _) in SIMPLE.items()},
    "sent_mail": ("mail_ledger",),
    "travel_details": ("person_versions",),
    "attachments": ("attachments", "data_keys"),
    "request_texts": ("texts", "data_keys"),
    "repetitions": ("persons", "texts", "directory_entries"),
}
"""Where traces of what was removed are scrubbed from the store's own files."""


class Holdings:
    """Finds and removes entries, in the caller's transaction."""

    def __init__(self, people: Persons, files: Attachments, requests: PersonRequests) -> None:
        self._persons = people
        self._attachments = files
        self._requests = requests

    async def of(
        self, connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None = None
    ) -> list[Holding]:
        """Return what may be due by a cut-off, at most LARGEST_KIND; or of these entries those that may be."""
        match cutoff.what:
            case "sent_mail":
                return await _sent_mail(connection, cutoff, entries)
            case "travel_details":
                return await self._travel_details(connection, cutoff, entries)
            case "person_details":
                left_out = await _needed_people(connection) | await _proposed_lately(connection)
                return await _people(connection, cutoff, entries, left_out)
            case "attachments":
                return await _attachments(connection, cutoff, entries)
            case "request_texts":
                return await _request_texts(connection, cutoff, entries)
            case "repetitions":
                return await _repetitions(connection, cutoff, entries)
            case "feeds":
                return await _feeds(connection, cutoff, entries)
            case "sessions" | "sign_in_links" | "challenges" | "tokens" | "directory_imports":
                return await _simple(connection, cutoff, entries)
            case _:
                return []

    async def remove(self, connection: AsyncConnection, what: Kept, entries: Sequence[str], at: datetime) -> None:
        """Remove entries, each once however often it is asked. What is only proposed is not removed here."""
        match what:
            case "sent_mail":
                await _forget_mail(connection, [int(entry) for entry in entries])
            case "travel_details":
                await self._persons.pare(connection, entries, at)
            case "attachments":
                await self._attachments.forget(connection, entries)
            case "request_texts":
                await self._requests.forget_texts(connection, entries, at)
            case "repetitions":
                await _forget_repetitions(connection, entries)
            case _ if what in SIMPLE:
                table, name = SIMPLE[what]
                await connection.execute(delete(table).where(table.c[name].in_(entries)))
            case _:
                raise ValueError(f"entries of {what} are not removed by the clock")

    async def after_removal(self, what: Kept, entries: Sequence[str]) -> None:
        """Remove from the disk what the transaction that is now committed removed from the tables."""
        if what == "attachments":
            await self._attachments.unlink(entries)

    async def _travel_details(
        self, connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None
    ) -> list[Holding]:
        found = await _people(connection, cutoff, entries, frozenset())
        kept: list[Holding] = []
        for start in range(0, len(found), BATCH):
            batch = {one.entry: one for one in found[start : start + BATCH]}
            having = await self._persons.with_travel_details(connection, batch)
            kept += [batch[ref] for ref in sorted(having)]
        return kept


async def _sent_mail(connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None) -> list[Holding]:
    since = func.coalesce(mail_ledger.c.sent_at, mail_ledger.c.enqueued_at, type_=Instant)
    wanted = (
        select(mail_ledger.c.position, mail_ledger.c.delegation_id, since.label("since"), *_FILE)
        .join(delegations, delegations.c.id == mail_ledger.c.delegation_id, isouter=True)
        .where(
            mail_ledger.c.status.not_in(UNSENT),
            mail_ledger.c.content != b"",
            since < cutoff.before,
            # Digests belong to an account and to no file; a colon stands in no delegation's id.
            or_(_closed_before(cutoff), mail_ledger.c.delegation_id.like("%:%")),
        )
        .order_by(mail_ledger.c.position)
    )
    if entries is not None:
        wanted = wanted.where(mail_ledger.c.position.in_([int(entry) for entry in entries]))
    return [
        _holding(cutoff, str(row.position), row.since, row, None if ":" in row.delegation_id else row.delegation_id)
        for row in await connection.execute(wanted.limit(LARGEST_KIND))
    ]


async def _forget_mail(connection: AsyncConnection, positions: Sequence[int]) -> None:
    of_them = mail_ledger.c.position.in_(positions) & mail_ledger.c.status.not_in(UNSENT)
    # What was never delivered is no longer offered for sending again: there is nothing left to send.
    undelivered = and_(of_them, mail_ledger.c.status != "sent")
    await connection.execute(update(mail_ledger).where(undelivered).values(status="refused", refusal=ERASED))
    await connection.execute(update(mail_ledger).where(of_them).values(content=b"", mailbox=b""))


async def _people(
    connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None, left_out: frozenset[str]
) -> list[Holding]:
    """Return people who are on closed files alone, without those who are left out, with the files."""
    of_person = and_(participants.c.person == persons.c.ref, participants.c.delegation_id == delegations.c.id)
    wanted = select(persons.c.ref).where(
        persons.c.erased_at.is_(None),
        exists().where(of_person),
        ~exists().where(of_person, ~_closed_before(cutoff)),
    )
    if entries is not None:
        wanted = wanted.where(persons.c.ref.in_(sorted(entries)))
    refs = [ref for ref in (await connection.execute(wanted.order_by(persons.c.ref))).scalars() if ref not in left_out]
    refs = refs[:LARGEST_KIND]
    files: dict[str, list[FileStands]] = defaultdict(list)
    since: dict[str, datetime] = {}
    for start in range(0, len(refs), BATCH):
        rows = await connection.execute(
            select(participants.c.person, participants.c.delegation_id, delegations.c.ends, *_FILE)
            .join(delegations, delegations.c.id == participants.c.delegation_id, isouter=True)
            .where(participants.c.person.in_(refs[start : start + BATCH]))
        )
        for row in rows:
            files[row.person].append(FileStands(file=row.delegation_id, closed=row.phase == CLOSED))
            if row.phase is None:
                continue
            ended = datetime.combine(row.ends + timedelta(days=1), time(), UTC)
            since[row.person] = max(since.get(row.person, ended), ended, row.updated_at)
    return [
        Holding(what=cutoff.what, entry=ref, since=since[ref], files=tuple(files[ref])) for ref in refs if ref in since
    ]


async def _needed_people(connection: AsyncConnection) -> frozenset[str]:
    """Return who belongs to the house, or is somebody's contact in the directory."""
    staff = (await connection.execute(select(accounts.c.person).where(accounts.c.person.is_not(None)))).scalars()
    contacts = select(directory_entries.c.content).where(directory_entries.c.kind == "contact")
    named = [ref for content in (await connection.execute(contacts)).scalars() for ref in _PERSON.findall(content)]
    return frozenset([*staff, *named])


async def _proposed_lately(connection: AsyncConnection) -> frozenset[str]:
    """Return who was proposed for erasure within a year: whatever was said to it, nobody is asked every night."""
    since = write_instant(utc_now() - PROPOSED_AGAIN_AFTER)
    wanted = select(register_log.c.entry).where(
        register_log.c.register == "retention",
        register_log.c.change == "erasure_proposed",
        register_log.c.at > since,
    )
    return frozenset((await connection.execute(wanted)).scalars())


async def _attachments(connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None) -> list[Holding]:
    # Events carry no commas or blanks of their own between the fields: they are canonical JSON.
    rows = await connection.execute(
        select(journal.c.delegation_id, journal.c.data).where(journal.c.data.like('%"media_type":"%'))
    )
    naming: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for digest in _DIGEST.findall(row.data):
            naming[digest].add(row.delegation_id)
    stands = {row.id: row for row in await connection.execute(select(delegations.c.id, *_FILE))}
    wanted = select(attachments.c.digest).where(attachments.c.created_at < cutoff.before)
    if entries is not None:
        wanted = wanted.where(attachments.c.digest.in_(sorted(entries)))
    found: list[Holding] = []
    for digest in (await connection.execute(wanted.order_by(attachments.c.digest))).scalars():
        files = tuple(
            FileStands(file=file, closed=file in stands and stands[file].phase == CLOSED)
            for file in sorted(naming.get(digest, ()))
        )
        known = [stands[file.file].updated_at for file in files if file.file in stands]
        if files and all(file.closed for file in files) and max(known) < cutoff.before:
            found.append(Holding(what="attachments", entry=digest, since=max(known), files=files))
    return found[:LARGEST_KIND]


async def _request_texts(connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None) -> list[Holding]:
    written = exists().where(texts.c.delegation_id == text_owner("") + person_requests.c.id)
    wanted = select(person_requests.c.id, person_requests.c.ended_at.label("since")).where(
        person_requests.c.ended_at < cutoff.before, written
    )
    return await _plain(connection, cutoff, wanted, person_requests.c.id, entries)


async def _repetitions(connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None) -> list[Holding]:
    found: list[Holding] = []
    for table, name in _REPEATED:
        wanted = select(table.c[name].label("id"), table.c.created_at.label("since")).where(
            table.c.created_at < cutoff.before, table.c.idempotency_key.is_not(None)
        )
        found += await _plain(connection, cutoff, wanted, table.c[name], entries)
    return found[:LARGEST_KIND]


async def _forget_repetitions(connection: AsyncConnection, entries: Sequence[str]) -> None:
    for table, name in _REPEATED:
        forgotten = {column: None for column in ("idempotency_key", "body_mac", "body_digest") if column in table.c}
        await connection.execute(update(table).where(table.c[name].in_(entries)).values(forgotten))


async def _feeds(connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None) -> list[Holding]:
    revoked = and_(feeds.c.delegation.is_(None), feeds.c.revoked_at < cutoff.before)
    wanted = (
        select(feeds.c.id, feeds.c.delegation, feeds.c.revoked_at, *_FILE)
        .join(delegations, delegations.c.id == feeds.c.delegation, isouter=True)
        .where(or_(revoked, _closed_before(cutoff)))
        .order_by(feeds.c.id)
    )
    if entries is not None:
        wanted = wanted.where(feeds.c.id.in_(sorted(entries)))
    return [
        _holding(cutoff, row.id, row.revoked_at or row.updated_at, row, row.delegation)
        for row in await connection.execute(wanted.limit(LARGEST_KIND))
    ]


async def _simple(connection: AsyncConnection, cutoff: Cutoff, entries: Collection[str] | None) -> list[Holding]:
    table, name = SIMPLE[cutoff.what]
    over = {
        "sessions": func.coalesce(sessions.c.ended_at, sessions.c.expires_at, type_=Instant),
        "sign_in_links": func.coalesce(password_links.c.used_at, password_links.c.expires_at, type_=Instant),
        "challenges": challenges.c.expires_at,
        "tokens": func.coalesce(tokens.c.revoked_at, tokens.c.expires_at, type_=Instant),
        "directory_imports": directory_imports.c.accepted_at,
    }[cutoff.what]
    wanted = select(table.c[name].label("id"), over.label("since")).where(over < cutoff.before)
    return await _plain(connection, cutoff, wanted, table.c[name], entries)


async def _plain(
    connection: AsyncConnection,
    cutoff: Cutoff,
    wanted: Select[Any],
    id: ColumnElement[Any],
    entries: Collection[str] | None,
) -> list[Holding]:
    """Return what a question finds of a kind that belongs to no file."""
    if entries is not None:
        wanted = wanted.where(id.in_(sorted(entries)))
    rows = await connection.execute(wanted.order_by(id).limit(LARGEST_KIND))
    return [Holding(what=cutoff.what, entry=row.id, since=row.since) for row in rows]


def _holding(cutoff: Cutoff, entry: str, since: datetime, row: Any, file: str | None) -> Holding:
    if file is None:
        return Holding(what=cutoff.what, entry=entry, since=since)
    # A file that the read tables do not know is not known to be closed.
    stands = FileStands(file=file, closed=row.phase == CLOSED)
    return Holding(what=cutoff.what, entry=entry, since=max(since, row.updated_at or since), files=(stands,))


def _closed_before(cutoff: Cutoff) -> ColumnElement[bool]:
    return and_(delegations.c.phase == CLOSED, delegations.c.updated_at < cutoff.before)


_FILE = (delegations.c.phase, delegations.c.updated_at)
_REPEATED: tuple[tuple[Table, str], ...] = ((persons, "ref"), (texts, "ref"), (directory_entries, "id"))
