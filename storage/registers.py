"""Every register of an installation, opened together; for composition roots."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from storage.account_notices import AccountNotices
from storage.accounts import Accounts
from storage.answering import Answering
from storage.archive_files import ArchiveFiles, ArchiveFolder
from storage.archived_runs import ArchivedRuns
from storage.as_of import AsOf
from storage.attachments import Attachments
from storage.checklists import Checklists
from storage.collection_entries import CollectionEntries
from storage.collection_queue import CollectionQueue
from storage.collections import Collections
from storage.dead_letters import DeadLetters
from storage.desks import Desks
from storage.directory import Directory
from storage.directory_imports import DirectoryImports
from storage.directory_uploads import Uploads
from storage.drafts import Drafts
from storage.editions import Editions
from storage.engine import Database, Synchronous
from storage.erasures import Erasures
from storage.feeds import Feeds
from storage.file_heads import FileHeads
from storage.held import HeldData
from storage.institution import Institution
from storage.journal import Journal
from storage.keyring import Keyring, MasterKey
from storage.leaves import Leaves
from storage.mail_ledger import MailLedger
from storage.media_types import Limits
from storage.notes import Notes
from storage.person_requests import PersonRequests
from storage.persons import Persons
from storage.projection import Projection
from storage.queries import Queries
from storage.received_mail import ReceivedMail
from storage.redaction import Redaction
from storage.register_log import RegisterLog
from storage.retention import RetentionPlans
from storage.retention_kinds import Holdings
from storage.standing import Standing
from storage.tenures import Tenures
from storage.texts import Texts
from storage.today import Today
from storage.traces import TraceFinder


@dataclass(frozen=True)
class Registers:
    """What is not a delegation, and the journal and read model of what is."""

    database: Database
    keyring: Keyring
    persons: Persons
    texts: Texts
    attachments: Attachments
    accounts: Accounts
    account_notices: AccountNotices
    directory: Directory
    directory_imports: DirectoryImports
    directory_uploads: Uploads
    institution: Institution
    tenures: Tenures
    leaves: Leaves
    register_log: RegisterLog
    drafts: Drafts
    editions: Editions
    standing: Standing
    mail_ledger: MailLedger
    answering: Answering
    received_mail: ReceivedMail
    dead_letters: DeadLetters
    journal: Journal
    projection: Projection
    queries: Queries
    as_of: AsOf
    desks: Desks
    today: Today
    collections: Collections
    collection_entries: CollectionEntries
    collection_queue: CollectionQueue
    feeds: Feeds
    file_heads: FileHeads
    person_requests: PersonRequests
    held: HeldData
    retention: RetentionPlans
    archived_runs: ArchivedRuns
    archive_files: ArchiveFiles
    erasures: Erasures
    trace_finder: TraceFinder
    redaction: Redaction
    checklists: Checklists
    notes: Notes

    @classmethod
    def open(
        cls,
        url: str,
        master_keys: Sequence[bytes],
        folder: Path,
        *,
        attachment_limit: int | None = None,
        archive: ArchiveFiles | None = None,
        synchronous: Synchronous = "FULL",
    ) -> Self:
        """Open the store at `url` (SQLAlchemy) and the attachments below `folder`; connects at first use.

        `master_keys` are 32 bytes each, the newest first; `attachment_limit` is in bytes; `archive` is where histories
        of closed runs are kept, a folder below the others unless said.
        """
        database = Database(url, synchronous=synchronous)
        keyring = Keyring([MasterKey.of(secret) for secret in master_keys])
        limits = Limits() if attachment_limit is None else Limits(size=attachment_limit)
        persons, texts = Persons(database, keyring), Texts(database, keyring)
        attachments = Attachments(database, keyring, folder / "attachments", limits=limits)
        requests = PersonRequests(database, keyring)
        return cls(
            database=database,
            keyring=keyring,
            persons=persons,
            texts=texts,
            attachments=attachments,
            accounts=Accounts(database, keyring),
            account_notices=AccountNotices(database, keyring),
            directory=Directory(database),
            directory_imports=DirectoryImports(database, keyring, persons),
            directory_uploads=Uploads(database, keyring),
            institution=Institution(database),
            tenures=Tenures(database),
            leaves=Leaves(database),
            register_log=RegisterLog(database),
            drafts=Drafts(database, keyring),
            editions=Editions(database),
            standing=Standing(database),
            mail_ledger=MailLedger(database, keyring),
            answering=Answering(database, keyring),
            received_mail=ReceivedMail(database, keyring),
            dead_letters=DeadLetters(database, keyring),
            journal=Journal(database),
            projection=Projection(database),
            queries=Queries(database),
            as_of=AsOf(database),
            desks=Desks(database),
            today=Today(database),
            collections=Collections(database, keyring),
            collection_entries=CollectionEntries(database),
            collection_queue=CollectionQueue(database),
            feeds=Feeds(database, keyring),
            file_heads=FileHeads(database),
            person_requests=requests,
            held=HeldData(database, keyring, persons, requests),
            retention=RetentionPlans(database, Holdings(persons, attachments, requests)),
            archived_runs=ArchivedRuns(database),
            archive_files=archive or ArchiveFolder(folder / "archive"),
            erasures=Erasures(database),
            trace_finder=TraceFinder(database, keyring, persons),
            redaction=Redaction(database, keyring),
            checklists=Checklists(database, texts),
            notes=Notes(database, texts),
        )

    async def close(self) -> None:
        """Close the store's connections."""
        await self.database.close()
