"""A change after the decision: who is asked, on which digest, and what becomes of it."""

from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.deadlines import standing
from domain.decision import Actor
from domain.desk import desks
from domain.state import Phase
from tests.builders import (
    COORDINATOR,
    OTHER_COORDINATOR,
    Said,
    Step,
    dossier,
    drafted,
    instant,
    member,
    moved,
    pdf,
    serving,
    session,
    sign,
    text,
)
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step, under

HEAD = holding("head")
FINANCE = holding("finance")
CHAIR = holding("chair")

CHAIN = policy(
    step("head", looks_at=("request", "member", "programme")),
    step("finance", looks_at=("member", "ceiling")),
    step("chair", signature_prefix="TM"),
    resubmission="minimal",
)
CHANGE_STEPS = (
    step("head", looks_at=("member", "programme"), time_limit_working_days=1, escalate_to="chair"),
    step("finance", looks_at=("member",), time_limit_working_days=1),
    step("chair", looks_at=("request", "member", "programme"), time_limit_working_days=2, signature_prefix="TM"),
)
ABOUT = ("request", "member", "programme")


def changes(*steps: dict[str, Any], **said: Any) -> Any:
    """Return a policy for changes after the decision."""
    usual = {"id": "CHANGE", "matter": "programme_change", "about": ABOUT, "resubmission": "minimal"}
    return policy(*(steps or CHANGE_STEPS), **(usual | said))


RULES = under(CHAIN, changes())
FREE = under(CHAIN)
MOVE = moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00")
BACK_AGAIN = moved("tuesday", "2026-04-07T09:00", "2026-04-07T11:00")
NOTE = c.AttachDocument(document_id="note", kind="note_verbale", attachment=pdf("note"))


def decided(rules: Any = RULES) -> Given:
    """All three have signed, and the decision is issued."""
    return given(
        *drafted(),
        Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:30"),
        sign("head", HEAD, "2026-02-26T09:00"),
        sign("finance", FINANCE, "2026-02-27T09:00"),
        sign("chair", CHAIR, "2026-02-27T10:00"),
        Said(c.IssueDecision(number="27/QĐ"), COORDINATOR, "2026-02-27T15:00"),
        rules=rules,
    )


def inviting(rules: Any = RULES) -> Given:
    """The programme is in everybody's calendar."""
    return decided(rules).further(Said(c.Invite(), COORDINATOR, "2026-03-10T09:00"))


def asked_for(*edits: Step, file: Given | None = None) -> Given:
    """The change is made and submitted."""
    return (file or inviting()).further(*edits, c.SubmitChange())


def answer(command: type[Any], name: str, by: Actor, **said: Any) -> Step:
    """An answer to a step, on the digest that is to be signed."""
    body = {"step_id": name, "reason": text()} | said
    return lambda state: Said(command.model_validate(body | {"dossier_digest": dossier(state)}), by)


# Who is asked


def test_only_those_who_looked_at_what_changed_are_asked() -> None:
    """A moved session concerns head and chair; finance's signature of the decided proposal is carried over."""
    file = inviting()
    decided_digest = dossier(file.state)
    done = file.further(MOVE).when(c.SubmitChange())
    (submitted,) = done.then(e.ChangeSubmitted).of(e.ChangeSubmitted)
    assert (submitted.proposal, submitted.changed, submitted.about) == (2, ("programme",), ABOUT)
    assert submitted.chain == e.RuleRef(rule="CHANGE", version=1)
    assert submitted.carried == (
        e.CarriedSignature(
            step_id="finance",
            proposal=1,
            digest=decided_digest,
            by="finance",
            at=instant("2026-02-27T09:00"),
            right=e.Right(position="finance"),
        ),
    )
    assert submitted.digest not in (decided_digest, "")
    assert [one.id for one in file.state.open_steps] == ["head"]
    assert [one.key for one in done.effects] == ["step:2:head"]
    file.further(sign("head", HEAD))
    assert [one.id for one in file.state.open_steps] == ["chair"]


def test_the_phase_stays_and_the_decision_stands() -> None:
    """The journey does not wait at a desk."""
    file = asked_for(MOVE)
    assert file.state.phase is Phase.INVITING
    assert file.state.decision is not None
    assert file.state.proposal is not None
    assert file.state.decision.digest == file.state.proposal.digest


def test_a_newcomer_concerns_everybody() -> None:
    """Nothing is carried over where every desk looked at the members."""
    (submitted,) = inviting().further(member("kato")).when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert (submitted.changed, submitted.carried) == (("member:kato", "ceiling"), ())


def test_the_whole_chain_signs_where_the_policy_says_so() -> None:
    """The policy's switch holds for changes too."""
    file = inviting(under(CHAIN, changes(resubmission="whole"))).further(MOVE)
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert submitted.carried == ()


def test_a_desk_that_saw_less_then_than_it_is_asked_now_signs_itself() -> None:
    """Finance never looked at the programme; a change policy that wants it to cannot lean on the earlier signature."""
    steps = (CHANGE_STEPS[0], step("finance", looks_at=("request", "ceiling")), CHANGE_STEPS[2])
    (submitted,) = inviting(under(CHAIN, changes(*steps))).further(MOVE).when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert submitted.carried == ()


@pytest.mark.parametrize("other", [{"position": "treasurer"}, {"all_of": ("finance", "treasurer")}, {"external": True}])
def test_a_desk_is_not_another_because_its_step_has_the_same_name(other: dict[str, Any]) -> None:
    """Whom the change policy asks in the place of finance has signed nothing yet."""
    steps = (CHANGE_STEPS[0], step("finance", looks_at=("member",), **other), CHANGE_STEPS[2])
    (submitted,) = inviting(under(CHAIN, changes(*steps))).further(MOVE).when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert submitted.carried == ()


@pytest.mark.parametrize("edit", [NOTE, serving("lan"), c.RecordFormality(kind="police_notified")])
def test_what_the_policy_is_not_about_needs_no_approval(edit: Step) -> None:
    """A note verbale joins the file, and the programme can be published."""
    file = decided().further(edit)
    file.when(c.SubmitChange()).then_refused("nothing_to_approve")
    file.when(c.Invite()).accepted()


def test_an_edit_taken_back_before_it_was_submitted_is_no_change() -> None:
    """What stands is what was approved."""
    file = inviting().further(MOVE, BACK_AGAIN)
    file.when(c.SubmitChange()).then_refused("nothing_to_approve")


def test_a_change_is_asked_for_once() -> None:
    """It is under approval as it stands."""
    asked_for(MOVE).when(c.SubmitChange()).then_refused("nothing_to_approve")


def test_a_breach_that_a_change_brings_is_justified_first() -> None:
    """As for a proposal."""
    file = inviting(under(CHAIN, changes()))
    rules = file.play.edition
    limit = rules.limits[0].model_copy(
        update={"id": "FEW", "what": "members", "direction": "inbound", "allowed": 2, "issuer": None}
    )
    file.play.edition = rules.model_copy(update={"limits": (limit,)})
    file.further(member("kato"))
    file.when(c.SubmitChange()).then_refused("limit_unjustified", limit="FEW")
    file.further(c.JustifyLimit(limit="FEW", justification=text()))
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert [one.limit for one in submitted.breaches] == ["FEW"]


def test_somebody_has_to_travel() -> None:
    """A change that leaves nobody is a cancellation, not a change."""
    file = inviting().further(c.WithdrawMember(member_id="sato"), c.WithdrawMember(member_id="ito"))
    file.when(c.SubmitChange()).then_refused("no_members")


@pytest.mark.parametrize("phase", ["drafted", "reporting"])
def test_a_change_is_submitted_between_decision_and_return_alone(phase: str) -> None:
    """Before it is part of the proposal, afterwards there is nothing left to approve."""
    if phase == "drafted":
        file = given(*drafted(), rules=RULES)
    else:
        file = inviting().further(Said(c.Depart(), COORDINATOR, "2026-04-06T10:00"), MOVE, c.Conclude())
    file.when(c.SubmitChange()).then_refused("wrong_phase", command="submit_change")


# Edits while it waits


def test_an_edit_of_what_it_is_about_supersedes_a_change_under_approval() -> None:
    """Visibly, with the signatures that fall; who had the old one open is told that it was replaced."""
    file = asked_for(MOVE).further(sign("head", HEAD))
    old = dossier(file.state)
    file.when(moved("tuesday", "2026-04-07T15:00", "2026-04-07T17:00")).then(
        e.ItemMoved,
        e.ChangeSuperseded(proposal=2, parts=("programme",)),
        e.SignaturesVoided(proposal=2, parts=("programme",), steps=("head",)),
    )
    assert file.state.open_steps == ()
    signature = c.SignOff(step_id="chair", dossier_digest=old)
    file.when(signature, by=CHAIR).then_refused("dossier_superseded")
    file.when(signature, by=HEAD).then_refused("not_entitled_to_sign")
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert ([one.step_id for one in submitted.carried], submitted.proposal) == (["finance"], 3)
    file.when(signature, by=CHAIR).then_refused("dossier_superseded")


def test_what_was_signed_of_a_superseded_change_stands_where_nothing_changed() -> None:
    """The head signed the programme; the newcomer concerns finance, whose signature was carried over until then."""
    steps = (step("head", looks_at=("programme",)), step("finance", looks_at=("member",)), CHANGE_STEPS[2])
    file = asked_for(MOVE, file=inviting(under(CHAIN, changes(*steps)))).further(sign("head", HEAD))
    file.when(member("kato")).then(
        e.MemberAdded,
        e.ChangeSuperseded(proposal=2, parts=("member:kato",)),
        e.SignaturesVoided(proposal=2, parts=("member:kato",), steps=("finance",)),
    )
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert [(one.step_id, one.proposal) for one in submitted.carried] == [("head", 2)]


def test_a_document_does_not_supersede_a_change() -> None:
    """The policy is not about documents."""
    file = asked_for(MOVE)
    file.when(NOTE).then(e.DocumentAttached)
    file.further(sign("head", HEAD), sign("chair", CHAIR))
    assert file.state.amended is not None


def test_an_edit_taken_back_leaves_nothing_to_approve() -> None:
    """The change is superseded, and the file is what was decided: publishing is free again."""
    file = asked_for(MOVE).further(BACK_AGAIN)
    file.when(c.SubmitChange()).then_refused("nothing_to_approve")
    file.when(c.PublishProgramme()).then_refused("programme_unchanged")


def test_nobody_signs_what_was_edited_a_moment_before_in_the_same_batch() -> None:
    """Edit and signature decided as one: the edit supersedes first, and who wrote it is no signer of it."""
    file = asked_for(MOVE).further(sign("head", HEAD))
    both = Actor(id="both", roles=("coordinator", "approver"), positions=("chair",))
    edit = moved("tuesday", "2026-04-07T15:00", "2026-04-07T17:00")
    signature = c.SignOff(step_id="chair", dossier_digest=dossier(file.state))
    file.when(edit, signature, by=both).then_refused("own_request", index=1)
    file.further(edit).when(signature, by=CHAIR).then_refused("dossier_superseded")


def test_edit_and_submission_in_one_go() -> None:
    """The usual way of a coordinator."""
    done = inviting().when(MOVE, c.SubmitChange())
    done.then(e.ItemMoved, e.ChangeSubmitted)


# Returned and refused


def test_a_returned_change_is_edited_and_submitted_again() -> None:
    """Minimal resubmission against the change that came back; what the edit touched is void at once."""
    file = asked_for(member("kato")).further(sign("head", HEAD), sign("finance", FINANCE))
    file.further(answer(c.ReturnStep, "chair", CHAIR, kind="amend"))
    assert (file.state.phase, file.state.open_steps) == (Phase.INVITING, ())
    assert [one.account for one in desks(file.state)] == ["coordinator"]
    file.when(c.PublishProgramme()).then_refused("change_unapproved")
    (fallen,) = file.when(MOVE).of(e.SignaturesVoided)
    assert (fallen.proposal, fallen.steps) == (2, ("head",))
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert [(one.step_id, one.proposal) for one in submitted.carried] == [("finance", 2)]
    assert [one.id for one in file.state.open_steps] == ["head"]


def test_a_void_signature_of_a_change_stays_void_though_the_edit_is_taken_back() -> None:
    """As for a proposal that came back."""
    file = asked_for(member("kato")).further(sign("head", HEAD), sign("finance", FINANCE))
    file.further(answer(c.ReturnStep, "chair", CHAIR, kind="amend"), MOVE, BACK_AGAIN)
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert [one.step_id for one in submitted.carried] == ["finance"]


def test_a_change_goes_back_as_incomplete_once_whatever_happened_to_the_request() -> None:
    """It is counted for each change."""
    file = asked_for(MOVE).further(answer(c.ReturnStep, "head", HEAD, missing=["reasons"]))
    file.further(c.SubmitChange())
    again = answer(c.ReturnStep, "head", HEAD, missing=["more"])
    file.when(again).then_refused("returned_once_already")
    file.further(sign("head", HEAD), sign("chair", CHAIR), BACK_AGAIN, c.SubmitChange())
    file.when(again).accepted()


def test_a_refused_change_ends_itself_and_not_the_delegation() -> None:
    """The decision stands; what changed stays unpublished until it is taken back or another change is approved."""
    file = asked_for(MOVE).further(sign("head", HEAD))
    file.when(answer(c.RejectStep, "chair", CHAIR)).then(e.StepRejected)
    assert (file.state.phase, file.state.open_steps) == (Phase.INVITING, ())
    file.when(c.PublishProgramme()).then_refused("change_unapproved")
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert [(one.step_id, one.proposal) for one in submitted.carried] == [("finance", 1)]
    file.further(answer(c.RejectStep, "head", HEAD), BACK_AGAIN)
    file.when(c.SubmitChange()).then_refused("nothing_to_approve")
    file.when(session("third")).then(e.ItemScheduled)


@pytest.mark.parametrize("command", [c.ReturnStep, c.RejectStep])
def test_without_a_change_under_approval_nothing_is_answered(command: type[Any]) -> None:
    """The chain of the decided proposal is over."""
    file = inviting()
    file.when(sign("chair", CHAIR)).then_refused("wrong_phase")
    file.when(answer(command, "chair", CHAIR)).then_refused("wrong_phase")
    file.further(MOVE, c.SubmitChange(), answer(c.ReturnStep, "head", HEAD))
    file.when(sign("head", HEAD)).then_refused("wrong_phase")


def test_an_outside_authority_answers_a_change_by_letter() -> None:
    """Approved, it counts as the step's signature; refused, it ends the change alone."""
    steps = (step("ministry", external=True, looks_at=("member",), time_limit_working_days=2), CHANGE_STEPS[2])
    file = asked_for(member("kato"), file=inviting(under(CHAIN, changes(*steps))))

    def letter(outcome: str) -> Step:
        said = {"outcome": outcome, "authority": "Ministry", "reference": "1/BNG", "dated": "2026-03-10"}
        return answer(c.RecordExternalDecision, "ministry", COORDINATOR, letter=pdf(outcome), **said)

    file.when(letter("rejected")).then(e.ExternalDecisionRecorded)
    assert file.state.phase is Phase.INVITING
    file.further(c.SubmitChange(), letter("approved"), sign("chair", CHAIR), c.PublishProgramme())
    file.further(MOVE)
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert [(one.step_id, one.external and one.external.reference) for one in submitted.carried] == [
        ("ministry", "1/BNG")
    ]


# Who may sign it


def test_nobody_who_asked_for_the_change_signs_it() -> None:
    """Who submitted it, who runs the file, who opened it."""
    for who in ("coordinator-2", "coordinator"):
        file = inviting().further(MOVE, Said(c.SubmitChange(), OTHER_COORDINATOR))
        file.when(sign("head", holding("head", name=who))).then_refused("own_request")


def test_nobody_signs_a_change_of_their_own_trip() -> None:
    """Also not when they join by this very change."""
    file = asked_for(member("kato"))
    traveller = HEAD.model_copy(update={"person": member("kato").person.ref})
    file.when(sign("head", traveller)).then_refused("own_trip")


def test_nobody_fills_two_places_of_a_change_carried_signatures_count() -> None:
    """Finance's signature was carried over, so finance does not sign as chair."""
    file = asked_for(MOVE).further(sign("head", HEAD))
    file.when(sign("chair", holding("chair", name="finance"))).then_refused("signed_another_step")
    file.when(sign("chair", holding("chair", name="head"))).then_refused("signed_another_step")


def test_an_attempt_without_right_is_recorded() -> None:
    """As for a proposal."""
    file = asked_for(MOVE)
    file.when(sign("head", FINANCE)).then_refused("not_entitled_to_sign")
    assert file.play.log[-1].events[-1].type == "SignOffRefused"


def test_the_decided_digest_signs_no_change() -> None:
    """Another dossier was asked for in its place."""
    file = inviting()
    decided_digest = dossier(file.state)
    file.further(MOVE, c.SubmitChange())
    file.when(c.SignOff(step_id="head", dossier_digest=decided_digest), by=HEAD).then_refused("dossier_superseded")
    file.when(c.SignOff(step_id="head", dossier_digest="0" * 64), by=HEAD).then_refused("dossier_unknown")


# Desks, due dates, escalation


def test_a_change_lies_on_the_desk_whose_turn_it_is_with_its_own_due_date() -> None:
    """One working day from its submission, by the rule of the change; escalated when nobody answers."""
    file = inviting().further(Said(MOVE, COORDINATOR, "2026-03-16T09:00"), c.SubmitChange())
    (desk,) = desks(file.state)
    assert (desk.what, desk.position, desk.since) == ("head", "head", instant("2026-03-16T09:00"))
    assert str(desk.due_on) == "2026-03-17"
    (due,) = (one for one in standing(file.state) if one.what == "step.head.2")
    assert due.rule == e.RuleRef(rule="CHANGE", version=1)
    file.wait("2026-03-18T08:00")
    kinds = [one.type for played in file.play.log for one in played.events]
    assert kinds.count("StepEscalated") == 1
    assert file.state.amendment is not None
    assert file.state.amendment.steps[0].escalated_to == "chair"
    file.further(sign("head", HEAD, "2026-03-18T09:00"))
    assert [file.state.deadlines[f"step.{name}.2"].status for name in ("head", "chair")] == ["late", "open"]
    file.further(sign("chair", CHAIR))
    assert [file.state.deadlines[f"step.{name}.2"].status for name in ("head", "chair")] == ["late", "met"]
    assert [one.account for one in desks(file.state)] == ["coordinator"]


def test_the_due_date_goes_with_a_change_that_is_superseded() -> None:
    """Nobody is reminded of what is not asked any more."""
    file = asked_for(MOVE).further(BACK_AGAIN)
    assert "step.head.2" not in file.state.deadlines


@pytest.mark.parametrize("end", [c.Postpone(reason=text()), c.CancelDelegation(reason=text())])
def test_the_end_of_the_file_is_the_end_of_its_change(end: Step) -> None:
    """Nothing is open any more."""
    file = asked_for(MOVE).further(end)
    assert file.state.open_steps == ()
    assert [what for what, one in file.state.deadlines.items() if one.status == "open"] == []


def test_a_resumed_delegation_starts_anew_and_counts_on() -> None:
    """What was approved for other dates stands no longer; the next proposal has the next number."""
    file = asked_for(MOVE).further(
        c.Postpone(reason=text()), c.Resume.model_validate({"starts": "2026-05-11", "ends": "2026-05-17"})
    )
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert (submitted.proposal, submitted.carried) == (3, ())
    assert (file.state.amendment, file.state.amended) == (None, None)
