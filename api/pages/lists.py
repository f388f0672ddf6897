"""The list of files: what somebody looks for, sorted and page by page, and where each file stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from urllib.parse import urlencode

import pycountry
from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.delegations import DelegationPage, ListQuery, filters_of, list_delegations
from api.files import reach
from api.installation import At, Installation
from api.pages.forms import Form, FormRefused, read
from api.pages.frame import SHAPES
from api.pages.reader import Reader, reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.today import age_of, who_is_behind
from api.pages.typed import Typed
from api.pages.words import PHASES, duty, edition_on, position_titles, word
from domain.bilingual import Bilingual
from domain.desk import COORDINATING, IDLE_PHASES
from domain.folding import folded
from domain.state import Phase
from domain.values import business_date
from locales import Language, mark, translator
from storage.metadata import utc_now

router = APIRouter(route_class=PageRoute, include_in_schema=False)

OPEN = "open"
"""What the page calls all phases in which a file lies on somebody's desk; where nothing is said, these."""

FIELDS = frozenset(ListQuery.model_fields) - {"as_of", "limit"}

MORE = ("country", "year", "coordinator", "organisation", "waits_for", "due_before", "overdue")
"""Filters that are folded away until one is used."""

SORTS = {
    "starts": mark("first day"),
    "next_due": mark("next due date"),
    "updated": mark("last change"),
    "title": mark("title"),
}

Options = list[tuple[str, str]]


@dataclass(frozen=True)
class Choices:
    """What the filters offer, each a code and the word for it."""

    phases: Options
    countries: Options
    coordinators: Options
    organisations: Options
    positions: Options


@router.get("/files")
async def show_files_page(request: Request, actor: Actor, at: At) -> Response:
    """List files by the filters of the address; those that are open unless it says otherwise."""
    typed = Typed([(name, value) for name, value in request.query_params.multi_items() if name in FIELDS])
    reader, within = reader_of(request), await reach(actor, at)
    words, today = translator(reader.language), business_date(utc_now(), at.settings.zone)
    form = Form("filter", ListQuery, {"phase": OPEN, "sort": "starts"} | typed)
    found, files, status = DelegationPage(items=(), next_cursor=None), 0, 200
    try:
        query = read(request, ListQuery, _asked(typed))
    except FormRefused as wrong:
        form, status = wrong.form("filter", ListQuery, typed), wrong.status
    else:
        found = await list_delegations(query, actor, at)
        files = await at.queries.count(filters_of(query, within))
    edition = await edition_on(at, today)
    titles = await position_titles(at, edition)
    desks = await at.desks.of([one.id for one in found.items])
    return show(
        request,
        "files.html",
        status,
        form=form,
        lines=found.items,
        next_cursor=found.next_cursor,
        later="cursor" in typed,
        files=files,
        desks=desks,
        who=await who_is_behind(
            at,
            [line for lines in desks.values() for line in lines],
            reader,
            await at.institution.seating(utc_now()),
        ),
        choices=await _choices(at, within, titles, reader),
        shapes=SHAPES,
        sorts=[(code, words.tr(said)) for code, said in SORTS.items()],
        more=any(typed.get(name) for name in MORE),
        asked=any(value for name, value in typed.items() if name not in ("sort", "order", "cursor")),
        link=partial(_link, typed),
        titles=titles,
        duty=partial(duty, edition=edition, translator=words),
        age=partial(age_of, today, at.settings.zone),
    )


def _asked(typed: Typed) -> Typed:
    """Return the filters as the API has them: without what was left empty, and with the phases that are open."""
    pairs: list[tuple[str, str]] = []
    for name, value in typed.pairs if "phase" in typed else (*typed.pairs, ("phase", OPEN)):
        if (name, value) == ("phase", OPEN):
            pairs += [("phase", phase.value) for phase in Phase if phase not in IDLE_PHASES]
        elif value.strip():
            pairs.append((name, value))
    return Typed(pairs)


def _link(typed: Typed, **other: str) -> str:
    """Return the address of this list with some of its parameters changed; its first page unless a cursor is named."""
    kept = [(name, value) for name, value in typed.pairs if name not in (*other, "cursor")]
    return f"/files?{urlencode([*kept, *((name, value) for name, value in other.items() if value)])}"


async def _choices(
    at: Installation, within: frozenset[str] | None, titles: Mapping[str, Bilingual], reader: Reader
) -> Choices:
    language, words = reader.language, translator(reader.language)
    # The last period of each: a later name takes the place of an earlier one.
    known = {one.slug: one.name.text(language) for one in await at.institution.organisations()}
    coordinators = (
        [(one.id, one.name) for one in await at.accounts.actors() if "coordinator" in one.roles]
        if reader.sees_personal_data
        else []
    )
    positions = [(slug, title.text(language)) for slug, title in titles.items()]
    return Choices(
        phases=[(phase.value, word(PHASES, phase.value, words).capitalize()) for phase in Phase],
        countries=list(_countries(language)),
        coordinators=_sorted(coordinators),
        organisations=_sorted([one for one in known.items() if within is None or one[0] in within]),
        positions=[(COORDINATING, words.tr("the coordinator")), *_sorted(positions)],
    )


@cache
def _countries(language: Language) -> tuple[tuple[str, str], ...]:
    words = translator(language)
    return tuple(_sorted([(one.alpha_2, words.country(one.alpha_2)) for one in pycountry.countries]))


def _sorted(options: Sequence[tuple[str, str]]) -> Options:
    return sorted(options, key=lambda one: folded(one[1]))
