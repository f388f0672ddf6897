"""Who may sign, and by what right: the position held or stood in for, nothing of one's own, one desk for a person."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, Protocol

from domain.decision import Actor
from domain.events import Right
from domain.institution import sits
from domain.permission import in_reach
from domain.state import Delegation, Proposal, Signature

Conflict = Literal["own_request", "own_trip", "signed_another_step", "granted_by_oneself"]

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

    `own` are the accounts whose file it is (`Delegation.own`), `elsewhere` those that signed another step of the chain
    or in whose name it was signed, `travellers` the persons (references) who go on the journey, `lineage` and `desks`
    as in `Context`. What forbids the one who signs forbids it to a substitute in that one's name too, and what one
    account of a person did counts for all of them. A tenure that its holder entered, and a leave that its substitute
    entered, give nobody anything. Codes: `not_entitled_to_sign`, `organisation_out_of_reach`,
    `desk_of_another_organisation`, `substitute_not_entitled`, and those of `conflict`.
    """
    if position is None or "approver" not in actor.roles:
        return "not_entitled_to_sign"
    if not in_reach(actor, lineage):
        return "organisation_out_of_reach"

    against = {"own": own, "travellers": travellers, "elsewhere": elsewhere}
    self = {actor.id, *actor.aliases}
    held = next((one for one in actor.tenures if one.position == position), None)
    here = position in actor.positions and (held is None or sits(position, held.organisation, desks or {}))
    forbidden = None
    if here:
        granted = bool(held and self & set(held.granted_by))
        forbidden = conflict(self, {actor.person}, **against, granted=granted)
        if forbidden is None:
            return Right(
                position=position,
                prefix=prefix,
                account=actor.id if held else None,
                tenure=held.tenure if held else None,
                held_since=held.since if held else None,
                organisation=held.organisation if held else None,
                granted_by=held.granted_by if held else (),
            )
    elsewhere_held = position in actor.positions
    for one in actor.substitutions:
        if one.position == position and one.in_force:
            if not sits(position, one.organisation, desks or {}):
                elsewhere_held = True
                continue
            replaced = {one.account, *one.aliases}
            granted = bool(self & set(one.granted_by) or replaced & set(one.tenure_granted_by))
            refused = conflict(self | replaced, {actor.person, one.person}, **against, granted=granted)
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
                    leave_since=one.leave_since,
                    leave_until=one.leave_until,
                    granted_by=one.granted_by,
                )
            forbidden = forbidden or refused
    if forbidden:
        return forbidden
    if elsewhere_held:
        return "desk_of_another_organisation"
    stands_in = any(one.position == position or one.in_force for one in actor.substitutions)
    return "substitute_not_entitled" if stands_in else "not_entitled_to_sign"


def conflict(
    accounts: Collection[str],
    persons: Collection[str | None],
    *,
    own: Collection[str],
    travellers: Collection[str] = (),
    elsewhere: Collection[str] = (),
    granted: bool = False,
) -> Conflict | None:
    """Return what stands against a signature of these accounts and persons, whoever of them holds the pen, or None.

    Asked of who signs and of signatures that are to be carried over. `granted` says that one of them entered the right
    themselves; the others as in `right_to_sign`.
    """
    if set(accounts) & set(own):
        return "own_request"
    if set(persons) & set(travellers):
        return "own_trip"
    if set(accounts) & set(elsewhere):
        return "signed_another_step"
    return "granted_by_oneself" if granted else None


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


def conflict_since(
    signature: Signature,
    others: Mapping[str, Actor],
    *,
    own: Collection[str],
    travellers: Collection[str],
    elsewhere: Collection[str],
) -> tuple[Conflict | None, set[str]]:
    """Return what stands against a signature by now, and every account of those behind it.

    `others` are those behind it as the registers know them now; of one that they do not know the account alone counts.
    """
    known = [others[one] for one in signatories(signature) if one in others]
    accounts = signatories(signature) | {alias for one in known for alias in one.aliases}
    signer = {signature.by, *(others[signature.by].aliases if signature.by in others else ())}
    against = conflict(
        accounts,
        {one.person for one in known},
        own=own,
        travellers=travellers,
        elsewhere=elsewhere,
        granted=bool(signer & set(signature.right.granted_by)),
    )
    return against, accounts


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


ASKING_AFTER = frozenset({"submit_request", "submit_change", "hand_over"})
"""The commands whose decision is about others than the actor: those who signed before, and who is to run the file."""


def asked_after(state: Delegation | None, commands: Iterable[Mapping[str, Any]]) -> frozenset[str] | None:
    """Return the accounts that the decision of an envelope asks the registers about, besides who acts.

    None where no command is about anybody else. Of several commands, before any of them.
    """
    asking = [one for one in commands if one.get("type") in ASKING_AFTER]
    if not asking:
        return None
    named = {to for one in asking if isinstance(to := one.get("to"), str)}
    proposals = state.proposals if state else ()
    steps = (step for one in proposals for step in one.steps if not step.plan.external)
    return frozenset(named | {who for step in steps for one in step.signed_by for who in signatories(one)})
