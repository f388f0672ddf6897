"""Minimal resubmission: who looked at nothing that changed is not asked again, and the trail shows what was carried."""

from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.rules import Edition
from domain.state import Phase
from tests.builders import (
    COORDINATOR,
    Said,
    Step,
    approved,
    dossier,
    drafted,
    instant,
    member,
    moved,
    pdf,
    sign,
    text,
    trip,
)
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step, under

HEAD = holding("head")
FINANCE = holding("finance")
CHAIR = holding("chair")

STEPS = (
    step("head", looks_at=("request", "member", "programme")),
    step("finance", looks_at=("member", "ceiling", "document")),
    step("chair", signature_prefix="TM"),
)
MINIMAL = under(policy(*STEPS, resubmission="minimal"))
WHOLE = under(policy(*STEPS))
ESTIMATE = c.AttachDocument(document_id="estimate", kind="estimate", attachment=pdf("estimate"))


def back(name: str, by: Any) -> Step:
    """The return of the dossier for changes by a desk."""
    return lambda state: Said(
        c.ReturnStep(step_id=name, dossier_digest=dossier(state), kind="amend", reason=text()), by
    )


def returned_by_chair(rules: Edition = MINIMAL) -> Given:
    """Head and finance have signed, the chair asks for changes."""
    return given(
        *drafted(),
        Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:30"),
        sign("head", HEAD, "2026-02-26T09:00"),
        sign("finance", FINANCE, "2026-02-27T09:00"),
        back("chair", CHAIR),
        rules=rules,
    )


def statuses(file: Given) -> list[str]:
    assert file.state.proposal is not None
    return [one.status for one in file.state.proposal.steps]


@pytest.mark.parametrize(
    ("change", "carried"),
    [
        (ESTIMATE, ["head"]),
        (moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00"), ["finance"]),
        (c.ReviseRequest(purpose="Culture"), ["finance"]),
        (member("kato"), []),
        (c.WithdrawMember(member_id="ito"), []),
        (None, ["head", "finance"]),
    ],
    ids=["a document", "the programme", "the request", "a newcomer", "a drop-out", "nothing"],
)
def test_only_those_are_asked_again_whose_parts_changed(change: Step | None, carried: list[str]) -> None:
    """The desk that returned it is always asked again."""
    file = returned_by_chair()
    if change is not None:
        file.further(change)
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert [one.step_id for one in submitted.carried] == carried
    asked = [name for name in ("head", "finance", "chair") if name not in carried]
    assert [one.id for one in file.state.open_steps] == asked[:1]
    assert statuses(file) == [
        "signed" if name in carried else "open" if name == asked[0] else "waiting"
        for name in ("head", "finance", "chair")
    ]


def test_the_trail_shows_whose_signature_on_which_dossier_was_carried_over() -> None:
    """Step, signer, time and right as they were; the number and the digest of the proposal that was signed."""
    file = returned_by_chair()
    first = dossier(file.state)
    done = file.further(ESTIMATE).when(c.SubmitRequest())
    (submitted,) = done.of(e.RequestSubmitted)
    assert submitted.digest != first
    assert submitted.carried == (
        e.CarriedSignature(
            step_id="head",
            proposal=1,
            digest=first,
            by="head",
            at=instant("2026-02-26T09:00"),
            right=e.Right(position="head"),
        ),
    )
    assert done.state.phase is Phase.UNDER_APPROVAL
    assert done.state.proposal is not None
    head = done.state.proposal.steps[0]
    assert (head.carried, head.by, [one.digest for one in head.signed_by]) == (True, "head", [first])
    assert [one.key for one in done.effects] == ["step:2:finance"]


def test_the_whole_chain_signs_again_where_the_policy_says_so() -> None:
    """Also where nothing at all was changed."""
    file = returned_by_chair(WHOLE)
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert submitted.carried == ()
    assert statuses(file) == ["open", "waiting", "waiting"]


def test_a_signature_is_carried_on_from_proposal_to_proposal() -> None:
    """It names the dossier that was really signed, however often it was carried since."""
    file = returned_by_chair()
    first = dossier(file.state)
    file.further(ESTIMATE, c.SubmitRequest(), back("finance", FINANCE))
    other = c.AttachDocument(document_id="estimate-2", kind="estimate", attachment=pdf("estimate-2"))
    (submitted,) = file.further(other).when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert [(one.step_id, one.proposal, one.digest) for one in submitted.carried] == [("head", 1, first)]


def test_a_carried_signature_falls_when_its_parts_change_later() -> None:
    """Being carried once is no right to be carried again."""
    file = returned_by_chair().further(ESTIMATE, c.SubmitRequest(), back("finance", FINANCE))
    (submitted,) = file.further(member("kato")).when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert submitted.carried == ()


def test_what_was_changed_and_changed_back_at_once_was_not_changed() -> None:
    """Of several commands decided as one, what comes of them counts."""
    file = returned_by_chair()
    file.when(c.ReviseRequest(purpose="Culture"), c.ReviseRequest(purpose="Cooperation")).accepted()
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert [one.step_id for one in submitted.carried] == ["head", "finance"]


def test_a_withdrawn_proposal_carries_nothing() -> None:
    """Taken back, what was signed no longer counts."""
    file = given(*drafted(), c.SubmitRequest(), sign("head", HEAD), c.WithdrawRequest(reason=text()), rules=MINIMAL)
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert submitted.carried == ()


def test_the_signature_of_one_who_now_runs_the_file_is_not_carried() -> None:
    """Four eyes: nobody has signed their own request, also not before it became theirs."""
    file = returned_by_chair().further(ESTIMATE, c.HandOver(to="head"))
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert submitted.carried == ()


def test_who_was_carried_over_fills_no_second_place() -> None:
    """The earlier signature counts as a place of the chain."""
    file = returned_by_chair().further(ESTIMATE, c.SubmitRequest())
    file.when(sign("finance", holding("finance", name="head"))).then_refused("signed_another_step")


def test_a_step_that_the_rules_changed_is_asked_again() -> None:
    """After a newer edition was adopted, the old signature answers another question."""
    changed = under(policy(step("head", looks_at=("request", "member", "programme"), time_limit_working_days=9),
                           *STEPS[1:], resubmission="minimal"))  # fmt: skip
    begun = returned_by_chair()
    begun.play.newest = changed
    begun.further(c.AdoptRules())
    begun.play.edition = changed
    (submitted,) = begun.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert [one.step_id for one in submitted.carried] == ["finance"]


def test_part_of_a_quorum_is_carried_and_the_rest_asked() -> None:
    """Two of three: one had signed before another returned it."""
    rules = under(
        policy(
            step("board", n_of={"count": 2, "positions": ("a", "b", "c")}, looks_at=("member",)), resubmission="minimal"
        )
    )
    file = given(*drafted(), c.SubmitRequest(), sign("board", holding("a")), back("board", holding("b")), rules=rules)
    file.further(ESTIMATE, c.SubmitRequest())
    (board,) = file.state.open_steps
    assert ([one.by for one in board.signed_by], board.waits_for, file.state.phase) == (
        ["a"],
        ("b", "c"),
        Phase.SUBMITTED,
    )
    file.further(sign("board", holding("c"))).further(c.IssueDecision(number="27/QĐ"))
    assert file.state.phase is Phase.APPROVED


def test_a_letter_is_carried_like_a_signature() -> None:
    """An outside authority that looked at the members alone is not asked for a second letter about an estimate."""
    rules = under(
        policy(step("ministry", external=True, looks_at=("request", "member")), step("chair"), resubmission="minimal")
    )
    file = given(*drafted(), Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:30"), rules=rules)
    file.further(
        c.RecordExternalDecision.model_validate(
            {
                "step_id": "ministry",
                "dossier_digest": dossier(file.state),
                "outcome": "approved",
                "authority": "Ministry",
                "reference": "1/BNG",
                "dated": "2026-02-25",
                "letter": pdf("letter"),
            }
        ),
        back("chair", CHAIR),
        ESTIMATE,
        c.SubmitRequest(),
    )
    assert file.state.proposal is not None
    ministry = file.state.proposal.steps[0]
    assert (ministry.status, ministry.external and ministry.external.reference) == ("signed", "1/BNG")


def test_the_shipped_chains_that_say_nothing_sign_again_as_a_whole() -> None:
    """The chains of the first release keep their way."""
    assert approved()
    file = given(*drafted(), c.SubmitRequest())
    head = holding("department_head")
    file.further(sign("department_head", head), back("vice_president", holding("vice_president")), c.SubmitRequest())
    assert statuses(file) == ["open", "waiting"]


def test_scenario_b_asks_the_department_once_though_finance_sent_it_back() -> None:
    """The shipped chain for a high-level trip: a new estimate concerns finance, and nobody who had not read it."""
    file = given(
        Said(trip(head_level="high"), COORDINATOR, "2026-04-13T08:30"),
        *(member(f"m{number}", country="VN") for number in range(6)),
        Said(c.SubmitRequest(), COORDINATOR, "2026-04-14T16:00"),
        sign("department_head", holding("department_head"), "2026-04-16T09:00"),
        back("finance", FINANCE),
        ESTIMATE,
        Said(c.SubmitRequest(), COORDINATOR, "2026-04-22T08:30"),
    )
    assert [one.id for one in file.state.open_steps] == ["finance"]
    for position in ("finance", "standing_vice_president", "president"):
        file.further(sign(position, holding(position)))
    assert [one.id for one in file.state.open_steps] == ["competent_authority"]
    letter = c.RecordExternalDecision.model_validate(
        {
            "step_id": "competent_authority",
            "dossier_digest": dossier(file.state),
            "outcome": "approved",
            "authority": "Provincial standing committee",
            "reference": "88-CV/TU",
            "dated": "2026-04-22",
            "letter": pdf("letter"),
        }
    )
    file.further(letter, c.IssueDecision(number="41/QĐ-LHSL"))
    assert file.state.phase is Phase.APPROVED
    assert file.state.proposal is not None
    assert [(one.id, one.carried) for one in file.state.proposal.steps] == [
        ("department_head", True),
        ("finance", False),
        ("standing_vice_president", False),
        ("president", False),
        ("competent_authority", False),
    ]
