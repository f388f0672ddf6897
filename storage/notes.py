"""The register of notes: what somebody wrote beside a file, every version of it.

What a note says stands in the register of texts, under the file's key; here stands who wrote which text when.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, Row, Select, Table, func, select

from domain.canonical import digest_of
from storage.claims import References, mark_claimed
from storage.cursors import BadCursor, beyond, read_cursor, write_cursor
from storage.engine import Database
from storage.metadata import Instant, Name, metadata, utc_now
from storage.register_log import ChangeRefused
from storage.texts import Texts
from storage.upsert import insert_into

note_versions = Table(
    "note_versions",
    metadata,
    Column("note", Name, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("delegation_id", Name, nullable=False),
    Column("author", Name, nullable=False),
    Column("text", Name, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("written_at", Instant, nullable=False),
    Index(None, "delegation_id", "begun_at", "note"),
)
"""`begun_at` is when the note was first written, on every version of it."""


@dataclass(frozen=True)
class Note:
    """A version of a note. `text` is None where it was erased; instants are wall time in UTC."""

    id: str
    version: int
    delegation: str
    author: str
    text: str | None
    begun_at: datetime
    written_at: datetime


@dataclass(frozen=True)
class NotesPage:
    """Notes, the newest first, and where the next page begins."""

    items: tuple[Note, ...]
    next_cursor: str | None


class Notes:
    """Notes by file."""

    def __init__(self, database: Database, texts: Texts) -> None:
        self._database = database
        self._texts = texts

    async def of(self, delegation: str, *, limit: int = 50, cursor: str | None = None) -> NotesPage:
        """Return the notes of a file as they read now, the one first written last on top. Raises BadCursor."""
        order = (note_versions.c.begun_at, note_versions.c.note)
        wanted = _newest().where(note_versions.c.delegation_id == delegation)
        wanted = wanted.order_by(*(column.desc() for column in order)).limit(limit + 1)
        if cursor is not None:
            wanted = wanted.where(beyond(order, _place(cursor), descending=True))
        rows, said = await self._read(wanted)
        last = rows[limit - 1] if len(rows) > limit else None
        return NotesPage(
            tuple(_note(row, said) for row in rows[:limit]),
            write_cursor(last.begun_at.isoformat(), last.note) if last is not None else None,
        )

    async def versions(self, delegation: str, note: str) -> tuple[Note, ...]:
        """Return every version of a note, the first one first; raises ChangeRefused: `note_unknown`."""
        which = (note_versions.c.note == note, note_versions.c.delegation_id == delegation)
        rows, said = await self._read(select(note_versions).where(*which).order_by(note_versions.c.version))
        if not rows:
            raise ChangeRefused("note_unknown")
        return tuple(_note(row, said) for row in rows)

    async def write(self, delegation: str, text: str, *, by: str, key: str) -> Note:
        """Write a note; sent again under the same key (of this account and file) it is the same one.

        Raises TextRefused, and IdempotencyConflict when the key came before with another text.
        """
        note = f"not_{digest_of(['note', delegation, by, key])[:26]}"
        kept = await self._texts.write(delegation, text, idempotency_key=digest_of(["note", note]))
        now = utc_now()
        row = {
            "note": note,
            "version": 1,
            "delegation_id": delegation,
            "author": by,
            "text": kept.ref,
            "begun_at": now,
            "written_at": now,
        }
        async with self._database.writing() as connection:
            await connection.execute(insert_into(connection, note_versions).values(row).on_conflict_do_nothing())
            await mark_claimed(connection, References(texts=frozenset({kept.ref})))
        return (await self.versions(delegation, note))[-1]

    async def change(self, delegation: str, note: str, version: int, text: str, *, by: str) -> Note:
        """Write a note anew, whose `version` was read; the earlier ones stay.

        Raises TextRefused, and ChangeRefused: `note_unknown`, `note_not_yours` (only its author changes a note),
        `note_changed` (it was written anew since).
        """
        before = (await self.versions(delegation, note))[-1]
        if before.author != by:
            raise ChangeRefused("note_not_yours")
        if before.version != version:
            raise ChangeRefused("note_changed")
        kept = await self._texts.write(delegation, text)
        row = {
            "note": note,
            "version": version + 1,
            "delegation_id": delegation,
            "author": by,
            "text": kept.ref,
            "begun_at": before.begun_at,
            "written_at": utc_now(),
        }
        async with self._database.writing() as connection:
            entering = insert_into(connection, note_versions).values(row).on_conflict_do_nothing()
            entered = await connection.execute(entering.returning(note_versions.c.note))
            # Somebody with the same page open was first.
            if entered.one_or_none() is None:
                raise ChangeRefused("note_changed")
            await mark_claimed(connection, References(texts=frozenset({kept.ref})))
        return (await self.versions(delegation, note))[-1]

    async def _read(self, wanted: Select[Any]) -> tuple[list[Row[Any]], Mapping[str, str]]:
        async with self._database.reading() as connection:
            rows = list((await connection.execute(wanted)).all())
        return rows, await self._texts.read_many(row.text for row in rows)


def _newest() -> Select[Any]:
    later = note_versions.alias()
    newest = select(func.max(later.c.version)).where(later.c.note == note_versions.c.note).scalar_subquery()
    return select(note_versions).where(note_versions.c.version == newest)


def _place(cursor: str) -> tuple[datetime, str]:
    begun_at, note = read_cursor(cursor, str, str)
    try:
        return datetime.fromisoformat(begun_at).astimezone(UTC), note
    except (ValueError, OverflowError):
        raise BadCursor from None


def _note(row: Row[Any], said: Mapping[str, str]) -> Note:
    return Note(
        id=row.note,
        version=row.version,
        delegation=row.delegation_id,
        author=row.author,
        text=said.get(row.text),
        begun_at=row.begun_at,
        written_at=row.written_at,
    )
