"""Whether the policies of an edition make sense: what can never work is refused, what the registers lack is told.

A single rule is checked where it is made. Here is what follows from several rules, or from the world outside them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from domain.policies import ApprovalChain
from domain.rule import effective
from domain.values import Direction, Fact

DIRECTIONS: tuple[Direction, ...] = ("inbound", "outbound")


class Nonsense(NamedTuple):
    """What can never work: of which policy (its place, from 0; None of the whole edition), where in it, and why.

    `params` are the values in the message, for whoever says it in another language.
    """

    policy: int | None
    loc: tuple[int | str, ...]
    code: str
    message: str
    params: Mapping[str, str] = {}


def nonsense(
    policies: Sequence[ApprovalChain], since: date, *, issuers: Collection[str], countries: Collection[str]
) -> Iterator[Nonsense]:
    """Yield what can never work in the policies of an edition in force from a day on.

    `issuers` are those that other rules of the edition name, `countries` the codes of countries that exist. A step that
    escalates to its own desk; a country or an issuer that no delegation has; a cost asked for where none is known; a
    day on which a request of some direction could not be submitted at all.
    """
    for place, policy in enumerate(policies):
        for number, step in enumerate(policy.steps):
            if step.escalate_to in step.positions:
                loc = ("steps", number, "escalate_to")
                yield Nonsense(place, loc, "escalates_to_itself", "a step that is late goes up to somebody else")
        for number, country in enumerate(policy.applies.countries):
            if country not in countries:
                said = f"{country} is no country of ISO 3166-1"
                where = ("applies", "countries", number)
                yield Nonsense(place, where, "country_unknown", said, {"country": country})
        for number, issuer in enumerate(policy.applies.issuer):
            if issuer not in issuers:
                said = f"no deadline and no limit of this edition is of the issuer {issuer}"
                yield Nonsense(place, ("applies", "issuer", number), "issuer_unknown", said, {"issuer": issuer})
        for name in ("cost_at_least", "cost_below"):
            if policy.direction == "outbound" and getattr(policy.applies, name) is not None:
                said = "the cost of an outbound delegation is not known: norms abroad are in other currencies"
                yield Nonsense(place, ("applies", name), "cost_never_known", said)
    for direction in DIRECTIONS:
        if (day := _without_policy(policies, direction, since)) is not None:
            said = f"on {day} no policy without conditions is for {direction} requests: some could not be submitted"
            params = {"day": day.isoformat(), "direction": direction}
            yield Nonsense(None, ("approvals",), "direction_without_policy", said, params)


def _without_policy(policies: Sequence[ApprovalChain], direction: Direction, since: date) -> date | None:
    usual = [one for one in policies if (one.direction, one.matter) == (direction, "request") and not one.applies.said]
    turns = {one.effective_from for one in usual}
    turns |= {one.effective_to + timedelta(days=1) for one in usual if one.effective_to}
    return next(
        (day for day in sorted({since, *(day for day in turns if day > since)}) if not effective(usual, day)), None
    )


class Doubt(Fact):
    """Something about a policy that the registers do not bear now. It may be put right there, so it only warns.

    `position_unknown`: neither registered nor held. `position_vacant`: nobody who may sign holds it. `position_shared`:
    it signs several steps of the chain, and fewer people hold it than steps.
    """

    code: Literal["position_unknown", "position_vacant", "position_shared"]
    policy: str
    version: int
    position: str
    step: str


def doubts(
    policies: Sequence[ApprovalChain], on: date, *, registered: Collection[str], holders: Mapping[str, int]
) -> tuple[Doubt, ...]:
    """Return what the registers do not bear of the policies that hold on a day or later, in their order.

    `registered` are the positions that the register has, `holders` how many people hold each now.
    """
    return tuple(
        doubt
        for policy in policies
        if policy.effective_to is None or policy.effective_to >= on
        for doubt in _doubts(policy, registered, holders)
    )


def _doubts(policy: ApprovalChain, registered: Collection[str], holders: Mapping[str, int]) -> Iterator[Doubt]:
    seen: set[str] = set()
    alone: dict[str, int] = {}
    for step in policy.steps:
        way = step.if_conflicted.position if step.if_conflicted else None
        for position in (*step.positions, way, step.escalate_to):
            if position is None or position in seen or holders.get(position):
                continue
            seen.add(position)
            code: Literal["position_unknown", "position_vacant"] = (
                "position_vacant" if position in registered else "position_unknown"
            )
            yield Doubt(code=code, policy=policy.id, version=policy.version, position=position, step=step.id)
        for position in step.positions if step.needed == len(step.positions) else ():
            alone[position] = alone.get(position, 0) + 1
            if alone[position] > 1 and 0 < holders.get(position, 0) < alone[position]:
                yield Doubt(
                    code="position_shared", policy=policy.id, version=policy.version, position=position, step=step.id
                )
