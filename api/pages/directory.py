"""The directory as pages: partners, hosts and their contacts, what each was and is, and making two entries one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access import ALLOWED, Actor
from api.directory import (
    AnyEntry,
    Changed,
    DirectoryQuery,
    EntryView,
    KnownId,
    MergeBody,
    add_entry,
    change_entry,
    key_of_entry,
    list_directory,
    list_duplicates,
    list_entry_versions,
    merge_entry,
    show_entry,
    split_entry,
    views_of,
)
from api.files import reach
from api.installation import At, Installation
from api.pages.answering import answering
from api.pages.countries import country_choices, country_of
from api.pages.forms import Form, FormRefused, done, key_of, read, said
from api.pages.frame import SHAPES
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.requests import Conflict
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.persons import correct_person, register_person
from api.problems import Problem
from domain.directory import ContactEntry, EntryId, EntryKind, HostEntry, PartnerEntry
from domain.folding import folded
from domain.sign_in import Acting
from locales import Translator, mark, translator
from storage.directory import Found
from storage.likeness import Likeness, People
from storage.persons import Person, PersonDetails
from words.codes import sentence_case, word
from words.directory import ACTIONS, KINDS, NATURES, REASONS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

T = TypeVar("T")

PATH = "/directory"
PAGE = 50
MOST_FILES = 20
MOST_CONTACTS = 200
"""Contacts of one organisation whose delegations are looked for."""

FOUND = 10
"""Entries that a search for the other side of a merge shows."""

OrganisationKind = Literal["partner", "host"]
MODELS: dict[str, type[PartnerEntry] | type[HostEntry]] = {"partner": PartnerEntry, "host": HostEntry}
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

WAS = "was."
UNKNOWN_COUNTRY = mark("This is no country that we know: write its name in Vietnamese or English, or its code.")
UNKNOWN_HOME = mark("No partner or host institution goes by this name. Enter it first, or write its name as it stands.")
SEVERAL_HOMES = mark("Several entries go by this name: make them one first, or write a name that only one of them has.")
CHOOSE_ONE = mark("Choose which of the two stands for both.")
CHANGED_MEANWHILE = mark("One of the two was changed meanwhile. Look at both once more; nothing was done.")
SOMEBODY = mark("Somebody else")

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


@dataclass(frozen=True)
class Side:
    """One of two entries that are looked at beside each other. `lines` are its fields as the reader reads them."""

    view: EntryView
    name: str
    lines: Mapping[str, str]
    contacts: int
    files: int


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
        kinds=_options(KINDS, words, ("partner", "host")),
        natures=dict(_options(NATURES, words)),
        countries=sorted(countries, key=lambda one: one[1]),
        filtered=bool(filters),
        first=f"{PATH}?{urlencode(filters)}" if cursor and filters else PATH if cursor else None,
        following=f"{PATH}?{urlencode(filters | {'cursor': page.next_cursor})}" if page.next_cursor else None,
        coordinates=_coordinates(actor),
        said=said(request, SAID),
        headers={"Cache-Control": "no-store"},
    )


@router.get(f"{PATH}/new")
async def show_new_entry_page(
    request: Request, actor: Actor, at: At, kind: Annotated[OrganisationKind, Query()] = "partner", name: str = ""
) -> Response:
    """Show the form with which a partner or host is entered."""
    words = translator(reader_of(request).language)
    usual = {"name": name[:300], "country": words.country("VN") if kind == "host" else ""}
    return await _entering(request, at, actor, kind, Form("entry", MODELS[kind], usual))


@router.post(f"{PATH}/new")
async def add_entry_by_page(
    request: Request, actor: Actor, at: At, kind: Annotated[OrganisationKind, Query()] = "partner"
) -> Response:
    """Enter a partner or host; first only show what is there already and looks like it. Sent twice it is one."""
    form: Typed = request.state.form
    if "again" in form:
        return await _entering(request, at, actor, kind, Form("entry", MODELS[kind], form))
    try:
        body = _organisation(request, kind, form)
        if not await _is_meant(at, actor, form):
            new = Found("dir_new", 0, body, None, "dir_new")
            if alike := await at.directory_imports.alike(new):
                shown = Form("entry", MODELS[kind], form, key=key_of(form))
                return await _entering(request, at, actor, kind, shown, alike=alike, status=409)
        with answering(request, key=form.get("key", "")):
            found = await add_entry(body, key_of(form), actor, at, request, Response())
    except FormRefused as wrong:
        shown = wrong.form("entry", MODELS[kind], form)
        return await _entering(request, at, actor, kind, shown, status=wrong.status)
    return done(f"{PATH}/{found.id}", "added")


@router.get(f"{PATH}/{{entry}}")
async def show_entry_page(entry: KnownId, request: Request, actor: Actor, at: At, cursor: Cursor = None) -> Response:
    """Show an entry: what is known, its contacts, the delegations with it, and what it was when."""
    view, reader = await show_entry(entry, actor, at), reader_of(request)
    words, people = translator(reader.language), reader.sees_personal_data
    within, is_contact = await reach(actor, at), isinstance(view.entry, ContactEntry)
    contacts: Sequence[EntryView] = ()
    next_cursor, names, refs = None, set[str](), set[str]()
    family: list[Found] = []
    if isinstance(view.entry, ContactEntry):
        refs = {view.entry.person.ref} if people else set()
    else:
        family = await at.directory.family(view.id)
        names = {name for one in family for name in _names(one.entry)} or set(_names(view.entry))
        page = await list_directory(DirectoryQuery(kind=["contact"], at=view.id, cursor=cursor, limit=PAGE), actor, at)
        contacts, next_cursor = page.items, page.next_cursor
        if people:
            theirs = await at.directory.page(kinds=["contact"], at=view.id, limit=MOST_CONTACTS)
            refs = {one.entry.person.ref for one in theirs.items if isinstance(one.entry, ContactEntry)}
    files = await at.queries.visits(names, refs, within=within, most=MOST_FILES + 1)
    history = await _history(request, at, view.id)
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
        family=[(one.id, _names(one.entry)) for one in family if one.id != view.id],
        contacts=sorted(contacts, key=lambda one: one.person.full_name if one.person else "\uffff"),
        following=f"{PATH}/{view.id}?{urlencode({'cursor': next_cursor})}#contacts" if next_cursor else None,
        files=files[:MOST_FILES],
        more_files=f"/files?{urlencode({'phase': '', 'q': _names(view.entry)[0]})}"
        if len(files) > MOST_FILES and not is_contact
        else None,
        shapes=SHAPES,
        history=history,
        action_words=ACTIONS,
        kind_words=KINDS,
        nature_words=NATURES,
        language_words=LANGUAGES,
        coordinates=_coordinates(actor),
        said=said(request, SAID),
        headers={"Cache-Control": "no-store"},
    )


@router.get(f"{PATH}/{{entry}}/edit")
async def show_changing_entry_page(entry: KnownId, request: Request, actor: Actor, at: At) -> Response:
    """Show the form with which an entry is changed; of a contact, who it is and how to reach them."""
    found = await _open(at, entry)
    stands = await _as_typed(request, at, found)
    return await _changing(request, at, actor, found, Form("entry", _model(found), stands), stands)


@router.post(f"{PATH}/{{entry}}/edit")
async def change_entry_by_page(entry: KnownId, request: Request, actor: Actor, at: At) -> Response:
    """Change an entry by what was changed in the form; what somebody else wrote into the same field is shown first."""
    form: Typed = request.state.form
    found = await _open(at, entry)
    stands, fields = await _as_typed(request, at, found), FIELDS[found.entry.kind]
    mine = [field for field in fields if field in form and _said(form, field) != _said(form, WAS + field)]
    if "again" in form:
        return await _changing(request, at, actor, found, Form("entry", _model(found), form), stands)
    theirs = [field for field in mine if _said(stands, field) != _said(form, WAS + field)]
    conflicts = [field for field in theirs if _said(stands, field) != _said(form, field)]
    whole = Typed([(field, form.get(field, "") if field in mine else stands[field]) for field in fields])
    if conflicts:
        told = await _conflicts(request, at, found, stands, form, conflicts)
        shown = Form("entry", _model(found), whole, key=key_of(form))
        return await _changing(request, at, actor, found, shown, stands, conflicts=told, status=409)
    if mine and len(theirs) == len(mine):
        # It says already what was typed: sent twice, or written alike by two.
        return done(f"{PATH}/{entry}", "changed")
    try:
        await _change(request, at, actor, found, whole)
    except FormRefused as wrong:
        if (now := await at.directory.get(entry)) is not None and now.version != found.version:
            return await change_entry_by_page(entry, request, actor, at)
        return await _changing(
            request, at, actor, found, wrong.form("entry", _model(found), whole), stands, status=wrong.status
        )
    return done(f"{PATH}/{entry}", "changed")


@router.get(f"{PATH}/{{entry}}/contacts/new")
async def show_new_contact_page(entry: KnownId, request: Request, actor: Actor, at: At) -> Response:
    """Show the form with which somebody becomes a contact of an organisation."""
    home, words = await _organisation_of(at, entry), translator(reader_of(request).language)
    country = home.entry.country if not isinstance(home.entry, ContactEntry) else ""
    usual = {"nationality": words.country(country), "language": "vi" if country == "VN" else "en"}
    return await _joining(request, at, actor, home, Form("entry", PersonDetails, usual))


@router.post(f"{PATH}/{{entry}}/contacts/new")
async def add_contact_by_page(entry: KnownId, request: Request, actor: Actor, at: At) -> Response:
    """Register a person and enter them as a contact; first only show who looks like them. Sent twice it is one."""
    form: Typed = request.state.form
    home = await _organisation_of(at, entry)
    if "again" in form:
        return await _joining(request, at, actor, home, Form("entry", PersonDetails, form))
    try:
        details = _details(request, form, {})
        if not await _is_meant(at, actor, form) and (alike := await _like(at, actor, home, details)):
            shown = Form("entry", PersonDetails, form, key=key_of(form))
            return await _joining(request, at, actor, home, shown, alike=alike, status=409)
        with answering(request, {"organisation_not_an_entry": ""}, key=form.get("key", "")):
            key = key_of(form)
            person = await register_person(details, key, actor, at, request, Response())
            contact = ContactEntry(kind="contact", at=home.id, person=person)
            await add_entry(contact, key, actor, at, request, Response())
    except FormRefused as wrong:
        return await _joining(request, at, actor, home, wrong.form("entry", PersonDetails, form), status=wrong.status)
    return done(f"{PATH}/{home.id}", "joined", "contacts")


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
    found, words = await _open(at, entry), translator(reader_of(request).language)
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


def name_of(view: EntryView, words: Translator) -> str:
    """Return what an entry is called: an organisation by its name, a contact by the person's if it may be seen."""
    if not isinstance(view.entry, ContactEntry):
        return view.entry.name
    if view.person is None:
        return words.tr("(name not shown)")
    return " ".join(part for part in (view.person.honorific, view.person.full_name) if part)


def _names(entry: AnyEntry) -> tuple[str, ...]:
    return () if isinstance(entry, ContactEntry) else (entry.name, *entry.other_names)


def _coordinates(actor: Acting) -> bool:
    return not set(actor.roles).isdisjoint(ALLOWED["change_entry"])


def _options(table: Mapping[str, str], words: Translator, codes: Sequence[str] = ()) -> list[tuple[str, str]]:
    return [(code, sentence_case(words.tr(table[code]))) for code in codes or table]


async def _open(at: Installation, entry: str) -> Found:
    """Return an entry that can be changed. Problems: `entry_unknown`, `entry_merged`."""
    found = await at.directory.get(entry)
    if found is None:
        raise Problem("entry_unknown")
    if found.merged_into is not None:
        raise Problem("entry_merged")
    return found


async def _organisation_of(at: Installation, entry: str) -> Found:
    found = await _open(at, entry)
    if isinstance(found.entry, ContactEntry):
        raise Problem("organisation_not_an_entry")
    return found


def _model(found: Found) -> type[PartnerEntry] | type[HostEntry] | type[PersonDetails]:
    return MODELS.get(found.entry.kind, PersonDetails)


def _said(form: Mapping[str, str], field: str) -> str:
    """Return what a field says, without what makes no difference."""
    return "\n".join(line.strip() for line in form.get(field, "").splitlines() if line.strip())


async def _as_typed(request: Request, at: Installation, found: Found) -> Typed:
    """Return an entry as its form shows it. Problem `person_erased` for a contact who is nobody any more."""
    words, entry = translator(reader_of(request).language), found.entry
    if isinstance(entry, ContactEntry):
        person = await at.persons.get(entry.person.ref)
        if not isinstance(person, Person):
            raise Problem("person_erased")
        details = person.details.model_dump(include=set(FIELDS["contact"]))
        details |= {"nationality": words.country(person.details.nationality), "at": await _home_of(at, entry.at)}
        return Typed([(field, str(details[field] or "")) for field in FIELDS["contact"]])
    # Any other nature is the choice of none.
    return Typed([(field, "" if value == "other" else value) for field, value in _shown(entry, words).items()])


def _shown(entry: AnyEntry, words: Translator) -> dict[str, str]:
    """Return the fields of an organisation as text; the country by its name."""
    if isinstance(entry, ContactEntry):
        return {"at": entry.at}
    known: dict[str, Any] = entry.model_dump()
    known |= {"country": words.country(entry.country), "other_names": "\n".join(entry.other_names)}
    return {field: str(known[field] or "") for field in FIELDS[entry.kind]}


def _with_country(request: Request, form: Typed, field: str) -> tuple[Typed, str | None, list[tuple[str, str]]]:
    """Return a form without its country, the country's code, and what is wrong with what was typed there."""
    typed = form.get(field, "").strip()
    code = country_of(typed) if typed else None
    wrong = [(field, translator(reader_of(request).language).tr(UNKNOWN_COUNTRY))] if typed and code is None else []
    return Typed([pair for pair in form.pairs if pair[0] != field]), code, wrong


def _organisation(request: Request, kind: str, form: Typed) -> PartnerEntry | HostEntry:
    plain, code, wrong = _with_country(request, form, "country")
    web = form.get("web", "").strip()
    if web and "://" not in web:
        # People copy what stands on a card.
        plain = Typed([*(pair for pair in plain.pairs if pair[0] != "web"), ("web", f"https://{web}")])
    more = {"kind": kind, "country": code}
    return _all_errors(wrong, lambda: read(request, MODELS[kind], plain, more, labels=LABELS))


def _details(request: Request, form: Typed, kept: Mapping[str, Any]) -> PersonDetails:
    """Return what a form says of a contact; `kept` is what the register has of the person and no contact shows."""
    plain, code, wrong = _with_country(request, form, "nationality")
    plain = Typed([pair for pair in plain.pairs if pair[0] in FIELDS["contact"]])
    more = {**kept, "nationality": code}
    return _all_errors(wrong, lambda: read(request, PersonDetails, plain, more, labels=LABELS))


def _all_errors(wrong: Sequence[tuple[str, str]], ask: Callable[[], T]) -> T:
    """Return what was asked for; FormRefused with everything that is wrong, the country's own sentence first."""
    try:
        found = ask()
    except FormRefused as refused:
        named = {field for field, _ in wrong}
        raise FormRefused([*wrong, *(one for one in refused.errors if one[0] not in named)]) from None
    if wrong:
        raise FormRefused(wrong)
    return found


async def _home_of(at: Installation, organisation: str) -> str:
    """Return what a contact's organisation is called, after merges."""
    found = await at.directory.get(organisation)
    standing = await at.directory.get(found.stands_for) if found else None
    return _names(standing.entry)[0] if standing else organisation


async def _home_named(request: Request, at: Installation, name: str) -> str:
    """Return the organisation that goes by a name; FormRefused beside `at`."""
    words, asked = translator(reader_of(request).language), folded(name)
    page = await at.directory.page(kinds=["partner", "host"], q=name.replace("\x00", " "), limit=MOST_CONTACTS)
    fitting = [one.id for one in page.items if asked in {folded(each) for each in _names(one.entry)}]
    if len(fitting) != 1:
        raise FormRefused([("at", words.tr(SEVERAL_HOMES if fitting else UNKNOWN_HOME))])
    return fitting[0]


async def _change(request: Request, at: Installation, actor: Acting, found: Found, whole: Typed) -> None:
    """Change an entry whose fields now say this; FormRefused."""
    entry = found.entry
    if isinstance(entry, ContactEntry):
        person = await at.persons.get(entry.person.ref)
        kept = person.details.model_dump(exclude=set(FIELDS["contact"])) if isinstance(person, Person) else {}
        details, moved = _details(request, whole, kept), _said(whole, "at") != await _home_of(at, entry.at)
        home = await _home_named(request, at, _said(whole, "at")) if moved else entry.at
        with answering(request, {"organisation_not_an_entry": "at"}):
            await correct_person(entry.person.ref, details, actor, at)
            if moved:
                body = ContactEntry(kind="contact", at=home, person=entry.person)
                await change_entry(found.id, Changed(version=found.version, entry=body), actor, at)
        return
    organisation = _organisation(request, entry.kind, whole)
    with answering(request):
        await change_entry(found.id, Changed(version=found.version, entry=organisation), actor, at)


async def _conflicts(
    request: Request, at: Installation, found: Found, stands: Typed, form: Typed, fields: Sequence[str]
) -> list[Conflict]:
    """Return what others wrote into fields meanwhile beside what was typed; of organisations who and when."""
    words = translator(reader_of(request).language)
    history = [] if isinstance(found.entry, ContactEntry) else await _history(request, at, found.id)

    def last(field: str) -> Told | None:
        return next((one for one in history if words.tr(LABELS[field]) in [label for label, *_ in one.changes]), None)

    return [
        Conflict(
            field=LABELS[field],
            theirs=_said(stands, field).replace("\n", "; "),
            mine=_said(form, field).replace("\n", "; "),
            by=one.who if (one := last(field)) else words.tr(SOMEBODY),
            at=one.at if one else None,
        )
        for field in fields
    ]


async def _history(request: Request, at: Installation, entry: str) -> list[Told]:
    """Return the versions of an entry, the newest first, each with what it changed."""
    versions, words = (await list_entry_versions(entry, at)).items, translator(reader_of(request).language)
    actors = {one.actor for one in versions}
    names = await at.accounts.names(actors) if reader_of(request).sees_personal_data else {}
    moves = {one.entry.at for one in versions if isinstance(one.entry, ContactEntry)}
    homes = {id: _names(one.entry)[0] for id, one in (await at.directory.get_many(moves)).items()} if moves else {}
    told: list[Told] = []
    for before, now in zip([None, *versions], versions, strict=False):
        differences = _differences(before.entry, now.entry, words) if before else ()
        changes = tuple((label, homes.get(old, old), homes.get(new, new)) for label, old, new in differences)
        told.append(Told(now.version, now.action, names.get(now.actor, now.actor), now.at, now.other, changes))
    return told[::-1]


def _differences(before: AnyEntry, now: AnyEntry, words: Translator) -> Iterator[tuple[str, str, str]]:
    old, new = _worded(before, words), _worded(now, words)
    for field, value in new.items():
        if old.get(field, "") != value:
            yield words.tr(LABELS[field]), old.get(field, ""), value


def _worded(entry: AnyEntry, words: Translator) -> dict[str, str]:
    found = {field: value.replace("\n", "; ") for field, value in _shown(entry, words).items()}
    if "nature" in found:
        found["nature"] = sentence_case(word(NATURES, found["nature"], words))
    return found


async def _is_meant(at: Installation, actor: Acting, form: Typed) -> bool:
    """Return whether an entry is entered whatever it looks like: somebody said so, or it was, by this very form."""
    return form.get("anyway") == "yes" or await at.directory.was_added(key_of_entry(actor, key_of(form)))


async def _like(at: Installation, actor: Acting, home: Found, details: PersonDetails) -> list[Likeness]:
    page = await list_directory(DirectoryQuery(kind=["contact"], at=home.id, limit=MOST_CONTACTS), actor, at)
    known = [(one.id, one.person.full_name, one.person.email) for one in page.items if one.person]
    return People(known).alike(details.full_name, details.email)


async def _homes(at: Installation, views: Sequence[EntryView]) -> dict[str, str]:
    """Return what the organisations of contacts are called, by the contact."""
    places = {view.id: view.entry.at for view in views if isinstance(view.entry, ContactEntry)}
    known = await at.directory.get_many(places.values()) if places else {}
    return {id: (_names(known[home].entry) or ("",))[0] for id, home in places.items() if home in known}


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
        files = await at.queries.visits((), [view.entry.person.ref], within=within, most=MOST_CONTACTS)
        return Side(view, name_of(view, words), lines, 0, len(files))
    family = await at.directory.family(view.id)
    names = {name for one in family for name in _names(one.entry)}
    files = await at.queries.visits(names, (), within=within, most=MOST_CONTACTS)
    contacts = (await at.directory.contacts_at([view.id])).get(view.id, 0)
    return Side(view, name_of(view, words), _worded(view.entry, words), contacts, len(files))


async def _comparing(
    request: Request, at: Installation, actor: Acting, entry: str, other: str, form: Form, *, status: int = 200
) -> Response:
    if entry == other:
        raise Problem("entry_merges_itself")
    first, second = await _open(at, entry), await _open(at, other)
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


async def _entering(
    request: Request,
    at: Installation,
    actor: Acting,
    kind: OrganisationKind,
    form: Form,
    *,
    alike: Sequence[Likeness] = (),
    status: int = 200,
) -> Response:
    return await _form(request, at, actor, kind, form, f"{PATH}/new?kind={kind}", PATH, alike=alike, status=status)


async def _joining(
    request: Request,
    at: Installation,
    actor: Acting,
    home: Found,
    form: Form,
    *,
    alike: Sequence[Likeness] = (),
    status: int = 200,
) -> Response:
    path = f"{PATH}/{home.id}"
    return await _form(
        request, at, actor, "contact", form, f"{path}/contacts/new", path, home=home, alike=alike, status=status
    )


async def _changing(
    request: Request,
    at: Installation,
    actor: Acting,
    found: Found,
    form: Form,
    stands: Typed,
    *,
    conflicts: Sequence[Conflict] = (),
    status: int = 200,
) -> Response:
    path, words = f"{PATH}/{found.id}", translator(reader_of(request).language)
    view = (await views_of(at, actor, [found]))[0]
    was = [(WAS + field, value) for field, value in stands.pairs]
    return await _form(
        request,
        at,
        actor,
        found.entry.kind,
        form,
        f"{path}/edit",
        path,
        changing=name_of(view, words),
        was=was,
        conflicts=conflicts,
        status=status,
    )


async def _form(
    request: Request,
    at: Installation,
    actor: Acting,
    kind: EntryKind,
    form: Form,
    action: str,
    back: str,
    *,
    changing: str = "",
    was: Sequence[tuple[str, str]] = (),
    conflicts: Sequence[Conflict] = (),
    home: Found | None = None,
    alike: Sequence[Likeness] = (),
    status: int = 200,
) -> Response:
    words = translator(reader_of(request).language)
    views = await views_of(at, actor, (await at.directory.get_many(one.entry for one in alike)).values())
    known = {view.id: view for view in views}
    return show(
        request,
        "directory_form.html",
        status,
        kind=kind,
        form=form,
        action=action,
        back=back,
        changing=changing,
        was=was,
        conflicts=conflicts,
        home=_names(home.entry)[0] if home else "",
        alike=[(known[one.entry], name_of(known[one.entry], words), one) for one in alike if one.entry in known],
        reason_words=REASONS,
        natures=[one for one in _options(NATURES, words) if one[0] != "other"],
        languages=list(LANGUAGES.items()),
        country_names=country_choices(reader_of(request).language),
        errors=form.errors,
        headers={"Cache-Control": "no-store"},
    )
