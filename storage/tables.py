"""Every table of the store, for migrations and for the check that they agree."""

from sqlalchemy import Table

from storage.account_notices import account_notices
from storage.accounts import account_roles, accounts, tokens
from storage.archived_runs import archive_state, archived_runs
from storage.attachments import attachments
from storage.challenges import challenges
from storage.checklists import checklist_entries
from storage.checkpoint_rows import checkpoint_duties, checkpoint_spans, checkpoints, merkle_tiles
from storage.collection_rows import calendar_collections, calendar_drift, calendar_due, calendar_resources
from storage.data_keys import data_keys
from storage.directory import entries as directory_entries
from storage.directory import versions as directory_versions
from storage.directory_imports import directory_imports
from storage.directory_uploads import uploads as directory_uploads
from storage.drafts import drafts
from storage.editions import editions
from storage.erasures import erasures
from storage.feeds import feeds
from storage.identities import identities
from storage.institution import organisations
from storage.journal import journal
from storage.leaves import leaves
from storage.mail_rows import mail_ledger
from storage.metadata import metadata
from storage.notes import note_versions
from storage.passkeys import passkeys
from storage.passwords import password_links, passwords
from storage.person_requests import person_requests
from storage.persons import person_versions, persons
from storage.read_model import READ_TABLES
from storage.received_mail import mailbox_places, received_mail
from storage.register_log import register_log
from storage.retention import retention_entries, retention_plans
from storage.sessions import sessions
from storage.tenures import closed_desks, positions, tenures
from storage.texts import texts

REGISTERS: tuple[Table, ...] = (
    account_notices,
    account_roles,
    accounts,
    archive_state,
    archived_runs,
    attachments,
    calendar_collections,
    calendar_drift,
    calendar_due,
    calendar_resources,
    challenges,
    checklist_entries,
    checkpoint_duties,
    checkpoint_spans,
    checkpoints,
    closed_desks,
    data_keys,
    directory_entries,
    directory_imports,
    directory_uploads,
    directory_versions,
    drafts,
    editions,
    erasures,
    feeds,
    identities,
    leaves,
    mail_ledger,
    mailbox_places,
    merkle_tiles,
    note_versions,
    organisations,
    passkeys,
    password_links,
    passwords,
    person_requests,
    person_versions,
    persons,
    positions,
    received_mail,
    register_log,
    retention_entries,
    retention_plans,
    sessions,
    tenures,
    texts,
    tokens,
)
"""Never touched by a rebuild."""

ALL: tuple[Table, ...] = (*REGISTERS, journal, *READ_TABLES)

__all__ = ["ALL", "REGISTERS", "metadata"]
