"""The final report: compiled from the file itself, filed, and signed off."""

from domain.approval import misplaced, proof_of, right_for
from domain.canonical import digest_of
from domain.commands import AcceptReport, FileReport, ReturnReport
from domain.conflicts import desks_of, settle
from domain.decision import Context, Outcome, accept, refuse
from domain.entitlement import travellers
from domain.events import ReportAccepted, ReportFiled, ReportReturned, Right, RuleRef, SignOffRefused
from domain.prefixes import in_full
from domain.request import choose_policy, step_plan
from domain.signing import REPORT, Statement
from domain.state import Delegation, Report


def file_report(state: Delegation, command: FileReport, context: Context) -> Outcome:
    """Refusals: `report_filed_already` while one waits. One that was accepted may be corrected, and waits anew."""
    if state.report and state.report.status == "filed":
        return refuse("report_filed_already")
    digest = digest_of(
        {
            "facts": report_facts(state),
            "results": command.results.commitment,
            "recommendations": command.recommendations.commitment if command.recommendations else None,
            "annexes": [annex.digest for annex in command.annexes],
        }
    )
    policy = choose_policy(state, context.edition, "final_report").policy
    own = {*state.own, context.actor.id}
    settled = settle(policy.steps if policy else (), desks_of(state, context, own))
    return accept(
        ReportFiled(
            report=state.report.number + 1 if state.report else 1,
            digest=digest,
            results=command.results,
            recommendations=command.recommendations,
            annexes=command.annexes,
            review=step_plan(settled.steps[0]) if settled.steps else None,
            conflicted=settled.conflicted,
            chain=RuleRef(rule=policy.id, version=policy.version) if policy else None,
        )
    )


def report_facts(state: Delegation) -> dict[str, object]:
    """Return, as JSON, the facts of the file that a report states."""
    return state.model_dump(
        mode="json",
        include={
            "id",
            "title",
            "purpose",
            "partner",
            "countries",
            "places",
            "starts",
            "ends",
            "people",
            "items",
            "proposal",
            "decision",
            "formalities",
            "ceiling",
            "departed_at",
            "concluded_at",
        },
    )


def return_report(state: Delegation, command: ReturnReport, context: Context) -> Outcome:
    """Refusals: those of `_reviewable`."""
    found = _reviewable(state, command, context)
    if isinstance(found, Outcome):
        return found
    report, right = found
    proof = proof_of(command.signature, context)
    returned = ReportReturned(
        report=report.number, digest=report.digest, reason=command.reason, right=right, proof=proof
    )
    return accept(returned)


def accept_report(state: Delegation, command: AcceptReport, context: Context) -> Outcome:
    """Refusals: those of `_reviewable`."""
    found = _reviewable(state, command, context)
    if isinstance(found, Outcome):
        return found
    report, right = found
    proof = proof_of(command.signature, context)
    return accept(ReportAccepted(report=report.number, digest=report.digest, right=right, proof=proof))


def _reviewable(
    state: Delegation, command: ReturnReport | AcceptReport, context: Context
) -> tuple[Report, Right] | Outcome:
    """Return the report that waits for sign-off, and the right of the position that is to accept it.

    Refusals: `report_not_filed`, those of `right_to_sign`, `report_superseded`, those of `misplaced`. An attempt
    without the right is itself recorded.
    """
    report = state.report
    if report is None or report.status != "filed":
        return refuse("report_not_filed")
    plan = state.reviewing
    right = right_for(
        context.actor,
        plan.signing_positions if plan else (),
        plan.prefix if plan else None,
        own=state.own,
        travellers=travellers(state),
        lineage=context.lineage,
        desks=context.desks,
    )
    if isinstance(right, str):
        return refuse(right, SignOffRefused(step_id=REPORT, code=right))
    if command.report_digest != report.digest:
        return refuse("report_superseded", field="report_digest", current=report.digest)
    statement = Statement(act=command.type, delegation=state.id, step=REPORT, digest=report.digest)
    return misplaced(command.signature, statement) or (report, in_full(right, plan, context.actor))
