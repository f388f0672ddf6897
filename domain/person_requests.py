"""Requests of persons about their own data, each a file with two dates: by when it is answered, by when it is done.

A decider like that of a delegation: `decide` makes an event or a refusal, `evolve` the next state, and what was
decided is recorded with the dates, their rule and the days that were left out, so that a later rule moves none of them.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from domain.decision import Refusal
from domain.privacy import RequestKind, RequestRule
from domain.request_events import (
    Answer,
    CarryOut,
    Command,
    Event,
    Extend,
    Identify,
    PersonIdentified,
    PersonName,
    Reason,
    Refuse,
    RequestAnswered,
    RequestCarriedOut,
    RequestReceived,
    RequestRefused,
    RequestTakenBack,
    TakeBack,
    Term,
    Terms,
    TimeExtended,
    Via,
)
from domain.rule import effective
from domain.rules import Edition
from domain.values import Digest, Fact, Instant, TextRef, business_date

Status = Literal["received", "answered", "carried_out", "refused", "taken_back"]
ENDED: frozenset[Status] = frozenset({"carried_out", "refused", "taken_back"})
END_OF_DAY = time(23, 59, 59)


class PersonRequest(Fact):
    """A request as it stands: the fold of its events. `at` instants are wall time in UTC."""

    id: str
    kind: RequestKind
    status: Status
    person: PersonName | None = None
    description: TextRef | None = None
    via: Via
    processor: bool = False
    received_at: Instant
    recorded_by: str
    terms: Terms
    carry_out: Term
    answered_at: Instant | None = None
    answered_by: str | None = None
    answered_late: bool = False
    answer: TextRef | None = None
    extended_days: int = 0
    extension_reason: TextRef | None = None
    ended_at: Instant | None = None
    ended_by: str | None = None
    ended_late: bool = False
    reason: Reason | None = None
    closing: TextRef | None = None
    erasure: str | None = None
    correction: Digest | None = None
    export: Digest | None = None

    @property
    def is_ended(self) -> bool:
        """Whether nothing is to be done any more."""
        return self.status in ENDED

    @property
    def texts(self) -> tuple[TextRef, ...]:
        """What was written about it, in the register of texts."""
        said = (self.description, self.answer, self.extension_reason, self.closing)
        return tuple(text for text in said if text is not None)

    def overdue(self, now: datetime) -> tuple[Literal["answer", "carry_out"], ...]:
        """Return what should have been done by an instant, and was not."""
        if self.is_ended:
            return ()
        answer: tuple[Literal["answer"], ...] = ("answer",)
        late = answer if self.answered_at is None and now > self.terms.answer.due_at else ()
        return (*late, "carry_out") if now > self.carry_out.due_at else late


def receive(
    kind: RequestKind,
    edition: Edition,
    *,
    received_at: datetime,
    now: datetime,
    via: Via,
    person: str | None = None,
    description: TextRef | None = None,
    processor: bool = False,
) -> RequestReceived | Refusal:
    """Return the event that begins a request, with its dates by the rule in force on the day it came.

    `person` is the reference of somebody in the register, `description` says who asks and what for. Refusals:
    `request_from_nobody` without either, `received_in_future`, `request_rule_missing` where no rule of the edition is
    in force for the kind on that day.
    """
    if person is None and description is None:
        return Refusal(code="request_from_nobody", field="person")
    if received_at > now:
        return Refusal(code="received_in_future", field="received_at")
    on = business_date(received_at, edition.zone)
    rule = next((one for one in effective(edition.requests, on) if kind in one.kinds), None)
    if rule is None:
        return Refusal(code="request_rule_missing", field="kind", params={"on": on.isoformat()})
    return RequestReceived(
        kind=kind,
        person=person,
        description=description,
        via=via,
        processor=processor,
        received_at=received_at,
        terms=terms(rule, edition, on, processor=processor),
    )


def terms(rule: RequestRule, edition: Edition, on: date, *, processor: bool) -> Terms:
    """Return the dates of a request that came on a day of the business zone; that day is not counted."""
    calendar, table = edition.work_calendar, edition.holiday_table
    answer_on = calendar.add_working_days(on, rule.answer_within)
    carry_out_on = on + timedelta(days=rule.with_processor if processor else rule.carry_out_within)
    return Terms(
        rule=rule.id,
        version=rule.version,
        source=rule.source,
        zone=edition.zone,
        received_on=on,
        answer=Term(
            due_on=answer_on,
            due_at=_end_of(answer_on, edition.zone),
            skipped=calendar.days_off_between(on + timedelta(days=1), answer_on),
        ),
        carry_out=Term(due_on=carry_out_on, due_at=_end_of(carry_out_on, edition.zone)),
        extension=rule.extension,
        table_covers=table.covers(on) and table.covers(answer_on),
    )


def decide(state: PersonRequest, command: Command, now: datetime) -> Event | Refusal:
    """Return what a command leads to at an instant.

    Refusals: `request_ended`; `person_known` and `person_not_identified`; `request_answered`; `extension_not_allowed`,
    `extension_repeated`, `extension_too_long`, `extension_too_late`; `erasure_not_named`, `correction_not_named` and
    `not_of_this_kind` of what shows that a request was carried out.
    """
    if state.is_ended:
        return Refusal(code="request_ended")
    match command:
        case Identify():
            return Refusal(code="person_known") if state.person else PersonIdentified(person=command.person)
        case Answer():
            if state.answered_at is not None:
                return Refusal(code="request_answered")
            return RequestAnswered(text=command.text, late=now > state.terms.answer.due_at)
        case Extend():
            return _extend(state, command, now)
        case CarryOut():
            return _carry_out(state, command, now)
        case Refuse():
            return RequestRefused(reason=command.reason, text=command.text, late=now > state.carry_out.due_at)
        case TakeBack():
            return RequestTakenBack()


def _extend(state: PersonRequest, command: Extend, now: datetime) -> Event | Refusal:
    allowed = state.terms.extension
    if not allowed:
        return Refusal(code="extension_not_allowed")
    if state.extended_days:
        return Refusal(code="extension_repeated")
    if command.days > allowed:
        return Refusal(code="extension_too_long", field="days", params={"allowed": allowed})
    if now > state.carry_out.due_at:
        return Refusal(code="extension_too_late")
    due_on = state.carry_out.due_on + timedelta(days=command.days)
    later = Term(due_on=due_on, due_at=_end_of(due_on, state.terms.zone))
    return TimeExtended(days=command.days, reason=command.reason, carry_out=later)


def _carry_out(state: PersonRequest, command: CarryOut, now: datetime) -> Event | Refusal:
    if state.person is None:
        return Refusal(code="person_not_identified")
    shows = {"erasure": "erasure", "correction": "correction", "export": "access"}
    for name, kind in shows.items():
        if getattr(command, name) is not None and kind != state.kind:
            return Refusal(code="not_of_this_kind", field=name)
    if state.kind == "erasure" and command.erasure is None:
        return Refusal(code="erasure_not_named", field="erasure")
    if state.kind == "correction" and command.correction is None:
        return Refusal(code="correction_not_named", field="correction")
    return RequestCarriedOut(
        erasure=command.erasure,
        correction=command.correction,
        export=command.export,
        text=command.text,
        late=now > state.carry_out.due_at,
    )


def begin(request: str, event: RequestReceived, by: str) -> PersonRequest:
    """Return a request as it stands after it came; `by` is the account that recorded it."""
    return PersonRequest(
        id=request,
        kind=event.kind,
        status="received",
        person=event.person,
        description=event.description,
        via=event.via,
        processor=event.processor,
        received_at=event.received_at,
        recorded_by=by,
        terms=event.terms,
        carry_out=event.terms.carry_out,
    )


def evolve(state: PersonRequest, event: Event, at: datetime, by: str) -> PersonRequest:
    """Return a request after an event of an instant, recorded by an account. What ends it answers it too."""
    match event:
        case RequestReceived():
            return begin(state.id, event, by)
        case PersonIdentified():
            return state.model_copy(update={"person": event.person})
        case TimeExtended():
            said = {"extended_days": event.days, "extension_reason": event.reason, "carry_out": event.carry_out}
            return state.model_copy(update=said)
        case RequestAnswered():
            answered = {"answered_at": at, "answered_by": by, "answered_late": event.late, "answer": event.text}
            return state.model_copy(update={"status": "answered", **answered})
        case RequestTakenBack():
            return state.model_copy(update={"status": "taken_back", "ended_at": at, "ended_by": by})
        case RequestCarriedOut():
            shown = {"erasure": event.erasure, "correction": event.correction, "export": event.export}
            return _ended(state, event, at, by).model_copy(update={"status": "carried_out", **shown})
        case RequestRefused():
            return _ended(state, event, at, by).model_copy(update={"status": "refused", "reason": event.reason})


def _ended(state: PersonRequest, event: RequestCarriedOut | RequestRefused, at: datetime, by: str) -> PersonRequest:
    said: dict[str, object] = {"ended_at": at, "ended_by": by, "ended_late": event.late, "closing": event.text}
    if state.answered_at is None:
        said |= {"answered_at": at, "answered_by": by, "answered_late": at > state.terms.answer.due_at}
    return state.model_copy(update=said)


def _end_of(day: date, zone: str) -> datetime:
    return datetime.combine(day, END_OF_DAY, ZoneInfo(zone)).astimezone(UTC)
