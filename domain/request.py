"""The request and its proposal: opening a file, revising it, justifying limits, submitting it."""

from collections.abc import Callable
from operator import eq
from typing import NamedTuple

from domain.ceilings import reception
from domain.choosing import Choice, choose, facts_of
from domain.commands import (
    AdoptRules,
    AttachDocument,
    JustifyLimit,
    OpenDelegation,
    ReviseRequest,
    Stay,
    SubmitRequest,
    WithdrawRequest,
)
from domain.conflicts import desks_of, settle
from domain.decision import Context, Outcome, accept, refuse
from domain.dossier import dossier_digest, dossier_parts, seen_parts
from domain.entitlement import conflict_since, travellers
from domain.events import (
    EXTERNAL_AUTHORITY,
    Breach,
    CarriedSignature,
    CeilingLine,
    CeilingSet,
    DelegationOpened,
    DocumentAttached,
    DossierPart,
    EscalationAfter,
    Fallen,
    LimitJustified,
    RequestRevised,
    RequestSubmitted,
    RequestWithdrawn,
    RuleRef,
    RulesAdopted,
    SignaturesVoided,
    StepPlan,
)
from domain.limits import Composition, CountryDays
from domain.limits import breaches as limit_breaches
from domain.meanwhile import changed_meanwhile, request_seen
from domain.policies import ApprovalChain, ApprovalStep, Matter
from domain.rule import in_scope
from domain.rules import Edition
from domain.state import Delegation, Proposal, Signature, Step
from domain.values import business_date, days_between

LARGEST_DOSSIER = 500


def open_delegation(delegation: str, command: OpenDelegation, context: Context) -> Outcome:
    """Refusals: `arrival_before_request`, `countries_differ_from_stays`, `run_by_contradicts_register`.

    What kind of union runs it is what the register says of the organisation; only where it says nothing, the request.
    """
    zone = context.edition.zone
    today = business_date(context.now, zone)
    if command.starts < today:
        return refuse(
            "arrival_before_request", field="starts", starts=command.starts.isoformat(), today=today.isoformat()
        )
    if refusal := _stays_elsewhere(command.countries, command.stays) or _run_by_another(command, context):
        return refusal
    return accept(
        DelegationOpened(
            delegation=delegation,
            edition=context.edition.digest(),
            zone=zone,
            coordinator=context.actor.id,
            run_by=context.run_by or command.run_by,
            **command.model_dump(exclude={"type", "run_by"}),
        )
    )


def revise_request(state: Delegation, command: ReviseRequest, context: Context) -> Outcome:
    """Refusals: `changed_meanwhile`, `ends_before_starts`, `arrival_before_request`, `countries_differ_from_stays`,
    `request_unchanged`, `run_by_contradicts_register`.
    """
    if refusal := changed_meanwhile(command.seen, request_seen(state)):
        return refusal
    starts, ends = command.starts or state.starts, command.ends or state.ends
    if ends < starts:
        return refuse("ends_before_starts", field="ends", starts=starts.isoformat(), ends=ends.isoformat())
    today = business_date(context.now, state.zone)
    if command.starts and command.starts < today:
        return refuse("arrival_before_request", field="starts", starts=starts.isoformat(), today=today.isoformat())
    stays = state.stays if command.stays is None else command.stays
    if refusal := _stays_elsewhere(command.countries or state.countries, stays) or _run_by_another(command, context):
        return refusal
    changed = {
        name: value
        for name in command.model_fields_set - {"type", "seen"}
        if (value := getattr(command, name)) is not None and value != getattr(state, name)
    }
    if not changed:
        return refuse("request_unchanged")
    return accept(RequestRevised(**changed))


def _run_by_another(command: OpenDelegation | ReviseRequest, context: Context) -> Outcome | None:
    if command.run_by in (None, context.run_by) or context.run_by is None:
        return None
    return refuse("run_by_contradicts_register", field="run_by", register=context.run_by)


def _stays_elsewhere(countries: tuple[str, ...], stays: tuple[Stay, ...]) -> Outcome | None:
    elsewhere = [stay.country for stay in stays if stay.country not in countries]
    return refuse("countries_differ_from_stays", field="stays", country=elsewhere[0]) if elsewhere else None


def attach_document(state: Delegation, command: AttachDocument, context: Context) -> Outcome:
    """Refusals: `document_exists`, `dossier_full`, `participant_unknown`."""
    if command.document_id in state.documents:
        return refuse("document_exists", field="document_id", document=command.document_id)
    if len(state.documents) >= LARGEST_DOSSIER:
        return refuse("dossier_full", field="document_id", limit=LARGEST_DOSSIER)
    if command.concerns is not None and command.concerns not in state.people:
        return refuse("participant_unknown", field="concerns", member=command.concerns)
    return accept(
        DocumentAttached(
            document_id=command.document_id,
            kind=command.kind,
            attachment=command.attachment,
            concerns=command.concerns,
            bound=True,
        )
    )


def justify_limit(state: Delegation, command: JustifyLimit, context: Context) -> Outcome:
    """Refusals: `limit_unknown` (no rule of that name), `limit_not_breached`, `limit_absolute`."""
    rule_id = command.limit.partition("/")[0]
    if all(rule.id != rule_id for rule in context.edition.limits):
        return refuse("limit_unknown", field="limit", limit=command.limit)
    breach = next((one for one in breaches(state, context.edition) if one.limit == command.limit), None)
    if breach is None:
        return refuse("limit_not_breached", field="limit", limit=command.limit)
    if breach.absolute:
        return _absolute(breach, "limit")
    return accept(LimitJustified(breach=breach, justification=command.justification))


def _absolute(breach: Breach, field: str | None = None) -> Outcome:
    return refuse("limit_absolute", field=field, limit=breach.limit, measured=breach.measured, allowed=breach.allowed)


def never_together(before: Delegation, after: Delegation, edition: Edition, field: str) -> Outcome | None:
    """Return the refusal of a change that exceeds an absolute limit further than before: `limit_absolute`."""
    if not any(rule.absolute and in_scope(rule.direction, after.direction) for rule in edition.limits):
        return None
    was = {one.limit: one.measured for one in breaches(before, edition)}
    for breach in breaches(after, edition):
        if breach.absolute and breach.measured > was.get(breach.limit, 0):
            return _absolute(breach, field)
    return None


def breaches(state: Delegation, edition: Edition) -> tuple[Breach, ...]:
    """Return the limits that the delegation, as it stands, exceeds by the rules it is under."""
    return tuple(
        Breach(
            limit=f"{found.limit}/{found.subject}" if found.subject else found.limit,
            version=found.version,
            measured=found.measured,
            allowed=found.allowed,
            unit=found.unit,
            absolute=found.absolute,
        )
        for found in limit_breaches(edition, composition(state), business_date(state.rules_since, state.zone))
    )


def composition(state: Delegation) -> Composition:
    """Return what the limits measure of the delegation as it stands; what only other files know is left out."""
    return Composition(
        direction=state.direction,
        members=state.head_count,
        days=days_between(state.starts, state.ends),
        countries=state.countries,
        days_per_country=tuple(CountryDays(country=stay.country, days=stay.days) for stay in state.stays),
        led_by_city_leaders=state.led_by_city_leaders,
        key_leaders=state.key_leaders_on_list,
        issuer=state.issuer,
    )


def ceiling(state: Delegation, edition: Edition) -> CeilingSet | None:
    """Return what the reception may cost at most as the delegation stands; nothing without a grade.

    Meals are counted for every day of the visit, lodging for the nights between its days.
    """
    if state.direction != "inbound" or state.grade is None:
        return None
    days = days_between(state.starts, state.ends)
    heads = sum(person.role == "head" for person in state.delegates)
    found = reception(
        edition,
        state.grade,
        heads=heads,
        members=state.head_count - heads,
        days=days,
        nights=days - 1,
        on=business_date(state.rules_since, state.zone),
    )
    return CeilingSet(
        total_vnd=found.total_vnd,
        head_count=state.head_count,
        days=days,
        nights=days - 1,
        lines=tuple(
            CeilingLine(
                what=line.what,
                quantity=line.quantity,
                unit_vnd=line.unit_vnd,
                amount_vnd=line.amount_vnd,
                rule=RuleRef(rule=line.rule, version=line.version),
            )
            for line in found.lines
        ),
        missing=found.missing,
    )


def submit(state: Delegation, command: SubmitRequest, context: Context) -> Outcome:
    """Refusals: `no_members`, `starts_in_the_past`, `limit_absolute`, `limit_unjustified`, `no_approval_chain`."""
    if not state.delegates:
        return refuse("no_members")
    today = business_date(context.now, state.zone)
    if state.starts < today:
        return refuse("starts_in_the_past", field="starts", starts=state.starts.isoformat(), today=today.isoformat())
    found = breaches(state, context.edition)
    if refusal := unjustified(state, found):
        return refusal
    chain = choose_policy(state, context.edition).policy
    if chain is None:
        return refuse("no_approval_chain", direction=state.direction)
    parts = parts_now(state, context.edition)
    settled = settle(chain.steps, desks_of(state, context, state.own | {context.actor.id}))
    plans = tuple(step_plan(step) for step in settled.steps)
    reference = RuleRef(rule=chain.id, version=chain.version)
    before = state.proposal if state.proposal and not state.proposal.withdrawn else None
    found_before = judged(state, before, plans, parts, context, asked_anew=anew(before, chain))
    return accept(
        *fallen(before, found_before),
        RequestSubmitted(
            proposal=next_number(state),
            digest=dossier_digest(parts),
            parts=parts,
            chain=reference,
            steps=plans,
            breaches=found,
            carried=carried_over(before, found_before),
            conflicted=settled.conflicted,
        ),
    )


ANEW: tuple[Fallen, ...] = ("whole_chain", "chain_changed")
"""Reasons that have nothing to do with who signed."""


def anew(before: Proposal | None, policy: ApprovalChain) -> Fallen | None:
    """Return why every step of a policy is asked anew, whoever signed before; None where signatures may stand."""
    if before is not None and before.chain != RuleRef(rule=policy.id, version=policy.version):
        return "chain_changed"
    return "whole_chain" if policy.resubmission == "whole" else None


def unjustified(state: Delegation, found: tuple[Breach, ...]) -> Outcome | None:
    """Return the refusal for the first breach that stands in the way: `limit_absolute`, `limit_unjustified`."""
    for breach in found:
        if breach.absolute:
            return _absolute(breach)
        justified = state.justifications.get(breach.limit)
        if justified is None or justified[0] != breach:
            return refuse("limit_unjustified", limit=breach.limit, measured=breach.measured, allowed=breach.allowed)
    return None


def parts_now(state: Delegation, edition: Edition) -> tuple[DossierPart, ...]:
    """Return the parts of the dossier as the file stands, by the rules it is under."""
    limit = ceiling(state, edition)
    return dossier_parts(state, breaches(state, edition), limit.total_vnd if limit else None)


def next_number(state: Delegation) -> int:
    """Return the number of the next proposal, or of the next change after the decision: they count together."""
    return max((one.number for one in state.proposals), default=0) + 1


def choose_policy(state: Delegation, edition: Edition, matter: Matter = "request") -> Choice:
    """Return the policy that the file, as it stands, gets by the rules it is under, and why."""
    limit = ceiling(state, edition)
    cost = limit.total_vnd if limit and not limit.missing else None
    facts = facts_of(state, tuple(breach.limit for breach in breaches(state, edition)), cost)
    return choose(edition.approvals, facts, business_date(state.rules_since, state.zone), matter)


def step_plan(step: ApprovalStep) -> StepPlan:
    """Return a step of a policy as it is sealed into a proposal; what is usual is left out."""
    positions = step.positions
    return StepPlan(
        id=step.id,
        position=positions[0] if positions else EXTERNAL_AUTHORITY,
        title_vi=step.title.vi,
        title_en=step.title.en,
        prefix=step.signature_prefix,
        time_limit=step.time_limit_working_days,
        stage=step.stage,
        positions=positions if len(positions) > 1 else (),
        needed=step.needed if step.needed > 1 else None,
        external=step.external,
        remind_before=step.remind_before if step.remind_before != (0,) else (),
        escalate_to=step.escalate_to,
        escalate=tuple(EscalationAfter(after=one.after, unit=one.unit, to=one.to) for one in step.escalate),
        looks_at=step.looks_at,
        principal_vi=step.principal.vi if step.principal else None,
        principal_en=step.principal.en if step.principal else None,
    )


class Judged(NamedTuple):
    """A signature of an earlier proposal, and why it does not stand for the new one; without a reason it does."""

    step: Step
    signature: Signature
    reason: Fallen | None


def judged(
    state: Delegation,
    before: Proposal | None,
    plans: tuple[StepPlan, ...],
    parts: tuple[DossierPart, ...],
    context: Context,
    *,
    asked_anew: Fallen | None = None,
    same: Callable[[StepPlan, StepPlan], bool] = eq,
) -> tuple[Judged, ...]:
    """Return the signatures of an earlier proposal that no edit voided, each with whether it stands for a new one.

    Those of the same step (`same`, given the plan then and the plan now) whose signer could sign now: nobody behind it
    has come to run, write or submit the file, travels, or signed another step by what the registers know of them today.
    With `asked_anew` none stands. A letter's authority has no such conflict.
    """
    if before is None:
        return ()
    now = {plan.id: (place, plan) for place, plan in enumerate(plans)}
    others = {one.id: one for one in (context.actor, *(context.others or ()))}
    own, going = state.own | {context.actor.id}, travellers(state)
    found: list[Judged] = []
    elsewhere: set[str] = set()
    for step in sorted(before.steps, key=lambda one: now[one.id][0] if one.id in now else len(now)):
        plan = now[step.id][1] if step.id in now else None
        looks_at = plan.looks_at if plan else step.plan.looks_at
        if step.voided_by or seen_parts(before.parts, looks_at) != seen_parts(parts, looks_at):
            continue
        for signature in step.signed_by:
            reason: Fallen | None = asked_anew
            if reason is None and (plan is None or not same(step.plan, plan)):
                reason = "chain_changed"
            if reason is None and not step.plan.external:
                reason, accounts = conflict_since(signature, others, own=own, travellers=going, elsewhere=elsewhere)
                elsewhere |= accounts if reason is None else set()
            found.append(Judged(step, signature, reason))
    return tuple(found)


def carried_over(before: Proposal | None, found: tuple[Judged, ...]) -> tuple[CarriedSignature, ...]:
    """Return the signatures of an earlier proposal that stand for a new one, as they are sealed into it."""
    return tuple(
        CarriedSignature(
            step_id=step.id,
            proposal=signature.proposal or before.number,
            digest=signature.digest or before.digest,
            by=signature.by,
            at=signature.at,
            right=signature.right,
            external=step.external,
            factor=signature.factor,
        )
        for step, signature, reason in found
        if before is not None and reason is None
    )


def fallen(before: Proposal | None, found: tuple[Judged, ...]) -> tuple[SignaturesVoided, ...]:
    """Return what is to be said of the signatures that do not stand: nothing falls unseen.

    Whose parts differ fell with the edit. Who could not sign now is said by name: others of their step may stand.
    """
    by_reason: dict[Fallen, list[Judged]] = {}
    for one in found:
        if one.reason:
            by_reason.setdefault(one.reason, []).append(one)
    return tuple(
        SignaturesVoided(
            proposal=before.number,
            parts=(),
            steps=tuple(dict.fromkeys(one.step.id for one in fell)),
            because=reason,
            signers=() if reason in ANEW else tuple(dict.fromkeys(one.signature.by for one in fell)),
        )
        for reason, fell in by_reason.items()
        if before is not None
    )


def withdraw_request(state: Delegation, command: WithdrawRequest, context: Context) -> Outcome:
    """Take the proposal back; never refused in the phases in which it is allowed."""
    return accept(RequestWithdrawn(reason=command.reason))


def adopt_rules(state: Delegation, command: AdoptRules, context: Context) -> Outcome:
    """Refusals: `change_under_approval` (limits and ceilings were signed by the rules that stand), `rules_current`."""
    if state.amending:
        return refuse("change_under_approval")
    newest = context.newest.digest()
    if newest == state.edition:
        return refuse("rules_current")
    return accept(RulesAdopted(edition=newest, previous=state.edition))
