"""The trail of a delegation: its sealed events, page by page or as they happen."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, GuardedRoute, asks_still
from api.files import DelegationId, KnownFile, require_reach
from api.installation import At, Installation
from api.problems import Problem
from domain.seal import SealedEvent
from storage.errors import StoreUnavailable

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["trail"])

LARGEST_PAGE = 1_000
STREAM_BATCH = 100
LOOK_AGAIN = 1.0
"""Seconds after which a stream looks for events that another process wrote."""

RECONNECT = 2_000
"""Milliseconds after which a client whose stream ended should ask again, with the last id it saw."""

Seq = Annotated[int, Field(ge=0, le=2**31 - 1)]


class TrailQuery(BaseModel):
    """Which events."""

    model_config = ConfigDict(extra="forbid")

    after: Seq = Field(0, description="The number of the last event seen.")
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 200


class Trail(BaseModel):
    """Events in order, each as it was sealed; `next_after` is the `after` of the next page if there is one."""

    items: tuple[SealedEvent, ...]
    next_after: int | None


@router.get("/delegations/{delegation}/events")
async def show_trail(file: KnownFile, query: Annotated[TrailQuery, Query()], at: At) -> Trail:
    """Show the sealed events of a file, from the one after `after`."""
    events = await at.queries.events(file.state.id, after=query.after, limit=query.limit)
    more = bool(events) and events[-1].seq < file.head.seq
    return Trail(items=tuple(events), next_after=events[-1].seq if more else None)


class StreamQuery(BaseModel):
    """Where a stream begins."""

    model_config = ConfigDict(extra="forbid")

    after: Seq = Field(0, description="The number of the last event seen; the header Last-Event-ID goes before it.")


@router.get("/delegations/{delegation}/stream", response_class=EventSourceResponse)
async def follow_trail(
    delegation: DelegationId,
    file: KnownFile,
    query: Annotated[StreamQuery, Query()],
    request: Request,
    at: At,
    last_event_id: Annotated[Seq | None, Header(description="What EventSource sends when it reconnects.")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Follow a file: every sealed event, as `text/event-stream`; `id` is its number, `event` its type.

    Comments keep an idle connection open. The stream ends when the API stops or its database is away; the client asks
    again with the last id it saw. It ends before anything is sent to somebody who may not see it any more.
    """
    seen = query.after if last_event_id is None else last_event_id
    yield ServerSentEvent(comment="following", retry=RECONNECT)
    with at.announcements.following(delegation) as bell:
        while not at.announcements.closed:
            bell.silence()
            try:
                events = await at.queries.events(delegation, after=seen, limit=STREAM_BATCH)
                if events and not await _may_follow(request, at, delegation):
                    return
            except StoreUnavailable:
                return
            for event in events:
                yield ServerSentEvent(id=str(event.seq), event=event.type, raw_data=event.model_dump_json())
                seen = event.seq
            if not events:
                await bell.wait(LOOK_AGAIN)


async def _may_follow(request: Request, at: Installation, delegation: str) -> bool:
    """Whether who began to follow may go on: token, session, account, role and reach are looked at again."""
    actor = await asks_still(request, "follow_trail")
    if actor is None:
        return False
    try:
        await require_reach(actor, at, delegation)
    except Problem:
        return False
    return True
