"""Reading delegations' histories, all runs of each: from the Temporal server, and from the archive what it deleted.

The server's list of runs lags behind (visibility is eventually consistent), so nothing is believed because of it: the
current run is asked for by its delegation, and a trail counts as read only when its chain has no gap.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from temporalio.client import Client, WorkflowHistory
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError, RPCStatusCode

from audit.closed_run import ArchiveDamaged, unpacked
from audit.history import HistoryUnreadable, Place, Run, RunMissing, joined, read_run
from domain.seal import SealedEvent

DELEGATION = "Delegation"
"""The workflow's type."""

PAUSE = 0.1


class NoHistory(Exception):
    """The server has no run of this delegation."""

    def __init__(self, delegation: str) -> None:
        super().__init__(f"no history of {delegation}")
        self.delegation = delegation


class Trails(Protocol):
    """Where whole trails are read from."""

    async def runs(self) -> dict[str, list[str]]:
        """Return the ids of the known runs of each delegation."""
        ...

    async def trail(self, delegation: str, runs: Collection[str] = (), *, at_least: int = 0) -> list[SealedEvent]:
        """Return a delegation's verified trail; see Histories."""
        ...


class Archived(Protocol):
    """A run in the archive: where it stands there, and the SHA-256 (hex) of what stands there."""

    @property
    def run_id(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def location(self) -> str: ...


class ArchiveIndex(Protocol):
    """Knows what is archived."""

    async def runs(self) -> Mapping[str, Sequence[str]]:
        """Return the ids of the archived runs of each delegation."""
        ...

    async def of(self, delegation: str) -> Sequence[Archived]:
        """Return a delegation's archived runs."""
        ...


class ArchiveStore(Protocol):
    """Has what is archived."""

    async def read(self, location: str) -> bytes:
        """Return what stands at a place. Raises LookupError where nothing does."""
        ...


class Archive:
    """Archived histories, as a second source beside the server."""

    def __init__(self, index: ArchiveIndex, store: ArchiveStore) -> None:
        self._index = index
        self._store = store

    async def runs(self, delegation: str | None = None) -> dict[str, list[str]]:
        """Return the ids of the archived runs of each delegation, or of one."""
        if delegation is None:
            return {one: list(runs) for one, runs in (await self._index.runs()).items()}
        found = [one.run_id for one in await self._index.of(delegation)]
        return {delegation: found} if found else {}

    async def history(self, delegation: str, run_id: str) -> WorkflowHistory | None:
        """Return an archived history whose digest is right, or None for a run that is not archived.

        Raises ArchiveDamaged, which names its place, for one that is missing there or is not what was archived.
        """
        for one in await self._index.of(delegation):
            if one.run_id == run_id:
                try:
                    stored = await self._store.read(one.location)
                except LookupError:
                    raise ArchiveDamaged(delegation, run_id, one.location, "missing") from None
                return await asyncio.to_thread(unpacked, stored, delegation, run_id, one.digest, one.location)
        return None


class Histories:
    """The histories of one namespace."""

    def __init__(
        self,
        client: Client,
        codec: PayloadCodec | None,
        *,
        archive: Archive | None = None,
        patience: timedelta = timedelta(seconds=5),
    ) -> None:
        """`archive` has the runs that the server deleted.

        `patience`: how long to wait for a run that the server's list does not name yet.
        """
        self._client = client
        self._codec = codec
        self._archive = archive
        self._patience = patience.total_seconds()

    async def runs(self, delegation: str | None = None) -> dict[str, list[str]]:
        """Return the ids of the runs of each delegation (or of one), as far as server's list and archive know them."""
        query = f"WorkflowType = '{DELEGATION}'"
        if delegation is not None:
            query += f" AND WorkflowId = '{delegation}'"
        found: dict[str, list[str]] = defaultdict(list)
        async for listed in self._client.list_workflows(query):
            found[listed.id].append(listed.run_id)
        if self._archive is not None:
            for one, runs in (await self._archive.runs(delegation)).items():
                found[one] = [*dict.fromkeys([*found[one], *runs])]
        return dict(found)

    async def trail(self, delegation: str, runs: Collection[str] = (), *, at_least: int = 0) -> list[SealedEvent]:
        """Return a delegation's verified trail; `runs` are the ids known so far.

        `at_least` is the number of events that somebody has seen already: a shorter trail is read again until the
        patience is over, and returned then. Raises NoHistory, ChainBroken (RunMissing after the patience is over),
        HistoryUnreadable, and ArchiveDamaged where the archive is needed and has not what was archived.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience
        while True:
            try:
                events = await self._read(delegation, runs)
                if len(events) >= at_least or loop.time() > give_up:
                    return events
            except RunMissing:
                if loop.time() > give_up:
                    raise
            await asyncio.sleep(PAUSE)
            runs = {*runs, *(await self.runs(delegation)).get(delegation, ())}

    async def whole(self, delegation: str, runs: Collection[str] = ()) -> list[WorkflowHistory]:
        """Return the histories that there are of a delegation's runs; `runs` are the ids known so far.

        Nothing is verified. Raises ArchiveDamaged, but only with an archive.
        """
        read = [await self.history(delegation, run) for run in await self._known(delegation, runs)]
        return [history for history in read if history is not None]

    async def places(self, delegation: str) -> dict[str, Place]:
        """Return where each sealed event stands, by its hash, as far as histories of it are there and can be read."""
        found: dict[str, Place] = {}
        for run_id in await self._known(delegation, (await self.runs(delegation)).get(delegation, [])):
            with contextlib.suppress(HistoryUnreadable, ArchiveDamaged):
                if run := await self._run(delegation, run_id):
                    found |= {digest: Place(run_id, event_id) for digest, event_id in run.places.items()}
        return found

    async def _read(self, delegation: str, runs: Collection[str]) -> list[SealedEvent]:
        read = [await self._run(delegation, run) for run in await self._known(delegation, runs)]
        found = [run for run in read if run is not None]
        if not found:
            raise NoHistory(delegation)
        return joined(found)

    async def _known(self, delegation: str, runs: Collection[str]) -> list[str]:
        """The ids of runs, with those of the archive and the current one, which the server's list may not name yet."""
        known = [*runs]
        try:
            known.append((await self._client.get_workflow_handle(delegation).describe()).run_id)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        if self._archive is not None:
            known += (await self._archive.runs(delegation)).get(delegation, [])
        return [*dict.fromkeys(known)]

    async def _run(self, delegation: str, run_id: str) -> Run | None:
        history = await self.history(delegation, run_id)
        return None if history is None else await read_run(history, self._codec)

    async def history(self, delegation: str, run_id: str) -> WorkflowHistory | None:
        """Return the history of a run from the server, else from the archive; None where neither has it.

        Raises ArchiveDamaged.
        """
        try:
            return await self._client.get_workflow_handle(delegation, run_id=run_id).fetch_history()
        except RPCError as error:
            # Past its retention: its name stays in the list a little longer.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return None if self._archive is None else await self._archive.history(delegation, run_id)
