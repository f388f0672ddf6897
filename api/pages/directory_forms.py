"""Entering and changing what the directory has: forms that show what looks alike, and lose nobody's change."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.directory import (
    Changed,
    DirectoryQuery,
    KnownId,
    add_entry,
    change_entry,
    key_of_entry,
    list_directory,
    views_of,
)
from api.installation import At, Installation
from api.pages.answering import answering
from api.pages.countries import country_choices, country_of
from api.pages.directory import (
    FIELDS,
    LABELS,
    LANGUAGES,
    MOST_CONTACTS,
    PATH,
    Told,
    history_of,
    name_of,
    names_in,
    open_entry,
    options,
    shown_fields,
)
from api.pages.forms import Form, FormRefused, done, key_of, read
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.requests import Conflict
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.persons import correct_person, register_person
from api.problems import Problem
from domain.directory import ContactEntry, EntryKind, HostEntry, PartnerEntry
from domain.folding import folded
from domain.sign_in import Acting
from locales import mark, translator
from storage.directory import Found
from storage.likeness import Likeness, People
from storage.persons import Person, PersonDetails
from words.directory import KINDS, NATURES, REASONS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

T = TypeVar("T")

OrganisationKind = Literal["partner", "host"]

MODELS: dict[str, type[PartnerEntry] | type[HostEntry]] = {"partner": PartnerEntry, "host": HostEntry}

WAS = "was."

UNKNOWN_COUNTRY = mark("This is no country that we know: write its name in Vietnamese or English, or its code.")

UNKNOWN_HOME = mark("No partner or host institution goes by this name. Enter it first, or write its name as it stands.")

SEVERAL_HOMES = mark("Several entries go by this name: make them one first, or write a name that only one of them has.")

SOMEBODY = mark("Somebody else")


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


@router.get(f"{PATH}/{{entry}}/edit")
async def show_changing_entry_page(entry: KnownId, request: Request, actor: Actor, at: At) -> Response:
    """Show the form with which an entry is changed; of a contact, who it is and how to reach them."""
    found = await open_entry(at, entry)
    stands = await _as_typed(request, at, found)
    return await _changing(request, at, actor, found, Form("entry", _model(found), stands), stands)


@router.post(f"{PATH}/{{entry}}/edit")
async def change_entry_by_page(entry: KnownId, request: Request, actor: Actor, at: At) -> Response:
    """Change an entry by what was changed in the form; what somebody else wrote into the same field is shown first."""
    form: Typed = request.state.form
    found = await open_entry(at, entry)
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


async def _organisation_of(at: Installation, entry: str) -> Found:
    found = await open_entry(at, entry)
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
    return Typed([(field, "" if value == "other" else value) for field, value in shown_fields(entry, words).items()])


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
    return names_in(standing.entry)[0] if standing else organisation


async def _home_named(request: Request, at: Installation, name: str) -> str:
    """Return the organisation that goes by a name; FormRefused beside `at`."""
    words, asked = translator(reader_of(request).language), folded(name)
    page = await at.directory.page(kinds=["partner", "host"], q=name.replace("\x00", " "), limit=MOST_CONTACTS)
    fitting = [one.id for one in page.items if asked in {folded(each) for each in names_in(one.entry)}]
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
    history = [] if isinstance(found.entry, ContactEntry) else await history_of(request, at, found.id)

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


async def _is_meant(at: Installation, actor: Acting, form: Typed) -> bool:
    """Return whether an entry is entered whatever it looks like: somebody said so, or it was, by this very form."""
    return form.get("anyway") == "yes" or await at.directory.was_added(key_of_entry(actor, key_of(form)))


async def _like(at: Installation, actor: Acting, home: Found, details: PersonDetails) -> list[Likeness]:
    page = await list_directory(DirectoryQuery(kind=["contact"], at=home.id, limit=MOST_CONTACTS), actor, at)
    known = [(one.id, one.person.full_name, one.person.email) for one in page.items if one.person]
    return People(known).alike(details.full_name, details.email)


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
        home=names_in(home.entry)[0] if home else "",
        alike=[(known[one.entry], name_of(known[one.entry], words), one) for one in alike if one.entry in known],
        kind_words=KINDS,
        reason_words=REASONS,
        natures=[one for one in options(NATURES, words) if one[0] != "other"],
        languages=list(LANGUAGES.items()),
        country_names=country_choices(reader_of(request).language),
        errors=form.errors,
        headers={"Cache-Control": "no-store"},
    )
