"""Sign-off: by whom, by what right, of exactly which dossier, and in which order."""

from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.decision import Actor
from domain.state import Phase
from domain.values import Value
from tests.builders import (
    ADMINISTRATOR,
    AUDITOR,
    COORDINATOR,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    Said,
    approved,
    dossier,
    drafted,
    member,
    pdf,
    sign,
    submitted,
    text,
)
from tests.domain.given import Given, given

STALE = "f" * 64
HEAD_RIGHT = e.Right(position="department_head", prefix="TL", principal_vi="Chủ tịch", principal_en="President")
VICE_RIGHT = e.Right(position="vice_president", prefix="KT", principal_vi="Chủ tịch", principal_en="President")


def returned(going: Given, **said: Any) -> c.ReturnStep:
    """The return of the open proposal by the department head."""
    usual = {"step_id": "department_head", "dossier_digest": dossier(going.state), "reason": text()}
    return c.ReturnStep.model_validate(usual | said)


def signing(kind: type[Value], going: Given, step: str, digest: str | None = None) -> Value:
    """One of the three answers of a desk."""
    body = {"step_id": step, "dossier_digest": digest or dossier(going.state)}
    return kind.model_validate(body | ({} if kind is c.SignOff else {"reason": text()}))


ANSWERS = [c.SignOff, c.ReturnStep, c.RejectStep]


def test_the_desks_sign_in_order_each_by_its_right() -> None:
    """TL. for the department head, KT. for the vice-president (domain.md, Approval practice)."""
    going = given(*submitted())
    digest = dossier(going.state)
    going.when(sign("department_head", DEPARTMENT_HEAD)).then(
        e.StepSigned(step_id="department_head", digest=digest, right=HEAD_RIGHT)
    ).then_state(phase=Phase.UNDER_APPROVAL)
    done = going.when(sign("vice_president", VICE_PRESIDENT))
    done.then(e.StepSigned(step_id="vice_president", digest=digest, right=VICE_RIGHT))
    assert done.state.proposal is not None
    assert done.state.proposal.signed
    assert [step.by for step in done.state.proposal.steps] == ["department-head", "vice-president"]


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_desk_whose_turn_it_is_not_waits(answer: type[Value]) -> None:
    """The vice-president does not answer before the department head."""
    going = given(*submitted())
    refused = going.when(signing(answer, going, "vice_president"), by=VICE_PRESIDENT)
    refused.then_refused("step_not_open", step="vice_president", waits_for="department_head")
    assert refused.events == ()


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(
    "actor",
    [
        COORDINATOR,
        AUDITOR,
        ADMINISTRATOR,
        VICE_PRESIDENT,
        Actor(id="position-alone", roles=("coordinator",), positions=("department_head",)),
        Actor(id="role-alone", roles=("approver",)),
    ],
    ids=lambda actor: actor.id,
)
def test_who_does_not_hold_the_position_may_not_answer_and_the_attempt_is_recorded(
    answer: type[Value], actor: Actor
) -> None:
    """Both the role and the position are needed; nobody else's attempt passes in silence."""
    going = given(*submitted())
    refused = going.when(signing(answer, going, "department_head"), by=actor)
    refused.then_refused("not_entitled_to_sign", field="step_id", step="department_head")
    assert refused.events == (e.SignOffRefused(step_id="department_head", code="not_entitled_to_sign"),)
    refused.then_state(phase=Phase.SUBMITTED)


@pytest.mark.parametrize("answer", ANSWERS)
def test_nobody_signs_their_own_request(answer: type[Value]) -> None:
    """Four eyes: neither who opened, nor who submitted, nor who coordinates."""
    both = Actor(id="coordinator", roles=("coordinator", "approver"), positions=("department_head",))
    going = given(*submitted())
    refused = going.when(signing(answer, going, "department_head"), by=both)
    refused.then_refused("own_request")
    assert refused.events == (e.SignOffRefused(step_id="department_head", code="own_request"),)


def test_a_request_stays_ones_own_after_it_was_handed_over() -> None:
    """A changed role does not wash the hands of who opened or submitted it."""
    going = given(*submitted(), c.HandOver(to="coordinator-2"))
    opener = Actor(id="coordinator", roles=("approver",), positions=("department_head",))
    going.when(sign("department_head", opener)).then_refused("own_request")
    taker = Actor(id="coordinator-2", roles=("approver",), positions=("department_head",))
    going.when(sign("department_head", taker)).then_refused("own_request")


def test_nobody_fills_two_desks_of_one_chain() -> None:
    """Whoever holds both positions signs as one of them; the other desk needs another person."""
    both = Actor(id="both", roles=("approver",), positions=("department_head", "vice_president"))
    going = given(*submitted())
    going.when(sign("department_head", both)).then(e.StepSigned)
    refused = going.when(sign("vice_president", both))
    refused.then_refused("signed_another_step")
    assert refused.events == (e.SignOffRefused(step_id="vice_president", code="signed_another_step"),)


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_dossier_that_never_was_is_not_answered(answer: type[Value]) -> None:
    """The refusal names the dossier that stands."""
    going = given(*submitted())
    refused = going.when(signing(answer, going, "department_head", STALE), by=DEPARTMENT_HEAD)
    refused.then_refused("dossier_unknown", field="dossier_digest", current=dossier(going.state))


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_superseded_dossier_is_not_answered(answer: type[Value]) -> None:
    """What was read before the correction is not what would be signed."""
    going = given(*submitted())
    first = dossier(going.state)
    going.further(Said(c.WithdrawRequest(reason=text())), member("kato"), c.SubmitRequest())
    refused = going.when(signing(answer, going, "department_head", first), by=DEPARTMENT_HEAD)
    refused.then_refused("dossier_superseded", field="dossier_digest", current=dossier(going.state))


def test_an_unknown_step_is_refused_by_name() -> None:
    """There is no such desk in this chain."""
    given(*submitted()).when(sign("president", DEPARTMENT_HEAD)).then_refused("step_unknown", step="president")


def test_an_incomplete_file_goes_back_once_with_what_is_missing() -> None:
    """A second time it can only be asked to be amended, signed or rejected (domain.md [10])."""
    going = given(*submitted())
    digest = dossier(going.state)
    going.when(returned(going, missing=("Passport copy",)), by=DEPARTMENT_HEAD).then(
        e.StepReturned(
            step_id="department_head",
            digest=digest,
            right=HEAD_RIGHT,
            kind="incomplete",
            reason=text(),
            missing=("Passport copy",),
        )
    ).then_state(phase=Phase.RETURNED, open_step=None)
    going.further(c.SubmitRequest())
    going.when(returned(going), by=DEPARTMENT_HEAD).then_refused("returned_once_already", field="kind", allowed=1)
    going.when(returned(going, kind="amend"), by=DEPARTMENT_HEAD).accepted()


def test_after_a_return_the_chain_starts_again_on_another_dossier() -> None:
    """The signatures of the earlier dossier do not carry over to what was changed."""
    going = given(*submitted(), sign("department_head", DEPARTMENT_HEAD))
    back = signing(c.ReturnStep, going, "vice_president")
    done = going.further(Said(back, VICE_PRESIDENT), member("kato"), c.SubmitRequest()).state
    assert done.proposal is not None
    assert [step.status for step in done.proposal.steps] == ["open", "waiting"]
    assert (done.proposal.number, len(done.superseded)) == (2, 1)


def test_a_rejection_ends_the_way_with_its_reasons() -> None:
    """A refusal is written (domain.md [11]); afterwards the file can only be closed."""
    going = given(*submitted())
    digest = dossier(going.state)
    going.when(signing(c.RejectStep, going, "department_head"), by=DEPARTMENT_HEAD).then(
        e.StepRejected(step_id="department_head", digest=digest, right=HEAD_RIGHT, reason=text()),
        e.DelegationRejected(step_id="department_head"),
    ).then_state(phase=Phase.REJECTED)
    going.when(c.SubmitRequest()).then_refused("wrong_phase", phase="rejected")
    going.when(c.CloseDelegation()).then(e.DelegationClosed)


def test_a_decision_waits_for_every_signature() -> None:
    """The refusal names the desk where the file lies."""
    going = given(*submitted())
    decision = c.IssueDecision(number="27/QĐ", document=pdf())
    going.when(decision).then_refused("approval_incomplete", step="department_head")
    going.further(sign("department_head", DEPARTMENT_HEAD))
    going.when(decision).then_refused("approval_incomplete", step="vice_president")
    going.further(sign("vice_president", VICE_PRESIDENT))
    digest = dossier(going.state)
    going.when(decision).then(e.DecisionIssued(number="27/QĐ", digest=digest, document=pdf())).then_state(
        phase=Phase.APPROVED
    )


def test_time_alone_approves_nothing() -> None:
    """Weeks later the desk is late, and the proposal as unsigned as before."""
    going = given(*submitted()).wait("2026-03-20T12:00")
    assert going.state.open_step is not None
    assert going.state.open_step.id == "department_head"
    assert going.state.deadlines["step.department_head.1"].status == "missed"


def test_a_desk_is_told_when_it_is_its_turn_and_only_then() -> None:
    """One notice to the first desk on submission, one to the next on each signature; the last one goes back."""
    going = given(*drafted())
    assert [one.key for one in going.when(c.SubmitRequest()).effects] == ["step:1:department_head"]
    assert [one.key for one in going.when(sign("department_head", DEPARTMENT_HEAD)).effects] == [
        "step:1:vice_president"
    ]
    last = going.when(sign("vice_president", VICE_PRESIDENT)).effects
    assert [one.args for one in last] == [{"notice": "answered", "outcome": "request_signed"}]


def test_a_signed_step_is_not_signed_again() -> None:
    """The same sign-off twice is refused, and the first one stands."""
    going = given(*submitted(), sign("department_head", DEPARTMENT_HEAD))
    going.when(sign("department_head", DEPARTMENT_HEAD)).then_refused("step_not_open", waits_for="vice_president")


def test_an_approved_file_takes_no_more_signatures() -> None:
    """The chain has done its work."""
    given(*approved()).when(sign("vice_president", VICE_PRESIDENT)).then_refused("wrong_phase", phase="approved")
