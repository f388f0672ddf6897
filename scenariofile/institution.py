"""What a scenario says of the institution: organisations, positions, and leave with its substitute.

Leave stands in the file from the start, or is registered, ended or revoked by a step: then it is no command to the
delegation, but a change of the register of leave.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from domain.institution import OrganisationKind
from domain.values import Slug, Value
from scenariofile.wording import Title, WrittenTime

Positions = Annotated[tuple[Slug, ...], Field(max_length=50)]


class Organisation(Value):
    """An organisation, below another one or on top."""

    id: Slug
    kind: OrganisationKind
    parent: Slug | None = None
    name: Title


class Position(Value):
    """An office that signs; without an organisation it is one that several have."""

    id: Slug
    organisation: Slug | None = None
    title: Title


class Leave(Value):
    """One of the actors is away from `since` until `until` (not included), and another signs for these positions.

    Without positions the substitute signs for all of them. Times are wall clock in the scenario's zone.
    """

    id: Slug
    account: Slug
    substitute: Slug
    since: WrittenTime
    until: WrittenTime
    positions: Positions = ()

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.until <= self.since:
            raise PydanticCustomError("period_backwards", "the leave does not end after it begins")
        return self


class RegisterLeave(Value):
    """Register a leave under a name of the file: one's own, or somebody's as an administrator."""

    type: Literal["register_leave"]
    leave: Slug
    account: Slug | None = None
    substitute: Slug
    since: WrittenTime
    until: WrittenTime
    positions: Positions = ()

    def entry(self, by: str) -> Leave:
        """Return the leave; where none is named, of the one who registers it."""
        said = self.model_dump(exclude={"type", "leave", "account"})
        return Leave(id=self.leave, account=self.account or by, **said)


class EndLeave(Value):
    """Give a leave another end: the first instant after it."""

    type: Literal["end_leave"]
    leave: Slug
    until: WrittenTime


class RevokeLeave(Value):
    """Revoke a leave."""

    type: Literal["revoke_leave"]
    leave: Slug


LeaveChange = RegisterLeave | EndLeave | RevokeLeave
LEAVE_CHANGE: TypeAdapter[LeaveChange] = TypeAdapter(Annotated[LeaveChange, Field(discriminator="type")])
LEAVE_CHANGES = ("register_leave", "end_leave", "revoke_leave")
LEAVE_TIMES = ("since", "until")


def changes_leave(written: Any) -> bool:
    """Whether what a step does is a change of the register of leave."""
    return isinstance(written, dict) and written.get("type") in LEAVE_CHANGES
