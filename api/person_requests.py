"""Requests of persons about their own data: received, answered, carried out or refused, each with the law's dates.

What people wrote stands in the register of texts, under a key of the request's own; auditors are shown none of it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import IdempotencyKey, Strictly
from api.installation import At, Installation
from api.problems import Problem, refused
from api.request_bodies import (
    AnswerGiven,
    Denial,
    Done,
    Identification,
    MoreTime,
    NewRequest,
    RequestQuery,
)
from api.texts import refused_text
from domain.canonical import digest_of
from domain.decision import Refusal
from domain.person_requests import PersonRequest, Status, decide, receive
from domain.privacy import RequestKind
from domain.request_events import (
    Answer,
    CarryOut,
    Command,
    Extend,
    Identify,
    Reason,
    Refuse,
    RequestReceived,
    TakeBack,
    Via,
)
from domain.sign_in import Acting
from domain.values import PersonRef, TextRef, Value, business_date
from storage.cursors import BadCursor
from storage.data_keys import KeyDestroyed
from storage.editions import UnknownEdition
from storage.metadata import utc_now
from storage.person_requests import RequestFilters, UnknownRequest, text_owner
from storage.texts import TextRefused

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["person requests"])

RequestId = Annotated[str, Path(pattern=r"^req_[a-z0-9]{8,64}$", description="The request's id.")]


class RequestLine(BaseModel):
    """A request as it stands. Instants are wall time in UTC, days are of the business zone.

    `overdue` names what should have been done by now: `answer`, `carry_out`.
    """

    id: str
    kind: RequestKind
    status: Status
    person: str | None
    via: Via
    processor: bool
    received_at: datetime
    recorded_by: str
    rule: str
    rule_version: int
    source: str
    answer_due_on: date
    answer_due_at: datetime
    carry_out_due_on: date
    carry_out_due_at: datetime
    days_off: tuple[str, ...]
    extension: int
    extended_days: int
    answered_at: datetime | None
    answered_by: str | None
    answered_late: bool
    ended_at: datetime | None
    ended_by: str | None
    ended_late: bool
    reason: Reason | None
    erasure: str | None
    correction: str | None
    export: str | None
    overdue: tuple[str, ...]


class RequestTexts(BaseModel):
    """What was written about a request; null where there is nothing, or nothing any more."""

    description: str | None
    answer: str | None
    extension_reason: str | None
    closing: str | None


class RequestView(RequestLine):
    """A request with what was written about it; `texts` is null for those who see no personal data."""

    texts: RequestTexts | None


class RequestList(BaseModel):
    """A page of requests, the newest first, and the cursor of the next one if there may be one."""

    items: tuple[RequestLine, ...]
    next_cursor: str | None


UNWRITTEN = TextRef(ref="txt_unwritten", commitment="0" * 64)
"""Stands for a text that is still to be written."""

NEW = {"kind": "access", "via": "letter", "description": "Ông Satō Ken, đoàn tháng 4, xin xem thông tin về mình."}


@router.post("/person-requests", status_code=201)
async def receive_person_request(
    body: Annotated[NewRequest, Strictly(NewRequest), Body(examples=[NEW])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
    request: Request,
    response: Response,
) -> RequestLine:
    """Record that somebody asks; its dates are those of the rule in force on the day it came."""
    id = f"req_{digest_of(['person request', actor.id, key])[:26]}"
    event = await foreseen(body, at)
    description = await _written(at, id, body.description, "description", actor, key)
    event = event.model_copy(update={"description": description})
    said = digest_of(body.model_dump(mode="json"))
    state = await at.person_requests.receive(id, event, command=_command(actor, key), digest=said, by=actor.id)
    response.headers["Location"] = request.app.url_path_for("show_person_request", request_id=id)
    return _line(state)


async def foreseen(body: NewRequest, at: Installation) -> RequestReceived:
    """Return what recording a request would begin, with its dates; nothing is recorded, and what was written not kept.

    Problems: `person_unknown`, `request_rule_missing`, and the refusals of `receive`.
    """
    if body.person is not None and await at.persons.get(body.person) is None:
        raise Problem("person_unknown")
    now = utc_now()
    received_at = body.received_at or now
    try:
        edition = await at.editions.effective(business_date(received_at, at.settings.zone))
    except UnknownEdition:
        raise Problem("request_rule_missing") from None
    event = receive(
        body.kind,
        edition,
        received_at=received_at,
        now=now,
        via=body.via,
        person=body.person,
        description=UNWRITTEN if body.description else None,
        processor=body.processor,
    )
    if isinstance(event, Refusal):
        raise refused(event)
    return event


@router.get("/person-requests")
async def list_person_requests(query: Annotated[RequestQuery, Query()], actor: Actor, at: At) -> RequestList:
    """List requests, the newest first."""
    _require_whole_reach(actor)
    filters = RequestFilters(query.kind, query.person, query.open, utc_now() if query.overdue else None)
    try:
        page = await at.person_requests.page(filters, limit=query.limit, cursor=query.cursor)
    except BadCursor:
        raise Problem("cursor_unknown") from None
    return RequestList(items=tuple(_line(one) for one in page.items), next_cursor=page.next_cursor)


@router.get("/person-requests/{request_id}")
async def show_person_request(request_id: RequestId, actor: Actor, at: At) -> RequestView:
    """Show a request; to administrators with what was written about it."""
    _require_whole_reach(actor)
    state = await at.person_requests.get(request_id)
    if state is None:
        raise Problem("request_unknown")
    return await _view(state, actor, at)


@router.post("/person-requests/{request_id}/identify")
async def identify_person_request(
    request_id: RequestId,
    body: Annotated[Identification, Strictly(Identification), Body(examples=[{"person": "per_h4u2k7gk3lq"}])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> RequestView:
    """Record who in the register asks, where a text described them alone."""
    if await at.persons.get(body.person) is None:
        raise Problem("person_unknown")
    return await _change(at, request_id, Identify(person=body.person), body, actor, key)


@router.post("/person-requests/{request_id}/answer")
async def answer_person_request(
    request_id: RequestId,
    body: Annotated[AnswerGiven, Strictly(AnswerGiven), Body(examples=[{"text": "Chúng tôi sẽ trả lời trước 12/03."}])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> RequestView:
    """Record that whoever asks was answered: what will be done, how, and by when."""
    text = await _written_about(at, request_id, body.text, "answer", actor, key)
    return await _change(at, request_id, Answer(text=text), body, actor, key)


@router.post("/person-requests/{request_id}/extend")
async def extend_person_request(
    request_id: RequestId,
    body: Annotated[MoreTime, Strictly(MoreTime), Body(examples=[{"days": 5, "reason": "Hồ sơ nằm ở ba đơn vị."}])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> RequestView:
    """Take more time, once, as far as the rule allows, before the time has passed."""
    reason = await _written_about(at, request_id, body.reason, "extension", actor, key)
    if reason is None:
        raise Problem("request_ended")
    return await _change(at, request_id, Extend(days=body.days, reason=reason), body, actor, key)


@router.post("/person-requests/{request_id}/carry-out")
async def carry_out_person_request(
    request_id: RequestId,
    body: Annotated[Done, Strictly(Done), Body(examples=[{"text": "Đã ngừng gửi thư."}])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> RequestView:
    """Record that what was asked is done, and what shows it."""
    await _require_shown(at, request_id, body)
    text = await _written_about(at, request_id, body.text, "closing", actor, key)
    done = CarryOut(erasure=body.erasure, correction=body.correction, export=body.export, text=text)
    return await _change(at, request_id, done, body, actor, key)


@router.post("/person-requests/{request_id}/refuse")
async def refuse_person_request(
    request_id: RequestId,
    body: Annotated[Denial, Strictly(Denial), Body(examples=[{"reason": "identity_not_proven"}])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> RequestView:
    """Refuse what is asked, for one of the reasons there are."""
    text = await _written_about(at, request_id, body.text, "closing", actor, key)
    return await _change(at, request_id, Refuse(reason=body.reason, text=text), body, actor, key)


@router.post("/person-requests/{request_id}/take-back")
async def take_back_person_request(request_id: RequestId, key: IdempotencyKey, actor: Actor, at: At) -> RequestView:
    """Record that whoever asked no longer does."""
    return await _change(at, request_id, TakeBack(), None, actor, key)


async def _change(
    at: Installation, request: str, command: Command, body: Value | None, actor: Acting, key: str
) -> RequestView:
    _require_whole_reach(actor)
    said = digest_of([command.type, None if body is None else body.model_dump(mode="json")])
    try:
        after = await at.person_requests.change(
            request,
            lambda state, now: decide(state, command, now),
            command=_command(actor, key),
            digest=said,
            by=actor.id,
        )
    except UnknownRequest:
        raise Problem("request_unknown") from None
    if isinstance(after, Refusal):
        raise refused(after)
    return await _view(after, actor, at)


async def _require_shown(at: Installation, request: str, body: Done) -> None:
    """Refuse what shows nothing: no version of the person's details, no export or erasure of them."""
    state = await at.person_requests.get(request)
    if state is None or state.person is None:
        return
    if body.correction is not None:
        corrected = await at.persons.as_committed(PersonRef(ref=state.person, commitment=body.correction))
        if corrected is None:
            raise Problem("correction_unknown")
    if body.erasure is not None:
        erased = await at.registers.erasures.get(body.erasure)
        if erased is None or erased.person != state.person:
            raise Problem("erasure_unknown")
        if erased.state != "carried_out":
            raise Problem("erasure_not_carried_out")
    if body.export is not None:
        made = await at.register_log.entries("persons", entry=state.person)
        if not any(one.data.get("after", {}).get("digest") == body.export for one in made):
            raise Problem("export_unknown")


async def _written_about(
    at: Installation, request: str, words: str | None, what: str, actor: Acting, key: str
) -> TextRef | None:
    """Keep a text about a request that is there; of one whose texts were destroyed with its end nothing is kept."""
    _require_whole_reach(actor)
    if await at.person_requests.get(request) is None:
        raise Problem("request_unknown")
    try:
        return await _written(at, request, words, what, actor, key)
    except KeyDestroyed:
        return None


async def _written(
    at: Installation, request: str, words: str | None, what: str, actor: Acting, key: str
) -> TextRef | None:
    if words is None:
        return None
    field = "reason" if what == "extension" else "description" if what == "description" else "text"
    try:
        return await at.texts.write(
            text_owner(request), words, idempotency_key=digest_of(["text", actor.id, request, what, key])
        )
    except TextRefused as refusal:
        raise refused_text(refusal, field) from None


def _require_whole_reach(actor: Acting) -> None:
    """A person's files may lie anywhere: only who may see all of them sees what they ask."""
    if actor.organisation is not None:
        raise Problem("organisation_out_of_reach")


def _command(actor: Acting, key: str) -> str:
    return digest_of([actor.id, key])


async def _view(state: PersonRequest, actor: Acting, at: Installation) -> RequestView:
    texts = None
    if "administrator" in actor.roles:
        said: Mapping[str, str] = await at.texts.read_many(text.ref for text in state.texts)
        named = {
            "description": state.description,
            "answer": state.answer,
            "extension_reason": state.extension_reason,
            "closing": state.closing,
        }
        texts = RequestTexts(**{name: said.get(text.ref) if text else None for name, text in named.items()})
    return RequestView(**_said(state), texts=texts)


def _line(state: PersonRequest) -> RequestLine:
    return RequestLine(**_said(state))


def _said(state: PersonRequest) -> dict[str, Any]:
    terms = state.terms
    return {
        **{name: getattr(state, name) for name in RequestLine.model_fields if hasattr(state, name)},
        "rule": terms.rule,
        "rule_version": terms.version,
        "source": terms.source,
        "answer_due_on": terms.answer.due_on,
        "answer_due_at": terms.answer.due_at,
        "carry_out_due_on": state.carry_out.due_on,
        "carry_out_due_at": state.carry_out.due_at,
        "days_off": tuple(str(day) for day in terms.answer.skipped),
        "extension": terms.extension,
        "overdue": state.overdue(utc_now()),
    }
