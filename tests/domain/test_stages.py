"""Stages with parallel steps, quorums, outside authorities, time limits that escalate; nobody fills two places."""

from datetime import date
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.rules import Edition
from domain.state import Phase
from tests.builders import COORDINATOR, Said, accept_report, approved, dossier, drafted, pdf, reported, sign, text
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step, under

HEAD = holding("head")
FINANCE = holding("finance")
PROTOCOL = holding("protocol")
CHAIR = holding("chair")
SUBMITTED = "2026-02-25T16:30"

PARALLEL = under(
    policy(step("head", stage=1), step("finance", stage=2), step("protocol", stage=2), step("chair", stage=3))
)
QUORUM = under(
    policy(step("board", n_of={"count": 2, "positions": ("first", "second", "third")}, signature_prefix="TM"))
)
OUTSIDE = under(policy(step("head"), step("ministry", external=True), step("chair")))
ESCALATING = under(policy(step("head", remind_before=(2, 0), escalate_to="chair"), step("chair")))


def going(rules: Edition) -> Given:
    """A delegation submitted on Wednesday, 25 February 2026."""
    return given(*drafted(), Said(c.SubmitRequest(), COORDINATOR, SUBMITTED), rules=rules)


def open_steps(file: Given) -> list[str]:
    return [one.id for one in file.state.open_steps]


def letter(file: Given, **said: Any) -> c.RecordExternalDecision:
    """The letter of the ministry."""
    usual = {
        "step_id": "ministry",
        "dossier_digest": dossier(file.state),
        "outcome": "approved",
        "authority": "Ministry of Foreign Affairs",
        "reference": "118/BNG",
        "dated": "2026-03-02",
        "letter": pdf("letter"),
    }
    return c.RecordExternalDecision.model_validate(usual | said)


def test_the_steps_of_a_stage_are_open_together_and_the_next_stage_waits_for_all_of_them() -> None:
    """In either order."""
    file = going(PARALLEL)
    assert open_steps(file) == ["head"]
    file.further(sign("head", HEAD))
    assert open_steps(file) == ["finance", "protocol"]
    file.further(sign("protocol", PROTOCOL))
    assert open_steps(file) == ["finance"]
    file.when(sign("chair", CHAIR)).then_refused("step_not_open", step="chair", waits_for="finance")
    file.further(sign("finance", FINANCE))
    assert open_steps(file) == ["chair"]
    file.further(sign("chair", CHAIR)).further(c.IssueDecision(number="27/QĐ"))
    assert file.state.phase is Phase.APPROVED


def test_every_open_step_has_its_own_deadline_from_the_day_its_stage_was_opened() -> None:
    """Three working days from Thursday, 26 February: Tuesday, 3 March; a signature moves nothing for the other."""
    file = going(PARALLEL).further(sign("head", HEAD, "2026-02-26T09:00"))
    assert file.state.deadlines["step.finance.1"].due_on == date(2026, 3, 3)
    file.further(sign("protocol", PROTOCOL, "2026-03-02T09:00"))
    assert (file.state.deadlines["step.finance.1"].due_on, file.state.deadlines["step.finance.1"].status) == (
        date(2026, 3, 3),
        "open",
    )
    assert file.state.deadlines["step.protocol.1"].status == "met"
    file.further(sign("finance", FINANCE, "2026-03-03T09:00"))
    assert file.state.deadlines["step.chair.1"].due_on == date(2026, 3, 6)


def test_those_of_a_stage_are_told_once_when_it_is_opened() -> None:
    """The signature of one does not tell the other again."""
    file = going(PARALLEL)
    assert [one.key for one in file.when(sign("head", HEAD)).effects] == ["step:1:finance", "step:1:protocol"]
    assert [one.key for one in file.when(sign("finance", FINANCE)).effects] == []
    assert [one.key for one in file.when(sign("protocol", PROTOCOL)).effects] == ["step:1:chair"]


def test_a_return_by_one_of_a_stage_ends_the_proposal_for_all() -> None:
    """The other desk's turn is over with it."""
    file = going(PARALLEL).further(sign("head", HEAD))
    back = c.ReturnStep(step_id="finance", dossier_digest=dossier(file.state), reason=text())
    file.when(back, by=FINANCE).then(e.StepReturned).then_state(phase=Phase.RETURNED, open_steps=())
    file.when(sign("protocol", PROTOCOL)).then_refused("wrong_phase", phase="returned")


def test_a_quorum_is_complete_with_its_last_signature() -> None:
    """Two of three positions, by the prefix of the step; the third is not needed."""
    file = going(QUORUM)
    first, second, third = (holding(name) for name in ("first", "second", "third"))
    file.when(sign("board", third)).then(
        e.StepSigned(step_id="board", digest=dossier(file.state), right=e.Right(position="third", prefix="TM"))
    ).then_state(phase=Phase.UNDER_APPROVAL)
    (board,) = file.state.open_steps
    assert (board.needed, [one.by for one in board.signed_by], board.waits_for) == (2, ["third"], ("first", "second"))
    file.when(c.IssueDecision(number="27/QĐ")).then_refused("approval_incomplete", step="board")
    file.further(sign("board", first))
    assert file.state.proposal is not None
    assert file.state.proposal.signed
    file.when(sign("board", second)).then_refused("step_not_open", step="board")


def test_all_of_several_needs_each_of_them() -> None:
    """And one of several is content with the first who comes."""
    file = going(
        under(policy(step("both", all_of=("finance", "protocol"), stage=1), step("any", one_of=("a", "b"), stage=2)))
    )
    file.further(sign("both", FINANCE))
    assert open_steps(file) == ["both"]
    file.further(sign("both", PROTOCOL))
    assert open_steps(file) == ["any"]
    file.further(sign("any", holding("b")))
    assert open_steps(file) == []


def test_nobody_signs_a_step_twice_and_no_position_counts_twice() -> None:
    """Neither one person with two positions, nor two people of one position."""
    file = going(QUORUM)
    both = holding("first", "second")
    file.further(sign("board", both))
    file.when(sign("board", both)).then_refused("place_signed_already", field="step_id", step="board")
    file.when(sign("board", holding("first", name="another-first"))).then_refused("place_signed_already")
    file.further(sign("board", holding("first", "second", name="another")))
    assert file.state.proposal is not None
    assert [(one.by, one.right.position) for one in file.state.proposal.steps[0].signatures] == [
        ("first", "first"),
        ("another", "second"),
    ]


def test_nobody_fills_two_places_of_a_chain() -> None:
    """Also where the two are open at the same time, or one is part of a quorum."""
    file = going(PARALLEL).further(sign("head", HEAD))
    both = holding("finance", "protocol")
    file.further(sign("finance", both))
    file.when(sign("protocol", both)).then_refused("signed_another_step")
    rules = under(policy(step("board", n_of={"count": 2, "positions": ("first", "second")}), step("chair")))
    first = holding("first", "chair")
    file = going(rules).further(sign("board", first), sign("board", holding("second")))
    file.when(sign("chair", first)).then_refused("signed_another_step")


def test_nobody_signs_a_place_of_their_own_request() -> None:
    """The code says so, also where the first position of the step is not theirs."""
    file = going(QUORUM)
    own = holding("third", name="coordinator")
    refused = file.when(sign("board", own)).then_refused("own_request")
    assert refused.events == (e.SignOffRefused(step_id="board", code="own_request"),)


def test_an_outside_authority_decides_by_letter() -> None:
    """Its approval opens the next step, and the letter stands with the step."""
    file = going(OUTSIDE).further(sign("head", HEAD, "2026-02-27T09:00"))
    assert (open_steps(file), file.state.open_steps[0].waits_for) == (["ministry"], ("external_authority",))
    done = file.when(letter(file), at="2026-03-04T10:00")
    done.then(
        e.ExternalDecisionRecorded(
            step_id="ministry",
            digest=dossier(file.state),
            outcome="approved",
            authority="Ministry of Foreign Affairs",
            reference="118/BNG",
            dated=date(2026, 3, 2),
            letter=pdf("letter"),
            recorded_as="coordinator",
        )
    )
    assert [one.key for one in done.effects] == ["step:1:chair"]
    assert open_steps(file) == ["chair"]
    ministry = done.state.proposal.steps[1] if done.state.proposal else None
    assert ministry is not None
    assert ministry.external == e.ExternalDecision(
        authority="Ministry of Foreign Affairs", reference="118/BNG", dated=date(2026, 3, 2), letter=pdf("letter")
    )
    assert (ministry.status, ministry.by, ministry.right) == ("signed", "coordinator", None)


def test_an_outside_authority_sends_back_or_refuses_as_a_desk_does() -> None:
    """A return ends the proposal, a refusal the way."""
    back = going(OUTSIDE).further(sign("head", HEAD, "2026-03-03T09:00"))
    back.when(letter(back, outcome="returned", reason=text())).then(e.ExternalDecisionRecorded).then_state(
        phase=Phase.RETURNED, open_steps=(), incomplete_returns=0
    )
    refused = going(OUTSIDE).further(sign("head", HEAD, "2026-03-03T09:00"))
    refused.when(letter(refused, outcome="rejected")).then(
        e.ExternalDecisionRecorded, e.DelegationRejected(step_id="ministry")
    ).then_state(phase=Phase.REJECTED)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"step_id": "harbour"}, "step_unknown"),
        ({"step_id": "head"}, "step_not_external"),
        ({"dossier_digest": "f" * 64}, "dossier_unknown"),
        ({"dated": "2026-03-05"}, "letter_dated_ahead"),
    ],
)
def test_a_letter_that_does_not_fit_is_refused(said: dict[str, Any], code: str) -> None:
    """Each for its own reason, and nothing is recorded."""
    file = going(OUTSIDE).further(sign("head", HEAD, "2026-03-04T09:00"))
    refused = file.when(letter(file, **said))
    refused.then_refused(code)
    assert refused.events == ()


def test_a_letter_before_its_turn_waits() -> None:
    """The dossier goes out after those inside have signed."""
    file = going(OUTSIDE)
    file.when(letter(file, dated="2026-02-25")).then_refused("step_not_open", step="ministry", waits_for="head")


def test_nobody_here_signs_for_an_outside_authority() -> None:
    """Not even an account that claims its place; the attempt is recorded."""
    file = going(OUTSIDE).further(sign("head", HEAD))
    refused = file.when(sign("ministry", holding("external_authority"))).then_refused("not_entitled_to_sign")
    assert refused.events == (e.SignOffRefused(step_id="ministry", code="not_entitled_to_sign"),)


def test_a_late_step_is_told_to_the_position_that_the_policy_names() -> None:
    """Due on Monday, 2 March: reminded on Saturday and Monday morning, escalated when the day is over, once."""
    file = going(ESCALATING)
    assert [one.isoformat() for one in file.state.deadlines["step.head.1"].remind_at] == [
        "2026-02-28T01:00:00+00:00",
        "2026-03-02T01:00:00+00:00",
    ]
    file.wait("2026-03-20T12:00")
    told = [
        (played.at.isoformat(), [one.key.rpartition(":")[0] for one in played.decision.effects])
        for played in file.play.log
        if any(event.type == "StepEscalated" for event in played.events)
    ]
    assert told == [("2026-03-02T16:59:59+00:00", ["missed:step.head.1:2026-03-02", "escalated:1:head"])]
    (head,) = file.state.open_steps
    assert (head.id, head.escalated_to, head.status) == ("head", "chair", "open")


def test_escalation_gives_nobody_the_right_to_sign() -> None:
    """Whoever is told sees to it that the desk answers; the desk still signs, late."""
    file = going(ESCALATING).wait("2026-03-20T12:00")
    file.when(sign("head", CHAIR)).then_refused("not_entitled_to_sign")
    file.when(sign("head", HEAD)).then(e.StepSigned)
    assert file.state.deadlines["step.head.1"].status == "late"


def test_a_step_signed_at_the_last_moment_has_escalated_and_tells_nobody() -> None:
    """After a long sleep: what had passed is recorded before the signature, and nobody is told of what is done."""
    file = going(ESCALATING)
    done = file.when(sign("head", HEAD, "2026-03-05T09:00"))
    assert [event.type for event in done.events][:3] == ["DeadlineMissed", "StepEscalated", "StepSigned"]
    assert [one.args.get("notice") for one in done.effects] == ["deadline_missed", "step_waits"]


def test_without_a_target_a_late_step_is_late_and_nothing_more() -> None:
    """As in the chains that say nothing of it."""
    file = going(PARALLEL).wait("2026-03-20T12:00")
    assert file.state.deadlines["step.head.1"].status == "missed"
    assert not any(event.type == "StepEscalated" for event in file.play.events)


def test_a_report_is_accepted_by_whom_its_policy_names() -> None:
    """Here one of two positions, by their prefix; whoever signed last in the chain has no say."""
    reports = policy(
        step("reader", one_of=("archivist", "auditor_general"), signature_prefix="TL"),
        id="REPORTS",
        matter="final_report",
    )
    rules = under(policy(step("department_head"), step("vice_president")), reports)
    file = given(*reported(), rules=rules)
    file.when(accept_report(), at="2026-04-15T09:00").then_refused("not_entitled_to_sign")
    done = file.when(accept_report(by=holding("auditor_general")))
    (accepted,) = done.of(e.ReportAccepted)
    assert accepted.right == e.Right(position="auditor_general", prefix="TL")


def test_without_a_policy_for_reports_the_last_of_ours_in_the_chain_accepts() -> None:
    """An outside authority decides on the journey, not on the report about it."""
    rules = under(policy(step("department_head"), step("vice_president"), step("ministry", external=True)))
    steps = approved()[:-1]
    file = given(*steps, rules=rules)
    file.further(Said(letter(file, dated="2026-02-26"), COORDINATOR, "2026-02-27T10:00"))
    file.further(c.IssueDecision(number="27/QĐ"), c.Invite())
    file.further(*reported()[len(approved()) + 1 :])
    file.when(accept_report()).then(e.ReportAccepted)
