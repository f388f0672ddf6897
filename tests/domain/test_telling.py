"""Whom a notice of work goes to: who can do it, by the signature's own rule; an escalation never ends at nobody."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.decision import Actor, Context
from domain.state import Delegation
from domain.telling import Told, cannot_answer, escalates_to, stuck_because
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    approved,
    instant,
    person,
    reported,
    sign,
    submitted,
)
from tests.domain.given import given
from tests.rulebook import edition


def asked(state: Delegation, actor: Actor, what: str, **more: Any) -> str | None:
    """Why somebody could not answer it."""
    context = Context(now=instant("2026-03-01T09:00"), actor=actor, edition=edition(), newest=edition(), **more)
    return cannot_answer(state, what, context)


def test_who_may_sign_is_asked_and_who_may_not_is_not() -> None:
    """Their own trip, their own request, another organisation's desk, a step that waits for nobody."""
    waiting = given(*submitted()).state
    traveller = DEPARTMENT_HEAD.model_copy(update={"person": person("sato").ref})
    both = DEPARTMENT_HEAD.model_copy(update={"id": COORDINATOR.id})
    assert asked(waiting, DEPARTMENT_HEAD, "department_head") is None
    assert asked(waiting, traveller, "department_head") == "own_trip"
    assert asked(waiting, both, "department_head") == "own_request"
    assert asked(waiting, VICE_PRESIDENT, "department_head") == "not_entitled_to_sign"
    assert asked(waiting, VICE_PRESIDENT, "vice_president") == "step_not_open"
    further = given(*submitted(), sign("department_head", DEPARTMENT_HEAD)).state
    head_too = DEPARTMENT_HEAD.model_copy(update={"positions": ("department_head", "vice_president")})
    assert asked(further, head_too, "vice_president") == "signed_another_step"
    assert asked(given(*approved()).state, VICE_PRESIDENT, "vice_president") == "wrong_phase"


def test_a_report_is_asked_of_who_may_accept_it() -> None:
    """By its own rule: whoever filed it may not."""
    state = given(*reported()).state
    assert asked(state, VICE_PRESIDENT, "report") is None
    assert asked(state, VICE_PRESIDENT.model_copy(update={"id": COORDINATOR.id}), "report") == "own_request"
    assert asked(state, VICE_PRESIDENT.model_copy(update={"person": person("sato").ref}), "report") == "own_trip"


def test_a_desk_is_stuck_for_each_reason_once() -> None:
    """What the rules say beyond the four conflicts is that somebody may not sign."""
    assert stuck_because([]) == ("vacant",)
    codes = ["own_trip", "own_request", "own_trip", "organisation_out_of_reach", "role_may_not"]
    assert stuck_because(codes) == ("own_trip", "own_request", "not_entitled")


@pytest.mark.parametrize(
    ("seated", "late", "told"),
    [
        ({"chair": ["an"]}, (), Told("chair", ("an",), ())),
        ({"chair": [], "president": ["binh"]}, (), Told("president", ("binh",), ("chair",))),
        ({"chair": ["an"], "president": ["binh"]}, ("an",), Told("president", ("binh",), ("chair",))),
        ({"chair": ["an", "thay"]}, ("an",), Told("chair", ("thay",), ())),
        ({"chair": ["an"]}, ("an",), Told(None, (), ("chair", "president"))),
        ({}, (), Told(None, (), ("chair", "president"))),
    ],
    ids=[
        "its position",
        "vacant",
        "the late one's own",
        "the substitute too",
        "none but the late one",
        "nobody at all",
    ],
)
def test_an_escalation_goes_on_until_somebody_can_be_told(
    seated: dict[str, list[str]], late: tuple[str, ...], told: Told
) -> None:
    """To the next of its positions, and without any to the coordinator; it says who was passed over."""
    assert escalates_to(("chair", "chair", "president"), seated, late) == told


NAMES = st.lists(st.sampled_from("abcd"), max_size=3)


@for_all(
    positions=st.lists(st.sampled_from("xyz"), min_size=1, max_size=4),
    seated=st.dictionaries(st.sampled_from("xyz"), NAMES),
    late=st.sets(st.sampled_from("abcd")),
)
def test_only_who_does_not_know_yet_is_told_and_somebody_is_where_anybody_could_be(
    positions: list[str], seated: dict[str, list[str]], late: set[str]
) -> None:
    """Whoever sits where: the coordinator alone where nobody else is left."""
    told = escalates_to(positions, seated, late)
    anybody = {who for one in positions for who in seated.get(one, ())} - late
    assert bool(told.accounts) == bool(anybody) == (told.position is not None)
    assert set(told.accounts) <= anybody
    assert all(set(seated.get(one, ())) <= late for one in told.passed_over)
