"""What the authorities ask for: entry papers, notices, lists."""

from domain.commands import RecordFormality
from domain.decision import Context, Outcome, accept, refuse
from domain.events import FormalityRecorded
from domain.state import Delegation, report_key
from domain.values import business_date

OF_THE_FILE = frozenset({"submitted", "decision_issued", "report_filed"})
"""Words of `DeadlineRule.satisfied_by` that the file's own events fulfil; the steps of its chain do so too."""


ANSWERED = ("signed", "returned", "rejected")
"""States of a step that somebody decided on."""


def record_formality(state: Delegation, command: RecordFormality, context: Context) -> Outcome:
    """Record it as done on today's business date.

    Refusals: `formality_reserved` (the file itself says whether a proposal is in, a step signed, a report filed),
    `participant_unknown`.
    """
    if command.kind in OF_THE_FILE or command.kind.startswith("step."):
        return refuse("formality_reserved", field="kind", kind=command.kind)
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
    """Return what has been done for the dates that stand, in the words of `DeadlineRule.satisfied_by`.

    A formality for named members counts once it covers everybody who needs entry papers.
    """
    done = {formality.kind for formality in state.standing_formalities}
    needing = {person.id for person in state.delegates if person.entry_papers}
    for kind in list(done):
        records = [formality for formality in state.standing_formalities if formality.kind == kind]
        named = {member for formality in records for member in formality.members}
        if named & needing and not needing <= named:
            done.discard(kind)
    proposal = state.proposal
    if proposal and not proposal.withdrawn:
        done.add("submitted")
        done |= {f"step.{step.id}" for step in proposal.steps if step.status in ANSWERED}
    for one in state.proposals:
        if not one.withdrawn:
            done |= {f"step.{step.id}.{one.number}" for step in one.steps if step.status in ANSWERED}
    if state.decision:
        done.add("decision_issued")
    if state.report and state.report.status != "returned":
        done.add("report_filed")
    if state.report and state.report.status != "filed":
        done.add(report_key(state.report))
    return frozenset(done)
