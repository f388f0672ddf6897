"""What workflows ask of activities: their names, and what goes in and comes out. Activities implement these."""

from typing import Any

from pydantic import Field

from domain.decision import Effect, Envelope
from domain.seal import Head, SealedEvent
from domain.values import Fact, Instant

DECIDE = "decide"
"""Local activity: (Question, state or None) -> Decision."""

PROJECT = "project"
"""ProjectInput -> None. Journal and read model, idempotent by (delegation, seq)."""

CARRY_OUT = "carry_out"
"""CarryOutInput -> the system's command that records the outcome (JSON), or None where there is nothing to record."""

GIVEN_UP = "given_up"
"""Type of the failure of an effect that no further attempt will mend."""


class Question(Fact):
    """What a decision is made from, beside the state. `now` is the workflow's time, not the machine's."""

    head: Head
    envelope: Envelope
    now: Instant


class ProjectInput(Fact):
    """A burst of sealed events, in order."""

    delegation: str
    events: tuple[SealedEvent, ...] = Field(repr=False)


class CarryOutInput(Fact):
    """An effect to be carried out, with the state of the trail it was asked from standing in the journal."""

    delegation: str
    effect: Effect


class Inspection(Fact):
    """What an operator may see of a running delegation."""

    delegation: str
    seq: int
    head: str
    phase: str | None
    outbox: int
    effects: tuple[str, ...]
    wake: Instant | None
    updates: int


class Ended(Fact):
    """The end of a closed run."""

    delegation: str
    head: Head


Command = dict[str, Any]
