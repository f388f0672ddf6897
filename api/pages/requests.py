"""The request of a file: what is asked for, its proposals and their differences, limits, documents and money."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.access import Actor
from api.ceilings import Ceilings, list_ceilings
from api.documents import DocumentView, list_documents
from api.dossiers import DifferencesView
from api.files import KnownFile, reach
from api.installation import At, Installation
from api.pages.asked import (
    LABELS,
    choices_of,
    countries_said,
    left_out,
    options_of,
    rows_of,
    typed_countries,
)
from api.pages.countries import country_choices
from api.pages.differences import lines_of
from api.pages.forms import (
    Form,
    FormRefused,
    all_errors,
    attached,
    day_shown,
    done,
    key_of,
    must_write,
    read,
    said,
    send,
)
from api.pages.frame import Head, head_of, show_part
from api.pages.possible import chain_warnings, seated, why_not
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.stateline import edition_words
from api.pages.typed import Typed, day_of
from api.pages.typed import lines_of as typed_lines
from api.pages.words import DOCUMENT_KINDS, PHASES, word
from domain.bilingual import Bilingual
from domain.commands import AttachDocument, JustifyLimit, ReviseRequest
from domain.decide import PREPARING
from domain.differences import differences, entries
from domain.dossiers import Dossier, read_trail
from domain.events import Breach
from domain.meanwhile import request_seen
from domain.request import breaches, ceiling
from domain.rules import Edition
from domain.sign_in import Acting
from domain.state import Delegation
from locales import Language, mark, translator
from storage.persons import Person
from storage.queries import File
from words.dossier import Line

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SAID = {
    "opened": mark("The delegation is open. Add its people and its programme, then submit the request."),
    "revised": mark("The request is changed."),
    "justified": mark("The justification stands in the file; the approvers see it."),
    "attached": mark("The document stands in the file."),
}

REVISED = (
    "title",
    "purpose",
    "partner",
    "countries",
    "stays",
    "starts",
    "ends",
    "places",
    "grade",
    "key_leaders",
    "head_level",
    "run_by",
)
"""The fields of the form, in its order; countries and the days in them are one."""

WAS = "was."
"""What a form says of a field as it was when the form was made."""

LISTS = frozenset({"countries", "stays", "places"})

ATTACHED_KINDS = (
    "request_letter",
    "passport_copy",
    "partner_invitation",
    "estimate",
    "itinerary",
    "other_document",
)
"""Kinds of documents that a request is usually sent with; `kind` takes any other name too."""

NOTHING_CHANGED = mark("Nothing is different from what stands in the file.")
CANNOT_BE_EMPTY = mark("%(field)s: this is missing.")
CHOOSE_A_FILE = mark("Choose a file.")
SOMEBODY = mark("somebody")
NOT_IN_THIS_PHASE = mark("The request cannot be changed as the file stands: %(phase)s.")


@dataclass(frozen=True)
class Version:
    """A proposal as it was submitted, and what changed since the one before it."""

    dossier: Dossier
    by: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Exceeded:
    """A limit that the file exceeds, what was written to justify it, and the form to do so."""

    breach: Breach
    title: Bilingual | None
    country: str | None
    justified: bool
    justification: str | None
    form: Form


@dataclass(frozen=True)
class Conflict:
    """A field that somebody else changed while this form was filled in."""

    field: str
    theirs: str
    mine: str
    by: str
    at: datetime | None


@router.get("/delegations/{delegation}/request")
async def show_request_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show what is asked for, and what stands behind it. Nothing changes."""
    return await _page(request, at, file, actor)


@router.post("/delegations/{delegation}/request/limits")
async def justify_limit_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Write why a breached limit is to be accepted."""
    form: Typed = request.state.form
    name = f"limit-{form.get('limit', '')}"
    if "again" in form:
        return await _page(request, at, file, actor, shown=Form(name, JustifyLimit, form))
    try:
        text = await must_write(request, at, file.state.id, "justification", form, actor)
        command = read(request, JustifyLimit, form, {"justification": text.model_dump()})
        await send(request, at, file.state.id, [command], form, actor, {"limit": "justification"})
    except FormRefused as wrong:
        shown = wrong.form(name, JustifyLimit, form)
        return await _page(request, at, file, actor, shown=shown, status=wrong.status)
    return done(f"/delegations/{file.state.id}/request", "justified", "limits")


@router.post("/delegations/{delegation}/request/documents")
async def attach_document_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Add a file to the dossier."""
    form: Typed = request.state.form
    if "again" in form:
        return await _page(request, at, file, actor, shown=Form("document", AttachDocument, form))
    try:
        files = attached(request, form, "attachment")
        if not files:
            words = translator(reader_of(request).language)
            raise FormRefused([("attachment", words.tr(CHOOSE_A_FILE))])
        # The form's own key names the document, so that sent twice it is one.
        named = {"attachment": files[-1].model_dump(), "document_id": f"doc-{key_of(form)[:12]}"}
        command = read(request, AttachDocument, form, named)
        await send(request, at, file.state.id, [command], form, actor, {"document_id": ""})
    except FormRefused as wrong:
        shown = wrong.form("document", AttachDocument, form)
        return await _page(request, at, file, actor, shown=shown, status=wrong.status)
    return done(f"/delegations/{file.state.id}/request", "attached", "documents")


@router.get("/delegations/{delegation}/request/revise")
async def show_revise_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show the request as a form, with what stands in the file."""
    return await _revise(request, at, file, actor, Form("revise", ReviseRequest, as_typed(request, file.state)))


@router.post("/delegations/{delegation}/request/revise")
async def revise_request_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Change the fields that were changed in the form, and no other.

    What somebody else changed meanwhile in one of them is shown beside what was typed, and nothing is sent before it
    was looked at.
    """
    form: Typed = request.state.form
    stands, mine = as_typed(request, file.state), changed_fields(form)
    if "again" in form:
        return await _revise(request, at, file, actor, Form("revise", ReviseRequest, form))
    theirs = [field for field in mine if _value(stands, field) != _was(form, field)]
    conflicts = [field for field in theirs if _value(stands, field) != _value(form, field)]
    if conflicts:
        told = await _conflicts(request, at, file.state, stands, form, conflicts)
        shown = Form("revise", ReviseRequest, _over(stands, form, mine), key=form.get("key", ""))
        return await _revise(request, at, file, actor, shown, conflicts=told, status=409)
    if mine and len(theirs) == len(mine):
        # It says already what was typed: sent twice, or written alike by two.
        return done(f"/delegations/{file.state.id}/request", "revised")
    try:
        command = _command(request, file.state, form, [field for field in mine if field not in theirs])
        await send(request, at, file.state.id, [command], form, actor, {"seen": ""})
    except FormRefused as wrong:
        shown = wrong.form("revise", ReviseRequest, _over(stands, form, mine))
        return await _revise(request, at, file, actor, shown, status=wrong.status)
    return done(f"/delegations/{file.state.id}/request", "revised")


@router.get("/delegations/{delegation}/request/{part}")
async def show_part_of_request_page(
    file: KnownFile, part: Annotated[Literal["limits", "documents"], Path()]
) -> Response:
    """Go to the part of the page whose form is sent here: after an error its address stands in the browser."""
    return RedirectResponse(f"/delegations/{file.state.id}/request#{part}", 303)


def as_typed(request: Request, state: Delegation) -> Typed:
    """Return the request of a file as its form shows it."""
    pairs = [(name, getattr(state, name)) for name in ("title", "purpose", "partner")]
    pairs += [("starts", day_shown(state.starts)), ("ends", day_shown(state.ends)), ("places", "\n".join(state.places))]
    pairs += [("grade", state.grade or ""), ("key_leaders", str(state.key_leaders))]
    pairs += [("head_level", state.head_level or ""), ("run_by", state.run_by or "")]
    return Typed(pairs + typed_countries(request, state.countries, state.stays))


def changed_fields(form: Typed) -> tuple[str, ...]:
    """Return the fields of a form that say something else than they did when it was made."""
    return tuple(field for field in REVISED if field in form and _value(form, field) != _was(form, field))


def _value(form: Typed, field: str) -> tuple[str, ...]:
    """Return what a field says, without what makes no difference: blanks, empty rows, the way a day is written."""
    if field in ("countries", "stays"):
        return tuple(f"{name} {days}".strip() for name, days in rows_of(form))
    if field in ("starts", "ends"):
        day = day_of(form.get(field, ""))
        return (form.get(field, "").strip() if day is None else day.isoformat(),)
    return typed_lines(form.all(field))


def _was(form: Typed, field: str) -> tuple[str, ...]:
    before = [(name.removeprefix(WAS), value) for name, value in form.pairs if name.startswith(WAS)]
    return _value(Typed(before), field)


def _over(stands: Typed, form: Typed, mine: Sequence[str]) -> Typed:
    """Return the form as it is shown again: what was typed in it, and elsewhere what now stands in the file."""
    own = set(mine) | ({"countries", "stays"} if {"countries", "stays"} & set(mine) else set())
    return Typed(
        [pair for pair in stands.pairs if pair[0] not in own] + [pair for pair in form.pairs if pair[0] in own]
    )


def _command(request: Request, state: Delegation, form: Typed, mine: Sequence[str]) -> ReviseRequest:
    words = translator(reader_of(request).language)
    if not mine:
        raise FormRefused([("", words.tr(NOTHING_CHANGED))])
    empty = [field for field in mine if field not in LISTS and not _value(form, field)]
    if "key_leaders" in empty:
        form, empty = Typed([*form.pairs, ("key_leaders", "0")]), [one for one in empty if one != "key_leaders"]
    if empty:
        raise FormRefused([(one, words.tr(CANNOT_BE_EMPTY, field=words.tr(LABELS[one]))) for one in empty])
    more: dict[str, Any] = {"seen": request_seen(state)}
    if {"countries", "stays"} & set(mine):
        found = countries_said(request, Typed([("direction", state.direction), *form.pairs]))
        now = {"countries": list(state.countries), "stays": [one.model_dump() for one in state.stays]}
        more |= {name: value for name, value in found.items() if value != now[name]}
    plain = Typed([pair for pair in form.pairs if pair[0] in mine and pair[0] not in ("countries", "stays")])
    return read(request, ReviseRequest, plain, more, labels=LABELS)


async def _conflicts(
    request: Request, at: Installation, state: Delegation, stands: Typed, form: Typed, fields: Sequence[str]
) -> list[Conflict]:
    """Return what others wrote into fields meanwhile, who and when, beside what was typed."""
    events = [one for one in await at.queries.events(state.id) if one.type == "RequestRevised"]
    last = {field: next((one for one in reversed(events) if field in one.data), None) for field in fields}
    authors = {one.actor for one in last.values() if one}
    names = await at.accounts.names(authors) if reader_of(request).sees_personal_data else {}
    somebody = translator(reader_of(request).language).tr(SOMEBODY)
    return [
        Conflict(
            field=LABELS[field],
            theirs=", ".join(_value(stands, field)),
            mine=", ".join(_value(form, field)),
            by=names.get(one.actor, one.actor) if one else somebody,
            at=datetime.fromisoformat(one.at) if one else None,
        )
        for field in fields
        if not (field == "stays" and "countries" in fields)
        for one in (last[field],)
    ]


async def _revise(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    form: Form,
    *,
    conflicts: Sequence[Conflict] = (),
    status: int = 200,
) -> Response:
    head, state = await head_of(request, at, file, actor), file.state
    typed = form.typed if isinstance(form.typed, Typed) else Typed([])
    rows = rows_of(typed)
    return await show_part(
        request,
        at,
        file,
        actor,
        "request_form.html",
        "/request",
        status=status,
        head=head,
        form=form,
        forbidden=why_not(request, head.possible.barred(ReviseRequest)),
        was=[(WAS + name, value) for name, value in as_typed(request, state).pairs],
        conflicts=conflicts,
        rows=[*rows, ("", "")],
        countries=country_choices(reader_of(request).language),
        choices=await choices_of(request, at, head.edition, await reach(actor, at)),
        options=options_of(request),
        left_out=left_out(state.direction),
        errors=form.errors,
    )


async def _chain_warnings(at: Installation, head: Head, language: Language) -> tuple[str, ...]:
    """Return what is to be known of the chain before the request is submitted; nothing in other phases."""
    if head.possible.state.phase not in PREPARING:
        return ()
    chain = (await seated(at, head.possible)).chain("request")
    return chain_warnings(chain, edition_words(head.edition, language), language)


async def _page(
    request: Request, at: Installation, file: File, actor: Acting, *, shown: Form | None = None, status: int = 200
) -> Response:
    head, state, reader = await head_of(request, at, file, actor), file.state, reader_of(request)
    words = translator(reader.language)
    exceeded = await _exceeded(request, at, state, head.edition, shown)
    document = shown if shown and shown.name == "document" else Form("document", AttachDocument)
    ceilings: Ceilings = await list_ceilings(file, at)
    people = await _names(request, at, state)
    documents: Sequence[DocumentView] = (await list_documents(file, at)).items
    return await show_part(
        request,
        at,
        file,
        actor,
        "request.html",
        "/request",
        status=status,
        head=head,
        told=said(request, SAID),
        errors=all_errors([document, *(one.form for one in exceeded)]),
        cannot_revise=_unless_expected(request, head),
        may_revise=head.possible.may(ReviseRequest),
        may_justify=head.possible.may(JustifyLimit),
        may_attach=head.possible.may(AttachDocument),
        exceeded=exceeded,
        document=document,
        document_kinds=[(kind, words.tr(DOCUMENT_KINDS[kind])) for kind in ATTACHED_KINDS],
        people=people,
        documents=documents,
        without_passport=[
            people.get(one.id, one.id)
            for one in state.delegates
            if not any(doc.kind == "passport_copy" and doc.concerns == one.id for doc in state.documents.values())
        ],
        versions=await _versions(at, state, head.edition, request),
        chain_warnings=await _chain_warnings(at, head, reader.language),
        ceiling=ceilings.current or ceiling(state, head.edition),
        ceiling_set=ceilings.current is not None,
        ceilings=tuple(reversed(ceilings.items)),
        options=options_of(request),
        organisations=dict((await choices_of(request, at, head.edition)).organisations),
    )


def _unless_expected(request: Request, head: Head) -> str | None:
    """Return why the request cannot be changed now, for somebody whose role does it at other times."""
    actor, refusal = reader_of(request).actor, head.possible.barred(ReviseRequest)
    if actor is None or "coordinator" not in actor.roles or refusal is None:
        return None
    if refusal.code != "wrong_phase":
        return why_not(request, refusal)
    words = translator(reader_of(request).language)
    return words.tr(NOT_IN_THIS_PHASE, phase=word(PHASES, head.possible.state.phase.value, words))


async def _exceeded(
    request: Request, at: Installation, state: Delegation, edition: Edition, shown: Form | None
) -> tuple[Exceeded, ...]:
    found = breaches(state, edition)
    texts: Mapping[str, str] = {}
    if reader_of(request).sees_personal_data:
        texts = await at.texts.read_many([text.ref for _, text in state.justifications.values()])
    titles = {limit.id: limit.title for limit in edition.limits}
    lines = []
    for breach in found:
        justified = state.justifications.get(breach.limit)
        rule, _, country = breach.limit.partition("/")
        form = Form(f"limit-{breach.limit}", JustifyLimit, {"limit": breach.limit})
        lines.append(
            Exceeded(
                breach=breach,
                title=titles.get(rule),
                country=country or None,
                justified=justified is not None and justified[0] == breach,
                justification=texts.get(justified[1].ref) if justified else None,
                form=shown if shown and shown.name == form.name else form,
            )
        )
    return tuple(lines)


async def _versions(at: Installation, state: Delegation, edition: Edition, request: Request) -> tuple[Version, ...]:
    """Return every proposal and change that was submitted, the last one first, each with what it changed."""
    if not state.proposals:
        return ()
    trail, _ = await asyncio.to_thread(read_trail, await at.queries.events(state.id))
    numbers, reader = sorted(trail.dossiers), reader_of(request)
    known = [trail.dossiers[number] for number in numbers]
    names = await at.accounts.names({one.submitted_by for one in known}) if reader.sees_personal_data else {}
    versions = []
    for earlier, later in zip([None, *known], known, strict=False):
        items = differences(entries(earlier.parts), entries(later.parts)) if earlier else ()
        view = DifferencesView(since=earlier.number if earlier else None, why="first", items=items)
        lines = await lines_of(at, view, edition, reader, zone=state.zone, people={})
        versions.append(Version(later, names.get(later.submitted_by, later.submitted_by), lines))
    return tuple(reversed(versions))


async def _names(request: Request, at: Installation, state: Delegation) -> dict[str, str]:
    """Return what people on the file are called, for whoever may read names."""
    if not reader_of(request).sees_personal_data:
        return {}
    known = await at.persons.get_many({one.person.ref for one in state.people.values()})
    return {
        one.id: person.details.full_name
        for one in state.people.values()
        if isinstance(person := known.get(one.person.ref), Person)
    }
