"""Organisations, positions and who holds them, as pages. What changes them is the API's own functions."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.installation import At, Installation
from api.institution import (
    AtQuery,
    EndOfOrganisation,
    EndOfTenure,
    NewClosing,
    NewOrganisation,
    NewPosition,
    NewTenure,
    OrganisationBody,
    OrganisationId,
    PositionBody,
    TenureId,
    TenureQuery,
    add_organisation,
    add_position,
    begin_tenure,
    change_organisation,
    change_position,
    close_desk,
    end_organisation,
    end_position,
    end_tenure,
    list_organisations,
    list_positions,
    list_tenures,
)
from api.pages.administration import bilingual, first_day, last_day, page_read, read_days, show_section
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, done, read
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.problems import Problem
from domain.institution import Organisation
from domain.values import Slug
from locales import mark, translator
from storage.metadata import utc_now

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ORGANISATIONS, POSITIONS = "/admin/organisations", "/admin/positions"

KINDS = {
    "central_union": mark("central union"),
    "provincial_union": mark("provincial union"),
    "member_organisation": mark("member organisation"),
    "mission": mark("diplomatic mission"),
    "ministry": mark("ministry"),
    "authority": mark("authority"),
}

SAID = {
    "added": mark("It was entered."),
    "changed": mark("It was changed."),
    "ended": mark("Its end was entered."),
    "begun": mark("The tenure was entered."),
    "closed": mark("The desk was given up. Its files wait at the next one above now."),
}

BESIDE = {
    "organisation_exists": "slug",
    "parent_ends_first": "parent",
    "organisation_in_use": "until",
    "organisation_goes_on": "until",
    "organisation_needs_successor": "successor",
    "successor_is_itself": "successor",
    "successor_unknown": "successor",
    "end_in_past": "until",
    "position_ended": "account",
    "organisation_cycle": "parent",
    "parent_unknown": "parent",
    "position_exists": "slug",
    "organisation_unknown": "organisation",
    "account_unknown": "account",
    "tenure_exists": "account",
    "position_of_another_organisation": "account",
    "period_backwards": "until",
    "tenure_ended": "until",
}


@router.get("/admin/organisations")
async def show_organisations_page(request: Request, at: At) -> Response:
    """Show the organisations of today as a tree."""
    return await _organisations(request, at)


@router.post("/admin/organisations")
async def add_organisation_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Enter an organisation."""
    typed: Typed = request.state.form
    try:
        body = read_days(
            request, NewOrganisation, typed, first=["since"], last=["until"], more={"name": bilingual(typed, "name")}
        )
        with answering(request, BESIDE):
            await add_organisation(body, actor, at)
    except FormRefused as wrong:
        return await _organisations(request, at, form=wrong.form("add", NewOrganisation, typed), status=wrong.status)
    return done(f"{ORGANISATIONS}/{body.slug}", "added")


@router.get("/admin/organisations/{organisation}")
async def show_organisation_page(organisation: OrganisationId, request: Request, at: At) -> Response:
    """Show an organisation: what it was called when, what stands below it."""
    return await _organisation(request, at, organisation)


@router.post("/admin/organisations/{organisation}")
async def change_organisation_by_page(organisation: OrganisationId, request: Request, actor: Actor, at: At) -> Response:
    """Change an organisation from a day on, or let it end."""
    typed: Typed = request.state.form
    ending = typed.get("form") == "end"
    try:
        if ending:
            end = read_days(request, EndOfOrganisation, typed, last=["until"])
            with answering(request, BESIDE | {"organisation_cycle": "successor"}):
                await end_organisation(organisation, end, actor, at)
            return done(f"{ORGANISATIONS}/{organisation}", "ended")
        body = read_days(request, OrganisationBody, typed, first=["since"], more={"name": bilingual(typed, "name")})
        with answering(request, BESIDE | {"period_backwards": "since"}):
            await change_organisation(organisation, body, actor, at)
    except FormRefused as wrong:
        form = wrong.form("end", EndOfOrganisation, typed) if ending else wrong.form("change", OrganisationBody, typed)
        return await _organisation(request, at, organisation, form=form, status=wrong.status)
    return done(f"{ORGANISATIONS}/{organisation}", "changed")


@router.get("/admin/positions")
async def show_positions_page(request: Request, at: At, page: Annotated[int, Query(ge=1, le=10_000)] = 1) -> Response:
    """Show the positions, and who holds them today."""
    return await _positions(request, at, page=page)


@router.post("/admin/positions")
async def add_position_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Enter a position."""
    typed: Typed = request.state.form
    try:
        body = read(request, NewPosition, typed, {"title": bilingual(typed, "title")})
        with answering(request, BESIDE):
            await add_position(body, actor, at)
    except FormRefused as wrong:
        return await _positions(request, at, form=wrong.form("add", NewPosition, typed), status=wrong.status)
    return done(f"{POSITIONS}/{body.slug}", "added")


@router.get("/admin/positions/{position}")
async def show_position_page(position: Slug, request: Request, at: At) -> Response:
    """Show who holds, held and will hold a position."""
    return await _position(request, at, position)


@router.post("/admin/positions/{position}")
async def change_position_by_page(position: Slug, request: Request, actor: Actor, at: At) -> Response:
    """Let an account hold the position, correct its title, give up one of its desks, or let it end."""
    typed: Typed = request.state.form
    what, path = typed.get("form", ""), f"{POSITIONS}/{position}"
    if what in ("rename", "close", "end"):
        try:
            return done(path, await _settle_position(what, position, request, actor, at))
        except FormRefused as wrong:
            form = wrong.form(what, PositionBody if what == "rename" else None, typed)
            return await _position(request, at, position, form=form, status=wrong.status)
    try:
        body = read_days(request, NewTenure, typed, first=["since"], last=["until"], more={"position": position})
        with answering(request, BESIDE):
            await begin_tenure(body, actor, at)
    except FormRefused as wrong:
        form = wrong.form("begin", NewTenure, typed)
        return await _position(request, at, position, form=form, status=wrong.status)
    return done(path, "begun")


async def _settle_position(what: str, position: str, request: Request, actor: Actor, at: Installation) -> str:
    typed: Typed = request.state.form
    with answering(request):
        if what == "rename":
            await change_position(
                position, read(request, PositionBody, typed, {"title": bilingual(typed, "title")}), actor, at
            )
            return "changed"
        if what == "end":
            await end_position(position, actor, at)
            return "ended"
        await close_desk(position, read(request, NewClosing, typed), actor, at)
        return "closed"


@router.post("/admin/positions/{position}/tenures/{tenure}")
async def end_tenure_by_page(position: Slug, tenure: TenureId, request: Request, actor: Actor, at: At) -> Response:
    """Let a tenure end with a day."""
    typed: Typed = request.state.form
    try:
        body = read_days(request, EndOfTenure, typed, last=["until"])
        with answering(request, BESIDE):
            await end_tenure(tenure, body, actor, at)
    except FormRefused as wrong:
        form = wrong.form(f"end-{tenure}", EndOfTenure, typed)
        return await _position(request, at, position, form=form, status=wrong.status)
    return done(f"{POSITIONS}/{position}", "ended")


async def names_of(request: Request, at: Installation, accounts: Iterable[str]) -> Mapping[str, str]:
    """Return what accounts are called, for whoever may read names."""
    return await at.accounts.names(set(accounts)) if reader_of(request).sees_personal_data else {}


async def accounts_to_choose(request: Request, at: Installation) -> list[tuple[str, str]]:
    """Return the accounts that may be chosen, by name; none for those who see no names."""
    if not reader_of(request).sees_personal_data:
        return []
    return sorted(((one.id, f"{one.name} ({one.id})") for one in await at.accounts.actors()), key=lambda one: one[1])


async def organisations_to_choose(request: Request, at: Installation) -> list[tuple[str, str]]:
    """Return today's organisations by name."""
    language, now = reader_of(request).language, utc_now()
    known = [one for one in await at.institution.organisations() if one.contains(now)]
    return sorted(((one.slug, one.name.text(language)) for one in known), key=lambda one: one[1])


def kinds(request: Request) -> list[tuple[str, str]]:
    """Return the kinds of organisations with their words."""
    words = translator(reader_of(request).language)
    return [(code, words.tr(sentence)) for code, sentence in KINDS.items()]


async def _organisations(
    request: Request, at: Installation, *, form: Form | None = None, status: int = 200
) -> Response:
    known = (await list_organisations(AtQuery(), at)).items
    now = utc_now()
    today = [one for one in known if one.contains(now)]
    there = {one.slug for one in today}
    below: dict[str | None, list[Organisation]] = {}
    for one in today:
        below.setdefault(one.parent if one.parent in there else None, []).append(one)
    later = {one.slug: one for one in known if one.slug not in there}
    return show_section(
        request,
        "admin_organisations.html",
        ORGANISATIONS,
        status=status,
        form=form,
        forms=[Form("add", NewOrganisation)],
        said_of=SAID,
        below=below,
        others=sorted(later.values(), key=lambda one: one.slug),
        kind_words=dict(kinds(request)),
        kinds=kinds(request),
        organisations=await organisations_to_choose(request, at),
    )


async def _organisation(
    request: Request, at: Installation, slug: str, *, form: Form | None = None, status: int = 200
) -> Response:
    known = (await list_organisations(AtQuery(), at)).items
    entries = [one for one in known if one.slug == slug]
    if not entries:
        raise Problem("organisation_unknown")
    now = utc_now()
    one = next((each for each in entries if each.contains(now)), entries[-1])
    said = {"kind": one.kind, "parent": one.parent or "", "name.vi": one.name.vi, "name.en": one.name.en}
    names = {each.slug: each.name for each in known}
    return show_section(
        request,
        "admin_organisation.html",
        ORGANISATIONS,
        status=status,
        form=form,
        forms=[Form("change", OrganisationBody, said), Form("end", EndOfOrganisation)],
        said_of=SAID,
        one=one,
        entries=[
            (each, first_day(at, each.since), last_day(at, each.until) if each.until else None) for each in entries
        ],
        parts=[each for each in known if each.parent == slug and each.contains(now)],
        positions=[each for each in (await list_positions(at)).items if each.organisation == slug],
        names=names,
        over=one.until is not None and one.until <= now,
        kind_words=dict(kinds(request)),
        kinds=kinds(request),
        organisations=[each for each in await organisations_to_choose(request, at) if each[0] != slug],
    )


async def _positions(
    request: Request, at: Installation, *, page: int = 1, form: Form | None = None, status: int = 200
) -> Response:
    found = await page_read(await at.institution.count_positions(), page, at.institution.positions)
    held = await at.tenures.in_force([one.slug for one in found.items], utc_now())
    organisations = {one.slug: one.name for one in await at.institution.organisations()}
    return show_section(
        request,
        "admin_positions.html",
        POSITIONS,
        status=status,
        form=form,
        forms=[Form("add", NewPosition)],
        said_of=SAID,
        found=found,
        held=held,
        names=await names_of(request, at, (one.account for some in held.values() for one in some)),
        organisation_names=organisations,
        organisations=await organisations_to_choose(request, at),
    )


async def _position(
    request: Request, at: Installation, slug: str, *, form: Form | None = None, status: int = 200
) -> Response:
    one = next((each for each in (await list_positions(at)).items if each.slug == slug), None)
    if one is None:
        raise Problem("not_found")
    tenures, now = (await list_tenures(TenureQuery(position=slug), at)).items, utc_now()
    there = {each.organisation for each in tenures if each.until is None or each.until > now}
    vacant = sorted((await at.institution.seating(now)).places(slug) - there)
    ends: list[Any] = [
        Form(f"end-{each.id}", EndOfTenure) for each in tenures if each.until is None or each.until > now
    ]
    lines = [
        (each, first_day(at, each.since), last_day(at, each.until) if each.until else None)
        for each in sorted(tenures, key=lambda each: each.since, reverse=True)
    ]
    return show_section(
        request,
        "admin_position.html",
        POSITIONS,
        status=status,
        form=form,
        forms=[
            Form("begin", NewTenure),
            Form("rename", PositionBody, {"title.vi": one.title.vi, "title.en": one.title.en}),
            *ends,
        ],
        said_of=SAID,
        one=one,
        vacant=vacant,
        held=bool(there),
        tenures=lines,
        now=now,
        organisation_names={each.slug: each.name for each in await at.institution.organisations()},
        names=await names_of(request, at, (each.account for each in tenures)),
        accounts=await accounts_to_choose(request, at),
    )
