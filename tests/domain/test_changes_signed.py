"""No way leads to a published programme that was not approved, nor to an approved change without its signatures.

What stands approved is kept here from the trail alone, by its own few rules, and held against every publication.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.decision import Actor
from domain.policies import ApprovalChain
from domain.request import parts_now
from domain.seal import SealedEvent
from domain.state import Delegation, Phase
from domain.upcast import read_event
from domain.values import business_date
from tests.builders import COORDINATOR, OTHER_COORDINATOR, Said, dossier, drafted, member, moved, pdf, session, text
from tests.domain.given import given
from tests.domain.player import Play
from tests.domain.policed import holding, policy, step, under
from tests.domain.test_signatures import (
    DEPUTY,
    LOOKS,
    POSITIONS,
    SIGNERS,
    STEP_IDS,
    WAYS,
    WRITERS,
    People,
    _step,
    holds_for_a_stranger,
    new_letter,
    turn_of,
)
from tests.domain.test_signatures import Given as Signature

ABOUT = st.lists(st.sampled_from(["request", "member", "programme", "document", "ceiling"]), min_size=1, max_size=3)


class Book:
    """What was submitted, signed, voided and approved, by the trail alone."""

    def __init__(self) -> None:
        self.asked: dict[int, e.RequestSubmitted | e.ChangeSubmitted] = {}
        self.people = People()
        self.standing: dict[int, list[Signature]] = {}
        self.void: set[tuple[int, str]] = set()
        self.over: set[int] = set()
        self.last = 0
        self.approved: Mapping[str, str] = {}
        self.changes = 0
        self._seen = 0

    def read(self, play: Play) -> list[str]:
        """Take what is new in the trail, and return its types."""
        new, self._seen = play.log[self._seen :], len(play.log)
        for played in new:
            self.people.read(played, play.edition)
            for sealed in played.events:
                self._take(sealed)
        return [sealed.type for played in new for sealed in played.events]

    def _take(self, sealed: SealedEvent) -> None:
        match one := read_event(sealed):
            case e.RequestSubmitted() | e.ChangeSubmitted():
                self._submitted(one)
            case e.StepSigned():
                self._sign(one.step_id, one.digest, one.right.position, sealed.actor, one.right.on_behalf_of)
            case e.ExternalDecisionRecorded(outcome="approved"):
                self._sign(one.step_id, one.digest, None, sealed.actor)
            case e.StepReturned() | e.StepRejected() | e.ExternalDecisionRecorded():
                self.over.add(self.last)
            case e.SignaturesVoided() if not one.signers:
                self.void |= {(one.proposal, name) for name in one.steps}
            case e.ChangeSuperseded():
                self.over.add(one.proposal)
            case e.DecisionIssued():
                assert one.digest == self.asked[self.last].digest
                self.approved = self._whole(self.last)
            case _:
                pass

    def _submitted(self, one: e.RequestSubmitted | e.ChangeSubmitted) -> None:
        assert one.proposal == self.last + 1
        self.asked[one.proposal], self.standing[one.proposal] = one, []
        plans = {plan.id: plan for plan in one.steps}
        for carried in one.carried:
            position = None if carried.external else carried.right.position
            name_of = None if carried.external else carried.right.on_behalf_of
            given_once = Signature(carried.proposal, carried.digest, carried.step_id, position, carried.by, name_of)
            assert carried.external or not self.people.against(given_once), "carried over for who wrote, ran or travels"
            assert given_once in self.standing[carried.proposal], "a signature was carried over that nobody gave"
            source = self.asked[carried.proposal]
            looks_at = plans[carried.step_id].looks_at
            assert _seen(source, looks_at) == _seen(one, looks_at), "carried over though its parts changed"
            self.standing[one.proposal].append(given_once)
            assert (self.last, carried.step_id) not in self.void, "a void signature was carried over"
        self.last = one.proposal
        if isinstance(one, e.ChangeSubmitted):
            assert not self._approved_now(), "nobody was asked about a change"

    def _sign(self, step_id: str, digest: str, position: str | None, by: str, name_of: str | None = None) -> None:
        now, standing = self.asked[self.last], self.standing[self.last]
        assert self.last not in self.over, "a signature on what is no longer asked"
        assert digest == now.digest, "a signature on a dossier that does not stand"
        assert turn_of(now.steps, standing, step_id), "a signature before its turn, or after it"
        new = Signature(self.last, digest, step_id, position, by, name_of)
        assert position is None or not self.people.against(new), "somebody signed what they wrote, ran or travel on"
        standing.append(new)
        self._approved_now()

    def _complete(self, number: int) -> bool:
        for plan in self.asked[number].steps:
            of_step = [one for one in self.standing[number] if one.step == plan.id]
            positions = {one.position for one in of_step}
            assert positions <= ({None} if plan.external else set(plan.positions or (plan.position,)))
            if (number, plan.id) in self.void or len(positions) < (plan.needed or 1):
                return False
        people = [who for one in self.standing[number] if one.position is not None for who in one.people]
        assert len(set(people)) == len(people), "somebody fills two places"
        return True

    def _approved_now(self) -> bool:
        if isinstance(self.asked[self.last], e.ChangeSubmitted) and self._complete(self.last):
            self.approved = self._whole(self.last)
            self.changes += 1
            return True
        return False

    def _whole(self, number: int) -> dict[str, str]:
        return {part.part: part.commitment for part in self.asked[number].parts}

    def agrees(self, state: Delegation) -> None:
        """Assert that the fold holds the same to be approved."""
        if state.approved is not None and state.phase not in (Phase.DRAFTED, Phase.POSTPONED):
            assert {part.part: part.commitment for part in state.approved.parts} == self.approved


def _seen(submitted: e.RequestSubmitted | e.ChangeSubmitted, looks_at: tuple[str, ...]) -> dict[str, str]:
    return {
        part.part: part.commitment
        for part in submitted.parts
        if not looks_at or part.part.split(":", maxsplit=1)[0] in looks_at
    }


def unapproved(book: Book, play: Play, about: tuple[str, ...]) -> set[str]:
    """Return the parts that the policy is about and that differ from what the trail says was approved."""
    assert play.state is not None
    now = {part.part: part.commitment for part in parts_now(play.state, play.edition)}
    return {
        name
        for name in {*now, *book.approved}
        if now.get(name) != book.approved.get(name) and name.split(":", maxsplit=1)[0] in about
    }


@st.composite
def change_policies(draw: st.DrawFn) -> ApprovalChain:
    """A policy for changes: one to three steps, of which some look at each kind of part that it is about."""
    about = tuple(dict.fromkeys(draw(ABOUT)))
    count, stage, steps = draw(st.sampled_from([1, 2, 2, 3])), 1, []
    for number in range(count):
        stage += draw(st.integers(0, 1)) if number else 0
        steps.append(_step(number, draw(WAYS), stage, draw(LOOKS)))
    unseen = [kind for kind in about if all(one["looks_at"] and kind not in one["looks_at"] for one in steps)]
    if unseen:
        steps[-1] = steps[-1] | {"looks_at": tuple(dict.fromkeys((*steps[-1]["looks_at"], *unseen)))}
    return policy(
        *steps,
        id="CHANGE",
        matter="programme_change",
        about=about,
        resubmission=draw(st.sampled_from(["minimal", "minimal", "whole"])),
    )


class Turn(NamedTuple):
    """Somebody does something."""

    what: str
    who: int
    number: int


EDIT = st.builds(Turn, what=st.just("edit"), who=st.integers(0, 4), number=st.integers(0, 6))
ONWARD = st.builds(Turn, what=st.just("onward"), who=st.integers(0, 2), number=st.integers(0, 5))
BACK = st.builds(Turn, what=st.sampled_from(["return", "reject"]), who=st.integers(0, 2), number=st.integers(0, 5))
ANYTHING = st.builds(
    Turn,
    what=st.sampled_from(["sign", "stale", "edit", "publish", "submit", "hand_over", "depart", "both", "pause"]),
    who=st.integers(0, len(SIGNERS) - 1),
    number=st.integers(0, 5),
)


@st.composite
def ways(draw: st.DrawFn) -> list[Turn]:
    """Rounds of editing, asking, signing or sending back, and publishing; here and there anything else."""
    turns: list[Turn] = []
    for _ in range(draw(st.integers(1, 4))):
        turns += draw(st.lists(EDIT, min_size=1, max_size=2))
        if draw(st.booleans()):
            turns += [*draw(st.lists(ONWARD, min_size=1, max_size=3)), draw(st.one_of(BACK, EDIT)), draw(EDIT)]
        turns += [*draw(st.lists(ONWARD, min_size=4, max_size=8)), Turn("publish", 0, 0)]
    for one in draw(st.lists(ANYTHING, max_size=3)):
        turns.insert(draw(st.integers(0, len(turns))), one)
    return turns


def asked(turn: Turn, state: Delegation) -> tuple[Actor, tuple[Any, ...]]:
    """Return who sends what, as one."""
    signer = SIGNERS[turn.who % len(SIGNERS)]
    signature = {
        "step_id": STEP_IDS[turn.number % 3],
        "dossier_digest": "0" * 64 if turn.what == "stale" else dossier(state),
    }
    match turn.what:
        case "edit":
            return WRITERS[turn.who % len(WRITERS)], (edit(turn, state),)
        case "onward" | "return" | "reject":
            return onward(turn, state)
        case "sign" | "stale":
            return signer, (c.SignOff.model_validate(signature),)
        case "both":
            both = Actor(id="both", roles=("coordinator", "approver"), positions=POSITIONS)
            return both, (edit(turn, state), c.SignOff.model_validate(signature))
        case "submit":
            return (COORDINATOR, OTHER_COORDINATOR)[turn.number % 2], (edit(turn, state), c.SubmitChange())
        case "hand_over":
            return COORDINATOR, (c.HandOver(to=("1-a", "1-b", "coordinator")[turn.number % 3]),)
        case "depart":
            return COORDINATOR, (c.Depart(),)
        case "pause":
            if state.phase is Phase.POSTPONED:
                days = {"starts": "2026-05-11", "ends": "2026-05-17"}
                return COORDINATOR, (c.Resume.model_validate(days),)
            return COORDINATOR, (c.Postpone(reason=text()),)
        case _:
            return COORDINATOR, ((c.Invite() if state.phase is Phase.APPROVED else c.PublishProgramme()),)


def edit(turn: Turn, state: Delegation) -> Any:
    """An edit of the programme, the people or the documents."""
    return (
        moved("tuesday", f"2026-04-07T{9 + (turn.who + len(state.superseded)) % 5:02}:00", "2026-04-07T18:00"),
        c.AttachDocument(document_id=f"doc-{len(state.documents)}", kind="note", attachment=pdf("doc")),
        member(f"m{turn.who}"),
        c.WithdrawMember(member_id=f"m{turn.who}"),
        session(f"s{turn.who}"),
        c.CancelItem(item_id=f"s{turn.who}"),
        moved("tuesday", "2026-04-07T09:00", "2026-04-07T11:00"),
    )[turn.number % 7]


def onward(turn: Turn, state: Delegation) -> tuple[Actor, tuple[Any, ...]]:
    """What brings a change on: an open step is answered by who may, else the change is submitted."""
    if not state.open_steps:
        submit = c.SubmitRequest() if state.phase in (Phase.DRAFTED, Phase.RETURNED) else c.SubmitChange()
        if state.phase is Phase.UNDER_APPROVAL:
            return COORDINATOR, (c.IssueDecision(number="28/QĐ"),)
        return COORDINATOR, (submit,)
    one = state.open_steps[turn.number % len(state.open_steps)]
    body: dict[str, Any] = {"step_id": one.id, "dossier_digest": dossier(state)}
    if one.plan.external:
        outcome = {"return": "returned", "reject": "rejected"}.get(turn.what, "approved")
        submitted = state.current_proposal.submitted_at if state.current_proposal else state.opened_at
        dated = business_date(submitted, state.zone)
        letter = {"authority": "Ministry", "reference": "1/BNG", "dated": dated, "letter": pdf(new_letter(state))}
        return COORDINATOR, (c.RecordExternalDecision.model_validate(body | letter | {"outcome": outcome}),)
    proposal = state.current_proposal
    busy = {sign.by for other in proposal.steps for sign in other.signed_by} if proposal else set()
    position = one.waits_for[turn.who % len(one.waits_for)]
    free = [who for who in SIGNERS if who.positions == (position,) and who.id not in busy | state.own]
    signer = DEPUTY if not free or (position == "a" and turn.number % 3 == 2) else free[0]
    match turn.what:
        case "return":
            return signer, (c.ReturnStep.model_validate(body | {"kind": "amend", "reason": text()}),)
        case "reject":
            return signer, (c.RejectStep.model_validate(body | {"reason": text()}),)
        case _:
            return signer, (c.SignOff.model_validate(body),)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(change=change_policies(), looks=LOOKS, turns=ways())
def test_no_way_leads_to_a_published_programme_that_was_not_approved(
    change: ApprovalChain, looks: tuple[str, ...], turns: list[Turn]
) -> None:
    """Each publication and invitation holds, of what the policy is about, exactly what all its steps signed."""
    rules = under(policy(step(STEP_IDS[0], position="a", looks_at=looks)), change)
    begun = given(
        *drafted(),
        Said(c.SubmitRequest(), COORDINATOR),
        lambda state: Said(c.SignOff(step_id=STEP_IDS[0], dossier_digest=dossier(state)), holding("a", name="1-a")),
        c.IssueDecision(number="27/QĐ"),
        rules=rules,
    )
    play, book = begun.play, Book()
    play.others = SIGNERS
    book.read(play)
    now, published = begun.now, 0
    for turn in turns:
        now += timedelta(minutes=7)
        assert play.state is not None
        if play.state.phase in (Phase.REJECTED, Phase.CANCELLED):
            break
        actor, commands = asked(turn, play.state)
        play.decide("turn", actor, tuple(one.model_dump(mode="json") for one in commands), now)
        new = book.read(play)
        book.agrees(play.state)
        if {"ProgrammePublished", "DelegationInvited"} & set(new) and play.state.decision is not None:
            assert unapproved(book, play, change.about) == set()
            published += 1
    holds_for_a_stranger(play)
    event(f"published: {min(published, 2)}, changes approved: {min(book.changes, 2)}")
