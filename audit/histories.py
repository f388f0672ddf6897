"""Reading delegations' histories from the Temporal server, all runs of each.

The server's list of runs lags behind (visibility is eventually consistent), so nothing is believed because of it: the
current run is asked for by its delegation, and a trail counts as read only when its chain has no gap.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta

from temporalio.client import Client
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError, RPCStatusCode

from audit.history import Place, Run, RunMissing, joined, read_run
from domain.seal import SealedEvent

DELEGATION = "Delegation"
"""The workflow's type."""

PAUSE = 0.1


class NoHistory(Exception):
    """The server has no run of this delegation."""

    def __init__(self, delegation: str) -> None:
        super().__init__(f"no history of {delegation}")
        self.delegation = delegation


class Histories:
    """The histories of one namespace."""

    def __init__(
        self, client: Client, codec: PayloadCodec | None, *, patience: timedelta = timedelta(seconds=5)
    ) -> None:
        """`patience`: how long to wait for a run that the server's list does not name yet."""
        self._client = client
        self._codec = codec
        self._patience = patience.total_seconds()

    async def runs(self, delegation: str | None = None) -> dict[str, list[str]]:
        """Return the ids of the runs of each delegation (or of one), as far as the server's list knows them."""
        query = f"WorkflowType = '{DELEGATION}'"
        if delegation is not None:
            query += f" AND WorkflowId = '{delegation}'"
        found: dict[str, list[str]] = defaultdict(list)
        async for listed in self._client.list_workflows(query):
            found[listed.id].append(listed.run_id)
        return dict(found)

    async def trail(self, delegation: str, runs: Collection[str] = (), *, at_least: int = 0) -> list[SealedEvent]:
        """Return a delegation's verified trail; `runs` are the ids known so far.

        `at_least` is the number of events that somebody has seen already: a shorter trail is read again until the
        patience is over, and returned then. Raises NoHistory, ChainBroken (RunMissing after the patience is over) and
        HistoryUnreadable.
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

    async def places(self, delegation: str) -> dict[str, Place]:
        """Return where each sealed event stands, by its hash, as far as histories of it are there.

        Raises NoHistory, and HistoryUnreadable.
        """
        runs = (await self.runs(delegation)).get(delegation, [])
        return {
            digest: Place(run.run_id, event_id)
            for run in await self._runs_of(delegation, runs)
            for digest, event_id in run.places.items()
        }

    async def _read(self, delegation: str, runs: Collection[str]) -> list[SealedEvent]:
        return joined(await self._runs_of(delegation, runs))

    async def _runs_of(self, delegation: str, runs: Collection[str]) -> list[Run]:
        known = [*runs]
        try:
            current = (await self._client.get_workflow_handle(delegation).describe()).run_id
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        else:
            known = [*dict.fromkeys([*known, current])]
        read = [await self._run(delegation, run) for run in known]
        found = [run for run in read if run is not None]
        if not found:
            raise NoHistory(delegation)
        return found

    async def _run(self, delegation: str, run_id: str) -> Run | None:
        try:
            history = await self._client.get_workflow_handle(delegation, run_id=run_id).fetch_history()
        except RPCError as error:
            # Past its retention: its name stays in the list a little longer.
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return await read_run(history, self._codec)
