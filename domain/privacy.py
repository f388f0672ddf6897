"""By when requests of persons about their own data are answered and carried out: rules, as the law has them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from domain.rule import Rule

RequestKind = Literal["access", "correction", "erasure", "objection", "withdrawal", "restriction"]
"""What somebody asks. `withdrawal` takes a consent back, `restriction` stops the use of data without removing them."""

WorkingDays = Annotated[int, Field(ge=0, le=60)]
Days = Annotated[int, Field(ge=0, le=366)]


class RequestRule(Rule):
    """How long the house has for requests of these kinds. The day of receipt is not counted.

    An answer comes within `answer_within` working days; what is asked is done within `carry_out_within` days, or
    `with_processor` where somebody who works on the house's behalf has to take part; once, that may be extended by up
    to `extension` days.
    """

    kinds: Annotated[tuple[RequestKind, ...], Field(min_length=1, max_length=6)]
    answer_within: WorkingDays
    carry_out_within: Annotated[int, Field(ge=1, le=366)]
    with_processor: Annotated[int, Field(ge=1, le=366)]
    extension: Days = 0

    @model_validator(mode="after")
    def _processor_takes_longer(self) -> Self:
        if self.with_processor < self.carry_out_within:
            raise PydanticCustomError("processor_is_faster", "with_processor is not less than carry_out_within")
        return self

    def same_subject(self, other: Self) -> bool:
        """Return whether both rules could set the dates of one request."""
        return not set(self.kinds).isdisjoint(other.kinds)
