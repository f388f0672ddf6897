"""The page that the link of a mail opens: what is decided, the dossier, and the answer."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access import Actor
from api.bodies import as_json
from api.commands import ReceiptView, execute
from api.desks import PageQuery, show_inbox
from api.dossiers import DifferencesView, DossierQuery, show_dossier
from api.engine import CommandRefused, EngineUnavailable, KeyReused
from api.files import AnyFile, KnownFile, require_reach
from api.installation import At, Installation
from api.pages.answers import Answered, AnswerRefused, command_of
from api.pages.differences import lines_of
from api.pages.dossier import dossier_of
from api.pages.problems import sentence_of
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.turns import Turn, refusal_of, turn_of
from api.pages.words import PART_KINDS, left, position_titles
from api.problems import Problem, refused
from domain.decision import Refusal
from domain.desk import COORDINATING, SIGNING_REPORT
from domain.dossiers import Why
from domain.events import Right
from domain.sign_in import Acting
from domain.state import Signature
from domain.values import Slug, business_date
from locales import mark, translator
from storage.metadata import utc_now
from storage.queries import File
from words.dossier import Line

router = APIRouter(route_class=PageRoute, include_in_schema=False)

READ_AT_ONCE = 50
"""Desks that one round of reading goes through: the most urgent ones."""

StepName = Annotated[Slug, Path()]

ANSWERS = {
    "StepSigned": mark("You approved proposal v%(number)s."),
    "StepReturned": mark("You returned proposal v%(number)s."),
    "StepRejected": mark("You rejected proposal v%(number)s."),
    "ReportAccepted": mark("You accepted report no. %(number)s."),
    "ReportReturned": mark("You returned report no. %(number)s."),
}
"""What a receipt says of the event that is its subject."""


CHANGE_ANSWERS = {
    "StepSigned": mark("You approved change v%(number)s."),
    "StepReturned": mark("You returned change v%(number)s."),
    "StepRejected": mark("You rejected change v%(number)s."),
}
"""The same of a change after the decision."""

SINCE: dict[Why, str] = {
    "you_answered": mark("Since you last saw it"),
    "desk_answered": mark("Since this desk last answered"),
    "step_before_answered": mark("Since the stage before signed"),
    "approved": mark("Since what stands approved"),
}
"""Since when a page shows what changed."""

SUBMITTED = ("RequestSubmitted", "ChangeSubmitted")

ONLY_LOOKING = {
    "not_entitled_to_sign": mark("You do not hold the position that signs here."),
    "desk_of_another_organisation": mark(
        "You hold this position at another organisation; the file waits at the desk of its own."
    ),
    "substitute_not_entitled": mark("You sign here as a substitute only inside the registered leave."),
}
"""Where the sentence of a refusal says that the attempt was recorded: whoever looks at a page has attempted nothing."""


@dataclass
class Typed:
    """What stands in the forms: as typed, or nothing yet. `errors` are (field, sentence)."""

    act: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    errors: list[tuple[str, str]] = field(default_factory=list)
    key: str = ""


@dataclass(frozen=True)
class Round:
    """Where somebody is who reads what waits for them, one dossier after another: `number` of `count`, from 1.

    `before` and `after` are addresses, None at the ends.
    """

    number: int
    count: int
    before: str | None
    after: str | None


@router.get("/inbox/read")
async def read_inbox_page(
    request: Request,
    actor: Actor,
    at: At,
    file: Annotated[str, Query(max_length=64)] = "",
    step: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Show the dossiers that wait for the reader's signature one after another, to be read: nothing is signed here.

    One that no longer waits leads to the first that does; with none, back to what waits.
    """
    found = await show_inbox(PageQuery(limit=READ_AT_ONCE, cursor=None), at, actor)
    # One desk for each step: who holds two positions reads it once.
    waiting = list(dict.fromkeys((one.delegation, one.what) for one in found.items if one.what != COORDINATING))
    if not waiting:
        return RedirectResponse("/", 303)
    place = waiting.index((file, step)) if (file, step) in waiting else 0
    delegation, what = waiting[place]
    shown = await at.queries.get(delegation)
    if shown is None or turn_of(shown.state, what) is None:
        return RedirectResponse("/", 303)

    def address(number: int) -> str | None:
        if not 0 <= number < len(waiting):
            return None
        return f"/inbox/read?file={waiting[number][0]}&step={waiting[number][1]}"

    here = Round(place + 1, len(waiting), address(place - 1), address(place + 1))
    return await _page(request, at, shown, actor, what, Typed(), here=here)


@router.get("/delegations/{delegation}/steps/{step}")
async def show_step_page(step: StepName, file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show a step, and how to answer it to whoever may. Nothing changes, however often it is opened."""
    return await _page(request, at, file, actor, step, Typed())


@router.post("/delegations/{delegation}/steps/{step}")
async def answer_step_by_page(step: StepName, file: AnyFile, request: Request, actor: Actor, at: At) -> Response:
    """Answer a step, and go on to the receipt. Sent again, the same form has the same receipt.

    Who may not read the file is told no more than that; their attempt to sign is refused by the decision, and recorded.
    """
    form: dict[str, str] = request.state.form
    typed = Typed(form.get("act", ""), form)
    turn = turn_of(file.state, step)
    if "again" in form or turn is None:
        await require_reach(actor, at, file.state.id)
        return await _page(request, at, file, actor, step, typed)
    try:
        receipt = await _send(at, file.state.id, turn, form, actor)
    except AnswerRefused as wrong:
        await require_reach(actor, at, file.state.id)
        words = translator(reader_of(request).language)
        typed.errors = [(name, words.tr(sentence, **params)) for name, sentence, params in wrong.errors]
        return await _page(request, at, file, actor, step, typed, status=422)
    except (CommandRefused, KeyReused, EngineUnavailable, Problem) as failed:
        await require_reach(actor, at, file.state.id)
        status, sentence = sentence_of(request, _problem_of(failed))
        typed.errors = [("", sentence)]
        # What may have been decided already is asked for again under the same key; what was refused is another request.
        typed.key = form.get("key", "") if isinstance(failed, EngineUnavailable) else ""
        now = await at.queries.get(file.state.id)
        return await _page(request, at, now or file, actor, step, typed, status=status)
    await at.queries.wait_for_seq(file.state.id, receipt.last_seq)
    seq = await _seq_of_answer(at, file.state.id, receipt)
    return RedirectResponse(f"/delegations/{file.state.id}/receipts/{seq}", 303)


@router.get("/delegations/{delegation}/receipts/{seq}")
async def show_receipt_page(
    seq: Annotated[int, Path(ge=1, le=2**31 - 1)], file: KnownFile, request: Request, at: At
) -> Response:
    """Show what was answered: when, by what right, on which digest, and where it stands in the trail."""
    events = await at.queries.events(file.state.id, limit=seq)
    if len(events) < seq or events[-1].type not in ANSWERS:
        raise Problem("not_found")
    event, reader = events[-1], reader_of(request)
    words = translator(reader.language)
    data: dict[str, Any] = event.data
    right = Right.model_validate(data["right"]) if data.get("right") else None
    named = await _names(at, request, {event.actor, (right and right.on_behalf_of) or event.actor})
    # What was answered: the report, or the proposal or change that was submitted with this digest.
    submitted = next((one for one in events if one.type in SUBMITTED and one.data["digest"] == data["digest"]), None)
    number = data.get("report") or (submitted.data["proposal"] if submitted else "")
    answers = CHANGE_ANSWERS if submitted and submitted.type == "ChangeSubmitted" else ANSWERS
    mine = reader.actor is not None and reader.actor.id == event.actor
    return show(
        request,
        "receipt.html",
        event=event,
        at=datetime.fromisoformat(event.at),
        state=file.state,
        right=right,
        names=named,
        mine=mine,
        step=data.get("step_id", SIGNING_REPORT),
        titles=await position_titles(at, await at.editions.get(file.state.edition)),
        said=words.tr(answers[event.type], number=number) if mine else None,
    )


async def _send(at: Installation, delegation: str, turn: Turn, form: dict[str, str], actor: Acting) -> ReceiptView:
    """Write the reason, if there is one, and send the command; both are the same when the form comes twice."""
    answered = Answered.read(form, turn)
    command = await command_of(at, delegation, turn, answered, actor)
    return await execute(at, delegation, [as_json(command)], actor, answered.key)


def _problem_of(failed: Exception) -> Problem:
    match failed:
        case CommandRefused():
            return refused(failed.refusal)
        case Problem():
            return failed
        case KeyReused():
            return Problem("idempotency_key_reused")
        case _:
            return Problem("engine_unavailable")


async def _page(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    step: str,
    typed: Typed,
    *,
    status: int = 200,
    here: Round | None = None,
) -> Response:
    turn, state, reader = turn_of(file.state, step), file.state, reader_of(request)
    if turn is None:
        raise Problem("not_found")
    words = translator(reader.language)
    edition = await at.editions.get(state.edition)
    submitted = None if turn.of_report else await show_dossier(file, DossierQuery(step=turn.id), actor, at)
    refusal = await refusal_of(at, file, actor, turn) if turn.status == "open" else None
    signed = [one for step in (turn.proposal.steps if turn.proposal else ()) for one in step.signed_by]
    accounts = {account for one in (*signed, *turn.signatures) for account in _behind(one)} | {state.coordinator}
    accounts |= {turn.proposal.submitted_by} if turn.proposal else set()
    standing_in = [one for one in state.stand_ins if one.in_force and one.what == turn.id]
    accounts |= {account for one in standing_in for account in (one.account, one.substitute)}
    today = max(business_date(utc_now(), state.zone), business_date(file.updated_at, state.zone))
    dossier = await dossier_of(at, state, submitted, edition, reader)
    lines: tuple[Line, ...] = ()
    if submitted:
        lines = await lines_of(at, submitted.differences, edition, reader, zone=state.zone, people=dossier.names)
    return show(
        request,
        "step.html",
        status,
        turn=turn,
        here=here,
        state=state,
        seq=file.head.seq,
        may=turn.status == "open" and refusal is None,
        why_not=why_not_signed(request, refusal),
        edition=edition,
        dossier=dossier,
        since=submitted.differences if submitted else None,
        seen=_seen(submitted.differences) if submitted else frozenset(),
        lines=lines,
        since_when=SINCE.get(submitted.differences.why) if submitted else None,
        names=await _names(at, request, accounts),
        standing_in=standing_in,
        titles=await position_titles(at, edition),
        left=left(today, turn.due.due_on, edition, words) if turn.due else "",
        typed=typed,
        key=typed.key or uuid.uuid4().hex,
        has_passkey=bool(await at.passkeys.of(actor.id)),
    )


def _seen(since: DifferencesView) -> frozenset[str]:
    """Return the kinds of parts that stand as the reader answered them last; none for whoever never answered."""
    if since.why != "you_answered":
        return frozenset()
    return frozenset(PART_KINDS) - {one.part.partition(":")[0] for one in since.items}


def _behind(signature: Signature) -> set[str]:
    return {signature.by, signature.right.on_behalf_of or signature.by}


def why_not_signed(request: Request, refusal: Refusal | None) -> str | None:
    """Return why somebody could not sign, or None: to whoever looks, who has attempted nothing yet."""
    if refusal is None:
        return None
    if refusal.code in ONLY_LOOKING:
        return translator(reader_of(request).language).tr(ONLY_LOOKING[refusal.code])
    return sentence_of(request, refused(refusal))[1]


async def _names(at: Installation, request: Request, accounts: set[str]) -> dict[str, str]:
    """Return what accounts are called, for whoever may read names; others read the accounts themselves."""
    known = await at.accounts.names(accounts) if reader_of(request).sees_personal_data else {}
    return {account: known.get(account, account) for account in accounts}


async def _seq_of_answer(at: Installation, delegation: str, receipt: ReceiptView) -> int:
    events = await at.queries.events(
        delegation, after=receipt.first_seq - 1, limit=receipt.last_seq - receipt.first_seq + 1
    )
    return next((one.seq for one in events if one.type in ANSWERS), receipt.first_seq)
