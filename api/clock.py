"""The demo's clock: moves one delegation's time forward. Only the profile `demo` has this route."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from api.access import BEARER, GuardedRoute
from api.bodies import Strictly
from api.engine import PASSING, TASK_TIMEOUT, WORKFLOW, EngineUnavailable
from api.installation import At, Installation
from api.parameters import SentInstant
from api.problems import Problem
from domain.state import Phase
from domain.values import Slug, Value
from embedded.clock import ClockStopped, VirtualClock
from workflows.carried import unopened

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["demo"])


EXAMPLE = {"delegation": "study-visit-2027", "to": "2027-03-01T02:00:00Z"}


class ClockMove(Value):
    """Whose clock, and the instant it is moved to."""

    delegation: Slug
    to: SentInstant


class ClockTime(BaseModel):
    """What the delegation takes for the present, in UTC."""

    now: datetime


@router.post("/demo/clock")
async def move_clock(
    body: Annotated[
        ClockMove,
        Strictly(ClockMove),
        Body(examples=[{"delegation": "study-visit-2027", "to": "2027-03-01T02:00:00Z"}]),
    ],
    at: At,
) -> ClockTime:
    """Move a delegation's clock forward; what is due on the way happens on the way. It never goes back.

    A file that is not open yet gets its clock now, so that it can be opened in the future.
    """
    client = at.client
    if client is None:
        raise EngineUnavailable
    try:
        await _start_clock(at, client, body.delegation)
        return ClockTime(now=await VirtualClock(client).advance(body.delegation, body.to))
    except ClockStopped:
        raise Problem("clock_stopped") from None
    except RPCError as error:
        if error.status not in PASSING:
            raise
        raise EngineUnavailable from None


async def _start_clock(at: Installation, client: Client, delegation: str) -> None:
    file = await at.queries.get(delegation)
    if file is None:
        await client.start_workflow(
            WORKFLOW,
            unopened(delegation),
            id=delegation,
            task_queue=at.settings.temporal_task_queue,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
    elif file.state.phase is Phase.CLOSED:
        raise Problem("clock_has_no_file")
