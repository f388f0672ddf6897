"""Sign-off: by whom, by what right, and of exactly which dossier. Nothing is ever approved by the passing of time."""

from collections.abc import Collection, Mapping

from domain.commands import IssueDecision, RecordExternalDecision, RejectStep, ReturnStep, SignOff
from domain.decision import Actor, Context, Outcome, accept, refuse
from domain.entitlement import behind, right_to_sign, signatories, signed_elsewhere, travellers
from domain.events import (
    DecisionIssued,
    DelegationRejected,
    ExternalDecisionRecorded,
    Right,
    SignOffRefused,
    StepRejected,
    StepReturned,
    StepSigned,
)
from domain.permission import ROLES
from domain.prefixes import in_full
from domain.signing import REPORT, PasskeySignature, Proof, Statement
from domain.state import Delegation, Proposal, Step
from domain.values import business_date


def sign_off(state: Delegation, command: SignOff, context: Context) -> Outcome:
    """Refusals: those of `_entitled`."""
    found = _entitled(state, command, context)
    if isinstance(found, Outcome):
        return found
    return accept(
        StepSigned(
            step_id=command.step_id,
            digest=command.dossier_digest,
            right=found,
            proof=proof_of(command.signature, context),
        )
    )


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
            proof=proof_of(command.signature, context),
        )
    )


def reject_step(state: Delegation, command: RejectStep, context: Context) -> Outcome:
    """Refusals: those of `_entitled`. A refusal is written and gives its reasons (domain.md [11]).

    It ends the way of the delegation; of a change after the decision it ends only the change.
    """
    found = _entitled(state, command, context)
    if isinstance(found, Outcome):
        return found
    return accept(
        StepRejected(
            step_id=command.step_id,
            digest=command.dossier_digest,
            right=found,
            reason=command.reason,
            proof=proof_of(command.signature, context),
        ),
        *_rejected(state, command.step_id),
    )


def record_external_decision(state: Delegation, command: RecordExternalDecision, context: Context) -> Outcome:
    """Refusals: `step_unknown`, `step_not_external`, those of `_answerable`, `letter_dated_ahead`,
    `letter_older_than_proposal` (it cannot answer what was not yet submitted), `letter_recorded_already` (one letter
    answers one step of one proposal).
    """
    proposal = state.current_proposal
    assert proposal
    step = proposal.step(command.step_id)
    if step is None:
        return refuse("step_unknown", field="step_id", step=command.step_id)
    if not step.plan.external:
        return refuse("step_not_external", field="step_id", step=step.id)
    if refusal := _answerable(state, proposal, step, command.dossier_digest):
        return refusal
    today = business_date(context.now, state.zone)
    if command.dated > today:
        return refuse("letter_dated_ahead", field="dated", dated=command.dated.isoformat(), today=today.isoformat())
    submitted = business_date(proposal.submitted_at, state.zone)
    if command.dated < submitted:
        return refuse(
            "letter_older_than_proposal",
            field="dated",
            dated=command.dated.isoformat(),
            submitted=submitted.isoformat(),
        )
    if command.letter.digest in state.authorities_letters:
        return refuse("letter_recorded_already", field="letter")
    recorded = ExternalDecisionRecorded(
        digest=command.dossier_digest,
        recorded_as=next(role for role in ROLES[command.type] if role in context.actor.roles),
        organisation=context.actor.organisation,
        **command.model_dump(exclude={"type", "dossier_digest"}),
    )
    return accept(recorded, *(_rejected(state, step.id) if command.outcome == "rejected" else ()))


def _rejected(state: Delegation, step_id: str) -> tuple[DelegationRejected, ...]:
    return () if state.amending else (DelegationRejected(step_id=step_id),)


def issue_decision(state: Delegation, command: IssueDecision, context: Context) -> Outcome:
    """Refusals: `approval_incomplete`."""
    if state.proposal is None or not state.proposal.signed:
        waiting = state.open_step
        return refuse("approval_incomplete", step=waiting.id if waiting else "")
    return accept(DecisionIssued(number=command.number, digest=state.proposal.digest, document=command.document))


def _entitled(state: Delegation, command: SignOff | ReturnStep | RejectStep, context: Context) -> Right | Outcome:
    """Return by what right the actor signs, or the refusal.

    Refusals: `step_unknown`, those of `right_to_sign`, `place_signed_already`, those of `_answerable` and of
    `misplaced`. An attempt without the right is itself recorded.
    """
    proposal = state.current_proposal
    assert proposal
    step = proposal.step(command.step_id)
    if step is None:
        return refuse("step_unknown", field="step_id", step=command.step_id)
    elsewhere = signed_elsewhere(proposal, step.id)
    plan, actor = step.plan, context.actor

    def right_of(positions: Collection[str]) -> Right | str:
        return right_for(
            actor,
            positions,
            plan.prefix,
            own=state.own,
            elsewhere=elsewhere,
            travellers=travellers(state),
            lineage=context.lineage,
            desks=context.desks,
        )

    right = right_of(plan.signing_positions)
    if isinstance(right, str):
        return refuse(right, SignOffRefused(step_id=step.id, code=right), field="step_id", step=step.id)
    if refusal := _answerable(state, proposal, step, command.dossier_digest):
        return refusal
    if step.signatures:
        # Others have signed this step already: each person and each position only once.
        right = right_of(step.waits_for)
        signed = {account for signature in step.signatures for account in signatories(signature)}
        if isinstance(right, str) or behind(actor, right) & signed:
            return refuse("place_signed_already", field="step_id", step=step.id)
    statement = Statement(act=command.type, delegation=state.id, step=step.id, digest=command.dossier_digest)
    return misplaced(command.signature, statement) or in_full(right, plan, actor)


def misplaced(signature: PasskeySignature | None, statement: Statement) -> Outcome | None:
    """Return the refusal of a passkey's signature that is of another act, file, step or dossier.

    Refusals: `signature_not_of_this_dossier`. Whether it holds was verified before the command was sent; here is what
    can be seen without a register.
    """
    if signature is None or (signature.public_key and statement.made(signature)):
        return None
    return refuse("signature_not_of_this_dossier", field="signature")


def proof_of(signature: PasskeySignature | None, context: Context) -> Proof | None:
    """Return what is sealed of how the signer was known; nothing where nobody said."""
    if signature is None and context.factor is None:
        return None
    # Whoever signs with a passkey is known by it at that instant, whatever they signed in with.
    return Proof(factor=context.factor or "passkey", factor_at=context.factor_at or context.now, signature=signature)


def right_for(
    actor: Actor,
    positions: Collection[str],
    prefix: str | None,
    *,
    own: Collection[str],
    elsewhere: Collection[str] = (),
    travellers: Collection[str] = (),
    lineage: Collection[str] = (),
    desks: Mapping[str, str] | None = None,
) -> Right | str:
    """Return by what right somebody signs for the first of several positions that they may sign for, or the code.

    Codes as `right_to_sign`; the one that says most is preferred: a conflict, then a leave that does not hold.
    """
    codes = []
    for position in positions or (None,):
        right = right_to_sign(
            actor,
            position,
            prefix,
            own=own,
            elsewhere=elsewhere,
            travellers=travellers,
            lineage=lineage,
            desks=desks,
        )
        if isinstance(right, Right):
            return right
        codes.append(right)
    return min(codes, key=lambda code: SAYING_LITTLE.get(code, 0))


def right_at_desk(
    state: Delegation,
    what: str,
    position: str,
    actor: Actor,
    *,
    lineage: Collection[str] = (),
    desks: Mapping[str, str] | None = None,
) -> Right | str:
    """Return by what right somebody would sign what waits at the desk of a position, or the code of the refusal.

    `what` is an open step, or `report`. Codes as `right_to_sign`; `signed_another_step` also where they filled another
    place of the same step, and `step_not_open` where it does not wait any more.
    """
    elsewhere: set[str] = set()
    if what != REPORT:
        proposal = state.current_proposal
        step = proposal.step(what) if proposal else None
        if proposal is None or step is None:
            return "step_not_open"
        # In a quorum nobody signs twice, neither for another place.
        elsewhere = signed_elsewhere(proposal, what) | {who for given in step.signed_by for who in signatories(given)}
    return right_for(
        actor,
        (position,),
        None,
        own=state.own,
        elsewhere=elsewhere,
        travellers=travellers(state),
        lineage=lineage,
        desks=desks,
    )


SAYING_LITTLE = {"substitute_not_entitled": 1, "not_entitled_to_sign": 2}


def _answerable(state: Delegation, proposal: Proposal, step: Step, digest: str) -> Outcome | None:
    """Return why a step cannot be answered now: `dossier_superseded`, `dossier_unknown`, `step_not_open`."""
    if digest != proposal.digest or proposal.superseded:
        known = digest in state.superseded or digest in {one.digest for one in state.proposals}
        return refuse(
            "dossier_superseded" if known else "dossier_unknown", field="dossier_digest", current=proposal.digest
        )
    if step.status != "open":
        waiting = state.open_step
        return refuse("step_not_open", field="step_id", step=step.id, waits_for=waiting.id if waiting else "")
    return None
