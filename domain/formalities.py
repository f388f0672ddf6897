"""What the authorities ask for: entry papers, notices, lists."""

from domain.commands import RecordFormality
from domain.decision import Context, Outcome, accept, refuse
from domain.events import FormalityRecorded
from domain.state import Delegation
from domain.values import business_date


def record_formality(state: Delegation, command: RecordFormality, context: Context) -> Outcome:
    """Record it as done on today's business date. Refusals: `participant_unknown`."""
    for member in command.members:
        if member not in state.people:
            return refuse("participant_unknown", field="members", member=member)
    return accept(
        FormalityRecorded(
            kind=command.kind,
            on=business_date(context.now, state.zone),
            members=command.members,
            reference=command.reference,
            document=command.document,
        )
    )


def fulfilled(state: Delegation) -> frozenset[str]:
    """Return what has been done, in the words of `DeadlineRule.satisfied_by`.

    A formality for named members counts once it covers everybody who needs entry papers.
    """
    done = {formality.kind for formality in state.formalities}
    needing = {person.id for person in state.delegates if person.entry_papers}
    for kind in list(done):
        records = [formality for formality in state.formalities if formality.kind == kind]
        named = {member for formality in records for member in formality.members}
        if named & needing and not needing <= named:
            done.discard(kind)
    proposal = state.proposal
    if proposal and not proposal.withdrawn:
        done.add("submitted")
        for step in proposal.steps:
            if step.status in ("signed", "returned", "rejected"):
                done |= {f"step.{step.id}", f"step.{step.id}.{proposal.number}"}
    if state.decision:
        done.add("decision_issued")
    if state.report and state.report.status != "returned":
        done.add("report_filed")
    return frozenset(done)
