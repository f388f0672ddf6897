"""What every rule of an edition carries, and when two rules contradict each other."""

from collections.abc import Sequence
from datetime import date
from itertools import combinations
from typing import Annotated, Literal, NamedTuple, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.bilingual import Bilingual
from domain.values import BusinessText, Direction, Slug, Value

RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*$", max_length=40)]
"""Stands in events, reports and explanations: `IN-REPORT`."""

Scope = Literal["inbound", "outbound", "any"]
Conference = Literal["none", "prime_minister", "other"]


class Rule(Value):
    """What every rule carries. It holds from `effective_from` to `effective_to`, both included; open if none."""

    id: RuleId
    version: Annotated[int, Field(ge=1, le=9999)]
    title: Bilingual
    source: BusinessText
    effective_from: date
    effective_to: date | None = None

    @model_validator(mode="after")
    def _period_runs_forward(self) -> Self:
        if self.effective_to is not None and self.effective_to < self.effective_from:
            raise PydanticCustomError("period_runs_backward", "effective_to is before effective_from")
        return self

    def effective_on(self, day: date) -> bool:
        """Return whether the rule holds on a day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def meets(self, other: "Rule") -> bool:
        """Return whether there is a day on which both rules hold."""
        first, last = max(self.effective_from, other.effective_from), min(_end(self), _end(other))
        return first <= last

    def same_subject(self, other: Self) -> bool:
        """Return whether both rules could answer one and the same question."""
        raise NotImplementedError


class Escalation(Value):
    """Who hears of it when something is missed and still not done so many days after its due date: a position."""

    after: Annotated[int, Field(ge=1, le=366)]
    unit: Literal["working_days", "days"] = "working_days"
    to: Slug


def check_escalations(escalate: Sequence[Escalation]) -> None:
    """Refuse (`escalations_out_of_order`) what does not count up, or counts days and working days side by side."""
    after = [one.after for one in escalate]
    # Of two units one could change places with the other over a holiday.
    if after != sorted(set(after)) or len({one.unit for one in escalate}) > 1:
        raise PydanticCustomError(
            "escalations_out_of_order", "escalate counts up, each number once and all in the same unit"
        )


RuleT = TypeVar("RuleT", bound=Rule)


class Contradiction(NamedTuple):
    """Two rules, by their places in the list, that cannot both stand, and why."""

    first: int
    second: int
    reason: Literal["same_version", "same_id_at_once", "same_subject_at_once"]


def effective(rules: Sequence[RuleT], on: date) -> tuple[RuleT, ...]:
    """Return the rules that hold on a day, in their order."""
    return tuple(rule for rule in rules if rule.effective_on(on))


def contradictions(rules: Sequence[RuleT]) -> tuple[Contradiction, ...]:
    """Return each pair of rules that would leave open which one answers.

    A version of a rule stands once; versions of one rule do not hold on the same day; nor do two rules that could
    answer the same question.
    """
    found = []
    for (first, one), (second, other) in combinations(enumerate(rules), 2):
        if one.id == other.id and one.version == other.version:
            found.append(Contradiction(first, second, "same_version"))
        elif one.meets(other):
            if one.id == other.id:
                found.append(Contradiction(first, second, "same_id_at_once"))
            elif one.same_subject(other):
                found.append(Contradiction(first, second, "same_subject_at_once"))
    return tuple(found)


def in_scope(scope: Scope, direction: Direction) -> bool:
    """Return whether a rule's scope takes in a direction."""
    return scope in ("any", direction)


def scopes_meet(one: Scope, other: Scope) -> bool:
    """Return whether two scopes share a direction."""
    return one == other or "any" in (one, other)


def _end(rule: Rule) -> date:
    return rule.effective_to or date.max
