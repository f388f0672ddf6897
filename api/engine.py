"""The way of a command from the API into its delegation's workflow, and of its result into the journal."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RetryConfig, RPCError, RPCStatusCode

from api.write_through import WriteThrough
from domain.canonical import digest_of
from domain.decision import Envelope, Receipt, Refusal
from domain.evolve import fold
from domain.seal import SealedEvent
from domain.state import Phase
from domain.values import Factor
from storage.engine import Database
from storage.errors import StoreUnavailable
from storage.projection import Projection
from storage.queries import Queries
from workflows.carried import Carried, unopened
from workflows.ports import Ended

WORKFLOW = "Delegation"
UPDATE = "execute"
AT_ONCE = 8
"""Commands in flight for one delegation; the server's limit is 10, and queueing here is cheaper than its refusals."""

STORE_TRUSTED_FOR = 1.0
"""Seconds for which a store that has answered is not asked again whether it does."""

OWN_RETRIES = RetryConfig(max_retries=1)
"""For the client that an engine is given, which tries again by itself.

The SDK would wait a second before it sends a command again that came while a run was being continued as new
(RESOURCE_EXHAUSTED, "workflow is closing"): once in 150 commands of a file.
"""

ANSWER_WITHIN = timedelta(seconds=10)
GIVE_UP_AFTER = timedelta(seconds=25)
TASK_TIMEOUT = timedelta(seconds=2)
"""After a worker was killed its workflows wait this long for another one."""

PROOF = {"open_delegation": "DelegationOpened", "close_delegation": "DelegationClosed"}

PASSING = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
    }
)


class CommandRefused(Exception):
    """A business refusal, with its stable code."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class KeyReused(Exception):
    """The same Idempotency-Key came with another body."""


class EngineUnavailable(Exception):
    """No answer in time. The command may still be decided: the same key asks for the same result."""


class StoreBehind(Exception):
    """The read model does not yet have what a run that has ended says it recorded."""


class DecisionFailed(Exception):
    """The decision broke on our side; nothing was changed."""


def command_id_of(delegation: str, actor: str, key: str) -> str:
    """Return the id of a request: the same caller, delegation and key have it again."""
    return digest_of([actor, delegation, key])[:40]


def enveloped(
    delegation: str,
    commands: Sequence[dict[str, Any]],
    *,
    actor: str,
    key: str,
    factor: Factor | None = None,
    factor_at: datetime | None = None,
) -> Envelope:
    """Return commands as one request. The digest is over them alone: a repetition may come by another factor."""
    commands = tuple(commands)
    return Envelope(
        delegation=delegation,
        command_id=command_id_of(delegation, actor, key),
        actor=actor,
        commands=commands,
        digest=digest_of(commands),
        factor=factor,
        factor_at=factor_at,
    )


class Engine:
    """Executes commands on delegations."""

    def __init__(
        self,
        client: Client,
        task_queue: str,
        database: Database,
        projection: Projection,
        queries: Queries,
        *,
        announce: Callable[[str], None] = lambda delegation: None,
    ) -> None:
        """`client` carries the data converter of this installation; `announce` hears which file has new events."""
        self._client = client
        self._task_queue = task_queue
        self._database = database
        self._written = WriteThrough(projection)
        self._queries = queries
        self._announce = announce
        self._store_trusted_until = 0.0
        self._store_doubted = False
        self._asking_store: asyncio.Task[bool] | None = None
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def execute(
        self,
        delegation: str,
        commands: Sequence[dict[str, Any]],
        *,
        actor: str,
        key: str,
        factor: Factor | None = None,
        factor_at: datetime | None = None,
    ) -> Receipt:
        """Send commands, decided as one, and return their receipt once the journal has the events.

        `key` is the caller's Idempotency-Key: the same key and body have the same result, however often sent. `factor`
        is by what the caller is known, since `factor_at` (the time of the wall). Raises
        CommandRefused, KeyReused, DecisionFailed, EngineUnavailable, and StoreUnavailable before anything was sent.
        """
        await self._require_store()
        receipt = await self.send(
            enveloped(delegation, commands, actor=actor, key=key, factor=factor, factor_at=factor_at)
        )
        await self._write(delegation, receipt.events)
        return receipt

    async def send(self, envelope: Envelope) -> Receipt:
        """Return the delegation's own answer; its events reach the journal by the outbox. Raises as `execute`."""
        async with self._turns.setdefault(envelope.delegation, asyncio.Semaphore(AT_ONCE)):
            return await self._send(envelope)

    async def _require_store(self) -> None:
        # A store that falls silent within the second is still told from a refusal: the decision asks it too.
        if asyncio.get_running_loop().time() < self._store_trusted_until:
            return
        # One asks for all who come meanwhile, and all hear the same answer.
        if self._asking_store is None or self._asking_store.done():
            self._asking_store = asyncio.create_task(self._ask_store())
        if not await asyncio.shield(self._asking_store):
            raise StoreUnavailable("disconnected")

    async def _ask_store(self) -> bool:
        # After a failed write only a write proves that the store is back: a full disk takes everything else.
        answers = await self._database.answers(by_writing=self._store_doubted)
        if answers:
            self._store_doubted = False
            self._store_trusted_until = asyncio.get_running_loop().time() + STORE_TRUSTED_FOR
        return answers

    async def _send(self, envelope: Envelope) -> Receipt:
        # The body's digest is part of it: the server answers a known update id without looking at the body.
        first_id = f"{envelope.command_id}.{envelope.digest[:16]}"
        update_id, pause = first_id, 0.02
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP_AFTER.total_seconds()):
                for failures in range(1_000):
                    try:
                        return await self._update(envelope, update_id)
                    except WorkflowUpdateFailedError as failed:
                        kind = await self._judge(failed, envelope.delegation)
                        if kind != "draining":
                            # The server repeats this failure for ever under the same update id; another id is safe,
                            # since the delegation knows its commands by their own id.
                            if failures >= 2 and kind == "store_unavailable":
                                raise StoreUnavailable("disconnected") from None
                            if failures >= 2:
                                raise DecisionFailed from None
                            update_id = f"{first_id}.{uuid4().hex[:12]}"
                    except (WorkflowUpdateRPCTimeoutOrCancelledError, StoreBehind):
                        pass
                    except RPCError as error:
                        if error.status is RPCStatusCode.NOT_FOUND:
                            if receipt := await self._missing(envelope):
                                return receipt
                        elif error.status not in PASSING:
                            raise
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 0.5)
        raise EngineUnavailable

    async def _update(self, envelope: Envelope, update_id: str) -> Receipt:
        kind = envelope.commands[0].get("type")
        carried: Carried | None = None
        if kind == "open_delegation":
            file = await self._queries.get(envelope.delegation)
            if file is not None and file.state.phase is Phase.CLOSED:
                return await self._decided_before(envelope, Refusal(code="delegation_exists"))
            carried = unopened(envelope.delegation)
        elif kind == "reopen_delegation":
            carried = await self._closed(envelope.delegation)
        if carried is None:
            handle = self._client.get_workflow_handle(envelope.delegation)
            receipt: Receipt = await handle.execute_update(
                UPDATE, envelope, id=update_id, result_type=Receipt, rpc_timeout=ANSWER_WITHIN
            )
            return receipt
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            WORKFLOW,
            carried,
            id=envelope.delegation,
            task_queue=self._task_queue,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        opened: Receipt = await self._client.execute_update_with_start_workflow(
            UPDATE,
            envelope,
            start_workflow_operation=start,
            id=update_id,
            result_type=Receipt,
            rpc_timeout=ANSWER_WITHIN,
        )
        return opened

    async def _closed(self, delegation: str) -> Carried | None:
        """Return what a closed file is opened again with, or None while a run goes on and takes the command itself.

        A run that was closed still records what came of its last effects: its head is the last one once it has ended.
        Raises StoreBehind while the read model does not have it.
        """
        handle = self._client.get_workflow_handle(delegation, result_type=Ended)
        last = 0
        try:
            if (await handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                return None
            last = (await handle.result()).head.seq
        except WorkflowFailureError:
            # Somebody ended it by hand: nobody knows better than the journal.
            pass
        except RPCError as error:
            # Never opened, or closed so long ago that the server has deleted it.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        file = await self._queries.get(delegation)
        if file is None:
            raise CommandRefused(Refusal(code="delegation_unknown"))
        if file.head.seq < last:
            raise StoreBehind
        return Carried(delegation=delegation, state=file.state, head=file.head)

    async def _judge(self, failed: WorkflowUpdateFailedError, delegation: str) -> str:
        cause = failed.cause
        if not isinstance(cause, ApplicationError):
            return "decision_failed"
        if cause.type == "refused":
            refusal = Refusal.model_validate(cause.details[0])
            evidence = tuple(SealedEvent.model_validate(event) for event in cause.details[1])
            await self._write(delegation, evidence)
            raise CommandRefused(refusal) from None
        if cause.type == "idempotency_key_reused":
            raise KeyReused from None
        return cause.type or "decision_failed"

    async def _missing(self, envelope: Envelope) -> Receipt | None:
        """No run takes the command: the file is closed, or was never opened, or its next run is just starting."""
        file = await self._queries.get(envelope.delegation)
        if file is None:
            raise CommandRefused(Refusal(code="delegation_unknown"))
        kind = str(envelope.commands[0].get("type"))
        if file.state.phase is not Phase.CLOSED or kind == "reopen_delegation":
            return None
        return await self._decided_before(envelope, Refusal(code="delegation_closed", params={"command": kind}))

    async def _decided_before(self, envelope: Envelope, refusal: Refusal) -> Receipt:
        """Answer the repetition of what opened or closed a file that is closed now; raise the refusal for all else.

        A closed run remembers nothing for us. The journal knows the command's id but not its body, so only commands
        that left the event which proves them are answered.
        """
        events = await self._queries.events(envelope.delegation)
        mine = [event for event in events if event.command_id == envelope.command_id]
        proofs = {PROOF.get(str(command.get("type"))) for command in envelope.commands}
        if not proofs & {event.type for event in mine}:
            raise CommandRefused(refusal)
        state = fold(events[: mine[-1].seq])
        return Receipt(
            delegation=envelope.delegation,
            command_id=envelope.command_id,
            first_seq=mine[0].seq,
            last_seq=mine[-1].seq,
            head=mine[-1].hash,
            phase=state.phase if state else "",
            types=tuple(event.type for event in mine),
            repeated=True,
        )

    async def _write(self, delegation: str, events: Sequence[SealedEvent]) -> None:
        if not events:
            return
        if await self._written.write(delegation, events):
            self._announce(delegation)
        else:
            self._store_doubted, self._store_trusted_until = True, 0.0
