"""By what right somebody signs: the evidence, substitutes, conflicts of interest, the reach of an organisation."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.decision import Actor
from domain.entitlement import right_to_sign
from domain.institution import Held, Substitution
from domain.values import Value
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    OTHER_COORDINATOR,
    VICE_PRESIDENT,
    Said,
    dossier,
    drafted,
    opening,
    person,
    report_digest,
    reported,
    sign,
    submitted,
    text,
    trip,
)
from tests.domain.every_command import EXAMPLES, SYSTEM
from tests.domain.given import Given, given
from tests.domain.policed import policy, step, under

SINCE = datetime(2025, 1, 1, tzinfo=UTC)


def stands_in(position: str, account: str, **more: Any) -> Substitution:
    """A right as somebody's substitute, in force unless said otherwise."""
    usual: dict[str, Any] = {
        "leave": f"lea-{account}",
        "account": account,
        "position": position,
        "tenure": f"ten-{account}",
        "held_since": SINCE,
        "in_force": True,
    }
    return Substitution.model_validate(usual | more)


def substitute(*rights: Substitution, **more: Any) -> Actor:
    """An approver without a position of their own."""
    usual: dict[str, Any] = {"id": "substitute", "roles": ("approver",), "substitutions": rights}
    return Actor.model_validate(usual | more)


HEAD_AWAY = stands_in("department_head", "department-head")
VICE_AWAY = stands_in("vice_president", "vice-president")


def answers(going: Given, step: str) -> list[Value]:
    """The three answers of a desk."""
    body: dict[str, Any] = {"step_id": step, "dossier_digest": dossier(going.state)}
    return [
        c.SignOff.model_validate(body),
        c.ReturnStep.model_validate(body | {"reason": text()}),
        c.RejectStep.model_validate(body | {"reason": text()}),
    ]


def refused_and_recorded(going: Given, step: str, actor: Actor, code: str) -> None:
    """Assert that no answer of a desk is taken, and that each attempt is sealed."""
    for answer in answers(going, step):
        attempt = going.when(answer, by=actor).then_refused(code, field="step_id", step=step)
        assert attempt.of(e.SignOffRefused) == (e.SignOffRefused(step_id=step, code=code),)


def test_a_signature_carries_what_its_right_rests_on() -> None:
    """Account, position, tenure and since when: as the registers said at that instant."""
    held = Held(position="department_head", tenure="ten-1", since=SINCE)
    actor = DEPARTMENT_HEAD.model_copy(update={"tenures": (held,)})
    [signed] = given(*submitted()).when(sign("department_head", actor)).of(e.StepSigned)
    assert signed.right == e.Right(
        position="department_head",
        prefix="TL",
        account="department-head",
        tenure="ten-1",
        held_since=SINCE,
        principal_vi="Chủ tịch",
        principal_en="President",
    )


def test_what_a_right_does_not_have_stands_in_no_event() -> None:
    """A right of before the registers is written as it was, so that no digest over a file changes."""
    plain = e.Right(position="president", prefix="TM")
    assert plain.model_dump(mode="json") == {"position": "president", "prefix": "TM"}


def test_a_substitute_signs_in_the_place_of_who_is_away() -> None:
    """Both accounts, the leave and the tenure of the person replaced are sealed; the step says the prefix."""
    going = given(*submitted(), sign("department_head", DEPARTMENT_HEAD))
    done = going.when(sign("vice_president", substitute(VICE_AWAY)))
    done.then(
        e.StepSigned(
            step_id="vice_president",
            digest=dossier(going.state),
            right=e.Right(
                position="vice_president",
                prefix="KT",
                account="substitute",
                tenure="ten-vice-president",
                held_since=SINCE,
                on_behalf_of="vice-president",
                leave="lea-vice-president",
            ),
        )
    )
    assert done.state.proposal is not None
    assert done.state.proposal.signed


@pytest.mark.parametrize("prefix", [None, "TM", "TUQ"])
def test_a_substitute_signs_kt_whatever_the_step_says(prefix: str | None) -> None:
    """KT.: deputising (domain.md, Approval practice). TM. is who speaks for the collective."""
    right = right_to_sign(substitute(VICE_AWAY), "vice_president", prefix, own=())
    assert isinstance(right, e.Right)
    assert right.prefix == "KT"
    own = right_to_sign(VICE_PRESIDENT, "vice_president", prefix, own=())
    assert isinstance(own, e.Right)
    assert own.prefix == prefix


@pytest.mark.parametrize(
    "right",
    [HEAD_AWAY.model_copy(update={"in_force": False}), stands_in("finance", "department-head")],
    ids=["outside the leave", "for another position"],
)
def test_a_substitute_outside_the_leave_is_refused_and_the_attempt_recorded(right: Substitution) -> None:
    """The name of the refusal tells it from somebody who has nothing to do with the desk."""
    going = given(*submitted())
    refused_and_recorded(going, "department_head", substitute(right), "substitute_not_entitled")
    past = stands_in("finance", "department-head", in_force=False)
    refused_and_recorded(going, "department_head", substitute(past), "not_entitled_to_sign")


def test_a_substitute_needs_the_role_of_an_approver() -> None:
    """Leave gives a position, not a role."""
    refused_and_recorded(
        given(*submitted()), "department_head", substitute(HEAD_AWAY, roles=("auditor",)), "not_entitled_to_sign"
    )


def test_nobody_signs_as_substitute_for_a_request_of_their_own() -> None:
    """Neither in the place of another, nor does another in theirs."""
    going = given(*submitted())
    own = substitute(HEAD_AWAY, id="coordinator", roles=("coordinator", "approver"))
    refused_and_recorded(going, "department_head", own, "own_request")
    for_the_requester = substitute(stands_in("department_head", "coordinator"))
    refused_and_recorded(going, "department_head", for_the_requester, "own_request")


def test_nobody_signs_twice_through_substitution() -> None:
    """Four eyes: not for who signed already, not beside a signature of one's own, and not after one in one's place."""
    going = given(*submitted(), sign("department_head", DEPARTMENT_HEAD))
    for_who_signed = substitute(stands_in("vice_president", "department-head"))
    refused_and_recorded(going, "vice_president", for_who_signed, "signed_another_step")
    who_signed = DEPARTMENT_HEAD.model_copy(update={"substitutions": (VICE_AWAY,)})
    refused_and_recorded(going, "vice_president", who_signed, "signed_another_step")

    going = given(*submitted(), sign("department_head", substitute(HEAD_AWAY)))
    back = DEPARTMENT_HEAD.model_copy(update={"positions": ("department_head", "vice_president")})
    refused_and_recorded(going, "vice_president", back, "signed_another_step")
    refused_and_recorded(going, "vice_president", substitute(VICE_AWAY), "signed_another_step")


def test_a_substitute_of_two_signs_for_the_one_without_a_conflict() -> None:
    """Two hold the position and both are away; the request is one's own."""
    both = substitute(stands_in("department_head", "coordinator"), HEAD_AWAY)
    [signed] = given(*submitted()).when(sign("department_head", both)).of(e.StepSigned)
    assert signed.right.on_behalf_of == "department-head"


def test_nobody_approves_a_trip_of_their_own() -> None:
    """An account is known by its person on the list: head, member, or the one in whose place is signed."""
    ito, bao = person("ito").ref, person("bao").ref
    going = given(*submitted())
    for traveller in (
        DEPARTMENT_HEAD.model_copy(update={"person": ito}),
        DEPARTMENT_HEAD.model_copy(update={"person": person("sato").ref}),
        substitute(HEAD_AWAY, person=ito),
        substitute(HEAD_AWAY.model_copy(update={"person": ito})),
    ):
        refused_and_recorded(going, "department_head", traveller, "own_trip")
    host = DEPARTMENT_HEAD.model_copy(update={"person": bao})
    going.when(sign("department_head", host)).then(e.StepSigned)

    stayed = given(*drafted(), c.WithdrawMember(member_id="ito"), c.SubmitRequest())
    stayed.when(sign("department_head", DEPARTMENT_HEAD.model_copy(update={"person": ito}))).then(e.StepSigned)


def test_the_report_on_a_trip_of_ones_own_is_not_ones_to_answer_either() -> None:
    """Neither to accept nor to return."""
    going = given(*reported())
    traveller = VICE_PRESIDENT.model_copy(update={"person": person("ito").ref})
    digest = report_digest(going.state)
    for answer in (c.AcceptReport(report_digest=digest), c.ReturnReport(report_digest=digest, reason=text())):
        attempt = going.when(answer, by=traveller).then_refused("own_trip")
        assert attempt.of(e.SignOffRefused) == (e.SignOffRefused(step_id="report", code="own_trip"),)


def test_a_report_may_be_answered_by_a_substitute() -> None:
    """In the place of who signed last in the chain; a return carries its right too."""
    going = given(*reported())
    digest = report_digest(going.state)
    [returned] = going.when(
        c.ReturnReport(report_digest=digest, reason=text()), by=substitute(VICE_AWAY), at="2026-04-15T09:00"
    ).of(e.ReportReturned)
    assert returned.right is not None
    assert (returned.right.account, returned.right.on_behalf_of) == ("substitute", "vice-president")


HERE = opening().organisation


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_nobody_acts_outside_the_subtree_of_their_organisation(example: Value) -> None:
    """Whatever the command, whoever may send it; the system's own are nobody's."""
    kind = example.model_dump()["type"]
    if kind in SYSTEM:
        return
    elsewhere = Actor(
        id="elsewhere",
        roles=("coordinator", "approver", "administrator"),
        positions=("department_head", "vice_president"),
        organisation="hue-union",
    )
    history = () if kind == "open_delegation" else reported() if "report" in kind else submitted()
    going = given(*history)
    if kind in ("sign_off", "return_step", "reject_step"):
        refused_and_recorded(going, "department_head", elsewhere, "organisation_out_of_reach")
    else:
        going.when(example, by=elsewhere).then_refused("organisation_out_of_reach")


def test_an_organisation_reaches_its_own_files_and_those_below_it() -> None:
    """One account is of the file's organisation, one of the union above it, one of none."""
    for organisation in (HERE, "central", None):
        coordinator = COORDINATOR.model_copy(update={"organisation": organisation})
        approver = DEPARTMENT_HEAD.model_copy(update={"organisation": organisation})
        begun = given(above=("central",)).further(*(Said(step, coordinator) for step in (opening(),)))
        begun.when(c.ReviseRequest(title="Another title"), by=coordinator).accepted()
        going = given(*submitted(), above=("central",))
        going.when(sign("department_head", approver)).then(e.StepSigned)
    below = OTHER_COORDINATOR.model_copy(update={"organisation": "song-lam-japan"})
    given(above=("central",)).when(trip(), by=below).then_refused("organisation_out_of_reach")


ACCOUNTS = ("an", "hung", "mai")
RIGHTS = st.lists(
    st.builds(
        lambda position, account, in_force, who: stands_in(position, account, in_force=in_force, person=who),
        st.sampled_from(["finance", "president"]),
        st.sampled_from(ACCOUNTS),
        st.booleans(),
        st.none() | st.sampled_from(["per_a", "per_b"]),
    ),
    max_size=3,
)


@forall(
    st.builds(
        lambda account, roles, positions, rights, who, organisation: Actor(
            id=account,
            roles=roles,
            positions=positions,
            substitutions=tuple(rights),
            person=who,
            organisation=organisation,
        ),
        st.sampled_from(ACCOUNTS),
        st.sampled_from([("approver",), ("coordinator", "approver"), ("auditor",)]),
        st.sampled_from([(), ("finance",), ("president",)]),
        RIGHTS,
        st.none() | st.sampled_from(["per_a", "per_b"]),
        st.sampled_from([None, "central", "hue"]),
    ),
    st.sets(st.sampled_from(ACCOUNTS)),
    st.sets(st.sampled_from(ACCOUNTS)),
    st.sets(st.sampled_from(["per_a", "per_b"])),
)
def test_exactly_the_entitled_may_sign(actor: Actor, own: set[str], elsewhere: set[str], going: set[str]) -> None:
    """Approvers in reach, holding or standing in for the position, with nobody behind the signature in a conflict."""
    behind = [({actor.id}, {actor.person})] if "president" in actor.positions else []
    if not behind:
        behind = [
            ({actor.id, one.account}, {actor.person, one.person})
            for one in actor.substitutions
            if one.position == "president" and one.in_force
        ]
    entitled = (
        "approver" in actor.roles
        and actor.organisation != "hue"
        and any(not accounts & (own | elsewhere) and not persons & going for accounts, persons in behind)
    )
    right = right_to_sign(
        actor, "president", "TM", own=own, elsewhere=elsewhere, travellers=going, lineage=("song-lam", "central")
    )
    assert isinstance(right, e.Right) is entitled


def test_a_person_with_two_accounts_is_one_person() -> None:
    """Neither the request of one account nor its signature at another step is anybody else's for the other account."""
    requester = DEPARTMENT_HEAD.model_copy(update={"id": "second", "aliases": ("coordinator",)})
    refused_and_recorded(given(*submitted()), "department_head", requester, "own_request")
    again = VICE_PRESIDENT.model_copy(update={"id": "second", "aliases": ("department-head",)})
    one_step_on = given(*submitted(), sign("department_head", DEPARTMENT_HEAD))
    refused_and_recorded(one_step_on, "vice_president", again, "signed_another_step")


def test_a_person_with_two_accounts_fills_one_place_of_a_quorum() -> None:
    """Also where the second account signs in somebody else's name."""
    rules = under(policy(step("both", all_of=["department_head", "vice_president"])))
    half = given(*drafted(), c.SubmitRequest(), sign("both", DEPARTMENT_HEAD), rules=rules)
    body = c.SignOff(step_id="both", dossier_digest=dossier(half.state))
    second = VICE_PRESIDENT.model_copy(update={"id": "second", "aliases": ("department-head",)})
    half.when(body, by=second).then_refused("place_signed_already", field="step_id", step="both")
    head_s_other = stands_in("vice_president", "head-too", aliases=("department-head",))
    half.when(body, by=substitute(head_s_other)).then_refused("place_signed_already", field="step_id", step="both")
    half.when(body, by=VICE_PRESIDENT).accepted()
