"""The round of retention: every night a plan of what is due, and the removal of what was agreed to."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows import ports
    from workflows.ports import Applied, ApplyInput, Planned, RetentionDone, RetentionInput

TRYING = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=5), maximum_attempts=50)
"""For some four hours: what is left then, the next night's round takes up."""


@workflow.defn(name="RetentionRound")
class RetentionRound:
    """One round; or, with a plan, the removal of what it lists."""

    @workflow.run
    async def run(self, asked: ApplyInput | None = None) -> RetentionDone:
        """Plan, then apply what is agreed to; a worker that dies leaves the rest to the next attempt."""
        planned = Planned(agreed=(asked.plan,)) if asked else await self._plan()
        for plan in planned.agreed:
            await workflow.execute_activity(
                ports.APPLY_RETENTION,
                ApplyInput(plan=plan),
                result_type=Applied,
                start_to_close_timeout=timedelta(hours=4),
                heartbeat_timeout=timedelta(minutes=2),
                retry_policy=TRYING,
            )
        return RetentionDone(planned=planned.plan, applied=len(planned.agreed))

    async def _plan(self) -> Planned:
        planned: Planned = await workflow.execute_activity(
            ports.PLAN_RETENTION,
            RetentionInput(now=workflow.now()),
            result_type=Planned,
            start_to_close_timeout=timedelta(hours=1),
            retry_policy=TRYING,
        )
        return planned
