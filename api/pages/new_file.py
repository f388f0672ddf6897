"""Opening a delegation: sections that are kept while they are typed, and checked on one page before they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.access import Actor
from api.files import reach
from api.installation import At, Installation
from api.pages.asked import (
    LABELS,
    Choices,
    choices_of,
    countries_said,
    left_out,
    options_of,
    rows_of,
)
from api.pages.copying import COPIED, Copied, copied_of
from api.pages.countries import country_choices
from api.pages.drafts import NEW_DELEGATION, keep, merged
from api.pages.forms import Form, FormRefused, read, send
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.problems import Problem
from domain.canonical import digest_of
from domain.commands import OpenDelegation
from domain.folding import folded
from domain.sign_in import Acting
from domain.values import business_date
from locales import mark, translator
from storage.directory import Found
from storage.metadata import utc_now
from storage.references import new_reference

router = APIRouter(route_class=PageRoute, include_in_schema=False)

DraftId = Annotated[str, Path(pattern=r"^dra_[a-z0-9]{8,64}$")]
SectionName = Annotated[Literal["matter", "partner", "dates", "level"], Path()]
Status = Literal["not_started", "incomplete", "done"]

MATCHES = 10
"""Partners shown at once."""

LISTED_PARTNERS = 200
"""Partners that a field offers by itself while one types; there may be more in the directory."""


@dataclass(frozen=True)
class Section:
    """A part of the form: its address, its title, and the fields that stand in it."""

    name: str
    title: str
    fields: tuple[str, ...]


SECTIONS = (
    Section("matter", mark("What it is about"), ("direction", "title", "purpose", "organisation")),
    Section("partner", mark("Partner and countries"), ("partner", "countries", "stays")),
    Section("dates", mark("Dates and places"), ("starts", "ends", "places")),
    Section(
        "level",
        mark("Level and rules"),
        (
            "grade",
            "conference",
            "provincial_chair",
            "led_by_city_leaders",
            "key_leaders",
            "head_level",
            "run_by",
            "issuer",
        ),
    ),
)
BY_NAME = {one.name: one for one in SECTIONS}
FIELDS = tuple(field for section in SECTIONS for field in section.fields)

OF_FIELD = {field: section.name for section in SECTIONS for field in section.fields}

STATUS_WORDS: Mapping[Status, str] = {
    "not_started": mark("not started"),
    "incomplete": mark("incomplete"),
    "done": mark("done"),
}
STATUS_SHAPES: Mapping[Status, str] = {"not_started": "info", "incomplete": "wait", "done": "ok"}


@dataclass(frozen=True)
class Task:
    """A section as it stands: what is still missing or wrong in it."""

    section: Section
    status: Status
    errors: tuple[tuple[str, str], ...]


@router.get("/files/new")
async def show_new_file_page(request: Request, actor: Actor, at: At) -> Response:
    """Show one's drafts, and the ways to begin another delegation. Nothing is kept before something was typed."""
    kept = await at.drafts.of(actor.id, NEW_DELEGATION)
    drafts = [(one, Typed(list(one.pairs)).get("title", "").strip()) for one in kept]
    return show(request, "new_file.html", drafts=drafts, fresh=new_reference("dra"))


@router.get("/files/new/{draft}")
async def show_draft_page(draft: DraftId, request: Request, actor: Actor, at: At) -> Response:
    """Show the sections of a draft, what is missing in each, and every answer before it is sent."""
    return await _overview(request, at, actor, draft)


@router.post("/files/new/{draft}")
async def open_by_page(draft: DraftId, request: Request, actor: Actor, at: At) -> Response:
    """Open the delegation as the draft says; sent twice, the form opens one file."""
    form: Typed = request.state.form
    delegation = delegation_of(draft)
    if "again" in form:
        return await _overview(request, at, actor, draft)
    if await at.drafts.get(actor.id, NEW_DELEGATION, draft) is None:
        if await at.queries.get(delegation) is not None:
            return RedirectResponse(f"/delegations/{delegation}", 303)
        raise Problem("not_found")
    typed = await _typed(request, at, actor, draft)
    try:
        command, copied = await _said(request, at, actor, typed)
        await send(request, at, delegation, [command, *(copied.commands if copied else ())], form, actor)
    except FormRefused as wrong:
        return await _overview(request, at, actor, draft, wrong=wrong)
    await at.drafts.discard(actor.id, draft)
    return RedirectResponse(f"/delegations/{delegation}/request?said=opened", 303)


@router.post("/files/new/{draft}/discard")
async def discard_draft_by_page(draft: DraftId, actor: Actor, at: At) -> Response:
    """Delete a draft."""
    await at.drafts.discard(actor.id, draft)
    return RedirectResponse("/files/new", 303)


@router.get("/files/new/{draft}/{section}")
async def show_section_page(draft: DraftId, section: SectionName, request: Request, actor: Actor, at: At) -> Response:
    """Show the fields of one section as they were typed."""
    typed = await _typed(request, at, actor, draft)
    return await _section(request, at, actor, draft, BY_NAME[section], Form("new", OpenDelegation, typed))


@router.post("/files/new/{draft}/{section}")
async def keep_section_by_page(
    draft: DraftId, section: SectionName, request: Request, actor: Actor, at: At
) -> Response:
    """Keep a section. Whatever is wrong with it, it is kept: `go` says what is missing, `later` and `keep` do not."""
    form: Typed = request.state.form
    part, before, act = BY_NAME[section], await _typed(request, at, actor, draft), form.get("act", "go")
    typed = merged(before, form, part.fields)
    if "again" in form:
        return await _section(request, at, actor, draft, part, Form("new", OpenDelegation, typed))
    if section == "partner" and act != "keep":
        typed = await _with_partner(request, at, typed, act.partition(":")[2])
    try:
        typed = await keep(request, at, actor.id, draft, before, typed, part.fields)
    except FormRefused as wrong:
        shown = wrong.form("new", OpenDelegation, typed)
        return await _section(request, at, actor, draft, part, shown, status=wrong.status)
    if act == "keep":
        return Response(status_code=204)
    if act == "later":
        return RedirectResponse("/files/new", 303)
    if act in ("look", "more"):
        matches = await _matches(at, typed.get("partner", "")) if act == "look" else None
        shown = Form("new", OpenDelegation, typed)
        return await _section(request, at, actor, draft, part, shown, matches=matches, more=act == "more")
    if act.startswith("choose:"):
        return RedirectResponse(f"/files/new/{draft}/partner#new-countries", 303)
    tasks = await _tasks(request, at, actor, typed)
    task = next(one for one in tasks if one.section is part)
    if task.errors:
        shown = FormRefused(task.errors).form("new", OpenDelegation, typed)
        return await _section(request, at, actor, draft, part, shown, status=422)
    following = next((one for one in SECTIONS[SECTIONS.index(part) + 1 :]), None)
    return RedirectResponse(f"/files/new/{draft}" + (f"/{following.name}" if following else ""), 303)


def delegation_of(draft: str) -> str:
    """Return the id of the file that a draft becomes: always the same, so that it is opened once."""
    return f"dlg-{digest_of(['draft', draft])[:12]}"


async def _typed(request: Request, at: Installation, actor: Acting, draft: str) -> Typed:
    """Return a draft, or one that nobody typed yet: with what is known of whoever begins it."""
    kept = await at.drafts.get(actor.id, NEW_DELEGATION, draft)
    if kept is not None:
        return Typed(list(kept.pairs))
    offered = await _choices(request, at, actor)
    organisation = actor.organisation or (offered.organisations[0][0] if len(offered.organisations) == 1 else "")
    return Typed([("organisation", organisation)] if organisation else [])


async def _choices(request: Request, at: Installation, actor: Acting) -> Choices:
    edition = await at.editions.effective(business_date(utc_now(), at.settings.zone))
    return await choices_of(request, at, edition, await reach(actor, at))


async def _matches(at: Installation, text: str) -> tuple[Found, ...]:
    """Return the partners of the directory whose names have these words, with or without diacritics."""
    if not text.strip():
        return ()
    return (await at.directory.page(kinds=["partner"], q=text.strip()[:200], limit=MATCHES)).items


async def _with_partner(request: Request, at: Installation, typed: Typed, chosen: str) -> Typed:
    """Fill in what the directory knows of the partner: its name, and its country where none was typed."""
    found = await at.directory.get(chosen) if chosen else None
    if found is None and not chosen:
        name = folded(typed.get("partner", ""))
        found = next(
            (
                one
                for one in await _matches(at, typed.get("partner", ""))
                if one.entry.kind == "partner" and folded(one.entry.name) == name
            ),
            None,
        )
    if found is None or found.entry.kind != "partner":
        return typed
    words, names = translator(reader_of(request).language), ["partner"]
    anew = [("partner", found.entry.name)]
    if not rows_of(typed):
        names += ["countries", "stays"]
        anew += [("countries", words.country(found.entry.country)), ("stays", "")]
    return merged(typed, Typed(anew), names)


async def _said(
    request: Request, at: Installation, actor: Acting, typed: Typed
) -> tuple[OpenDelegation, Copied | None]:
    """Return the command that a draft says, and what is copied with it; FormRefused with everything that is wrong."""
    errors: list[tuple[str, str]] = []
    more: dict[str, Any] = {}
    try:
        more = countries_said(request, typed)
    except FormRefused as wrong:
        errors += wrong.errors
    without = left_out(typed.get("direction", ""))
    if typed.get("organisation", "") in (await _choices(request, at, actor)).known_kinds:
        # The register says who runs it; what was typed for another organisation is not asked for any more.
        without = (*without, "run_by")
    plain = Typed([pair for pair in typed.pairs if pair[0] not in without and pair[0] not in ("countries", "stays")])
    command = None
    try:
        command = read(request, OpenDelegation, plain, more, labels=LABELS, whole="ends")
    except FormRefused as wrong:
        known = {"countries", "stays"} if errors else set[str]()
        errors += [one for one in wrong.errors if one[0] not in known]
    if errors or command is None:
        raise FormRefused(errors)
    return command, await copied_of(request, at, actor, typed, command.starts)


async def _tasks(request: Request, at: Installation, actor: Acting, typed: Typed) -> tuple[Task, ...]:
    errors: Sequence[tuple[str, str]] = ()
    try:
        await _said(request, at, actor, typed)
    except FormRefused as wrong:
        errors = wrong.errors
    tasks = []
    for section in SECTIONS:
        own = tuple(one for one in errors if OF_FIELD.get(one[0]) == section.name)
        begun = any(value.strip() for name, value in typed.pairs if name in section.fields and name != "organisation")
        status: Status = "incomplete" if own and begun else "not_started" if not begun else "done"
        tasks.append(Task(section, status, own))
    return tuple(tasks)


async def _overview(
    request: Request, at: Installation, actor: Acting, draft: str, *, wrong: FormRefused | None = None
) -> Response:
    typed = await _typed(request, at, actor, draft)
    tasks = await _tasks(request, at, actor, typed)
    copied = None
    try:
        command, copied = await _said(request, at, actor, typed)
    except FormRefused:
        command = None
    # What is missing stands in its section already; the summary says what was refused on sending.
    form = Form("open") if wrong is None else wrong.form("open", None, {})
    errors = [
        (f"/files/new/{draft}/{OF_FIELD[field]}#new-{field}" if field in OF_FIELD else "", sentence)
        for field, sentence in (wrong.errors if wrong else ())
    ]
    return show(
        request,
        "new_file_check.html",
        wrong.status if wrong else 200,
        draft=draft,
        typed=typed,
        tasks=tasks,
        rows=rows_of(typed),
        command=command,
        copied=copied,
        copies=typed.get(COPIED, ""),
        form=form,
        errors=errors,
        status_words=STATUS_WORDS,
        status_shapes=STATUS_SHAPES,
        choices=await _choices(request, at, actor),
        options=options_of(request),
        left_out=left_out(typed.get("direction", "")),
    )


async def _section(
    request: Request,
    at: Installation,
    actor: Acting,
    draft: str,
    section: Section,
    form: Form,
    *,
    status: int = 200,
    matches: tuple[Found, ...] | None = None,
    more: bool = False,
) -> Response:
    typed = form.typed if isinstance(form.typed, Typed) else Typed([])
    partners = (await at.directory.page(kinds=["partner"], limit=LISTED_PARTNERS)).items
    rows = rows_of(typed)
    return show(
        request,
        "new_file_section.html",
        status,
        draft=draft,
        section=section,
        number=SECTIONS.index(section) + 1,
        count=len(SECTIONS),
        form=form,
        direction=typed.get("direction", ""),
        rows=[*rows, *[("", "")] * max(1 if rows else 2, 4 if more else 0)],
        countries=country_choices(reader_of(request).language),
        partners=partners if section.name == "partner" else (),
        matches=matches,
        choices=await _choices(request, at, actor),
        options=options_of(request),
        left_out=left_out(typed.get("direction", "")),
    )
