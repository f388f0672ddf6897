"""What waits for whoever has signed in: the inbox, which is the first page of whoever coordinates nothing."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.desks import PageQuery, ShownDesk, inbox_of, seats_now
from api.installation import At, Installation
from api.pages.live import mark_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.words import position_titles, urgency
from domain.desk import COORDINATING
from domain.sign_in import Acting
from domain.values import business_date
from storage.metadata import utc_now

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Cursor = Annotated[str | None, Query(max_length=2000)]


@router.get("/inbox")
async def show_inbox_page(request: Request, actor: Actor, at: At, cursor: Cursor = None) -> Response:
    """Show what waits for the reader, the most urgent first, and what is due when."""
    return await inbox(request, actor, at, cursor)


async def inbox(request: Request, actor: Acting, at: Installation, cursor: str | None) -> Response:
    """Return the page of somebody's inbox. Problem `cursor_unknown`."""
    # Before anything is read: what changes meanwhile is news to the page.
    seats = await seats_now(at, actor)
    mark = await (await mark_of(at, actor, seats))()
    found = await inbox_of(at, actor, seats, PageQuery(limit=50, cursor=cursor))
    today = business_date(utc_now(), at.settings.zone)
    return show(
        request,
        "inbox.html",
        desks=[(one, address_of(one), urgency(one.due_on, today, missed=one.missed)) for one in found.items],
        next_cursor=found.next_cursor,
        titles=await position_titles(at),
        has_passkey=bool(await at.passkeys.of(actor.id)),
        mark=mark,
    )


def address_of(desk: ShownDesk) -> str:
    """Return the page on which a desk is cleared: that of the step, or the file whose next move is the reader's."""
    file = f"/delegations/{desk.delegation}"
    return file if desk.what == COORDINATING else f"{file}/steps/{desk.what}"
