"""A round of checkpoints: closed runs are archived, what is new is sealed into one, and witnesses are shown it.

By the clock, and on demand.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from workflows import ports
    from workflows.ports import Archived, ArchiveInput, CheckpointMade, RoundDone, Witnessed

TRYING = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=1), maximum_attempts=8)
"""For a few minutes: another round comes by the clock."""

ARCHIVING = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=2)
"""What cannot be archived now is archived in another round, and holds up no checkpoint."""

BEATS = timedelta(seconds=30)


@workflow.defn(name="CheckpointRound")
class CheckpointRound:
    """One round."""

    @workflow.run
    async def run(self) -> RoundDone:
        """Archive, make a checkpoint, show it. Where none may be signed, witnesses get those before, and then it fails.

        An archive that takes nothing, or a witness that is away, keeps no round from being done.
        """
        archived = await self._archive()
        refused: ActivityError | None = None
        made = CheckpointMade()
        try:
            made = await workflow.execute_activity(
                ports.MAKE_CHECKPOINT,
                result_type=CheckpointMade,
                start_to_close_timeout=timedelta(minutes=30),
                heartbeat_timeout=BEATS,
                retry_policy=TRYING,
            )
        except ActivityError as failed:
            refused = failed
        witnessed: Witnessed = await workflow.execute_activity(
            ports.WITNESS_CHECKPOINTS,
            result_type=Witnessed,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=BEATS,
            retry_policy=TRYING,
        )
        if refused is not None:
            raise refused
        return RoundDone(made=made, witnessed=witnessed, archived=archived)

    async def _archive(self) -> Archived | None:
        try:
            archived: Archived = await workflow.execute_activity(
                ports.ARCHIVE_RUNS,
                ArchiveInput(),
                result_type=Archived,
                start_to_close_timeout=timedelta(minutes=30),
                heartbeat_timeout=BEATS,
                retry_policy=ARCHIVING,
            )
        except ActivityError:
            return None
        return archived
