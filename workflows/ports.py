"""What workflows ask of activities: their names, and what goes in and comes out. Activities implement these."""

from typing import Any

from pydantic import Field

from domain.decision import Effect, Envelope
from domain.erasure import Step
from domain.seal import Head, SealedEvent
from domain.state import Delegation
from domain.values import Fact, Instant

DECIDE = "decide"
"""Local activity: Question -> Decision."""

STATE_WANTED = "state_wanted"
"""Type of the failure of a decision by a worker that does not hold the state the question is about."""

PROJECT = "project"
"""ProjectInput -> None. Journal and read model, idempotent by (delegation, seq)."""

CARRY_OUT = "carry_out"
"""CarryOutInput -> the system's command that records the outcome (JSON), or None where there is nothing to record."""

GIVEN_UP = "given_up"
"""Type of the failure of an effect that no further attempt will mend."""


REVIEW_DESKS = "review_desks"
"""ReviewInput -> Reviewed. Tells every file that leave touches to look who stands in; heartbeats, and resumes."""

SEND_DIGESTS = "send_digests"
"""DigestInput -> Digested. Sends, by each account's own clock, what waits for it this morning; idempotent by day."""

SYNC_COLLECTIONS = "sync_collections"
"""SyncInput -> Synced. Brings calendar collections to what they lack; every request is safe to send again."""

ARCHIVE_RUNS = "archive_runs"
"""ArchiveInput -> Archived. Stores the histories of closed runs that are not archived yet; heartbeats, idempotent."""

ARCHIVE_UNAVAILABLE = "archive_unavailable"
"""Type of the failure of a round of archiving whose archive takes nothing: another attempt, later, will mend it."""

READ_MAILBOX = "read_mailbox"
"""MailboxInput -> MailRead. Reads the organizer's mailbox again and again, and carries out what came; heartbeats."""

ERASE_STEP = "erase_step"
"""StepInput -> StepDone. One step of erasing a person; each may be repeated."""
PLAN_RETENTION = "plan_retention"
"""RetentionInput -> Planned. Plans what is due to be removed and removes nothing; idempotent while nothing changes."""

APPLY_RETENTION = "apply_retention"
"""ApplyInput -> Applied. Removes what an agreed plan lists, in small steps; heartbeats, and goes on where it was."""

MAKE_CHECKPOINT = "make_checkpoint"
"""None -> CheckpointMade. Seals everything new into a signed checkpoint, if there is anything; safe to do again."""

WITNESS_CHECKPOINTS = "witness_checkpoints"
"""None -> Witnessed. Shows witnesses the checkpoints they have not seen; what one does not take waits for the next."""


class Question(Fact):
    """What a decision is made from. `now` is the workflow's time, not the machine's.

    `state` is there once it was asked for: writing it costs as much as deciding, and a worker that decided what led to
    it has it.
    """

    head: Head
    envelope: Envelope
    now: Instant
    state: Delegation | None = None


class ProjectInput(Fact):
    """A burst of sealed events, in order."""

    delegation: str
    events: tuple[SealedEvent, ...] = Field(repr=False)


class CarryOutInput(Fact):
    """An effect to be carried out, with the state of the trail it was asked from standing in the journal."""

    delegation: str
    effect: Effect


def errand_of(asked: CarryOutInput) -> str:
    """Return the name under which the mail ledger keeps what an effect has to send."""
    return f"{asked.delegation}:{asked.effect.key}"


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


class Away(Fact):
    """A leave that was registered or changed, and who takes it."""

    leave: str
    account: str


class ReviewInput(Fact):
    """Which files to tell: those that one leave touches, else those that any leave touches. `now` is wall time.

    `occasion` names this round: a file takes the command of one occasion once.
    """

    occasion: str
    now: Instant
    away: Away | None = None


class Reviewed(Fact):
    """How many files were told."""

    files: int


class DigestInput(Fact):
    """The hour for which digests are sent."""

    now: Instant


class MailboxInput(Fact):
    """For how long to go on reading; 0 is one look."""

    seconds: int


class MailRead(Fact):
    """How many mails came, and of how many it is known what became of them."""

    taken: int
    filed: int


class Digested(Fact):
    """How many mails went out, and how many the mail server refused."""

    sent: int
    refused: int = 0


class SyncInput(Fact):
    """Which collections: one, else all that lack something and may be tried again by now.

    `review` looks through what they hold as well.
    """

    collection: str | None = None
    review: bool = False


class ArchiveInput(Fact):
    """How many runs to archive in this round at most; what remains is for the next one."""

    limit: int = 1_000


class Archived(Fact):
    """How many runs were archived, how many closed runs are not, since when the oldest of these is closed.

    `failure` is the code of why one of them could not be.
    """

    archived: int
    waiting: int
    oldest: Instant | None = None
    failure: str | None = None


class Synced(Fact):
    """How many collections were brought to what they should hold, how many failed, and how much had drifted."""

    worked: int
    failed: int = 0
    drifted: int = 0


class RetentionInput(Fact):
    """On which day what is due is looked for. `now` is wall time."""

    now: Instant


class Planned(Fact):
    """What was planned, if anything is due, and the plans that are agreed to, in the order of their making."""

    plan: str | None = None
    entries: int = 0
    agreed: tuple[str, ...] = ()


class ApplyInput(Fact):
    """An agreed plan."""

    plan: str


class Applied(Fact):
    """In how many steps this attempt removed what was left."""

    steps: int


class RetentionDone(Fact):
    """What a round planned, and how many plans it applied."""

    planned: str | None = None
    applied: int = 0


class CheckpointMade(Fact):
    """The last checkpoint that was made (None where nothing was new) and how many events were sealed.

    `clock_back`: the clock stood before the checkpoint before, so the new one has that one's time.
    """

    number: int | None = None
    added: int = 0
    clock_back: bool = False


class Witnessed(Fact):
    """How many checkpoints were shown, and how many witnesses did not take one."""

    shown: int = 0
    failed: int = 0


class RoundDone(Fact):
    """What came of a round. `archived` is None when the archive took nothing; it says so itself where people look."""

    made: CheckpointMade
    witnessed: Witnessed
    archived: Archived | None = None


class ErasureInput(Fact):
    """Which entry of the register of erasures is to be carried out."""

    erasure: str


class StepInput(Fact):
    """One step of it; `occasion` counts the looks: 1, and once more a little later."""

    erasure: str
    step: Step
    occasion: int = 1


class StepDone(Fact):
    """How much a step removed."""

    removed: int = 0


Command = dict[str, Any]
