"""Received mail that a person has to look at: what it says as far as that can be told, and ways to settle it."""

import asyncio
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import IdempotencyKey, Strictly
from api.commands import ReceiptView, execute
from api.files import reach, require_reach
from api.installation import At, Installation
from api.problems import Problem
from calendars.received import read_mail
from calendars.replies import Counter, Refresh, Reply
from domain.commands import Answer
from domain.decision import Actor as Acting
from domain.values import Slug, Value
from storage.cursors import BadCursor
from storage.received_mail import Letter

LARGEST_PAGE = 50
"""Each mail is read anew to be shown, and may have a megabyte."""

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["replies"])

MailRef = Annotated[str, Path(pattern=r"^rcv_[a-z0-9]{1,40}$", description="A mail, as the list names it.")]


class RepliesQuery(BaseModel):
    """Which file's, and which page."""

    model_config = ConfigDict(extra="forbid")

    delegation: Slug | None = None
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 25
    cursor: Annotated[str, Field(max_length=2000)] | None = Field(None, description="`next_cursor` of the page before.")


class ShownReply(BaseModel):
    """A mail that waits for a person. What was not said, or can no longer be read, is empty.

    `participants` are those who may be meant. `starts` and `ends` are a proposed time as it was written, with its zone.
    """

    mail: str
    received_at: datetime
    kind: str
    reason: str
    delegation: str | None
    item_id: str | None
    participants: tuple[str, ...]
    sender: str
    attendee: str
    subject: str
    answer: Answer | None
    sequence: int | None
    comment: str
    starts: str
    ends: str


class ShownReplies(BaseModel):
    """A page of the review queue, the oldest first, and the cursor of the next one if there may be one."""

    items: tuple[ShownReply, ...]
    next_cursor: str | None


class Settlement(Value):
    """What a mail says, as a person reads it: whose answer it is, to what. `delegation` where none is known of it."""

    participants: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20)]
    answer: Answer
    item_id: Slug | None = None
    delegation: Slug | None = None


class Dismissed(BaseModel):
    """A mail that leads to nothing; what it said is destroyed."""

    mail: str
    outcome: Literal["dismissed"] = "dismissed"


@router.get("/replies")
async def list_replies(query: Annotated[RepliesQuery, Query()], at: At, actor: Actor) -> ShownReplies:
    """List received mail that a person has to look at, of the files in reach.

    What is about no known file is shown to those whose reach has no end.
    """
    within = await reach(actor, at)
    try:
        page = await at.registers.received_mail.queue(
            within=within, delegation=query.delegation, limit=query.limit, cursor=query.cursor
        )
    except BadCursor:
        raise Problem("cursor_unknown") from None
    largest = at.settings.received_mail_limit_bytes
    items = await asyncio.to_thread(lambda: tuple(_shown(one, largest) for one in page.items))
    return ShownReplies(items=items, next_cursor=page.next_cursor)


@router.post("/replies/{mail}/settle")
async def settle_reply(
    mail: MailRef,
    body: Annotated[
        Settlement,
        Strictly(Settlement),
        Body(examples=[{"participants": ["m-2"], "answer": "accepted", "item_id": "s-11"}]),
    ],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> ReceiptView:
    """Record what a mail says as the answer of one person, or of several, and take it out of the queue.

    Recorded as an answer by mail, by whoever settles it: a version that was overtaken meanwhile no longer matters.
    """
    letter = await _letter(at, mail, actor)
    if letter.outcome != "review" and (letter.outcome, letter.settled_by) != ("settled", actor.id):
        raise Problem("received_mail_settled")
    delegation = letter.delegation_id or body.delegation
    if delegation is None:
        raise Problem("received_mail_without_file")
    await require_reach(actor, at, delegation)
    item = body.item_id or letter.item_id
    command = {"type": "record_reply", "answer": body.answer, "via": "mail"} | ({"item_id": item} if item else {})
    people = dict.fromkeys(body.participants)
    receipt = await execute(at, delegation, [{**command, "participant_id": who} for who in people], actor, key)
    file = await at.queries.get(delegation)
    known = file.state.people if file else {}
    await at.registers.received_mail.close(
        mail,
        "settled",
        by=actor.id,
        delegation_id=delegation,
        persons=[known[who].person.ref for who in people if who in known],
    )
    return receipt


@router.post("/replies/{mail}/dismiss")
async def dismiss_reply(mail: MailRef, actor: Actor, at: At) -> Dismissed:
    """Take a mail out of the queue that leads to nothing, and destroy what it said."""
    letter = await _letter(at, mail, actor)
    by_them = (letter.outcome, letter.settled_by) == ("dismissed", actor.id)
    if not by_them and not await at.registers.received_mail.close(mail, "dismissed", by=actor.id):
        raise Problem("received_mail_settled")
    return Dismissed(mail=mail)


async def _letter(at: Installation, mail: str, actor: Acting) -> Letter:
    letter = await at.registers.received_mail.get(mail)
    if letter is None or (letter.delegation_id is None and actor.organisation is not None):
        raise Problem("received_mail_unknown")
    if letter.delegation_id is not None:
        await require_reach(actor, at, letter.delegation_id)
    return letter


def _shown(letter: Letter, largest: int) -> ShownReply:
    received = read_mail(letter.octets, largest=largest)
    says = received.says
    return ShownReply(
        mail=letter.ref,
        received_at=letter.received_at,
        kind=letter.kind or "unreadable",
        reason=letter.reason or "",
        delegation=letter.delegation_id,
        item_id=letter.item_id,
        participants=letter.participants,
        sender=received.sender,
        attendee=says.attendee if isinstance(says, Reply | Counter | Refresh) else "",
        subject=received.subject,
        answer=says.answer if isinstance(says, Reply) else None,
        sequence=says.sequence if isinstance(says, Reply | Counter) else None,
        comment=says.comment if isinstance(says, Reply | Counter) else "",
        starts=says.starts if isinstance(says, Counter) else "",
        ends=says.ends if isinstance(says, Counter) else "",
    )
