"""Everything that is held of one person, brought together for them: what registers say, and which files name them."""

from collections.abc import Mapping, Sequence
from datetime import date
from email import message_from_bytes, policy

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import digest_of
from domain.directory import ENTRY, ContactEntry, names_of
from domain.state import DELEGATE_ROLES, Delegation
from domain.values import Digest, Fact, Instant
from storage.accounts import AccountDetails, Accounts, accounts
from storage.collection_rows import Owner
from storage.collections import Collections
from storage.data_keys import DataKeys
from storage.directory import entries as directory_entries
from storage.engine import Database
from storage.feeds import Feeds
from storage.keyring import Keyring
from storage.mail_rows import mail_ledger, split, subjects, unlocked
from storage.metadata import utc_now
from storage.person_requests import PersonRequests
from storage.persons import Erased, PersonDetails, Persons
from storage.read_model import delegations, participants
from storage.received_mail import ReceivedMail, received_mail
from storage.register_log import queue, record
from storage.texts import Texts


class HeldVersion(Fact):
    """Details as they were recorded; passport number and dietary needs may be gone from older ones."""

    version: int
    recorded_at: Instant
    commitment: Digest
    details: PersonDetails


class HeldPlace(Fact):
    """A file that names the person, and as what."""

    delegation: str
    title: str
    role: str
    active: bool
    phase: str
    starts: date
    ends: date


class HeldMail(Fact):
    """A mail to the person. Without an address and a subject where its content is no longer kept."""

    delegation: str
    kind: str
    status: str
    entered_at: Instant
    sent_at: Instant | None
    address: str | None
    subject: str | None


class HeldReceived(Fact):
    """A mail that came from the person, or was taken for theirs."""

    received_at: Instant
    outcome: str
    subject: str | None


class HeldDocument(Fact):
    """A document of a file: rendered for its delegates, or attached about the person. `digest` is its SHA-256."""

    delegation: str
    kind: str
    language: str | None
    digest: Digest


class HeldAnswer(Fact):
    """What the person answered, to an item of a programme or to all of it."""

    delegation: str
    item: str | None
    answer: str
    at: Instant
    via: str | None
    comment: str | None


class HeldFeed(Fact):
    """A calendar or page by secret address; the address itself is not said."""

    kind: str
    delegation: str | None
    made_at: Instant
    fetched_on: date | None
    revoked_at: Instant | None


class HeldCalendar(Fact):
    """The calendar on another server that items are put into; its password is not said."""

    url: str
    username: str
    state: str


class HeldContact(Fact):
    """An entry of the directory that names the person as a contact."""

    entry: str
    organisation: str


class HeldRequest(Fact):
    """What the person asked before, and what was written about it."""

    request: str
    kind: str
    status: str
    received_at: Instant
    texts: tuple[str, ...]


class Held(Fact):
    """Everything that is held of a person."""

    person: str
    at: Instant
    versions: tuple[HeldVersion, ...]
    files: tuple[HeldPlace, ...]
    documents: tuple[HeldDocument, ...]
    answers: tuple[HeldAnswer, ...]
    mails: tuple[HeldMail, ...]
    received: tuple[HeldReceived, ...]
    feeds: tuple[HeldFeed, ...]
    calendar: HeldCalendar | None
    contacts: tuple[HeldContact, ...]
    accounts: tuple[AccountDetails, ...]
    requests: tuple[HeldRequest, ...]


class HeldData:
    """Reads what is held of a person, and records that it was brought together."""

    def __init__(self, database: Database, keyring: Keyring, people: Persons, requests: PersonRequests) -> None:
        self._database = database
        self._keys = DataKeys(keyring)
        self._persons = people
        self._requests = requests
        self._texts = Texts(database, keyring)
        self._accounts = Accounts(database, keyring)
        self._feeds = Feeds(database, keyring)
        self._collections = Collections(database, keyring)
        self._received = ReceivedMail(database, keyring)

    async def of(self, ref: str, *, by: str) -> tuple[Held, Digest] | Erased | None:
        """Return everything that is held of a person, and the digest of it; what is left of an erased one, or None.

        Recorded in the log of changes: who looked at whom when, and the digest.
        """
        person = await self._persons.get(ref)
        if person is None or isinstance(person, Erased):
            return person
        files, places = await self._files(ref)
        held = Held(
            person=ref,
            at=utc_now(),
            versions=tuple(
                HeldVersion(
                    version=one.version, recorded_at=one.recorded_at, commitment=one.commitment, details=one.details
                )
                for one in await self._persons.versions(ref)
            ),
            files=tuple(places),
            documents=tuple(_documents(files, ref)),
            answers=tuple(await self._answers(files, ref)),
            mails=tuple(await self._mails(ref)),
            received=tuple(await self._mails_received(ref)),
            feeds=tuple(
                HeldFeed(
                    kind=one.subject.kind,
                    delegation=one.subject.delegation,
                    made_at=one.made_at,
                    fetched_on=one.fetched_on,
                    revoked_at=one.revoked_at,
                )
                for one in await self._feeds.of(person=ref)
            ),
            calendar=await self._calendar(ref),
            contacts=tuple(await self._contacts(ref)),
            accounts=tuple(await self._own_accounts(ref)),
            requests=tuple(await self._asked(ref)),
        )
        digest = digest_of(held.model_dump(mode="json"))
        async with self._database.writing() as connection:
            await queue(connection)
            await record(connection, "persons", "data_exported", ref, by=by, after={"digest": digest}, at=held.at)
        return held, digest

    async def _files(self, ref: str) -> tuple[list[Delegation], list[HeldPlace]]:
        wanted = (
            select(participants, delegations.c.state)
            .join(delegations, delegations.c.id == participants.c.delegation_id)
            .where(participants.c.person == ref)
            .order_by(delegations.c.starts, delegations.c.id, participants.c.participant_id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        files = {row.delegation_id: Delegation.model_validate_json(row.state) for row in rows}
        places = [
            HeldPlace(
                delegation=row.delegation_id,
                title=files[row.delegation_id].title,
                role=row.role,
                active=row.active,
                phase=files[row.delegation_id].phase.value,
                starts=files[row.delegation_id].starts,
                ends=files[row.delegation_id].ends,
            )
            for row in rows
        ]
        return list(files.values()), places

    async def _answers(self, files: Sequence[Delegation], ref: str) -> list[HeldAnswer]:
        replies = [
            (file.id, reply)
            for file in files
            for reply in file.replies.values()
            if reply.participant_id in _of(file, ref)
        ]
        said = await self._texts.read_many(reply.comment.ref for _, reply in replies if reply.comment)
        return [
            HeldAnswer(
                delegation=file,
                item=reply.item_id,
                answer=reply.answer,
                at=reply.at,
                via=reply.via,
                comment=said.get(reply.comment.ref) if reply.comment else None,
            )
            for file, reply in replies
        ]

    async def _mails(self, ref: str) -> list[HeldMail]:
        wanted = select(mail_ledger).where(mail_ledger.c.persons.contains(ref, autoescape=True))
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.order_by(mail_ledger.c.position))).all()
            rows = [row for row in rows if ref in split(row.persons)]
            keys = await self._keys.get_many(connection, {subject for row in rows for subject in subjects(row)})
        found = []
        for row in rows:
            readable = bool(row.content) and all(subject in keys for subject in subjects(row))
            found.append(
                HeldMail(
                    delegation=row.delegation_id,
                    kind=row.kind,
                    status=row.status,
                    entered_at=row.enqueued_at,
                    sent_at=row.sent_at,
                    address=unlocked("mailbox", row, keys).decode() if readable else None,
                    subject=_subject(unlocked("content", row, keys)) if readable else None,
                )
            )
        return found

    async def _mails_received(self, ref: str) -> list[HeldReceived]:
        wanted = select(received_mail.c.ref).where(received_mail.c.subjects.contains(f"person:{ref}", autoescape=True))
        async with self._database.reading() as connection:
            refs = list((await connection.execute(wanted.order_by(received_mail.c.position))).scalars())
        letters = [await self._received.get(one) for one in refs]
        return [
            HeldReceived(received_at=one.received_at, outcome=one.outcome, subject=_subject(one.octets))
            for one in letters
            if one is not None
        ]

    async def _calendar(self, ref: str) -> HeldCalendar | None:
        collection = await self._collections.of(Owner("person", ref))
        access = await self._collections.access(collection.id) if collection else None
        if collection is None or access is None:
            return None
        return HeldCalendar(url=access.url, username=access.username, state=collection.state)

    async def _contacts(self, ref: str) -> list[HeldContact]:
        wanted = select(directory_entries.c.id, directory_entries.c.content).where(
            directory_entries.c.kind == "contact", directory_entries.c.content.contains(f'"{ref}"', autoescape=True)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted.order_by(directory_entries.c.id))).all()
            places = {row.id: ENTRY.validate_json(row.content) for row in rows}
            names = await _names(connection, [one.at for one in places.values() if isinstance(one, ContactEntry)])
        return [
            HeldContact(entry=entry, organisation=names.get(one.at, one.at))
            for entry, one in places.items()
            if isinstance(one, ContactEntry) and one.person.ref == ref
        ]

    async def _own_accounts(self, ref: str) -> list[AccountDetails]:
        async with self._database.reading() as connection:
            ids = (await connection.execute(select(accounts.c.id).where(accounts.c.person == ref))).scalars().all()
        found = [await self._accounts.get(one) for one in sorted(ids)]
        return [one for one in found if one is not None]

    async def _asked(self, ref: str) -> list[HeldRequest]:
        asked = await self._requests.of_person(ref)
        said = await self._texts.read_many(text.ref for one in asked for text in one.texts)
        return [
            HeldRequest(
                request=one.id,
                kind=one.kind,
                status=one.status,
                received_at=one.received_at,
                texts=tuple(said[text.ref] for text in one.texts if text.ref in said),
            )
            for one in asked
        ]


def _of(file: Delegation, ref: str) -> set[str]:
    """Return as whom a file names a person."""
    return {id for id, one in file.people.items() if one.person.ref == ref}


def _documents(files: Sequence[Delegation], ref: str) -> list[HeldDocument]:
    found = []
    for file in files:
        own = _of(file, ref)
        found += [
            HeldDocument(delegation=file.id, kind=one.kind, language=None, digest=one.attachment.digest)
            for one in file.documents.values()
            if one.concerns in own
        ]
        if any(file.people[id].role in DELEGATE_ROLES for id in own):
            found += [
                HeldDocument(
                    delegation=file.id, kind=one.kind, language=version.language, digest=version.attachment.digest
                )
                for one in file.rendered
                for version in one.versions
            ]
    return found


async def _names(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, str]:
    wanted = select(directory_entries.c.id, directory_entries.c.content).where(directory_entries.c.id.in_(sorted(ids)))
    rows = await connection.execute(wanted)
    return {row.id: names_of(ENTRY.validate_json(row.content))[0] for row in rows}


def _subject(octets: bytes) -> str | None:
    if not octets:
        return None
    said = message_from_bytes(octets, policy=policy.default)["subject"]
    return None if said is None else str(said)
