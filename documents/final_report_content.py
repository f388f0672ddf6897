"""What a final report says: the facts of a visit, how it was approved, what was done in time, what it cost."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from documents.administrative import Heading, Signatory, Text, Wording
from documents.programme import ProgrammeEntry
from domain.text import Line
from domain.values import Country, Digest, Direction, Value

Dong = Annotated[int, Field(ge=0, strict=True)]
"""A sum of whole đồng."""


class Travelled(Value):
    """A registered member, and what became of them: `left_on` is the day they withdrew or were replaced."""

    name: Wording
    role: Wording | None = None
    country: Country | None = None
    standing: Literal["attended", "withdrawn", "replaced"] = "attended"
    left_on: date | None = None
    replaced_by: Wording | None = None


class Performed(ProgrammeEntry):
    """An item of the programme as it went: cancelled, or moved from where it first stood."""

    outcome: Literal["held", "cancelled"] = "held"
    moved_from: AwareDatetime | None = None
    note: Wording | None = None


class Approval(Value):
    """A step of the chain: who acted, by what right, when. `in_place_of` is who a substitute acted for."""

    step: Wording
    by: Signatory
    in_place_of: Line | None = None
    outcome: Literal["signed", "returned", "rejected"] = "signed"
    at: AwareDatetime


class Formality(Value):
    """Something due by a rule, and the day it was done. `rule` names rule and version, such as ``IN-4 v1``."""

    what: Wording
    due: date | None = None
    done: date | None = None
    rule: Line | None = None


class CostLine(Value):
    """A ceiling and what was spent; `basis` says how the ceiling comes about, such as ``12 × 7 × 800,000``.

    If nothing is known of what was spent on any line, the report shows the ceilings alone.
    """

    what: Wording
    basis: Wording | None = None
    ceiling_vnd: Dong | None = None
    actual_vnd: Dong | None = None


class Annex(Value):
    """An attached file by the SHA-256 of its bytes."""

    name: Wording
    sha256: Digest


class Trail(Value):
    """How many sealed entries the file's trail had, and the hash of the last."""

    length: Annotated[int, Field(ge=1)]
    head: Digest


class FinalReport(Value):
    """Everything a final report says. `arrival` and `departure` are both days of the visit; `addressee` may be absent.

    `head_count` counts those who took part, `registered` those who were ever on the list. A section without content is
    left out, and the numbers of the others close up.
    """

    heading: Heading
    delegation: Line
    direction: Direction
    title: Wording
    addressee: Wording | None = None
    partner: Wording
    hosts: tuple[Wording, ...] = ()
    countries: tuple[Country, ...] = ()
    places: tuple[Wording, ...] = ()
    arrival: date
    departure: date
    head_count: Annotated[int, Field(ge=0)]
    registered: Annotated[int, Field(ge=0)]
    purpose: Text
    members: tuple[Travelled, ...] = ()
    programme: tuple[Performed, ...] = ()
    approvals: tuple[Approval, ...] = ()
    formalities: tuple[Formality, ...] = ()
    costs: tuple[CostLine, ...] = ()
    results: Text
    recommendations: Text | None = None
    annexes: tuple[Annex, ...] = ()
    trail: Trail | None = None

    @model_validator(mode="after")
    def _departs_after_arriving(self) -> Self:
        if self.departure < self.arrival:
            raise ValueError("the delegation departs before it arrives")
        return self
