"""Whose turn it is on a page: one step of a proposal, or the report, and whether the reader may answer it."""

from dataclasses import dataclass
from typing import Literal

from api.installation import Installation
from api.pages.possible import possible_of
from domain.commands import AcceptReport, SignOff
from domain.decision import Refusal
from domain.desk import SIGNING_REPORT
from domain.dossiers import standing
from domain.events import StepPlan
from domain.sign_in import Acting
from domain.state import Deadline, Delegation, Proposal, Signature, report_key, step_key
from storage.queries import File

Status = Literal["waiting", "open", "signed", "returned", "rejected"]

STEP_ACTS = ("sign_off", "return_step", "reject_step")
REPORT_ACTS = ("accept_report", "return_report")
REPORT_STATUS: dict[str, Status] = {"filed": "open", "returned": "returned", "accepted": "signed"}


@dataclass(frozen=True)
class Turn:
    """A step of the proposal, or the report's acceptance (`id` is `report`), as it stands.

    `digest` is what a sign-off names, `number` that of the proposal or report, `acts` the commands that answer it.
    """

    id: str
    number: int
    digest: str
    status: Status
    plan: StepPlan
    acts: tuple[str, ...]
    signatures: tuple[Signature, ...]
    waits_for: tuple[str, ...]
    proposal: Proposal | None
    """None where the report is what is signed."""
    due: Deadline | None = None
    of_change: bool = False
    """Whether it is a change after the decision that is signed."""
    voided_by: tuple[str, ...] = ()
    """Parts that changed since the step was signed, so that it is to be signed anew."""

    @property
    def of_report(self) -> bool:
        """Whether the report is what is signed."""
        return self.proposal is None


def turn_of(state: Delegation, step: str) -> Turn | None:
    """Return the step that an address names, of the proposal whose steps are asked for now; None if there is none."""
    if step == SIGNING_REPORT:
        return _report(state)
    proposal = standing(state)
    found = proposal.step(step) if proposal else None
    if proposal is None or found is None:
        return None
    status: Status = found.status if found in state.open_steps or found.status != "open" else "waiting"
    return Turn(
        id=found.id,
        number=proposal.number,
        digest=proposal.digest,
        status=status,
        plan=found.plan,
        acts=STEP_ACTS,
        signatures=found.signed_by,
        waits_for=found.waits_for,
        proposal=proposal,
        due=state.deadlines.get(step_key(found.id, proposal.number)),
        of_change=proposal is not state.proposal,
        voided_by=found.voided_by,
    )


def _report(state: Delegation) -> Turn | None:
    report, plan = state.report, state.reviewing
    if report is None or plan is None:
        return None
    signatures: tuple[Signature, ...] = ()
    if report.accepted_by and report.accepted_at and report.right:
        signatures = (
            Signature(by=report.accepted_by, at=report.accepted_at, right=report.right, factor=report.factor),
        )
    return Turn(
        id=SIGNING_REPORT,
        number=report.number,
        digest=report.digest,
        status=REPORT_STATUS[report.status],
        plan=plan,
        acts=REPORT_ACTS,
        signatures=signatures,
        waits_for=plan.signing_positions if report.status == "filed" else (),
        proposal=None,
        due=state.deadlines.get(report_key(report)),
    )


async def refusal_of(at: Installation, file: File, actor: Acting, turn: Turn) -> Refusal | None:
    """Return why somebody could not sign now, or None if they could."""
    command = (
        AcceptReport(report_digest=turn.digest)
        if turn.of_report
        else SignOff(step_id=turn.id, dossier_digest=turn.digest)
    )
    return (await possible_of(at, file, actor)).refusal(command)
