"""Plays a scenario file against the decider alone, at exactly its own dates: no server, no database, no mail.

It does what a workflow does: it wakes at every recorded deadline on the way to the next step, decides, folds, and keeps
every decision. So the decisions it returns are those that a history of the same scenario carries.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import conflicts
from domain.canonical import canonical_json, commitment, digest_of, sha256_hex
from domain.decide import decide_all
from domain.decision import SYSTEM, Actor, Context, DecideInput, Decision, Envelope, Observed, Posted, Refusal
from domain.events import ReportFiled, RequestSubmitted
from domain.institution import StandIn
from domain.rules import Edition
from domain.seal import Head, SealedEvent, genesis
from domain.stand_ins import ASKING
from domain.state import Delegation
from domain.upcast import read_event
from scenariofile import (
    Act,
    DigestNamed,
    FileNamed,
    PersonNamed,
    Placeholder,
    Scenario,
    TextWritten,
    expand,
    fill,
    placeholders,
)
from tests.domain.standing import Standing, person_ref

THE_SYSTEM = Actor(id=SYSTEM, roles=("system",))


@dataclass(frozen=True)
class Played:
    """One decision on the way: the step it belongs to (`tick` for a deadline), when, and the state after it."""

    step: str
    at: datetime
    actor: Actor
    commands: tuple[dict[str, Any], ...]
    decision: Decision
    state: Delegation | None

    @property
    def events(self) -> tuple[SealedEvent, ...]:
        """What was sealed."""
        return self.decision.events


@dataclass
class Play:
    """A delegation while it is played, with the registers that commands refer to.

    `above` are the organisations above the file's own, upwards; `observations` what other files say at each decision,
    `stand_ins` what the registers say of leave, `others` of those whom a decision asks after, `desks` of where the
    desks stand, `sitting` who sits at them.
    """

    delegation: str
    edition: Edition
    state: Delegation | None = None
    newest: Edition | None = None
    above: tuple[str, ...] = ()
    observations: tuple[Observed, ...] = ()
    posted: tuple[Posted, ...] = ()
    uncollected: tuple[str, ...] = ()
    stand_ins: tuple[StandIn, ...] | None = None
    others: tuple[Actor, ...] | None = None
    desks: dict[str, str] = field(default_factory=dict)
    sitting: tuple[Actor, ...] | None = None
    head: Head = field(init=False)
    log: list[Played] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start with an empty chain."""
        self.head = genesis(self.delegation)

    @property
    def events(self) -> tuple[SealedEvent, ...]:
        """The whole trail."""
        return tuple(event for played in self.log for event in played.events)

    def at_step(self, step: str) -> Played:
        """Return what a step led to."""
        return next(played for played in self.log if played.step == step)

    def send(self, step: str, actor: Actor, commands: tuple[dict[str, Any], ...], at: datetime) -> Played:
        """Let the time pass to `at`, then decide commands as one."""
        self.wait(at)
        return self.decide(step, actor, commands, at)

    def wait(self, until: datetime) -> None:
        """Let time pass, and wake at every deadline on the way."""
        while self.state and (wake := self.state.next_wake) and wake <= until:
            again = self.decide("tick", THE_SYSTEM, ({"type": "tick"},), wake).decision.wake
            if again is not None and again <= wake:
                raise AssertionError(f"after the wake at {wake} the next one is at {again}, and so for ever")

    def decide(self, step: str, actor: Actor, commands: tuple[dict[str, Any], ...], at: datetime) -> Played:
        """Decide commands as one, whatever time has passed meanwhile."""
        envelope = Envelope(
            delegation=self.delegation,
            command_id=f"{step}-{len(self.log)}",
            actor=actor.id,
            commands=commands,
            digest=digest_of(commands),
        )
        decision, self.state, self.head = decide_all(
            DecideInput(state=self.state, head=self.head, envelope=envelope, now=at),
            Context(
                now=at,
                actor=actor,
                edition=self.edition,
                newest=self.newest or self.edition,
                lineage=(self.state.organisation if self.state else commands[0].get("organisation", ""), *self.above),
                observations=self.observations,
                posted=self.posted,
                uncollected=self.uncollected,
                sitting=self.sitting if {one["type"] for one in commands} & conflicts.ASKING else None,
                stand_ins=self.stand_ins if {one["type"] for one in commands} & ASKING else None,
                others=self.others,
                desks=self.desks,
            ),
        )
        played = Played(step, at, actor, commands, decision, self.state)
        self.log.append(played)
        return played

    def digest(self, named: DigestNamed) -> str:
        """Return the digest of a dossier or report by its number, by default the last one."""
        kind = RequestSubmitted if named.of == "dossier" else ReportFiled
        made = [event.digest for one in self.events if isinstance(event := read_event(one), kind)]
        return made[named.number - 1 if named.number else -1]


def play(scenario: Scenario, edition: Edition) -> Play:
    """Play a whole scenario. Raises AssertionError where a step does not come to what the file expects of it."""
    standing = Standing(scenario)
    going = Play(delegation=scenario.delegation, edition=edition, above=standing.above(_organisation(scenario)))
    for step in scenario.steps:
        instant, before = scenario.when(step).instant, len(going.events)
        going.wait(instant)
        refused = _act(going, scenario, step, standing) if isinstance(step, Act) else None
        if refused != (step.expect.refused if step.expect else None):
            raise AssertionError(f"step {step.id}: {refused}, expected {step.expect}")
        came = step.expect.came(event.type for event in going.events[before:]) if step.expect else ()
        if step.expect and came != (step.expect.events or ()):
            raise AssertionError(f"step {step.id}: came to {came}, expected {step.expect.events}")
    return going


def _act(going: Play, scenario: Scenario, step: Act, standing: Standing) -> str | None:
    """Carry a step out and return the code of its refusal, if it is one."""
    instant, by = scenario.when(step).instant, scenario.actor(step.by)
    if change := step.leave_change:
        return standing.change(change, by, instant)
    going.sitting = tuple(standing.actor(one, instant) for one in scenario.actors if "approver" in one.roles)
    asked = expand(scenario, step)
    bodies = fill(asked, {named: value_of(named, scenario, going) for named in placeholders(asked)})
    return code_of(going.send(step.id, standing.actor(by, instant), bodies, instant).decision.refusal)


def _organisation(scenario: Scenario) -> str:
    acts = (step for step in scenario.steps if isinstance(step, Act))
    return next(str(one["organisation"]) for step in acts for one in step.written if "organisation" in one)


def code_of(refusal: Refusal | None) -> str | None:
    """Return a refusal's code."""
    return refusal.code if refusal else None


def value_of(named: Placeholder, scenario: Scenario, going: Play) -> Any:
    """Return what stands for a placeholder: references made from names, so that every play gives the same trail."""
    match named:
        case PersonNamed(who):
            details = canonical_json(scenario.person(who).details)
            return {"ref": person_ref(who), "commitment": commitment(salt(who), details)}
        case TextWritten(text):
            name = sha256_hex(text.encode())[:24]
            return {"ref": f"txt_{name}", "commitment": commitment(salt(name), text.encode())}
        case FileNamed(file):
            content, media_type = scenario.content(file)
            return {"digest": sha256_hex(content), "media_type": media_type, "size": len(content)}
        case DigestNamed():
            return going.digest(named)


def salt(name: str) -> bytes:
    """Return 32 bytes made from a name; registers draw theirs at random."""
    return bytes.fromhex(sha256_hex(name.encode()))
