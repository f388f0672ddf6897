"""No way leads to a decision without every signature that the policy asks for, in its order, on what is decided.

The book of signatures is kept here from the trail alone, by its own few rules: nobody who wrote, ran or travels signs,
nobody signs before their stage, nobody fills two places. Who wrote is whoever acted when the dossier came to read
otherwise.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from audit.sign_offs import sign_offs, unsigned
from domain import commands as c
from domain import events as e
from domain.decision import Actor
from domain.institution import Substitution
from domain.request import parts_now
from domain.rules import Edition
from domain.seal import SealedEvent
from domain.state import Delegation, Phase
from domain.upcast import read_event
from domain.values import business_date
from tests.builders import (
    COORDINATOR,
    DELEGATION,
    OTHER_COORDINATOR,
    dossier,
    drafted,
    member,
    moved,
    pdf,
    person,
    text,
)
from tests.domain.given import given
from tests.domain.player import Play, Played
from tests.domain.policed import policy, step, under

POSITIONS = ("a", "b", "c")
TRAVELLER = person("m1").ref
"""The first signer for `b` is somebody whom the list of members may come to name."""

DEPUTY = Actor(
    id="deputy",
    roles=("approver",),
    aliases=("2-b",),
    substitutions=(
        Substitution(
            leave="lea-1",
            account="1-a",
            position="a",
            tenure="ten-1",
            held_since=datetime(2025, 1, 1, tzinfo=UTC),
            in_force=True,
        ),
    ),
)
"""Stands in for the first of `a`, and is one person with the second of `b`."""

SIGNERS = (
    *(
        Actor(
            id=f"{n}-{one}",
            roles=("approver", "coordinator"),
            positions=(one,),
            person=TRAVELLER if (n, one) == (1, "b") else None,
            aliases=("deputy",) if (n, one) == (2, "b") else (),
        )
        for n in (1, 2, 3)
        for one in POSITIONS
    ),
    Actor(id="everything", roles=("approver",), positions=POSITIONS),
    Actor(id="coordinator", roles=("coordinator", "approver"), positions=POSITIONS),
    DEPUTY,
)
WRITERS = (COORDINATOR, COORDINATOR, OTHER_COORDINATOR, *(one for one in SIGNERS if one.id in ("1-c", "2-b")))
"""Who edits: mostly the coordinator, now and then another, or somebody whose signature may be asked for."""
KINDS = ("request", "member", "programme", "ceiling", "document")
STEP_IDS = ("s0", "s1", "s2")


class Given(NamedTuple):
    """A signature as the trail has it: who gave it and in whose name. An outside authority's has no position."""

    proposal: int
    digest: str
    step: str
    position: str | None
    by: str
    name_of: str | None = None

    @property
    def people(self) -> set[str]:
        """Who is behind it; the deputy is one person with the second of `b`."""
        return {{"deputy": "2-b"}.get(one, one) for one in (self.by, self.name_of) if one}


def complete(plan: e.StepPlan, standing: Iterable[Given]) -> bool:
    """Whether the signatures that stand for a step are all that it needs."""
    return len({one.position for one in standing if one.step == plan.id}) >= (plan.needed or 1)


def turn_of(plans: Sequence[e.StepPlan], standing: Collection[Given], step_id: str) -> bool:
    """Whether it is a step's turn, by the plan and the signatures alone: all of earlier stages are complete, it not."""
    plan = next(one for one in plans if one.id == step_id)
    earlier = plans[: plans.index(plan)]
    of_stages_before = [one for one in earlier if one.stage is None or one.stage != plan.stage]
    return not complete(plan, standing) and all(complete(one, standing) for one in of_stages_before)


QUIET = frozenset({"tick", "sign_off", "record_external_decision", "issue_decision", "publish_programme", "invite"})
"""Commands that are not looked at for what they do to the dossier, which takes time."""


class People:
    """Who wrote, ran or travels, by what happened: never by what the file says of itself."""

    def __init__(self) -> None:
        self.own: set[str] = set()
        self.travelling: dict[str, str] = {}
        self._parts: tuple[e.DossierPart, ...] | None = None

    def read(self, played: Played, edition: Edition) -> None:
        """Take what one decision did."""
        for sealed in played.events:
            match one := read_event(sealed):
                case e.CoordinatorChanged():
                    self.own |= {one.previous, one.coordinator}
                case e.DelegationOpened() | e.RequestSubmitted() | e.ChangeSubmitted():
                    self.own.add(sealed.actor)
                case e.MemberAdded():
                    self.travelling[one.member_id] = one.person.ref
                case e.MemberReplaced():
                    del self.travelling[one.member_id]
                    self.travelling[one.by] = one.person.ref
                case e.MemberWithdrawn():
                    del self.travelling[one.member_id]
                case _:
                    pass
        if played.state is not None and played.commands[0]["type"] not in QUIET:
            parts = parts_now(played.state, edition)
            if parts != self._parts:
                self.own.add(played.actor.id)
            self._parts = parts

    def against(self, signature: Given) -> bool:
        """Whether somebody behind a signature wrote, ran or travels."""
        own = {{"deputy": "2-b"}.get(one, one) for one in self.own}
        travels = "1-b" in signature.people and TRAVELLER in self.travelling.values()
        return bool(signature.people & own) or travels


class Book:
    """What was submitted and signed, by the trail alone."""

    def __init__(self) -> None:
        self.parts: dict[int, Mapping[str, str]] = {}
        self.submitted: e.RequestSubmitted | None = None
        self.people = People()
        self.signed: list[Given] = []
        self.void: set[tuple[int, str]] = set()
        self.named: set[tuple[int, str, str]] = set()
        self.withdrawn: set[int] = set()
        self.decided = 0
        self.carried = 0
        self._seen = 0

    def read(self, play: Play) -> None:
        """Take what is new in the trail."""
        for played in play.log[self._seen :]:
            self.people.read(played, play.edition)
            for sealed in played.events:
                self._take(sealed)
        self._seen = len(play.log)
        if play.state is not None and play.state.phase is Phase.RETURNED:
            self._what_differs_is_void(parts_now(play.state, play.edition))

    def _what_differs_is_void(self, parts: tuple[e.DossierPart, ...]) -> None:
        """Assert that no signature stands on what the file no longer is, already before anything is resubmitted."""
        now = self.submitted
        assert now is not None
        file = {part.part: part.commitment for part in parts}
        of_proposal = {one.step for one in self.signed if one.proposal == now.proposal}
        for plan in now.steps:
            if (
                plan.id in of_proposal | {one.step_id for one in now.carried}
                and (now.proposal, plan.id) not in self.void
            ):
                assert _looked_at(file, plan.looks_at) == self._seen_of(now.proposal, plan.looks_at)

    def _take(self, sealed: SealedEvent) -> None:
        match one := read_event(sealed):
            case e.RequestSubmitted():
                fallen = {step for proposal, step in self.void if proposal == one.proposal - 1}
                assert not fallen & {carried.step_id for carried in one.carried}, "a void signature was carried over"
                before, self.submitted = self.submitted, one
                self.parts[one.proposal] = {part.part: part.commitment for part in one.parts}
                assert all(given.position is None or not self.people.against(given) for given in self._standing())
                self._nothing_fell_unseen(before)
            case e.StepSigned():
                self._sign(one.step_id, one.digest, one.right.position, sealed.actor, one.right.on_behalf_of)
            case e.ExternalDecisionRecorded(outcome="approved"):
                self._sign(one.step_id, one.digest, None, sealed.actor)
            case e.SignaturesVoided():
                # What falls by name lets the others of its step stand.
                self.void |= {(one.proposal, step) for step in one.steps if not one.signers}
                self.named |= {(one.proposal, step, who) for step in one.steps for who in one.signers}
            case e.RequestWithdrawn() | e.DelegationResumed() if self.submitted:
                self.withdrawn.add(self.submitted.proposal)
            case e.DecisionIssued():
                self._decide(one)
            case _:
                pass

    def _sign(self, step_id: str, digest: str, position: str | None, by: str, name_of: str | None = None) -> None:
        assert self.submitted is not None
        assert digest == self.submitted.digest, "a signature on a dossier that does not stand"
        new = Given(self.submitted.proposal, digest, step_id, position, by, name_of)
        standing = self._standing()
        assert turn_of(self.submitted.steps, standing, step_id), "a signature before its turn, or after it"
        if position is not None:
            assert not self.people.against(new), "somebody signed what they wrote, ran or travel on"
            assert all(not one.people & new.people for one in standing if one.position), "somebody fills two places"
        self.signed.append(new)

    def _nothing_fell_unseen(self, before: e.RequestSubmitted | None) -> None:
        """Assert that each signature on the proposal before was carried over, or that an event said that it fell."""
        now, number = self.submitted, before.proposal if before else 0
        assert now is not None
        if before is None or number in self.withdrawn:
            return
        kept = {(one.step_id, one.by) for one in now.carried}
        of_before = [(one.step, one.by) for one in self.signed if one.proposal == number]
        for name, by in [*of_before, *((one.step_id, one.by) for one in before.carried)]:
            said = (number, name) in self.void or (number, name, by) in self.named
            assert said or (name, by) in kept, "a signature fell unseen"

    def _standing(self) -> list[Given]:
        """The signatures that stand for the proposal: given on it, or carried over with their parts unchanged."""
        now = self.submitted
        assert now is not None
        standing = [one for one in self.signed if (one.proposal, one.digest) == (now.proposal, now.digest)]
        looks_at = {plan.id: plan.looks_at for plan in now.steps}
        for carried in now.carried:
            position = None if carried.external else carried.right.position
            name_of = None if carried.external else carried.right.on_behalf_of
            once = Given(carried.proposal, carried.digest, carried.step_id, position, carried.by, name_of)
            assert once in self.signed, "a signature was carried over that nobody gave"
            assert self._seen_of(once.proposal, looks_at[once.step]) == self._seen_of(
                now.proposal, looks_at[once.step]
            ), "a signature was carried over though its parts changed"
            standing.append(once)
            self.carried += 1
        return standing

    def _seen_of(self, proposal: int, looks_at: tuple[str, ...]) -> dict[str, str]:
        return _looked_at(self.parts[proposal], looks_at)

    def _decide(self, decision: e.DecisionIssued) -> None:
        now = self.submitted
        assert now is not None
        assert decision.digest == now.digest
        standing = self._standing()
        for plan in now.steps:
            of_step = [one for one in standing if one.step == plan.id]
            positions = {one.position for one in of_step}
            allowed = {None} if plan.external else set(plan.positions or (plan.position,))
            assert positions <= allowed
            assert len(positions) == len(of_step) >= (plan.needed or 1), f"{plan.id} is not signed as it has to be"
        people = [who for one in standing if one.position is not None for who in one.people]
        assert len(set(people)) == len(people), "somebody fills two places"
        self.decided += 1


def _looked_at(parts: Mapping[str, str], looks_at: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in parts.items() if not looks_at or name.split(":")[0] in looks_at}


def _step(number: int, way: str, stage: int, looks_at: tuple[str, ...]) -> dict[str, Any]:
    said: dict[str, dict[str, Any]] = {
        "position": {"position": POSITIONS[number]},
        "one_of": {"one_of": ("a", "b")},
        "all_of": {"all_of": ("b", "c")},
        "n_of": {"n_of": {"count": 2, "positions": POSITIONS}},
        "external": {"external": True},
    }
    return step(STEP_IDS[number], stage=stage, looks_at=looks_at, **said[way])


LOOKS = st.one_of(st.just(()), st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True).map(tuple))
WAYS = st.sampled_from(["position", "position", "position", "external", "one_of", "all_of", "n_of"])


@st.composite
def policies(draw: st.DrawFn) -> Any:
    """One to three steps in stages, mostly with what they look at, mostly with minimal resubmission."""
    count = draw(st.sampled_from([1, 2, 2, 3, 3]))
    stage, steps = 1, []
    for number in range(count):
        stage += draw(st.integers(0, 1)) if number else 0
        steps.append(_step(number, draw(WAYS), stage, draw(LOOKS)))
    return policy(*steps, resubmission=draw(st.sampled_from(["minimal", "minimal", "whole"])))


class Turn(NamedTuple):
    """Somebody does something."""

    what: str
    who: int
    number: int


ANYTHING = st.builds(
    Turn,
    what=st.sampled_from(
        [
            *("sign", "sign", "change", "change", "submit", "external", "decide", "return", "stale"),
            *("withdraw", "hand_over", "reject", "postpone"),
        ]
    ),
    who=st.integers(0, len(SIGNERS) - 1),
    number=st.integers(0, 5),
)
ONWARD = st.builds(Turn, what=st.just("onward"), who=st.integers(0, 2), number=st.integers(0, 5))
BACK = st.builds(Turn, what=st.just("back"), who=st.integers(0, 2), number=st.integers(0, 5))
AMENDED = st.builds(
    Turn, what=st.sampled_from(["change", "change", "hand_over"]), who=st.integers(0, 4), number=st.integers(0, 5)
)


@st.composite
def ways(draw: st.DrawFn) -> list[Turn]:
    """Up to three rounds of signing, returning and amending, then on to the end; here and there anything else."""
    turns: list[Turn] = []
    for _ in range(draw(st.sampled_from([0, 1, 2, 2, 3]))):
        turns += [*draw(st.lists(ONWARD, min_size=1, max_size=4)), draw(BACK), *draw(st.lists(AMENDED, max_size=2))]
    turns += draw(st.lists(ONWARD, min_size=5, max_size=8))
    for one in draw(st.lists(ANYTHING, max_size=4)):
        turns.insert(draw(st.integers(0, len(turns))), one)
    return turns


def asked(turn: Turn, state: Delegation) -> tuple[Actor, Any]:
    """Return who sends what."""
    if turn.what in ("onward", "back"):
        return onward(turn, state)
    digest = dossier(state) if state.proposal and turn.what != "stale" else "0" * 64
    body = {"step_id": STEP_IDS[turn.number % 3], "dossier_digest": digest}
    signer = SIGNERS[turn.who]
    match turn.what:
        case "sign" | "stale":
            return signer, c.SignOff.model_validate(body)
        case "return":
            return signer, c.ReturnStep.model_validate(body | {"kind": "amend", "reason": text()})
        case "reject":
            return signer, c.RejectStep.model_validate(body | {"reason": text()})
        case "external":
            dated = business_date(state.proposal.submitted_at if state.proposal else state.opened_at, state.zone)
            letter = {"authority": "Ministry", "reference": "1/BNG", "dated": dated, "letter": pdf(new_letter(state))}
            outcome = "returned" if turn.number == 5 else "approved"
            return COORDINATOR, c.RecordExternalDecision.model_validate(body | letter | {"outcome": outcome})
        case "change":
            changes = (
                c.AttachDocument(document_id=f"doc-{len(state.documents)}", kind="estimate", attachment=pdf("doc")),
                moved("tuesday", f"2026-04-07T{9 + turn.who % 5:02}:00", "2026-04-07T18:00"),
                c.ReviseRequest(purpose=f"Purpose {turn.who}"),
                member(f"m{turn.who}"),
                c.WithdrawMember(member_id=f"m{turn.who}"),
                c.ReviseRequest(grade="A" if state.grade == "C" else "C"),
            )
            return WRITERS[turn.who % len(WRITERS)], changes[turn.number]
        case "submit":
            return (COORDINATOR, OTHER_COORDINATOR)[turn.number == 5], c.SubmitRequest()
        case "withdraw":
            return COORDINATOR, c.WithdrawRequest(reason=text())
        case "hand_over":
            return COORDINATOR, c.HandOver(to=("1-a", "1-b", "coordinator")[turn.number % 3])
        case "postpone":
            if state.phase is Phase.POSTPONED:
                return COORDINATOR, c.Resume.model_validate({"starts": "2026-05-11", "ends": "2026-05-17"})
            return COORDINATOR, c.Postpone(reason=text())
        case _:
            return COORDINATOR, c.IssueDecision(number="27/QĐ")


def new_letter(state: Delegation) -> str:
    """A letter that is none of this proposal's, nor of an earlier one's."""
    return f"letter-{len(state.authorities_letters)}"


def onward(turn: Turn, state: Delegation) -> tuple[Actor, Any]:
    """What brings the file on: an open step is signed, or returned, by who may; else it is submitted or decided."""
    if state.phase not in (Phase.SUBMITTED, Phase.UNDER_APPROVAL):
        return COORDINATOR, c.SubmitRequest()
    if not state.open_steps:
        return COORDINATOR, c.IssueDecision(number="27/QĐ")
    one = state.open_steps[turn.number % len(state.open_steps)]
    if one.plan.external:
        return asked(Turn("external", 0, STEP_IDS.index(one.id)), state)
    position = one.waits_for[turn.who % len(one.waits_for)]
    busy = (
        {signature.by for other in state.proposal.steps for signature in other.signed_by} if state.proposal else set()
    )
    free = [who for who in SIGNERS if who.positions == (position,) and who.id not in busy | state.own]
    signer = DEPUTY if not free or (position == "a" and turn.number % 3 == 2) else free[0]
    if turn.what == "back":
        return signer, c.ReturnStep(step_id=one.id, dossier_digest=dossier(state), kind="amend", reason=text())
    return signer, c.SignOff(step_id=one.id, dossier_digest=dossier(state))


def holds_for_a_stranger(play: Play) -> None:
    """Who verifies the trail finds nothing against any answer, carried signature or decision in it."""
    assert [one for one in sign_offs(play.events, verified=True) if one.verdict == "broken"] == []
    assert unsigned(play.events) == ()


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(rule=policies(), turns=ways())
def test_no_way_leads_to_a_decision_without_every_signature_it_needs(rule: Any, turns: list[Turn]) -> None:
    """Each on the dossier that stands, or carried over from one that did not differ in what its step looks at."""
    rules = under(rule)
    begun = given(*drafted(), c.SubmitRequest(), rules=rules)
    play, book = begun.play, Book()
    play.others = SIGNERS
    book.read(play)
    now = begun.now
    for turn in turns:
        now += timedelta(minutes=7)
        assert play.state is not None
        actor, command = asked(turn, play.state)
        play.decide("turn", actor, (command.model_dump(mode="json"),), now)
        book.read(play)
        assert play.state is not None
        if play.state.decision is not None:
            assert book.decided
            break
    assert play.delegation == DELEGATION
    holds_for_a_stranger(play)
    event(f"decided: {bool(book.decided)}, with carried signatures: {bool(book.carried)}, void: {bool(book.void)}")
