"""Which policy of approval a delegation gets, and why: the stated conditions of each, met or not."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from domain.bilingual import Bilingual
from domain.policies import Applies, ApprovalChain, Matter
from domain.rule import Conference, effective
from domain.state import Delegation
from domain.values import Direction, Fact, HeadLevel, RunBy

Told = str | int | bool | tuple[str, ...] | None


class Facts(Fact):
    """What the conditions of policies ask. None means not known; `cost_vnd` is in đồng, None too if known in part."""

    direction: Direction
    run_by: RunBy | None = None
    issuer: str | None = None
    head_level: HeadLevel = "standard"
    countries: tuple[str, ...] = ()
    conference: Conference = "none"
    entry_papers_needed: bool = False
    limits_breached: tuple[str, ...] = ()
    cost_vnd: int | None = None


class Checked(Fact):
    """A condition of a policy: what it asks for, what was found, and whether that fits."""

    condition: str
    wanted: Told
    found: Told
    met: bool


class Candidate(Fact):
    """A policy that holds on the day for the direction and the matter, with each condition it states."""

    policy: str
    version: int
    title: Bilingual
    source: str
    priority: int
    conditions: tuple[Checked, ...]
    applies: bool
    chosen: bool


class Choice(NamedTuple):
    """The policy that was chosen, or None if none applies, and all that could have been."""

    policy: ApprovalChain | None
    why: tuple[Candidate, ...]


def facts_of(state: Delegation, limits_breached: tuple[str, ...], cost_vnd: int | None) -> Facts:
    """Return what policies ask of a file as it stands. The two that rules work out are given."""
    return Facts(
        direction=state.direction,
        run_by=state.run_by,
        issuer=state.issuer,
        head_level="high" if _led_by_a_key_leader(state) else state.head_level or "standard",
        countries=state.countries,
        conference=state.conference,
        entry_papers_needed=state.entry_papers_needed,
        limits_breached=limits_breached,
        cost_vnd=cost_vnd,
    )


def _led_by_a_key_leader(state: Delegation) -> bool:
    """Whether the head is marked as a key leader on the list: then the request cannot say a lower level."""
    return any(one.role == "head" and one.key_leader for one in state.delegates)


def choose(policies: Sequence[ApprovalChain], facts: Facts, on: date, matter: Matter = "request") -> Choice:
    """Return the policy that a delegation gets on a day, and why.

    Of those that apply: the highest priority, and among equals the most conditions stated. An edition refuses two that
    could both apply and are equal in both, so there is never a tie.
    """
    held = [
        (policy, tuple(_check(policy.applies, name, facts) for name in policy.applies.said))
        for policy in effective(policies, on)
        if (policy.direction, policy.matter) == (facts.direction, matter)
    ]
    applying = [policy for policy, checked in held if all(one.met for one in checked)]
    chosen = max(applying, key=lambda policy: policy.rank, default=None)
    why = tuple(
        Candidate(
            policy=policy.id,
            version=policy.version,
            title=policy.title,
            source=policy.source,
            priority=policy.priority,
            conditions=checked,
            applies=policy in applying,
            chosen=policy is chosen,
        )
        for policy, checked in sorted(held, key=lambda one: one[0].rank, reverse=True)
    )
    return Choice(chosen, why)


def _check(applies: Applies, name: str, facts: Facts) -> Checked:
    found, fits = _CHECKS[name]
    wanted, seen = getattr(applies, name), found(facts)
    return Checked(condition=name, wanted=wanted, found=seen, met=fits(wanted, seen))


_CHECKS: dict[str, tuple[Callable[[Facts], Told], Callable[..., bool]]] = {
    "run_by": (lambda facts: facts.run_by, lambda wanted, found: found in wanted),
    "issuer": (lambda facts: facts.issuer, lambda wanted, found: found in wanted),
    "head_level": (lambda facts: facts.head_level, lambda wanted, found: found == wanted),
    "countries": (lambda facts: facts.countries, lambda wanted, found: not set(wanted).isdisjoint(found)),
    "conference": (lambda facts: facts.conference, lambda wanted, found: found in wanted),
    "entry_papers_needed": (lambda facts: facts.entry_papers_needed, lambda wanted, found: found == wanted),
    "limits_breached": (lambda facts: facts.limits_breached, lambda wanted, found: bool(found) == wanted),
    # What is left out of a request does not bring it to the lesser chain.
    "cost_at_least": (lambda facts: facts.cost_vnd, lambda wanted, found: found is None or found >= wanted),
    "cost_below": (lambda facts: facts.cost_vnd, lambda wanted, found: found is not None and found < wanted),
}
"""For each condition: what is found in the facts, and whether it fits what is wanted."""
