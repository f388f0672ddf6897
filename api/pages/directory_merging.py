"""Two entries of the directory beside each other: what may be one, made one, and separated again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access import Actor
from api.directory import (
    DirectoryQuery,
    EntryView,
    KnownId,
    MergeBody,
    PairsQuery,
    list_directory,
    list_duplicates,
    list_likely_duplicates,
    merge_entry,
    split_entry,
    views_of,
)
from api.files import reach
from api.installation import At, Installation
from api.pages.answering import answering
from api.pages.directory import (
    FIELDS,
    LABELS,
    LANGUAGES,
    MOST_CONTACTS,
    PAGE,
    PATH,
    Cursor,
    files_with,
    name_of,
    names_in,
    open_entry,
    worded,
)
from api.pages.forms import Form, FormRefused, done
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.problems import Problem
from domain.directory import ContactEntry, EntryId
from domain.sign_in import Acting
from locales import mark, translator
from storage.directory import Found
from words.directory import KINDS, REASONS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

FOUND = 10
"""Entries that a search for the other side of a merge shows."""

CHOOSE_ONE = mark("Choose which of the two stands for both.")

CHANGED_MEANWHILE = mark("One of the two was changed meanwhile. Look at both once more; nothing was done.")


@dataclass(frozen=True)
class Side:
    """One of two entries that are looked at beside each other. `lines` are its fields as the reader reads them."""

    view: EntryView
    name: str
    lines: Mapping[str, str]
    contacts: int
    files: int


@router.get(f"{PATH}/duplicates")
async def show_likely_duplicates_page(request: Request, actor: Actor, at: At, cursor: Cursor = None) -> Response:
    """Show every two organisations that may be one, the likeliest first."""
    page = await list_likely_duplicates(PairsQuery(limit=PAGE, cursor=cursor), actor, at)
    return show(
        request,
        "directory_pairs.html",
        pairs=page.items,
        count=page.count,
        first=f"{PATH}/duplicates" if cursor else None,
        following=f"{PATH}/duplicates?{urlencode({'cursor': page.next_cursor})}" if page.next_cursor else None,
        kind_words=KINDS,
        reason_words=REASONS,
        headers={"Cache-Control": "no-store"},
    )


@router.get(f"{PATH}/{{entry}}/merge")
async def show_merging_page(
    entry: KnownId,
    request: Request,
    actor: Actor,
    at: At,
    other: Annotated[EntryId | None, Query(alias="with")] = None,
    q: str = "",
) -> Response:
    """Show what an entry may be the same as; or, with another one, both beside each other."""
    if other is not None:
        return await _comparing(request, at, actor, entry, other, Form("merge"))
    found, words = await open_entry(at, entry), translator(reader_of(request).language)
    view = (await views_of(at, actor, [found]))[0]
    asked = " ".join(q[:200].replace("\x00", "").split())
    alike = (await list_duplicates(entry, actor, at)).items
    matches: Sequence[EntryView] = ()
    if asked and found.entry.kind != "contact":
        query = DirectoryQuery(kind=[found.entry.kind], q=asked, limit=FOUND + 1)
        matches = [one for one in (await list_directory(query, actor, at)).items if one.id != entry][:FOUND]
    homes = await _homes(at, [*(one.found for one in alike), *matches])
    return show(
        request,
        "directory_alike.html",
        view=view,
        name=name_of(view, words),
        alike=[(one, name_of(one.found, words), homes.get(one.found.id, "")) for one in alike],
        matches=[(one, name_of(one, words)) for one in matches],
        asked=asked,
        kind_words=KINDS,
        reason_words=REASONS,
        headers={"Cache-Control": "no-store"},
    )


@router.post(f"{PATH}/{{entry}}/merge")
async def merge_entry_by_page(entry: KnownId, request: Request, actor: Actor, at: At) -> Response:
    """Let one of two entries give way to the other, as both were shown."""
    form: Typed = request.state.form
    other, keep = form.get("with", ""), form.get("keep", "")
    rows = await at.directory.get_many([entry, other])
    if {entry, other} != set(rows) or entry == other:
        raise Problem("entry_unknown")
    if "again" in form:
        return RedirectResponse(f"{PATH}/{entry}/merge?with={other}", 303)
    words, loser = translator(reader_of(request).language), other if keep == entry else entry
    try:
        if keep not in rows:
            raise FormRefused([("keep", words.tr(CHOOSE_ONE))])
        if rows[loser].merged_into == keep:
            # Sent twice.
            return done(f"{PATH}/{keep}", "merged")
        if form.get("seen") != _seen(rows[entry], rows[other]):
            raise FormRefused([("", words.tr(CHANGED_MEANWHILE))], 409)
        with answering(request):
            await merge_entry(loser, MergeBody(into=keep), actor, at)
    except FormRefused as wrong:
        shown = wrong.form("merge", None, form)
        return await _comparing(request, at, actor, entry, other, shown, status=wrong.status)
    return done(f"{PATH}/{keep}", "merged")


@router.post(f"{PATH}/{{entry}}/split")
async def split_entry_by_page(entry: KnownId, request: Request, actor: Actor, at: At) -> Response:
    """Undo the merge of an entry; sent twice, it stands for itself already."""
    if "again" in request.state.form:
        return RedirectResponse(f"{PATH}/{entry}", 303)
    try:
        await split_entry(entry, actor, at)
    except Problem as problem:
        if problem.code != "entry_not_merged":
            raise
    return done(f"{PATH}/{entry}", "split")


async def _homes(at: Installation, views: Sequence[EntryView]) -> dict[str, str]:
    """Return what the organisations of contacts are called, by the contact."""
    places = {view.id: view.entry.at for view in views if isinstance(view.entry, ContactEntry)}
    known = await at.directory.get_many(places.values()) if places else {}
    return {id: (names_in(known[home].entry) or ("",))[0] for id, home in places.items() if home in known}


def _seen(*sides: Found) -> str:
    """Return what a form carries of the entries that it shows: another text once one of them was changed."""
    return ".".join(f"{one.id}:{one.version}" for one in sorted(sides, key=lambda one: one.id))


async def _side(request: Request, at: Installation, view: EntryView, within: frozenset[str] | None) -> Side:
    words = translator(reader_of(request).language)
    if isinstance(view.entry, ContactEntry):
        person = view.person.model_dump() if view.person else {}
        lines = {field: str(person.get(field) or "") for field in FIELDS["contact"] if field != "nationality"}
        lines["language"] = LANGUAGES.get(lines["language"], "")
        lines["at"] = (await _homes(at, [view])).get(view.id, "")
        files = await files_with(at, view, (), [view.entry.person.ref], within=within, most=MOST_CONTACTS)
        return Side(view, name_of(view, words), lines, 0, len(files))
    family = await at.directory.family(view.id)
    files = await files_with(at, view, family, (), within=within, most=MOST_CONTACTS)
    contacts = (await at.directory.contacts_at([view.id])).get(view.id, 0)
    return Side(view, name_of(view, words), worded(view.entry, words), contacts, len(files))


async def _comparing(
    request: Request, at: Installation, actor: Acting, entry: str, other: str, form: Form, *, status: int = 200
) -> Response:
    if entry == other:
        raise Problem("entry_merges_itself")
    first, second = await open_entry(at, entry), await open_entry(at, other)
    if first.entry.kind != second.entry.kind:
        raise Problem("entry_kind_differs")
    within, words = await reach(actor, at), translator(reader_of(request).language)
    sides = [await _side(request, at, view, within) for view in await views_of(at, actor, [first, second])]
    fields = [field for field in FIELDS[first.entry.kind][1:] if any(side.lines.get(field) for side in sides)]
    return show(
        request,
        "directory_merge.html",
        status,
        sides=sides,
        is_contact=first.entry.kind == "contact",
        rows=[(words.tr(LABELS[field]), *(side.lines.get(field, "") for side in sides)) for field in fields],
        form=form,
        seen=_seen(first, second),
        errors=form.errors,
        headers={"Cache-Control": "no-store"},
    )
