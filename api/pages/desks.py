"""What waits for whoever has signed in: the first page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.desks import PageQuery, ShownDesk, show_inbox
from api.installation import At
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.words import position_titles, urgency
from domain.desk import COORDINATING
from domain.values import business_date
from storage.metadata import utc_now

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
async def show_inbox_page(
    request: Request, actor: Actor, at: At, cursor: Annotated[str | None, Query(max_length=2000)] = None
) -> Response:
    """Show what waits for the reader, the most urgent first, and what is due when."""
    found = await show_inbox(PageQuery(limit=50, cursor=cursor), at, actor)
    today = business_date(utc_now(), at.settings.zone)
    return show(
        request,
        "inbox.html",
        desks=[(one, _address(one), urgency(one.due_on, today, missed=one.missed)) for one in found.items],
        next_cursor=found.next_cursor,
        titles=await position_titles(at),
        has_passkey=bool(await at.passkeys.of(actor.id)),
    )


def _address(desk: ShownDesk) -> str | None:
    """The page on which this desk is cleared, if there is one."""
    return None if desk.what == COORDINATING else f"/delegations/{desk.delegation}/steps/{desk.what}"
