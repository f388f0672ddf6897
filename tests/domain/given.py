"""`given(history).when(command).then(events or a refusal)`, on the shipped edition of the rules.

The history is made of commands, each of which has to be accepted. `then` names the events of the decision in order;
what follows by itself (deadlines, ceilings, calendar messages, the proof of the time that passed) is only compared
where the expectation names an event of that kind.
"""

from datetime import datetime
from typing import Any, TypeVar

from domain.decision import Actor, Effect, Refusal
from domain.events import AnyEvent, Event
from domain.permission import ROLES
from domain.rules import Edition
from domain.state import Delegation
from domain.upcast import read_event
from domain.values import Value
from tests.builders import COORDINATOR, DELEGATION, REQUESTED, THE_SYSTEM, Said, Step, instant
from tests.domain.player import Play, Played
from tests.rulebook import edition

E = TypeVar("E", bound=Event)

FOLLOWS_BY_ITSELF = frozenset(
    {
        "CeilingSet",
        "DeadlineEscalated",
        "DeadlineLifted",
        "DeadlineMet",
        "DeadlineMissed",
        "DeadlineReminded",
        "DeadlineSet",
        "FactObserved",
        "InvitationsIssued",
        "StepEscalated",
    }
)


def given(
    *history: Step, rules: Edition | None = None, newest: Edition | None = None, above: tuple[str, ...] = ()
) -> "Given":
    """Return a delegation with this history; `rules` is the edition it is opened under.

    `above` are the organisations above the file's own.
    """
    return Given(Play(DELEGATION, rules or edition(), newest=newest, above=above)).further(*history)


class Given:
    """A delegation with its history so far."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.now: datetime = play.log[-1].at if play.log else instant(REQUESTED)

    @property
    def state(self) -> Delegation:
        """The delegation as it stands."""
        assert self.play.state
        return self.play.state

    def further(self, *history: Step) -> "Given":
        """Return the same delegation after more commands, each of which must be accepted."""
        for step in history:
            self._send((step,), None, None).accepted()
        return self

    def wait(self, until: str) -> "Given":
        """Let time pass; every deadline on the way wakes the delegation."""
        self.play.wait(instant(until))
        self.now = instant(until)
        return self

    def when(self, *commands: Step, by: Actor | None = None, at: str | None = None) -> "Then":
        """Send a command, or several as one. Nothing wakes the delegation before, as after a long sleep."""
        return self._send(commands, by, at)

    def _send(self, steps: tuple[Step, ...], by: Actor | None, at: str | None) -> "Then":
        said = [self._said(step) for step in steps]
        actor = by or said[0].by or usual_actor(said[0].command)
        if moment := at or said[0].at:
            self.now = instant(moment)
        bodies = tuple(one.command.model_dump(mode="json") for one in said)
        return Then(self, self.play.decide("given", actor, bodies, self.now))

    def _said(self, step: Step) -> Said:
        if isinstance(step, Said):
            return step
        return Said(step) if isinstance(step, Value) else step(self.state)


def usual_actor(command: Value) -> Actor:
    """Return who usually sends a command: the coordinator, or the system."""
    return THE_SYSTEM if ROLES[command.model_dump()["type"]] == ("system",) else COORDINATOR


class Then:
    """What a decision came to."""

    def __init__(self, before: Given, played: Played) -> None:
        self.given = before
        self._played = played

    @property
    def events(self) -> tuple[AnyEvent, ...]:
        """Every event of the decision."""
        return tuple(read_event(one) for one in self._played.events)

    @property
    def state(self) -> Delegation:
        """The delegation afterwards."""
        assert self._played.state
        return self._played.state

    @property
    def refusal(self) -> Refusal | None:
        """The refusal, if it was one."""
        return self._played.decision.refusal

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What is to be done outside."""
        return self._played.decision.effects

    def of(self, kind: type[E]) -> tuple[E, ...]:
        """Return the events of one kind."""
        return tuple(event for event in self.events if isinstance(event, kind))

    def accepted(self) -> "Then":
        """Assert that it was accepted."""
        assert self.refusal is None
        return self

    def then(self, *expected: Event | type[Event]) -> "Then":
        """Assert exactly these events, in this order: each whole, or by its type where its content does not matter."""
        self.accepted()
        named = {(one if isinstance(one, type) else type(one)).__name__ for one in expected}
        found = [event for event in self.events if event.type not in FOLLOWS_BY_ITSELF - named]
        shown = [type(event) if isinstance(want, type) else event for event, want in zip(found, expected, strict=False)]
        assert [*shown, *found[len(expected) :]] == list(expected)
        return self

    def then_refused(self, code: str, **said: Any) -> "Then":
        """Assert a refusal with this code, and with these of `field`, `index` or its parameters."""
        assert self.refusal is not None, f"accepted: {[event.type for event in self.events]}"
        found = {"field": self.refusal.field, "index": self.refusal.index} | self.refusal.params
        assert (self.refusal.code, {name: found.get(name) for name in said}) == (code, said)
        return self

    def then_state(self, **expected: Any) -> "Then":
        """Assert attributes of the delegation afterwards."""
        assert {name: getattr(self.state, name) for name in expected} == expected
        return self
