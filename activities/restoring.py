"""What a database restored from an older backup lacks beside the journal: what can be brought back, and what not.

Histories bring back journal and read tables. The register of the archive is brought back from the archive's own files.
Checkpoints and entries of other registers are in no history: what is known of them is named.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from temporalio.converter import PayloadCodec

from audit.checkpoint import Checkpoint
from audit.closed_run import ArchiveDamaged, RunOpen, content_digest_of, read_closed, sha256, unpacked
from audit.history import HistoryUnreadable
from domain.seal import SealedEvent
from storage.archive_files import ListedArchive, NotArchived, location_of, named_in
from storage.archived_runs import ArchivedRun
from storage.checkpoints import Checkpoints
from storage.claims import missing_of, references_in
from storage.keyring import CiphertextDamaged, UnknownMasterKey
from storage.metadata import utc_now
from storage.registers import Registers


@dataclass(frozen=True)
class PutBack:
    """Events of a delegation that the journal did not have, or had otherwise, between these numbers."""

    delegation: str
    first_seq: int
    last_seq: int
    events: int


@dataclass(frozen=True)
class Lost:
    """Entries of a register that nothing here can bring back: how many, and whose file named them, or which numbers."""

    register: Literal["checkpoints", "persons", "texts", "attachments"]
    count: int
    delegation: str | None = None
    first: int | None = None
    last: int | None = None


def put_back(
    delegation: str, stored: Iterable[tuple[int, SealedEvent | None]], events: Sequence[SealedEvent]
) -> PutBack | None:
    """Return what a journal lacked, or had otherwise, of the events that were put in its place."""
    kept = dict(stored)
    differing = [event.seq for event in events if kept.get(event.seq) != event]
    return PutBack(delegation, differing[0], differing[-1], len(differing)) if differing else None


class Restoring:
    """Brings back what an older backup lacks beside the journal, and says what is lost."""

    def __init__(self, registers: Registers, codec: PayloadCodec | None) -> None:
        self._registers = registers
        self._codec = codec

    async def adopted(self) -> list[ArchivedRun]:
        """Enter the archived histories that the register does not name, and return them.

        Only what is whole, opens under our keys and stands where a history of ours would.
        """
        files = self._registers.archive_files
        if not isinstance(files, ListedArchive):
            return []
        places = {named[1]: location for location in await files.locations() if (named := named_in(location))}
        unknown = places.keys() - await self._registers.archived_runs.known(places)
        found = [await self._adopt(*_named(places[run_id]), places[run_id]) for run_id in sorted(unknown)]
        return [run for run in found if run is not None]

    async def _adopt(self, delegation: str, run_id: str, location: str) -> ArchivedRun | None:
        try:
            stored = await self._registers.archive_files.read(location)
            digest = sha256(stored)
            history = await asyncio.to_thread(unpacked, stored, delegation, run_id, digest, location)
            said = await read_closed(history, self._codec)
        except (NotArchived, ArchiveDamaged, RunOpen, HistoryUnreadable, CiphertextDamaged, UnknownMasterKey):
            return None
        if location_of(said.delegation, said.first_seq, said.run_id) != location:
            return None
        run = ArchivedRun(
            delegation=said.delegation,
            run_id=said.run_id,
            first_seq=said.first_seq,
            last_seq=said.last_seq,
            prev_head=said.prev_head.hash,
            head=said.head.hash,
            digest=digest,
            content_digest=content_digest_of(stored) or "",
            size=len(stored),
            location=location,
            following=said.following,
            closed_at=said.closed_at,
            archived_at=utc_now(),
        )
        return run if await self._registers.archived_runs.enter(run) else None

    async def lost_checkpoints(self, copies: Sequence[Checkpoint]) -> list[Lost]:
        """Return which checkpoints are kept elsewhere and are newer than every one here."""
        latest = await Checkpoints(self._registers.database).latest()
        newer = sorted(one.number for one in copies if latest is None or one.number > latest.number)
        return [Lost("checkpoints", len(newer), first=newer[0], last=newer[-1])] if newer else []

    async def lost_entries(self, delegation: str, events: Sequence[SealedEvent]) -> list[Lost]:
        """Return how many people, texts and files that these events name are in no register."""
        missing = await missing_of(self._registers.database, references_in([event.data for event in events]))
        counts: list[Lost] = [
            Lost("persons", len(missing.persons), delegation),
            Lost("texts", len(missing.texts), delegation),
            Lost("attachments", len(missing.attachments), delegation),
        ]
        return [one for one in counts if one.count]


def _named(location: str) -> tuple[str, str]:
    delegation, run_id = named_in(location) or ("", "")
    return delegation, run_id
