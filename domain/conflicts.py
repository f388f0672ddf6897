"""Whether a chain can be finished: which steps nobody can sign now, why, and who decides instead.

Asked before a proposal is submitted, as a warning, and by the submission itself, which seals the way out that a policy
names (`if_conflicted`). It gives nobody a right: that is looked at again at the instant of signing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from domain.decision import Actor, Context
from domain.entitlement import right_to_sign, travellers
from domain.events import ConflictedStep, Right
from domain.policies import ApprovalStep
from domain.state import Delegation, Proposal
from domain.values import Fact

Hindrance = Literal["vacant", "own_trip", "own_request", "holds_another_step", "granted_by_oneself"]

ASKING = frozenset({"submit_request", "submit_change", "file_report"})
"""The commands that lay out a chain: they need to know who sits at its desks."""


class Hindered(Fact):
    """A step that nobody can sign as things stand: its positions, and why, each reason once.

    `vacant`: nobody who may sign holds the position where its desk stands. `own_trip`, `own_request`: whoever does is
    on the journey, or it is their request. `holds_another_step`: they are needed for another step of the same chain.
    `granted_by_oneself`: they entered their tenure themselves.
    """

    step_id: str
    positions: tuple[str, ...]
    why: tuple[Hindrance, ...]


class Settled(NamedTuple):
    """The steps of a policy as they are to be sealed, those that others decide, and those that nobody can sign now."""

    steps: tuple[ApprovalStep, ...]
    conflicted: tuple[ConflictedStep, ...]
    hindered: tuple[Hindered, ...]


class Desks(NamedTuple):
    """Who sits at the desks of a file, and whom its journey and its request concern.

    `sitting` are those who hold a position for the file's desks now and may sign, each with their tenures; `own` the
    accounts whose request it is, `signed` those behind signatures that the chain has, `travellers` the persons on the
    journey, `lineage` and `desks` as in `Context`.
    """

    sitting: tuple[Actor, ...]
    own: Collection[str] = ()
    travellers: Collection[str] = ()
    lineage: Collection[str] = ()
    desks: Mapping[str, str] | None = None
    signed: Collection[str] = ()


class Asked(NamedTuple):
    """A step as it is asked who can sign it: `needed` of its `positions`; `way_out` says that others may instead."""

    id: str
    positions: tuple[str, ...]
    needed: int
    way_out: bool = False


def desks_of(state: Delegation, context: Context, own: Collection[str]) -> Desks | None:
    """Return who sits at a file's desks at a decision; None where the decision did not ask."""
    if context.sitting is None:
        return None
    return Desks(context.sitting, own, travellers(state), context.lineage, context.desks)


def asked_of(steps: Sequence[ApprovalStep]) -> tuple[Asked, ...]:
    """Return the steps of a policy that are ours to sign."""
    return tuple(
        Asked(one.id, one.positions, one.needed, one.if_conflicted is not None) for one in steps if not one.external
    )


def still_asked(proposal: Proposal) -> tuple[Asked, ...]:
    """Return the steps of a proposal that are ours and not signed yet, with what is left of a quorum."""
    return tuple(
        Asked(one.id, one.waits_for, one.needed - len(one.signed_by))
        for one in proposal.steps
        if not one.plan.external and one.status != "signed"
    )


def settle(steps: tuple[ApprovalStep, ...], desks: Desks | None) -> Settled:
    """Return the steps of a policy as this file gets them.

    Where a step's desk is in conflict and the policy says who decides then, that one stands in its place. A vacant desk
    stays where it is: it escalates, and nobody decides for it. Where nobody knows who sits there, all stays as it is.
    """
    if desks is None:
        return Settled(steps, (), ())
    found = {one.step_id: one for one in hindered(asked_of(steps), desks)}
    kept: list[ApprovalStep] = []
    conflicted: list[ConflictedStep] = []
    for step in steps:
        way, hindrance = step.if_conflicted, found.get(step.id)
        why = tuple(one for one in hindrance.why if one != "vacant") if hindrance else ()
        if way is None or not why:
            kept.append(step)
            continue
        conflicted.append(
            ConflictedStep(
                step_id=step.id, positions=step.positions, why=why, position=way.position, left_to=way.left_to
            )
        )
        if way.left_to is None:
            kept.append(_instead(step))
    return Settled(tuple(kept), tuple(conflicted), hindered(asked_of(kept), desks))


def hindered(steps: Sequence[Asked], desks: Desks) -> tuple[Hindered, ...]:
    """Return the steps that nobody can sign as things stand, in their order.

    One person signs one step. Where two steps have but one person between them, the one with a way out is the one
    without, else the later.
    """
    can: dict[str, list[set[str]]] = {}
    why: dict[str, dict[Hindrance, None]] = {}
    for step in steps:
        can[step.id], why[step.id] = _places(step, desks)
    taken: dict[str, tuple[str, int]] = {}
    short = set()
    for step in sorted(steps, key=lambda one: one.way_out):
        for place, fit in enumerate(can[step.id]):
            if not _seat((step.id, place), can, taken, set()):
                short.add(step.id)
                if fit:
                    why[step.id]["holds_another_step"] = None
    return tuple(
        Hindered(step_id=step.id, positions=step.positions, why=tuple(why[step.id]))
        for step in steps
        if step.id in short
    )


def seated(position: str, desks: Desks) -> Iterator[tuple[Actor, Hindrance | None]]:
    """Yield who sits at the desk of a position and reaches the file, each with what forbids them to sign there."""
    for actor in desks.sitting:
        if position not in actor.positions:
            continue
        right = right_to_sign(
            actor,
            position,
            None,
            own=desks.own,
            elsewhere=desks.signed,
            travellers=desks.travellers,
            lineage=desks.lineage,
            desks=desks.desks,
        )
        if isinstance(right, Right):
            yield actor, None
        elif right in FORBIDS:
            yield actor, FORBIDS[right]


FORBIDS: dict[str, Hindrance] = {
    "own_trip": "own_trip",
    "own_request": "own_request",
    "signed_another_step": "holds_another_step",
    "granted_by_oneself": "granted_by_oneself",
}
"""What a refusal to sign says of who sits at a desk. Whoever is refused by another code does not sit there."""


def _places(step: Asked, desks: Desks) -> tuple[list[set[str]], dict[Hindrance, None]]:
    """Return who can take each place of a step, one for each signature it needs; and what hinders the others."""
    why: dict[Hindrance, None] = {}
    each = []
    for position in step.positions:
        held = list(seated(position, desks))
        can = {identity(actor) for actor, hindrance in held if hindrance is None}
        why |= {hindrance: None for _, hindrance in held if hindrance}
        if not held:
            why["vacant"] = None
        each.append(can)
    if step.needed == len(each):
        return each, why
    # Of several positions so many: whoever holds one of them can take any of the places.
    return [set().union(*each)] * step.needed, why


def identity(actor: Actor) -> str:
    """Return by what two accounts of one person are known as one: the person, else the account."""
    return f"person {actor.person}" if actor.person else f"account {actor.id}"


def _seat(
    place: tuple[str, int], can: Mapping[str, list[set[str]]], taken: dict[str, tuple[str, int]], asked: set[str]
) -> bool:
    """Find somebody for a place; whoever sits at another one moves on where another can take that."""
    for person in sorted(can[place[0]][place[1]] - asked):
        asked.add(person)
        if person not in taken or _seat(taken[person], can, taken, asked):
            taken[person] = place
            return True
    return False


def _instead(step: ApprovalStep) -> ApprovalStep:
    way = step.if_conflicted
    assert way is not None
    return step.model_copy(
        update={
            "title": way.title,
            "position": way.position,
            "one_of": None,
            "all_of": None,
            "n_of": None,
            "external": way.external,
            "signature_prefix": way.signature_prefix,
            "principal": way.principal,
            "if_conflicted": None,
            "escalate_to": step.escalate_to if step.escalate_to != way.position else None,
        }
    )
