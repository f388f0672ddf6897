"""Never two key leaders on one trip (domain.md, Limits [15]): a limit that no justification lifts."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import commands as c
from domain import events as e
from domain.canonical import digest_of
from domain.rules import Edition, LimitRule
from domain.state import Phase
from domain.values import Value
from tests.builders import COORDINATOR, FINANCE, PRESIDENT, Said, member, person, sign, text, trip
from tests.builders import DEPARTMENT_HEAD as HEAD
from tests.domain.given import given
from tests.rulebook import edition

LEADER = member("sato", role="head", key_leader=True)
REFUSED: dict[str, Any] = {"limit": "OUT-KEY-LEADERS", "measured": 2, "allowed": 1}


def yielding() -> Edition:
    """The shipped rules, with limits that can be justified alone."""
    limits = tuple(rule.model_copy(update={"absolute": False}) for rule in edition().limits)
    return edition().model_copy(update={"limits": limits})


def test_a_second_key_leader_is_refused_at_the_list() -> None:
    """One travels; the second is not let onto the list, with or without a reason."""
    going = given(trip(), LEADER)
    going.when(member("ito", key_leader=True)).then_refused("limit_absolute", field="key_leader", **REFUSED)
    going.when(member("ito")).then(
        e.MemberAdded(member_id="ito", person=person("ito"), role="member", country="JP", entry_papers=False)
    )
    assert [one.key_leader for one in going.state.delegates] == [True, False]


def test_a_key_leader_may_be_replaced_by_another_and_by_nobody_beside_another() -> None:
    """Who leaves is no longer counted."""
    going = given(trip(), LEADER, member("ito"))
    other = c.ReplaceMember(member_id="ito", by="kato", person=person("kato"), country="VN", key_leader=True)
    going.when(other).then_refused("limit_absolute", field="key_leader", **REFUSED)
    same = c.ReplaceMember(member_id="sato", by="kato", person=person("kato"), country="VN", key_leader=True)
    done = going.when(same).then(
        e.MemberReplaced(
            member_id="sato",
            by="kato",
            person=person("kato"),
            role="head",
            country="VN",
            entry_papers=False,
            key_leader=True,
        )
    )
    assert done.state.key_leaders_on_list == 1


def test_after_the_decision_a_second_key_leader_is_refused_as_well() -> None:
    """No submission comes any more that could refuse the list."""
    going = given(
        trip(),
        member("sato", role="head"),
        member("kato", key_leader=True),
        c.SubmitRequest(),
        sign("department_head", HEAD),
        sign("finance", FINANCE),
        sign("president", PRESIDENT),
        Said(c.IssueDecision(number="41/QĐ"), COORDINATOR),
    )
    assert going.state.phase is Phase.APPROVED
    going.when(member("ito", key_leader=True)).then_refused("limit_absolute", **REFUSED)


def test_more_key_leaders_than_marked_may_be_declared_and_are_refused_at_submission() -> None:
    """The larger of both counts; neither justification nor submission is possible."""
    going = given(trip(key_leaders=2), LEADER)
    going.when(c.JustifyLimit(limit="OUT-KEY-LEADERS", justification=text())).then_refused(
        "limit_absolute", field="limit", **REFUSED
    )
    going.when(c.SubmitRequest()).then_refused("limit_absolute", **REFUSED)
    going.further(c.ReviseRequest(key_leaders=1)).when(c.SubmitRequest()).accepted()


def test_a_list_that_newer_rules_forbid_is_not_submitted() -> None:
    """Opened under rules that ask for a justification; once the newer ones are adopted it lifts nothing."""
    going = given(trip(), rules=yielding(), newest=edition())
    going.further(LEADER, member("ito", key_leader=True))
    going.when(c.SubmitRequest()).then_refused("limit_unjustified", limit="OUT-KEY-LEADERS")
    going.further(c.JustifyLimit(limit="OUT-KEY-LEADERS", justification=text()))
    going.when(c.AdoptRules(), c.SubmitRequest()).then_refused("limit_absolute", index=1, **REFUSED)
    going.when(c.SubmitRequest()).accepted()
    # What stands too large may shrink, and grow by others.
    adopted = given(trip(), rules=yielding(), newest=edition()).further(LEADER, member("ito", key_leader=True))
    adopted.further(c.AdoptRules(), member("abe"), c.WithdrawMember(member_id="ito")).when(c.SubmitRequest()).accepted()


def test_a_list_without_marked_leaders_has_the_dossier_that_it_always_had() -> None:
    """The mark is part of the dossier where it is set, and nowhere else."""
    plain = given(trip(), member("sato", role="head")).when(c.SubmitRequest()).of(e.RequestSubmitted)[0]
    marked = given(trip(), LEADER).when(c.SubmitRequest()).of(e.RequestSubmitted)[0]
    named = "member:sato"
    (one,), (other,) = ([part for part in each.parts if part.part == named] for each in (plain, marked))
    said = {"person": person("sato").commitment, "role": "head", "country": "JP", "entry_papers": False}
    assert one.commitment == digest_of(said)
    assert other.commitment == digest_of(said | {"key_leader": True})


def test_an_absolute_limit_grants_nothing_in_special_cases() -> None:
    """Such a rule contradicts itself and is refused when it is read."""
    rule = next(rule for rule in edition().limits if rule.absolute)
    with pytest.raises(ValidationError, match="an absolute limit grants nothing"):
        LimitRule.model_validate(rule.model_dump() | {"special": 2})


CHANGES = st.lists(
    st.tuples(st.sampled_from(["add", "replace", "withdraw"]), st.integers(0, 5), st.integers(0, 5), st.booleans()),
    max_size=30,
)


@for_all(CHANGES)
def test_no_sequence_of_changes_brings_two_key_leaders_onto_a_list(changes: list[tuple[str, int, int, bool]]) -> None:
    """However people join, leave and take each other's place."""
    going = given(trip())
    for kind, one, other, leads in changes:
        who, by = f"m{one}", f"m{other}"
        command: Value = c.WithdrawMember(member_id=who)
        if kind == "add":
            command = member(who, key_leader=leads)
        elif kind == "replace":
            command = c.ReplaceMember(member_id=who, by=by, person=person(by), country="VN", key_leader=leads)
        done = going.when(command)
        assert done.state.key_leaders_on_list <= 1
        joins = kind != "withdraw" and leads
        assert done.refusal is None or done.refusal.code != "limit_absolute" or joins
