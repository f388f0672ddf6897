"""A delegation's clock, moved forward: the demo plays weeks in seconds, and deadlines still fire on the real server.

The server gives each workflow a virtual clock. Tried on server 1.32 (docs/decisions/0010-virtual-clock.md):

- A workflow that waits without any timer moves straight to the target (20 to 40 ms).
- With pending timers the clock stops at each; the timer fires, its workflow task and activities end, then it goes on.
- An activity in flight holds the clock back until it ends; so does a workflow task without a worker, for ever.
- A retry's backoff is skipped like a timer, so an activity that never succeeds is retried hundreds of times.
- Continue-as-new is followed and the target carried along, given `history.workflowIdReuseMinimalInterval="0s"`;
  otherwise a quick chain jumps over its deadlines.
- Any client may move any workflow; it need not have been started by a time-skipping client.
- A step of a microsecond can overshoot to the next timer; a millisecond never did.
- A run that starts anew (not by continue-as-new) begins at the time of the wall.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import TimeSkippingConfig as TimeSkippingOff
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig

SMALLEST_STEP = timedelta(milliseconds=1)


class ClockStopped(Exception):
    """The virtual clock did not reach its target: the message says where it stands and what holds it back."""


class VirtualClock:
    """Moves the clocks of workflows forward, one workflow at a time. `client` may be any client of the namespace."""

    def __init__(self, client: Client, *, patience: timedelta = timedelta(seconds=60)) -> None:
        """`patience`: how long, in real time, one `advance` may take before it gives up."""
        self._client = client
        self._patience = patience
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False, max_session_skip_count=100_000))

    async def now(self, workflow_id: str) -> datetime:
        """What the workflow takes for the present (UTC); the time of the wall if it was never moved."""
        return await self._skipper.get_current_time(self._handle(workflow_id))

    async def advance(self, workflow_id: str, to: datetime) -> datetime:
        """Moves the workflow's clock to the instant `to`; everything due on the way fires and ends on the way.

        Returns the clock's time afterwards, at or a few milliseconds after `to`. A clock that is already there stays
        (it never goes back). Refuses (`ClockStopped`) when the workflow closes first, when something holds the clock
        back for longer than the patience, or when another advance overtakes this one. A server that is away raises
        the SDK's `RPCError`; asking again for the same instant then does no harm.
        """
        if to.tzinfo is None:
            raise ValueError("the target of a clock needs a time zone")
        target = to.astimezone(UTC)
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                while (now := await self.now(workflow_id)) < target:
                    await self._skip(workflow_id, max(target - now, SMALLEST_STEP), target)
        except TimeoutError:
            await self._hold(workflow_id)
            raise ClockStopped(
                f"The clock of {workflow_id} stands at {_shown(await self.now(workflow_id))} and did not reach "
                f"{_shown(target)}: {await self._held_back_by(workflow_id)}."
            ) from None
        return now

    async def _skip(self, workflow_id: str, duration: timedelta, target: datetime) -> None:
        try:
            reached = await self._skipper.fast_forward(self._handle(workflow_id), duration)
        except RPCError as refused:
            if refused.status == RPCStatusCode.UNAVAILABLE:
                raise
            # Between two runs of a chain the current run may just have closed; the next one takes the request.
            if refused.status != RPCStatusCode.NOT_FOUND or not await self._is_running(workflow_id):
                raise ClockStopped(f"The clock of {workflow_id} cannot be moved: {refused.message}.") from refused
            return
        except RuntimeError as overtaken:
            raise ClockStopped(f"Another advance overtook the one of {workflow_id}.") from overtaken
        if not reached and not await self._is_running(workflow_id):
            raise ClockStopped(f"{workflow_id} closed before its clock reached {_shown(target)}.")

    async def _hold(self, workflow_id: str) -> None:
        """Ends a skip that was given up, lest the clock jump ahead later, when nobody watches."""
        await self._client.workflow_service.update_workflow_execution_options(
            UpdateWorkflowExecutionOptionsRequest(
                namespace=self._client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                workflow_execution_options=WorkflowExecutionOptions(
                    time_skipping_config=TimeSkippingOff(enabled=False)
                ),
                update_mask=FieldMask(paths=["time_skipping_config"]),
                identity=self._client.identity,
            )
        )

    async def _held_back_by(self, workflow_id: str) -> str:
        description = (await self._handle(workflow_id).describe()).raw_description
        activities = sorted({each.activity_type.name for each in description.pending_activities})
        if activities:
            return f"waiting for {', '.join(activities)}"
        if description.HasField("pending_workflow_task"):
            return "waiting for a worker"
        if description.pending_children:
            return "waiting for a child workflow"
        return "nothing in it is waiting, but the server did not move it"

    async def _is_running(self, workflow_id: str) -> bool:
        return (await self._handle(workflow_id).describe()).status == WorkflowExecutionStatus.RUNNING

    def _handle(self, workflow_id: str) -> WorkflowHandle[object, object]:
        # No run id: the server then takes the current run, also after a continue-as-new.
        return self._client.get_workflow_handle(workflow_id)


def _shown(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
