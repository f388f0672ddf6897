"""On whose desk a file is: what waits there, since when, and until when. Pure, and a projection like any other."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from domain.decision import Actor
from domain.institution import Seating, sits
from domain.state import Deadline, Delegation, Phase, Step
from domain.values import Fact, Instant

IDLE_PHASES = (Phase.CLOSED, Phase.REJECTED, Phase.CANCELLED, Phase.POSTPONED)
"""Phases in which a file is on nobody's desk."""

COORDINATING = "coordinator"
SIGNING_REPORT = "report"


class Substitute(Fact):
    """Who stands in at a desk, for the `account` on `leave`: from `since` until `until`, now if `in_force`."""

    account: str
    substitute: str
    leave: str
    since: Instant
    until: Instant
    in_force: bool


class Seat(NamedTuple):
    """A position that somebody signs for, and the organisations whose files come to them with it; None for all."""

    position: str
    files_of: frozenset[str] | None = None


def seats_of(actor: Actor, seating: Seating) -> tuple[Seat, ...]:
    """Return for what somebody signs now: the positions they hold, and those they stand in for."""
    places = {(one.position, one.organisation) for one in actor.tenures}
    places |= {(one.position, one.organisation) for one in actor.substitutions if one.in_force}
    return tuple(
        Seat(position, seating.files_of(position, organisation))
        for position, organisation in sorted(places, key=lambda place: (place[0], place[1] or ""))
    )


def sitting_at(actor: Actor, desks: Mapping[str, str]) -> frozenset[str]:
    """Return the positions at whose desks somebody sits for a file, or stands in now; `desks` as in `Context`."""
    held = (*actor.tenures, *(one for one in actor.substitutions if one.in_force))
    return frozenset(one.position for one in held if sits(one.position, one.organisation, desks))


class Desk(Fact):
    """A desk that a file lies on: that of a position, or of the account that coordinates it.

    `what` is the step to be signed, `report`, or `coordinator` (the next move is the coordinator's). `since` and
    `due_at` are instants in UTC; `due_on` is the day in the file's zone. `missed` says that the due date has passed.
    """

    what: str
    position: str | None = None
    account: str | None = None
    title_vi: str | None = None
    title_en: str | None = None
    since: Instant
    due_on: date | None = None
    due_at: Instant | None = None
    missed: bool = False
    substitutes: tuple[Substitute, ...] = ()
    """Of the leaves in force and to come that touch it."""


def lies_on(state: Delegation) -> tuple[tuple[str, str], ...]:
    """Return what a file waits for and whose desk that is, of positions or of an account; nothing once it is idle.

    An open step lies on the desk of every position that may still sign it, a filed report on those that may accept it;
    everything else is the coordinator's turn.
    """
    if state.phase in IDLE_PHASES:
        return ()
    if state.open_steps:
        return tuple(
            (step.id, position) for step in state.open_steps for position in step.waits_for or (step.plan.position,)
        )
    if state.report is not None and state.report.status == "filed" and state.reviewing is not None:
        return tuple((SIGNING_REPORT, position) for position in state.reviewing.signing_positions)
    return ((COORDINATING, state.coordinator),)


def desks(state: Delegation) -> tuple[Desk, ...]:
    """Return the desks that a file lies on now, with the due date that presses; none once nothing is to be done."""
    steps = {step.id: step for step in state.open_steps}
    return tuple(_desk(state, what, whose, steps.get(what)) for what, whose in lies_on(state))


def _desk(state: Delegation, what: str, whose: str, step: Step | None) -> Desk:
    due = _pressing(state, step)
    came = state.current_proposal.turn_came(step) if step and state.current_proposal else state.desk_since
    return Desk(
        what=what,
        position=None if what == COORDINATING else whose,
        account=whose if what == COORDINATING else None,
        title_vi=step.plan.title_vi if step else None,
        title_en=step.plan.title_en if step else None,
        since=came or state.opened_at,
        due_on=due.due_on if due else None,
        due_at=due.due_at if due else None,
        missed=due is not None and due.status == "missed",
        substitutes=tuple(
            Substitute.model_validate(dict(one)) for one in state.stand_ins if (one.what, one.position) == (what, whose)
        ),
    )


def _pressing(state: Delegation, step: Step | None) -> Deadline | None:
    """Return the earliest deadline that is not met: of the step where one waits, else of the whole file."""
    waiting = [one for one in state.deadlines.values() if one.status in ("open", "missed")]
    if step is not None and state.current_proposal is not None:
        waiting = [one for one in waiting if one.what == f"step.{step.id}.{state.current_proposal.number}"]
    return min(waiting, key=lambda one: (one.due_at, one.what), default=None)
