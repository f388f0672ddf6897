"""The register of partners, hosts and contacts: every version of an entry, and merges that can be undone.

A contact's name and addresses are in the register of people (`storage/persons.py`) under the person's own key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    Row,
    Select,
    Table,
    false,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json, digest_of
from domain.directory import ENTRY, ContactEntry, EntryKind, HostEntry, PartnerEntry, names_of
from domain.folding import folded
from storage.claims import References, mark_claimed
from storage.cursors import beyond, read_cursor, write_cursor
from storage.engine import Database
from storage.idempotency import IdempotencyConflict, stored_key
from storage.metadata import Instant, Name, Words, metadata, utc_now
from storage.references import new_reference
from storage.search_text import sort_key
from storage.upsert import insert_into

Entry = PartnerEntry | HostEntry | ContactEntry
Action = Literal["added", "imported", "changed", "merged", "split", "absorbed", "released"]
"""What made a version: `merged` and `split` stand at the entry that gave way, the two after them at the other."""

LARGEST_PAGE = 200

entries = Table(
    "directory_entries",
    metadata,
    Column("id", Name, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("country", Name),
    Column("at", Name),  # the organisation of a contact
    Column("version", Integer, nullable=False),
    Column("content", Words, nullable=False),
    Column("name_folded", Name, nullable=False),
    Column("search_text", Words, nullable=False),
    Column("merged_into", Name),
    Column("stands_for", Name, nullable=False),  # the entry at the end of its merges; its own id if it has none
    Column("idempotency_key", Name, unique=True),
    Column("body_digest", Name),
    Column("created_at", Instant, nullable=False),
    Index(None, "name_folded", "id"),
    Index(None, "stands_for"),
    Index(None, "at"),
)

versions = Table(
    "directory_versions",
    metadata,
    Column("entry", Name, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("action", Name, nullable=False),
    Column("content", Words, nullable=False),
    Column("other", Name),
    Column("actor", Name, nullable=False),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True)
class Found:
    """An entry as it stands. `merged_into` names the entry it gave way to, `stands_for` the one at the end of those."""

    id: str
    version: int
    entry: Entry
    merged_into: str | None
    stands_for: str


@dataclass(frozen=True)
class Version:
    """One version of an entry: what made it, who, and when (wall time, UTC); `other` is the other side of a merge."""

    version: int
    action: Action
    entry: Entry
    other: str | None
    actor: str
    at: datetime


@dataclass(frozen=True)
class EntryPage:
    """One page of entries, and the cursor of the next one if there may be one."""

    items: tuple[Found, ...]
    next_cursor: str | None


class DirectoryRefused(ValueError):
    """What cannot be done to an entry.

    `code` is one of entry_unknown, entry_changed, entry_unchanged, entry_merged, entry_not_merged,
    entry_kind_differs, entry_merges_itself, organisation_not_an_entry.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Directory:
    """Partners, hosts and contacts by opaque reference. Nothing is overwritten, nothing is deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: Entry, actor: str, *, idempotency_key: str) -> Found:
        """Enter an entry; the same key with the same entry returns the same one, with another IdempotencyConflict.

        A contact's `at` must be a partner or host that was not merged away: else DirectoryRefused.
        """
        async with self._database.writing() as connection:
            if isinstance(entry, ContactEntry):
                await self._check_organisation(connection, entry.at)
            row = new_row(entry, utc_now()) | {
                "idempotency_key": stored_key(idempotency_key),
                "body_digest": _digest(entry),
            }
            entered = await connection.execute(
                insert_into(connection, entries).values(row).on_conflict_do_nothing().returning(entries.c.id)
            )
            if entered.one_or_none() is None:
                wanted = select(entries).where(entries.c.idempotency_key == row["idempotency_key"])
                before = (await connection.execute(wanted)).one()
                if before.body_digest != row["body_digest"]:
                    raise IdempotencyConflict
                return found_in(before)
            await connection.execute(insert(versions).values(first_version(row, "added", actor)))
            await _claim(connection, [entry])
            return await self._current(connection, row["id"])

    async def was_added(self, idempotency_key: str) -> bool:
        """Return whether an entry was added under this key."""
        wanted = select(entries.c.id).where(entries.c.idempotency_key == stored_key(idempotency_key))
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).one_or_none() is not None

    async def get(self, entry: str) -> Found | None:
        """Return an entry as it stands, merged away or not."""
        return (await self.get_many([entry])).get(entry)

    async def get_many(self, wanted: Iterable[str]) -> dict[str, Found]:
        """Return the entries that there are, by id."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(entries).where(entries.c.id.in_(sorted(set(wanted)))))
            return {row.id: found_in(row) for row in rows}

    async def versions(self, entry: str) -> list[Version]:
        """Return every version of an entry, the first one first; empty for an unknown one."""
        wanted = select(versions).where(versions.c.entry == entry).order_by(versions.c.version)
        async with self._database.reading() as connection:
            return [
                Version(row.version, row.action, ENTRY.validate_json(row.content), row.other, row.actor, row.at)
                for row in await connection.execute(wanted)
            ]

    async def page(
        self,
        *,
        kinds: Sequence[EntryKind] = (),
        q: str | None = None,
        country: str | None = None,
        at: str | None = None,
        merged: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> EntryPage:
        """Return a page of entries by name, 1 to 200 of them; contacts, whose names are not here, come first, by id.

        `q` are words of an organisation's names and place, with or without diacritics; names of what was merged into
        an entry find that entry. `at` takes the contacts of an organisation and of what was merged into it. Entries
        that were merged away come only when `merged` asks for them. Raises BadCursor.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} lines")
        wanted = select(entries).order_by(entries.c.name_folded, entries.c.id).limit(limit + 1)
        wanted = wanted.where(*_which(kinds, q, country, at, merged=merged))
        if cursor is not None:
            wanted = wanted.where(beyond((entries.c.name_folded, entries.c.id), read_cursor(cursor, str, str)))
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        more, rows = len(rows) > limit, rows[:limit]
        return EntryPage(tuple(map(found_in, rows)), write_cursor(rows[-1].name_folded, rows[-1].id) if more else None)

    async def count(
        self, *, kinds: Sequence[EntryKind] = (), q: str | None = None, country: str | None = None, merged: bool = False
    ) -> int:
        """Return how many entries `page` has on all its pages."""
        wanted = select(func.count()).select_from(entries).where(*_which(kinds, q, country, None, merged=merged))
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).scalar_one()

    async def countries(self) -> list[str]:
        """Return the countries of the organisations that were not merged away, by code."""
        known = select(entries.c.country).where(entries.c.country.is_not(None), entries.c.merged_into.is_(None))
        async with self._database.reading() as connection:
            return list((await connection.execute(known.distinct().order_by(entries.c.country))).scalars())

    async def contacts_at(self, organisations: Iterable[str]) -> dict[str, int]:
        """Return how many contacts organisations have, those of what was merged into them included; without noughts."""
        home = entries.alias("home")
        wanted = (
            select(home.c.stands_for, func.count())
            .join_from(entries, home, home.c.id == entries.c.at)
            .where(home.c.stands_for.in_(sorted(set(organisations))), entries.c.merged_into.is_(None))
            .group_by(home.c.stands_for)
        )
        async with self._database.reading() as connection:
            return {row[0]: row[1] for row in await connection.execute(wanted)}

    async def family(self, entry: str) -> list[Found]:
        """Return what an entry stands for, itself included, by id."""
        wanted = select(entries).where(entries.c.stands_for == entry).order_by(entries.c.id)
        async with self._database.reading() as connection:
            return [found_in(row) for row in await connection.execute(wanted)]

    async def names_ever(self, organisations: Iterable[str]) -> set[str]:
        """Return every name that organisations have or had, in whatever version."""
        wanted = select(versions.c.content).where(versions.c.entry.in_(sorted(set(organisations)))).distinct()
        async with self._database.reading() as connection:
            contents = (await connection.execute(wanted)).scalars()
            return {name for content in contents for name in names_of(ENTRY.validate_json(content))}

    async def namesakes(self, names: Iterable[str], entry: str) -> list[tuple[str, str]]:
        """Return folded name and country of the partners that have one of these names, an entry and its own left out.

        What was merged into a partner counts as itself: its name, in its country.
        """
        known = {folded(name) for name in names} - {""}
        near = [entries.c.search_text.contains(name, autoescape=True) for name in sorted(known)]
        wanted = select(entries).where(entries.c.kind == "partner", entries.c.stands_for != entry, or_(false(), *near))
        async with self._database.reading() as connection:
            found = [found_in(row).entry for row in await connection.execute(wanted)]
        partners = [one for one in found if isinstance(one, PartnerEntry)]
        return [(folded(name), one.country) for one in partners for name in names_of(one) if folded(name) in known]

    async def newest_contacts(self, most: int) -> list[Found]:
        """Return the contacts that were entered last, at most `most`, those that were merged away left out."""
        wanted = (
            select(entries)
            .where(entries.c.kind == "contact", entries.c.merged_into.is_(None))
            .order_by(entries.c.created_at.desc(), entries.c.id)
            .limit(most)
        )
        async with self._database.reading() as connection:
            return [found_in(row) for row in await connection.execute(wanted)]

    async def change(self, entry: str, content: Entry, version: int, actor: str) -> Found:
        """Add a version with new content to an entry whose last version is `version`; DirectoryRefused otherwise."""
        async with self._database.writing() as connection:
            row = await self._locked(connection, entry)
            if row.merged_into is not None:
                raise DirectoryRefused("entry_merged")
            if row.version != version:
                raise DirectoryRefused("entry_changed")
            if row.kind != content.kind:
                raise DirectoryRefused("entry_kind_differs")
            if row.content == _written(content):
                raise DirectoryRefused("entry_unchanged")
            if isinstance(content, ContactEntry) and content.at != row.at:
                await self._check_organisation(connection, content.at)
            await add_version(connection, row, "changed", actor, content=content)
            await _claim(connection, [content])
            await refresh(connection, entry)
            return await self._current(connection, entry)

    async def merge(self, entry: str, into: str, actor: str) -> Found:
        """Let an entry give way to another one of its kind, and return that one; merging them again is no error.

        Both keep their history. What was merged into the first now stands for the second.
        """
        if entry == into:
            raise DirectoryRefused("entry_merges_itself")
        async with self._database.writing() as connection:
            # In one order, so that two merges never wait for each other.
            rows = {name: await self._locked(connection, name) for name in sorted((entry, into))}
            loser, winner = rows[entry], rows[into]
            if loser.merged_into == into:
                return found_in(winner)
            if loser.merged_into is not None or winner.merged_into is not None:
                raise DirectoryRefused("entry_merged")
            if loser.kind != winner.kind:
                raise DirectoryRefused("entry_kind_differs")
            await add_version(connection, loser, "merged", actor, other=into)
            await add_version(connection, winner, "absorbed", actor, other=entry)
            await connection.execute(update(entries).where(entries.c.id == entry).values(merged_into=into))
            await connection.execute(update(entries).where(entries.c.stands_for == entry).values(stands_for=into))
            await refresh(connection, into)
            return await self._current(connection, into)

    async def split(self, entry: str, actor: str) -> Found:
        """Undo the merge of an entry and return it; what had been merged into it stays with it."""
        async with self._database.writing() as connection:
            known = (await connection.execute(select(entries).where(entries.c.id == entry))).one_or_none()
            concerned = {entry} if known is None else {entry, known.merged_into or entry, known.stands_for}
            rows = {name: await self._locked(connection, name) for name in sorted(concerned)}
            row = rows[entry]
            if row.merged_into is None:
                raise DirectoryRefused("entry_not_merged")
            if row.merged_into not in rows or row.stands_for not in rows:
                raise DirectoryRefused("entry_changed")
            winner = rows[row.merged_into]
            await add_version(connection, row, "split", actor, other=winner.id)
            await add_version(connection, winner, "released", actor, other=entry)
            await connection.execute(update(entries).where(entries.c.id == entry).values(merged_into=None))
            family = (await connection.execute(_family(row.stands_for))).all()
            own = _subtree(entry, [(one.id, one.merged_into) for one in family])
            await connection.execute(update(entries).where(entries.c.id.in_(own)).values(stands_for=entry))
            await refresh(connection, entry)
            await refresh(connection, row.stands_for)
            return await self._current(connection, entry)

    async def _check_organisation(self, connection: AsyncConnection, at: str) -> None:
        wanted = select(entries.c.kind, entries.c.merged_into).where(entries.c.id == at)
        row = (await connection.execute(wanted)).one_or_none()
        if row is None or row.kind == "contact" or row.merged_into is not None:
            raise DirectoryRefused("organisation_not_an_entry")

    async def _locked(self, connection: AsyncConnection, entry: str) -> Row[Any]:
        row = (await connection.execute(select(entries).where(entries.c.id == entry).with_for_update())).one_or_none()
        if row is None:
            raise DirectoryRefused("entry_unknown")
        return row

    async def _current(self, connection: AsyncConnection, entry: str) -> Found:
        return found_in((await connection.execute(select(entries).where(entries.c.id == entry))).one())


async def add_version(
    connection: AsyncConnection,
    row: Row[Any],
    action: Action,
    actor: str,
    *,
    content: Entry | None = None,
    other: str | None = None,
) -> None:
    """Add a version to an entry whose row is locked, in the caller's transaction; without `content` as it stands."""
    written = row.content if content is None else _written(content)
    number = row.version + 1
    await connection.execute(
        insert(versions).values(
            entry=row.id, version=number, action=action, content=written, other=other, actor=actor, at=utc_now()
        )
    )
    changed = {"version": number, "content": written} | ({} if content is None else _columns(content))
    await connection.execute(update(entries).where(entries.c.id == row.id).values(changed))


async def refresh(connection: AsyncConnection, entry: str) -> None:
    """Let an entry be found by its own words and by those of what was merged into it."""
    family = (await connection.execute(_family(entry))).all()
    words = " ".join(_search_text(ENTRY.validate_json(one.content)) for one in sorted(family))
    await connection.execute(update(entries).where(entries.c.id == entry).values(search_text=words))


def new_row(entry: Entry, now: datetime) -> dict[str, Any]:
    """Return the row of a new entry under a new reference."""
    reference = new_reference("dir")
    return _columns(entry) | {
        "id": reference,
        "kind": entry.kind,
        "version": 1,
        "content": _written(entry),
        "search_text": _search_text(entry),
        "stands_for": reference,
        "created_at": now,
    }


def first_version(row: dict[str, Any], action: Action, actor: str) -> dict[str, Any]:
    """Return the first version of a new entry's row."""
    named = {"entry": row["id"], "version": 1, "content": row["content"], "at": row["created_at"]}
    return named | {"action": action, "actor": actor, "other": None}


async def _claim(connection: AsyncConnection, added: Iterable[Entry]) -> None:
    people = frozenset(entry.person.ref for entry in added if isinstance(entry, ContactEntry))
    await mark_claimed(connection, References(persons=people))


def _which(
    kinds: Sequence[EntryKind], q: str | None, country: str | None, at: str | None, *, merged: bool
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if kinds:
        found.append(entries.c.kind.in_(kinds))
    if q is not None:
        # PostgreSQL does not even take the question.
        asked = [false()] if "\x00" in q else []
        found += asked or [entries.c.search_text.contains(word, autoescape=True) for word in folded(q).split()]
    if country is not None:
        found.append(entries.c.country == country)
    if at is not None:
        found.append(entries.c.at.in_(_standing_for(at)))
    if not merged:
        found.append(entries.c.merged_into.is_(None))
    return found


def _standing_for(entry: str) -> Select[tuple[str]]:
    return select(entries.c.id).where(entries.c.stands_for == entry)


def _family(entry: str) -> Select[Any]:
    return select(entries.c.id, entries.c.merged_into, entries.c.content).where(entries.c.stands_for == entry)


def _subtree(root: str, merged: Sequence[tuple[str, str | None]]) -> set[str]:
    """Return an entry and whatever was merged into it, at however many removes."""
    found, before = {root}, set[str]()
    while found != before:
        before = set(found)
        found |= {one for one, into in merged if into in found}
    return found


def _written(entry: Entry) -> str:
    return canonical_json(entry.model_dump(mode="json", exclude_none=True)).decode()


def _digest(entry: Entry) -> str:
    return digest_of(entry.model_dump(mode="json", exclude_none=True))


def _columns(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, ContactEntry):
        return {"country": None, "at": entry.at, "name_folded": ""}
    return {"country": entry.country, "at": None, "name_folded": sort_key(entry.name)}


def _search_text(entry: Entry) -> str:
    place = (entry.place,) if isinstance(entry, HostEntry) else ()
    return folded(" ".join((*names_of(entry), *place)))


def found_in(row: Row[Any]) -> Found:
    """Return the entry that a row of the table is."""
    return Found(row.id, row.version, ENTRY.validate_json(row.content), row.merged_into, row.stands_for)
