"""Rules as data: an edition is everything the regulations say that a decision may need.

Norms differ between issuers and change with time, so no number stands in code: each rule has an identity, a version,
a source and the days between which it holds (domain.md, opening). An edition is sealed into a file when it is opened.
"""

from collections.abc import Mapping, Sequence
from datetime import date, time
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.bilingual import Bilingual
from domain.canonical import digest_of
from domain.policies import ApprovalChain
from domain.privacy import RequestRule
from domain.retention import RetentionRule
from domain.rule import Conference, Escalation, Rule, Scope, check_escalations, contradictions, scopes_meet
from domain.values import BusinessText, Country, Direction, Slug, Value, Zone
from domain.workdays import WEEKEND, NamedDay, Weekday, WorkCalendar

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""

Amount = Annotated[int, Field(ge=0, le=10**12)]
"""Money in the minor unit of its currency (ISO 4217): đồng for VND, cent for EUR, yen for JPY."""

Anchor = Literal["opened", "submitted", "arrival", "departure", "papers_requested"]
Grade = Literal["A", "B", "C"]
LimitedThing = Literal["members", "days", "countries", "days_per_country", "leader_trips_a_year", "key_leaders"]


class Conditions(Value):
    """When a deadline applies; what is not said does not matter.

    `issuer` names the authority whose regulation the union follows. A rule of that issuer replaces the rule for the
    same thing that names no issuer.
    """

    entry_papers_needed: bool | None = None
    provincial_chair: bool | None = None
    conference: Conference | None = None
    issuer: Slug | None = None

    def can_hold_with(self, other: "Conditions") -> bool:
        """Return whether one case can fulfil both, of the same issuer."""
        return self.issuer == other.issuer and all(
            mine is None or theirs is None or mine == theirs
            for mine, theirs in (
                (self.entry_papers_needed, other.entry_papers_needed),
                (self.provincial_chair, other.provincial_chair),
                (self.conference, other.conference),
            )
        )


class DeadlineRule(Rule):
    """By when something is due: `offset` days or working days before or after an anchor.

    `satisfied_by` names what fulfils it: `submitted`, `report_filed`, the kind of a formality, or `step.` and the id
    of an approval step. `remind_before` counts calendar days before the due date. `escalate` says who hears of it, one
    after the other, while it is missed and not met.
    """

    what: Slug
    direction: Scope
    conditions: Conditions = Conditions()
    anchor: Anchor
    offset: Annotated[int, Field(ge=0, le=366)]
    unit: Literal["days", "working_days"]
    side: Literal["before", "after"]
    remind_before: Annotated[tuple[Annotated[int, Field(ge=0, le=366)], ...], Field(max_length=10)] = ()
    satisfied_by: Slug
    escalate: Annotated[tuple[Escalation, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _reminders_approach(self) -> Self:
        if list(self.remind_before) != sorted(set(self.remind_before), reverse=True):
            raise PydanticCustomError("reminders_out_of_order", "remind_before counts down, each number once")
        return self

    @model_validator(mode="after")
    def _escalations_go_on(self) -> Self:
        check_escalations(self.escalate)
        return self

    def same_subject(self, other: Self) -> bool:
        """Return whether both rules could set a date for the same thing in one case."""
        return (
            self.what == other.what
            and scopes_meet(self.direction, other.direction)
            and self.conditions.can_hold_with(other.conditions)
        )


class LimitRule(Rule):
    """How large a delegation may be. Beyond `allowed` a justification is recorded; nothing is blocked by itself.

    `special` is what the regulation itself grants in special cases; the approvers see whether it is kept. Of an
    `absolute` limit the regulation says “never”: no justification lifts it.
    """

    what: LimitedThing
    direction: Scope
    issuer: Slug | None = None
    led_by_city_leaders: bool | None = None
    allowed: Annotated[int, Field(ge=0, le=100_000)]
    special: Annotated[int, Field(ge=1, le=100_000)] | None = None
    absolute: bool = False

    @model_validator(mode="after")
    def _special_is_wider(self) -> Self:
        if self.special is not None and self.special <= self.allowed:
            raise PydanticCustomError("special_not_wider", "special must be more than allowed")
        if self.special is not None and self.absolute:
            raise PydanticCustomError("absolute_and_special", "an absolute limit grants nothing in special cases")
        return self

    def same_subject(self, other: Self) -> bool:
        """Return whether both rules could limit the same thing in one case."""
        leads = {self.led_by_city_leaders, other.led_by_city_leaders}
        return (
            self.what == other.what
            and self.issuer == other.issuer
            and scopes_meet(self.direction, other.direction)
            and leads != {True, False}
        )


class Norm(Value):
    """An amount in VND and where it stands. An amount of 0 is a rule too: nothing may be spent."""

    vnd: Amount
    source: BusinessText


class ReceptionTable(Rule):
    """What may be spent on guests of a grade (circular 71/2018). None: no source here gives the norm."""

    grade: Grade
    meals_per_person_day: Norm | None
    lodging_per_head_night: Norm | None
    lodging_per_member_night: Norm | None
    flowers_per_head: Norm | None

    def same_subject(self, other: Self) -> bool:
        """Return whether both tables are for the same grade."""
        return self.grade == other.grade


class CountryNorm(Rule):
    """What a traveller may spend in a country (circular 102/2012), in minor units of `currency`.

    `sample` marks amounts that no regulation gave: they show the form until the union enters its own.
    """

    country: Country
    currency: Currency
    lodging_per_night: Amount
    meals_per_day: Amount
    transfers_per_day: Amount
    sample: bool = False

    def same_subject(self, other: Self) -> bool:
        """Return whether both norms are for the same country."""
        return self.country == other.country


class WayRule(Rule):
    """How many minutes there have to be between two items for the same people: in two places, or in two time zones."""

    between: Literal["places", "zones"]
    minutes: Annotated[int, Field(ge=1, le=24 * 60)]

    def same_subject(self, other: Self) -> bool:
        """Return whether both rules are for the same kind of way."""
        return self.between == other.between


class HolidayTable(Value):
    """Which public holidays were expanded into an edition: ISO country and first and last year, both included."""

    country: Country
    first_year: Annotated[int, Field(ge=1990, le=2100)]
    last_year: Annotated[int, Field(ge=1990, le=2100)]

    @model_validator(mode="after")
    def _years_run_forward(self) -> Self:
        if self.last_year < self.first_year:
            raise PydanticCustomError("years_run_backward", "last_year is before first_year")
        return self

    def covers(self, day: date) -> bool:
        """Return whether the table speaks of a day; beyond it only weekends are known."""
        return self.first_year <= day.year <= self.last_year


class WorkingSwaps(Value):
    """Days that were announced singly: worked although a weekend or holiday, or off although a working day."""

    extra_working: tuple[NamedDay, ...] = ()
    extra_off: tuple[NamedDay, ...] = ()


class Edition(Value):
    """The rules of one edition. Its zone decides on which day something happens and when a business day ends.

    Refuses rules that contradict each other, days announced both ways, and a week without a working day.
    """

    title: Bilingual
    effective_from: date
    zone: Zone
    reminders_at: time
    weekend: tuple[Weekday, ...] = WEEKEND
    holiday_table: HolidayTable
    holidays: tuple[NamedDay, ...]
    working_swaps: WorkingSwaps = WorkingSwaps()
    deadlines: tuple[DeadlineRule, ...]
    limits: tuple[LimitRule, ...]
    reception: tuple[ReceptionTable, ...]
    travel: tuple[CountryNorm, ...]
    approvals: tuple[ApprovalChain, ...]
    returns_for_incompleteness: Annotated[int, Field(ge=0, le=100)] = 1
    invitation_letter: tuple[Direction, ...] = ("inbound",)
    """For which delegations `invite` also sends a letter: guests get one, our own travellers do not."""
    quiet_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 0
    """How long what people are to be told waits for further changes, so that what is corrected is never sent."""
    quiet_unless_within_hours: Annotated[int, Field(ge=0, le=7 * 24)] = 6
    """What starts so soon, or was to, is told at once."""
    requests: tuple[RequestRule, ...] = ()
    """By when requests of persons about their own data are answered and carried out."""
    retention: tuple[RetentionRule, ...] = ()
    """How long each kind of data is kept."""
    ways: tuple[WayRule, ...] = ()
    """How much time there has to be between two items; what no rule speaks of is never too short."""

    @property
    def positions(self) -> frozenset[str]:
        """The positions that its rules name: those that sign, and those that hear of what is late."""
        steps = [step for chain in self.approvals for step in chain.steps]
        named = {one for step in steps for one in (*step.positions, step.escalate_to) if one is not None}
        named |= {step.if_conflicted.position for step in steps if step.if_conflicted and step.if_conflicted.position}
        named |= {one.to for step in steps for one in step.escalate}
        return frozenset(named | {one.to for rule in self.deadlines for one in rule.escalate})

    @model_validator(mode="after")
    def _stands_together(self) -> Self:
        lists: tuple[Sequence[Rule], ...] = (
            self.deadlines, self.limits, self.reception, self.travel, self.approvals, self.requests, self.retention,
            self.ways,
        )  # fmt: skip
        for rules in lists:
            for first, second, reason in contradictions(rules):
                raise PydanticCustomError(
                    "rules_contradict",
                    "the rules {first} and {second} contradict each other: {reason}",
                    {"first": rules[first].id, "second": rules[second].id, "reason": reason},
                )
        try:
            _ = self.work_calendar
        except ValueError as error:
            raise PydanticCustomError("days_contradict", "{problem}", {"problem": str(error)}) from error
        return self

    @cached_property
    def work_calendar(self) -> WorkCalendar:
        """The working days of this edition."""
        swaps = self.working_swaps
        return WorkCalendar(self.holidays, swaps.extra_working, swaps.extra_off, self.weekend)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; what was worked out from the fields is not copied with them."""
        copied = super().model_copy(update=update, deep=deep)
        for worked_out in ("work_calendar", "_digest"):
            copied.__dict__.pop(worked_out, None)
        return copied

    def __hash__(self) -> int:
        return hash(self._digest)

    def digest(self) -> str:
        """Return the SHA-256, in hexadecimal, of the canonical JSON of what the edition says: its identity."""
        return self._digest

    def said(self) -> dict[str, Any]:
        """Return what the edition says, as JSON: what stands at its default is left out.

        So an edition keeps its name when a later release adds an optional field. A default therefore never changes.
        """
        return self.model_dump(mode="json", exclude_defaults=True)

    @cached_property
    def _digest(self) -> str:
        return digest_of(self.said())

    def issuers(self) -> frozenset[str]:
        """Return the issuers that some rule of this edition names."""
        return self.issuers_of_rules() | {issuer for chain in self.approvals for issuer in chain.applies.issuer}

    def issuers_of_rules(self) -> frozenset[str]:
        """Return the issuers that a deadline or a limit of this edition is of."""
        named = {rule.conditions.issuer for rule in self.deadlines} | {rule.issuer for rule in self.limits}
        return frozenset(issuer for issuer in named if issuer is not None)
