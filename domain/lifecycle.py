"""The journey and its ends: handing over, departing, concluding, postponing, cancelling, closing, reopening."""

from domain.commands import (
    CancelDelegation,
    CloseDelegation,
    Conclude,
    Depart,
    HandOver,
    Postpone,
    ReopenDelegation,
    Resume,
)
from domain.decision import Context, Outcome, accept, refuse
from domain.entitlement import signatories
from domain.events import (
    CoordinatorChanged,
    DelegationCancelled,
    DelegationClosed,
    DelegationConcluded,
    DelegationDeparted,
    DelegationPostponed,
    DelegationReopened,
    DelegationResumed,
)
from domain.permission import may_coordinate
from domain.state import Delegation, Phase
from domain.values import business_date


def hand_over(state: Delegation, command: HandOver, context: Context) -> Outcome:
    """Refusals: `coordinator_unchanged`, those of `may_coordinate`, and `coordinator_signed`.

    Whoever is behind a signature on what is under approval, by any account, cannot run it: the signature would be one
    of their own file.
    """
    if command.to == state.coordinator:
        return refuse("coordinator_unchanged", field="to")
    successor = next((one for one in context.others or () if one.id == command.to), None)
    if context.others is not None and (code := may_coordinate(successor, context.lineage)):
        return refuse(code, field="to")
    proposal = state.current_proposal if state.under_approval else None
    signed = {who for step in proposal.steps for one in step.signed_by for who in signatories(one)} if proposal else ()
    if {command.to, *(successor.aliases if successor else ())} & set(signed):
        return refuse("coordinator_signed", field="to")
    return accept(CoordinatorChanged(previous=state.coordinator, coordinator=command.to))


def depart(state: Delegation, command: Depart, context: Context) -> Outcome:
    """Refusals: `journey_not_begun` before the first day of the visit or trip."""
    today = business_date(context.now, state.zone)
    if today < state.starts:
        return refuse("journey_not_begun", starts=state.starts.isoformat(), today=today.isoformat())
    return accept(DelegationDeparted())


def conclude(state: Delegation, command: Conclude, context: Context) -> Outcome:
    """Never refused while under way: a journey may end early or late. What was still to come leaves calendars."""
    return accept(DelegationConcluded())


def postpone(state: Delegation, command: Postpone, context: Context) -> Outcome:
    """Never refused before the journey begins."""
    return accept(DelegationPostponed(reason=command.reason))


def resume(state: Delegation, command: Resume, context: Context) -> Outcome:
    """Refusals: `arrival_before_request` when the new first day has passed."""
    today = business_date(context.now, state.zone)
    if command.starts < today:
        return refuse(
            "arrival_before_request", field="starts", starts=command.starts.isoformat(), today=today.isoformat()
        )
    return accept(DelegationResumed(starts=command.starts, ends=command.ends))


def cancel_delegation(state: Delegation, command: CancelDelegation, context: Context) -> Outcome:
    """Never refused while the delegation is alive."""
    return accept(DelegationCancelled(reason=command.reason))


def close(state: Delegation, command: CloseDelegation, context: Context) -> Outcome:
    """Refusals: `report_not_accepted`."""
    if state.phase is Phase.REPORTING and (state.report is None or state.report.status != "accepted"):
        return refuse("report_not_accepted")
    return accept(DelegationClosed())


def reopen(state: Delegation, command: ReopenDelegation, context: Context) -> Outcome:
    """Take the file up again in the phase in which it was closed."""
    return accept(DelegationReopened(reason=command.reason))
