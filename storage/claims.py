"""What was sent to a register for a command that never came: rows nobody claimed are swept."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.attachments import Attachments, attachments
from storage.data_keys import data_keys, person_key
from storage.directory_uploads import LIFETIME as UPLOADS_LIFETIME
from storage.directory_uploads import sweep_uploads
from storage.drafts import LIFETIME, sweep_drafts
from storage.engine import Database
from storage.metadata import utc_now
from storage.persons import persons
from storage.texts import texts


@dataclass(frozen=True)
class References:
    """The entries of the registers that something names."""

    persons: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    attachments: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Swept:
    """How many entries were removed."""

    persons: int
    texts: int
    attachments: int


def references_in(content: Any) -> References:
    """Return what the data of events or commands name, however deep: `{ref, commitment}` and `{digest, media_type}`."""
    found = list(_walk(content))
    refs = [entry["ref"] for entry in found if "commitment" in entry and isinstance(entry.get("ref"), str)]
    return References(
        persons=frozenset(ref for ref in refs if ref.startswith("per_")),
        texts=frozenset(ref for ref in refs if ref.startswith("txt_")),
        attachments=frozenset(
            entry["digest"] for entry in found if "media_type" in entry and isinstance(entry.get("digest"), str)
        ),
    )


def _walk(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, Mapping):
        yield content
        content = content.values()
    elif isinstance(content, str) or not isinstance(content, Iterable):
        return
    for part in content:
        yield from _walk(part)


async def mark_claimed(connection: AsyncConnection, references: References) -> None:
    """Note, in the caller's transaction, that a recorded event names these entries."""
    for column, claimed, names in (
        (persons.c.ref, persons.c.claimed_at, references.persons),
        (texts.c.ref, texts.c.claimed_at, references.texts),
        (attachments.c.digest, attachments.c.claimed_at, references.attachments),
    ):
        if names:
            await connection.execute(
                update(column.table)
                .where(column.in_(sorted(names)), claimed.is_(None))
                .values({claimed.name: utc_now()})
            )


async def missing_of(database: Database, references: References) -> References:
    """Return which of these entries the registers do not have; one that was erased is still had."""
    known: list[frozenset[str]] = []
    async with database.reading() as connection:
        for column, names in (
            (persons.c.ref, references.persons),
            (texts.c.ref, references.texts),
            (attachments.c.digest, references.attachments),
        ):
            asked, found = sorted(names), set[str]()
            for start in range(0, len(asked), 500):
                rows = await connection.execute(select(column).where(column.in_(asked[start : start + 500])))
                found.update(rows.scalars())
            known.append(names - found)
    return References(*known)


async def sweep(database: Database, files: Attachments, before: datetime) -> Swept:
    """Remove what no event named and what is older than `before` (wall time): details, keys, texts and files.

    Drafts and tables that wait go by their own time.

    Safe beside everything else: an entry claimed meanwhile stays.
    """
    async with database.writing() as connection:
        await sweep_drafts(connection, utc_now() - LIFETIME)
        await sweep_uploads(connection, utc_now() - UPLOADS_LIFETIME)
        people = await connection.execute(
            delete(persons)
            .where(persons.c.claimed_at.is_(None), persons.c.created_at < before, persons.c.erased_at.is_(None))
            .returning(persons.c.ref)
        )
        subjects = [person_key(ref) for ref in people.scalars()]
        for start in range(0, len(subjects), 500):
            await connection.execute(delete(data_keys).where(data_keys.c.subject.in_(subjects[start : start + 500])))
        written = await connection.execute(
            delete(texts).where(texts.c.claimed_at.is_(None), texts.c.created_at < before)
        )
        stale = select(attachments.c.digest).where(
            attachments.c.claimed_at.is_(None), attachments.c.created_at < before
        )
        digests = list((await connection.execute(stale)).scalars())
    removed = 0
    for digest in digests:
        removed += await files.remove(digest, unclaimed_before=before)
    removed += await files.sweep_files(before)
    return Swept(persons=len(subjects), texts=written.rowcount, attachments=removed)
