"""The values around one decision: what goes in, and what is recorded for ever."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, SkipValidation

from domain.events import Event
from domain.institution import Held, StandIn, Substitution
from domain.rules import Edition
from domain.seal import Head, SealedEvent
from domain.state import Delegation
from domain.values import Digest, Fact, Factor, Instant, RunBy, unsaid

RoleName = Literal["coordinator", "approver", "auditor", "administrator", "system", "participant"]

SYSTEM = "system"
"""The actor of deadlines and of recorded outcomes."""


PARTICIPANT = "participant:"
"""What the id of an actor begins with who is somebody on the file, known by a signed link; their id on it follows."""


class Actor(Fact):
    """Who acts: an opaque id, roles, and the positions held at that instant.

    `tenures` and `substitutions` say what the right to sign rests on. With an `organisation` somebody acts on the files
    of its subtree, without one on all. `person` is the reference of who the account belongs to, as on a file;
    `aliases` are that person's other accounts, disabled ones too.
    """

    id: str
    roles: tuple[RoleName, ...]
    positions: tuple[str, ...] = ()
    tenures: tuple[Held, ...] = ()
    substitutions: tuple[Substitution, ...] = ()
    organisation: str | None = None
    person: str | None = None
    aliases: tuple[str, ...] = ()


def participant_of(actor: str) -> str | None:
    """Return who on the file acts, if it is somebody on the file and no account."""
    return actor.removeprefix(PARTICIPANT) if actor.startswith(PARTICIPANT) else None


class Observed(Fact):
    """What other files say of a person (a reference): `value` counts them, this file not among them."""

    what: str
    person: str
    value: int


class Posted(Fact):
    """What the mail ledger says of a message: who it was for, and whether it may be sent again.

    `undelivered`: refused, given up or returned. `superseded`: a later one of the same item went to the same mailbox.
    """

    message_id: str
    participants: tuple[str, ...] = ()
    undelivered: bool
    erased: bool = False
    superseded: bool = False


class Context(Fact):
    """What a decision may ask: the business time, who acts, and the edition of the rules that applies.

    `edition` is the one the file was opened under (for opening, the one in force); `newest` the one in force now.
    `lineage` is the file's organisation and those above it at that instant, upwards; `run_by` is what kind of union or
    association the register knows it as, if it knows it. `desks` says at which of them the desk of a position stands.
    `factor` is by what the actor is known, since `factor_at` (the
    time of the wall). `observations` are of other files, only where the decision asks for them
    (`domain/observations.py`). `posted` are the messages that a command names. `uncollected` are
    those on the file who are to hear by a collection and have none registered. `stand_ins` are the leaves in force and
    to come whose substitutes reach the file; None where they were not asked for. `others` are those whom the decision
    is about besides the actor (`asked_after`), as the registers know them, without what they hold; None where they were
    not asked for. `sitting` are those who hold a position at its desks now and may sign; None likewise.
    """

    now: Instant
    actor: Actor
    # An edition was validated when it was read; to look for contradictions at every decision costs half a millisecond.
    edition: SkipValidation[Edition]
    newest: SkipValidation[Edition]
    lineage: tuple[str, ...] = ()
    desks: dict[str, str] = Field(default_factory=dict)
    stand_ins: tuple[StandIn, ...] | None = None
    others: tuple[Actor, ...] | None = None
    sitting: tuple[Actor, ...] | None = None
    run_by: RunBy | None = None
    factor: Factor | None = Field(default=None, exclude_if=unsaid)
    factor_at: Instant | None = Field(default=None, exclude_if=unsaid)
    observations: tuple[Observed, ...] = ()
    posted: tuple[Posted, ...] = ()
    uncollected: tuple[str, ...] = ()


class Refusal(Fact):
    """Why a command was not accepted: a stable code, the field it is about, and what to say, without personal data.

    `index` is the place of the refused command in a batch, from 0.
    """

    code: str
    field: str | None = None
    index: int | None = None
    params: dict[str, str | int | bool | list[str]] = Field(default_factory=dict)


class Outcome(Fact):
    """What one command leads to: events, or a refusal with the events that are its evidence."""

    events: tuple[Event, ...] = ()
    refusal: Refusal | None = None


def accept(*events: Event) -> Outcome:
    """Return an outcome of events."""
    return Outcome.model_construct(events=events)


def refuse(code: str, *evidence: Event, field: str | None = None, **params: str | int | bool | list[str]) -> Outcome:
    """Return a refusal with a stable code; `evidence` is sealed all the same."""
    return Outcome.model_construct(events=evidence, refusal=Refusal(code=code, field=field, params=params))


EffectKind = Literal[
    "issue_calendars", "render_document", "mail_letter", "send_notice", "resend_mail", "sync_calendars"
]


class Effect(Fact):
    """Something to be done outside, once: `key` names it, `seq` is the event that asked for it."""

    key: str
    kind: EffectKind
    seq: int
    args: dict[str, str | int] = Field(default_factory=dict)


class Envelope(Fact):
    """One request to a delegation: commands decided as one, with who asks and under which id.

    `commands` stay as JSON here, so that a workflow never has to understand them: only the decision does.
    `digest` is the SHA-256 of the canonical JSON of `commands`. `factor` says by what the actor is known, and
    `factor_at` since when (the time of the wall): a repetition of the request may have others.
    """

    delegation: str
    command_id: str
    actor: str
    commands: tuple[dict[str, Any], ...]
    digest: Digest
    factor: Factor | None = Field(default=None, exclude_if=unsaid)
    factor_at: Instant | None = Field(default=None, exclude_if=unsaid)


class Decision(Fact):
    """What was decided, as it stands in the history: never made again.

    `wake` is when the next deadline wants attention (UTC).
    """

    events: tuple[SealedEvent, ...] = ()
    effects: tuple[Effect, ...] = ()
    wake: Instant | None = None
    refusal: Refusal | None = None


class Receipt(Fact):
    """The answer to a command: which events it led to. `events` is absent when an earlier answer is repeated."""

    delegation: str
    command_id: str
    first_seq: int
    last_seq: int
    head: Digest
    phase: str
    types: tuple[str, ...]
    events: Annotated[tuple[SealedEvent, ...], Field(repr=False)] = ()
    repeated: bool = False


class Remembered(Fact):
    """What a delegation remembers of a command, to answer a repetition with the first result."""

    command_id: str
    digest: Digest
    receipt: Receipt | None = None
    refusal: Refusal | None = None


class DecideInput(Fact):
    """What the recorded decision is made from. `now` is the workflow's time, not the machine's."""

    state: Delegation | None
    head: Head
    envelope: Envelope
    now: datetime
