"""Where files stand, without what stands in them: enough to know whether what was made of them still holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select

from storage.engine import Database
from storage.read_model import delegations, participants

MOST = 400
"""Files of which one calendar is made: the newest of them."""


@dataclass(frozen=True)
class FileHead:
    """The last event's hash of a delegation, its last day in its own zone, and when it last changed (business time)."""

    id: str
    hash: str
    ends: date
    updated_at: datetime


class FileHeads:
    """Reads them from the read model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, delegation: str) -> FileHead | None:
        """Return where one file stands."""
        found = await self._read(_HEADS.where(delegations.c.id == delegation))
        return found[0] if found else None

    async def of_person(self, person: str, *, ending_from: date) -> list[FileHead]:
        """Return the files that somebody is or was on, by their reference, and that end on that day or later."""
        theirs = select(participants.c.delegation_id).where(participants.c.person == person)
        return await self._read(_newest(ending_from).where(delegations.c.id.in_(theirs)))

    async def within(self, organisations: frozenset[str] | None, *, ending_from: date) -> list[FileHead]:
        """Return the files of organisations (None for all) that end on that day or later."""
        wanted = _newest(ending_from)
        if organisations is not None:
            wanted = wanted.where(delegations.c.organisation.in_(sorted(organisations)))
        return await self._read(wanted)

    async def _read(self, wanted: Select[Any]) -> list[FileHead]:
        async with self._database.reading() as connection:
            rows: Sequence[Any] = (await connection.execute(wanted)).all()
        return [FileHead(row.id, row.head_hash, row.ends, row.updated_at) for row in rows]


_HEADS = select(delegations.c.id, delegations.c.head_hash, delegations.c.ends, delegations.c.updated_at)


def _newest(ending_from: date) -> Select[Any]:
    return (
        _HEADS.where(delegations.c.ends >= ending_from)
        .order_by(delegations.c.ends.desc(), delegations.c.id)
        .limit(MOST)
    )
