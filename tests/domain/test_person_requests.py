"""Requests of persons: their dates by the law's rules, and what may become of one. Given, when, then."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decision import Refusal
from domain.person_requests import PersonRequest, begin, decide, evolve, receive
from domain.privacy import RequestKind
from domain.request_events import (
    EVENTS,
    Answer,
    CarryOut,
    Command,
    Event,
    Extend,
    Identify,
    PersonIdentified,
    Reason,
    Refuse,
    RequestAnswered,
    RequestCarriedOut,
    RequestReceived,
    RequestRefused,
    RequestTakenBack,
    TakeBack,
    TimeExtended,
)
from domain.values import TextRef, business_date
from tests.rulebook import shipped

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
REASON = TextRef(ref="txt_reason00", commitment="ab" * 32)
SATO = "per_sato000000"
MONDAY = datetime(2026, 3, 2, 9, tzinfo=ZONE)


def came(kind: RequestKind = "objection", at: datetime = MONDAY, **more: Any) -> RequestReceived:
    event = receive(kind, shipped(), received_at=at, now=at, via="letter", **({"person": SATO} | more))
    assert isinstance(event, RequestReceived)
    return event


def a_request(kind: RequestKind = "objection", *commands: tuple[Command, datetime], **more: Any) -> PersonRequest:
    """A request after some commands, all of which are accepted."""
    state = begin("req_1", came(kind, **more), "lan")
    for command, at in commands:
        event = decide(state, command, at)
        assert not isinstance(event, Refusal), event
        state = evolve(state, event, at, "root")
    return state


def days(state: PersonRequest) -> tuple[str, str]:
    return state.terms.answer.due_on.isoformat(), state.carry_out.due_on.isoformat()


@pytest.mark.parametrize(
    ("kind", "processor", "expected"),
    [
        ("objection", False, ("2026-03-04", "2026-03-17")),
        ("objection", True, ("2026-03-04", "2026-03-22")),
        ("withdrawal", False, ("2026-03-04", "2026-03-17")),
        ("restriction", True, ("2026-03-04", "2026-03-22")),
        ("erasure", False, ("2026-03-04", "2026-03-17")),
        ("access", False, ("2026-03-04", "2026-03-12")),
        ("correction", True, ("2026-03-04", "2026-03-17")),
    ],
)
def test_a_request_of_a_monday_has_the_dates_of_the_law(
    kind: RequestKind, processor: bool, expected: tuple[str, str]
) -> None:
    """Two working days for the answer; fifteen days, twenty with a processor, to stop; less to show or correct."""
    assert days(a_request(kind, processor=processor)) == expected


def test_an_answer_waits_for_the_end_of_tet() -> None:
    """A request of Friday 13 February 2026 is answered by Tuesday 24: nine days off are named between."""
    state = a_request(at=datetime(2026, 2, 13, 16, tzinfo=ZONE))
    assert days(state) == ("2026-02-24", "2026-02-28")
    assert [str(day) for day in state.terms.answer.skipped] == [
        "2026-02-14 weekend", "2026-02-15 weekend", "2026-02-16 holiday", "2026-02-17 holiday", "2026-02-18 holiday",
        "2026-02-19 holiday", "2026-02-20 holiday", "2026-02-21 weekend", "2026-02-22 weekend",
    ]  # fmt: skip


def test_the_day_is_that_of_the_business_zone_and_ends_with_its_last_second() -> None:
    """Half past eleven in the evening in London is the next morning in Hà Nội."""
    state = a_request(at=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    assert state.terms.received_on == date(2026, 3, 3)
    assert state.terms.answer.due_at == datetime(2026, 3, 5, 23, 59, 59, tzinfo=ZONE)
    assert state.overdue(state.terms.answer.due_at) == ()
    assert state.overdue(state.terms.answer.due_at + timedelta(seconds=1)) == ("answer",)
    assert state.overdue(state.carry_out.due_at + timedelta(seconds=1)) == ("answer", "carry_out")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2036, 11, 30), timezones=st.just(ZONE)),
    st.sampled_from(get_args(RequestKind)),
    st.booleans(),
)
def test_the_dates_of_any_day(at: datetime, kind: RequestKind, processor: bool) -> None:
    """The answer is due on the second working day after receipt; all days off between are named; a processor takes no
    less; the rule and its source stand beside the dates."""
    calendar, state = shipped().work_calendar, a_request(kind, at=at, processor=processor)
    on, answer = business_date(at, "Asia/Ho_Chi_Minh"), state.terms.answer
    assert calendar.working_days_between(on, answer.due_on) == 2
    assert calendar.is_working(answer.due_on)
    assert len(answer.skipped) == (answer.due_on - on).days - 2
    assert state.carry_out.due_on >= a_request(kind, at=at).carry_out.due_on
    assert (state.terms.rule[:8], "91/2025/QH15" in state.terms.source) == ("PRIVACY-", True)


def test_before_the_law_there_is_no_rule() -> None:
    """The table begins with 2026: what came on the last day of 2025 was under another decree."""
    last, first = datetime(2025, 12, 31, 23, 59, tzinfo=ZONE), datetime(2026, 1, 1, tzinfo=ZONE)
    refused = receive("access", shipped(), received_at=last, now=MONDAY, via="email", person=SATO)
    assert refused == Refusal(code="request_rule_missing", field="kind", params={"on": "2025-12-31"})
    assert isinstance(
        receive("access", shipped(), received_at=first, now=MONDAY, via="email", person=SATO), RequestReceived
    )


def test_a_request_of_nobody_and_one_of_tomorrow_are_refused() -> None:
    """Somebody in the register, or whoever a text describes."""
    nobody = receive("access", shipped(), received_at=MONDAY, now=MONDAY, via="form")
    assert nobody == Refusal(code="request_from_nobody", field="person")
    later = receive("access", shipped(), received_at=MONDAY + timedelta(hours=1), now=MONDAY, via="form", person=SATO)
    assert later == Refusal(code="received_in_future", field="received_at")
    described = came("access", person=None, description=REASON)
    assert (described.person, described.description) == (None, REASON)


DONE: dict[RequestKind, CarryOut] = {
    "access": CarryOut(export="cd" * 32),
    "correction": CarryOut(correction="ef" * 32),
    "erasure": CarryOut(erasure="era_1"),
    "objection": CarryOut(),
    "withdrawal": CarryOut(text=REASON),
    "restriction": CarryOut(),
}


@pytest.mark.parametrize("kind", get_args(RequestKind))
def test_each_kind_is_answered_and_carried_out(kind: RequestKind) -> None:
    """An erasure names the erasure, a correction the corrected version, access what was handed over."""
    soon, later = MONDAY + timedelta(days=1), MONDAY + timedelta(days=5)
    state = a_request(kind, (Answer(text=REASON), soon), (DONE[kind], later))
    assert (state.status, state.answered_at, state.ended_at) == ("carried_out", soon, later)
    assert (state.answered_late, state.ended_late) == (False, False)
    assert (state.erasure, state.correction, state.export) == (
        DONE[kind].erasure, DONE[kind].correction, DONE[kind].export,
    )  # fmt: skip
    assert state.overdue(MONDAY + timedelta(days=99)) == ()


def test_what_ends_a_request_answers_it_too() -> None:
    """Late by the day of the answer, in time by that of the whole."""
    state = a_request("objection", (Refuse(reason="required_by_law", text=REASON), MONDAY + timedelta(days=4)))
    assert (state.status, state.reason, state.closing) == ("refused", "required_by_law", REASON)
    assert (state.answered_late, state.ended_late) == (True, False)


def test_time_is_extended_once_within_what_the_rule_allows() -> None:
    """From the day it was due on, with the reason that whoever asks was told."""
    soon = MONDAY + timedelta(days=3)
    state = a_request("objection", (Extend(days=15, reason=REASON), soon))
    assert (days(state)[1], state.extended_days, state.extension_reason) == ("2026-04-01", 15, REASON)
    assert state.status == "received"
    again = decide(state, Extend(days=1, reason=REASON), soon)
    assert again == Refusal(code="extension_repeated")
    fresh = a_request("objection")
    assert decide(fresh, Extend(days=16, reason=REASON), soon) == Refusal(
        code="extension_too_long", field="days", params={"allowed": 15}
    )
    late = fresh.carry_out.due_at + timedelta(seconds=1)
    assert decide(fresh, Extend(days=1, reason=REASON), late) == Refusal(code="extension_too_late")
    none = fresh.model_copy(update={"terms": fresh.terms.model_copy(update={"extension": 0})})
    assert decide(none, Extend(days=1, reason=REASON), soon) == Refusal(code="extension_not_allowed")


def test_whom_nobody_knows_is_identified_first() -> None:
    """Nothing is carried out for somebody who is not known; refusing needs no name."""
    unknown = a_request("objection", person=None, description=REASON)
    assert decide(unknown, CarryOut(), MONDAY) == Refusal(code="person_not_identified")
    known = a_request("objection", (Identify(person=SATO), MONDAY), person=None, description=REASON)
    assert known.person == SATO
    assert decide(known, Identify(person="per_other00000"), MONDAY) == Refusal(code="person_known")
    refused = decide(unknown, Refuse(reason="identity_not_proven"), MONDAY)
    assert refused == RequestRefused(reason="identity_not_proven")


@pytest.mark.parametrize(
    ("kind", "command", "refusal"),
    [
        ("erasure", CarryOut(), Refusal(code="erasure_not_named", field="erasure")),
        ("correction", CarryOut(), Refusal(code="correction_not_named", field="correction")),
        ("objection", CarryOut(erasure="era_1"), Refusal(code="not_of_this_kind", field="erasure")),
        ("erasure", CarryOut(erasure="era_1", export="cd" * 32), Refusal(code="not_of_this_kind", field="export")),
    ],
)
def test_what_shows_that_it_is_done_belongs_to_its_kind(kind: RequestKind, command: CarryOut, refusal: Refusal) -> None:
    """A request for erasure without an erasure is not done."""
    assert decide(a_request(kind), command, MONDAY) == refusal


ANY: tuple[Command, ...] = (
    Identify(person=SATO),
    Answer(),
    Extend(days=3, reason=REASON),
    CarryOut(),
    Refuse(reason="repeated"),
    TakeBack(),
)


@pytest.mark.parametrize("last", [CarryOut(), Refuse(reason="nothing_held"), TakeBack()], ids=lambda one: one.type)
def test_nothing_follows_the_end(last: Command) -> None:
    """Whatever ended it."""
    ended = a_request("objection", (last, MONDAY))
    assert [decide(ended, command, MONDAY) for command in ANY] == [Refusal(code="request_ended")] * len(ANY)


def test_an_answer_is_given_once() -> None:
    """A second one would leave open which of them counts."""
    answered = a_request("objection", (Answer(), MONDAY))
    assert decide(answered, Answer(), MONDAY) == Refusal(code="request_answered")


@given(st.lists(st.tuples(st.sampled_from(ANY), st.integers(0, 40)), max_size=8))
def test_any_way_folds_to_one_state_and_reads_back(asked: list[tuple[Command, int]]) -> None:
    """Events written as JSON fold to the state they led to; an end stays an end; an extension moves one date alone."""
    state = first = begin("req_1", came(), "lan")
    recorded: list[tuple[Event, datetime]] = []
    for command, day in sorted(asked, key=lambda one: one[1]):
        at = MONDAY + timedelta(days=day)
        event = decide(state, command, at)
        if isinstance(event, Refusal):
            continue
        assert not state.is_ended
        recorded.append((event, at))
        state = evolve(state, event, at, "root")
    folded = first
    for event, at in recorded:
        folded = evolve(folded, EVENTS.validate_json(EVENTS.dump_json(event)), at, "root")
    assert folded == state
    assert PersonRequest.model_validate_json(state.model_dump_json()) == state
    assert state.terms == first.terms
    assert (state.carry_out == first.carry_out) is not any(isinstance(event, TimeExtended) for event, _ in recorded)


def test_every_event_and_every_reason_is_reached() -> None:
    """Nothing of the words stands without a way to it."""
    kinds = {
        RequestReceived, PersonIdentified, RequestAnswered, TimeExtended, RequestCarriedOut, RequestRefused,
        RequestTakenBack,
    }  # fmt: skip
    assert set(get_args(Event)) == kinds
    for reason in get_args(Reason):
        assert a_request("objection", (Refuse(reason=reason), MONDAY)).reason == reason
