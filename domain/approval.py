"""Sign-off: by whom, by what right, and of exactly which dossier. Nothing is ever approved by the passing of time."""

from domain.commands import IssueDecision, RejectStep, ReturnStep, SignOff
from domain.decision import Context, Outcome, accept, refuse
from domain.entitlement import right_to_sign, signatories, travellers
from domain.events import (
    DecisionIssued,
    DelegationRejected,
    Right,
    SignOffRefused,
    StepRejected,
    StepReturned,
    StepSigned,
)
from domain.state import Delegation


def sign_off(state: Delegation, command: SignOff, context: Context) -> Outcome:
    """Refusals: those of `_entitled`."""
    found = _entitled(state, command, context)
    if isinstance(found, Outcome):
        return found
    return accept(StepSigned(step_id=command.step_id, digest=command.dossier_digest, right=found))


def return_step(state: Delegation, command: ReturnStep, context: Context) -> Outcome:
    """Refusals: those of `_entitled`, and `returned_once_already`.

    An incomplete file goes back once, with all that is missing (domain.md [10]); asking for changes has no such limit.
    """
    found = _entitled(state, command, context)
    if isinstance(found, Outcome):
        return found
    allowed = context.edition.returns_for_incompleteness
    if command.kind == "incomplete" and state.incomplete_returns >= allowed:
        return refuse("returned_once_already", field="kind", allowed=allowed)
    return accept(
        StepReturned(
            step_id=command.step_id,
            digest=command.dossier_digest,
            right=found,
            kind=command.kind,
            reason=command.reason,
            missing=command.missing,
        )
    )


def reject_step(state: Delegation, command: RejectStep, context: Context) -> Outcome:
    """Refusals: those of `_entitled`. A refusal is written and gives its reasons (domain.md [11])."""
    found = _entitled(state, command, context)
    if isinstance(found, Outcome):
        return found
    return accept(
        StepRejected(step_id=command.step_id, digest=command.dossier_digest, right=found, reason=command.reason),
        DelegationRejected(step_id=command.step_id),
    )


def issue_decision(state: Delegation, command: IssueDecision, context: Context) -> Outcome:
    """Refusals: `approval_incomplete`."""
    if state.proposal is None or not state.proposal.signed:
        waiting = state.open_step
        return refuse("approval_incomplete", step=waiting.id if waiting else "")
    return accept(DecisionIssued(number=command.number, digest=state.proposal.digest, document=command.document))


def _entitled(state: Delegation, command: SignOff | ReturnStep | RejectStep, context: Context) -> Right | Outcome:
    """Return by what right the actor signs, or the refusal.

    Refusals: `step_unknown`, `step_not_open`, those of `right_to_sign`, `dossier_superseded`, `dossier_unknown`. An
    attempt without the right is itself recorded.
    """
    assert state.proposal
    step = state.proposal.step(command.step_id)
    if step is None:
        return refuse("step_unknown", field="step_id", step=command.step_id)
    right = right_to_sign(
        context.actor,
        step.plan.position,
        step.plan.prefix,
        own=(state.opened_by, state.coordinator, state.proposal.submitted_by),
        elsewhere={
            account
            for one in state.proposal.steps
            if one.status == "signed" and one.id != step.id
            for account in signatories(one)
        },
        travellers=travellers(state),
        lineage=context.lineage,
    )
    if isinstance(right, str):
        return refuse(right, SignOffRefused(step_id=step.id, code=right), field="step_id", step=step.id)
    if command.dossier_digest != state.proposal.digest:
        known = command.dossier_digest in state.superseded
        return refuse(
            "dossier_superseded" if known else "dossier_unknown",
            field="dossier_digest",
            current=state.proposal.digest,
        )
    if step.status != "open":
        waiting = state.open_step
        return refuse("step_not_open", field="step_id", step=step.id, waits_for=waiting.id if waiting else "")
    return right
