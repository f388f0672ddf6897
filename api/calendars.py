"""Calendars that programs fetch: the address itself is the right to it, so it is treated as a secret throughout.

The log names the route and never the address (api/envelope.py); what a token leads to is never told from why it leads
nowhere.
"""

from contextlib import suppress
from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.access import GuardedRoute
from api.conditional import respond
from api.installation import At
from api.problems import Problem
from storage.errors import StoreUnavailable
from storage.metadata import utc_now

router = APIRouter(route_class=GuardedRoute, tags=["feeds"])

MEDIA_TYPE = "text/calendar; charset=utf-8"

HEADERS = {
    # Nobody else's cache keeps it, and one's own asks each time: it is answered by 304 as long as nothing changed.
    "Cache-Control": "private, no-cache",
    "Content-Disposition": 'inline; filename="legation.ics"',
    "X-Robots-Tag": "noindex",
}

Token = Annotated[str, Path(max_length=200)]


@router.head("/calendars/{token}.ics", include_in_schema=False)
@router.get(
    "/calendars/{token}.ics",
    response_class=Response,
    responses={
        200: {"description": "The calendar (RFC 5545)", "content": {"text/calendar": {}}},
        304: {"description": "What the client has is still so"},
    },
)
async def fetch_calendar(token: Token, request: Request, at: At) -> Response:
    """Send a calendar as its viewer may see it now.

    Problems: `calendar_unknown` (404), the same for an unknown, revoked or rotated token and for a visit that is long
    over; `person_erased` (410) where it was somebody's whose data were erased; `too_many_attempts` (429).
    """
    feed = await at.feeds.found_by(token, "participant", "person", "delegation", "account")
    if feed is None and await at.feeds.led_to_erased(token):
        raise Problem("person_erased")
    if feed is None:
        await at.attempts.guessed(request)
        raise Problem("calendar_unknown")
    await at.attempts.fetched(feed.id)
    calendar = await at.feed_contents.of(feed)
    if calendar is None:
        raise Problem("calendar_unknown")
    with suppress(StoreUnavailable):
        await at.feeds.fetched(feed, utc_now().astimezone(UTC).date())
    return respond(request, calendar, media_type=MEDIA_TYPE, headers=HEADERS)
