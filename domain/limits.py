"""Whether a delegation keeps within the limits on its composition.

A breached limit does not block by itself: it requires a recorded justification that the approvers see
(domain.md, Limits). An absolute one cannot be justified: “never two key leaders on one trip” [15].
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from domain.bilingual import Bilingual
from domain.rule import RuleId, effective, in_scope
from domain.rules import Edition, LimitedThing, LimitRule
from domain.values import BusinessText, Country, Direction, Fact, Slug, Value

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Unit = Literal["people", "days", "countries", "trips", "leaders"]

UNITS: dict[LimitedThing, Unit] = {
    "members": "people",
    "days": "days",
    "countries": "countries",
    "days_per_country": "days",
    "leader_trips_a_year": "trips",
    "key_leaders": "leaders",
}


class CountryDays(Value):
    """Days spent in one country. A country visited twice may stand twice; its days add up."""

    country: Country
    days: Count


class Composition(Value):
    """What the limits measure. None, or no entry, means not known yet: then the limit is not measured.

    `countries` are those visited, `leader_trips_this_year` counts this trip too and is the highest among the leaders
    who travel, `key_leaders` are those of whom regulations let only so many travel together. `issuer` names the
    authority whose limits apply. Refuses days in a country that is not among `countries`.
    """

    direction: Direction
    members: Count
    days: Count | None = None
    countries: tuple[Country, ...] = ()
    days_per_country: tuple[CountryDays, ...] = ()
    led_by_city_leaders: bool = False
    key_leaders: Count = 0
    leader_trips_this_year: Count | None = None
    issuer: Slug | None = None

    @model_validator(mode="after")
    def _days_fall_in_named_countries(self) -> Self:
        strange = sorted({stay.country for stay in self.days_per_country} - set(self.countries))
        if strange:
            raise PydanticCustomError(
                "country_not_named", "{country} has days but is not among the countries", {"country": strange[0]}
            )
        return self


class Measurement(Fact):
    """A limit beside what was measured. `subject` names the country where the limit is one for each country."""

    what: LimitedThing
    limit: RuleId
    version: int
    title: Bilingual
    source: BusinessText
    measured: int
    allowed: int
    special: int | None = None
    unit: Unit
    subject: Country | None = None
    absolute: bool = False

    @property
    def kept(self) -> bool:
        """Whether the measure is within what is allowed."""
        return self.measured <= self.allowed

    @property
    def within_special(self) -> bool:
        """Whether the measure is within what the regulation grants in special cases."""
        return self.special is not None and self.measured <= self.special


class Breach(Measurement):
    """A limit that is exceeded, and demands a justification."""


def measurements(edition: Edition, composition: Composition, on: date) -> tuple[Measurement, ...]:
    """Return every limit in force on a day that could be measured, in the order of the rules.

    An issuer with limits of its own replaces all the limits that name no issuer: where Đà Nẵng limits the days in a
    country, a general limit on all days does not apply beside it.
    """
    return tuple(_measure(edition, composition, on))


def breaches(edition: Edition, composition: Composition, on: date) -> tuple[Breach, ...]:
    """Return the limits in force on a day that a composition exceeds, in the order of the rules."""
    return tuple(
        Breach(**measurement.model_dump())
        for measurement in measurements(edition, composition, on)
        if not measurement.kept
    )


def _measure(edition: Edition, composition: Composition, on: date) -> Iterator[Measurement]:
    in_force = [rule for rule in effective(edition.limits, on) if in_scope(rule.direction, composition.direction)]
    own = composition.issuer is not None and any(rule.issuer == composition.issuer for rule in in_force)
    for rule in in_force:
        if rule.issuer != (composition.issuer if own else None):
            continue
        if rule.led_by_city_leaders not in (None, composition.led_by_city_leaders):
            continue
        for subject, measured in _measured(rule.what, composition):
            yield _measurement(rule, measured, subject)


def _measured(what: LimitedThing, composition: Composition) -> Iterator[tuple[str | None, int]]:
    match what:
        case "members":
            yield None, composition.members
        case "days":
            if composition.days is not None:
                yield None, composition.days
        case "countries":
            yield None, len(set(composition.countries))
        case "days_per_country":
            days: Counter[str] = Counter()
            for stay in composition.days_per_country:
                days[stay.country] += stay.days
            yield from days.items()
        case "leader_trips_a_year":
            if composition.leader_trips_this_year is not None:
                yield None, composition.leader_trips_this_year
        case "key_leaders":
            yield None, composition.key_leaders


def _measurement(rule: LimitRule, measured: int, subject: str | None) -> Measurement:
    return Measurement(
        what=rule.what,
        limit=rule.id,
        version=rule.version,
        title=rule.title,
        source=rule.source,
        measured=measured,
        allowed=rule.allowed,
        special=rule.special,
        unit=UNITS[rule.what],
        subject=subject,
        absolute=rule.absolute,
    )
