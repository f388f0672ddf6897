"""Where personal data are: every table and every folder, what of a person stands there, and what an erasure does.

One place for it: a test fails for a table that is not said here, so that a new one has to say it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["personal", "reference", "none"]
"""`personal`: data of people, encrypted. `reference`: opaque references or codes about people. `none`: neither."""


@dataclass(frozen=True)
class Kept:
    """What a table or folder holds of people, how a person's rows are found, and what erasing them does."""

    kind: Kind
    what: str
    found_by: str = ""
    erasing: str = ""


STAYS = "stays: it says nothing without the register of people"

TABLES: Mapping[str, Kept] = {
    "account_notices": Kept(
        "personal",
        "what an owner is still to be told of their account, with address and name under its key",
        "account",
        "deleted",
    ),
    "account_roles": Kept("reference", "what an account may do", "account", STAYS),
    "accounts": Kept(
        "personal",
        "name and address of who acts, under the account's key",
        "person",
        "closed; name, address and key destroyed, the id stays in what was decided",
    ),
    "archive_state": Kept("none", "how many closed runs wait for the archive"),
    "archived_runs": Kept("reference", "which closed run stands where in the archive", "delegation", STAYS),
    "attachments": Kept(
        "personal",
        "files on disk, each under a key of its own; here their digests",
        "the journal's DocumentRendered and DocumentAttached, of files that the person is on",
        "what names them, or concerns them alone: bytes and key destroyed, digest kept; others are for people to judge",
    ),
    "calendar_collections": Kept(
        "personal", "address and credentials of a calendar", "owner", "deleted; what stands in it is the person's"
    ),
    "calendar_drift": Kept("reference", "items found otherwise than left", "collection", "deleted"),
    "calendar_due": Kept("reference", "what a calendar lacks", "collection", "deleted"),
    "calendar_resources": Kept("reference", "what stands in a calendar", "collection", "deleted"),
    "challenges": Kept("reference", "a sign-in under way", "account", "deleted"),
    "checklist_entries": Kept(
        "reference", "what is to be done for a file, by which account; what people wrote stands in texts", "text", STAYS
    ),
    "checkpoint_duties": Kept("none", "what keeps a checkpoint from being made or shown"),
    "checkpoint_spans": Kept("none", "which events a checkpoint added"),
    "checkpoints": Kept("none", "signed roots over everything that is sealed"),
    "closed_desks": Kept("none", "offices that were given up, and when"),
    "data_keys": Kept("personal", "the key of everything of a person's", "person:REF", "destroyed first of all"),
    "directory_entries": Kept(
        "reference", "a contact names its person by reference", "content", "stays, as a contact who was erased"
    ),
    "directory_imports": Kept("none", "how many rows a table brought; not the rows"),
    "directory_uploads": Kept(
        "personal",
        "tables that wait for being entered, under their sender's key; emptied when they are, or cannot be",
        "account; of others by nobody but their sender",
        "the person's own deleted",
    ),
    "directory_versions": Kept("reference", "as the entries", "content", STAYS),
    "drafts": Kept(
        "personal",
        "what was typed into a long form and not sent yet, under its owner's key; gone 30 days after the last change",
        "account; of others by nobody but their owner",
        "the person's own deleted",
    ),
    "editions": Kept("none", "rules"),
    "erasures": Kept("reference", "who was erased, by reference", "person", "stays: it shows that it was done"),
    "feeds": Kept("reference", "secret addresses, by their digests", "person", "revoked; they answer that it is over"),
    "identities": Kept("personal", "what a provider calls somebody", "account", "deleted"),
    "leaves": Kept("reference", "when an account is away", "account", STAYS),
    "mail_ledger": Kept(
        "personal",
        "mailbox and content of every mail, under the file's and the people's keys",
        "persons; letters to others, by the files the person is on",
        "emptied; that a mail went out, when and about what stays",
    ),
    "mailbox_places": Kept("none", "how far the mailbox was read"),
    "merkle_tiles": Kept("none", "hashes"),
    "note_versions": Kept("reference", "who wrote a note of a file when; its words stand in texts", "text", STAYS),
    "organisations": Kept("none", "units of the house and partner authorities"),
    "passkeys": Kept("personal", "public keys and their owner's words for them", "account", "deleted"),
    "password_links": Kept("reference", "digests of one-time links", "account", "deleted"),
    "passwords": Kept("personal", "what a password was encoded to", "account", "deleted"),
    "person_versions": Kept("personal", "everything known of a person, each version", "ref", "deleted"),
    "person_requests": Kept(
        "reference",
        "what somebody asked about their own data, and its dates; what they wrote stands in texts",
        "person",
        "stays: it shows that it was asked and answered; what was written about it is deleted",
    ),
    "persons": Kept("reference", "that there is, or was, somebody", "ref", "marked as erased"),
    "positions": Kept("none", "offices that sign"),
    "received_mail": Kept(
        "personal",
        "mails to the organizer's mailbox",
        "subjects; else by looking for name and address in it",
        "emptied; what waited for somebody is dismissed",
    ),
    "register_log": Kept("reference", "who changed which entry, by references", "data", STAYS),
    "retention_entries": Kept("reference", "what plans of removal name, by opaque names", "entry", STAYS),
    "retention_plans": Kept("none", "counts of what is due to be removed"),
    "sessions": Kept("reference", "who is signed in", "account", "deleted"),
    "tenures": Kept("reference", "when an account held a position", "account", STAYS),
    "texts": Kept(
        "personal",
        "reasons, reports, remarks, notes and what checklists say, under their file's key",
        "ReplyRecorded; others by reading them",
        "what the person wrote beside an answer deleted; others listed, with whether the name was found",
    ),
    "tokens": Kept("reference", "digests of tokens", "account", "revoked"),
    "journal": Kept(
        "reference",
        "sealed events: references and commitments, whose salt goes with the person; business text as written",
        "data",
        "stays; events in whose business text the name was found are listed",
    ),
    "delegations": Kept("reference", "as the journal", "state", STAYS),
    "delegation_snapshots": Kept("reference", "a file's state at some instants, as the journal", "state", STAYS),
    "delegation_versions": Kept("reference", "a file's line in the list, as it was", "delegation", STAYS),
    "deadlines": Kept("none", "due dates"),
    "programme_items": Kept("none", "items of programmes, as the journal has them"),
    "participants": Kept("reference", "who is on which file", "person", STAYS),
    "ceilings": Kept("none", "sums"),
    "desks": Kept("reference", "whose desk a file lies on", "account", STAYS),
    "trips": Kept("reference", "who travels in which year", "person", STAYS),
}

FOLDERS: Mapping[str, Kept] = {
    "attachments": Kept("personal", "the files of that table, encrypted", "digest", "deleted from the disk"),
    "archive": Kept("reference", "histories of closed runs: what the journal has", "delegation", STAYS),
    "keys": Kept("none", "master keys and tokens of this machine"),
    "logs": Kept("none", "routes, codes and references; no names, no addresses of pages"),
    "run": Kept("none", "what runs, and where"),
    "temporal.db": Kept("reference", "the server's file: commands, events and codes, by references", "workflow", STAYS),
}
"""What stands below the data folder, beside the database itself."""
