"""Whose desk: how much waits with each approver, position or organisation, how long already, and which files these are.

Live like the inbox, and readable without JavaScript.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.desks import Known, Which, counted, waiting_of, whose_is
from api.files import reach
from api.installation import At, Installation
from api.pages.reader import Reader, reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.words import edition_on, position_titles, urgency
from domain.bilingual import Bilingual
from domain.desk import COORDINATING, Ageing, Load, Whose
from domain.events import EXTERNAL_AUTHORITY
from domain.values import business_date
from locales import Translator, mark, translator
from storage.desks import DeskLine
from words.codes import AGEING, word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

EACH = 50
"""Lines of a page."""

Ways = Literal["approver", "position", "organisation"]

WAYS: dict[Ways, str] = {
    "approver": mark("By approver"),
    "position": mark("By position"),
    "organisation": mark("By organisation"),
}


@dataclass(frozen=True)
class ShownLoad:
    """How much lies with somebody, and the address at which it is listed. `ageing` are counts by class, none of 0."""

    load: Load
    title: str
    beside: str
    link: str
    chosen: bool
    ageing: tuple[str, ...]
    oldest: date


@dataclass(frozen=True)
class ShownLine:
    """A file on a desk: `link` leads to what is to be done, `whose` says which desk, `who` sits there.

    Nobody sits at a desk that is vacant, or where an outside authority decides.
    """

    line: DeskLine
    link: str
    whose: str
    who: tuple[str, ...]
    external: bool
    working_days: int
    urgency: str


@router.get("/desks")
async def show_desks_page(
    request: Request,
    actor: Actor,
    at: At,
    by: Ways = "approver",
    of: Annotated[str | None, Query(max_length=200)] = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Show what waits with whom within the reader's reach, and the files behind it; `of` keeps to one of the lines."""
    within = await reach(actor, at)
    # Before anything is read: what changes meanwhile is news to the page.
    mark_seen = await at.desks.mark(within)
    lines, known = await waiting_of(at, actor, Which())
    words = await _words(at, request, known, lines)
    groups = {one: [_key(whose) for whose in whose_is(one, known, by)] for one in lines}
    found = [one for one in lines if groups[one] and (of is None or of in groups[one])]
    return show(
        request,
        "whose_desk.html",
        mark=mark_seen,
        ways=[(way, words.translator.tr(title), f"/desks?by={way}") for way, title in WAYS.items()],
        by=by,
        loads=[_shown_load(one, words, by, of) for one in counted(lines, known, by)],
        files=len({one.delegation_id for one in lines if groups[one]}),
        chosen=of,
        lines=[_shown_line(one, words) for one in found[(page - 1) * EACH : page * EACH]],
        number=len(found),
        page=page,
        last=max(1, -(-len(found) // EACH)),
        link=partial(_link, by, of),
        whole=f"/desks?by={by}",
        names=words.accounts,
    )


@dataclass(frozen=True)
class _Words:
    translator: Translator
    known: Known
    titles: Mapping[str, Bilingual]
    organisations: Mapping[str, str]
    accounts: Mapping[str, str]

    def account(self, account: str) -> str:
        return self.accounts.get(account, account)

    def organisation(self, slug: str) -> str:
        return self.organisations.get(slug, slug)

    def position(self, slug: str) -> str:
        if slug == EXTERNAL_AUTHORITY:
            return self.translator.tr("an outside authority")
        return self.titles[slug].text(self.translator.language) if slug in self.titles else slug


async def _words(at: Installation, request: Request, known: Known, lines: list[DeskLine]) -> _Words:
    reader: Reader = reader_of(request)
    titles = await position_titles(at, await edition_on(at, known.today))
    # The last period of each: a later name takes the place of an earlier one.
    running = {one.slug: one.name.text(reader.language) for one in await at.institution.organisations()}
    # Those who sign are known; coordinators and whoever is on leave are not yet.
    others = {one.coordinator for one in lines} | {away.account for one in lines for away in one.substitutes}
    others |= {away.substitute for one in lines for away in one.substitutes}
    names = {**known.names, **await at.accounts.names(others)} if reader.sees_personal_data else {}
    return _Words(translator(reader.language), known, titles, running, names)


def _key(whose: Whose) -> str:
    return "@".join(part for part in (whose.name or "-", whose.at) if part)


def _link(by: Ways, of: str | None, page: int) -> str:
    said = {"by": by, "of": of, "page": page if page > 1 else None}
    return f"/desks?{urlencode({name: value for name, value in said.items() if value is not None})}"


def _shown_load(load: Load, words: _Words, by: Ways, of: str | None) -> ShownLoad:
    key = _key(Whose(load.name, load.at))
    if load.name is None:
        title = words.translator.tr("Nobody: a vacant desk, or an outside authority")
    else:
        named = {"approver": words.account, "position": words.position, "organisation": words.organisation}
        title = named[by](load.name)
    counts: list[tuple[Ageing, int]] = [(name, count) for name, count in load.ageing.items() if count]
    return ShownLoad(
        load=load,
        title=title,
        beside=words.organisation(load.at) if load.at else "",
        link=f"{_link(by, key, 1)}#lines",
        chosen=key == of,
        ageing=tuple(f"{word(AGEING, name, words.translator)}: {words.translator.number(one)}" for name, one in counts),
        oldest=business_date(load.oldest, words.known.zone),
    )


def _shown_line(line: DeskLine, words: _Words) -> ShownLine:
    file, known = f"/delegations/{line.delegation_id}", words.known
    desk = known.seating.desk(line.position, line.organisation) if line.position else None
    position = words.position(line.position) if line.position else words.translator.tr("the coordinator")
    return ShownLine(
        line=line,
        link=file if line.what == COORDINATING else f"{file}/steps/{line.what}",
        whose=f"{position} · {words.organisation(desk)}" if desk else position,
        who=tuple(words.account(one) for one in (known.signers(line) if line.position else (line.coordinator,))),
        external=line.position == EXTERNAL_AUTHORITY,
        working_days=known.working_days(line.since),
        urgency=urgency(line.due_on, known.today, missed=line.missed),
    )
