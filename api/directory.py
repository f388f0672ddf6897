"""The directory of partners, hosts and contacts: entries, their versions, likenesses and merges.

An auditor sees organisations whole, and of contacts that they exist; who they are is personal data.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.access import BEARER, PERSONAL, Actor, GuardedRoute
from api.bodies import IdempotencyKey, Strictly
from api.installation import At, Installation
from api.problems import FieldProblem, Problem, refused
from api.violations import CUSTOM
from domain.canonical import digest_of
from domain.decision import Actor as Acting
from domain.decision import Refusal
from domain.directory import ContactEntry, Entry, EntryId, EntryKind, HostEntry, PartnerEntry
from domain.duplicates import Reason
from domain.values import Language, Value
from storage.cursors import BadCursor
from storage.directory import LARGEST_PAGE, Action, DirectoryRefused, Found
from storage.persons import Person, known_country

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["directory"])

AnyEntry = PartnerEntry | HostEntry | ContactEntry
PARTNER = {"kind": "partner", "name": "Tokyo Friendship Association", "country": "JP", "web": "https://tfa.example"}

KnownId = Annotated[EntryId, Path(description="The entry's id.", examples=["dir_7m2k4x9q0w8e5r3t1y6u"])]


class ContactDetails(BaseModel):
    """Who a contact is, and how to reach them."""

    full_name: str
    given_name: str
    honorific: str | None
    function: str | None
    email: str
    phone: str | None
    language: Language


class EntryView(BaseModel):
    """An entry as it stands after `version`.

    `merged_into` names the entry that it gave way to, `stands_for` the one at the end of those; its own id if there is
    none. Of a contact, `person` has the details as last corrected: not for an auditor, nor after erasure.
    """

    id: str
    version: int
    entry: Entry
    merged_into: str | None
    stands_for: str
    person: ContactDetails | None = None


class EntryList(BaseModel):
    """A page of the directory, and the cursor of the next one if there may be one."""

    items: tuple[EntryView, ...]
    next_cursor: str | None


class DirectoryQuery(BaseModel):
    """What to list, and which page of it."""

    model_config = ConfigDict(extra="forbid")

    kind: list[EntryKind] = Field([], max_length=3)
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Words of an organisation's names and place; diacritics do not matter."
    )
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    at: EntryId | None = Field(None, description="The contacts of this organisation, and of what was merged into it.")
    merged: bool = Field(False, description="Also entries that gave way to others.")
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=2000)] | None = Field(None, description="`next_cursor` of the page before.")


class Changed(Value):
    """The new content of an entry, and the version it was made from."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    entry: Entry


class MergeBody(Value):
    """The entry that stands for both from now on."""

    into: EntryId


class EntryVersion(BaseModel):
    """One version: what made it, who, and when (time of the wall); `other` is the other side of a merge."""

    version: int
    action: Action
    entry: Entry
    other: str | None
    actor: str
    at: datetime


class EntryVersions(BaseModel):
    """Every version of an entry, the first one first."""

    items: tuple[EntryVersion, ...]


class Alike(BaseModel):
    """An entry that may be the same: how much alike, 0 to 100, and why."""

    score: int
    reasons: tuple[Reason, ...]
    found: EntryView


class EntryAdded(EntryView):
    """An entry as it was entered, and what there is that looks like it, the highest score first: a warning."""

    alike: tuple[Alike, ...] = ()


class PairsQuery(BaseModel):
    """Which page of the pairs."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=2000)] | None = Field(None, description="`next_cursor` of the page before.")


class PairView(BaseModel):
    """Two organisations that may be one: how much alike, 0 to 100, and why.

    Of two kinds, they cannot be merged: one organisation may well be a partner and a host.
    """

    score: int
    reasons: tuple[Reason, ...]
    first: EntryView
    second: EntryView


class PairList(BaseModel):
    """A page of pairs, how many there are on all pages, and the cursor of the next one if there is one."""

    items: tuple[PairView, ...]
    count: int
    next_cursor: str | None


class AlikeList(BaseModel):
    """What an entry looks like, the highest score first; at most ten."""

    items: tuple[Alike, ...]


@router.get("/directory")
async def list_directory(query: Annotated[DirectoryQuery, Query()], actor: Actor, at: At) -> EntryList:
    """List entries by name; contacts, whose names the directory does not hold, come first."""
    try:
        page = await at.directory.page(
            kinds=query.kind,
            q=query.q,
            country=query.country,
            at=query.at,
            merged=query.merged,
            limit=query.limit,
            cursor=query.cursor,
        )
    except BadCursor:
        raise Problem("cursor_unknown") from None
    return EntryList(items=await views_of(at, actor, page.items), next_cursor=page.next_cursor)


@router.get("/directory-duplicates")
async def list_likely_duplicates(query: Annotated[PairsQuery, Query()], actor: Actor, at: At) -> PairList:
    """List every two partners and hosts that may be one, the highest score first; for contacts ask of each."""
    try:
        page = await at.directory_imports.pairs(limit=query.limit, cursor=query.cursor)
    except BadCursor:
        raise Problem("cursor_unknown") from None
    found = await at.directory.get_many(name for one in page.items for name in (one.first, one.second))
    known = {view.id: view for view in await views_of(at, actor, found.values())}
    items = tuple(
        PairView(score=one.score, reasons=one.reasons, first=known[one.first], second=known[one.second])
        for one in page.items
    )
    return PairList(items=items, count=page.count, next_cursor=page.next_cursor)


@router.post("/directory", status_code=201)
async def add_entry(
    body: Annotated[Entry, Strictly(Entry), Body(examples=[PARTNER])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
    request: Request,
    response: Response,
) -> EntryAdded:
    """Enter a partner, a host or a contact, and say what looks like it; a contact's person is registered first."""
    await _check(at, body, "")
    with_key = key_of_entry(actor, key)
    try:
        found = await at.directory.add(body, actor.id, idempotency_key=with_key)
    except DirectoryRefused as refusal:
        raise Problem(refusal.code) from None
    response.headers["Location"] = request.app.url_path_for("show_entry", entry=found.id)
    return EntryAdded(**vars(await _view(at, actor, found)), alike=await _alike(at, actor, found))


@router.get("/directory/{entry}")
async def show_entry(entry: KnownId, actor: Actor, at: At) -> EntryView:
    """Show an entry as it stands, merged away or not."""
    return await _view(at, actor, await _known(at, entry))


@router.put("/directory/{entry}")
async def change_entry(
    entry: KnownId,
    body: Annotated[Changed, Strictly(Changed), Body(examples=[{"version": 1, "entry": PARTNER}])],
    actor: Actor,
    at: At,
) -> EntryView:
    """Replace what an entry says: a new version; the earlier ones stay. `version` is the one that was read."""
    await _check(at, body.entry, "entry.")
    try:
        return await _view(at, actor, await at.directory.change(entry, body.entry, body.version, actor.id))
    except DirectoryRefused as refusal:
        raise Problem(refusal.code) from None


@router.get("/directory/{entry}/versions")
async def list_entry_versions(entry: KnownId, at: At) -> EntryVersions:
    """List every version of an entry with who made it and when."""
    await _known(at, entry)
    return EntryVersions(items=tuple(EntryVersion(**vars(one)) for one in await at.directory.versions(entry)))


@router.get("/directory/{entry}/duplicates")
async def list_duplicates(entry: KnownId, actor: Actor, at: At) -> AlikeList:
    """List the entries that may be the same, with a score and the reasons."""
    return AlikeList(items=await _alike(at, actor, await _known(at, entry)))


@router.post("/directory/{entry}/merge")
async def merge_entry(
    entry: KnownId,
    body: Annotated[MergeBody, Strictly(MergeBody), Body(examples=[{"into": "dir_7m2k4x9q0w8e5r3t1y6u"}])],
    actor: Actor,
    at: At,
) -> EntryView:
    """Let an entry give way to another of its kind, which is the answer; both keep their history."""
    try:
        return await _view(at, actor, await at.directory.merge(entry, body.into, actor.id))
    except DirectoryRefused as refusal:
        raise Problem(refusal.code) from None


@router.post("/directory/{entry}/split")
async def split_entry(entry: KnownId, actor: Actor, at: At) -> EntryView:
    """Undo the merge of an entry."""
    try:
        return await _view(at, actor, await at.directory.split(entry, actor.id))
    except DirectoryRefused as refusal:
        raise Problem(refusal.code) from None


def key_of_entry(actor: Acting, key: str) -> str:
    """Return the key under which an account's request adds an entry, once."""
    return digest_of(["directory", actor.id, key])


async def _known(at: Installation, entry: str) -> Found:
    found = await at.directory.get(entry)
    if found is None:
        raise Problem("entry_unknown")
    return found


async def _check(at: Installation, entry: AnyEntry, before: str) -> None:
    """Refuse a country that is none, and a person whom the register does not have as named."""
    if isinstance(entry, ContactEntry):
        if not isinstance(await at.persons.as_committed(entry.person), Person):
            raise refused(Refusal(code="reference_unknown", field=f"{before}person"))
        return
    try:
        known_country(entry.country)
    except PydanticCustomError as wrong:
        error = FieldProblem(field=f"{before}country", rule=wrong.type, sentence=CUSTOM[wrong.type])
        raise Problem("validation_failed", errors=[error]) from None


async def _alike(at: Installation, actor: Acting, found: Found) -> tuple[Alike, ...]:
    alike = await at.directory_imports.alike(found)
    there = await at.directory.get_many(one.entry for one in alike)
    views = {view.id: view for view in await views_of(at, actor, there.values())}
    return tuple(Alike(score=one.score, reasons=one.reasons, found=views[one.entry]) for one in alike)


async def _view(at: Installation, actor: Acting, found: Found) -> EntryView:
    [view] = await views_of(at, actor, [found])
    return view


async def views_of(at: Installation, actor: Acting, found: Iterable[Found]) -> tuple[EntryView, ...]:
    """Return entries as their reader may see them, in the same order."""
    entries = list(found)
    contacts = [one.entry.person.ref for one in entries if isinstance(one.entry, ContactEntry)]
    sees_people = bool(set(actor.roles) & set(PERSONAL))
    people = await at.persons.get_many(contacts) if contacts and sees_people else {}

    def details(entry: AnyEntry) -> ContactDetails | None:
        person = people.get(entry.person.ref) if isinstance(entry, ContactEntry) else None
        if not isinstance(person, Person):
            return None
        return ContactDetails.model_validate(person.details.model_dump())

    return tuple(EntryView(**vars(one), person=details(one.entry)) for one in entries)
