"""That something changed, for pages that are open: of one file, and of what somebody's day begins with.

A stream says no more than that: what changed is asked for like any page, by whoever may still see it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.access import STAFF, Actor
from api.announcements import Bell
from api.desks import sitting_of
from api.files import DelegationId, KnownFile, reach
from api.installation import At, Installation
from api.pages.route import PageRoute
from domain.desk import Seat
from domain.sign_in import Acting
from storage.errors import StoreUnavailable
from storage.today import Scope

LOOK_AGAIN = 1.0
"""Seconds after which a stream looks at its file once more, if no bell rings before."""

LOOK_AROUND = 2.0
"""Seconds between two looks at everything that somebody's day is made of: no bell rings for that."""

WHO_EVERY = 10
"""Looks after which a stream makes sure that its session is not over; it does so too before it says anything."""

RECONNECT = 2_000
"""Milliseconds after which a page whose stream ended asks again."""

EVERYTHING = ""
"""What nobody announces: a bell that rings only when the process ends."""

Mark = Annotated[str, Query(pattern=r"^[0-9.]{1,100}$", description="What the page shows.")]
LastMark = Annotated[str | None, Header(alias="Last-Event-ID", pattern=r"^[0-9.]{1,100}$")]


class LiveRoute(PageRoute):
    """A page's stream, behind the guard of pages. HEAD is not answered: there is no end to wait for."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """Only GET."""
        super().__init__(path, endpoint, **more)
        self.methods = {"GET"}


router = APIRouter(route_class=LiveRoute, include_in_schema=False)


def scope_of(actor: Acting, within: frozenset[str] | None) -> Scope:
    """Return whose files somebody's day is about: those they coordinate, an administrator's all in reach."""
    return Scope(None if "coordinator" not in actor.roles else actor.id, within)


async def mark_of(at: Installation, actor: Acting, seats: tuple[Seat, ...]) -> Callable[[], Awaitable[str]]:
    """Return what looks, in one statement, whether anything changed that Today or the inbox shows to somebody.

    `seats` are those that they sign for as the look begins.
    """
    within = await reach(actor, at)
    # Who has no Today has the inbox alone.
    scope = scope_of(actor, within) if set(actor.roles) & set(STAFF) else None
    return lambda: at.today.mark(scope, account=actor.id, seats=seats)


@router.get("/delegations/{delegation}/live", response_class=EventSourceResponse)
async def watch_file(
    delegation: DelegationId,
    file: KnownFile,
    seen: Annotated[int, Query(ge=0, le=2**31 - 1)],
    request: Request,
    actor: Actor,
    at: At,
    last_event_id: LastMark = None,
) -> AsyncIterator[ServerSentEvent]:
    """Say that a file has events after number `seen`, once for any number of them; `over` when the session ends."""

    async def look() -> str:
        return str(await at.queries.seq(delegation))

    with at.announcements.following(delegation) as bell:
        async for said in _watch(request, at, actor, bell, look, last_event_id or str(seen), LOOK_AGAIN):
            yield said


@router.get("/delegations/{delegation}/invitations/live", response_class=EventSourceResponse)
async def watch_invitations(
    delegation: DelegationId,
    file: KnownFile,
    seen: Mark,
    request: Request,
    actor: Actor,
    at: At,
    last_event_id: LastMark = None,
) -> AsyncIterator[ServerSentEvent]:
    """Say that the events or the mails of a file are others than at the mark `seen`; `over` when the session ends."""
    look = partial(mark_of_mails, at, delegation)
    with at.announcements.following(delegation) as bell:
        async for said in _watch(request, at, actor, bell, look, last_event_id or seen, LOOK_AROUND):
            yield said


async def mark_of_mails(at: Installation, delegation: str) -> str:
    """Return what the page of a file's invitations shows, as one text."""
    return f"{await at.queries.seq(delegation)}.{await at.mail.mark(delegation)}"


@router.get("/live", response_class=EventSourceResponse)
async def watch_day(
    seen: Mark, request: Request, actor: Actor, at: At, last_event_id: LastMark = None
) -> AsyncIterator[ServerSentEvent]:
    """Say that Today or the inbox is another one than at the mark `seen`; `over` when the session ends."""
    look = await mark_of(at, actor, (await sitting_of(at, actor.id)).seats)
    with at.announcements.following(EVERYTHING) as bell:
        async for said in _watch(request, at, actor, bell, look, last_event_id or seen, LOOK_AROUND):
            yield said


@router.get("/desks/live", response_class=EventSourceResponse)
async def watch_desks(
    seen: Mark, request: Request, actor: Actor, at: At, last_event_id: LastMark = None
) -> AsyncIterator[ServerSentEvent]:
    """Say that what lies on desks is other than at the mark `seen`; `over` when the session ends."""
    look = partial(at.desks.mark, await reach(actor, at))
    with at.announcements.following(EVERYTHING) as bell:
        async for said in _watch(request, at, actor, bell, look, last_event_id or seen, LOOK_AROUND):
            yield said


async def _watch(
    request: Request,
    at: Installation,
    actor: Acting,
    bell: Bell,
    look: Callable[[], Awaitable[str]],
    seen: str,
    again: float,
) -> AsyncIterator[ServerSentEvent]:
    secret, looks = request.cookies[at.cookies.session], 0
    yield ServerSentEvent(comment="watching", retry=RECONNECT)
    while not at.announcements.closed:
        bell.silence()
        looks += 1
        try:
            now = await look()
            if now != seen or looks % WHO_EVERY == 0:
                still = await at.sessions.acting(secret, attended=False)
                if still is None or (still.roles, still.organisation) != (actor.roles, actor.organisation):
                    yield ServerSentEvent(event="over", raw_data="")
                    return
        except StoreUnavailable:
            return
        if now != seen:
            yield ServerSentEvent(id=now, event="news", raw_data=now)
            seen = now
        else:
            await bell.wait(again)
