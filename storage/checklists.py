"""The register of checklists: what is to be done for each file, by whom, and who did it when.

What entries say stands in the register of texts, under the file's key: whoever writes “fetch Mr. Satō” writes of a
person. Each row says by itself who made, changed, ticked and removed it; two people at once lose nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, Integer, Row, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.bilingual import Bilingual
from domain.canonical import digest_of
from domain.checklist import ChecklistTemplate, Due
from storage.accounts import accounts
from storage.claims import References, mark_claimed
from storage.engine import Database
from storage.metadata import Instant, Name, Words, metadata, utc_now
from storage.register_log import ChangeRefused, queue
from storage.texts import Texts
from storage.upsert import insert_into

checklist_entries = Table(
    "checklist_entries",
    metadata,
    Column("id", Name, primary_key=True),
    Column("delegation_id", Name, nullable=False),
    Column("template", Name),
    Column("place", Integer, nullable=False),
    Column("title_vi", Words),
    Column("title_en", Words),
    Column("text", Name),
    Column("anchor", Name),
    Column("side", Name),
    Column("offset", Integer),
    Column("unit", Name),
    Column("assignee", Name),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Name, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Name, nullable=False),
    Column("done_at", Instant),
    Column("done_by", Name),
    Column("removed_at", Instant),
    Column("removed_by", Name),
    Index(None, "delegation_id"),
    Index(None, "assignee", "done_at"),
)
"""`place` orders what came at once. An entry of a template has its titles until it is changed; any other its text."""


@dataclass(frozen=True)
class Entry:
    """An entry of a checklist. `title` is None where the text was erased; instants are wall time in UTC.

    `version` counts the changes of what it says; ticking is none of them.
    """

    id: str
    delegation: str
    template: str | None
    title: Bilingual | None
    due: Due | None
    assignee: str | None
    version: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    done_at: datetime | None
    done_by: str | None


class Checklists:
    """Entries by file."""

    def __init__(self, database: Database, texts: Texts) -> None:
        self._database = database
        self._texts = texts

    async def of(self, delegation: str) -> list[Entry]:
        """Return the entries of a file, in the order in which they came."""
        return await self._read(checklist_entries.c.delegation_id == delegation)

    async def get(self, delegation: str, entry: str) -> Entry:
        """Return an entry of a file; raises ChangeRefused: `checklist_entry_unknown`."""
        found = await self._read(checklist_entries.c.id == entry, checklist_entries.c.delegation_id == delegation)
        if not found:
            raise ChangeRefused("checklist_entry_unknown")
        return found[0]

    async def waiting_for(self, account: str) -> list[Entry]:
        """Return what an account has yet to do, over all files."""
        return await self._read(checklist_entries.c.assignee == account, checklist_entries.c.done_at.is_(None))

    async def choose(self, delegation: str, template: ChecklistTemplate, *, by: str) -> None:
        """Take a template over into a file; the same one again changes nothing, what was removed stays removed.

        Raises ChangeRefused: `checklist_chosen` when another one was taken before.
        """
        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            before = select(checklist_entries.c.template).where(
                checklist_entries.c.delegation_id == delegation, checklist_entries.c.template.is_not(None)
            )
            if set((await connection.execute(before)).scalars()) - {template.id}:
                raise ChangeRefused("checklist_chosen")
            for place, task in enumerate(template.tasks):
                row = {
                    "id": _id(delegation, template.id, task.id),
                    "delegation_id": delegation,
                    "template": template.id,
                    "place": place,
                    "title_vi": task.title.vi,
                    "title_en": task.title.en,
                    **_when(task.due),
                    **_made(now, by),
                }
                await connection.execute(
                    insert_into(connection, checklist_entries).values(row).on_conflict_do_nothing()
                )

    async def add(
        self, delegation: str, title: str, due: Due | None = None, assignee: str | None = None, *, by: str, key: str
    ) -> Entry:
        """Enter one more thing to do; sent again under the same key (of this account and file) it is the same one.

        Raises ChangeRefused: `account_unknown`; IdempotencyConflict when the key came before with another title.
        """
        entry = _id(delegation, by, key)
        text = await self._texts.write(delegation, title, idempotency_key=digest_of(["checklist", entry]))
        row = {
            "id": entry,
            "delegation_id": delegation,
            "place": 0,
            "text": text.ref,
            "assignee": assignee,
            **_when(due),
            **_made(utc_now(), by),
        }
        async with self._database.writing() as connection:
            await _require_account(connection, assignee)
            await connection.execute(insert_into(connection, checklist_entries).values(row).on_conflict_do_nothing())
            await mark_claimed(connection, References(texts=frozenset({text.ref})))
        return await self.get(delegation, entry)

    async def change(
        self,
        delegation: str,
        entry: str,
        version: int,
        *,
        title: str,
        due: Due | None,
        assignee: str | None,
        by: str,
    ) -> Entry:
        """Let an entry say something else, whose `version` was read; its day, and who does it, change with it.

        Raises ChangeRefused: `checklist_entry_unknown`, `checklist_entry_changed` (somebody was first),
        `account_unknown`.
        """
        before = await self.get(delegation, entry)
        values: dict[str, Any] = {**_when(due), "assignee": assignee, "changed_at": utc_now(), "changed_by": by}
        refs: frozenset[str] = frozenset()
        if before.title is None or title not in (before.title.vi, before.title.en):
            text = await self._texts.write(delegation, title)
            values |= {"text": text.ref, "title_vi": None, "title_en": None}
            refs = frozenset({text.ref})
        async with self._database.writing() as connection:
            if assignee != before.assignee:
                await _require_account(connection, assignee)
            changing = (
                update(checklist_entries)
                .where(
                    checklist_entries.c.id == entry,
                    checklist_entries.c.version == version,
                    checklist_entries.c.removed_at.is_(None),
                )
                .values(**values, version=version + 1)
            )
            if not (await connection.execute(changing)).rowcount:
                raise ChangeRefused("checklist_entry_changed")
            await mark_claimed(connection, References(texts=refs))
        return await self.get(delegation, entry)

    async def tick(self, delegation: str, entry: str, *, done: bool, by: str) -> Entry:
        """Note that something is done, or is not after all; whoever was first stands.

        Raises ChangeRefused: `checklist_entry_unknown`.
        """
        await self.get(delegation, entry)
        now = {"done_at": utc_now(), "done_by": by} if done else {"done_at": None, "done_by": None}
        unlike = checklist_entries.c.done_at.is_(None) if done else checklist_entries.c.done_at.is_not(None)
        async with self._database.writing() as connection:
            await connection.execute(
                update(checklist_entries).where(checklist_entries.c.id == entry, unlike).values(**now)
            )
        return await self.get(delegation, entry)

    async def remove(self, delegation: str, entry: str, *, by: str) -> None:
        """Take an entry off the list; the row stays, with who took it off. Again it changes nothing.

        Raises ChangeRefused: `checklist_entry_unknown`.
        """
        known = select(checklist_entries.c.id).where(
            checklist_entries.c.id == entry, checklist_entries.c.delegation_id == delegation
        )
        async with self._database.writing() as connection:
            if (await connection.execute(known)).one_or_none() is None:
                raise ChangeRefused("checklist_entry_unknown")
            await connection.execute(
                update(checklist_entries)
                .where(checklist_entries.c.id == entry, checklist_entries.c.removed_at.is_(None))
                .values(removed_at=utc_now(), removed_by=by)
            )

    async def _read(self, *which: ColumnElement[bool]) -> list[Entry]:
        wanted = (
            select(checklist_entries)
            .where(checklist_entries.c.removed_at.is_(None), *which)
            .order_by(checklist_entries.c.created_at, checklist_entries.c.place, checklist_entries.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        said = await self._texts.read_many(_texts_of(rows))
        return [_entry(row, said) for row in rows]


async def _require_account(connection: AsyncConnection, account: str | None) -> None:
    enabled = select(accounts.c.id).where(accounts.c.id == account, accounts.c.disabled_at.is_(None))
    if account is not None and (await connection.execute(enabled)).one_or_none() is None:
        raise ChangeRefused("account_unknown")


def _texts_of(rows: Iterable[Row[Any]]) -> list[str]:
    return [row.text for row in rows if row.text is not None]


def _entry(row: Row[Any], said: Mapping[str, str]) -> Entry:
    title = Bilingual(vi=row.title_vi, en=row.title_en) if row.text is None else None
    if row.text in said:
        title = Bilingual(vi=said[row.text], en=said[row.text])
    due = None
    if row.anchor is not None:
        due = Due(anchor=row.anchor, side=row.side, offset=row.offset, unit=row.unit)
    return Entry(
        id=row.id,
        delegation=row.delegation_id,
        template=row.template,
        title=title,
        due=due,
        assignee=row.assignee,
        version=row.version,
        created_at=row.created_at,
        created_by=row.created_by,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        done_at=row.done_at,
        done_by=row.done_by,
    )


def _id(*parts: str) -> str:
    return f"chk_{digest_of(['checklist', *parts])[:26]}"


def _when(due: Due | None) -> dict[str, Any]:
    return dict.fromkeys(Due.model_fields) if due is None else due.model_dump()


def _made(now: datetime, by: str) -> dict[str, Any]:
    return {"version": 1, "created_at": now, "created_by": by, "changed_at": now, "changed_by": by}
