"""Whom the shipped policies ask about a change after the decision: the desks it concerns, and nobody else."""

from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.request import choose_policy
from domain.values import business_date
from tests.builders import COORDINATOR, Said, Step, dossier, drafted, member, moved, pdf, session, sign, trip
from tests.domain.given import Given, given
from tests.domain.policed import holding
from tests.rulebook import edition

INBOUND_MOVE = moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00")


def abroad(**said: Any) -> tuple[Step, ...]:
    """Two travellers and a meeting in Prague."""
    return (
        Said(trip(**said), COORDINATOR, "2026-04-13T08:30"),
        member("sato", role="head", country="VN"),
        member("ito", country="VN"),
        session("tuesday", "2026-06-16T10:00", "2026-06-16T12:00", "Europe/Prague"),
    )


def decided(*history: Step) -> Given:
    """Every step of the chain that the file gets has answered, and the decision is issued."""
    file = given(*history, c.SubmitRequest())
    while file.state.open_steps:
        step = file.state.open_steps[0]
        if step.plan.external:
            letter = {"authority": "Authority", "reference": "1/CV", "letter": pdf(step.id)}
            letter |= {"dated": business_date(file.now, file.state.zone)}
            body = {"step_id": step.id, "dossier_digest": dossier(file.state), "outcome": "approved"}
            file.further(c.RecordExternalDecision.model_validate(body | letter))
        else:
            file.further(sign(step.id, holding(step.plan.position)))
    return file.further(c.IssueDecision(number="27/QĐ"))


@pytest.mark.parametrize(
    ("history", "policy_id", "for_a_session", "for_a_newcomer"),
    [
        (abroad(), "OUT-CHANGE", ["department_head", "president"], ["department_head", "finance", "president"]),
        (
            abroad(head_level="high"),
            "OUT-CHANGE-HIGH-LEVEL",
            ["department_head", "president"],
            ["department_head", "finance", "president", "competent_authority"],
        ),
        (
            drafted(run_by="central_union"),
            "IN-CHANGE-CENTRAL",
            ["protocol", "standing_vice_president"],
            ["finance", "protocol", "standing_vice_president"],
        ),
        (
            drafted(run_by="provincial_union"),
            "IN-CHANGE-PROVINCIAL",
            ["vice_president"],
            ["police", "foreign_affairs", "vice_president"],
        ),
        (
            drafted(conference="prime_minister", run_by="central_union"),
            "IN-CHANGE-CONFERENCE-PM",
            ["department_head", "president"],
            ["department_head", "president"],
        ),
        (
            drafted(conference="other", run_by="provincial_union"),
            "IN-CHANGE-CONFERENCE-OTHER",
            ["department_head", "president"],
            ["department_head", "president"],
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_moved_session_and_a_newcomer_concern_different_desks(
    history: tuple[Step, ...], policy_id: str, for_a_session: list[str], for_a_newcomer: list[str]
) -> None:
    """The other signatures are carried over from what was decided; the police see who comes, not when they meet."""
    move = moved("tuesday", "2026-06-16T14:00", "2026-06-16T16:00") if history[0] != drafted()[0] else INBOUND_MOVE
    for edit, asked in ((move, for_a_session), (member("kato"), for_a_newcomer)):
        file = decided(*history)
        (submitted,) = file.further(edit).when(c.SubmitChange()).of(e.ChangeSubmitted)
        assert submitted.chain.rule == policy_id
        assert file.state.amendment is not None
        assert [step.id for step in file.state.amendment.steps if not step.carried] == asked


@pytest.mark.parametrize("run_by", [None, "member_organisation"])
def test_who_has_no_policy_for_changes_changes_freely(run_by: str | None) -> None:
    """As scenario A does: 14:30 instead of 09:00, and sixteen calendars hear of it."""
    file = given(*drafted(run_by=run_by))
    assert choose_policy(file.state, edition(), "programme_change").policy is None


def test_each_shipped_change_policy_is_quick_and_goes_up_when_nobody_answers() -> None:
    """One or two working days for a desk, and a position that hears of the silence."""
    steps = [step for one in edition().approvals if one.matter == "programme_change" for step in one.steps]
    assert len(steps) == 2 * 19
    assert {step.time_limit_working_days for step in steps} == {1, 2}
    assert all(step.escalate_to and step.escalate_to != step.position for step in steps)
