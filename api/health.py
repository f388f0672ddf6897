"""Whether this process can do its work. Open to everybody, so it says no more than that."""

import asyncio
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api.installation import At, Installation
from api.schema import schema_is_current
from storage.checkpoint_rows import SEALING
from storage.checkpoints import Checkpoints
from storage.errors import StoreUnavailable
from storage.metadata import utc_now

router = APIRouter(tags=["health"])

PATIENCE = timedelta(seconds=2)
FRESH = timedelta(seconds=75)
"""A worker polls at least once a minute."""

ROUNDS_MISSED = 3
"""After so many rounds that did not come, checkpoints are late."""


ALARMS = {
    "archive_failing": "closed runs cannot be archived",
    "archive_overdue": "closed runs wait too long to be archived",
}


def _unsaid(value: object) -> bool:
    return value is None


class PartHealth(BaseModel):
    """Whether a part does its work, and what it says. `waiting`: closed runs outside the archive, `oldest` since when.

    `looked_at` is when checkpoints last looked for new events, `number` that of the last one. Instants are in UTC.
    """

    ready: bool
    detail: str
    waiting: int | None = Field(None, exclude_if=_unsaid)
    oldest: datetime | None = Field(None, exclude_if=_unsaid)
    looked_at: datetime | None = Field(None, exclude_if=_unsaid)
    number: int | None = Field(None, exclude_if=_unsaid)


class Health(BaseModel):
    """`ready` means that files can be read and Temporal answers; without a worker commands wait all the same.

    Checkpoints and archive hold nothing up: where they are not ready, somebody has to look.
    """

    ready: bool
    parts: dict[str, PartHealth]


@router.get("/health", responses={503: {"model": Health, "description": "A part is not ready"}})
async def show_health(at: At, response: Response) -> Health:
    """Show the health of database, Temporal and workers. 200 if database and Temporal are ready, otherwise 503."""
    database, (temporal, workers) = await asyncio.gather(_database(at), _temporal(at))
    unknown = PartHealth(ready=False, detail="unknown")
    archive, checkpoints = (
        await asyncio.gather(_archive(at), _checkpoints(at)) if database.ready else (unknown, unknown)
    )
    ready = database.ready and temporal.ready
    response.status_code = 200 if ready else 503
    parts = {"database": database, "temporal": temporal, "workers": workers}
    return Health(ready=ready, parts=parts | {"checkpoints": checkpoints, "archive": archive})


async def _database(at: Installation) -> PartHealth:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            if not await schema_is_current(at.database):
                return PartHealth(ready=False, detail="the schema is not that of this release")
            if await at.database.answers():
                return PartHealth(ready=True, detail="ready")
    except StoreUnavailable as unavailable:
        return PartHealth(ready=False, detail=unavailable.reason)
    except TimeoutError:
        pass
    return PartHealth(ready=False, detail="cannot be written")


async def _archive(at: Installation) -> PartHealth:
    """What the last round of archiving found. Nobody is kept from work by it, and somebody has to look."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            state = await at.archived_runs.state()
    except (StoreUnavailable, TimeoutError):
        return PartHealth(ready=False, detail="unknown")
    if state is None:
        return PartHealth(ready=True, detail="no closed runs were looked for yet")
    alarm = state.alarm(utc_now(), at.settings.retention)
    detail = ALARMS[alarm] if alarm else "ready"
    return PartHealth(ready=alarm is None, detail=detail, waiting=state.waiting, oldest=state.oldest)


async def _temporal(at: Installation) -> tuple[PartHealth, PartHealth]:
    silent = PartHealth(ready=False, detail="does not answer"), PartHealth(ready=False, detail="unknown")
    if at.client is None:
        return silent
    try:
        pollers = await _pollers(at.client, at.settings.temporal_task_queue)
    except (RPCError, RuntimeError):
        return silent
    workers = PartHealth(ready=pollers > 0, detail="ready" if pollers else "nobody polls the task queue")
    return PartHealth(ready=True, detail="ready"), workers


async def _checkpoints(at: Installation) -> PartHealth:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            duties = await Checkpoints(at.database).duties()
    except (StoreUnavailable, TimeoutError):
        return PartHealth(ready=False, detail="unknown")
    sealing = duties.pop(SEALING, None)
    if sealing is None:
        return PartHealth(ready=True, detail="none was made yet")
    if sealing.failure is not None:
        return PartHealth(ready=False, detail="none is signed: somebody has to look")
    age = datetime.now(UTC) - sealing.done_at if sealing.done_at else timedelta.max
    said = f"looked for new events {age // timedelta(minutes=1)} minutes ago, the last is number {sealing.number}"
    late = age > ROUNDS_MISSED * timedelta(minutes=at.settings.checkpoint_minutes)
    if not late and any(one.failure for one in duties.values()):
        return PartHealth(ready=False, detail="a witness did not take the last ones")
    return PartHealth(ready=not late, detail=said, looked_at=sealing.done_at, number=sealing.number)


async def _pollers(client: Client, task_queue: str) -> int:
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        ),
        timeout=PATIENCE,
    )
    oldest = datetime.now(UTC) - FRESH
    return sum(poller.last_access_time.ToDatetime(UTC) > oldest for poller in described.pollers)
