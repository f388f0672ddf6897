"""Which policy a delegation gets: the stated conditions, the priority, and why."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import commands as c
from domain.choosing import Checked, Facts, choose
from domain.policies import ApprovalChain
from domain.request import choose_policy
from domain.rule import contradictions
from tests.builders import drafted, member, submitted, trip
from tests.domain.given import given
from tests.domain.policed import policy, step, under
from tests.rulebook import edition

DAY = date(2026, 2, 24)


def chosen(*policies: ApprovalChain, **facts: Any) -> str | None:
    """The id of the policy that inbound facts get."""
    found = choose(policies, Facts.model_validate({"direction": "inbound"} | facts), DAY).policy
    return found.id if found else None


def refusal(**said: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        policy(**said)
    return str(refused.value.errors()[0]["type"])


@pytest.mark.parametrize(
    ("applies", "fits", "fails"),
    [
        ({"run_by": ["central_union"]}, {"run_by": "central_union"}, {"run_by": "provincial_union"}),
        ({"run_by": ["central_union"]}, {"run_by": "central_union"}, {}),
        ({"issuer": ["hanoi", "danang"]}, {"issuer": "danang"}, {"issuer": "hue"}),
        ({"head_level": "high"}, {"head_level": "high"}, {}),
        ({"countries": ["JP", "US"]}, {"countries": ("DE", "US")}, {"countries": ("DE",)}),
        ({"conference": ["prime_minister"]}, {"conference": "prime_minister"}, {"conference": "other"}),
        ({"entry_papers_needed": True}, {"entry_papers_needed": True}, {}),
        ({"limits_breached": True}, {"limits_breached": ("OUT-DAYS",)}, {}),
        ({"limits_breached": False}, {}, {"limits_breached": ("OUT-DAYS",)}),
        ({"cost_at_least": 200_000_000}, {"cost_vnd": 200_000_000}, {"cost_vnd": 199_999_999}),
        ({"cost_at_least": 200_000_000}, {"cost_vnd": None}, {"cost_vnd": 0}),
        ({"cost_below": 200_000_000}, {"cost_vnd": 199_999_999}, {"cost_vnd": 200_000_000}),
        ({"cost_below": 200_000_000}, {"cost_vnd": 0}, {"cost_vnd": None}),
    ],
    ids=str,
)
def test_each_condition_is_met_or_not(applies: dict[str, Any], fits: dict[str, Any], fails: dict[str, Any]) -> None:
    """A cost of exactly the threshold has reached it, and so has one that is not known."""
    one = policy(applies=applies)
    assert chosen(one, **fits) == "POLICY"
    assert chosen(one, **fails) is None


def test_of_those_that_apply_the_one_with_most_conditions_wins() -> None:
    """Whatever the order in which they stand."""
    plain = policy(id="PLAIN")
    central = policy(id="CENTRAL", applies={"run_by": ["central_union"]})
    costly = policy(id="COSTLY", applies={"run_by": ["central_union"], "cost_at_least": 100})
    for policies in ((plain, central, costly), (costly, central, plain)):
        assert chosen(*policies) == "PLAIN"
        assert chosen(*policies, run_by="central_union", cost_vnd=99) == "CENTRAL"
        assert chosen(*policies, run_by="central_union", cost_vnd=100) == "COSTLY"


def test_a_higher_priority_wins_over_more_conditions() -> None:
    """It is stated in the policy, so nobody has to guess."""
    conference = policy(id="CONFERENCE", priority=10, applies={"conference": ["other"]})
    costly = policy(id="COSTLY", applies={"run_by": ["central_union"], "cost_at_least": 100})
    assert chosen(conference, costly, run_by="central_union", cost_vnd=100, conference="other") == "CONFERENCE"


def test_only_policies_of_the_direction_the_matter_and_the_day_are_looked_at() -> None:
    """Nothing is chosen from the others, and they are not among the reasons."""
    others = (
        policy(id="OUTBOUND", direction="outbound"),
        policy(id="REPORT", matter="final_report"),
        policy(id="PAST", effective_to="2025-12-31"),
        policy(id="FUTURE", effective_from="2027-01-01"),
    )
    assert choose(others, Facts(direction="inbound"), DAY) == (None, ())
    assert chosen(*others, policy(id="NOW")) == "NOW"


def test_the_reasons_name_every_candidate_with_each_condition_the_first_to_win_first() -> None:
    """What is asked for, what was found, and whether that fits."""
    plain = policy(id="PLAIN")
    costly = policy(id="COSTLY", applies={"run_by": ["central_union"], "cost_at_least": 100})
    _, why = choose((plain, costly), Facts(direction="inbound", run_by="central_union", cost_vnd=99), DAY)
    assert [(one.policy, one.applies, one.chosen) for one in why] == [("COSTLY", False, False), ("PLAIN", True, True)]
    assert why[0].conditions == (
        Checked(condition="run_by", wanted=("central_union",), found="central_union", met=True),
        Checked(condition="cost_at_least", wanted=100, found=99, met=False),
    )
    assert why[1].conditions == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"applies": {"run_by": ["central_union"]}}, {"applies": {"conference": ["other"]}}),
        ({"applies": {"countries": ["JP"]}}, {"applies": {"countries": ["US"]}}),
        ({"applies": {"run_by": ["central_union", "provincial_union"]}}, {"applies": {"run_by": ["central_union"]}}),
        ({"applies": {"cost_at_least": 100}}, {"applies": {"cost_at_least": 200}}),
        ({"priority": 5, "matter": "final_report"}, {"priority": 5, "matter": "final_report"}),
    ],
)
def test_two_that_could_both_apply_and_are_equally_specific_contradict(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Nothing would say which of them a delegation gets."""
    pair = (policy(id="ONE", **one), policy(id="OTHER", **other))
    assert contradictions(pair) == ((0, 1, "same_subject_at_once"),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"applies": {"conference": ["other"]}}),
        ({"applies": {"run_by": ["central_union"]}}, {"applies": {"run_by": ["provincial_union"]}}),
        ({"applies": {"head_level": "high"}}, {"applies": {"head_level": "standard"}}),
        ({"applies": {"limits_breached": True}}, {"applies": {"limits_breached": False}}),
        ({"applies": {"cost_at_least": 100}}, {"applies": {"cost_below": 100}}),
        ({"priority": 1}, {}),
        ({"matter": "final_report"}, {}),
        ({"direction": "outbound"}, {}),
        ({"effective_to": "2025-12-31"}, {"effective_from": "2026-01-01"}),
    ],
)
def test_two_of_which_one_clearly_wins_stand_side_by_side(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Another case, another rank or another time."""
    assert contradictions((policy(id="ONE", **one), policy(id="OTHER", **other))) == ()


APPLIES = st.fixed_dictionaries(
    {},
    optional={
        "run_by": st.lists(st.sampled_from(["central_union", "provincial_union"]), min_size=1, max_size=2, unique=True),
        "head_level": st.sampled_from(["standard", "high"]),
        "conference": st.just(["other"]),
        "entry_papers_needed": st.booleans(),
        "limits_breached": st.booleans(),
        "cost_at_least": st.sampled_from([0, 100]),
        "cost_below": st.sampled_from([200, 300]),
    },
)
FACTS = st.builds(
    Facts,
    direction=st.just("inbound"),
    run_by=st.sampled_from([None, "central_union", "provincial_union"]),
    head_level=st.sampled_from(["standard", "high"]),
    conference=st.sampled_from(["none", "other"]),
    entry_papers_needed=st.booleans(),
    limits_breached=st.sampled_from([(), ("OUT-DAYS",)]),
    cost_vnd=st.sampled_from([None, 0, 100, 250]),
)


@forall(said=st.lists(st.tuples(APPLIES, st.integers(0, 2)), min_size=1, max_size=5), facts=FACTS)
def test_policies_that_stand_together_never_tie(said: list[tuple[dict[str, Any], int]], facts: Facts) -> None:
    """Where an edition accepts them, the order in which they stand changes nothing, and the winner is the highest."""
    policies = [policy(id=f"P{n}", applies=applies, priority=priority) for n, (applies, priority) in enumerate(said)]
    stand = [one for n, one in enumerate(policies) if not any(contradictions((one, other)) for other in policies[:n])]
    found, why = choose(stand, facts, DAY)
    assert choose(stand[::-1], facts, DAY).policy == found
    applying = [one for one in why if one.applies]
    assert [one.policy for one in applying if one.chosen] == ([found.id] if found else [])
    assert bool(applying) is (found is not None)
    if found:
        ranks = {one.id: one.rank for one in stand}
        assert [one.policy for one in applying if ranks[one.policy] >= found.rank] == [found.id]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"steps": [step("head", one_of=("a",), position="b")]}, "step_without_one_way"),
        ({"steps": [step("head", external=False)]}, "step_without_one_way"),
        ({"steps": [step("head", all_of=("a", "a"))]}, "position_repeated"),
        ({"steps": [step("head", n_of={"count": 3, "positions": ("a", "b")})]}, "quorum_too_large"),
        ({"steps": [step("head", remind_before=(0, 2))]}, "reminders_out_of_order"),
        ({"steps": [step("head", external=True, signature_prefix="TM")]}, "external_with_prefix"),
        ({"steps": [step("head", looks_at=("weather",))]}, "literal_error"),
        ({"steps": [step("one"), step("one")]}, "step_repeated"),
        ({"steps": [step("report")]}, "step_named_report"),
        ({"steps": [step("one", stage=1), step("two")]}, "stage_missing"),
        ({"steps": [step("one", stage=2), step("two", stage=1)]}, "stages_out_of_order"),
        ({"steps": [step("one", stage=1), step("two", stage=3)]}, "stages_out_of_order"),
        ({"matter": "final_report", "steps": [step("one"), step("two")]}, "report_by_one"),
        ({"matter": "final_report", "steps": [step("one", external=True)]}, "report_by_one"),
        ({"matter": "final_report", "steps": [step("one", all_of=("a", "b"))]}, "report_by_one"),
        ({"matter": "programme_change"}, "about_what"),
        ({"about": ("member",)}, "about_what"),
        (
            {
                "matter": "programme_change",
                "about": ("member", "programme"),
                "steps": [step("one", looks_at=("member",))],
            },
            "nobody_looks",
        ),
        ({"applies": {"cost_at_least": 5, "cost_below": 5}}, "costs_leave_nothing"),
        ({"applies": {"weather": "fine"}}, "extra_forbidden"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(said: dict[str, Any], code: str) -> None:
    """Each mistake has a stable code."""
    assert refusal(**said) == code


@pytest.mark.parametrize(
    ("said", "policy_id"),
    [
        ({}, "IN-APPROVAL"),
        ({"run_by": "provincial_union"}, "IN-PROVINCIAL"),
        ({"run_by": "central_union"}, "IN-CENTRAL"),
        ({"conference": "prime_minister", "run_by": "central_union"}, "IN-CONFERENCE-PM"),
        ({"conference": "other"}, "IN-CONFERENCE-OTHER"),
    ],
)
def test_the_shipped_policies_for_inbound_delegations(said: dict[str, Any], policy_id: str) -> None:
    """By who runs it, and whether it is an international conference."""
    found = choose_policy(given(*drafted(**said)).state, edition()).policy
    assert found is not None
    assert found.id == policy_id


def test_the_shipped_policies_for_outbound_delegations() -> None:
    """Standard, and where a high-level leader heads it: then five steps, the last outside."""
    assert [step.id for step in policy_of(given(trip()).state).steps] == ["department_head", "finance", "president"]
    high = policy_of(given(trip(head_level="high")).state)
    assert [step.id for step in high.steps] == [
        "department_head",
        "finance",
        "standing_vice_president",
        "president",
        "competent_authority",
    ]
    assert [step.external for step in high.steps] == [False, False, False, False, True]
    assert [step.signature_prefix for step in high.steps] == ["TL", None, "KT", "TM", None]


def policy_of(state: Any) -> ApprovalChain:
    found = choose_policy(state, edition()).policy
    assert found is not None
    return found


def test_titles_of_a_step_and_of_a_position_are_the_same_in_every_shipped_policy() -> None:
    """Whoever reads a file by the words of its edition reads the words of its own chain."""
    steps = [step for chain in edition().approvals for step in chain.steps]
    for key in ("id", "position"):
        titles: dict[str, set[str]] = {}
        for one in steps:
            if getattr(one, key):
                titles.setdefault(getattr(one, key), set()).add(one.title.vi)
        assert {name: said for name, said in titles.items() if len(said) > 1} == {}


def test_what_the_request_says_later_counts() -> None:
    """Who heads the delegation is changed before it is submitted, and the chain follows."""
    going = given(trip(), c.ReviseRequest(head_level="high"))
    assert policy_of(going.state).id == "OUT-HIGH-LEVEL"
    going.further(c.ReviseRequest(head_level="standard"))
    assert policy_of(going.state).id == "OUT-APPROVAL"


def test_the_ceiling_is_the_cost_that_is_known() -> None:
    """Two people of grade C for seven days: 11.2 million for meals and 25.8 million for lodging."""
    costly = policy(applies={"cost_at_least": 37_000_000})
    state = given(*drafted(), rules=under(costly)).state
    _, why = choose_policy(state, under(costly))
    assert [(one.found, one.met) for one in why[0].conditions] == [(37_000_000, True)]


@pytest.mark.parametrize("grade", [None, "A"])
def test_leaving_out_what_the_cost_follows_from_asks_for_the_stricter_chain(grade: str | None) -> None:
    """Without a grade nothing is known of the cost; of grade A no norm has the lodging, so a sum is only a part."""
    rules = under(policy(), policy(step("president"), id="COSTLY", applies={"cost_at_least": 10**12}))
    found = choose_policy(given(*drafted(grade=grade), rules=rules).state, rules)
    assert found.policy is not None
    assert found.policy.id == "COSTLY"
    [checked] = found.why[0].conditions
    assert (checked.found, checked.met) == (None, True)


@pytest.mark.parametrize("said", [None, "standard"])
def test_a_key_leader_who_heads_it_makes_the_level_high(said: str | None) -> None:
    """Whatever the request says or leaves out."""
    file = given(trip(head_level=said), member("sato", role="head", key_leader=True), member("ito"))
    assert policy_of(file.state).id == "OUT-HIGH-LEVEL"
    beside = given(trip(head_level=said), member("sato", role="head"), member("ito", key_leader=True))
    assert policy_of(beside.state).id == "OUT-APPROVAL"


def test_a_request_that_no_policy_takes_is_not_submitted() -> None:
    """Better no chain than one that nobody meant."""
    rules = under(policy(applies={"run_by": ["central_union"]}))
    given(*drafted(), rules=rules).when(c.SubmitRequest()).then_refused("no_approval_chain", direction="inbound")


def test_the_policy_is_sealed_with_its_version() -> None:
    """So that a later edition changes nothing about what this proposal needs."""
    state = given(*submitted(run_by="central_union")).state
    assert state.proposal is not None
    assert (state.proposal.chain.rule, state.proposal.chain.version) == ("IN-CENTRAL", 2)
