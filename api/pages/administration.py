"""Administration: its sections, who finds which, and what their pages share."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from api.access import ALLOWED, Actor
from api.installation import Installation, installation_of
from api.pages.forms import Form, FormRefused, all_errors, read, said
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.typed import Typed, day_of
from api.violations import NOT_DATE
from domain.values import business_date
from locales import mark, translator

router = APIRouter(route_class=PageRoute, include_in_schema=False)

M = TypeVar("M", bound=BaseModel)

PAGE = 50

ADMINISTRATION = mark("Administration")


@dataclass(frozen=True)
class Section:
    """A page of the administration; it is for whoever may use its `route` (api/access.py)."""

    path: str
    title: str
    about: str
    route: str


Groups = tuple[tuple[str, tuple[Section, ...]], ...]

GROUPS: Groups = (
    (
        mark("The house"),
        (
            Section(
                "/admin/organisations",
                mark("Organisations"),
                mark("The union, its provincial unions and associations, and who stands below whom."),
                "show_organisations_page",
            ),
            Section(
                "/admin/positions",
                mark("Positions"),
                mark("Offices that sign, and who holds them since when."),
                "show_positions_page",
            ),
            Section(
                "/admin/leave",
                mark("Leave and substitutes"),
                mark("Who is away, until when, and who signs meanwhile."),
                "show_leave_page",
            ),
            Section(
                "/admin/accounts",
                mark("Accounts"),
                mark("Who may sign in, in which role, for which organisation."),
                "show_accounts_page",
            ),
        ),
    ),
    (
        mark("Post"),
        (
            Section(
                "/admin/replies",
                mark("Replies to look at"),
                mark("Answers by mail that could not be taken by themselves."),
                "show_replies_page",
            ),
            Section(
                "/admin/undelivered",
                mark("Undelivered mail"),
                mark("What did not arrive, why, and sending it again."),
                "show_undelivered_page",
            ),
        ),
    ),
    (
        mark("Rules"),
        (
            Section(
                "/admin/rules",
                mark("Rules and policies"),
                mark("Editions with the days on which they hold: approvals, deadlines, limits, days off."),
                "show_rules_page",
            ),
        ),
    ),
    (
        mark("Personal data"),
        (
            Section(
                "/admin/person-requests",
                mark("Requests of people"),
                mark("What people ask about their own data, and by when it is due."),
                "show_person_requests_page",
            ),
            Section(
                "/admin/erasures",
                mark("Erasures"),
                mark("Who is to be erased; one administrator asks, another one agrees."),
                "show_erasures_page",
            ),
            Section(
                "/admin/retention",
                mark("Retention"),
                mark("How long each kind of data is kept, and plans of what is due."),
                "show_retention_page",
            ),
        ),
    ),
    (
        mark("The installation"),
        (
            Section(
                "/admin/health",
                mark("Health"),
                mark("Whether each part does its work, and what waits."),
                "show_health_page",
            ),
            Section(
                "/admin/log",
                mark("Log of changes"),
                mark("Who changed what in which register, and when."),
                "show_log_page",
            ),
            Section(
                "/admin/checkpoints",
                mark("Checkpoints"),
                mark("Signed roots over everything that is sealed."),
                "show_checkpoints_page",
            ),
            Section(
                "/admin/archive",
                mark("Archive of histories"),
                mark("Histories of closed runs, under their digests."),
                "show_archive_page",
            ),
        ),
    ),
)
"""The sections, in the order in which they are needed."""

OWN: Groups = (
    (
        mark("My account"),
        (
            Section("/me", mark("Overview"), "", "show_own_account_page"),
            Section("/me/password", mark("Password"), "", "show_own_password_page"),
            Section("/me/passkeys", mark("Passkeys"), "", "show_passkeys_page"),
            Section("/me/leave", mark("My leave"), "", "show_own_leave_page"),
            Section("/me/tokens", mark("My tokens"), "", "show_own_tokens_page"),
        ),
    ),
)
"""The same of what is one's own."""


def sections_of(roles: Iterable[str], groups: Groups = GROUPS) -> list[tuple[str, list[Section]]]:
    """Return the groups of sections that somebody with these roles may open."""
    mine = set(roles)
    found = [(title, [one for one in sections if mine & set(ALLOWED[one.route])]) for title, sections in groups]
    return [(title, sections) for title, sections in found if sections]


@router.get("/admin")
async def show_administration_page(request: Request, actor: Actor) -> Response:
    """Show what there is to administer, as far as the reader may open it."""
    return show_section(request, "admin_index.html", "/admin", sections=sections_of(actor.roles))


def show_section(
    request: Request,
    template: str,
    path: str,
    *,
    status: int = 200,
    form: Form | None = None,
    forms: Iterable[Form] = (),
    errors: Sequence[tuple[str, str]] = (),
    said_of: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """Return a page of the section at `path`. `form` is the one that came back; it stands in the place of its like."""
    reader = reader_of(request)
    roles = reader.actor.roles if reader.actor else ()
    own = path == "/me" or path.startswith("/me/")
    return show(
        request,
        template,
        status,
        admin_groups=sections_of(roles, OWN if own else GROUPS),
        admin_title=OWN[0][0] if own else ADMINISTRATION,
        admin_path=path,
        administrator="administrator" in roles,
        forms={one.name: one for one in forms} | ({form.name: form} if form else {}),
        came_back=form.name if form else "",
        errors=[*all_errors([form] if form else []), *errors],
        said=said(request, said_of or {}),
        headers={"Cache-Control": "no-store"},
        **values,
    )


@dataclass(frozen=True)
class Slice:
    """One page of a list. `number` counts from 1, `count` are the items of all pages."""

    items: Sequence[Any]
    number: int
    pages: int
    count: int


def page_of(items: Sequence[Any], number: int) -> Slice:
    """Return a page of a list that is known whole; the last one where there are fewer."""
    one = _page(len(items), number)
    return replace(one, items=items[(one.number - 1) * PAGE : one.number * PAGE])


async def page_read(count: int, number: int, read: Callable[[int, int], Awaitable[Sequence[Any]]]) -> Slice:
    """Return a page of a list of `count` items of which only that page is read, by where it begins and its length."""
    one = _page(count, number)
    return replace(one, items=await read((one.number - 1) * PAGE, PAGE))


def _page(count: int, number: int) -> Slice:
    pages = max(1, -(-count // PAGE))
    return Slice((), min(max(number, 1), pages), pages, count)


def read_days(
    request: Request,
    model: type[M],
    typed: Typed,
    *,
    first: Sequence[str] = (),
    last: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
    zone: str | None = None,
) -> M:
    """Return the body that a form says whose instants were typed as days of a zone, else of the business zone.

    A `first` day begins at its midnight; after a `last` day comes the midnight that is the body's instant. FormRefused
    names whatever is wrong with days and all other fields at once.
    """
    whose, errors = ZoneInfo(zone or installation_of(request).settings.zone), list[tuple[str, str]]()
    instants: dict[str, Any] = dict(more or {})
    for name in (*first, *last):
        text = typed.get(name, "").strip()
        day = day_of(text)
        if day is not None and 1990 <= day.year < 2199:
            midnight = datetime.combine(day + timedelta(days=name in last), time.min, whose)
            instants[name] = midnight.isoformat()
        elif text:
            errors.append((name, translator(reader_of(request).language).tr(NOT_DATE.sentence)))
    plain = Typed([pair for pair in typed.pairs if pair[0] not in (*first, *last)])
    try:
        body = read(request, model, plain, instants)
    except FormRefused as wrong:
        named = {name for name, _ in errors}
        raise FormRefused([*errors, *(one for one in wrong.errors if one[0] not in named)]) from None
    if errors:
        raise FormRefused(errors)
    return body


def bilingual(typed: Typed, field: str) -> dict[str, str]:
    """Return a text in both languages as it was typed into the fields `FIELD.vi` and `FIELD.en`."""
    said_in = {language: typed.get(f"{field}.{language}", "").strip() for language in ("vi", "en")}
    return {language: text for language, text in said_in.items() if text}


def first_day(at: Installation, since: datetime, zone: str | None = None) -> date:
    """Return the day in a zone, else in the business zone, on which something begins."""
    return business_date(since, zone or at.settings.zone)


def last_day(at: Installation, until: datetime, zone: str | None = None) -> date:
    """Return the last day on which something holds that ends before an instant; in a zone, else the business zone."""
    return business_date(until - timedelta(microseconds=1), zone or at.settings.zone)
