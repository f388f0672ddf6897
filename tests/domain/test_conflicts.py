"""Whether a chain can be finished: what nobody can sign is foreseen, and who decides instead is sealed."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain import commands as c
from domain import events as e
from domain.conflicts import Desks, Hindered, asked_of, hindered, settle, still_asked
from domain.decision import Actor
from domain.institution import Held
from domain.policies import ApprovalChain
from tests.builders import COORDINATOR, REQUESTED, Said, dossier, member, pdf, person, reported, sign, text, trip
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step, under
from tests.domain.test_entitlement import SINCE, stands_in, substitute

LEADER = person("sato").ref
AUTHORITY = {"external": True, "title": {"vi": "Cấp có thẩm quyền", "en": "Competent authority"}}
DEPUTY = {"position": "deputy", "title": {"vi": "Phó", "en": "Deputy"}, "signature_prefix": "KT",
          "principal": {"vi": "Chủ tịch", "en": "President"}}  # fmt: skip


def outbound(*steps: dict[str, Any], **said: Any) -> ApprovalChain:
    """A policy for trips abroad."""
    return policy(*steps, direction="outbound", **said)


def at_its_desk(position: str, **said: Any) -> Actor:
    """Who holds a position, as somebody known by a person or not."""
    return holding(position).model_copy(update=said)


def ready(*policies: ApprovalChain, sitting: tuple[Actor, ...] | None) -> Given:
    """A trip that Sato heads, ready to be submitted, where these sit at its desks."""
    file = given(Said(trip(), COORDINATOR, REQUESTED), member("sato", role="head"), rules=under(*policies))
    file.play.sitting = sitting
    return file


def steps_of(file: Given) -> list[tuple[str, str]]:
    """The steps as sealed, each with whom it waits for."""
    assert file.state.proposal is not None
    return [(one.id, one.plan.position) for one in file.state.proposal.steps]


def test_a_leader_s_own_trip_is_decided_by_the_authority_that_the_policy_names() -> None:
    """It was sealed for the leader's own desk, where neither the leader nor a substitute ever could sign it."""
    rules = outbound(step("finance"), step("president", if_conflicted=AUTHORITY, escalate_to="deputy"))
    leader = at_its_desk("president", person=LEADER)
    file = ready(rules, sitting=(holding("finance"), leader))
    file.when(c.SubmitRequest()).accepted()
    assert steps_of(file) == [("finance", "finance"), ("president", e.EXTERNAL_AUTHORITY)]
    proposal = file.state.proposal
    assert proposal is not None
    conflicted = e.ConflictedStep(step_id="president", positions=("president",), why=("own_trip",))
    assert proposal.conflicted == (conflicted,)
    file.further(sign("finance", holding("finance")))
    file.when(sign("president", leader)).then_refused("not_entitled_to_sign")
    letter = c.RecordExternalDecision(
        step_id="president",
        dossier_digest=dossier(file.state),
        outcome="approved",
        authority="Thủ tướng Chính phủ",
        reference="12/TTg",
        dated=proposal.submitted_at.date(),
        letter=pdf("letter"),
    )
    file.when(letter, by=COORDINATOR).accepted()
    assert file.state.proposal is not None
    assert file.state.proposal.signed


def test_another_position_signs_in_its_own_name_where_the_policy_says_so() -> None:
    """Whose request it is does not sign it; the plan has the other's title, prefix and principal."""
    rules = outbound(step("head", if_conflicted=DEPUTY, escalate_to="deputy"))
    own = holding("head", name=COORDINATOR.id)
    file = ready(rules, sitting=(own, holding("deputy")))
    file.when(c.SubmitRequest()).accepted()
    assert file.state.proposal is not None
    [plan] = [one.plan for one in file.state.proposal.steps]
    assert (plan.position, plan.title_en, plan.prefix, plan.principal_vi) == ("deputy", "Deputy", "KT", "Chủ tịch")
    assert plan.escalate_to is None, "who signs is told already"
    [conflicted] = file.state.proposal.conflicted
    assert (conflicted.why, conflicted.position) == (("own_request",), "deputy")


def test_a_step_may_be_left_to_a_later_one() -> None:
    """An authority that decides anyway is not asked twice."""
    rules = outbound(step("president", if_conflicted={"left_to": "authority"}), step("authority", external=True))
    file = ready(rules, sitting=(at_its_desk("president", person=LEADER),))
    file.when(c.SubmitRequest()).accepted()
    assert steps_of(file) == [("authority", e.EXTERNAL_AUTHORITY)]
    assert file.state.proposal is not None
    assert [one.left_to for one in file.state.proposal.conflicted] == ["authority"]
    assert file.state.open_step is not None


@pytest.mark.parametrize(
    "sitting",
    [
        None,
        (),
        (at_its_desk("president", person=LEADER), holding("president", name="second")),
        (at_its_desk("president", person="per_somebody"),),
    ],
    ids=["not asked", "vacant", "another holder", "no conflict"],
)
def test_otherwise_the_step_stays_at_its_desk(sitting: tuple[Actor, ...] | None) -> None:
    """A vacant desk is nobody's conflict: it stays, and escalates."""
    file = ready(outbound(step("president", if_conflicted=AUTHORITY)), sitting=sitting)
    file.when(c.SubmitRequest()).accepted()
    assert steps_of(file) == [("president", "president")]
    assert file.state.proposal is not None
    assert file.state.proposal.conflicted == ()


def test_whoever_comes_to_be_free_of_a_conflict_is_asked_at_the_next_submission() -> None:
    """The way out is laid out anew each time, and a signature given instead is not carried to the desk itself."""
    rules = outbound(step("head", if_conflicted=DEPUTY), step("last"), resubmission="minimal")
    file = ready(rules, sitting=(at_its_desk("head", person=LEADER), holding("deputy"), holding("last")))
    file.further(c.SubmitRequest(), sign("head", holding("deputy")))
    assert file.state.proposal is not None
    file.further(
        Said(
            c.ReturnStep(step_id="last", dossier_digest=dossier(file.state), kind="amend", reason=text()),
            holding("last"),
        )
    )
    file.play.sitting = (holding("head"), holding("deputy"), holding("last"))
    file.further(c.SubmitRequest())
    assert steps_of(file) == [("head", "head"), ("last", "last")]
    assert [one.status for one in file.state.proposal.steps] == ["open", "waiting"]


def test_a_report_on_the_leader_s_own_trip_is_accepted_by_who_the_policy_names() -> None:
    """It waited for the one who led the journey."""
    way = {"position": "deputy", "title": {"vi": "Phó", "en": "Deputy"}}
    accept = policy(step("chair", if_conflicted=way), id="REPORT", matter="final_report")
    before = reported()
    file = given(*before[:-1], rules=under(policy(step("department_head"), step("vice_president")), accept))
    file.play.sitting = (at_its_desk("chair", person=LEADER), holding("deputy"))
    filed = file.when(before[-1])
    [event] = filed.of(e.ReportFiled)
    assert event.review is not None
    assert (event.review.position, [one.why for one in event.conflicted]) == ("deputy", [("own_trip",)])


@pytest.mark.parametrize(
    ("steps", "sitting", "expected"),
    [
        ((step("a"),), (), [("a", ("vacant",))]),
        ((step("a"), step("b")), (holding("a", "b", name="one"),), [("b", ("holds_another_step",))]),
        ((step("a"), step("b")), (holding("a", "b", name="one"), holding("a", name="two")), []),
        ((step("a", if_conflicted=DEPUTY), step("b")), (holding("a", "b", name="one"),),
         [("a", ("holds_another_step",))]),
        ((step("a", one_of=("p", "q")), step("p")), (holding("p"), holding("q")), []),
        ((step("a", all_of=("p", "q")),), (holding("p"),), [("a", ("vacant",))]),
        ((step("a", n_of={"count": 2, "positions": ("p", "q", "r")}),), (holding("p"), holding("r")), []),
        ((step("a"), step("b", external=True)), (at_its_desk("a", person=LEADER),), [("a", ("own_trip",))]),
        ((step("a"),), (holding("a", name="own"), at_its_desk("a", person=LEADER)),
         [("a", ("own_request", "own_trip"))]),
        (
            (step("a"), step("b")),
            (at_its_desk("a", id="x", person="per_x"), at_its_desk("b", id="y", person="per_x")),
            [("b", ("holds_another_step",))],
        ),
    ],
)  # fmt: skip
def test_what_nobody_can_sign_is_named_with_why(
    steps: tuple[dict[str, Any], ...], sitting: tuple[Actor, ...], expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    """Vacant, own trip, own request, one person for two steps; whoever can be put elsewhere is."""
    desks = Desks(sitting, own=("own",), travellers=(LEADER,))
    assert [(one.step_id, one.why) for one in hindered(asked_of(policy(*steps).steps), desks)] == expected


def test_of_an_open_chain_only_what_is_not_signed_is_asked() -> None:
    """Whoever signed the first step is no longer free for the second."""
    both = holding("a", "b", name="one")
    file = ready(outbound(step("a"), step("b")), sitting=None).further(c.SubmitRequest(), sign("a", both))
    assert file.state.proposal is not None
    desks = Desks((both,), signed=("one",))
    assert hindered(still_asked(file.state.proposal), desks) == (
        Hindered(step_id="b", positions=("b",), why=("holds_another_step",)),
    )


def test_what_is_left_after_the_way_out_is_still_told() -> None:
    """The one who decides instead may travel too, or not be there."""
    steps = policy(step("a", if_conflicted=DEPUTY)).steps
    settled = settle(steps, Desks((at_its_desk("a", person=LEADER),), travellers=(LEADER,)))
    assert settled.hindered == (Hindered(step_id="a", positions=("deputy",), why=("vacant",)),)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"steps": [step("a", if_conflicted={})]}, "one_way_out"),
        ({"steps": [step("a", if_conflicted=AUTHORITY | {"position": "b"})]}, "one_way_out"),
        ({"steps": [step("a", if_conflicted={"position": "b"})]}, "title_of_who_decides"),
        ({"steps": [step("a", if_conflicted=AUTHORITY | {"signature_prefix": "TM"})]}, "prefix_of_nobody"),
        ({"steps": [step("a", principal={"vi": "Chủ tịch", "en": "President"})]}, "principal_without_prefix"),
        ({"steps": [step("deputy", if_conflicted=DEPUTY)]}, "conflict_to_itself"),
        ({"steps": [step("a", if_conflicted=DEPUTY), step("deputy")]}, "conflict_to_another_step"),
        ({"steps": [step("a", all_of=("p", "q"), if_conflicted=DEPUTY)]}, "conflict_of_several"),
        ({"steps": [step("a"), step("b", if_conflicted={"left_to": "a"})]}, "left_to_nobody"),
        (
            {"steps": [step("a", if_conflicted={"left_to": "b"}), step("b", looks_at=("limit",))]},
            "left_to_who_sees_less",
        ),
        ({"steps": [step("a", if_conflicted=AUTHORITY)], "matter": "final_report"}, "report_by_ours"),
    ],
)
def test_a_way_out_that_leads_nowhere_is_refused(said: dict[str, Any], code: str) -> None:
    """When the rules are read."""
    with pytest.raises(ValidationError) as refused:
        policy(**said)
    assert [one["type"] for one in refused.value.errors()][:1] == [code]


def test_a_signature_says_for_whom_its_prefix_is() -> None:
    """KT. CHỦ TỊCH / PHÓ CHỦ TỊCH: the principal is sealed beside the prefix (Decree 30/2020)."""
    of = {"signature_prefix": "KT", "principal": {"vi": "Chủ tịch", "en": "President"}}
    file = ready(outbound(step("vice_president", **of)), sitting=None).further(c.SubmitRequest())
    done = file.when(sign("vice_president", holding("vice_president")))
    [signed] = done.of(e.StepSigned)
    assert signed.right == e.Right(
        position="vice_president", prefix="KT", principal_vi="Chủ tịch", principal_en="President"
    )


def test_a_substitute_s_signature_says_the_office_of_both() -> None:
    """KT. for whom they stand in for, never the step's TM.; beside it the office that they hold longest themselves."""
    of = {"signature_prefix": "TM", "principal": {"vi": "Ban Thường trực", "en": "Standing Committee"}}
    file = ready(outbound(step("president", **of)), sitting=None).further(c.SubmitRequest())
    deputy = substitute(stands_in("president", "pres")).model_copy(
        update={"tenures": (Held(position="vice_president", tenure="t", since=SINCE),)}
    )
    [signed] = file.when(sign("president", deputy)).of(e.StepSigned)
    right = signed.right
    assert (right.prefix, right.on_behalf_of, right.office, right.principal_vi) == (
        "KT",
        "pres",
        "vice_president",
        None,
    )
