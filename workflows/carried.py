"""What a run of a delegation holds and hands to the next, and how a decision changes it: pure, without Temporal."""

from typing import Self

from domain.decision import Decision, Effect, Envelope, Receipt, Remembered
from domain.evolve import fold
from domain.seal import Head, SealedEvent, genesis, head_of
from domain.state import Delegation, Phase
from domain.values import Fact, Instant

REMEMBERED = 128
"""How many recent commands answer a repetition with their first result."""


class Carried(Fact):
    """All that one run of a delegation hands to the next, and what a file is opened or reopened with.

    `outbox` holds sealed events the journal may not have yet, `effects` what is still to be done.
    """

    delegation: str
    state: Delegation | None = None
    head: Head
    outbox: tuple[SealedEvent, ...] = ()
    effects: tuple[Effect, ...] = ()
    wake: Instant | None = None
    remembered: tuple[Remembered, ...] = ()

    @property
    def phase(self) -> Phase | None:
        """The phase, once the file is open."""
        return self.state.phase if self.state else None

    def recalled(self, command_id: str) -> Remembered | None:
        """Return what is remembered of a command."""
        return next((one for one in self.remembered if one.command_id == command_id), None)

    def after(self, envelope: Envelope, decision: Decision) -> tuple[Self, Receipt]:
        """Return what is held once a decision is applied, and the receipt for whoever asked.

        Raises what the fold raises; then nothing has changed.
        """
        state = fold(decision.events, self.state)
        head = head_of(decision.events[-1]) if decision.events else self.head
        receipt = Receipt(
            delegation=self.delegation,
            command_id=envelope.command_id,
            first_seq=self.head.seq + 1,
            last_seq=head.seq,
            head=head.hash,
            phase=state.phase if state else "",
            types=tuple(event.type for event in decision.events),
            events=decision.events,
        )
        remembered = Remembered(
            command_id=envelope.command_id,
            digest=envelope.digest,
            receipt=None if decision.refusal else receipt.model_copy(update={"events": ()}),
            refusal=decision.refusal,
        )
        changes = {
            "state": state,
            "head": head,
            "outbox": (*self.outbox, *decision.events),
            "effects": (*self.effects, *decision.effects),
            "wake": decision.wake,
            "remembered": (*self.remembered, remembered)[-REMEMBERED:],
        }
        return self.model_copy(update=changes), receipt

    def projected(self, count: int) -> Self:
        """Return what is held once the journal has the first `count` events of the outbox."""
        return self.model_copy(update={"outbox": self.outbox[count:]})

    def carried_out(self, key: str) -> Self:
        """Return what is held once an effect is done and its outcome recorded."""
        return self.model_copy(update={"effects": tuple(one for one in self.effects if one.key != key)})


def unopened(delegation: str) -> Carried:
    """Return what a delegation that has no event yet starts with."""
    return Carried(delegation=delegation, head=genesis(delegation))
