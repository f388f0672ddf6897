"""The register of exported evidence: which copies of which files left the house, and whom they name.

A copy that was handed out is beyond reach. When a person is erased, this says which copies name them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from storage.engine import Database
from storage.register_log import RegisterLog, record

REGISTER: Literal["evidence"] = "evidence"
EXPORTED = "evidence_exported"


@dataclass(frozen=True)
class EvidenceExport:
    """A bundle that was handed out: of which delegation, up to which event and checkpoint, and its SHA-256.

    `documents`: letters, files and texts stand in it as they are. `persons` are the references of those it names.
    """

    delegation: str
    head: int
    checkpoint: int
    digest: str
    size: int
    documents: bool
    persons: tuple[str, ...]


@dataclass(frozen=True)
class EnteredExport:
    """An export as the register has it: when (UTC, as sealed) and by which account."""

    export: EvidenceExport
    at: str
    by: str


class EvidenceExports:
    """Enters exports, and finds those that name somebody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def enter(self, export: EvidenceExport, *, by: str) -> None:
        """Seal that an account was given a bundle; the entry is the delegation's id."""
        after = asdict(export) | {"persons": list(export.persons)}
        async with self._database.writing() as connection:
            await record(connection, REGISTER, EXPORTED, export.delegation, by=by, after=after)

    async def naming(self, person: str) -> list[EnteredExport]:
        """Return the exports that name a person, by their reference, the first one first. Raises ChainBroken."""
        return [entered for entered in await self._all() if person in entered.export.persons]

    async def of(self, delegation: str) -> list[EnteredExport]:
        """Return the exports of a delegation, the first one first. Raises ChainBroken."""
        return [entered for entered in await self._all() if entered.export.delegation == delegation]

    async def _all(self) -> Sequence[EnteredExport]:
        entries = await RegisterLog(self._database).entries(REGISTER)
        return [EnteredExport(_export(one.data["after"]), one.at, one.actor) for one in entries]


def _export(after: dict[str, Any]) -> EvidenceExport:
    return EvidenceExport(**after | {"persons": tuple(after["persons"])})
