"""Finding the closed runs that are not archived, by several ways, since each alone may miss one.

The server's list of runs lags behind and may lack one (visibility is eventually consistent). So besides asking it, a
chain of continue-as-new is walked: back from every open run, on from every archived one; runs of closed files are asked
whether they ended, and delegations that the journal knows and the list does not are asked for by their id. A file that
was reopened has several chains.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryRequest
from temporalio.client import Client
from temporalio.client import WorkflowExecution as Listed
from temporalio.service import RPCError, RPCStatusCode

from audit.closed_run import ClosedRun
from audit.histories import DELEGATION
from domain.state import Phase
from storage.archived_runs import ArchivedRuns
from storage.journal import Journal
from storage.metadata import utc_now
from storage.queries import Queries

PAGE = 500


@dataclass(frozen=True)
class Found:
    """A closed run that is not archived. `is_lost`: neither the server nor the archive has it."""

    delegation: str
    run_id: str
    closed_at: datetime
    is_lost: bool = False


class RunGone(Exception):
    """The server has no such run."""


class ClosedRuns:
    """Looks for closed runs."""

    def __init__(self, client: Client, archived: ArchivedRuns, journal: Journal, queries: Queries) -> None:
        self._client = client
        self._archived = archived
        self._journal = journal
        self._queries = queries
        self._followed: set[str] = set()

    async def unarchived(self) -> dict[str, Found]:
        """Return every closed run that is not archived, by its id. Raises RPCError and StoreUnavailable."""
        found: dict[str, Found] = {}
        seen, over = set(await self._archived.runs()), await self._queries.ids_in(Phase.CLOSED)
        async for page in self._listed():
            seen.update(one.id for one in page)
            closed = {one.run_id: one for one in page if one.close_time is not None}
            for run_id in closed.keys() - await self._archived.known(closed):
                found[run_id] = Found(closed[run_id].id, run_id, closed[run_id].close_time or utc_now())
            for one in page:
                if one.close_time is None:
                    if one.id in over:
                        # The list may not know yet that it ended.
                        await self._take(found, one.id, one.run_id)
                    await self._follow_back(found, one.id, one.run_id)
        for delegation, run_id in await self._archived.continued():
            await self._take(found, delegation, run_id)
        for delegation in sorted(set(await self._journal.heads()) - seen):
            await self._take_by_id(found, delegation)
        return found

    async def beside(self, run: ClosedRun) -> list[Found]:
        """Return the runs before and after a closed one that are closed and not archived."""
        found: dict[str, Found] = {}
        for run_id in (run.previous, run.following):
            if run_id is not None:
                await self._take(found, run.delegation, run_id)
        return list(found.values())

    async def _listed(self) -> AsyncIterator[list[Listed]]:
        page: list[Listed] = []
        async for one in self._client.list_workflows(f"WorkflowType = '{DELEGATION}'", page_size=PAGE):
            page.append(one)
            if len(page) == PAGE:
                yield page
                page = []
        yield page

    async def _take(self, found: dict[str, Found], delegation: str, run_id: str) -> None:
        """Take a run if it is closed and not archived. One that the server no longer has is lost then."""
        if await self._archived.known([run_id]):
            return
        try:
            closed_at = await self._closed_at(delegation, run_id)
        except RunGone:
            found.setdefault(run_id, Found(delegation, run_id, utc_now(), is_lost=True))
            return
        if closed_at is not None:
            found.setdefault(run_id, Found(delegation, run_id, closed_at))

    async def _take_by_id(self, found: dict[str, Found], delegation: str) -> None:
        with suppress(RunGone):
            run_id = await self._current(delegation)
            await self._take(found, delegation, run_id)
            await self._follow_back(found, delegation, run_id)

    async def _follow_back(self, found: dict[str, Found], delegation: str, run_id: str) -> None:
        """Go from a run towards the beginning of its chain, up to a run that is archived or found already.

        A run that needed no going is not looked at again by this worker: its past stays as it is.
        """
        if run_id in self._followed:
            return
        this, known = run_id, len(found)
        with suppress(RunGone):
            while (before := await self._previous(delegation, this)) is not None and before not in found:
                if await self._archived.known([before]):
                    break
                await self._take(found, delegation, before)
                this = before
            if len(found) == known and before not in found:
                self._followed.add(run_id)

    async def _closed_at(self, delegation: str, run_id: str) -> datetime | None:
        try:
            return (await self._client.get_workflow_handle(delegation, run_id=run_id).describe()).close_time
        except RPCError as error:
            raise _gone(error) from None

    async def _current(self, delegation: str) -> str:
        try:
            return (await self._client.get_workflow_handle(delegation).describe()).run_id
        except RPCError as error:
            raise _gone(error) from None

    async def _previous(self, delegation: str, run_id: str) -> str | None:
        """The run that a run continues, out of the first event of its history."""
        asked = GetWorkflowExecutionHistoryRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=delegation, run_id=run_id),
            maximum_page_size=1,
        )
        try:
            answer = await self._client.workflow_service.get_workflow_execution_history(asked)
        except RPCError as error:
            raise _gone(error) from None
        started = answer.history.events[0].workflow_execution_started_event_attributes
        return started.continued_execution_run_id or None


def _gone(error: RPCError) -> Exception:
    return RunGone() if error.status is RPCStatusCode.NOT_FOUND else error
