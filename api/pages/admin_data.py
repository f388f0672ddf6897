"""Personal data as pages: erasures that take two administrators, what people ask about their data, what is kept."""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from api.access import ALLOWED, Actor
from api.erasures import (
    ErasureId,
    ErasureQuery,
    NewErasure,
    agree_erasure,
    ask_erasure,
    list_erasures,
    show_erasure,
    withdraw_erasure,
)
from api.files import reach
from api.installation import At, Installation
from api.pages.admin_institution import names_of
from api.pages.administration import page_of, read_days, show_section
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, done, key_of, read
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.search import FoundPerson, people_named
from api.pages.typed import Typed
from api.person_requests import (
    RequestId,
    RequestLine,
    RequestView,
    answer_person_request,
    carry_out_person_request,
    extend_person_request,
    foreseen,
    identify_person_request,
    list_person_requests,
    receive_person_request,
    refuse_person_request,
    show_person_request,
    take_back_person_request,
)
from api.persons import show_person
from api.problems import Problem
from api.request_bodies import AnswerGiven, Denial, Done, Identification, MoreTime, NewRequest, RequestQuery
from api.retention import (
    EntryName,
    EntryQuery,
    PlanId,
    apply_retention_plan,
    list_retention_entries,
    list_retention_plans,
    make_retention_plan,
    show_retention,
    show_retention_plan,
    stop_retention_plan,
)
from domain.folding import folded
from domain.request_events import RequestReceived
from domain.retention import Kept
from domain.sign_in import Acting
from domain.workdays import DayExplained
from locales import Translator, mark, translator
from words.codes import word
from words.erasures import REASONS as GROUNDS
from words.erasures import STATES as ERASURE_STATES
from words.erasures import beyond, goes
from words.requests import DATA, KINDS, OUTCOMES, PLANS, REASONS, REMOVED, STATES, WAYS, kept_for

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ERASURES, REQUESTS, RETENTION = "/admin/erasures", "/admin/person-requests", "/admin/retention"

PERSON = r"^(?:per_[A-Za-z0-9_-]{8,64})?$"
"""A person's reference in an address, or none."""

SAID = {
    "asked": mark("The erasure was asked for. Nothing happens until another administrator agrees."),
    "agreed": mark("You agreed. The erasure begins at once and cannot be stopped."),
    "withdrawn": mark("The erasure was taken back."),
    "received": mark("The request was recorded, with the days that the law gives."),
    "identified": mark("It is recorded who asks."),
    "answered": mark("The answer was recorded."),
    "extended": mark("More time was recorded, and why."),
    "carried_out": mark("It is recorded as done."),
    "refused": mark("The refusal was recorded, with its reason."),
    "taken_back": mark("It is recorded that the request was taken back."),
    "made": mark("The plan was made. Nothing is removed until it is applied."),
    "applied": mark("The plan is being applied: what it lists is removed as far as it is still due."),
    "stopped": mark("The plan was stopped; what it had not removed stays."),
}

BESIDE = {
    "person_unknown": "person",
    "person_erased": "person",
    "erasure_exists": "person",
    "erasure_unknown": "erasure",
    "erasure_not_carried_out": "erasure",
    "correction_unknown": "correction",
    "export_unknown": "export",
}

STEPS: dict[str, tuple[Any, str]] = {
    "identify": (Identification, "identified"),
    "answer": (AnswerGiven, "answered"),
    "extend": (MoreTime, "extended"),
    "carry_out": (Done, "carried_out"),
    "refuse": (Denial, "refused"),
}
"""The forms of a request, by name: the body that each becomes, and what is said afterwards."""


@router.get("/admin/erasures")
async def show_erasures_page(
    request: Request,
    at: At,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    person: Annotated[str, Query(pattern=PERSON)] = "",
) -> Response:
    """Show erasures, those that wait on top; `person` stands in the form already."""
    form = Form("ask", NewErasure, {"person": person, "reason": "asked_by_person"}) if person else None
    return await _erasures(request, at, page=page, form=form)


@router.post("/admin/erasures")
async def ask_erasure_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Ask that a person be erased."""
    typed: Typed = request.state.form
    try:
        body = read(request, NewErasure, typed)
        with answering(request, BESIDE):
            found = await ask_erasure(body, actor, at)
    except FormRefused as wrong:
        return await _erasures(request, at, form=wrong.form("ask", NewErasure, typed), status=wrong.status)
    return done(f"{ERASURES}/{found.id}", "asked")


@router.get("/admin/erasures/{erasure}")
async def show_erasure_page(erasure: ErasureId, request: Request, actor: Actor, at: At) -> Response:
    """Show what an erasure finds, takes away and cannot reach."""
    return await _erasure(request, at, actor, erasure)


@router.post("/admin/erasures/{erasure}")
async def settle_erasure_by_page(erasure: ErasureId, request: Request, actor: Actor, at: At) -> Response:
    """Agree to an erasure that somebody else asked for, or take one's own back."""
    act = request.state.form.get("act", "")
    if act not in ("agree", "withdraw"):
        raise Problem("body_malformed")
    try:
        with answering(request):
            await (agree_erasure if act == "agree" else withdraw_erasure)(erasure, actor, at)
    except FormRefused as wrong:
        form = wrong.form(act, None, {})
        return await _erasure(request, at, actor, erasure, form=form, status=wrong.status)
    return done(f"{ERASURES}/{erasure}", "agreed" if act == "agree" else "withdrawn")


@router.get("/admin/person-requests")
async def show_person_requests_page(
    request: Request,
    actor: Actor,
    at: At,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    which: Annotated[Literal["open", "overdue", "all"], Query()] = "open",
    find: Annotated[str, Query(max_length=100)] = "",
    person: Annotated[str, Query(pattern=PERSON)] = "",
) -> Response:
    """Show what people ask about their data, with the days on which it is due; `find` looks for who asks, by name.

    `person` stands in the form already. Who may record requests, and not read them, sees the form alone.
    """
    form = Form("add", NewRequest, {"person": person}) if person else None
    return await _requests(request, at, actor, cursor=cursor, which=which, find=find, form=form)


@router.post("/admin/person-requests")
async def receive_person_request_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Record that somebody asks, once the days that the law gives were looked at."""
    typed: Typed = request.state.form
    if "again" in typed:
        return await _requests(request, at, actor, form=Form("add", NewRequest, typed))
    try:
        body = read_days(request, NewRequest, typed, first=["received_at"])
        with answering(request, BESIDE):
            if "checked" not in typed:
                return await _check(request, at, actor, typed, await foreseen(body, at))
            line = await receive_person_request(body, key_of(typed), actor, at, request, Response())
    except FormRefused as wrong:
        return await _requests(request, at, actor, form=wrong.form("add", NewRequest, typed), status=wrong.status)
    if not _may_list(actor):
        return await _requests(request, at, actor, recorded=line)
    return done(f"{REQUESTS}/{line.id}", "received")


def _may_list(actor: Acting) -> bool:
    """Whether somebody may read what people ask: by role, and of all files."""
    return actor.organisation is None and bool(set(actor.roles) & set(ALLOWED["list_person_requests"]))


async def _check(request: Request, at: Installation, actor: Acting, typed: Typed, event: RequestReceived) -> Response:
    """Show a request before it is recorded, with the days that it will have."""
    words = translator(reader_of(request).language)
    return show_section(
        request,
        "admin_person_request_check.html",
        REQUESTS,
        form=Form("add", NewRequest, typed, key=key_of(typed)),
        carried=[pair for pair in typed.pairs if pair[0] not in ("csrf", "form", "key", "checked", "again")],
        one=event,
        kind=words.tr(KINDS[event.kind]),
        way=words.tr(WAYS[event.via]),
        who=await _called(request, at, actor, event.person or "") or event.person,
        description=typed.get("description", "").strip(),
        days_off=[_day_off(one, words) for one in event.terms.answer.skipped],
    )


def _day_off(one: DayExplained, words: Translator) -> str:
    """A day that is not counted, with its name where it has one: weekends have none."""
    return (
        f"{words.weekday_date(one.date)} ({one.name.text(words.language)})"
        if one.name
        else words.weekday_date(one.date)
    )


@router.get("/admin/person-requests/{request_id}")
async def show_person_request_page(request_id: RequestId, request: Request, actor: Actor, at: At) -> Response:
    """Show a request: its days, what was written about it, and what may be recorded now."""
    return await _request(request, at, actor, request_id)


@router.post("/admin/person-requests/{request_id}")
async def change_person_request_by_page(request_id: RequestId, request: Request, actor: Actor, at: At) -> Response:
    """Record who asks, an answer, more time, that it is done, refused or taken back."""
    typed: Typed = request.state.form
    what, path = typed.get("form", ""), f"{REQUESTS}/{request_id}"
    if what not in STEPS and what != "take_back":
        raise Problem("body_malformed")
    model, said = STEPS.get(what, (None, "taken_back"))
    handlers: dict[str, Any] = {
        "identify": identify_person_request,
        "answer": answer_person_request,
        "extend": extend_person_request,
        "carry_out": carry_out_person_request,
        "refuse": refuse_person_request,
    }
    try:
        if what == "take_back":
            with answering(request):
                await take_back_person_request(request_id, key_of(typed), actor, at)
            return done(path, said)
        body = read(request, model, typed)
        with answering(request, BESIDE):
            await handlers[what](request_id, body, key_of(typed), actor, at)
    except FormRefused as wrong:
        form = wrong.form(what, model, typed)
        return await _request(request, at, actor, request_id, form=form, status=wrong.status)
    return done(path, said)


@router.get("/admin/retention")
async def show_retention_page(request: Request, at: At) -> Response:
    """Show how long each kind of data is kept, and the last plans of what is due."""
    words = translator(reader_of(request).language)
    kept = await show_retention(at)
    return show_section(
        request,
        "admin_retention.html",
        RETENTION,
        said_of=SAID,
        kept=kept,
        kinds=[(one, kept_for(one.keep, words)) for one in kept.items],
        plans=(await list_retention_plans(at)).items,
        plan_words={code: words.tr(sentence) for code, sentence in PLANS.items()},
    )


@router.post("/admin/retention")
async def make_retention_plan_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Plan what is due now, without removing anything."""
    made = await make_retention_plan(actor, at)
    return done(f"{RETENTION}/{made.id}", "made")


@router.get("/admin/retention/{plan}")
async def show_retention_plan_page(plan: PlanId, request: Request, at: At) -> Response:
    """Show what a plan lists, by kind, and what became of it."""
    return await _plan(request, at, plan)


@router.get("/admin/retention/{plan}/{kind}")
async def show_retention_entries_page(
    plan: PlanId, kind: Kept, request: Request, at: At, after: Annotated[EntryName, Query()] = ""
) -> Response:
    """Show what a plan lists of one kind, entry by entry, before it is removed and after."""
    words = translator(reader_of(request).language)
    found = await show_retention_plan(plan, at)
    planned = next((one for one in found.kinds if one.what == kind), None)
    if planned is None:
        raise Problem("not_found")
    entries = await list_retention_entries(plan, kind, EntryQuery(after=after, limit=100), at)
    return show_section(
        request,
        "admin_retention_entries.html",
        RETENTION,
        plan=found,
        one=planned,
        title=word(DATA, kind, words),
        about=words.tr(REMOVED[kind]) if kind in REMOVED else "",
        entries=[(each.entry, words.tr(OUTCOMES[each.outcome]) if each.outcome else "") for each in entries.items],
        next_after=entries.next_after,
        first=not after,
    )


@router.post("/admin/retention/{plan}")
async def settle_retention_plan_by_page(plan: PlanId, request: Request, actor: Actor, at: At) -> Response:
    """Apply a plan, or stop it."""
    act = request.state.form.get("act", "")
    if act not in ("apply", "stop"):
        raise Problem("body_malformed")
    try:
        with answering(request):
            await (apply_retention_plan if act == "apply" else stop_retention_plan)(plan, actor, at)
    except FormRefused as wrong:
        return await _plan(request, at, plan, form=wrong.form(act, None, {}), status=wrong.status)
    return done(f"{RETENTION}/{plan}", "applied" if act == "apply" else "stopped")


async def _erasures(
    request: Request, at: Installation, *, page: int = 1, form: Form | None = None, status: int = 200
) -> Response:
    words = translator(reader_of(request).language)
    known = (await list_erasures(ErasureQuery(), at)).items[::-1]
    found = page_of(sorted(known, key=lambda one: one.state not in ("asked", "agreed")), page)
    return show_section(
        request,
        "admin_erasures.html",
        ERASURES,
        status=status,
        form=form,
        forms=[Form("ask", NewErasure)],
        said_of=SAID,
        found=found,
        names=await names_of(request, at, {one.asked_by for one in known}),
        states={code: words.tr(sentence) for code, sentence in ERASURE_STATES.items()},
        grounds=[(code, words.tr(sentence)) for code, sentence in GROUNDS.items()],
        ground_words={code: words.tr(sentence) for code, sentence in GROUNDS.items()},
    )


async def _erasure(
    request: Request, at: Installation, actor: Acting, erasure: str, *, form: Form | None = None, status: int = 200
) -> Response:
    words = translator(reader_of(request).language)
    found = await show_erasure(erasure, actor, at)
    said = found.model_dump(mode="json")
    return show_section(
        request,
        "admin_erasure.html",
        ERASURES,
        status=status,
        form=form,
        said_of=SAID,
        one=found,
        state=words.tr(ERASURE_STATES[found.state]),
        ground=words.tr(GROUNDS[found.reason]),
        goes=list(goes(said, words)),
        beyond=list(beyond(said["out_of_reach"], words, at.settings.zone)),
        mine=found.asked_by == actor.id,
        names=await names_of(request, at, {one for one in (found.asked_by, found.agreed_by) if one}),
    )


async def _requests(
    request: Request,
    at: Installation,
    actor: Acting,
    *,
    cursor: str | None = None,
    which: str = "open",
    find: str = "",
    recorded: RequestLine | None = None,
    form: Form | None = None,
    status: int = 200,
) -> Response:
    words = translator(reader_of(request).language)
    asked, people = folded(find).split(), tuple[FoundPerson, ...]()
    if asked and reader_of(request).sees_personal_data:
        people, _ = await people_named(at, asked, await reach(actor, at))
    query = RequestQuery(limit=25, cursor=cursor, open=None if which == "all" else True, overdue=which == "overdue")
    return show_section(
        request,
        "admin_person_requests.html",
        REQUESTS,
        status=status,
        form=form,
        forms=[Form("add", NewRequest)],
        said_of=SAID,
        found=await list_person_requests(query, actor, at) if _may_list(actor) else None,
        which=which,
        find=find,
        people=people,
        chosen=await _called(request, at, actor, form.value("person")) if form else "",
        recorded=recorded,
        may_receive=bool(set(actor.roles) & set(ALLOWED["receive_person_request"])),
        kinds=[(code, words.tr(sentence)) for code, sentence in KINDS.items()],
        kind_words={code: words.tr(sentence) for code, sentence in KINDS.items()},
        states={code: words.tr(sentence) for code, sentence in STATES.items()},
        ways=[(code, words.tr(sentence)) for code, sentence in WAYS.items()],
    )


async def _request(
    request: Request, at: Installation, actor: Acting, id: str, *, form: Form | None = None, status: int = 200
) -> Response:
    words = translator(reader_of(request).language)
    found: RequestView = await show_person_request(id, actor, at)
    state = await at.person_requests.get(id)
    return show_section(
        request,
        "admin_person_request.html",
        REQUESTS,
        status=status,
        form=form,
        forms=[Form(name, model) for name, (model, _) in STEPS.items()] + [Form("take_back")],
        said_of=SAID,
        one=found,
        who=await _called(request, at, actor, found.person or ""),
        kind=words.tr(KINDS[found.kind]),
        state=words.tr(STATES[found.status]),
        way=words.tr(WAYS[found.via]),
        ended=found.ended_at is not None,
        reasons=[(code, words.tr(sentence)) for code, sentence in REASONS.items()],
        reason=words.tr(REASONS[found.reason]) if found.reason else "",
        days_off=[_day_off(one, words) for one in state.terms.answer.skipped] if state else [],
        exports=await _exports(request, at, found.person) if found.person else [],
        erasures=await _erased(at, found.person) if found.person and found.kind == "erasure" else [],
        names=await names_of(
            request, at, {one for one in (found.recorded_by, found.answered_by, found.ended_by) if one}
        ),
    )


async def _called(request: Request, at: Installation, actor: Acting, person: str) -> str:
    """Return what a person is called, for whoever may read names and may see a file that they are on; else nothing."""
    if not person or not reader_of(request).sees_personal_data:
        return ""
    try:
        return (await show_person(person, actor, at)).details.full_name
    except Problem:
        return ""


async def _exports(request: Request, at: Installation, person: str) -> list[tuple[str, str]]:
    """Return what was put together for a person, the newest first, as (digest, when and by whom)."""
    made = [one for one in await at.register_log.entries("persons", entry=person) if one.type == "data_exported"]
    names, words = await names_of(request, at, {one.actor for one in made}), translator(reader_of(request).language)
    here = ZoneInfo(at.settings.zone)
    return [
        (
            one.data["after"]["digest"],
            f"{words.date_and_time(one.instant.astimezone(here))}, {names.get(one.actor, one.actor)}",
        )
        for one in reversed(made)
    ]


async def _erased(at: Installation, person: str) -> list[tuple[str, str]]:
    """Return the erasures of a person that were carried out, as what can be named for a request."""
    known = (await list_erasures(ErasureQuery(person=person, state="carried_out"), at)).items
    return [(one.id, one.id) for one in known]


async def _plan(
    request: Request, at: Installation, plan: str, *, form: Form | None = None, status: int = 200
) -> Response:
    words = translator(reader_of(request).language)
    found = await show_retention_plan(plan, at)
    return show_section(
        request,
        "admin_retention_plan.html",
        RETENTION,
        status=status,
        form=form,
        said_of=SAID,
        one=found,
        state=words.tr(PLANS[found.status]),
        kinds=[
            (
                each,
                word(DATA, each.what, words),
                [f"{words.tr(OUTCOMES[name])}: {words.number(count)}" for name, count in each.outcome.items()],
            )
            for each in found.kinds
        ],
        names=await names_of(request, at, {each for each in (found.made_by, found.agreed_by) if each}),
    )
