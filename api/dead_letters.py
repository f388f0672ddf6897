"""Mail that did not arrive: refused, given up after many attempts, or returned; addresses and contents stay inside."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.access import BEARER, Actor, GuardedRoute
from api.desks import PageQuery
from api.files import reach
from api.installation import At
from api.problems import Problem
from domain.values import Slug
from storage.cursors import BadCursor
from storage.dead_letters import DeadLetter, DeadLetterFilters

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["messages"])

Undelivered = Literal["refused", "dead", "bounced"]


class DeadLetterQuery(PageQuery):
    """Whose dead letters, and which page of them."""

    delegation: Slug | None = Field(None, description="Only those of this file.")
    status: Undelivered | None = Field(None, description="Only those that were refused, given up, or returned.")


class ShownDeadLetter(BaseModel):
    """A message that did not arrive. Instants are of the wall clock, in UTC.

    `status`: `refused` (the mail server said no for good), `dead` (given up after many attempts), `bounced` (taken, and
    returned later). `reply` is the reply code of the mail server (RFC 5321) or `unreachable`, `status_code` the
    enhanced one (RFC 3463). `superseded`: a later message took its place, so it cannot be sent again.
    """

    number: int
    message_id: str
    delegation: str
    title: str
    kind: str
    method: str
    sequence: int
    participants: tuple[str, ...]
    status: Undelivered
    reply: str | None
    status_code: str | None
    attempts: int
    entered_at: datetime
    sent_at: datetime | None
    last_attempt_at: datetime | None
    bounced_at: datetime | None
    superseded: bool


class ShownDeadLetters(BaseModel):
    """A page of dead letters, the newest first, and the cursor of the next one if there may be one."""

    items: tuple[ShownDeadLetter, ...]
    next_cursor: str | None


@router.get("/dead-letters")
async def list_dead_letters(query: Annotated[DeadLetterQuery, Query()], at: At, actor: Actor) -> ShownDeadLetters:
    """List the mails of all files, or of one, that did not arrive; `resend_mail` sends them again."""
    filters = DeadLetterFilters(query.delegation, query.status, await reach(actor, at))
    try:
        page = await at.registers.dead_letters.page(filters, limit=query.limit, cursor=query.cursor)
    except BadCursor:
        raise Problem("cursor_unknown") from None
    return ShownDeadLetters(items=tuple(_shown(one) for one in page.items), next_cursor=page.next_cursor)


def _shown(letter: DeadLetter) -> ShownDeadLetter:
    entry = letter.entry
    return ShownDeadLetter.model_validate(
        {
            "number": entry.position,
            "message_id": entry.message_id,
            "delegation": letter.delegation_id,
            "title": letter.title,
            "kind": entry.kind,
            "method": entry.method,
            "sequence": entry.sequence,
            "participants": entry.participants,
            "status": entry.status,
            "reply": entry.refusal,
            "status_code": entry.status_code,
            "attempts": entry.attempts,
            "entered_at": entry.enqueued_at,
            "sent_at": entry.sent_at,
            "last_attempt_at": entry.attempted_at,
            "bounced_at": entry.bounced_at,
            "superseded": letter.superseded,
        }
    )
