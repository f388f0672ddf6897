"""What a later change means for what was signed: signatures that no longer stand, and changes after the decision.

A change after the decision needs approval where a policy of the edition is for it (`matter: programme_change`), and
then only of the kinds of parts that the policy is about. Without such a policy the file changes freely.
"""

from collections.abc import Iterator
from typing import NamedTuple

from domain.commands import SubmitChange
from domain.conflicts import desks_of, settle
from domain.decision import Context, Outcome, accept, refuse
from domain.dossier import dossier_digest, looked_at, seen_parts
from domain.events import ChangeSubmitted, ChangeSuperseded, DossierPart, Event, RuleRef, SignaturesVoided, StepPlan
from domain.policies import ApprovalChain
from domain.request import (
    anew,
    breaches,
    carried_over,
    choose_policy,
    fallen,
    judged,
    next_number,
    parts_now,
    step_plan,
    unjustified,
)
from domain.rules import Edition
from domain.state import PLANNING, Delegation, Phase

EDITS = frozenset(
    {
        "revise_request",
        "attach_document",
        "justify_limit",
        "add_member",
        "replace_member",
        "withdraw_member",
        "schedule_item",
        "move_item",
        "revise_item",
        "cancel_item",
        "restore_item",
    }
)
"""Commands that change what stands in the dossier, and ask nothing about what was signed."""

CHANGING = frozenset(
    {
        "RequestRevised",
        "DocumentAttached",
        "LimitJustified",
        "MemberAdded",
        "MemberReplaced",
        "MemberWithdrawn",
        "ItemScheduled",
        "ItemMoved",
        "ItemRevised",
        "ItemCancelled",
        "ItemRestored",
        "RulesAdopted",
    }
)
"""Events after which the dossier may read otherwise: those of `EDITS`, and other rules (limits, ceilings)."""


class Change(NamedTuple):
    """What differs from what stands approved: the policy it needs, the parts as they now are, the names of those."""

    policy: ApprovalChain
    parts: tuple[DossierPart, ...]
    changed: tuple[str, ...]


def unapproved(state: Delegation, edition: Edition) -> Change | None:
    """Return what changed after the decision and still needs approval; None where nothing does, or no policy asks."""
    if state.phase not in PLANNING or state.approved is None:
        return None
    policy = choose_policy(state, edition, "programme_change").policy
    if policy is None:
        return None
    parts = parts_now(state, edition)
    if not differing(state.approved.parts, parts, policy.about):
        return None
    return Change(policy, parts, differing(state.approved.parts, parts))


def differing(
    before: tuple[DossierPart, ...], now: tuple[DossierPart, ...], kinds: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return the names of the parts of these kinds (of none: all) that were added, changed or left out, in order."""
    found = seen_parts(before, kinds) ^ seen_parts(now, kinds)
    return tuple(dict.fromkeys(one.part for one in (*now, *before) if (one.part, one.commitment) in found))


def submit_change(state: Delegation, command: SubmitChange, context: Context) -> Outcome:
    """Send what changed after the decision up its chain.

    Refusals: `nothing_to_approve` (no policy asks, nothing changed, or it is under approval as it stands),
    `no_members`, `limit_unjustified`.
    """
    change = None if state.amending else unapproved(state, context.edition)
    if change is None:
        return refuse("nothing_to_approve")
    if not state.delegates:
        return refuse("no_members")
    found = breaches(state, context.edition)
    if refusal := unjustified(state, found):
        return refusal
    policy, parts, changed = change
    settled = settle(policy.steps, desks_of(state, context, state.own | {context.actor.id}))
    plans = tuple(step_plan(step) for step in settled.steps)
    chain = RuleRef(rule=policy.id, version=policy.version)
    # What stands approved keeps its signatures, whoever is asked about the change.
    returned = state.amendment if state.amendment and not state.amendment.rejected else None
    before = returned or state.approved
    asked_anew = anew(returned, policy)
    found_before = judged(state, before, plans, parts, context, asked_anew=asked_anew, same=_same_desk)
    return accept(
        *(fallen(returned, found_before) if returned else ()),
        ChangeSubmitted(
            proposal=next_number(state),
            digest=dossier_digest(parts),
            parts=parts,
            changed=changed,
            about=policy.about,
            chain=chain,
            steps=plans,
            breaches=found,
            carried=carried_over(before, found_before),
            conflicted=settled.conflicted,
        ),
    )


def _same_desk(then: StepPlan, now: StepPlan) -> bool:
    """Return whether a signature given under one plan answers what another asks: the same desk, looking at no more.

    How long a desk has, in which stage, and where it escalates, may differ between the chain of a proposal and that of
    a change.
    """
    told_apart = ("id", "position", "positions", "needed", "external", "prefix")
    saw_all = not then.looks_at or (bool(now.looks_at) and set(now.looks_at) <= set(then.looks_at))
    return saw_all and all(getattr(then, name) == getattr(now, name) for name in told_apart)


def outdated(state: Delegation, edition: Edition) -> Iterator[Event]:
    """Yield what an edit of the file means for the signatures of a proposal that is not decided.

    A proposal, or a change, that came back: the signatures whose parts now differ are void, and stay so though the
    edit is taken back. A change under approval is superseded by an edit of what it is about.
    """
    if state.phase is Phase.RETURNED:
        proposal = state.proposal
    elif state.phase in PLANNING:
        proposal = state.amendment
    else:
        return
    if proposal is None or proposal.withdrawn or proposal.rejected:
        return
    standing = [step for step in proposal.steps if step.signed_by and not step.voided_by]
    if not standing and not proposal.pending:
        return
    parts = parts_now(state, edition)
    if proposal.pending:
        changed = differing(proposal.parts, parts, proposal.about)
        if not changed:
            return
        yield ChangeSuperseded(proposal=proposal.number, parts=changed)
    void = [step for step in standing if differing(proposal.parts, parts, step.plan.looks_at)]
    if void:
        seen = tuple(
            part
            for part in differing(proposal.parts, parts)
            if any(looked_at(part, step.plan.looks_at) for step in void)
        )
        yield SignaturesVoided(proposal=proposal.number, parts=seen, steps=tuple(step.id for step in void))
