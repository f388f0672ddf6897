"""Leave that was registered, changed or revoked is told to the open files it touches, by a workflow of its own."""

from datetime import timedelta
from uuid import uuid4

import structlog
from temporalio.service import RPCError

from api.installation import Installation
from domain.institution import Leave
from workflows.ports import Away

log = structlog.get_logger()

WORKFLOW = "DeskReview"
ANSWER_WITHIN = timedelta(seconds=2)


async def tell_files(at: Installation, leave: Leave) -> None:
    """Start the round over the files that a leave touches. Never fails: what is not told now, the night's round tells.

    Each change has a round of its own: one under way may have passed a file already.
    """
    if at.client is None:
        log.warning("leave_not_told", leave=leave.id, reason="temporal_unreachable")
        return
    try:
        await at.client.start_workflow(
            WORKFLOW,
            Away(leave=leave.id, account=leave.account),
            # A colon: no delegation has such an id.
            id=f"leave:{leave.id}:{uuid4().hex[:12]}",
            task_queue=at.settings.temporal_task_queue,
            rpc_timeout=ANSWER_WITHIN,
        )
    except RPCError as error:
        log.warning("leave_not_told", leave=leave.id, reason=error.status.name)
