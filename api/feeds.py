"""Feeds and personal pages: made, listed, given another address, revoked. Every change stands in the register's log."""

from datetime import date, datetime
from typing import Annotated, Self
from urllib.parse import urlsplit

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.access import BEARER, STAFF, Actor, GuardedRoute
from api.bodies import Strictly
from api.feed_contents import READERS
from api.files import KnownFile, require_reach
from api.installation import At, Installation
from api.problems import Problem
from domain.sign_in import Acting
from domain.values import Slug, Value
from storage.feeds import Feed, Kind, Subject
from storage.persons import Erased

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["feeds"])

PersonReference = Annotated[str, StringConstraints(pattern=r"^per_[A-Za-z0-9_-]{8,64}$")]

FeedId = Annotated[str, Path(pattern=r"^fee_[a-z0-9]{8,64}$")]


class NewFeedOfDelegation(Value):
    """Whose view of the delegation it shows: that of somebody on the file, or without one that of the office.

    With `page` it is the address of that somebody's page.
    """

    participant: Slug | None = None
    page: bool = False

    @model_validator(mode="after")
    def _page_is_somebodys(self) -> Self:
        if self.page and self.participant is None:
            raise PydanticCustomError("page_of_nobody", "a page is somebody's: name the participant")
        return self


class NewFeed(Value):
    """Over several files: one person's, or what is in the reach of an account. Exactly one of the two."""

    person: PersonReference | None = None
    account: Slug | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.person is None) == (self.account is None):
            raise PydanticCustomError("feed_of_one", "name a person or an account, and not both")
        return self


class FeedQuery(BaseModel):
    """Whose; without anything one's own."""

    model_config = ConfigDict(extra="forbid")

    person: PersonReference | None = None
    account: Slug | None = None


class FeedView(BaseModel):
    """A feed or a page. Its address is a secret: whoever has it sees what it shows.

    `link` is missing once it is revoked, and where the master key it came from is gone: give it another one then.
    `webcal` is the same for programs that subscribe to calendars. `fetched_on` is a day, in UTC.
    """

    id: str
    kind: Kind
    delegation: str | None
    participant: str | None
    person: str | None
    account: str | None
    link: str | None
    webcal: str | None
    made_at: datetime
    made_by: str
    changed_at: datetime
    revoked_at: datetime | None
    fetched_on: date | None


class FeedList(BaseModel):
    """Feeds in the order in which they were made."""

    items: tuple[FeedView, ...]


def address_of(at: Installation, kind: Kind, token: str) -> str:
    """Return where a token leads: to a calendar, or to a page."""
    base = at.settings.public_url.rstrip("/")
    return f"{base}/my/{token}" if kind == "page" else f"{base}/calendars/{token}.ics"


def webcal_of(address: str) -> str:
    """Return the address of a calendar as programs that subscribe take it."""
    return f"webcal{address.removeprefix(urlsplit(address).scheme)}"


def view_of(at: Installation, feed: Feed) -> FeedView:
    """Return a feed as the API shows it."""
    token, subject = at.feeds.token_of(feed), feed.subject
    link = None if token is None else address_of(at, subject.kind, token)
    return FeedView(
        id=feed.id,
        kind=subject.kind,
        delegation=subject.delegation,
        participant=subject.name if subject.kind in ("participant", "page") else None,
        person=subject.person,
        account=subject.name if subject.kind == "account" else None,
        link=link,
        webcal=None if link is None or subject.kind == "page" else webcal_of(link),
        made_at=feed.made_at,
        made_by=feed.made_by,
        changed_at=feed.changed_at,
        revoked_at=feed.revoked_at,
        fetched_on=feed.fetched_on,
    )


@router.post("/delegations/{delegation}/feeds", status_code=201)
async def make_feed_of_delegation(
    file: KnownFile,
    body: Annotated[NewFeedOfDelegation, Strictly(NewFeedOfDelegation), Body(examples=[{"participant": "keiko"}])],
    actor: Actor,
    at: At,
) -> FeedView:
    """Make a calendar of a delegation: the office's, or that of somebody on the file. One that is there is shown."""
    delegation = file.state.id
    if body.participant is None:
        subject = Subject.of_delegation(delegation)
    else:
        person = file.state.people.get(body.participant)
        if person is None:
            raise Problem("participant_unknown", params={"member": body.participant})
        make = Subject.page if body.page else Subject.participant
        subject = make(delegation, person.id, person.person.ref)
    return view_of(at, await at.feeds.make(subject, by=actor.id))


@router.get("/delegations/{delegation}/feeds")
async def list_feeds_of_delegation(file: KnownFile, at: At) -> FeedList:
    """List the calendars and personal pages of a delegation, revoked ones too."""
    return FeedList(items=tuple(view_of(at, one) for one in await at.feeds.of(delegation=file.state.id)))


@router.post("/feeds", status_code=201)
async def make_feed(
    body: Annotated[NewFeed, Strictly(NewFeed), Body(examples=[{"account": "lan"}])], actor: Actor, at: At
) -> FeedView:
    """Make a calendar over several files: one's own, of all in one's reach; of somebody over all their files."""
    await _require_right(at, actor, person=body.person, account=body.account)
    if body.account is not None:
        account = await at.accounts.get(body.account)
        if account is None or READERS.isdisjoint(account.roles):
            raise Problem("account_unknown")
        subject = Subject.of_account(body.account)
    else:
        reference = body.person or ""
        person = await at.persons.get(reference)
        if person is None:
            raise Problem("person_unknown")
        if isinstance(person, Erased):
            raise Problem("person_erased")
        subject = Subject.of_person(reference)
    return view_of(at, await at.feeds.make(subject, by=actor.id))


@router.get("/feeds")
async def list_feeds(query: Annotated[FeedQuery, Query()], actor: Actor, at: At) -> FeedList:
    """List one's own calendar, an account's, or everything of a person."""
    account = query.account or (None if query.person else actor.id)
    await _require_right(at, actor, person=query.person, account=account)
    found = await at.feeds.of(person=query.person, account=account)
    return FeedList(items=tuple(view_of(at, one) for one in found))


@router.post("/feeds/{feed}/rotate")
async def rotate_feed(feed: FeedId, actor: Actor, at: At) -> FeedView:
    """Give a feed or page another address; the one before leads nowhere from now on."""
    await _require_right_to(at, actor, feed)
    return await _changed(at, await at.feeds.rotate(feed, by=actor.id))


@router.post("/feeds/{feed}/revoke")
async def revoke_feed(feed: FeedId, actor: Actor, at: At) -> FeedView:
    """Let the address of a feed or page lead nowhere from now on."""
    await _require_right_to(at, actor, feed)
    return await _changed(at, await at.feeds.revoke(feed, by=actor.id))


async def _changed(at: Installation, feed: Feed | None) -> FeedView:
    if feed is None:
        raise Problem("feed_unknown")
    return view_of(at, feed)


async def _require_right_to(at: Installation, actor: Acting, feed: str) -> None:
    known = await at.feeds.get(feed)
    if known is None:
        raise Problem("feed_unknown")
    subject = known.subject
    if subject.delegation is not None:
        _require_staff(actor)
        await require_reach(actor, at, subject.delegation)
    else:
        account = subject.name if subject.kind == "account" else None
        await _require_right(at, actor, person=subject.person, account=account)


async def _require_right(at: Installation, actor: Acting, *, person: str | None, account: str | None) -> None:
    """Refuse what is over several files and not one's own: an account's to administrators alone.

    A person's files may lie anywhere, so only who may see all files may have them in one calendar.
    """
    if account is not None and account != actor.id:
        if "administrator" not in actor.roles:
            raise Problem("role_not_allowed")
        if "administer" not in actor.scopes:
            raise Problem("scope_missing", params={"scope": "administer"})
    if person is not None:
        _require_staff(actor)
        if actor.organisation is not None:
            raise Problem("organisation_out_of_reach")


def _require_staff(actor: Acting) -> None:
    if set(STAFF).isdisjoint(actor.roles):
        raise Problem("role_not_allowed")
