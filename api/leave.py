"""Leave that was registered, changed or revoked is told to the open files it touches, by a workflow of its own."""

from datetime import timedelta
from uuid import uuid4

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from domain.institution import Leave
from workflows.ports import Away

log = structlog.get_logger()

WORKFLOW = "DeskReview"
EVERYBODY = "leave:everybody"
ANSWER_WITHIN = timedelta(seconds=2)


async def tell_files(client: Client | None, task_queue: str, leave: Leave) -> None:
    """Start the round over the files that a leave touches; `client` is None while there is no way to Temporal.

    Never fails: what is not told now is told when the API starts next, or at night. Each change has a round of its own,
    since one under way may have passed a file already.
    """
    # A colon: no delegation has such an id.
    about = Away(leave=leave.id, account=leave.account)
    await _start(client, task_queue, f"leave:{leave.id}:{uuid4().hex[:12]}", about)


async def tell_all_files(client: Client, task_queue: str) -> None:
    """Start the round over the files that any leave touches, unless one is under way; as `tell_files` never fails.

    An API that died between a register and the start of its round makes up for it when it starts again.
    """
    await _start(client, task_queue, EVERYBODY, None)


async def _start(client: Client | None, task_queue: str, id: str, about: Away | None) -> None:
    if client is None:
        log.warning("leave_not_told", round=id, reason="temporal_unreachable")
        return
    try:
        await client.start_workflow(
            WORKFLOW,
            about,
            id=id,
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            rpc_timeout=ANSWER_WITHIN,
        )
    except (RPCError, RuntimeError) as error:
        # A client that never reached the server raises the SDK's own RuntimeError.
        log.warning("leave_not_told", round=id, reason=type(error).__name__)
