"""Where a person is to be found: looked for while their details can be read, kept as references and digests alone."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.erasure import Brought, Mailed, OutOfReach, Sealed, Traces, Written, places_of
from domain.events import DelegationInvited, DocumentAttached, DocumentRendered, ReplyRecorded, ReportFiled
from domain.evolve import fold
from domain.state import Delegation
from domain.upcast import read_event
from domain.values import TextRef
from storage.accounts import accounts
from storage.attachments import attachments
from storage.collection_rows import calendar_collections, calendar_resources
from storage.data_keys import DataKeys, account_key, person_key
from storage.directory import versions as directory_versions
from storage.engine import Database
from storage.feeds import feeds
from storage.journal import journal, read
from storage.keyring import Keyring
from storage.mail_rows import HANDED_OVER, MAILBOX_INDEX, UNSENT, mail_ledger, mailbox_mac
from storage.mentions import Mentions
from storage.persons import Persons, persons
from storage.read_model import delegations, participants
from storage.received_mail import opened, received_mail
from storage.register_log import register_log
from storage.texts import texts_in

LETTER = "invitation_letter"
REPORT = "final_report"
BATCH = 200

UNDER_WAY = timedelta(seconds=30)
"""How long after the key was destroyed a letter may still be entered that was composed before."""


@dataclass(frozen=True)
class Theirs:
    """What of the store is a person's: files they are on, files their accounts acted on, and the accounts."""

    files: dict[str, Delegation]
    acted: frozenset[str]
    accounts: tuple[str, ...]


@dataclass(frozen=True)
class Named:
    """What was rendered with a person's name or brought of them alone, and the issues that mailed the letters.

    `documents` are digests with their delegation; `answers` the texts that the person wrote beside an answer.
    """

    documents: dict[str, str]
    issues: frozenset[str]
    answers: tuple[str, ...]


class TraceFinder:
    """Looks for a person in everything that is kept. What it finds names nobody."""

    def __init__(self, database: Database, keyring: Keyring, persons: Persons) -> None:
        self._database = database
        self._keys = DataKeys(keyring)
        self._persons = persons

    async def look(self, ref: str) -> Traces:
        """Return where a person is to be found; of somebody erased already, what references still tell."""
        details = await self._persons.every_version(ref)
        async with self._database.snapshot() as connection:
            theirs = await _theirs(connection, ref)
            # An account's own addresses stand in mails of the house; its name in what it signed.
            addresses, names = await self._of_accounts(connection, theirs.accounts)
            mentions = Mentions.of(details, addresses=addresses, names=names)
            macs = await self._macs(connection, [*(one.email for one in details), *addresses])
            named = await _named(connection, ref, theirs)
            lines, naming = await _lines(connection, ref, theirs, named, macs)
            received, namesakes = list[str](), list[str]()
            async for letter, octets in _letters(connection, self._keys):
                if mentions.identify(octets):
                    received.append(letter)
                elif mentions.in_mail(octets):
                    namesakes.append(letter)
            beyond = await self._out_of_reach(connection, ref, theirs, mentions, lines, naming)
            # What the person wrote themselves goes, whatever it says; so do files that concern them alone.
            texts = tuple(one for one in beyond.texts if one.ref not in named.answers)
            files = tuple(one for one in beyond.files if one.digest not in named.documents)
            beyond = beyond.model_copy(update={"received": tuple(namesakes), "texts": texts, "files": files})
        return Traces(
            places={name: places for name, file in theirs.files.items() if (places := places_of(file, ref))},
            documents=named.documents,
            lines=tuple(lines),
            naming=tuple(naming),
            received=tuple(received),
            answers=named.answers,
            accounts=theirs.accounts,
            beyond=beyond,
        )

    async def look_again(self, ref: str, traces: Traces) -> Traces:
        """Return the traces with what was under way while the person was erased: rendered or entered, and not seen yet.

        A file kept before their key was gone may be named by an event only later; a letter read from it, too.
        """
        async with self._database.snapshot() as connection:
            gone = select(persons.c.erased_at).where(persons.c.ref == ref)
            erased_at = (await connection.execute(gone)).scalar_one_or_none()
            if erased_at is None:
                return traces
            theirs = await _theirs(connection, ref)
            earlier = attachments.c.created_at < erased_at
            kept = set((await connection.execute(select(attachments.c.digest).where(earlier))).scalars())
            named = await _named(connection, ref, theirs)
            documents = {one: file for one, file in named.documents.items() if one in kept}
            lines, _ = await _lines(connection, ref, theirs, named, [])
            letters = and_(
                mail_ledger.c.kind == LETTER,
                mail_ledger.c.issue.in_(named.issues),
                mail_ledger.c.enqueued_at < erased_at + UNDER_WAY,
            )
            naming = (await connection.execute(select(mail_ledger.c.position).where(letters))).scalars()
            update = {
                "documents": {**traces.documents, **documents},
                "lines": tuple(sorted({*traces.lines, *lines})),
                "naming": tuple(sorted({*traces.naming, *naming} - {*traces.lines, *lines})),
            }
        return traces.model_copy(update=update)

    async def _of_accounts(self, connection: AsyncConnection, ids: Sequence[str]) -> tuple[list[str], list[str]]:
        rows = (await connection.execute(select(accounts).where(accounts.c.id.in_(ids)))).all()
        keys = await self._keys.get_many(connection, [account_key(row.id) for row in rows])
        hidden = [
            json.loads(keys[subject].decrypt(row.ciphertext, context=row.id.encode()))
            for row in rows
            if (subject := account_key(row.id)) in keys
        ]
        return [one["email"] for one in hidden if one.get("email")], [one["name"] for one in hidden]

    async def _macs(self, connection: AsyncConnection, addresses: Iterable[str]) -> list[str]:
        keys = await self._keys.get_many(connection, [MAILBOX_INDEX])
        return [mailbox_mac(keys[MAILBOX_INDEX], one) for one in dict.fromkeys(addresses)] if keys else []

    async def _out_of_reach(
        self,
        connection: AsyncConnection,
        ref: str,
        theirs: Theirs,
        mentions: Mentions,
        lines: Sequence[int],
        naming: Sequence[int],
    ) -> OutOfReach:
        files = sorted(theirs.files)
        collection = and_(calendar_collections.c.owner_kind == "person", calendar_collections.c.owner == ref)
        resources = (
            select(func.count())
            .select_from(calendar_resources)
            .join(calendar_collections, calendar_collections.c.id == calendar_resources.c.collection)
        )
        fetched = select(func.count()).where(feeds.c.person == ref, feeds.c.fetched_on.is_not(None))
        exported = select(func.count()).where(
            register_log.c.register == "evidence",
            or_(register_log.c.entry.in_(files), *(register_log.c.data.contains(f'"{one}"') for one in files)),
        )
        written = [
            Written(delegation=file, ref=text, names=mentions.in_text(content))
            async for file, text, content in texts_in(connection, self._keys, files)
        ]
        return OutOfReach(
            to_person=await _mailed(connection, lines),
            to_others=await _mailed(connection, naming),
            exports=(await connection.execute(exported)).scalar_one(),
            key=person_key(ref),
            remote_items=(await connection.execute(resources.where(collection))).scalar_one(),
            subscribed=(await connection.execute(fetched)).scalar_one(),
            texts=tuple(written),
            files=tuple(
                Brought(delegation=name, digest=one.attachment.digest, kind=one.kind)
                for name, file in sorted(theirs.files.items())
                for one in file.documents.values()
            ),
            sealed=tuple(await _sealed(connection, files, mentions)),
        )


async def _letters(connection: AsyncConnection, keys: DataKeys) -> AsyncIterator[tuple[str, bytes]]:
    """Yield every received mail that can be read, with its reference, in the order of coming."""
    after, more = 0, True
    while more:
        wanted = select(received_mail).where(received_mail.c.position > after, received_mail.c.content != b"")
        rows = (await connection.execute(wanted.order_by(received_mail.c.position).limit(BATCH))).all()
        known = await keys.get_many(connection, {name for row in rows for name in row.subjects.split()})
        for row in rows:
            after = row.position
            if octets := opened(row, known):
                yield row.ref, octets
        more = bool(rows)


async def _theirs(connection: AsyncConnection, ref: str) -> Theirs:
    own = tuple((await connection.execute(select(accounts.c.id).where(accounts.c.person == ref))).scalars())
    on = select(participants.c.delegation_id).where(participants.c.person == ref)
    rows = await connection.execute(select(delegations.c.id, delegations.c.state).where(delegations.c.id.in_(on)))
    files = {row.id: Delegation.model_validate_json(row.state) for row in rows}
    acted = select(journal.c.delegation_id).where(journal.c.actor.in_(own)).distinct()
    return Theirs(files, frozenset((await connection.execute(acted)).scalars()) if own else frozenset(), own)


def of_person(ref: str) -> ColumnElement[bool]:
    """Return the condition that a line of the mail ledger is for a person, alone or with others."""
    padded = literal(" ") + mail_ledger.c.persons + literal(" ")
    return padded.contains(f" {ref} ", autoescape=True)


async def _lines(
    connection: AsyncConnection, ref: str, theirs: Theirs, named: Named, macs: Sequence[str]
) -> tuple[list[int], list[int]]:
    """Return the positions of what was for the person or their accounts, and of what named them to others."""
    to_accounts = and_(mail_ledger.c.persons == "", mail_ledger.c.mailbox_hash.in_(macs if theirs.accounts else []))
    wanted = select(mail_ledger.c.position).where(or_(of_person(ref), to_accounts)).order_by(mail_ledger.c.position)
    lines = list((await connection.execute(wanted)).scalars())
    letters = and_(mail_ledger.c.kind == LETTER, mail_ledger.c.issue.in_(named.issues))
    # Notices of the house name who submitted or filed what.
    notices = and_(
        mail_ledger.c.persons == "",
        mail_ledger.c.delegation_id.in_(theirs.acted),
        mail_ledger.c.status.not_in(UNSENT),
    )
    wanted = select(mail_ledger.c.position).where(or_(letters, notices)).order_by(mail_ledger.c.position)
    own = set(lines)
    return lines, [one for one in (await connection.execute(wanted)).scalars() if one not in own]


async def _named(connection: AsyncConnection, ref: str, theirs: Theirs) -> Named:
    """Return what was rendered with the person's name, from the files as they stood when it was asked for.

    A letter lists those who are delegates then, a report everybody who ever was, and the accounts that signed. A file
    that was brought, such as a copy of a passport, is the person's where it concerns them and nobody else.
    """
    documents, issues, answers = dict[str, str](), set[str](), list[str]()
    brought, of_others = dict[str, str](), set[str]()
    for name in sorted({*theirs.files, *theirs.acted}):
        asked: dict[tuple[str, int], bool] = {}
        state: Delegation | None = None
        for sealed in await read(connection, name):
            state = fold((sealed,), state)
            match read_event(sealed):
                case DelegationInvited(letter=number) if state is not None:
                    asked[LETTER, number] = any(one.person.ref == ref for one in state.delegates)
                case ReportFiled(report=number) if state is not None:
                    ever = any(one.person.ref == ref and one.delegate for one in state.people.values())
                    asked[REPORT, number] = ever or name in theirs.acted
                case DocumentRendered(kind=kind, number=number, versions=versions) if asked.get((kind, number), True):
                    documents |= {version.attachment.digest: name for version in versions}
                    if kind == LETTER:
                        issues.add(f"{name}:letter-mail:{number}")
                case DocumentAttached(attachment=file, concerns=who) if state is not None:
                    if who in state.people and state.people[who].person.ref == ref:
                        brought[file.digest] = name
                    else:
                        of_others.add(file.digest)
                case ReplyRecorded(participant_id=who, comment=TextRef(ref=text)) if state is not None:
                    answers += [text] if who in state.people and state.people[who].person.ref == ref else []
                case _:
                    pass
    documents |= {digest: name for digest, name in brought.items() if digest not in of_others}
    return Named(documents, frozenset(issues), tuple(answers))


async def _mailed(connection: AsyncConnection, positions: Sequence[int]) -> tuple[Mailed, ...]:
    groups: dict[str, list[datetime]] = {}
    for start in range(0, len(positions), BATCH):
        wanted = select(mail_ledger.c.delegation_id, mail_ledger.c.sent_at).where(
            mail_ledger.c.position.in_(positions[start : start + BATCH]), mail_ledger.c.status.in_(HANDED_OVER)
        )
        for row in await connection.execute(wanted):
            if row.sent_at is not None:
                groups.setdefault(row.delegation_id, []).append(row.sent_at)
    return tuple(
        Mailed(delegation=name, mails=len(times), first=min(times), last=max(times))
        for name, times in sorted(groups.items())
    )


async def _sealed(connection: AsyncConnection, files: Sequence[str], mentions: Mentions) -> list[Sealed]:
    """Return where business text names the person: titles, purposes, places, notes; partners of the directory."""
    events = select(journal.c.delegation_id, journal.c.seq, journal.c.type, journal.c.data)
    events = events.where(journal.c.delegation_id.in_(files)).order_by(journal.c.delegation_id, journal.c.seq)
    found = [
        Sealed(stream=row.delegation_id, seq=row.seq, what=row.type)
        for row in await connection.execute(events)
        if mentions.in_text(row.data)
    ]
    entries: Any = select(directory_versions).order_by(directory_versions.c.entry, directory_versions.c.version)
    return found + [
        Sealed(stream=f"directory:{row.entry}", seq=row.version, what=row.action)
        for row in await connection.execute(entries)
        if mentions.in_text(row.content)
    ]
