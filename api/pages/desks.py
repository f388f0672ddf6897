"""What waits for whoever has signed in: the inbox, which is the first page of whoever coordinates nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.desks import PageQuery, WaitingDesk, inbox_of, sitting_of
from api.installation import At, Installation
from api.pages.approval import why_not_signed
from api.pages.live import mark_of
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.words import Urgency, position_titles, urgency
from domain.decision import Refusal
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
    sitting = await sitting_of(at, actor.id)
    mark = await (await mark_of(at, actor, sitting.seats))()
    found = await inbox_of(at, actor, sitting, PageQuery(limit=50, cursor=cursor))
    today = business_date(utc_now(), at.settings.zone)
    return show(
        request,
        "inbox.html",
        desks=await rows_of(request, at, found.items, today),
        next_cursor=found.next_cursor,
        titles=await position_titles(at),
        has_passkey=bool(await at.passkeys.of(actor.id)),
        mark=mark,
    )


@dataclass(frozen=True)
class Row:
    """A line of what waits for somebody. `stands_in_for` is whose desk it is, `why_not` why another one has to sign."""

    desk: WaitingDesk
    link: str
    urgency: Urgency
    stands_in_for: str | None
    why_not: str | None


async def rows_of(request: Request, at: Installation, items: Sequence[WaitingDesk], today: date) -> tuple[Row, ...]:
    """Return the lines of what waits for whoever reads; no names for who may see none."""
    away = {one.on_behalf_of for one in items if one.on_behalf_of}
    names = await at.accounts.names(away) if away and reader_of(request).sees_personal_data else {}
    return tuple(
        Row(
            one,
            address_of(one),
            urgency(one.due_on, today, missed=one.missed),
            names.get(one.on_behalf_of, one.on_behalf_of) if one.on_behalf_of else None,
            why_not_signed(request, Refusal(code=one.why_not, params={"step": one.what})) if one.why_not else None,
        )
        for one in items
    )


def address_of(desk: WaitingDesk) -> str:
    """Return the page on which a desk is cleared: that of the step, or the file whose next move is the reader's."""
    file = f"/delegations/{desk.delegation}"
    return file if desk.what == COORDINATING else f"{file}/steps/{desk.what}"
