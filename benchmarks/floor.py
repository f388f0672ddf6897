"""The raw floor: the least that an update on this server and this worker process can cost.

Everything here is the SDK as it comes: its own converter, nothing encrypted, no argument, no result.
"""

from datetime import timedelta

from temporalio import activity, workflow

TASK_QUEUE = "floor"


@activity.defn(name="nothing")
async def nothing() -> None:
    """Do nothing, and have it recorded."""


@workflow.defn(name="Floor")
class Floor:
    """A tiny workflow that waits for updates until it is told to end."""

    def __init__(self) -> None:
        self._ended = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._ended)

    @workflow.update(name="no_op")
    async def no_op(self) -> None:
        """Floor A: client to server to worker and back."""

    @workflow.update(name="local_activity")
    async def local_activity(self) -> None:
        """Floor B: the same with a local activity that does nothing."""
        await workflow.execute_local_activity("nothing", start_to_close_timeout=timedelta(seconds=10))

    @workflow.signal(name="end")
    def end(self) -> None:
        self._ended = True
