"""Rules and policies as pages: editions, what each says, and which policy a given case gets."""

import json
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from api.access import Actor
from api.bodies import Opening
from api.editions import list_editions, show_edition
from api.installation import At, Installation
from api.pages.admin_institution import organisations_to_choose
from api.pages.administration import show_section
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, read
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.policies import ExplainQuery, Explanation, explain_policy
from domain.policies import ApprovalStep
from domain.rule import Rule, effective
from domain.rules import DeadlineRule, Edition
from domain.values import Digest, business_date
from locales import Translator, mark, translator
from storage.metadata import utc_now
from words.codes import DIRECTIONS
from words.policies import doubts, explained, warnings
from words.requests import DATA, KINDS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PATH = "/admin/rules"

MATTERS = {
    "request": mark("a proposal"),
    "programme_change": mark("a change after the decision"),
    "final_report": mark("a final report"),
}

ANCHORS = {
    "opened": mark("the file is opened"),
    "submitted": mark("the proposal is submitted"),
    "arrival": mark("the first day"),
    "departure": mark("the last day"),
    "papers_requested": mark("entry papers are requested"),
}

SCOPES = DIRECTIONS | {"any": mark("inbound and outbound")}

ON_TRIAL = {"title": "?", "purpose": "?", "partner": "?"}
"""What a case on trial is called: no policy asks for it."""


class Shown(BaseModel):
    """A rule as a line: whether it holds today, and its own words about itself."""

    id: str
    version: int
    title: str
    about: str
    source: str
    effective_from: date
    effective_to: date | None
    holds: bool


@router.get("/admin/rules")
async def show_rules_page(request: Request, at: At) -> Response:
    """Show the editions of the rules, and a form that asks which policy a case gets."""
    return await _rules(request, at)


@router.post("/admin/rules/explain")
async def explain_policy_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Say which policy a case would get, and why. Nothing is opened and nothing is kept."""
    typed: Typed = request.state.form
    given = Typed([(name, value) for name, value in typed.pairs if name != "countries"])
    countries = typed.get("countries", "").replace(",", " ").upper().split()
    try:
        body = read(request, Opening, given, ON_TRIAL | {"countries": countries})
        matter = read(request, ExplainQuery, Typed([("matter", typed.get("matter", "request"))]))
        with answering(request):
            found = await explain_policy(body, matter, actor, at)
    except FormRefused as wrong:
        return await _rules(request, at, form=wrong.form("explain", Opening, typed), status=wrong.status)
    return await _rules(request, at, form=Form("explain", Opening, typed), found=found)


@router.get("/admin/rules/{digest}")
async def show_edition_page(
    digest: Annotated[Digest, Path()], request: Request, at: At, on: Annotated[date | None, Query()] = None
) -> Response:
    """Show what an edition says; which of its rules hold is told for a day, else for today."""
    edition = await show_edition(digest, at)
    words = translator(reader_of(request).language)
    day = on or business_date(utc_now(), at.settings.zone)
    return show_section(
        request,
        "admin_edition.html",
        PATH,
        edition=edition,
        digest=digest,
        day=day,
        policies=[(_line(one, day, _policy(one, words), words), _steps(one.steps, words)) for one in edition.approvals],
        deadlines=[_line(one, day, _deadline(one, words), words) for one in edition.deadlines],
        limits=[_line(one, day, _limit(one, words), words) for one in edition.limits],
        ways=[
            _line(one, day, words.ntr("%(count)s minute", "%(count)s minutes", one.minutes), words)
            for one in edition.ways
        ],
        requests=[
            _line(one, day, words.listing(words.tr(KINDS[kind]) for kind in one.kinds), words)
            for one in edition.requests
        ],
        retention=[_line(one, day, words.tr(DATA[one.what]), words) for one in edition.retention],
        days_off=_days_off(edition, day, words),
    )


async def _rules(
    request: Request,
    at: Installation,
    *,
    form: Form | None = None,
    found: Explanation | None = None,
    status: int = 200,
) -> Response:
    words, today = translator(reader_of(request).language), business_date(utc_now(), at.settings.zone)
    editions = (await list_editions(at)).items
    begun = [one for one in editions if one.effective_from <= today]
    said = json.loads(found.model_dump_json()) if found else None
    matter = form.value("matter") if form else "request"
    return show_section(
        request,
        "admin_rules.html",
        PATH,
        status=status,
        form=form,
        forms=[Form("explain", Opening, {"matter": "request", "direction": "inbound"})],
        editions=editions[::-1],
        in_force=begun[-1].digest if begun else "",
        doubts=list(doubts([one.model_dump() for one in begun[-1].doubts], words)) if begun else [],
        explained=list(explained(said["policy"], said["why"], words, matter)) if said else [],
        steps=_steps(found.policy.steps, words) if found and found.policy else [],
        warnings=_warnings(found, words) if found else [],
        matters=[(code, words.tr(word)) for code, word in MATTERS.items()],
        directions=[(code, words.tr(word)) for code, word in DIRECTIONS.items()],
        organisations=await organisations_to_choose(request, at),
    )


def _warnings(found: Explanation, words: Translator) -> list[str]:
    """Return what is to be known of the chain: who decides in a conflict, and what nobody can sign as things stand."""
    steps = found.policy.steps if found.policy else ()
    titles = {one.id: one.title.text(words.language) for one in steps}
    offices = {one.position: one.title.text(words.language) for one in steps if one.position}
    hindered = [{"step_id": one.step_id, "why": one.hindered} for one in found.steps if one.hindered]
    conflicted = [one.model_dump() for one in found.conflicted]
    return list(
        warnings(conflicted, hindered, lambda step: titles.get(step, step), lambda one: offices.get(one, one), words)
    )


def _line(one: Rule, day: date, about: str, words: Translator) -> Shown:
    return Shown(
        id=one.id,
        version=one.version,
        title=one.title.text(words.language),
        about=about,
        source=one.source,
        effective_from=one.effective_from,
        effective_to=one.effective_to,
        holds=bool(effective([one], day)),
    )


def _policy(one: Any, words: Translator) -> str:
    where = words.tr(
        "%(direction)s, for %(matter)s",
        direction=words.tr(DIRECTIONS[one.direction]),
        matter=words.tr(MATTERS[one.matter]),
    )
    if not one.applies.said:
        return where
    return f"{where}; {words.tr('priority %(number)s', number=one.priority)}"


def _steps(steps: tuple[ApprovalStep, ...], words: Translator) -> list[tuple[str, str]]:
    """Return each step of a policy: its title, and within how long."""
    return [
        (
            one.title.text(words.language),
            words.ntr("within %(count)s working day", "within %(count)s working days", one.time_limit_working_days),
        )
        for one in steps
    ]


def _deadline(one: DeadlineRule, words: Translator) -> str:
    anchor = words.tr(ANCHORS[one.anchor])
    if one.unit == "working_days":
        count = words.ntr("%(count)s working day", "%(count)s working days", one.offset)
    else:
        count = words.ntr("%(count)s day", "%(count)s days", one.offset)
    sentence = mark("%(count)s before %(anchor)s") if one.side == "before" else mark("%(count)s after %(anchor)s")
    scope = words.tr(SCOPES[one.direction])
    issuer = f" · {one.conditions.issuer}" if one.conditions.issuer else ""
    return f"{words.tr(sentence, count=count, anchor=anchor)} · {scope}{issuer}"


def _limit(one: Any, words: Translator) -> str:
    said = words.tr("at most %(count)s", count=words.number(one.allowed))
    if one.special is not None:
        said += "; " + words.tr("%(count)s in special cases", count=words.number(one.special))
    if one.absolute:
        said += "; " + words.tr("no reason lifts it")
    return f"{said} · {words.tr(SCOPES[one.direction])}" + (f" · {one.issuer}" if one.issuer else "")


def _days_off(edition: Edition, day: date, words: Translator) -> list[tuple[date, str, bool]]:
    """Return the named days of a day's year and the next: the day, its name, whether it is worked."""
    off = [(one, False) for one in (*edition.holidays, *edition.working_swaps.extra_off)]
    worked = [(one, True) for one in edition.working_swaps.extra_working]
    near = [
        (one.date, one.name.text(words.language), how)
        for one, how in (*off, *worked)
        if one.date.year in (day.year, day.year + 1)
    ]
    return sorted(near)
