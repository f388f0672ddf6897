"""What is asked of a request of a person, and what has happened to one; no event carries personal data."""

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, TypeAdapter

from domain.privacy import RequestKind
from domain.rule import RuleId
from domain.values import Digest, Fact, Instant, TextRef, Value, unsaid
from domain.workdays import DayExplained

Via = Literal["in_person", "letter", "email", "telephone", "form"]
"""The way a request came."""

Reason = Literal[
    "identity_not_proven", "not_authorised", "nothing_held", "required_by_law", "rights_of_others", "repeated"
]
"""Why a request is refused: who asks was not shown, or may not ask for the person; nothing is held of them; a law
demands that it is kept; it would reach into others' rights; it repeats one that was settled."""

PersonName = Annotated[str, StringConstraints(pattern=r"^per_[A-Za-z0-9_-]{8,64}$")]
"""A person's reference in the register. No commitment: a request is about whatever is held, not about one version."""

ErasureName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,79}$")]


class Term(Fact):
    """By when something is due: the last second of a day in the business zone. `skipped` are the days left out."""

    due_on: date
    due_at: Instant
    skipped: tuple[DayExplained, ...] = ()


class Terms(Fact):
    """Both dates of a request and the rule they come from.

    `extension` is how many days it may be given once. `table_covers` is False where the holiday table ends before the
    count does: then only weekends were left out.
    """

    rule: RuleId
    version: int
    source: str
    zone: str
    received_on: date
    answer: Term
    carry_out: Term
    extension: int
    table_covers: bool


# What is asked of a request


class Identify(Value):
    """To say who in the register asks."""

    type: Literal["identify"] = "identify"
    person: PersonName


class Answer(Value):
    """To record that whoever asks was answered: what will be done, how, and by when."""

    type: Literal["answer"] = "answer"
    text: TextRef | None = None


class Extend(Value):
    """To take more time, once, and before it has passed; `reason` is what whoever asks is told."""

    type: Literal["extend"] = "extend"
    days: Annotated[int, Field(ge=1, le=366)]
    reason: TextRef


class CarryOut(Value):
    """To record that what was asked is done, and what shows it.

    `erasure` is the erasure's id, for a request for erasure; `correction` the commitment of the corrected version;
    `export` the digest of what was handed over.
    """

    type: Literal["carry_out"] = "carry_out"
    erasure: ErasureName | None = None
    correction: Digest | None = None
    export: Digest | None = None
    text: TextRef | None = None


class Refuse(Value):
    """To refuse what is asked, for one of the reasons there are."""

    type: Literal["refuse"] = "refuse"
    reason: Reason
    text: TextRef | None = None


class TakeBack(Value):
    """To record that whoever asked no longer does."""

    type: Literal["take_back"] = "take_back"


Command: TypeAlias = Identify | Answer | Extend | CarryOut | Refuse | TakeBack


# What has happened to one


class RequestReceived(Fact):
    """Somebody asks: a person of the register, or one whom a text describes."""

    type: Literal["request_received"] = "request_received"
    kind: RequestKind
    person: PersonName | None = Field(default=None, exclude_if=unsaid)
    description: TextRef | None = Field(default=None, exclude_if=unsaid)
    via: Via
    processor: bool = False
    received_at: Instant
    terms: Terms


class PersonIdentified(Fact):
    """It is known who asks."""

    type: Literal["person_identified"] = "person_identified"
    person: PersonName


class RequestAnswered(Fact):
    """Whoever asks was answered; `late` after the day for it."""

    type: Literal["request_answered"] = "request_answered"
    text: TextRef | None = Field(default=None, exclude_if=unsaid)
    late: bool = False


class TimeExtended(Fact):
    """What is asked is due later, for the reason that whoever asks was told."""

    type: Literal["time_extended"] = "time_extended"
    days: int
    reason: TextRef
    carry_out: Term


class RequestCarriedOut(Fact):
    """What was asked is done; `late` after the day for it."""

    type: Literal["request_carried_out"] = "request_carried_out"
    erasure: ErasureName | None = Field(default=None, exclude_if=unsaid)
    correction: Digest | None = Field(default=None, exclude_if=unsaid)
    export: Digest | None = Field(default=None, exclude_if=unsaid)
    text: TextRef | None = Field(default=None, exclude_if=unsaid)
    late: bool = False


class RequestRefused(Fact):
    """What was asked is not done, and why."""

    type: Literal["request_refused"] = "request_refused"
    reason: Reason
    text: TextRef | None = Field(default=None, exclude_if=unsaid)
    late: bool = False


class RequestTakenBack(Fact):
    """Nobody asks any more."""

    type: Literal["request_taken_back"] = "request_taken_back"


Event: TypeAlias = (
    RequestReceived
    | PersonIdentified
    | RequestAnswered
    | TimeExtended
    | RequestCarriedOut
    | RequestRefused
    | RequestTakenBack
)
EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
