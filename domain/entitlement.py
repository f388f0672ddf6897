"""Who may sign, and by what right: the position held or stood in for, nothing of one's own, one desk for a person."""

from collections.abc import Collection, Mapping
from typing import Protocol

from domain.decision import Actor
from domain.events import Right
from domain.institution import sits
from domain.permission import in_reach
from domain.state import Delegation, Proposal

DEPUTISING = "KT"
"""The prefix of a substitute's signature, whatever the step's own is: it deputises for who holds the position."""


def right_to_sign(
    actor: Actor,
    position: str | None,
    prefix: str | None,
    *,
    own: Collection[str],
    elsewhere: Collection[str] = (),
    travellers: Collection[str] = (),
    lineage: Collection[str] = (),
    desks: Mapping[str, str] | None = None,
) -> Right | str:
    """Return by what right somebody signs for a position, or the code of the refusal.

    `own` are the accounts whose request it is, `elsewhere` those that signed another step of the chain or in whose name
    it was signed, `travellers` the persons (references) who go on the journey, `lineage` and `desks` as in `Context`.
    What forbids the one who signs forbids it to a substitute in that one's name too, and what one account of a person
    did counts for all of them. Codes: `not_entitled_to_sign`, `organisation_out_of_reach`,
    `desk_of_another_organisation`, `substitute_not_entitled`, `own_request`, `own_trip`, `signed_another_step`.
    """
    if position is None or "approver" not in actor.roles:
        return "not_entitled_to_sign"
    if not in_reach(actor, lineage):
        return "organisation_out_of_reach"

    def conflict(accounts: set[str], persons: set[str | None]) -> str | None:
        if accounts & set(own):
            return "own_request"
        if persons & set(travellers):
            return "own_trip"
        return "signed_another_step" if accounts & set(elsewhere) else None

    held = next((one for one in actor.tenures if one.position == position), None)
    here = position in actor.positions and (held is None or sits(position, held.organisation, desks or {}))
    if here:
        return conflict({actor.id, *actor.aliases}, {actor.person}) or Right(
            position=position,
            prefix=prefix,
            account=actor.id if held else None,
            tenure=held.tenure if held else None,
            held_since=held.since if held else None,
            organisation=held.organisation if held else None,
        )
    forbidden, elsewhere_held = None, position in actor.positions
    for one in actor.substitutions:
        if one.position == position and one.in_force:
            if not sits(position, one.organisation, desks or {}):
                elsewhere_held = True
                continue
            both = {actor.id, *actor.aliases, one.account, *one.aliases}
            refused = conflict(both, {actor.person, one.person})
            if refused is None:
                return Right(
                    position=position,
                    prefix=DEPUTISING,
                    account=actor.id,
                    tenure=one.tenure,
                    held_since=one.held_since,
                    on_behalf_of=one.account,
                    leave=one.leave,
                    organisation=one.organisation,
                )
            forbidden = forbidden or refused
    if forbidden:
        return forbidden
    if elsewhere_held:
        return "desk_of_another_organisation"
    stands_in = any(one.position == position or one.in_force for one in actor.substitutions)
    return "substitute_not_entitled" if stands_in else "not_entitled_to_sign"


class Answered(Protocol):
    """A step or a signature: who answered, and by what right."""

    @property
    def by(self) -> str | None: ...

    @property
    def right(self) -> Right | None: ...


def signatories(answered: Answered) -> set[str]:
    """Return the accounts behind an answer: who gave it, and in whose name."""
    right = answered.right
    return {one for one in (answered.by, right.on_behalf_of if right else None) if one}


def behind(actor: Actor, right: Right) -> set[str]:
    """Return every account of those who would answer: of who acts, and of the one in whose name."""
    stood_in_for = [one for one in actor.substitutions if one.account == right.on_behalf_of]
    return {actor.id, *actor.aliases} | {name for one in stood_in_for for name in (one.account, *one.aliases)}


def signed_elsewhere(proposal: Proposal, step_id: str) -> set[str]:
    """Return the accounts behind the signatures of the other steps of a chain."""
    return {
        account
        for other in proposal.steps
        if other.id != step_id
        for one in other.signed_by
        for account in signatories(one)
    }


def travellers(state: Delegation) -> set[str]:
    """Return the references of the persons who go on the journey: its head and members, not those who serve it."""
    return {one.person.ref for one in state.people.values() if one.active and one.delegate}
