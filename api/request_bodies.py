"""What is sent about requests of persons, and what is asked of their list."""

from typing import Annotated

from pydantic import Field

from api.desks import PageQuery
from api.parameters import SentInstant
from domain.privacy import RequestKind
from domain.request_events import ErasureName, PersonName, Reason, Via
from domain.values import Digest, Value

Words = Annotated[str, Field(description="What was written; kept under a key of the request's own.")]


class NewRequest(Value):
    """Who asks for what: somebody of the register, or whom a text describes; `received_at` if not just now."""

    kind: RequestKind
    via: Via
    person: PersonName | None = None
    description: Words | None = None
    received_at: SentInstant | None = None
    processor: bool = Field(False, description="Whether somebody who works on the house's behalf has to take part.")


class Identification(Value):
    """Who in the register asks."""

    person: PersonName


class AnswerGiven(Value):
    """What whoever asks was answered."""

    text: Words | None = None


class MoreTime(Value):
    """How many days more, and what whoever asks was told."""

    days: Annotated[int, Field(ge=1, le=366)]
    reason: Words


class Done(Value):
    """What shows that it is done: the erasure's id, the commitment of the corrected version, the export's digest."""

    erasure: ErasureName | None = None
    correction: Digest | None = None
    export: Digest | None = None
    text: Words | None = None


class Denial(Value):
    """Why what is asked is not done."""

    reason: Reason
    text: Words | None = None


class RequestQuery(PageQuery):
    """Which requests, and which page of them."""

    kind: RequestKind | None = None
    person: PersonName | None = None
    open: bool | None = Field(None, description="Only those that wait, or only those that are ended.")
    overdue: bool = Field(False, description="Only those of which something should have been done by now.")
