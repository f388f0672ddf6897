"""No way leads to a decision without every signature that the policy asks for, on the dossier that is decided.

The book of signatures is kept here from the trail alone, by its own few rules, and compared when a decision is issued.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from audit.sign_offs import sign_offs, unsigned
from domain import commands as c
from domain import events as e
from domain.decision import Actor
from domain.request import parts_now
from domain.seal import SealedEvent
from domain.state import Delegation, Phase
from domain.upcast import read_event
from tests.builders import COORDINATOR, DELEGATION, OTHER_COORDINATOR, dossier, drafted, member, moved, pdf, text
from tests.domain.given import given
from tests.domain.player import Play
from tests.domain.policed import policy, step, under

POSITIONS = ("a", "b", "c")
SIGNERS = (
    *(Actor(id=f"{n}-{one}", roles=("approver",), positions=(one,)) for n in (1, 2, 3) for one in POSITIONS),
    Actor(id="everything", roles=("approver",), positions=POSITIONS),
    Actor(id="coordinator", roles=("coordinator", "approver"), positions=POSITIONS),
)
KINDS = ("request", "member", "programme", "ceiling", "document")
STEP_IDS = ("s0", "s1", "s2")


class Given(NamedTuple):
    """A signature as the trail has it. An outside authority's has no position."""

    proposal: int
    digest: str
    step: str
    position: str | None
    by: str


class Book:
    """What was submitted and signed, by the trail alone."""

    def __init__(self) -> None:
        self.parts: dict[int, Mapping[str, str]] = {}
        self.submitted: e.RequestSubmitted | None = None
        self.coordinator = "coordinator"
        self.submitter = ""
        self.signed: list[Given] = []
        self.void: set[tuple[int, str]] = set()
        self.decided = 0
        self.carried = 0
        self._seen = 0

    def read(self, play: Play) -> None:
        """Take what is new in the trail."""
        trail = play.events
        for sealed in trail[self._seen :]:
            self._take(sealed)
        self._seen = len(trail)
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
                self.submitted, self.submitter = one, sealed.actor
                assert not self.own & {carried.by for carried in one.carried if carried.external is None}
                self.parts[one.proposal] = {part.part: part.commitment for part in one.parts}
            case e.StepSigned():
                self._sign(one.step_id, one.digest, one.right.position, sealed.actor)
            case e.ExternalDecisionRecorded(outcome="approved"):
                self._sign(one.step_id, one.digest, None, sealed.actor)
            case e.SignaturesVoided():
                self.void |= {(one.proposal, step) for step in one.steps}
            case e.CoordinatorChanged():
                self.coordinator = one.coordinator
            case e.DecisionIssued():
                self._decide(one)
            case _:
                pass

    def _sign(self, step_id: str, digest: str, position: str | None, by: str) -> None:
        assert self.submitted is not None
        assert digest == self.submitted.digest, "a signature on a dossier that does not stand"
        assert position is None or by not in self.own, "somebody signed their own request"
        self.signed.append(Given(self.submitted.proposal, digest, step_id, position, by))

    @property
    def own(self) -> set[str]:
        """Whose request it is: who opened it, who runs it, who submitted it."""
        return {"coordinator", self.coordinator, self.submitter}

    def _standing(self) -> list[Given]:
        """The signatures that stand for the proposal: given on it, or carried over with their parts unchanged."""
        now = self.submitted
        assert now is not None
        standing = [one for one in self.signed if (one.proposal, one.digest) == (now.proposal, now.digest)]
        looks_at = {plan.id: plan.looks_at for plan in now.steps}
        for carried in now.carried:
            position = None if carried.external else carried.right.position
            once = Given(carried.proposal, carried.digest, carried.step_id, position, carried.by)
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
        people = [one.by for one in standing if one.position is not None]
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
    for _ in range(draw(st.integers(0, 3))):
        turns += [*draw(st.lists(ONWARD, max_size=4)), draw(BACK), *draw(st.lists(AMENDED, max_size=2))]
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
            letter = {"authority": "Ministry", "reference": "1/BNG", "dated": "2026-02-24", "letter": pdf("letter")}
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
            return COORDINATOR, changes[turn.number]
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
    signer = next(who for who in SIGNERS if who.positions == (position,) and who.id not in busy)
    if turn.what == "back":
        return signer, c.ReturnStep(step_id=one.id, dossier_digest=dossier(state), kind="amend", reason=text())
    return signer, c.SignOff(step_id=one.id, dossier_digest=dossier(state))


def holds_for_a_stranger(play: Play) -> None:
    """Who verifies the trail finds nothing against any answer, carried signature or decision in it."""
    assert [one for one in sign_offs(play.events, verified=True) if one.verdict == "broken"] == []
    assert unsigned(play.events) == ()


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(rule=policies(), turns=ways())
def test_no_way_leads_to_a_decision_without_every_signature_it_needs(rule: Any, turns: list[Turn]) -> None:
    """Each on the dossier that stands, or carried over from one that did not differ in what its step looks at."""
    rules = under(rule)
    begun = given(*drafted(), c.SubmitRequest(), rules=rules)
    play, book = begun.play, Book()
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
