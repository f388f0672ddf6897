"""Who was told what of an item, when, by which channel, and what they answered."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from api.access import BEARER, GuardedRoute
from api.as_of import FileThen
from api.installation import At, Installation
from api.problems import Problem
from calendars.views import uid_of
from domain.commands import Channel, Role
from domain.events import CalendarView, InvitationsIssued
from domain.invitations import untold
from domain.state import Delegation, Reply
from domain.values import Slug
from domain.views import seen_by
from storage.collection_rows import Written
from storage.mail_ledger import Entry, Status
from storage.queries import File

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["messages"])

ItemId = Annotated[Slug, Path(description="The item's id on its file.", examples=["s-11"])]


class Telling(BaseModel):
    """One message to one person: what it said, and what became of it.

    `at` is the business time at which it was decided, `seq` the event that proves it; `sent_at` is when the mail server
    took it, `resent_at` when somebody had it sent again, `bounced_at` when it came back; `status_code` is the enhanced
    one of a reply or of such a report (RFC 3463). A message that was not entered for somebody (nobody can be reached
    there) has the status `unreached`.
    """

    seq: int
    at: datetime
    channel: Channel
    method: Literal["REQUEST", "CANCEL"]
    sequence: int
    view: CalendarView
    status: Status | Literal["unreached"]
    sent_at: datetime | None = None
    refusal: str | None = None
    status_code: str | None = None
    resent_at: datetime | None = None
    bounced_at: datetime | None = None


class ToldPerson(BaseModel):
    """What one person knows of the item. `holds` says whether it is in their calendar as things stand.

    `tellings` are the messages to their mailbox, `written` is what stands in their collection, and `fetched_on` the day
    (UTC) on which a feed of theirs was last fetched: what they saw then is what was published by that day. `waiting` is
    what goes to their mailbox when the quiet window ends, if nothing changes until then.
    """

    participant_id: str
    role: Role
    channel: Channel
    holds: bool
    tellings: tuple[Telling, ...]
    written: Written | None
    fetched_on: date | None
    answer: Reply | None
    waiting: Literal["REQUEST", "CANCEL"] | None


class ToldItem(BaseModel):
    """Everybody who was ever told of an item, or is to have it. `view` is how it stands published."""

    item_id: str
    uid: str
    view: CalendarView | None
    cancelled: bool
    sequence: int
    quiet_until: datetime | None
    people: tuple[ToldPerson, ...]


@router.get("/delegations/{delegation}/items/{item}/told")
async def show_told(file: FileThen, item: ItemId, at: At) -> ToldItem:
    """Show who was told what of an item, when, by which channel, and what they answered.

    With `as_of` or `seq` what had been decided by then. What became of a message, what stands in a collection and when
    a feed was fetched is told as it is now: others' servers keep the clock of the wall.
    """
    state = file.state
    if item not in state.items:
        raise Problem("item_missing")
    uid = uid_of(item, delegation=state.id, domain=at.mail_domain)
    tellings = await _tellings(at, file, item, uid)
    written = await at.registers.collection_entries.of_item(state.id, item)
    fetched = await _fetched(at, state)
    edition = await at.editions.get(state.edition)
    waiting = {who: one.method for one in untold(state, edition) if one.item_id == item for who in one.to}
    published = state.published.get(item)
    told = state.told.get(item)
    return ToldItem(
        item_id=item,
        uid=uid,
        view=published.view if published else None,
        cancelled=published.cancelled if published else state.items[item].cancelled,
        sequence=told.sequence if told else 0,
        quiet_until=state.quiet_until,
        people=tuple(
            ToldPerson(
                participant_id=who,
                role=person.role,
                channel=person.channel or "mail",
                holds=holds,
                tellings=tuple(tellings.get(who, ())),
                written=written.get(person.person.ref) if person.channel == "caldav" else None,
                fetched_on=fetched.get(person.person.ref),
                answer=state.replies.get(f"{who}/{item}") or state.replies.get(f"{who}/*"),
                waiting=waiting.get(who),
            )
            for who, person in state.people.items()
            if (holds := _holds(state, who, item)) or who in tellings or who in waiting
        ),
    )


def _holds(state: Delegation, who: str, item: str) -> bool:
    if state.people[who].by_mail:
        return item in state.told and who in state.told[item].holders
    return any(seen.item_id == item and not seen.cancelled for seen in seen_by(state, who))


async def _fetched(at: Installation, state: Delegation) -> dict[str, date]:
    """Return when a feed with this file in it was last fetched, by the reference of whose it is."""
    found: dict[str, date] = {}
    subscribed = {one.person.ref for one in state.people.values() if one.channel == "feed"}
    feeds = [
        *await at.registers.feeds.of(delegation=state.id),
        *[feed for ref in sorted(subscribed) for feed in await at.registers.feeds.of(person=ref)],
    ]
    for feed in feeds:
        if feed.subject.kind in ("participant", "person") and feed.subject.person and feed.fetched_on:
            ref = feed.subject.person
            found[ref] = max(feed.fetched_on, found.get(ref, feed.fetched_on))
    return found


async def _tellings(at: Installation, file: File, item: str, uid: str) -> dict[str, list[Telling]]:
    """Return the messages about an item by person, in order: what was decided, joined with what the ledger says."""
    state = file.state
    lines: dict[tuple[str, str], Entry] = {}
    for line in await at.mail.told(state.id, uid):
        for who in line.participants:
            lines[line.issue, who] = line
    found: dict[str, list[Telling]] = {}
    for sealed in await at.queries.events(state.id, types=("InvitationsIssued",)):
        if sealed.seq > file.head.seq:
            break
        event = InvitationsIssued.model_validate(sealed.data)
        for message in event.messages:
            if message.item_id != item:
                continue
            for who in message.to:
                sent = lines.get((f"{state.id}:calendars:{event.issue}", who))
                found.setdefault(who, []).append(
                    Telling(
                        seq=sealed.seq,
                        at=sealed.instant,
                        channel="mail",
                        method=message.method,
                        sequence=message.sequence,
                        view=message.view,
                        status=sent.status if sent else "unreached",
                        sent_at=sent.sent_at if sent else None,
                        refusal=sent.refusal if sent else None,
                        status_code=sent.status_code if sent else None,
                        resent_at=sent.resent_at if sent else None,
                        bounced_at=sent.bounced_at if sent else None,
                    )
                )
    return found
