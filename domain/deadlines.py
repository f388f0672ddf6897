"""Deadlines as facts: set, moved, met, reminded of, missed. Their arithmetic is in `domain/duedates.py`."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.decision import Context
from domain.duedates import END_OF_BUSINESS_DAY, Anchors, dues, escalates_on
from domain.events import (
    Calculation,
    DeadlineEscalated,
    DeadlineLifted,
    DeadlineMet,
    DeadlineMissed,
    DeadlineReminded,
    DeadlineSet,
    EscalationPlan,
    Event,
    RuleRef,
    StepEscalated,
    StepPlan,
)
from domain.formalities import fulfilled
from domain.request import choose_policy
from domain.rules import Edition
from domain.state import RESTING, Deadline, Delegation, Report, report_key, step_key
from domain.values import business_date


def anchors(state: Delegation) -> Anchors:
    """Return the days of the file that deadlines count from, in the business zone."""

    def day(instant: datetime | None) -> date | None:
        return business_date(instant, state.zone) if instant else None

    requested = [done.on for done in state.standing_formalities if done.kind == "entry_papers_requested"]
    return Anchors(
        direction=state.direction,
        opened=business_date(state.opened_at, state.zone),
        submitted=day(state.proposal.submitted_at) if state.proposal else None,
        arrival=state.starts,
        departure=day(state.concluded_at) or state.ends,
        papers_requested=requested[-1] if requested else None,
        entry_papers_needed=state.entry_papers_needed,
        provincial_chair=state.provincial_chair,
        conference=state.conference,
        issuer=state.issuer,
    )


class Wanted(NamedTuple):
    """A deadline the file should have, and what fulfils it."""

    due: DeadlineSet
    satisfied_by: str


def deadline_events(state: Delegation, context: Context) -> Iterator[Event]:
    """Yield what a changed file means for its deadlines: set, set anew, lifted, met.

    A deadline is never set into the past: one that had passed before it could be set is recorded as missed.
    """
    if state.phase in RESTING:
        yield from (DeadlineLifted(what=what) for what, one in state.deadlines.items() if one.status == "open")
        return
    done = fulfilled(state)
    wanted = {one.due.what: one for one in _wanted(state, context.edition)}
    for what, (due, satisfied_by) in wanted.items():
        stands, met = state.deadlines.get(what), satisfied_by in done
        standing_open = stands is not None and stands.status in ("open", "missed")
        if not _set_anew(stands, due, met):
            if met and standing_open:
                yield DeadlineMet(what=what)
        elif due.due_at > context.now:
            yield due.model_copy(update={"remind_at": tuple(at for at in due.remind_at if at > context.now)})
            if met:
                yield DeadlineMet(what=what)
        elif not met:
            yield _known_late(due)
        elif standing_open:
            yield DeadlineMet(what=what)
    for what, stands in state.deadlines.items():
        if what in wanted:
            continue
        # The deadline of a step goes with the step: signed it is met, taken back it is lifted.
        if what in done and stands.status in ("open", "missed"):
            yield DeadlineMet(what=what)
        elif stands.status == "open" or stands.to_escalate:
            yield DeadlineLifted(what=what)


def _set_anew(stands: Deadline | None, due: DeadlineSet, met: bool) -> bool:
    """Whether a deadline is set, or set again: its day moved, or another rule now names the same day.

    What was met stays as it was, unless it is to be done again by another day: a new proposal, new dates.
    """
    if stands is None:
        return True
    moved = stands.due_on != due.due_on
    match stands.status:
        case "open":
            return moved or stands.rule != due.rule
        case "missed":
            return moved
        case "met" | "late":
            return moved and not met


def passed(state: Delegation, now: datetime) -> Iterator[Event]:
    """Yield what the passing of time brought by now: reminders that are due, deadlines that were missed, escalations.

    While nothing is due, nobody hears of what was missed before.
    """
    for what, deadline in state.deadlines.items():
        if deadline.status != "open":
            if state.phase not in RESTING:
                yield from _told_further(deadline, now)
            continue
        late = deadline.due_at <= now
        for at in deadline.remind_at[deadline.reminders :]:
            if at <= now and not late:
                yield DeadlineReminded(what=what, due_on=deadline.due_on)
        if late:
            yield DeadlineMissed(what=what, due_on=deadline.due_on, due_at=deadline.due_at, rule=deadline.rule)
            yield from _escalated(state, deadline)
            yield from _told_further(deadline.model_copy(update={"status": "missed"}), now)


def _told_further(missed: Deadline, now: datetime) -> Iterator[Event]:
    for level, one in enumerate(missed.to_escalate, missed.escalations + 1):
        if one.at <= now:
            yield DeadlineEscalated(what=missed.what, to=one.to, level=level, due_on=missed.due_on)


def _escalated(state: Delegation, missed: Deadline) -> Iterator[Event]:
    """Yield who hears of it when the missed deadline is that of an open step; silence never approves."""
    proposal = state.current_proposal
    if proposal is None:
        return
    for step in state.open_steps:
        if step.plan.escalate_to and missed.what == step_key(step.id, proposal.number):
            yield StepEscalated(
                step_id=step.id, proposal=proposal.number, to=step.plan.escalate_to, due_on=missed.due_on
            )


def _wanted(state: Delegation, edition: Edition) -> Iterator[Wanted]:
    yield from _by_rules(edition, anchors(state), business_date(state.rules_since, state.zone))
    for step in state.open_steps:
        if (proposal := state.current_proposal) and step.plan.time_limit is not None:
            yield _to_answer(
                step_key(step.id, proposal.number), step.plan, proposal.turn_came(step), proposal.chain, state, edition
            )
    report, review = state.report, state.reviewing
    if report and report.status == "filed" and review and review.time_limit is not None and state.proposal:
        # A step's own escalation is an event of its own; a report has only those of its deadline.
        at_once = (review.escalate_to,) if review.escalate_to else ()
        chain = _chain_of(state, report, edition)
        yield _to_answer(report_key(report), review, report.filed_at, chain, state, edition, at_once)


def _chain_of(state: Delegation, report: Report, edition: Edition) -> RuleRef:
    """Return by which policy a report is accepted; one filed before that was sealed is under the policy of today."""
    if report.chain is not None:
        return report.chain
    policy = choose_policy(state, edition, "final_report").policy if report.review is not None else None
    assert state.proposal
    return RuleRef(rule=policy.id, version=policy.version) if policy else state.proposal.chain


@lru_cache(maxsize=1024)
def _by_rules(edition: Edition, days: Anchors, on: date) -> tuple[Wanted, ...]:
    # Kept, since most decisions move no day: working them out anew took a third of the time of deciding.
    found = []
    for due in dues(edition, days, on):
        calculation = Calculation(
            anchor=due.calculation.anchor,
            anchor_on=due.calculation.anchor_on,
            offset=due.calculation.offset,
            unit=due.calculation.unit,
            side=due.calculation.side,
            skipped=tuple(str(day) for day in due.calculation.skipped),
            holiday_table=due.calculation.holiday_table,
        )
        event = DeadlineSet(
            what=due.what,
            due_on=due.due_on,
            due_at=due.due_at,
            remind_at=due.remind_at,
            rule=RuleRef(rule=due.rule, version=due.version),
            calculation=calculation,
            escalate=due.escalate,
        )
        found.append(Wanted(event, due.satisfied_by))
    return tuple(found)


def _to_answer(
    what: str,
    plan: StepPlan,
    since: datetime,
    chain: RuleRef,
    state: Delegation,
    edition: Edition,
    at_once: tuple[str, ...] = (),
) -> Wanted:
    """Return by when a step or a report is to be answered: so many working days after it came to its desk.

    `at_once` are positions that hear of it as soon as it is missed, before those of the plan.
    """
    opened, limit, calendar = business_date(since, state.zone), plan.time_limit or 0, edition.work_calendar
    due_on = calendar.add_working_days(opened, limit)
    due_at = _instant(due_on, END_OF_BUSINESS_DAY, state.zone)
    due = DeadlineSet(
        what=what,
        due_on=due_on,
        due_at=due_at,
        remind_at=tuple(
            _instant(due_on - timedelta(days=before), edition.reminders_at, state.zone)
            for before in plan.remind_before or (0,)
        ),
        rule=chain,
        calculation=Calculation(
            anchor="step_opened",
            anchor_on=opened,
            offset=limit,
            unit="working_days",
            side="after",
            skipped=tuple(str(day) for day in calendar.days_off_between(opened + timedelta(days=1), due_on)),
        ),
        escalate=(
            *(EscalationPlan(at=due_at, to=to) for to in at_once),
            *(
                EscalationPlan(
                    at=_instant(escalates_on(due_on, one.after, one.unit, calendar), edition.reminders_at, state.zone),
                    to=one.to,
                )
                for one in plan.escalate
            ),
        ),
    )
    return Wanted(due, "")


def _known_late(due: DeadlineSet) -> DeadlineMissed:
    return DeadlineMissed(
        what=due.what,
        due_on=due.due_on,
        due_at=due.due_at,
        rule=due.rule,
        known_late=True,
        calculation=due.calculation,
        escalate=due.escalate,
    )


def _instant(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def standing(state: Delegation) -> tuple[Deadline, ...]:
    """Return the deadlines of the file, earliest first."""
    return tuple(sorted(state.deadlines.values(), key=lambda one: (one.due_at, one.what)))
