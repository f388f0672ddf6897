"""The directory as pages: partners, hosts and their contacts, and what each was and is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from api.access import ALLOWED, Actor
from api.directory import (
    AnyEntry,
    DirectoryQuery,
    EntryView,
    KnownId,
    list_directory,
    list_entry_versions,
    show_entry,
    views_of,
)
from api.files import reach
from api.installation import At, Installation
from api.pages.forms import Form, said
from api.pages.frame import SHAPES
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.problems import Problem
from domain.directory import ContactEntry, EntryKind, is_meant
from domain.folding import folded
from domain.sign_in import Acting
from locales import Translator, mark, translator
from storage.directory import Found
from storage.lists import Listed
from words.codes import sentence_case, word
from words.directory import ACTIONS, KINDS, NATURES

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PATH = "/directory"

PAGE = 50

MOST_FILES = 20

MOST_CONTACTS = 200
"""Contacts of one organisation whose delegations are looked for."""

FIELDS: dict[EntryKind, tuple[str, ...]] = {
    "partner": ("name", "other_names", "country", "nature", "web"),
    "host": ("name", "other_names", "country", "place", "web"),
    "contact": ("full_name", "given_name", "honorific", "function", "email", "phone", "nationality", "language", "at"),
}
"""What the form of each kind asks for; of a person what makes them a contact. `at` is their organisation's name."""

SAID = {
    "added": mark("It was entered."),
    "changed": mark("It was changed."),
    "joined": mark("The contact was entered."),
    "merged": mark("The two entries are one now. What the other one was called still leads here."),
    "split": mark("The entry stands for itself again."),
}

LABELS = {
    "name": mark("Name of the organisation"),
    "other_names": mark("Other names"),
    "country": mark("Country"),
    "nature": mark("Nature"),
    "place": mark("Place"),
    "web": mark("Web"),
    "at": mark("Organisation"),
    "full_name": mark("Full name"),
    "given_name": mark("Given name"),
    "honorific": mark("Form of address"),
    "function": mark("Function"),
    "email": mark("E-mail"),
    "phone": mark("Telephone"),
    "nationality": mark("Nationality"),
    "language": mark("Language"),
}

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}

Cursor = Annotated[str | None, Query(max_length=2000)]


@dataclass(frozen=True)
class Told:
    """A version of an entry: which it is, who made it and when, what that did to it, and to which other one."""

    version: int
    action: str
    who: str
    at: datetime
    other: str | None
    changes: tuple[tuple[str, str, str], ...]


@router.get(PATH)
async def show_directory_page(
    request: Request,
    actor: Actor,
    at: At,
    q: str = "",
    kind: Annotated[Literal["", "partner", "host"], Query()] = "",
    country: Annotated[str, Query(pattern=r"^([A-Z]{2})?$")] = "",
    cursor: Cursor = None,
) -> Response:
    """List partners and hosts by name; `q` are words of names and places, diacritics do not matter."""
    asked = " ".join(q[:200].replace("\x00", "").split())
    kinds: list[EntryKind] = [kind] if kind else ["partner", "host"]
    query = DirectoryQuery(kind=kinds, q=asked or None, country=country or None, limit=PAGE, cursor=cursor)
    page = await list_directory(query, actor, at)
    words = translator(reader_of(request).language)
    countries = [(code, words.country(code)) for code in await at.directory.countries()]
    filters = {name: value for name, value in (("q", asked), ("kind", kind), ("country", country)) if value}
    return show(
        request,
        "directory.html",
        form=Form("filter", None, filters),
        found=page.items,
        count=await at.directory.count(kinds=kinds, q=asked or None, country=country or None),
        contacts=await at.directory.contacts_at(one.id for one in page.items),
        kinds=options(KINDS, words, ("partner", "host")),
        natures=dict(options(NATURES, words)),
        countries=sorted(countries, key=lambda one: one[1]),
        filtered=bool(filters),
        first=f"{PATH}?{urlencode(filters)}" if cursor and filters else PATH if cursor else None,
        following=f"{PATH}?{urlencode(filters | {'cursor': page.next_cursor})}" if page.next_cursor else None,
        coordinates=coordinates(actor),
        said=said(request, SAID),
        headers={"Cache-Control": "no-store"},
    )


@router.get(f"{PATH}/{{entry}}")
async def show_entry_page(entry: KnownId, request: Request, actor: Actor, at: At, cursor: Cursor = None) -> Response:
    """Show an entry: what is known, its contacts, the delegations with it, and what it was when."""
    view, reader = await show_entry(entry, actor, at), reader_of(request)
    words, people = translator(reader.language), reader.sees_personal_data
    within, is_contact = await reach(actor, at), isinstance(view.entry, ContactEntry)
    contacts: Sequence[EntryView] = ()
    next_cursor, refs = None, set[str]()
    family: list[Found] = []
    if isinstance(view.entry, ContactEntry):
        refs = {view.entry.person.ref} if people else set()
    else:
        family = await at.directory.family(view.id)
        page = await list_directory(DirectoryQuery(kind=["contact"], at=view.id, cursor=cursor, limit=PAGE), actor, at)
        contacts, next_cursor = page.items, page.next_cursor
        if people:
            theirs = await at.directory.page(kinds=["contact"], at=view.id, limit=MOST_CONTACTS)
            refs = {one.entry.person.ref for one in theirs.items if isinstance(one.entry, ContactEntry)}
    files = await files_with(at, view, family, refs, within=within, most=MOST_FILES + 1)
    history = await history_of(request, at, view.id)
    near = {one.other for one in history if one.other} | {view.stands_for}
    if isinstance(view.entry, ContactEntry):
        near.add(view.entry.at)
    others = {one.id: one for one in await views_of(at, actor, (await at.directory.get_many(near)).values())}
    return show(
        request,
        "directory_entry.html",
        view=view,
        name=name_of(view, words),
        is_contact=is_contact,
        home=others.get(view.entry.at) if isinstance(view.entry, ContactEntry) else None,
        others={id: name_of(one, words) for id, one in others.items()},
        family=[(one.id, names_in(one.entry)) for one in family if one.id != view.id],
        contacts=sorted(contacts, key=lambda one: one.person.full_name if one.person else "\uffff"),
        following=f"{PATH}/{view.id}?{urlencode({'cursor': next_cursor})}#contacts" if next_cursor else None,
        files=files[:MOST_FILES],
        more_files=f"/files?{urlencode({'phase': '', 'q': names_in(view.entry)[0]})}"
        if len(files) > MOST_FILES and not is_contact
        else None,
        shapes=SHAPES,
        history=history,
        action_words=ACTIONS,
        kind_words=KINDS,
        nature_words=NATURES,
        language_words=LANGUAGES,
        coordinates=coordinates(actor),
        said=said(request, SAID),
        headers={"Cache-Control": "no-store"},
    )


async def files_with(
    at: Installation,
    view: EntryView,
    family: Sequence[Found],
    people: Collection[str],
    *,
    within: frozenset[str] | None,
    most: int,
) -> tuple[Listed, ...]:
    """Return the delegations with an organisation or with these people of it, the latest first.

    A file names its partner by what it was called then: so by every name that the entry, and those merged into it
    (`family`), have or had. Of namesakes the country of the journey says which is meant.
    """
    entry = view.entry
    if isinstance(entry, ContactEntry):
        return await at.queries.visits((), people, within=within, most=most)
    names = await at.directory.names_ever({view.id, *(one.id for one in family)})
    others = await at.directory.namesakes(names, view.stands_for)
    current = {folded(name) for one in (entry, *(one.entry for one in family)) for name in names_in(one)}

    def meant(name: str, countries: tuple[str, ...]) -> bool:
        return is_meant(name, countries, entry.country, current, others)

    return await at.queries.visits(names, people, within=within, most=most, meant=meant)


def name_of(view: EntryView, words: Translator) -> str:
    """Return what an entry is called: an organisation by its name, a contact by the person's if it may be seen."""
    if not isinstance(view.entry, ContactEntry):
        return view.entry.name
    if view.person is None:
        return words.tr("(name not shown)")
    return " ".join(part for part in (view.person.honorific, view.person.full_name) if part)


def names_in(entry: AnyEntry) -> tuple[str, ...]:
    return () if isinstance(entry, ContactEntry) else (entry.name, *entry.other_names)


def coordinates(actor: Acting) -> bool:
    return not set(actor.roles).isdisjoint(ALLOWED["change_entry"])


def options(table: Mapping[str, str], words: Translator, codes: Sequence[str] = ()) -> list[tuple[str, str]]:
    return [(code, sentence_case(words.tr(table[code]))) for code in codes or table]


async def open_entry(at: Installation, entry: str) -> Found:
    """Return an entry that can be changed. Problems: `entry_unknown`, `entry_merged`."""
    found = await at.directory.get(entry)
    if found is None:
        raise Problem("entry_unknown")
    if found.merged_into is not None:
        raise Problem("entry_merged")
    return found


def shown_fields(entry: AnyEntry, words: Translator) -> dict[str, str]:
    """Return the fields of an organisation as text; the country by its name."""
    if isinstance(entry, ContactEntry):
        return {"at": entry.at}
    known: dict[str, Any] = entry.model_dump()
    known |= {"country": words.country(entry.country), "other_names": "\n".join(entry.other_names)}
    return {field: str(known[field] or "") for field in FIELDS[entry.kind]}


async def history_of(request: Request, at: Installation, entry: str) -> list[Told]:
    """Return the versions of an entry, the newest first, each with what it changed."""
    versions, words = (await list_entry_versions(entry, at)).items, translator(reader_of(request).language)
    actors = {one.actor for one in versions}
    names = await at.accounts.names(actors) if reader_of(request).sees_personal_data else {}
    moves = {one.entry.at for one in versions if isinstance(one.entry, ContactEntry)}
    homes = {id: names_in(one.entry)[0] for id, one in (await at.directory.get_many(moves)).items()} if moves else {}
    told: list[Told] = []
    for before, now in zip([None, *versions], versions, strict=False):
        differences = _differences(before.entry, now.entry, words) if before else ()
        changes = tuple((label, homes.get(old, old), homes.get(new, new)) for label, old, new in differences)
        told.append(Told(now.version, now.action, names.get(now.actor, now.actor), now.at, now.other, changes))
    return told[::-1]


def _differences(before: AnyEntry, now: AnyEntry, words: Translator) -> Iterator[tuple[str, str, str]]:
    old, new = worded(before, words), worded(now, words)
    for field, value in new.items():
        if old.get(field, "") != value:
            yield words.tr(LABELS[field]), old.get(field, ""), value


def worded(entry: AnyEntry, words: Translator) -> dict[str, str]:
    found = {field: value.replace("\n", "; ") for field, value in shown_fields(entry, words).items()}
    if "nature" in found:
        found["nature"] = sentence_case(word(NATURES, found["nature"], words))
    return found
