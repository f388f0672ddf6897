"""What a played scenario came to; `legation demo --json` prints it as one object."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict


class Due(BaseModel):
    """A deadline and the rule it came from, such as `IN-REPORT v1`."""

    model_config = ConfigDict(frozen=True)

    what: str
    due: date
    rule: str
    status: str


class Refused(BaseModel):
    """A step that was refused, as the scenario expected."""

    model_config = ConfigDict(frozen=True)

    step: str
    code: str


class Trail(BaseModel):
    """How many sealed events the file has, and the hash of the last."""

    model_config = ConfigDict(frozen=True)

    length: int
    head: str


class Summary(BaseModel):
    """Counted from the mailboxes and the read model, never from the scenario file.

    `calendars_reached`: step id to how many mailboxes got a calendar message; `messages`: method to how many.
    `shifted_weeks`: how far into the future the scenario was played. `seconds`: how long, set-up not counted.
    """

    model_config = ConfigDict(frozen=True)

    scenario: str
    delegation: str
    shifted_weeks: int
    phase: str
    head_count: int
    calendars_reached: dict[str, int]
    messages: dict[str, int]
    ceilings_vnd: list[int]
    deadlines: list[Due]
    refusals: list[Refused]
    trail: Trail
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return the object as JSON values."""
        return self.model_dump(mode="json")
