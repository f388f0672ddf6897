"""Policies of approval as data: who signs what, in which order, and for which delegations.

A policy is a rule of an edition. Its steps stand in stages, one after the other; the steps of a stage are open
together. Which of several policies a file gets is decided by `domain/choosing.py`.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from domain.bilingual import Bilingual
from domain.rule import Conference, Escalation, Rule, check_escalations
from domain.signing import REPORT
from domain.values import Country, Direction, HeadLevel, RunBy, Slug, Value

SignaturePrefix = Literal["TM", "KT", "TL", "TUQ"]

Matter = Literal["request", "programme_change", "final_report"]
"""What a policy is for: a proposal, what changes after its decision, or the final report."""

PartKind = Literal["request", "member", "programme", "ceiling", "limit", "document"]
"""Kinds of parts of a dossier: the word before the colon of a part's name."""

Days = Annotated[int, Field(ge=0, le=366)]
Money = Annotated[int, Field(ge=0, le=10**15)]
Positions = Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20)]
LIST = Field(default=(), max_length=60)


class Applies(Value):
    """For which delegations a policy is; what is not said does not matter.

    Of a list one entry has to fit; `countries` fit when one of them is on the way. Costs are in VND, from
    `cost_at_least` up to but not including `cost_below`; a cost that is not known, or known only in part, fits the
    first and not the second.
    """

    run_by: tuple[RunBy, ...] = LIST
    issuer: tuple[Slug, ...] = LIST
    head_level: HeadLevel | None = None
    countries: tuple[Country, ...] = LIST
    conference: tuple[Conference, ...] = LIST
    entry_papers_needed: bool | None = None
    limits_breached: bool | None = None
    cost_at_least: Money | None = None
    cost_below: Money | None = None

    @property
    def said(self) -> tuple[str, ...]:
        """The conditions that are stated, in the order of the fields. Their number is how specific a policy is."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) not in (None, ()))

    @model_validator(mode="after")
    def _costs_leave_room(self) -> Self:
        low, high = self.cost_at_least, self.cost_below
        if low is not None and high is not None and high <= low:
            raise PydanticCustomError("costs_leave_nothing", "cost_below must be more than cost_at_least")
        return self

    def can_hold_with(self, other: "Applies") -> bool:
        """Return whether one delegation can fulfil both."""
        lists = ((self.run_by, other.run_by), (self.issuer, other.issuer), (self.conference, other.conference))
        single = (
            (self.head_level, other.head_level),
            (self.entry_papers_needed, other.entry_papers_needed),
            (self.limits_breached, other.limits_breached),
        )
        lowest = max(self.cost_at_least or 0, other.cost_at_least or 0)
        highest = min((high for high in (self.cost_below, other.cost_below) if high is not None), default=None)
        return (
            all(not mine or not theirs or set(mine) & set(theirs) for mine, theirs in lists)
            and all(mine is None or theirs is None or mine == theirs for mine, theirs in single)
            and (highest is None or lowest < highest)
        )


class Quorum(Value):
    """So many of these positions."""

    count: Annotated[int, Field(ge=1, le=20)]
    positions: Positions


class InConflict(Value):
    """What becomes of a step where whoever sits at its desk may not sign: their own trip or request, another step.

    Exactly one of: `position`, which signs instead; `external`, an outside authority decides instead; `left_to`, the
    id of a later step of the chain, which then answers for both. Who signs instead has a title, and perhaps a prefix.
    """

    position: Slug | None = None
    external: bool = False
    left_to: Slug | None = None
    title: Bilingual | None = None
    signature_prefix: SignaturePrefix | None = None
    principal: Bilingual | None = None

    @model_validator(mode="after")
    def _one_way_out(self) -> Self:
        if sum((self.position is not None, self.external, self.left_to is not None)) != 1:
            raise PydanticCustomError("one_way_out", "if_conflicted has exactly one of position, external and left_to")
        if (self.title is None) != (self.left_to is not None):
            raise PydanticCustomError(
                "title_of_who_decides", "who decides instead has a title; a step left out has none"
            )
        if self.signature_prefix and self.position is None:
            raise PydanticCustomError("prefix_of_nobody", "only a position signs with a prefix of ours")
        _principal_fits(self.signature_prefix, self.principal)
        return self


def _principal_fits(prefix: SignaturePrefix | None, principal: Bilingual | None) -> None:
    if principal is not None and prefix is None:
        raise PydanticCustomError("principal_without_prefix", "principal says for whom a prefix is: name the prefix")


class ApprovalStep(Value):
    """One step of a policy: whoever holds its position signs within the time limit, or it escalates.

    Exactly one of `position`, `one_of`, `all_of`, `n_of` and `external` says who decides; an external step is decided
    by an outside authority, whose signed letter is recorded. Steps with the same `stage` are open together.
    `remind_before` counts calendar days before the due date. `escalate_to` hears of it on the day it is missed, and
    `escalate` says who hears further, one after the other, while nobody answers. `looks_at` names the kinds of parts
    that the signature depends on; none is all of them. `principal` is for whom or in whose name the prefix is: KT. CHỦ
    TỊCH, TM. BAN THƯỜNG TRỰC (Decree 30/2020, appendix I, II.7). `if_conflicted` is for steps that one signature
    answers.
    """

    id: Slug
    title: Bilingual
    position: Slug | None = None
    one_of: Positions | None = None
    all_of: Positions | None = None
    n_of: Quorum | None = None
    external: bool = False
    stage: Annotated[int, Field(ge=1, le=20)] | None = None
    time_limit_working_days: Annotated[int, Field(ge=1, le=366)]
    remind_before: Annotated[tuple[Days, ...], Field(max_length=10)] = (0,)
    escalate_to: Slug | None = None
    escalate: Annotated[tuple[Escalation, ...], Field(max_length=10)] = ()
    signature_prefix: SignaturePrefix | None = None
    principal: Bilingual | None = None
    if_conflicted: InConflict | None = None
    looks_at: Annotated[tuple[PartKind, ...], Field(max_length=6)] = ()

    @model_validator(mode="after")
    def _somebody_decides(self) -> Self:
        ways = [self.position, self.one_of, self.all_of, self.n_of, self.external or None]
        if sum(way is not None for way in ways) != 1:
            raise PydanticCustomError(
                "step_without_one_way", "a step has exactly one of position, one_of, all_of, n_of and external"
            )
        if len(set(self.positions)) < len(self.positions):
            raise PydanticCustomError("position_repeated", "a position stands twice in one step")
        if self.needed > max(len(self.positions), 1):
            raise PydanticCustomError("quorum_too_large", "n_of asks for more signatures than it has positions")
        if list(self.remind_before) != sorted(set(self.remind_before), reverse=True):
            raise PydanticCustomError("reminders_out_of_order", "remind_before counts down, each number once")
        check_escalations(self.escalate)
        if self.external and self.signature_prefix:
            raise PydanticCustomError("external_with_prefix", "an external step has no signature prefix of ours")
        _principal_fits(self.signature_prefix, self.principal)
        if self.if_conflicted and (self.external or self.needed > 1):
            raise PydanticCustomError(
                "conflict_of_several", "if_conflicted is for steps that one signature of ours answers"
            )
        if self.if_conflicted and self.if_conflicted.position in self.positions:
            raise PydanticCustomError("conflict_to_itself", "if_conflicted names a position of the step itself")
        return self

    @property
    def positions(self) -> tuple[Slug, ...]:
        """The positions that may sign, in order; none for an external step."""
        if self.position is not None:
            return (self.position,)
        return self.one_of or self.all_of or (self.n_of.positions if self.n_of else ())

    @property
    def needed(self) -> int:
        """How many of the positions have to sign."""
        return len(self.all_of) if self.all_of else self.n_of.count if self.n_of else 1


class ApprovalChain(Rule):
    """A policy: who signs, in order, and for which delegations.

    Of those that apply, the one with the highest `priority` is chosen, and among equals the one that states most
    conditions; two that could both apply and are equal in both are refused. `resubmission` says what is signed again
    when a dossier comes back changed: the whole chain, or only the steps whose parts changed. `about` names the kinds
    of parts of which a change after the decision needs approval; some step looks at each of them.
    """

    direction: Direction
    matter: Matter = "request"
    applies: Applies = Applies()
    priority: Annotated[int, Field(ge=0, le=1000)] = 0
    resubmission: Literal["whole", "minimal"] = "whole"
    about: Annotated[tuple[PartKind, ...], Field(max_length=6)] = ()
    steps: Annotated[tuple[ApprovalStep, ...], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _steps_fit_together(self) -> Self:
        if len({step.id for step in self.steps}) < len(self.steps):
            raise PydanticCustomError("step_repeated", "two steps have the same id")
        if any(step.id == REPORT for step in self.steps):
            raise PydanticCustomError("step_named_report", "“report” is what the acceptance of the report is called")
        stages = [step.stage for step in self.steps]
        if any(stages) and not all(stages):
            raise PydanticCustomError("stage_missing", "either every step names its stage, or none does")
        numbers = [stage for stage in stages if stage]
        if numbers and (numbers != sorted(numbers) or set(numbers) != set(range(1, numbers[-1] + 1))):
            raise PydanticCustomError("stages_out_of_order", "stages count up from 1 without a gap")
        if self.matter == "final_report" and (len(self.steps) != 1 or self.steps[0].external or _quorum(self)):
            raise PydanticCustomError(
                "report_by_one", "a final report is accepted in one step, by one signature of ours"
            )
        for place, step in enumerate(self.steps):
            _way_out_leads_on(step, self.steps[:place], self.steps[place + 1 :])
        if self.matter == "final_report" and (way := self.steps[0].if_conflicted) and way.external:
            raise PydanticCustomError("report_by_ours", "a final report is accepted by one of ours")
        if bool(self.about) != (self.matter == "programme_change"):
            raise PydanticCustomError(
                "about_what", "a policy for a programme change, and no other, says what it is about"
            )
        if unseen := [kind for kind in self.about if not any(_sees(step, kind) for step in self.steps)]:
            raise PydanticCustomError("nobody_looks", "no step looks at {kind}", {"kind": unseen[0]})
        return self

    @property
    def rank(self) -> tuple[int, int]:
        """By what policies that apply are compared: the priority, then how many conditions are stated."""
        return self.priority, len(self.applies.said)

    def same_subject(self, other: Self) -> bool:
        """Return whether both could apply to one delegation, and nothing says which."""
        return (
            (self.direction, self.matter, self.rank) == (other.direction, other.matter, other.rank)
            and self.applies.can_hold_with(other.applies)
        )  # fmt: skip


def _way_out_leads_on(step: ApprovalStep, before: Sequence[ApprovalStep], after: Sequence[ApprovalStep]) -> None:
    way = step.if_conflicted
    if way is None:
        return
    if way.left_to is not None:
        to = next((one for one in after if one.id == way.left_to), None)
        if to is None:
            raise PydanticCustomError(
                "left_to_nobody",
                "{step} is left to {to}, which is no later step of the chain",
                {"step": step.id, "to": way.left_to},
            )
        if to.looks_at and not (step.looks_at and set(step.looks_at) <= set(to.looks_at)):
            raise PydanticCustomError(
                "left_to_who_sees_less",
                "{step} is left to {to}, which does not look at all that {step} looks at",
                {"step": step.id, "to": to.id},
            )
    if way.position and any(way.position in one.positions for one in (*before, *after)):
        raise PydanticCustomError("conflict_to_another_step", "{position} would sign {step} and a step of its own",
            {"position": way.position, "step": step.id})  # fmt: skip


def _sees(step: ApprovalStep, kind: PartKind) -> bool:
    return not step.looks_at or kind in step.looks_at


def _quorum(chain: ApprovalChain) -> bool:
    return any(step.needed > 1 for step in chain.steps)
