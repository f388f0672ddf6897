"""Whose desk: what waits where, since when, due when; all of it, and what waits for whoever asks."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.files import reach
from api.installation import At, Installation
from api.problems import Problem
from domain.bilingual import Bilingual
from domain.decision import Actor as Acting
from domain.desk import Seat, Substitute, seats_of
from domain.institution import Seating
from domain.values import Slug, business_date
from storage.cursors import BadCursor
from storage.desks import DeskFilters, DeskLine, DeskPage, DeskTotal
from storage.metadata import utc_now
from storage.queries import LARGEST_PAGE

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["desks"])


class PageQuery(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=2000)] | None = Field(None, description="`next_cursor` of the page before.")


class DeskQuery(PageQuery):
    """Whose desks, and which page of them."""

    position: list[Slug] = Field([], max_length=20, description="What waits for one of these positions.")
    account: Slug | None = Field(None, description="What waits for this coordinator; beside positions, either of both.")
    organisation: Slug | None = None
    missed: bool | None = Field(None, description="Only what is past its due date, or only what is not.")


class TotalsQuery(BaseModel):
    """By what to count."""

    model_config = ConfigDict(extra="forbid")

    by: Literal["position", "organisation", "coordinator"] = "position"
    organisation: Slug | None = None


class ShownDesk(BaseModel):
    """A file on a desk. `what` is the step to be signed, `report`, or `coordinator`: the next move is theirs.

    `substitutes` are those of the leaves in force and to come that touch it.
    `age_days` are whole days in the business zone since it came there. Instants in UTC, `due_on` in the file's zone.
    """

    delegation: str
    title: str
    phase: str
    direction: str
    organisation: str
    coordinator: str
    what: str
    position: str | None
    account: str | None
    step_title: Bilingual | None
    since: datetime
    age_days: int
    due_on: date | None
    due_at: datetime | None
    missed: bool
    substitutes: tuple[Substitute, ...]


class ShownDesks(BaseModel):
    """A page of desks, the most urgent first, and the cursor of the next one if there may be one."""

    items: tuple[ShownDesk, ...]
    next_cursor: str | None


class DeskTotals(BaseModel):
    """How much waits, the longest waiting first."""

    items: tuple[DeskTotal, ...]


@router.get("/desks")
async def list_desks(query: Annotated[DeskQuery, Query()], at: At, actor: Actor) -> ShownDesks:
    """List what waits where, the most urgent first."""
    within = await reach(actor, at)
    filters = DeskFilters(tuple(query.position), query.account, query.organisation, query.missed, within)
    return await _shown(at, filters, query)


@router.get("/desks/totals")
async def count_desks(query: Annotated[TotalsQuery, Query()], at: At, actor: Actor) -> DeskTotals:
    """Count what waits by position, organisation or coordinator."""
    filters = DeskFilters(organisation=query.organisation, within=await reach(actor, at))
    return DeskTotals(items=tuple(await at.desks.totals(query.by, filters)))


@router.get("/inbox")
async def show_inbox(query: Annotated[PageQuery, Query()], at: At, actor: Actor) -> ShownDesks:
    """List what waits for whoever asks, the most urgent first.

    For the positions they hold, for those they stand in for while somebody is on leave, and as coordinator.
    """
    return await inbox_of(at, actor, await seats_now(at, actor), query)


async def inbox_of(at: Installation, actor: Acting, seats: tuple[Seat, ...], query: PageQuery) -> ShownDesks:
    """Return what waits for somebody who signs for these seats. Problem `cursor_unknown`."""
    return await _shown(at, DeskFilters(account=actor.id, within=await reach(actor, at), seats=seats), query)


async def seats_now(at: Installation, actor: Acting, seating: Seating | None = None) -> tuple[Seat, ...]:
    """Return for what somebody signs now: the positions they hold, and those they stand in for."""
    now = utc_now()
    stands = await at.registers.standing.look(
        actor.id, now, on=business_date(now, at.settings.zone), organisation=actor.organisation
    )
    return seats_of(stands.actor, seating or await at.institution.seating(now))


async def _shown(at: At, filters: DeskFilters, query: PageQuery) -> ShownDesks:
    try:
        page: DeskPage = await at.desks.lines(filters, limit=query.limit, cursor=query.cursor)
    except BadCursor:
        raise Problem("cursor_unknown") from None
    today = business_date(utc_now(), at.settings.zone)
    return ShownDesks(
        items=tuple(_line(one, (today - business_date(one.since, at.settings.zone)).days) for one in page.items),
        next_cursor=page.next_cursor,
    )


def _line(line: DeskLine, age_days: int) -> ShownDesk:
    return ShownDesk(
        delegation=line.delegation_id,
        title=line.title,
        phase=line.phase,
        direction=line.direction,
        organisation=line.organisation,
        coordinator=line.coordinator,
        what=line.what,
        position=line.position,
        account=line.account,
        step_title=Bilingual(vi=line.title_vi, en=line.title_en) if line.title_vi and line.title_en else None,
        since=line.since,
        # In the demo a file's clock is ahead of the wall's.
        age_days=max(0, age_days),
        due_on=line.due_on,
        due_at=line.due_at,
        missed=line.missed,
        substitutes=line.substitutes,
    )
