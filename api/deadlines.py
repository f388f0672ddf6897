"""What is due, and by which rule: of one file, and across all."""

from datetime import UTC, datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.as_of import FileThen
from api.files import reach
from api.installation import At
from api.parameters import Day
from api.problems import Problem
from domain.state import Deadline
from storage.cursors import BadCursor
from storage.queries import LARGEST_PAGE, DueLine

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["deadlines"])

Status = Literal["open", "met", "missed", "late"]


class NamedDeadline(Deadline):
    """A due date of a file: what is due, the rule it came from, and how it was calculated."""

    what: str


class DeadlinesOfDelegation(BaseModel):
    """The due dates of one file, the earliest first."""

    items: tuple[NamedDeadline, ...]


class DueQuery(BaseModel):
    """Which due dates of all files."""

    model_config = ConfigDict(extra="forbid")

    before: Day | None = Field(None, description="Due before this day begins, in the installation's business zone.")
    status: list[Status] = Field(["open"], max_length=4)
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = LARGEST_PAGE
    cursor: Annotated[str, Field(max_length=2000)] | None = Field(None, description="`next_cursor` of the page before.")


class Deadlines(BaseModel):
    """A page of due dates of all files, the earliest first, and the cursor of the next one if there may be one."""

    items: tuple[DueLine, ...]
    next_cursor: str | None


@router.get("/delegations/{delegation}/deadlines")
async def list_deadlines_of_delegation(file: FileThen) -> DeadlinesOfDelegation:
    """List a file's due dates, now or as of then, with the rule, its version and the calculation of each."""
    named = [NamedDeadline.model_construct(**dict(deadline)) for deadline in file.state.deadlines.values()]
    return DeadlinesOfDelegation(items=tuple(sorted(named, key=lambda deadline: (deadline.due_at, deadline.what))))


@router.get("/deadlines")
async def list_deadlines(query: Annotated[DueQuery, Query()], actor: Actor, at: At) -> Deadlines:
    """List due dates across all files; whoever belongs to an organisation sees those of its subtree."""
    before = None
    if query.before is not None:
        before = datetime.combine(query.before, time(), ZoneInfo(at.settings.zone)).astimezone(UTC)
    within = await reach(actor, at)
    try:
        page = await at.queries.due(
            before=before, statuses=query.status, limit=query.limit, cursor=query.cursor, within=within
        )
    except BadCursor:
        raise Problem("cursor_unknown") from None
    return Deadlines(items=page.items, next_cursor=page.next_cursor)
