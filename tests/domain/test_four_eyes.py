"""Nobody signs what they wrote, ran or travel on, nor by a right they gave themselves; and nothing falls unseen."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.amendment import CHANGING
from domain.decision import Actor
from domain.entitlement import asked_after
from domain.evolve import WRITING
from domain.institution import Held
from domain.state import Phase
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    OTHER_COORDINATOR,
    VICE_PRESIDENT,
    Said,
    amending,
    approved,
    dossier,
    drafted,
    member,
    moved,
    pdf,
    person,
    report_digest,
    reporting,
    sign,
    submitted,
    text,
)
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step, under
from tests.domain.test_amendment import MOVE, asked_for
from tests.domain.test_entitlement import VICE_AWAY, refused_and_recorded, stands_in, substitute
from tests.domain.test_resubmission import CHAIR, ESTIMATE, HEAD, WHOLE, back, returned_by_chair

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
BOTH = DEPARTMENT_HEAD.model_copy(update={"roles": ("approver", "coordinator")})
"""A small office: the department head writes files too."""


def fallen(file: Given) -> list[tuple[str | None, tuple[str, ...], tuple[str, ...]]]:
    """Submit again, and return what is said to have fallen: why, which steps, whose signatures."""
    return [(one.because, one.steps, one.signers) for one in file.when(c.SubmitRequest()).of(e.SignaturesVoided)]


# Who wrote it


@pytest.mark.parametrize(
    "edit",
    [
        c.ReviseRequest(purpose="Written by who is to sign"),
        member("kato"),
        c.WithdrawMember(member_id="ito"),
        moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00"),
        c.AttachDocument(document_id="estimate", kind="estimate", attachment=pdf("estimate")),
    ],
    ids=lambda one: one.type,
)
def test_who_wrote_the_dossier_cannot_sign_it(edit: Any) -> None:
    """A second coordinator changed what stands in it, the first one submitted it; nor does an alias, or a deputy."""
    file = given(*drafted(), Said(edit, BOTH), c.SubmitRequest())
    assert file.state.authors == ("department-head",)
    refused_and_recorded(file, "department_head", BOTH, "own_request")
    other = DEPARTMENT_HEAD.model_copy(update={"id": "second", "aliases": ("department-head",)})
    refused_and_recorded(file, "department_head", other, "own_request")
    refused_and_recorded(file, "department_head", substitute(stands_in("department_head", BOTH.id)), "own_request")
    file.when(sign("department_head", holding("department_head", name="colleague"))).then(e.StepSigned)


def test_who_ran_the_file_for_a_while_cannot_sign_it() -> None:
    """Handed over and back, without a word written."""
    file = given(*drafted(), c.HandOver(to=BOTH.id), Said(c.HandOver(to=COORDINATOR.id), BOTH), c.SubmitRequest())
    refused_and_recorded(file, "department_head", BOTH, "own_request")


def test_who_submitted_an_earlier_proposal_cannot_sign_a_later_one() -> None:
    """Also when two others have been submitted since."""
    file = given(*drafted(), Said(c.SubmitRequest(), BOTH))
    for _ in range(2):
        file.further(c.WithdrawRequest(reason=text()), c.SubmitRequest())
    refused_and_recorded(file, "department_head", BOTH, "own_request")


def test_who_set_new_dates_cannot_sign_them() -> None:
    """A postponed file is taken up again with other days."""
    resume = Said(c.Resume.model_validate({"starts": "2026-05-11", "ends": "2026-05-17"}), BOTH)
    file = given(*drafted(), c.Postpone(reason=text()), resume, c.SubmitRequest())
    refused_and_recorded(file, "department_head", BOTH, "own_request")


def test_who_wrote_a_change_or_a_report_cannot_sign_that_either() -> None:
    """Nor who filed a report that was returned before another filed it again."""
    writer = VICE_PRESIDENT.model_copy(update={"roles": ("approver", "coordinator")})
    back_and_forth = (c.HandOver(to=writer.id), Said(c.HandOver(to=COORDINATOR.id), writer))
    changed = given(*amending(), Said(moved("tuesday", "2026-04-07T15:00", "2026-04-07T17:00"), writer))
    changed.further(c.SubmitChange())
    refused_and_recorded(changed, "vice_president", writer, "own_request")

    reported = given(*reporting(), *back_and_forth, c.FileReport(results=text()))
    accept = c.AcceptReport(report_digest=report_digest(reported.state))
    reported.when(accept, by=writer).then_refused("own_request")

    again = given(*reporting(), Said(c.FileReport(results=text()), writer))
    other = holding("vice_president", name="colleague")
    again.further(Said(c.ReturnReport(report_digest=report_digest(again.state), reason=text()), other))
    again.further(c.FileReport(results=text()))
    again.when(c.AcceptReport(report_digest=report_digest(again.state)), by=writer).then_refused("own_request")
    again.when(c.AcceptReport(report_digest=report_digest(again.state)), by=other).accepted()


def test_every_event_that_changes_the_dossier_has_an_author() -> None:
    """But the adoption of rules: whoever adopts them did not write them."""
    assert CHANGING - {"RulesAdopted"} <= {one.__name__ for one in WRITING}


def test_a_file_of_one_coordinator_has_nobody_else_to_remember() -> None:
    """States of before are what they were."""
    assert "authors" not in given(*approved()).state.model_dump()


# Carried signatures


def headed(signer: Actor) -> Given:
    """The head signed, seeing the request alone; the chair asks for changes."""
    rules = under(policy(step("head", looks_at=("request",)), step("chair"), resubmission="minimal"))
    return given(*drafted(), c.SubmitRequest(), sign("head", signer), back("chair", CHAIR), rules=rules)


def test_a_signature_falls_when_its_signer_has_joined_the_journey() -> None:
    """Nobody approves their own trip, also not beforehand; the registers say who an account is."""
    file = headed(HEAD.model_copy(update={"person": person("hoa").ref})).further(member("hoa"))
    file.play.others = (Actor(id="head", roles=("approver",), person=person("hoa").ref),)
    assert fallen(file) == [("own_trip", ("head",), ("head",))]
    assert [one.id for one in file.state.open_steps] == ["head"]


def test_a_signature_falls_when_the_one_in_whose_name_it_was_given_runs_the_file() -> None:
    """And so it does when that is another account of the same person."""
    for runs, known in (("boss", ()), ("boss-too", (Actor(id="boss", roles=(), aliases=("boss-too",)),))):
        file = headed(substitute(stands_in("head", "boss"))).further(c.HandOver(to=runs))
        file.play.others = known
        assert fallen(file) == [("own_request", ("head",), ("substitute",))]


def test_a_signature_falls_when_its_signer_has_written_since() -> None:
    """What they wrote is nothing that their step looks at."""
    file = headed(HEAD).further(Said(ESTIMATE, HEAD.model_copy(update={"roles": ("coordinator",)})))
    assert fallen(file) == [("own_request", ("head",), ("head",))]


def test_of_two_signatures_of_one_person_the_first_stands() -> None:
    """That they are one person became known since."""
    file = returned_by_chair()
    file.play.others = tuple(
        Actor(id=one, roles=(), aliases=(other,)) for one, other in (("head", "finance"), ("finance", "head"))
    )
    assert fallen(file) == [("signed_another_step", ("finance",), ("finance",))]
    assert [one.id for one in file.state.open_steps] == ["finance"]


def test_a_signature_falls_when_its_right_turns_out_to_be_the_signer_s_own_gift() -> None:
    """The account that entered the tenure is theirs too."""
    held = Held(position="head", tenure="ten-1", since=SINCE, granted_by=("root",))
    file = headed(HEAD.model_copy(update={"tenures": (held,)}))
    file.play.others = (Actor(id="head", roles=(), aliases=("root",)),)
    assert fallen(file) == [("granted_by_oneself", ("head",), ("head",))]


def test_a_carried_signature_without_a_conflict_stands_as_before() -> None:
    """Nothing is said where nothing falls."""
    file = returned_by_chair()
    file.play.others = (Actor(id="head", roles=("approver",), person="per_x", aliases=("head-too",)),)
    assert fallen(file) == []
    assert file.state.proposal is not None
    assert [one.status for one in file.state.proposal.steps] == ["signed", "signed", "open"]


def test_part_of_a_quorum_falls_by_name() -> None:
    """The other's signature stands; one place is asked again."""
    board = step("board", n_of={"count": 2, "positions": ("a", "b", "c")}, looks_at=("request",))
    rules = under(policy(board, step("chair"), resubmission="minimal"))
    file = given(
        *drafted(),
        c.SubmitRequest(),
        sign("board", holding("a")),
        sign("board", holding("b")),
        back("chair", CHAIR),
        c.HandOver(to="b"),
        rules=rules,
    )
    assert fallen(file) == [("own_request", ("board",), ("b",))]
    [board_now] = file.state.open_steps
    assert ([one.by for one in board_now.signed_by], board_now.waits_for) == (["a"], ("b", "c"))


# Nothing falls unseen


def test_where_the_whole_chain_signs_again_the_trail_says_whose_signatures_fell() -> None:
    """Before the new proposal, in the same decision."""
    done = returned_by_chair(WHOLE).when(c.SubmitRequest())
    done.then(
        e.SignaturesVoided(proposal=1, parts=(), steps=("head", "finance"), because="whole_chain"), e.RequestSubmitted
    )


def test_what_an_edit_voided_is_not_said_twice() -> None:
    """The estimate struck finance; the resubmission strikes the rest."""
    assert fallen(returned_by_chair(WHOLE).further(ESTIMATE)) == [("whole_chain", ("head",), ())]


def test_another_policy_asks_anew_and_the_trail_says_so() -> None:
    """Of the whole chain where the policy is another; of the step alone where only that changed."""
    another = under(policy(*(step(one) for one in ("head", "chair")), id="OTHER", resubmission="minimal"))
    file = returned_by_chair()
    file.play.newest = another
    file.further(c.AdoptRules())
    file.play.edition = another
    assert fallen(file) == [("chain_changed", ("head", "finance"), ())]


def test_a_withdrawn_proposal_and_the_decided_one_lose_nothing() -> None:
    """The withdrawal says it all; and what was decided keeps its signatures when a change asks its chain."""
    withdrawn = given(*drafted(), c.SubmitRequest(), sign("head", HEAD), c.WithdrawRequest(reason=text()), rules=WHOLE)
    assert fallen(withdrawn) == []
    assert [one.type for one in given(*amending()).play.events if one.type == "SignaturesVoided"] == []


def test_rules_do_not_change_under_the_hands_of_who_signs() -> None:
    """Ceilings and limits were signed: neither while a proposal waits nor while a change does."""
    file = given(*submitted(), sign("department_head", DEPARTMENT_HEAD))
    file.play.newest = WHOLE
    file.when(c.AdoptRules()).then_refused("wrong_phase", phase="under_approval")
    change = given(*amending())
    change.play.newest = WHOLE
    change.when(c.AdoptRules()).then_refused("change_under_approval")
    file.further(c.WithdrawRequest(reason=text())).when(c.AdoptRules()).then(e.RulesAdopted)


# Handing over


def test_who_signed_what_is_under_approval_cannot_come_to_run_it() -> None:
    """Nor in whose name it was signed, nor by another account. Once it came back they may: their signature falls."""
    file = given(*submitted(), sign("department_head", BOTH))
    file.when(c.HandOver(to=BOTH.id)).then_refused("coordinator_signed", field="to")
    file.play.others = (Actor(id="head-too", roles=("coordinator",), aliases=(BOTH.id,)),)
    file.when(c.HandOver(to="head-too")).then_refused("coordinator_signed", field="to")
    for_vice = sign("vice_president", substitute(VICE_AWAY))
    deputised = given(*submitted(), sign("department_head", DEPARTMENT_HEAD), for_vice)
    assert deputised.state.phase is Phase.UNDER_APPROVAL
    for behind in ("substitute", "vice-president"):
        deputised.when(c.HandOver(to=behind)).then_refused("coordinator_signed", field="to")
    deputised.when(c.HandOver(to=OTHER_COORDINATOR.id)).accepted()
    asked_for(MOVE).when(c.HandOver(to="finance")).then_refused("coordinator_signed", field="to")
    returned_by_chair().when(c.HandOver(to="head")).accepted()


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ((), "coordinator_unknown"),
        ((Actor(id="coordinator-2", roles=("approver",)),), "coordinator_unknown"),
        ((Actor(id="coordinator-2", roles=("coordinator",), organisation="hue"),), "coordinator_out_of_reach"),
        ((Actor(id="coordinator-2", roles=("coordinator",), organisation="central"),), None),
    ],
    ids=["unknown", "no coordinator", "out of reach", "of the union above"],
)
def test_the_decision_itself_asks_who_is_to_run_the_file(known: tuple[Actor, ...], code: str | None) -> None:
    """With the registers as they are at that instant, whatever was seen when the command was sent."""
    file = given(*drafted(), above=("central",))
    file.play.others = known
    done = file.when(c.HandOver(to="coordinator-2"))
    assert (done.refusal.code if done.refusal else None) == code


def test_a_decision_asks_after_those_it_is_about() -> None:
    """Who signed, in whose name, and who is to run the file; nobody where no command is about others."""
    file = given(*submitted(), sign("department_head", substitute(stands_in("department_head", "boss"))))
    assert asked_after(file.state, [{"type": "submit_request"}]) == frozenset({"substitute", "boss"})
    assert asked_after(file.state, [{"type": "hand_over", "to": "x"}]) == frozenset({"substitute", "boss", "x"})
    assert asked_after(None, [{"type": "hand_over", "to": 3}]) == frozenset()
    assert asked_after(file.state, [{"type": "sign_off"}]) is None


# Rights made by oneself


def test_a_tenure_that_its_holder_entered_gives_no_right() -> None:
    """Neither to an alias, nor to who stands in for them; somebody else's entry does, and is sealed."""
    file = given(*submitted())

    def held(*granted_by: str) -> Actor:
        one = Held(position="department_head", tenure="ten-1", since=SINCE, granted_by=granted_by)
        return DEPARTMENT_HEAD.model_copy(update={"tenures": (one,), "aliases": ("head-too",)})

    for granted_by in (("department-head",), ("root", "department-head"), ("head-too",)):
        refused_and_recorded(file, "department_head", held(*granted_by), "granted_by_oneself")
    deputy = substitute(stands_in("department_head", "boss", tenure_granted_by=("boss",)))
    refused_and_recorded(file, "department_head", deputy, "granted_by_oneself")
    [signed] = file.when(sign("department_head", held("root"))).of(e.StepSigned)
    assert signed.right.granted_by == ("root",)


def test_a_leave_that_its_substitute_entered_gives_no_right() -> None:
    """The leave of who is away, entered by themselves or by an administrator, does; its period is sealed."""
    file = given(*submitted(), sign("department_head", DEPARTMENT_HEAD))
    for granted_by in (("substitute",), ("root", "substitute"), ("substitute-too",)):
        own = stands_in("vice_president", "vice-president", granted_by=granted_by)
        refused_and_recorded(file, "vice_president", substitute(own, aliases=("substitute-too",)), "granted_by_oneself")
    period = {"leave_since": SINCE, "leave_until": datetime(2026, 12, 1, tzinfo=UTC)}
    theirs = stands_in("vice_president", "vice-president", granted_by=("vice-president",), **period)
    [signed] = file.when(sign("vice_president", substitute(theirs))).of(e.StepSigned)
    right = signed.right
    assert (right.granted_by, right.leave_since, right.leave_until) == (("vice-president",), *period.values())


def test_who_gave_themselves_a_position_still_signs_as_somebody_s_substitute() -> None:
    """By the other's right, which is nothing of their own making."""
    own = Held(position="department_head", tenure="ten-1", since=SINCE, granted_by=("department-head",))
    away = stands_in("department_head", "boss", granted_by=("boss",), tenure_granted_by=("root",))
    actor = DEPARTMENT_HEAD.model_copy(update={"tenures": (own,), "substitutions": (away,)})
    [signed] = given(*submitted()).when(sign("department_head", actor)).of(e.StepSigned)
    assert signed.right.on_behalf_of == "boss"


# Letters of outside authorities


def letter(file: Given, name: str, **said: Any) -> c.RecordExternalDecision:
    """The letter of an authority that answers a step."""
    usual = {
        "step_id": name,
        "dossier_digest": dossier(file.state),
        "outcome": "approved",
        "authority": "Ministry",
        "reference": "1/BNG",
        "dated": "2026-02-25",
        "letter": pdf(name),
    }
    return c.RecordExternalDecision.model_validate(usual | said)


def outside() -> Given:
    """Two authorities are asked at once."""
    steps = (step("police", external=True, stage=1), step("ministry", external=True, stage=1), step("chair", stage=2))
    return given(*drafted(), Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:30"), rules=under(policy(*steps)))


def test_a_letter_is_no_older_than_what_it_answers() -> None:
    """By the day, in the file's zone: one of the same day may have been written after the submission."""
    file = outside()
    refused = file.when(letter(file, "police", dated="2026-02-24"))
    refused.then_refused("letter_older_than_proposal", field="dated", dated="2026-02-24", submitted="2026-02-25")
    file.when(letter(file, "police")).then(e.ExternalDecisionRecorded)


def test_one_letter_answers_one_step_of_one_proposal() -> None:
    """Not the next authority's step, and not what is submitted after it was answered."""
    file = outside()
    file.further(letter(file, "police"))
    file.when(letter(file, "ministry", letter=pdf("police"))).then_refused("letter_recorded_already", field="letter")
    returned = letter(file, "ministry", outcome="returned", reason=text())
    file.further(returned, Said(c.SubmitRequest(), COORDINATOR))
    file.when(letter(file, "ministry")).then_refused("letter_recorded_already", field="letter")
    file.when(letter(file, "ministry", letter=pdf("second"))).accepted()


def test_it_is_sealed_as_what_a_letter_was_recorded() -> None:
    """The clerk's role and organisation."""
    file = outside()
    clerk = COORDINATOR.model_copy(update={"organisation": file.state.organisation})
    [recorded] = file.when(letter(file, "police"), by=clerk).of(e.ExternalDecisionRecorded)
    assert (recorded.recorded_as, recorded.organisation) == ("coordinator", file.state.organisation)
