"""A round over calendar collections: by the clock those that lack something, at night all, on demand one."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows import ports
    from workflows.ports import Synced, SyncInput

GOING_ROUND = RetryPolicy(
    initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=2), maximum_attempts=20
)
"""For half an hour: another round comes by the clock."""


@workflow.defn(name="CollectionRound")
class CollectionRound:
    """One round."""

    @workflow.run
    async def run(self, asked: SyncInput | None = None) -> Synced:
        """Bring collections to what they should hold; a worker that dies leaves the rest to the next attempt."""
        synced: Synced = await workflow.execute_activity(
            ports.SYNC_COLLECTIONS,
            asked or SyncInput(),
            result_type=Synced,
            start_to_close_timeout=timedelta(hours=2),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=GOING_ROUND,
        )
        return synced
