"""Leave that was registered or changed is told to every file it touches; the same round goes over all leave nightly."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows import ports
    from workflows.ports import Away, Reviewed, ReviewInput

TELLING = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=100
)
"""Whoever could not be told in all that time is told by the night's round."""


@workflow.defn(name="DeskReview")
class DeskReview:
    """One round over the files that a leave touches, or any leave at all."""

    @workflow.run
    async def run(self, away: Away | None = None) -> Reviewed:
        """Tell the files, each once."""
        info = workflow.info()
        reviewed: Reviewed = await workflow.execute_activity(
            ports.REVIEW_DESKS,
            ReviewInput(occasion=f"{info.workflow_id}/{info.first_execution_run_id}", now=workflow.now(), away=away),
            result_type=Reviewed,
            start_to_close_timeout=timedelta(hours=2),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=TELLING,
        )
        return reviewed
