"""In every state that can be reached, exactly the entitled may answer: nobody else, and nobody entitled is turned away.

Who is entitled is said here once more, from the issue's words, the sealed plan and the trail alone, and compared with
the decision for people of every kind: holders at desks of every organisation, substitutes inside and outside a leave,
travellers, those who wrote, ran or submitted the file, rights that somebody gave themselves, strangers.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.decide import decide
from domain.decision import Actor, Context
from domain.institution import Held, Substitution
from domain.state import Delegation
from domain.upcast import read_event
from tests.builders import (
    COORDINATOR,
    DELEGATION,
    OTHER_COORDINATOR,
    dossier,
    drafted,
    pdf,
    person,
    report_digest,
    text,
)
from tests.domain.given import given
from tests.domain.player import Play
from tests.domain.policed import under
from tests.domain.test_sequences import going_on
from tests.domain.test_signatures import POSITIONS, SIGNERS, People, Turn, asked, policies, turn_of, ways
from tests.domain.test_signatures import Given as Signature

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
LINEAGE = ("song-lam-union", "central")

TRAVELLING = ("sato", "ito", "m1")
IDS = st.sampled_from([*(f"{n}-{one}" for n in (1, 2) for one in POSITIONS), "coordinator", "coordinator-2", "x", "y"])
ALIASES = st.one_of(st.just(()), st.just(()), IDS.map(lambda one: (one,)))
PERSONS = st.sampled_from([None, None, None, "per_stranger", *(person(name).ref for name in TRAVELLING)])
PLACES = st.sampled_from([None, None, None, *LINEAGE, "hue-union"])
DESKS = st.fixed_dictionaries({}, optional={one: st.sampled_from(LINEAGE) for one in POSITIONS})
GRANTERS = st.one_of(st.just(("root",)), st.just(("root",)), st.just(("root",)), IDS.map(lambda one: (one,)))


@st.composite
def substitutions(draw: st.DrawFn, positions: tuple[str, ...] = POSITIONS) -> Substitution:
    """Somebody else's position, with a leave that is in force or is not."""
    account = draw(IDS)
    return Substitution(
        leave=f"lea-{account}",
        account=account,
        position=draw(st.sampled_from(positions)),
        tenure=f"ten-{account}",
        held_since=SINCE,
        in_force=draw(st.sampled_from([True, True, False])),
        organisation=draw(PLACES),
        person=draw(PERSONS),
        aliases=draw(ALIASES),
        granted_by=draw(GRANTERS),
        tenure_granted_by=draw(GRANTERS),
    )


@st.composite
def people(draw: st.DrawFn, positions: tuple[str, ...] = POSITIONS) -> Actor:
    """Anybody who might try: mostly approvers with a position of their own or of another."""
    own = draw(st.lists(st.sampled_from(positions), max_size=2, unique=True).map(tuple))
    return Actor(
        id=draw(IDS),
        roles=draw(
            st.sampled_from([*[("approver",)] * 3, *[("coordinator", "approver")] * 2, ("coordinator",), ("auditor",)])
        ),
        positions=own,
        tenures=tuple(
            Held(position=one, tenure=f"ten-{one}", since=SINCE, organisation=draw(PLACES), granted_by=draw(GRANTERS))
            for one in own
        ),
        substitutions=tuple(draw(st.lists(substitutions(positions), max_size=2))),
        organisation=draw(st.sampled_from([None, None, None, "song-lam-union", "central", "elsewhere"])),
        person=draw(PERSONS),
        aliases=draw(ALIASES),
    )


def crowds(positions: tuple[str, ...] = POSITIONS) -> st.SearchStrategy[list[Actor]]:
    """People who try, and some of whom act in between."""
    return st.lists(people(positions), min_size=5, max_size=8)


def seated(desks: dict[str, str], position: str, organisation: str | None) -> bool:
    """Whether somebody who holds a position there sits at the file's desk of it."""
    return organisation is None or desks.get(position) == organisation


class Entitled:
    """Who may sign for some positions, by the issue's words and what happened; whatever the file says of itself."""

    def __init__(self, who: People, desks: dict[str, str], positions: tuple[str, ...], signed: set[str]) -> None:
        self.people, self.desks, self.positions, self.signed = who, desks, positions, signed

    def __contains__(self, actor: Actor) -> bool:
        if "approver" not in actor.roles or actor.organisation not in (None, *LINEAGE):
            return False
        myself = {actor.id, *actor.aliases}
        ways = [
            (position, held.organisation, myself, {actor.person}, myself & set(held.granted_by))
            for position in actor.positions
            # Who signs without a register has neither an organisation nor anybody who entered it.
            for held in [one for one in actor.tenures if one.position == position] or [NOWHERE]
        ]
        ways += [
            (
                one.position,
                one.organisation,
                myself | {one.account, *one.aliases},
                {actor.person, one.person},
                myself & set(one.granted_by) or {one.account, *one.aliases} & set(one.tenure_granted_by),
            )
            for one in actor.substitutions
            if one.in_force
        ]
        return any(
            position in self.positions
            and seated(self.desks, position, organisation)
            and not accounts & (self.people.own | self.signed)
            and not persons & set(self.people.travelling.values())
            and not granted
            for position, organisation, accounts, persons, granted in ways
        )


NOWHERE = Held(position="-", tenure="-", since=SINCE)


class Chain:
    """What the trail says of the chain: its plan, the signatures that stand, and whether it still asks anybody."""

    def __init__(self) -> None:
        self.people = People()
        self.plans: tuple[e.StepPlan, ...] = ()
        self.standing: list[Signature] = []
        self.asks = False
        self._seen = 0

    def read(self, play: Play) -> None:
        """Take what is new."""
        for played in play.log[self._seen :]:
            self.people.read(played, play.edition)
            for sealed in played.events:
                self._take(read_event(sealed), sealed.actor)
        self._seen = len(play.log)

    def _take(self, one: Any, actor: str) -> None:
        match one:
            case e.RequestSubmitted():
                self.plans, self.asks = one.steps, True
                self.standing = [
                    _signature(given.step_id, None if given.external else given.right, given.by)
                    for given in one.carried
                ]
            case e.StepSigned():
                self.standing.append(_signature(one.step_id, one.right, actor))
            case e.ExternalDecisionRecorded(outcome="approved"):
                self.standing.append(_signature(one.step_id, None, actor))
            case (
                e.StepReturned() | e.StepRejected() | e.ExternalDecisionRecorded() | e.RequestWithdrawn()
                | e.DelegationPostponed() | e.DecisionIssued()
            ):  # fmt: skip
                self.asks = False
            case _:
                pass

    def entitled(self, plan: e.StepPlan, desks: dict[str, str]) -> Entitled:
        """Who may answer a step now."""
        taken = {one.position for one in self.standing if one.step == plan.id}
        signed = {who for one in self.standing for who in (one.by, one.name_of) if who}
        free = tuple(one for one in plan.signing_positions if one not in taken)
        due = self.asks and turn_of(self.plans, self.standing, plan.id)
        return Entitled(self.people, desks, free if due else (), signed)


def _signature(step_id: str, right: e.Right | None, by: str) -> Signature:
    return Signature(0, "", step_id, right.position if right else None, by, right.on_behalf_of if right else None)


def answer(number: int, state: Delegation, step_id: str) -> c.SignOff | c.ReturnStep | c.RejectStep:
    """One of the three answers of a desk."""
    body: dict[str, Any] = {"step_id": step_id, "dossier_digest": dossier(state)}
    match number % 3:
        case 0:
            return c.SignOff.model_validate(body)
        case 1:
            return c.ReturnStep.model_validate(body | {"reason": text(), "kind": "amend"})
        case _:
            return c.RejectStep.model_validate(body | {"reason": text()})


ACTING = st.builds(Turn, what=st.just("somebody"), who=st.integers(0, 7), number=st.integers(0, 9))


@st.composite
def ways_of_many(draw: st.DrawFn) -> list[Turn]:
    """Ways of signing, returning and amending in which people of the crowd act too."""
    turns = draw(ways())
    for one in draw(st.lists(ACTING, min_size=1, max_size=6)):
        turns.insert(draw(st.integers(0, len(turns))), one)
    return turns


def somebody_s(turn: Turn, somebody: Actor, state: Delegation) -> tuple[Actor, Any]:
    """What one of the crowd does: mostly answers what is open, else writes or takes the file over and hands it back."""
    if turn.number > 7:
        return COORDINATOR, c.HandOver(to=somebody.id if state.coordinator == "coordinator" else "coordinator")
    if turn.number > 5 or state.open_step is None:
        return somebody, c.AttachDocument(document_id=f"doc-{len(state.documents)}", kind="note", attachment=pdf("doc"))
    return somebody, answer(max(0, turn.number - 3), state, state.open_step.id)


@pytest.mark.slow
@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(rule=policies(), turns=ways_of_many(), crowd=crowds(), desks=DESKS)
def test_exactly_the_entitled_may_answer(
    rule: Any, turns: list[Turn], crowd: list[Actor], desks: dict[str, str]
) -> None:
    """Everybody tries every step after every turn; each answer is the one that the rules in words give."""
    rules = under(rule)
    begun = given(*drafted(), c.SubmitRequest(), rules=rules)
    play, now, chain = begun.play, begun.now, Chain()
    play.desks, play.above = desks, LINEAGE[1:]
    may, deputised = 0, 0
    for number, turn in enumerate((None, *turns)):
        assert play.state is not None
        if turn is not None:
            now += timedelta(minutes=7)
            acts = turn.what == "somebody"
            somebody = crowd[turn.who % len(crowd)]
            actor, command = somebody_s(turn, somebody, play.state) if acts else asked(turn, play.state)
            play.decide("turn", actor, (command.model_dump(mode="json"),), now)
        chain.read(play)
        state = play.state
        for plan in chain.plans:
            entitled = chain.entitled(plan, desks)
            for one in (*crowd, *SIGNERS):
                context = Context(now=now, actor=one, edition=rules, newest=rules, lineage=LINEAGE, desks=desks)
                outcome = decide(DELEGATION, state, answer(number, state, plan.id), context)
                assert (outcome.refusal is None) is (one in entitled), (one, plan.id, outcome.refusal)
                given_now = [done for done in outcome.events if isinstance(done, ANSWERS)]
                assert bool(given_now) is (outcome.refusal is None)
                may += bool(given_now)
                deputised += any(done.right.on_behalf_of is not None for done in given_now)
    event(f"somebody could answer: {may > 0}, as a substitute: {deputised > 0}")


ANSWERS = (e.StepSigned, e.StepReturned, e.StepRejected)
ON_REPORTS = st.sampled_from(["file", "attach", "hand_over", "return"])
OFFICES = ("department_head", "vice_president", "president")


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(
    turns=st.lists(
        st.tuples(st.integers(0, 7), st.sampled_from(["file", "attach", "hand_over", "return"])), max_size=6
    ),
    crowd=crowds(OFFICES),
    desks=st.fixed_dictionaries({}, optional={one: st.sampled_from(LINEAGE) for one in OFFICES}),
)
def test_exactly_the_entitled_may_answer_a_report(
    turns: list[tuple[int, str]], crowd: list[Actor], desks: dict[str, str]
) -> None:
    """Not who filed it or an earlier one, nor who wrote or ran the file at any time."""
    play = going_on("reported")
    who, now = People(), play.log[-1].at
    play.desks, play.above = desks, LINEAGE[1:]
    for played in play.log:
        who.read(played, play.edition)
    for number, what in (*turns, (0, "file")):
        now += timedelta(minutes=7)
        somebody = crowd[number % len(crowd)]
        writer = somebody if number % 2 else OTHER_COORDINATOR
        state = play.state
        assert state is not None
        digest = report_digest(state) if state.report else "0" * 64
        actor, command = {
            "file": (writer, c.FileReport(results=text())),
            "attach": (writer, c.AttachDocument(document_id=f"d{number}", kind="note", attachment=pdf("doc"))),
            "hand_over": (COORDINATOR, c.HandOver(to=somebody.id)),
            "return": (somebody, c.ReturnReport(report_digest=digest, reason=text())),
        }[what]
        play.decide("turn", actor, (command.model_dump(mode="json"),), now)
        who.read(play.log[-1], play.edition)
        who.own |= {sealed.actor for sealed in play.log[-1].events if sealed.type == "ReportFiled"}
    state = play.state
    assert state is not None
    assert state.reviewing is not None
    entitled = Entitled(who, desks, state.reviewing.signing_positions, set())
    for one in crowd:
        context = Context(now=now, actor=one, edition=play.edition, newest=play.edition, lineage=LINEAGE, desks=desks)
        for attempt in (
            c.AcceptReport(report_digest=report_digest(state)),
            c.ReturnReport(report_digest=report_digest(state), reason=text()),
        ):
            outcome = decide(DELEGATION, state, attempt, context)
            assert (outcome.refusal is None) is (one in entitled), (one, outcome.refusal)
    event(f"somebody may: {any(one in entitled for one in crowd)}")
