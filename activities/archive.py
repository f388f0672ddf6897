"""Archiving closed runs: each one's history is stored as it is, and its row entered and sealed.

The file comes first, its row after: whoever dies between the two leaves a file that the next round finds in its place,
the same, and enters.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.beating import beating
from activities.closed_runs import ClosedRuns, Found
from audit.closed_run import ClosedRun, RunOpen, content_digest_of, packed, read_closed, sha256
from audit.history import HistoryUnreadable
from storage.archive_files import ArchiveUnavailable, location_of
from storage.archived_runs import ArchivedRun, ArchiveState
from storage.errors import StoreUnavailable
from storage.keyring import CiphertextDamaged, UnknownMasterKey
from storage.metadata import utc_now
from storage.registers import Registers
from workflows import ports
from workflows.ports import Archived, ArchiveInput

log = structlog.get_logger()


class NotTaken(Exception):
    """A run cannot be archived as it is; the others can. `code` says why.

    `run_lost`: nobody has its history. `history_unreadable`, `key_unknown`: its place in the trail cannot be told.
    `place_taken`: another file stands where it belongs, so somebody wrote into the archive.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Round:
    """One round under way: what waits by the ids of runs, and why something of it was not taken."""

    looked_at: datetime
    waiting: dict[str, Found]
    archived: int = 0
    failure: str | None = None
    passed_over: set[str] = field(default_factory=set)

    def next(self) -> Found | None:
        """Return the run that has been closed for the longest time, of those not tried in this round."""
        untried = (one for run_id, one in self.waiting.items() if run_id not in self.passed_over)
        return min(untried, key=lambda one: (one.closed_at, one.run_id), default=None)

    def state(self) -> ArchiveState:
        """Return what is kept of the round."""
        oldest = min((one.closed_at for one in self.waiting.values()), default=None)
        return ArchiveState(len(self.waiting), oldest, self.failure, self.looked_at)


class Archiving:
    """Archives the closed runs of an installation."""

    def __init__(self, client: Client, registers: Registers, retention: timedelta) -> None:
        """`client` carries the installation's data converter; `retention` is for how long the server keeps runs."""
        self._client = client
        self._codec = client.data_converter.payload_codec
        self._runs = registers.archived_runs
        self._files = registers.archive_files
        self._closed_runs = ClosedRuns(client, registers.archived_runs, registers.journal, registers.queries)
        self._retention = retention

    @activity.defn(name=ports.ARCHIVE_RUNS)
    async def archive(self, asked: ArchiveInput) -> Archived:
        """Archive closed runs, the longest closed first. What a worker that died had archived is not done again.

        Fails with ARCHIVE_UNAVAILABLE or store_unavailable; what stands in the archive by then is whole.
        """
        try:
            async with beating():
                return await self.round(limit=asked.limit)
        except ArchiveUnavailable as error:
            raise ApplicationError(str(error), type=ports.ARCHIVE_UNAVAILABLE) from None
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None

    async def round(self, *, limit: int = 1_000) -> Archived:
        """Archive up to `limit` runs, keep what was found, and sound the alarm where it is due.

        Also for whoever is no activity. Raises ArchiveUnavailable, which is kept too, and StoreUnavailable.
        """
        looked_at = utc_now()
        current = Round(looked_at, await self._closed_runs.unarchived())
        try:
            await self._files.sweep()
            while current.archived < limit and (found := current.next()) is not None:
                await self._treat(current, found)
        except ArchiveUnavailable as unavailable:
            current.failure = unavailable.reason
            await self._keep(current)
            raise
        await self._keep(current)
        state = current.state()
        return Archived(archived=current.archived, waiting=state.waiting, oldest=state.oldest, failure=state.failure)

    async def _treat(self, current: Round, found: Found) -> None:
        try:
            run = await self._take(found)
        except NotTaken as refused:
            log.error(refused.code, delegation=found.delegation, run=found.run_id)
            current.failure = current.failure or refused.code
            current.passed_over.add(found.run_id)
        except RunOpen:
            # The list was wrong about it.
            del current.waiting[found.run_id]
        else:
            current.archived += 1
            del current.waiting[found.run_id]
            for beside in await self._closed_runs.beside(run):
                current.waiting.setdefault(beside.run_id, beside)

    async def _take(self, found: Found) -> ClosedRun:
        if found.is_lost:
            raise NotTaken("run_lost")
        handle = self._client.get_workflow_handle(found.delegation, run_id=found.run_id)
        try:
            history = await handle.fetch_history()
            # One that was reset says in its history which run it began as.
            run = replace(await read_closed(history, self._codec), run_id=found.run_id)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            raise NotTaken("run_lost") from None
        except HistoryUnreadable:
            raise NotTaken("history_unreadable") from None
        except (CiphertextDamaged, UnknownMasterKey):
            raise NotTaken("key_unknown") from None
        pack = await asyncio.to_thread(packed, history)
        location = location_of(run.delegation, run.first_seq, run.run_id)
        stands = await self._files.keep(location, pack.stored)
        # The same history may have been packed by another release of the library that packs.
        if stands != pack.stored and content_digest_of(stands) != pack.content_digest:
            raise NotTaken("place_taken")
        await self._runs.enter(
            ArchivedRun(
                delegation=run.delegation,
                run_id=run.run_id,
                first_seq=run.first_seq,
                last_seq=run.last_seq,
                prev_head=run.prev_head.hash,
                head=run.head.hash,
                digest=sha256(stands),
                content_digest=pack.content_digest,
                size=len(stands),
                location=location,
                following=run.following,
                closed_at=run.closed_at,
                archived_at=utc_now(),
            )
        )
        return run

    async def _keep(self, current: Round) -> None:
        state, now = current.state(), utc_now()
        if alarm := state.alarm(now, self._retention):
            seconds = int(state.waited(now).total_seconds())
            log.warning(alarm, waiting=state.waiting, waited_seconds=seconds, reason=state.failure)
        await self._runs.note(state)
