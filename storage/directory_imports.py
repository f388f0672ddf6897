"""Tables brought into the directory: looked at first, and entered only as they were looked at.

A preview says of each row whether it is new, looks like an entry, is one already, or is wrong, and what becomes of it:
as usual, or as somebody chose. Its digest stands for the file, for every verdict and for every choice. Accepting names
the digest and brings the file and the choices again, so nothing of a file that nobody accepts is kept.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import StringConstraints
from sqlalchemy import Column, Integer, Row, Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json, sha256_hex
from domain.directory import ContactEntry, HostEntry, PartnerEntry, names_of, with_further_names
from storage.cursors import read_cursor, write_cursor
from storage.data_keys import DataKeys
from storage.directory import (
    LARGEST_PAGE,
    Found,
    add_version,
    entries,
    first_version,
    found_in,
    new_row,
    refresh,
    versions,
)
from storage.directory_rows import BadRow, ContactRow, DirectoryRow, OrganisationRow, RowProblem, read_rows
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.likeness import SAME, Known, Likeness, Organisations, Pair, People
from storage.metadata import Instant, Name, metadata, utc_now
from storage.persons import Person, Persons
from storage.spreadsheet import read_sheet
from storage.upsert import insert_into

IMPORTS_KEY = "directory:imports"
"""The subject of the key that digests of previews are made under: a digest of few rows could be guessed without it."""

ROW = "row "
"""What an earlier row of the file is called by, before its number, where an entry would have its id."""

FEW = 200
"""Entries that are added to what is compared; after more of them it is made anew, in a thread."""

BATCH = 1_000
"""People read from their register at once."""

directory_imports = Table(
    "directory_imports",
    metadata,
    Column("digest", Name, primary_key=True),
    Column("actor", Name, nullable=False),
    Column("accepted_at", Instant, nullable=False),
    Column("entered", Integer, nullable=False),
    Column("known", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("named", Integer, nullable=False, server_default="0"),
    Column("left_out", Integer, nullable=False, server_default="0"),
)

Verdict = Literal["new", "similar", "known", "bad"]
"""`new` and `similar` rows are entered unless somebody chose otherwise, `known` ones left out; `bad` ones always."""

Choice = Annotated[str, StringConstraints(pattern=r"^(?:enter|leave|dir_[a-z0-9]{8,64})$")]
"""What somebody chose for a row: to enter it, to leave it out, or to take it as a further name of this entry."""

Does = Literal["enter", "leave", "name"]

Unfit = Literal["choice_without_row", "choice_not_alike", "choice_too_many_names"]
"""Why a choice does not fit: no row that could be entered begins there; the entry is not one of its kind that the row
looks like; the entry would have too many names.
"""


@dataclass(frozen=True)
class RowVerdict:
    """What becomes of a row, and why: what it looks like (an entry's id, or `row N` of the file), what is wrong.

    `nameable` are the entries whose further name it may be: those of its kind that it looks like.
    """

    line: int
    verdict: Verdict
    alike: tuple[Likeness, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    nameable: tuple[str, ...] = ()
    choice: Choice | None = None

    @property
    def usual(self) -> Does:
        """What becomes of the row where nobody chose."""
        return "enter" if self.verdict in ("new", "similar") else "leave"

    @property
    def does(self) -> Does:
        """What becomes of the row."""
        if self.choice is None:
            return self.usual
        return "enter" if self.choice == "enter" else "leave" if self.choice == "leave" else "name"


@dataclass(frozen=True)
class Preview:
    """What accepting a file would do. `encoding` and `separator` say how it was read.

    `unfit` are the lines for which something was chosen that does not fit; it counts for nothing.
    """

    digest: str
    encoding: str
    separator: str
    rows: tuple[RowVerdict, ...]
    unfit: Mapping[int, Unfit] = field(default_factory=dict)

    def count(self, *verdicts: Verdict) -> int:
        """Return how many rows have one of these verdicts."""
        return sum(row.verdict in verdicts for row in self.rows)

    def doing(self, does: Does) -> int:
        """Return of how many rows this becomes."""
        return sum(row.does == does for row in self.rows)


@dataclass(frozen=True)
class Imported:
    """What accepting a file did: how many rows were entered, were in the directory already, were wrong.

    `named` became further names of entries, `left_out` were left out because somebody chose so.
    """

    digest: str
    entered: int
    known: int
    bad: int
    actor: str
    accepted_at: datetime
    named: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class PairPage:
    """One page of pairs, how many there are on all pages, and the cursor of the next page if there is one."""

    items: tuple[Pair, ...]
    count: int
    next_cursor: str | None


class PreviewSuperseded(Exception):
    """The file, or the directory, is not what it was when that preview was made."""


@dataclass(frozen=True)
class _Stands:
    """The directory as a preview compares with it. `stamp` counts the versions there are."""

    stamp: int
    found: tuple[Found, ...]
    people: dict[str, list[tuple[str, str, str]]]


@dataclass
class _Compared:
    """The organisations as a version of the directory has them, and every two that may be one, once asked for."""

    stamp: int
    known: Organisations
    marks: Mapping[str, tuple[int, str]]
    pairs: list[Pair] | None = None


@dataclass(frozen=True)
class _Looked:
    preview: Preview
    rows: tuple[DirectoryRow, ...]
    places: dict[int, str]
    stamp: int
    names: dict[int, str]
    further: dict[str, PartnerEntry | HostEntry]
    versions: dict[str, int]


class DirectoryImports:
    """Previews of tables, and their acceptance, each once."""

    def __init__(self, database: Database, keyring: Keyring, persons: Persons) -> None:
        self._database = database
        self._keys = DataKeys(keyring)
        self._persons = persons
        self._turn = asyncio.Lock()
        self._kept: _Compared | None = None

    async def preview(self, content: bytes, choices: Mapping[int, Choice] | None = None) -> Preview:
        """Say what accepting this file would do; nothing is kept. Raises SpreadsheetRefused and AttachmentRefused.

        `choices` are by the line that a row begins on; those that do not fit are named and count for nothing.
        """
        return (await self._look(content, choices or {})).preview

    async def preview_with_names(
        self, content: bytes, choices: Mapping[int, Choice] | None = None
    ) -> tuple[Preview, dict[int, str]]:
        """Return the preview of a file and, by the line of each row that can be read, whom or what the row names."""
        looked = await self._look(content, choices or {})
        return looked.preview, looked.names

    async def accept(
        self, digest: str, content: bytes, actor: str, choices: Mapping[int, Choice] | None = None
    ) -> Imported:
        """Enter the rows of a file as the preview of this digest said, all in one transaction, or none.

        Rows that were chosen to be further names become these, in a further version of their entry.

        Accepting again returns what the first time did. Raises PreviewSuperseded when file, choices or directory now
        give another preview, and what `preview` raises.
        """
        async with self._database.reading() as connection:
            before = await _accepted(connection, digest)
        if before is not None:
            return before
        looked = await self._look(content, choices or {})
        if looked.preview.digest != digest:
            raise PreviewSuperseded
        rows = {row.line: row for row in looked.preview.rows}
        wanted = [row for row in looked.rows if rows[row.line].does == "enter"]
        done = Imported(
            digest=digest,
            entered=len(wanted),
            known=sum(row.verdict == "known" and row.does == "leave" for row in rows.values()),
            bad=looked.preview.count("bad"),
            actor=actor,
            accepted_at=utc_now(),
            named=looked.preview.doing("name"),
            left_out=sum(row.usual == "enter" and row.does == "leave" for row in rows.values()),
        )
        async with self._database.writing() as connection:
            entered = await connection.execute(
                insert_into(connection, directory_imports)
                .values(vars(done))
                .on_conflict_do_nothing()
                .returning(directory_imports.c.digest)
            )
            if entered.one_or_none() is None:
                first = await _accepted(connection, digest)
                if first is None:
                    raise PreviewSuperseded
                return first
            if await _stamp(connection) != looked.stamp:
                raise PreviewSuperseded
            await self._enter(connection, wanted, looked.places, actor, done.accepted_at)
            for entry, content_now in sorted(looked.further.items()):
                row = (await connection.execute(select(entries).where(entries.c.id == entry).with_for_update())).one()
                if row.version != looked.versions[entry]:
                    raise PreviewSuperseded
                await add_version(connection, row, "changed", actor, content=content_now)
                await refresh(connection, entry)
        return done

    async def accepted(self, most: int) -> list[Imported]:
        """Return what was accepted, the last one first, at most `most`."""
        newest = directory_imports.c.accepted_at.desc(), directory_imports.c.digest
        async with self._database.reading() as connection:
            rows = await connection.execute(select(directory_imports).order_by(*newest).limit(most))
            return [Imported(**row._asdict()) for row in rows]

    async def accepted_as(self, digest: str) -> Imported | None:
        """Return what accepting a preview did, or None where nobody accepted it."""
        async with self._database.reading() as connection:
            return await _accepted(connection, digest)

    async def alike(self, found: Found) -> list[Likeness]:
        """Return which entries may be the same as an entry, without those that were merged away."""
        if not isinstance(found.entry, ContactEntry):
            return (await self._compared()).known.alike(_known(found.stands_for, found.entry))
        person = await self._persons.get(found.entry.person.ref)
        if not isinstance(person, Person):
            return []
        place = await self._stands_for(found.entry.at)
        stands = await self._stands(people_at=(place,))
        others = [one for one in stands.people.get(place, []) if one[0] != found.stands_for]
        return People(others).alike(person.details.full_name, person.details.email)

    async def _enter(
        self,
        connection: AsyncConnection,
        wanted: Sequence[DirectoryRow],
        places: dict[int, str],
        actor: str,
        now: datetime,
    ) -> None:
        rows: dict[int, dict[str, Any]] = {
            row.line: new_row(row.entry, now) for row in wanted if isinstance(row, OrganisationRow)
        }
        ids = {f"{ROW}{line}": row["id"] for line, row in rows.items()}
        contacts = [row for row in wanted if isinstance(row, ContactRow)]
        references = await self._persons.enter(connection, [row.details for row in contacts])
        for row, person in zip(contacts, references, strict=True):
            place = places[row.line]
            rows[row.line] = new_row(ContactEntry(kind="contact", at=ids.get(place, place), person=person), now)
        if rows:
            await connection.execute(insert(entries), list(rows.values()))
            first = [first_version(row, "imported", actor) for row in rows.values()]
            await connection.execute(insert(versions), first)

    async def _look(self, content: bytes, choices: Mapping[int, Choice]) -> _Looked:
        stands = await self._stands()
        looked = await asyncio.to_thread(_judge, content, stands, choices)
        key = await self._key()
        said = [sha256_hex(content), [_plain(row) for row in looked.preview.rows]]
        return replace(looked, preview=replace(looked.preview, digest=key.mac(canonical_json(said))))

    async def _key(self) -> DataKey:
        async with self._database.reading() as connection:
            known = await self._keys.get_many(connection, [IMPORTS_KEY])
        if IMPORTS_KEY in known:
            return known[IMPORTS_KEY]
        async with self._database.writing() as connection:
            return await self._keys.obtain(connection, IMPORTS_KEY)

    async def pairs(self, *, limit: int = 50, cursor: str | None = None) -> PairPage:
        """Return a page of every two organisations that may be one, the highest score first, 1 to 200 of them.

        Merged ones count as their winner. Compared once for every state of the directory: 10,000 entries take about a
        second, in a thread. Raises BadCursor.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} lines")
        after = read_cursor(cursor, int, str, str) if cursor is not None else None
        compared = await self._compared()
        async with self._turn:
            if compared.pairs is None:
                compared.pairs = await asyncio.to_thread(compared.known.pairs)
            pairs = compared.pairs
        start = bisect_right(pairs, after, key=_place) if after else 0
        items = pairs[start : start + limit]
        more = start + limit < len(pairs)
        return PairPage(tuple(items), len(pairs), write_cursor(*_place(items[-1])) if more else None)

    async def _compared(self) -> _Compared:
        """Return the organisations as they are compared: those entered since added, made anew after other changes."""
        organisation = entries.c.kind != "contact"
        async with self._turn:
            before = self._kept
            async with self._database.snapshot() as connection:
                stamp = await _stamp(connection)
                if before is not None and before.stamp == stamp:
                    return before
                marks = select(entries.c.id, entries.c.version, entries.c.stands_for).where(organisation)
                now = {row.id: (row.version, row.stands_for) for row in await connection.execute(marks)}
                entered = now.keys() - before.marks.keys() if before else now.keys()
                pairs = None
                if before and len(entered) <= FEW and all(now.get(name) == mark for name, mark in before.marks.items()):
                    pairs = before.pairs if not entered else None
                    which = select(entries).where(entries.c.id.in_(sorted(entered)))
                    known = before.known
                    for one in map(found_in, (await connection.execute(which)).all()):
                        if not isinstance(one.entry, ContactEntry):
                            known.add(_known(one.stands_for, one.entry))
                else:
                    rows = (await connection.execute(select(entries).where(organisation))).all()
                    known = await asyncio.to_thread(lambda: _organisations(map(found_in, rows)))
            self._kept = _Compared(stamp, known, now, pairs)
            return self._kept

    async def _stands_for(self, entry: str) -> str:
        async with self._database.reading() as connection:
            wanted = select(entries.c.stands_for).where(entries.c.id == entry)
            found: str = (await connection.execute(wanted)).scalar_one()
        return found

    async def _stands(self, *, people_at: Collection[str] | None = None) -> _Stands:
        """Return the directory as it is, with the contacts of these organisations or of all."""
        wanted = select(entries).order_by(entries.c.id)
        async with self._database.snapshot() as connection:
            stamp = await _stamp(connection)
            rows = (await connection.execute(wanted)).all()
        # Thousands of entries are read elsewhere: nobody else is to wait for it.
        found = await asyncio.to_thread(lambda: tuple(map(found_in, rows)))
        standing = {one.id: one.stands_for for one in found}
        people: dict[str, list[tuple[str, str, str]]] = {}
        contacts = [(one.id, one.entry) for one in found if one.merged_into is None]
        named = [
            (name, entry)
            for name, entry in contacts
            if isinstance(entry, ContactEntry) and (people_at is None or standing[entry.at] in people_at)
        ]
        for start in range(0, len(named), BATCH):
            batch = named[start : start + BATCH]
            known = await self._persons.get_many(entry.person.ref for _, entry in batch)
            for name, entry in batch:
                person = known.get(entry.person.ref)
                if isinstance(person, Person):
                    seen = (name, person.details.full_name, person.details.email)
                    people.setdefault(standing[entry.at], []).append(seen)
        return _Stands(stamp, found, people)


def _place(pair: Pair) -> tuple[int, str, str]:
    return -pair.score, pair.first, pair.second


def _judge(content: bytes, stands: _Stands, choices: Mapping[int, Choice]) -> _Looked:
    """Return the verdict on every row, without a digest yet; slow for large files, so it runs in a thread."""
    sheet = read_sheet(content)
    rows = read_rows(sheet)
    known = _organisations(stands.found)
    organisations = {one.id: one.entry for one in stands.found if not isinstance(one.entry, ContactEntry)}
    further: dict[str, PartnerEntry | HostEntry] = {}
    verdicts: dict[int, RowVerdict] = {}
    unfit: dict[int, Unfit] = dict.fromkeys(choices, "choice_without_row")

    def chosen(verdict: RowVerdict, names: tuple[str, ...] = ()) -> RowVerdict:
        """Return the verdict on a row that could be entered, with what somebody chose for it, if that fits."""
        choice = choices.get(verdict.line)
        if choice is None:
            return verdict
        if choice not in ("enter", "leave"):
            if choice not in verdict.nameable:
                unfit[verdict.line] = "choice_not_alike"
                return verdict
            more = with_further_names(further.get(choice, organisations[choice]), names)
            if more is None:
                unfit[verdict.line] = "choice_too_many_names"
                return verdict
            if more != organisations[choice]:
                further[choice] = more
        del unfit[verdict.line]
        return replace(verdict, choice=choice)

    for row in rows:
        if isinstance(row, OrganisationRow):
            asked = _known(f"{ROW}{row.line}", row.entry)
            seen = _verdict(row.line, known.alike(asked))
            there = ((one.entry, organisations.get(one.entry)) for one in seen.alike)
            nameable = tuple(name for name, other in there if other is not None and other.kind == row.entry.kind)
            verdicts[row.line] = verdict = chosen(replace(seen, nameable=nameable), names_of(row.entry))
            if verdict.does == "enter":
                known.add(asked)
            elif verdict.does == "name" and verdict.choice is not None:
                known.add(replace(asked, entry=verdict.choice))
        elif isinstance(row, BadRow):
            verdicts[row.line] = RowVerdict(row.line, "bad", problems=row.problems)
    standing = {one.id: one.stands_for for one in stands.found if not isinstance(one.entry, ContactEntry)}
    people: dict[str, People] = {}
    places: dict[int, str] = {}
    names = {row.line: row.entry.name for row in rows if isinstance(row, OrganisationRow)}
    for row in rows:
        if not isinstance(row, ContactRow):
            continue
        named = {standing[row.organisation]} if row.organisation in standing else known.named(row.organisation)
        if len(named) != 1:
            code = "organisation_ambiguous" if named else "organisation_unknown"
            problem = RowProblem(row.line, row.organisation_column, "organisation", code, {})
            verdicts[row.line] = RowVerdict(row.line, "bad", problems=(problem,))
            continue
        places[row.line] = place = named.pop()
        names[row.line] = row.details.full_name
        others = people.get(place)
        if others is None:
            others = people[place] = People(stands.people.get(place, ()))
        verdicts[row.line] = chosen(_verdict(row.line, others.alike(row.details.full_name, row.details.email)))
        if verdicts[row.line].does == "enter":
            others.add(f"{ROW}{row.line}", row.details.full_name, row.details.email)
    ordered = tuple(verdicts[row.line] for row in rows)
    preview = Preview("", sheet.encoding, sheet.separator, ordered, unfit)
    looked_at = {one.id: one.version for one in stands.found if one.id in further}
    return _Looked(preview, tuple(rows), places, stands.stamp, names, further, looked_at)


def _verdict(line: int, alike: Sequence[Likeness]) -> RowVerdict:
    if any(one.score == SAME for one in alike):
        return RowVerdict(line, "known", tuple(alike))
    return RowVerdict(line, "similar" if alike else "new", tuple(alike))


def _organisations(found: Iterable[Found]) -> Organisations:
    """Return the organisations of the directory; the names of merged ones lead to the entry that stands for them."""
    known = ((one.stands_for, one.entry) for one in found)
    return Organisations(_known(name, entry) for name, entry in known if not isinstance(entry, ContactEntry))


def _known(name: str, entry: PartnerEntry | HostEntry) -> Known:
    return Known(name, entry.kind, entry.country, names_of(entry), entry.web)


def _plain(row: RowVerdict) -> list[Any]:
    alike = [[one.entry, one.score, list(one.reasons)] for one in row.alike]
    wrong = [[problem.column, problem.field, problem.code] for problem in row.problems]
    return [row.line, row.verdict, alike, wrong] + ([] if row.choice is None else [row.choice])


async def _stamp(connection: AsyncConnection) -> int:
    return (await connection.execute(select(func.count()).select_from(versions))).scalar_one()


async def _accepted(connection: AsyncConnection, digest: str) -> Imported | None:
    wanted = select(directory_imports).where(directory_imports.c.digest == digest)
    row: Row[Any] | None = (await connection.execute(wanted)).one_or_none()
    return None if row is None else Imported(**row._asdict())
