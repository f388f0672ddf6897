"""Calendar collections (CalDAV): looked for, registered, shown, verified and removed, for people and for offices.

Nothing is registered that was not found with the credentials given. A password is never shown again.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel, Field, SecretStr, StringConstraints
from temporalio.service import RPCError

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Strictly
from api.installation import At, Installation
from api.persons import Ref, require_reach
from api.problems import FieldProblem, Problem
from calendars.caldav import CalDavFailed, Credentials, CredentialsRefused, NotUsable
from calendars.discovery import FoundCollection, discover
from calendars.guard import AddressRefused
from domain.sign_in import Acting
from domain.values import Slug, Value
from locales import mark
from storage.collection_rows import Access, Collection, CollectionState, Owner, OwnerKind
from storage.collections import CollectionExists
from storage.metadata import utc_now
from storage.persons import Erased
from storage.references import new_reference

log = structlog.get_logger()

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["calendar collections"])

OF_PERSON = "/persons/{ref}/calendar-collection"
OF_OFFICE = "/institution/organisations/{organisation}/calendar-collection"
WORKFLOW = "CollectionRound"
BEGUN_WITHIN = timedelta(seconds=2)
LOOKED_FOR_WITHIN = 30.0
"""Seconds in which a calendar is found, or it counts as away."""

EXAMPLE = {"url": "https://calendar.example/dav/", "username": "haruka", "password": "a password for this alone"}

NOT_FOUND = mark("No calendar that takes events was found at this address.")
REFUSED: dict[str, tuple[str, str]] = {
    "address_malformed": ("url", mark("This is not the address of a calendar.")),
    "address_not_https": ("url", mark("The address has to begin with “https://”.")),
    "address_with_credentials": ("url", mark("Leave name and password out of the address; they have fields here.")),
    "address_port_refused": ("url", mark("No server is reached on this port; the settings may allow it.")),
    "address_host_refused": ("url", mark("Write the server by its name, or by its address in the usual form.")),
    "address_not_public": ("url", mark("This server is not on the public internet; the settings may allow it.")),
    "redirected_elsewhere": (
        "url",
        mark("The server refers to %(elsewhere)s. If you trust that address, enter it instead."),
    ),
    "several_calendars": (
        "url",
        mark("There are several calendars at this address. Search for them, then enter the address of one."),
    ),
    "calendar_unavailable": ("url", mark("The server does not answer as it should. Try again later.")),
    "credentials_refused": ("password", mark("The server does not take this name and password.")),
    "access_refused": ("password", mark("The server does not let this name into the calendar.")),
}
"""The field and the sentence of each rule; any other that is not for the server to mend is NOT_FOUND."""

OrganisationId = Annotated[Slug, Path(description="The organisation's id.")]


class CollectionBody(Value):
    """Where a calendar is, or its server, and with what it is opened: best a password made for this alone."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    username: Annotated[str, StringConstraints(min_length=1, max_length=320, pattern=r"^[^:\x00-\x1f]+$")]
    password: Annotated[SecretStr, Field(min_length=1, max_length=1000)]

    @property
    def credentials(self) -> Credentials:
        """Return name and password."""
        return Credentials(self.username, self.password.get_secret_value())


class FoundView(BaseModel):
    """A calendar that takes events, and what its owner calls it."""

    url: str
    name: str


class FoundList(BaseModel):
    """The calendars that an address leads to."""

    items: tuple[FoundView, ...]


class DriftView(BaseModel):
    """An item that was found otherwise than it was left: edited, missing, or a stray that nobody should have."""

    uid: str
    found_at: datetime
    kind: Literal["edited", "missing", "stray"]
    repaired: bool


class CollectionLine(BaseModel):
    """How a collection stands. `entries` items are in it; `behind` files have changes that it lacks.

    `failure` is the code of what went wrong last, since `failed_since`. Times are those of the wall, in UTC.
    """

    id: str
    owner_kind: OwnerKind
    owner: str
    state: CollectionState
    failure: str | None
    failed_since: datetime | None
    retry_at: datetime | None
    registered_by: str
    registered_at: datetime
    verified_at: datetime | None
    synced_at: datetime | None
    reviewed_at: datetime | None
    entries: int
    behind: int


class CollectionView(CollectionLine):
    """A collection with where it is, and what the reviews of the last 90 days found in it, the newest first."""

    url: str
    name: str
    username: str
    drift: tuple[DriftView, ...]


class CollectionList(BaseModel):
    """Every collection, those that do not work first."""

    items: tuple[CollectionLine, ...]


Sent = Annotated[CollectionBody, Strictly(CollectionBody), Body(examples=[EXAMPLE])]


@router.post("/calendar-collections/search")
async def search_collections(body: Sent, at: At) -> FoundList:
    """Look for the calendars that an address and credentials lead to; nothing is kept."""
    found = await _found(at, body.url, body.credentials)
    return FoundList(items=tuple(FoundView(url=one.url, name=one.name) for one in found))


@router.get("/calendar-collections")
async def list_collections(at: At) -> CollectionList:
    """List how every collection stands, without where it is: those that need somebody stand first."""
    return CollectionList(items=tuple(_line(one) for one in await at.registers.collections.all()))


@router.get(OF_PERSON)
async def show_collection_of_person(ref: Ref, actor: Actor, at: At) -> CollectionView:
    """Show the calendar that somebody's items are put into, to whoever may see a file that they are on."""
    return await _shown(at, await _person(ref, actor, at))


@router.put(OF_PERSON)
async def register_collection_of_person(ref: Ref, body: Sent, actor: Actor, at: At) -> CollectionView:
    """Register the calendar of somebody on a file, or new credentials for it. They hear by it once they choose to."""
    return await _registered(at, await _person(ref, actor, at), body, actor)


@router.post(f"{OF_PERSON}/verify")
async def verify_collection_of_person(ref: Ref, actor: Actor, at: At) -> CollectionView:
    """Try somebody's calendar now, with the credentials that are known, and bring it to what it lacks."""
    return await _verified(at, await _person(ref, actor, at))


@router.delete(OF_PERSON, status_code=204)
async def remove_collection_of_person(ref: Ref, actor: Actor, at: At) -> None:
    """Take everything of ours out of somebody's calendar, then forget it and its credentials."""
    await _removed(at, await _person(ref, actor, at), actor)


@router.get(OF_OFFICE)
async def show_collection_of_office(organisation: OrganisationId, at: At) -> CollectionView:
    """Show the calendar of an organisation's office, which holds the whole programme of each of its delegations."""
    return await _shown(at, await _office(organisation, at))


@router.put(OF_OFFICE)
async def register_collection_of_office(
    organisation: OrganisationId, body: Sent, actor: Actor, at: At
) -> CollectionView:
    """Register the calendar of an organisation's office, or new credentials for it."""
    return await _registered(at, await _office(organisation, at), body, actor)


@router.post(f"{OF_OFFICE}/verify")
async def verify_collection_of_office(organisation: OrganisationId, at: At) -> CollectionView:
    """Try an office's calendar now, with the credentials that are known, and bring it to what it lacks."""
    return await _verified(at, await _office(organisation, at))


@router.delete(OF_OFFICE, status_code=204)
async def remove_collection_of_office(organisation: OrganisationId, actor: Actor, at: At) -> None:
    """Take everything of ours out of an office's calendar, then forget it and its credentials."""
    await _removed(at, await _office(organisation, at), actor)


async def _person(ref: str, actor: Acting, at: Installation) -> Owner:
    await require_reach(ref, actor, at)
    person = await at.persons.get(ref)
    if person is None:
        raise Problem("person_unknown")
    if isinstance(person, Erased):
        raise Problem("person_erased")
    return Owner("person", ref)


async def _office(organisation: str, at: Installation) -> Owner:
    now = utc_now()
    known = (one for one in await at.institution.organisations() if one.slug == organisation)
    if not any(one.since <= now and (one.until is None or now < one.until) for one in known):
        raise Problem("organisation_unknown")
    return Owner("organisation", organisation)


async def _found(at: Installation, url: str, credentials: Credentials) -> tuple[FoundCollection, ...]:
    try:
        async with asyncio.timeout(LOOKED_FOR_WITHIN):
            return await discover(at.caldav, url, credentials)
    except TimeoutError:
        raise _unusable("calendar_unavailable") from None
    except (AddressRefused, CalDavFailed) as error:
        log.warning("calendar_not_found", reason=error.code)
        raise _problem(error) from None


def _problem(error: AddressRefused | CalDavFailed) -> Problem:
    elsewhere = error.elsewhere if isinstance(error, CalDavFailed) else ""
    if error.code in REFUSED:
        return _unusable(error.code, elsewhere)
    if error.code in ("no_calendar", "collection_missing", "redirected_too_often", "request_refused"):
        return _unusable("no_calendar")
    return _unusable("calendar_unavailable")


def _unusable(rule: str, elsewhere: str = "") -> Problem:
    field, sentence = REFUSED.get(rule, ("url", NOT_FOUND))
    params = {"elsewhere": elsewhere} if elsewhere else {}
    return Problem("calendar_refused", errors=[FieldProblem(field=field, rule=rule, sentence=sentence, params=params)])


async def _registered(at: Installation, owner: Owner, body: CollectionBody, actor: Acting) -> CollectionView:
    found = await _found(at, body.url, body.credentials)
    if len(found) > 1:
        raise _unusable("several_calendars")
    [one] = found
    access = Access(url=one.url, name=one.name, username=body.username, password=body.credentials.password)
    files = await at.registers.collection_queue.files_of(owner)
    try:
        id = await at.registers.collections.register(owner, access, by=actor.id, files=files)
    except CollectionExists:
        raise Problem("collection_exists") from None
    await _begin(at, id)
    return await _shown(at, owner)


async def _verified(at: Installation, owner: Owner) -> CollectionView:
    known, access = await _known(at, owner)
    credentials = Credentials(access.username, access.password)
    try:
        async with asyncio.timeout(LOOKED_FOR_WITHIN):
            found = await discover(at.caldav, access.url, credentials)
        if access.url not in {one.url for one in found}:
            # The way to another calendar of the same person is none to this one.
            raise NotUsable("collection_missing")
    except (AddressRefused, CalDavFailed, TimeoutError) as error:
        code = "too_slow" if isinstance(error, TimeoutError) else error.code
        state: Literal["needs_credentials", "unreachable"]
        state = "needs_credentials" if isinstance(error, CredentialsRefused) else "unreachable"
        await at.registers.collection_entries.failed(known.id, code, state)
    else:
        await at.registers.collections.verified(known.id)
        await _begin(at, known.id)
    return await _shown(at, owner)


async def _removed(at: Installation, owner: Owner, actor: Acting) -> None:
    id = await at.registers.collections.leave(owner, by=actor.id)
    if id is None:
        raise Problem("collection_unknown")
    await _begin(at, id)


async def _known(at: Installation, owner: Owner) -> tuple[Collection, Access]:
    known = await at.registers.collections.of(owner)
    access = await at.registers.collections.access(known.id) if known else None
    if known is None or access is None:
        raise Problem("collection_unknown")
    return known, access


async def _shown(at: Installation, owner: Owner) -> CollectionView:
    known, access = await _known(at, owner)
    drift = await at.registers.collection_entries.drift(known.id)
    return CollectionView.model_validate(
        {
            **_line(known).model_dump(),
            "url": access.url,
            "name": access.name,
            "username": access.username,
            "drift": [vars(one) for one in drift],
        }
    )


def _line(one: Collection) -> CollectionLine:
    said = {name: value for name, value in vars(one).items() if name != "owner"}
    return CollectionLine.model_validate(said | {"owner_kind": one.owner.kind, "owner": one.owner.id})


async def _begin(at: Installation, id: str) -> None:
    """Let the worker begin at once; never fails: the round by the clock finds what is not begun now."""
    try:
        if at.client is None:
            return
        # A colon: no delegation has such an id. One for each request, since one under way may be past what is new.
        name, queue = f"calendars:{id}:{new_reference('now')}", at.settings.temporal_task_queue
        await at.client.start_workflow(
            WORKFLOW, {"collection": id}, id=name, task_queue=queue, rpc_timeout=BEGUN_WITHIN
        )
    except (RPCError, RuntimeError) as error:
        # A client that never reached the server raises the SDK's own RuntimeError.
        log.warning("calendar_round_not_begun", collection=id, reason=type(error).__name__)
