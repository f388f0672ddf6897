"""The steps of erasing a person. Each finds what it removes by references, and may be repeated after any crash."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.beating import beating
from activities.documents import Documents
from documents.typeset import TypesettingFailed
from domain.erasure import Step, Traces
from domain.seal import SealedEvent
from storage.erasures import Erasure, Erasures
from storage.metadata import utc_now
from storage.redaction import SCRUBBED
from storage.registers import Registers
from workflows import ports
from workflows.ports import ErasureInput, StepDone, StepInput

log = structlog.get_logger()

WORKFLOW = "Erasure"
ANSWER_WITHIN = timedelta(seconds=2)

Work = Callable[[Erasure, Traces], Awaitable[int]]


async def begin(client: Client | None, task_queue: str, erasure: Erasure) -> None:
    """Start what carries an erasure out, unless it was started; never fails: what is not begun now begins later."""
    if client is None:
        log.warning("erasure_not_begun", erasure=erasure.id, reason="temporal_unreachable")
        return
    try:
        await client.start_workflow(
            WORKFLOW,
            ErasureInput(erasure=erasure.id),
            # A colon: no delegation has such an id.
            id=f"erasure:{erasure.id}",
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            rpc_timeout=ANSWER_WITHIN,
        )
    except WorkflowAlreadyStartedError:
        return
    except RPCError as error:
        log.warning("erasure_not_begun", erasure=erasure.id, reason=error.status.name)
    except RuntimeError:
        # The SDK's own kind for a server that never answered.
        log.warning("erasure_not_begun", erasure=erasure.id, reason="temporal_unreachable")


async def begin_agreed(client: Client, task_queue: str, erasures: Erasures) -> None:
    """Start everything that was agreed and not carried out: it makes up for an API that died in between."""
    for erasure in await erasures.known(state="agreed"):
        await begin(client, task_queue, erasure)


class StoreBusy(Exception):
    """Somebody reads the files that are to be cleaned: a later attempt finds them free."""


class Erasing:
    """Carries out what two administrators agreed to."""

    def __init__(self, registers: Registers, documents: Documents) -> None:
        """Take the collaborators of this installation."""
        self._registers = registers
        self._documents = documents
        self._works: dict[Step, Work] = {
            "look": self._nothing,
            "look_again": self._look_again,
            "person": self._person,
            "accounts": self._accounts,
            "feeds": self._feeds,
            "mails": self._mails,
            "received": self._received,
            "documents": self._rendered,
            "render": self._render,
            "scrub": self._scrub,
            "close": self._close,
        }

    @activity.defn(name=ports.ERASE_STEP)
    async def step(self, asked: StepInput) -> StepDone:
        """Carry one step out; nothing is done that nobody agreed to."""
        async with beating():
            entry = await self._registers.erasures.get(asked.erasure)
            if entry is None or entry.state not in ("agreed", "carried_out"):
                return StepDone()
            traces = entry.traces or await self._look(entry)
            removed = await self._works[asked.step](entry, traces)
            if removed:
                await self._registers.erasures.note_done(entry.id, asked.step, removed)
        return StepDone(removed=removed)

    async def _look(self, entry: Erasure) -> Traces:
        found = await self._registers.trace_finder.look(entry.person)
        return await self._registers.erasures.note_traces(entry.id, found)

    async def _look_again(self, entry: Erasure, traces: Traces) -> int:
        found = await self._registers.trace_finder.look_again(entry.person, traces)
        if found != traces:
            await self._registers.erasures.note_traces(entry.id, found, again=True)
        return 0

    async def _nothing(self, entry: Erasure, traces: Traces) -> int:
        return 0

    async def _person(self, entry: Erasure, traces: Traces) -> int:
        versions = len(await self._registers.persons.every_version(entry.person))
        await self._registers.persons.erase(entry.person)
        async with self._registers.database.writing() as connection:
            await self._registers.person_requests.forget_texts_of(connection, entry.person, utc_now())
        return versions

    async def _accounts(self, entry: Erasure, traces: Traces) -> int:
        return await self._registers.redaction.accounts(traces)

    async def _feeds(self, entry: Erasure, traces: Traces) -> int:
        return await self._registers.redaction.feeds(entry.person, traces)

    async def _mails(self, entry: Erasure, traces: Traces) -> int:
        return await self._registers.redaction.mails(entry.person, traces)

    async def _received(self, entry: Erasure, traces: Traces) -> int:
        return await self._registers.redaction.received(entry.id, entry.person, traces)

    async def _rendered(self, entry: Erasure, traces: Traces) -> int:
        return await self._registers.attachments.erase(traces.documents, utc_now())

    async def _render(self, entry: Erasure, traces: Traces) -> int:
        """Render anew, without the person, what was erased because it named them."""
        gone = await self._registers.attachments.erased(traces.documents)
        made = 0
        lacking = {digest for digest, by in gone.items() if by is None}
        for delegation, event in await self._that_rendered(lacking, {traces.documents[one] for one in lacking}):
            try:
                anew = await self._documents.render_anew(delegation, event)
            except TypesettingFailed:
                # What names the person is gone; that nothing stands in its place must not keep the rest undone.
                log.warning("not_rendered_anew", delegation=delegation, seq=event.seq)
                continue
            for digest, by in anew.items():
                await self._registers.attachments.replace(digest, by)
                made += 1
        return made

    async def _that_rendered(self, digests: set[str], files: set[str]) -> list[tuple[str, SealedEvent]]:
        found = await self._registers.journal.of_type("DocumentRendered", delegations=files)
        return [
            (delegation, event)
            for delegation, event in found
            if digests & {version["attachment"]["digest"] for version in event.data["versions"]}
        ]

    async def _scrub(self, entry: Erasure, traces: Traces) -> int:
        if not await self._registers.database.rewrite([table.name for table in SCRUBBED]):
            raise StoreBusy
        return 0

    async def _close(self, entry: Erasure, traces: Traces) -> int:
        await self._registers.erasures.close(entry.id)
        return 0
