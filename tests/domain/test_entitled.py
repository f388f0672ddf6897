"""In every state that can be reached, exactly the entitled may sign: nobody else, and nobody entitled is turned away.

Who is entitled is said here once more, from the issue's words and the trail alone, and compared with the decision for
people of every kind: holders, substitutes inside and outside a leave, travellers, those whose request it is, strangers.
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
from domain.state import Delegation, Phase
from domain.upcast import read_event
from tests.builders import DELEGATION, drafted, person
from tests.domain.given import given
from tests.domain.policed import under
from tests.domain.test_signatures import POSITIONS, SIGNERS, Turn, asked, policies, ways

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
LINEAGE = ("song-lam-union", "central")

TRAVELLING = ("sato", "ito")
IDS = st.sampled_from([*(f"{n}-{one}" for n in (1, 2) for one in POSITIONS), "coordinator", "coordinator-2", "x", "y"])
ALIASES = st.one_of(st.just(()), st.just(()), IDS.map(lambda one: (one,)))
PERSONS = st.sampled_from([None, None, "per_stranger", *(person(name).ref for name in TRAVELLING)])


@st.composite
def substitutions(draw: st.DrawFn) -> Substitution:
    """Somebody else's position, with a leave that is in force or is not."""
    account = draw(IDS)
    return Substitution(
        leave=f"lea-{account}",
        account=account,
        position=draw(st.sampled_from(POSITIONS)),
        tenure=f"ten-{account}",
        held_since=SINCE,
        in_force=draw(st.booleans()),
        person=draw(PERSONS),
        aliases=draw(ALIASES),
    )


@st.composite
def people(draw: st.DrawFn) -> Actor:
    """Anybody who might try: mostly approvers with a position of their own or of another."""
    own = draw(st.lists(st.sampled_from(POSITIONS), max_size=2, unique=True).map(tuple))
    return Actor(
        id=draw(IDS),
        roles=draw(
            st.sampled_from([("approver",)] * 4 + [("coordinator",), ("coordinator", "approver"), ("auditor",)])
        ),
        positions=own,
        tenures=tuple(Held(position=one, tenure=f"ten-own-{one}", since=SINCE) for one in own),
        substitutions=tuple(draw(st.lists(substitutions(), max_size=2))),
        organisation=draw(st.sampled_from([None, None, None, "song-lam-union", "central", "elsewhere"])),
        person=draw(PERSONS),
        aliases=draw(ALIASES),
    )


class Desk:
    """What the trail says about one step: whether it is its turn, who signed what, and whose request it is."""

    def __init__(self, state: Delegation, events: list[Any], step_id: str) -> None:
        assert state.proposal
        self.step_id = step_id
        self.open = state.phase in (Phase.SUBMITTED, Phase.UNDER_APPROVAL) and any(
            one.id == step_id for one in state.open_steps
        )
        submitted = [at for at, (one, _) in enumerate(events) if isinstance(one, e.RequestSubmitted)][-1]
        request, submitter = events[submitted]
        self.plan = next(plan for plan in request.steps if plan.id == step_id)
        coordinators = [one.coordinator for one, _ in events if isinstance(one, e.CoordinatorChanged)]
        self.own = {"coordinator", submitter, coordinators[-1] if coordinators else "coordinator"}
        given_now = [
            (one.step_id, actor, one.right) for one, actor in events[submitted:] if isinstance(one, e.StepSigned)
        ]
        given_now += [(one.step_id, one.by, one.right) for one in request.carried if one.external is None]
        # Whoever entered an outside authority's letter fills the place of that step.
        entered = [
            (one.step_id, actor) for one, actor in events[submitted:] if isinstance(one, e.ExternalDecisionRecorded)
        ] + [(one.step_id, one.by) for one in request.carried if one.external is not None]
        self.elsewhere = {who for step, who in entered if step != step_id}
        self.here: set[str] = set()
        self.taken: set[str] = set()
        for step, by, right in given_now:
            both = {by} | ({right.on_behalf_of} if right.on_behalf_of else set())
            if step == step_id:
                self.here |= both
                self.taken.add(right.position)
            else:
                self.elsewhere |= both
        self.travellers = {
            one.person.ref for one in state.people.values() if one.active and one.role in ("head", "member")
        }

    def entitled(self, actor: Actor) -> bool:
        """Whether somebody may sign now, by the issue's words."""
        if not self.open or self.plan.external or "approver" not in actor.roles:
            return False
        if actor.organisation not in (None, *LINEAGE):
            return False
        free = [one for one in self.plan.signing_positions if one not in self.taken]
        forbidden = self.own | self.elsewhere | self.here
        for position in free:
            if position in actor.positions:
                if not {actor.id, *actor.aliases} & forbidden and actor.person not in self.travellers:
                    return True
                continue
            for one in actor.substitutions:
                two = {actor.id, *actor.aliases, one.account, *one.aliases}
                bodies = {actor.person, one.person}
                if one.position == position and one.in_force and not two & forbidden and not bodies & self.travellers:
                    return True
        return False


@pytest.mark.slow
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(rule=policies(), turns=ways(), crowd=st.lists(people(), min_size=6, max_size=10))
def test_exactly_the_entitled_may_sign(rule: Any, turns: list[Turn], crowd: list[Actor]) -> None:
    """Everybody tries every step after every turn; each answer is the one that the rules in words give."""
    rules = under(rule)
    begun = given(*drafted(), c.SubmitRequest(), rules=rules)
    play, now = begun.play, begun.now
    may = 0
    for turn in (None, *turns):
        if turn is not None:
            now += timedelta(minutes=7)
            assert play.state is not None
            actor, command = asked(turn, play.state)
            play.decide("turn", actor, (command.model_dump(mode="json"),), now)
        state = play.state
        assert state is not None
        if state.proposal is None:
            continue
        events = [(read_event(sealed), sealed.actor) for sealed in play.events]
        for step in state.proposal.steps:
            desk = Desk(state, events, step.id)
            for somebody in (*crowd, *SIGNERS):
                attempt = c.SignOff(step_id=step.id, dossier_digest=state.proposal.digest)
                context = Context(now=now, actor=somebody, edition=rules, newest=rules, lineage=LINEAGE)
                outcome = decide(DELEGATION, state, attempt, context)
                signed = [one for one in outcome.events if isinstance(one, e.StepSigned)]
                assert bool(signed) is desk.entitled(somebody), (somebody, step.id, outcome.refusal)
                assert (outcome.refusal is None) is bool(signed)
                may += bool(signed)
    event(f"somebody could sign: {may > 0}")
