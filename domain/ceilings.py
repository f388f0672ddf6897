"""What may be spent: on guests by circular 71/2018, on our travellers by circular 102/2012 (domain.md, Money).

Each line names the rule and version it comes from. What no rule covers is named as missing and never made up; a total
is the sum of what rules do cover.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from domain.rule import RuleId, effective
from domain.rules import CountryNorm, Currency, Edition, Grade, Norm, ReceptionTable
from domain.values import BusinessText, Country, Fact, Value

Count = Annotated[int, Field(ge=0, le=1_000_000)]
ReceptionItem = Literal["meals", "lodging_heads", "lodging_members", "flowers"]
TravelItem = Literal["lodging", "meals", "transfers"]


class CeilingLine(Fact):
    """`quantity` × `unit_vnd` = `amount_vnd`. Meals count person-days, lodging person-nights, flowers persons."""

    what: ReceptionItem
    quantity: int
    unit_vnd: int
    amount_vnd: int
    rule: RuleId
    version: int
    source: BusinessText


class Ceiling(Fact):
    """What may be spent on a reception, in VND. `missing` names what was asked for and no rule covers."""

    grade: Grade
    total_vnd: int
    lines: tuple[CeilingLine, ...]
    missing: tuple[ReceptionItem, ...] = ()


class CountryStay(Value):
    """People who spend days and nights in one country."""

    country: Country
    people: Count
    days: Count
    nights: Count


class TravelLine(Fact):
    """`quantity` × `unit_minor` = `amount_minor`, in minor units of `currency` (ISO 4217)."""

    country: Country
    what: TravelItem
    quantity: int
    unit_minor: int
    amount_minor: int
    currency: Currency
    rule: RuleId
    version: int
    source: BusinessText
    sample: bool


class CurrencyTotal(Fact):
    """The sum of the lines in one currency, in its minor units."""

    currency: Currency
    amount_minor: int


class TravelNorm(Fact):
    """What a trip may cost, by currency in alphabetical order; currencies are never added together.

    `missing` names the countries, in the order of the stays, that no rule covers.
    """

    totals: tuple[CurrencyTotal, ...]
    lines: tuple[TravelLine, ...]
    missing: tuple[Country, ...] = ()


def reception(edition: Edition, grade: Grade, *, heads: int, members: int, days: int, nights: int, on: date) -> Ceiling:
    """Return what may be spent on guests by the table in force on a day.

    `heads` are the heads of the delegation and `members` everybody else; `days` are days with meals. Refuses
    negative numbers with ValueError. Source: circular 71/2018, domain.md [23], [24], [25].
    """
    if min(heads, members, days, nights) < 0:
        raise ValueError("people, days and nights are 0 or more")
    table = next((each for each in effective(edition.reception, on) if each.grade == grade), None)
    quantities: dict[ReceptionItem, int] = {
        "meals": (heads + members) * days,
        "lodging_heads": heads * nights,
        "lodging_members": members * nights,
        "flowers": heads,
    }
    lines = tuple(
        CeilingLine(
            what=what,
            quantity=quantity,
            unit_vnd=norm.vnd,
            amount_vnd=quantity * norm.vnd,
            rule=table.id,
            version=table.version,
            source=norm.source,
        )
        for what, quantity in quantities.items()
        if table is not None and (norm := _norm(table, what)) is not None
    )
    covered = {line.what for line in lines}
    return Ceiling(
        grade=grade,
        total_vnd=sum(line.amount_vnd for line in lines),
        lines=lines,
        missing=tuple(what for what, quantity in quantities.items() if quantity and what not in covered),
    )


def travel(edition: Edition, stays: Iterable[CountryStay], *, on: date) -> TravelNorm:
    """Return what a trip may cost by the country norms in force on a day. Source: circular 102/2012, domain.md [26]."""
    norms = {norm.country: norm for norm in effective(edition.travel, on)}
    lines: list[TravelLine] = []
    missing: dict[str, None] = {}
    for stay in stays:
        norm = norms.get(stay.country)
        if norm is None:
            missing[stay.country] = None
        else:
            lines += _lines(stay, norm)
    totals: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        totals[line.currency] += line.amount_minor
    return TravelNorm(
        totals=tuple(CurrencyTotal(currency=currency, amount_minor=totals[currency]) for currency in sorted(totals)),
        lines=tuple(lines),
        missing=tuple(missing),
    )


def _norm(table: ReceptionTable, what: ReceptionItem) -> Norm | None:
    match what:
        case "meals":
            return table.meals_per_person_day
        case "lodging_heads":
            return table.lodging_per_head_night
        case "lodging_members":
            return table.lodging_per_member_night
        case "flowers":
            return table.flowers_per_head


def _lines(stay: CountryStay, norm: CountryNorm) -> Iterable[TravelLine]:
    amounts: tuple[tuple[TravelItem, int, int], ...] = (
        ("lodging", stay.people * stay.nights, norm.lodging_per_night),
        ("meals", stay.people * stay.days, norm.meals_per_day),
        ("transfers", stay.people * stay.days, norm.transfers_per_day),
    )
    for what, quantity, unit in amounts:
        yield TravelLine(
            country=stay.country,
            what=what,
            quantity=quantity,
            unit_minor=unit,
            amount_minor=quantity * unit,
            currency=norm.currency,
            rule=norm.id,
            version=norm.version,
            source=norm.source,
            sample=norm.sample,
        )
