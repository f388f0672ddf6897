"""Leave and substitutes: one's own for everybody, everybody's for administrators."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.installation import At, Installation
from api.institution import (
    LeaveId,
    LeaveQuery,
    NewEnd,
    NewLeave,
    NewSubstitute,
    change_end_of_leave,
    give_substitute,
    list_leaves,
    register_leave,
    revoke_leave,
)
from api.pages.admin_institution import accounts_to_choose, names_of
from api.pages.administration import first_day, last_day, page_of, read_days, show_section
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, day_shown, done, read
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.typed import Typed
from domain.institution import Leave
from domain.sign_in import Acting
from locales import mark
from storage.metadata import utc_now

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ALL, OWN = "/admin/leave", "/me/leave"

SAID = {
    "registered": mark("The leave was registered. Files that wait for whoever is away show the substitute now."),
    "moved": mark("The leave ends on another day now."),
    "replaced": mark("Somebody else signs from now on. What was signed until now stays signed."),
    "revoked": mark("The leave was revoked. What was signed by it stays signed."),
}

BESIDE = {
    "account_unknown": "substitute",
    "substitute_no_approver": "substitute",
    "substitute_out_of_reach": "substitute",
    "substitute_is_registrar": "substitute",
    "substitute_exists": "substitute",
    "position_not_held": "positions",
    "organisation_out_of_reach": "account",
    "end_in_past": "until",
    "leave_over": "until",
    "substitute_is_oneself": "substitute",
    "substitute_on_leave": "substitute",
    "leave_overlaps": "since",
    "leave_while_substituting": "since",
    "leave_not_yours": "account",
    "period_backwards": "until",
}


@router.get("/me/leave")
async def show_own_leave_page(request: Request, actor: Actor, at: At) -> Response:
    """Show one's own leave, and whom one stands in for."""
    return await _page(request, at, actor, OWN)


@router.post("/me/leave")
async def register_own_leave_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Register one's own leave."""
    return await _register(request, at, actor, OWN)


@router.post("/me/leave/{leave}")
async def change_own_leave_by_page(leave: LeaveId, request: Request, actor: Actor, at: At) -> Response:
    """Give one's own leave another end, or revoke it."""
    return await _change(request, at, actor, OWN, leave)


@router.get("/admin/leave")
async def show_leave_page(
    request: Request, actor: Actor, at: At, page: Annotated[int, Query(ge=1, le=10_000)] = 1
) -> Response:
    """Show everybody's leave: in force, to come, and over."""
    return await _page(request, at, actor, ALL, page=page)


@router.post("/admin/leave")
async def register_leave_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Register somebody's leave."""
    return await _register(request, at, actor, ALL)


@router.post("/admin/leave/{leave}")
async def change_leave_by_page(leave: LeaveId, request: Request, actor: Actor, at: At) -> Response:
    """Give somebody's leave another end, or revoke it."""
    return await _change(request, at, actor, ALL, leave)


async def _register(request: Request, at: Installation, actor: Acting, path: str) -> Response:
    typed: Typed = request.state.form
    own = {"account": actor.id} if path == OWN else {}
    try:
        zone = await _zone_of(at, own.get("account") or typed.get("account", ""))
        body = read_days(request, NewLeave, typed, first=["since"], last=["until"], more=own, zone=zone)
        with answering(request, BESIDE):
            await register_leave(body, actor, at)
    except FormRefused as wrong:
        return await _page(request, at, actor, path, form=wrong.form("add", NewLeave, typed), status=wrong.status)
    return done(path, "registered")


async def _change(request: Request, at: Installation, actor: Acting, path: str, leave: str) -> Response:
    typed: Typed = request.state.form
    try:
        if typed.get("form") == "revoke":
            with answering(request):
                await revoke_leave(leave, actor, at)
            return done(path, "revoked")
        if typed.get("form") == f"substitute-{leave}":
            return await _replace(request, at, actor, path, leave)
        known = await at.leaves.get(leave)
        zone = await _zone_of(at, known.account) if known else None
        body = read_days(request, NewEnd, typed, last=["until"], zone=zone)
        with answering(request, BESIDE | {"leave_overlaps": "until", "leave_while_substituting": "until"}):
            await change_end_of_leave(leave, body, actor, at)
    except FormRefused as wrong:
        form = wrong.form(f"end-{leave}", NewEnd, typed)
        return await _page(request, at, actor, path, form=form, status=wrong.status)
    return done(path, "moved")


async def _replace(request: Request, at: Installation, actor: Acting, path: str, leave: str) -> Response:
    typed: Typed = request.state.form
    try:
        body = read(request, NewSubstitute, typed)
        with answering(request, BESIDE | dict.fromkeys(("leave_over", "leave_overlaps"), "substitute")):
            await give_substitute(leave, body, actor, at)
    except FormRefused as wrong:
        form = wrong.form(f"substitute-{leave}", NewSubstitute, typed)
        return await _page(request, at, actor, path, form=form, status=wrong.status)
    return done(path, "replaced")


async def _page(
    request: Request,
    at: Installation,
    actor: Acting,
    path: str,
    *,
    page: int = 1,
    form: Form | None = None,
    status: int = 200,
) -> Response:
    now, own = utc_now(), path == OWN
    query = LeaveQuery(account=actor.id) if own else LeaveQuery()
    known = sorted((await list_leaves(query, at)).items, key=lambda one: one.since)
    coming = [one for one in known if one.until > now and one.revoked_at is None]
    over = page_of([one for one in reversed(known) if one not in coming], page)
    zones = {one.id: one.zone for one in await at.accounts.several({one.account for one in known})}
    names = await names_of(request, at, {who for one in known for who in (one.account, one.substitute)})
    titles = {one.slug: one.title for one in await at.institution.positions()}
    may = set(actor.roles) if not own else {"administrator"}
    changing = [one for one in coming if "administrator" in may and (not own or one.account == actor.id)]
    held = set(actor.positions) if own else set(titles)
    positions = [(slug, title.text(reader_of(request).language), "") for slug, title in titles.items() if slug in held]
    return show_section(
        request,
        "admin_leave.html",
        path,
        status=status,
        form=form,
        forms=[
            Form("add", NewLeave, {"account": actor.id} if own else {}),
            *(
                Form(f"end-{one.id}", NewEnd, {"until": day_shown(last_day(at, one.until, zones.get(one.account)))})
                for one in changing
            ),
            *(Form(f"substitute-{one.id}", NewSubstitute, {"substitute": one.substitute}) for one in changing),
        ],
        said_of=SAID,
        own=own,
        me=actor.id,
        here=path,
        coming=[_line(at, one, zones) for one in coming],
        over=over,
        over_lines=[_line(at, one, zones) for one in over.items],
        now=now,
        names=names,
        titles=titles,
        changing={one.id for one in changing},
        may_register=own or "administrator" in actor.roles,
        positions=positions,
        accounts=[] if own else await accounts_to_choose(request, at),
        substitutes=await colleagues(request, at, actor),
    )


async def colleagues(request: Request, at: Installation, actor: Acting) -> list[tuple[str, str]]:
    """Return who may be named as a substitute: whoever is away has to be able to say who signs.

    Those whose role signs, and not oneself; by name, or by account for those who see no names.
    """
    known = [one for one in await at.accounts.actors() if "approver" in one.roles and one.id != actor.id]
    seen = reader_of(request).sees_personal_data
    return sorted(((one.id, f"{one.name} ({one.id})" if seen else one.id) for one in known), key=lambda one: one[1])


def _line(at: Installation, one: Leave, zones: Mapping[str, str | None]) -> tuple[Leave, object, object]:
    zone = zones.get(one.account)
    return one, first_day(at, one.since, zone), last_day(at, one.until, zone)


async def _zone_of(at: Installation, account: str) -> str | None:
    """Return the zone whose days somebody's leave is told in; None for the business zone."""
    known = await at.accounts.get(account) if "\x00" not in account else None
    return known.zone if known else None
