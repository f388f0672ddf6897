"""On whose desk a file is: what waits there, since when, and until when. Pure, and a projection like any other."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

from domain.decision import Actor
from domain.institution import Leave, Seating, sits
from domain.state import Deadline, Delegation, Phase, Step, step_key
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
    places = [(one.position, one.organisation) for one in actor.tenures]
    places += [(one.position, one.organisation) for one in actor.substitutions if one.in_force]
    return frozenset(position for position, organisation in places if sits(position, organisation, desks))


def signers(
    position: str,
    organisation: str,
    seating: Seating,
    leaves: Iterable[Leave],
    approvers: Mapping[str, str | None],
    now: datetime,
) -> tuple[str, ...]:
    """Return the accounts that sign at the desk of a position for the files of an organisation; alphabetical.

    Those who sit there, and the substitutes of those on leave. `approvers` are the accounts that may sign at all, with
    the organisation whose files and those below it they reach, None for all.
    """
    holders = seating.holders(position, organisation)
    away = (one for one in leaves if one.account in holders and one.in_force(now) and one.covers(position))
    there = {one for one in holders if one in approvers} | {
        one.substitute for one in away if one.account in approvers and one.substitute in approvers
    }
    above = seating.lineage(organisation)
    return tuple(sorted(one for one in there if approvers[one] is None or approvers[one] in above))


Ageing = Literal["up_to_2", "3_to_5", "6_to_10", "over_10"]
"""For how many working days something has lain where it is: classes of ageing."""

AGEING: Mapping[Ageing, int | None] = {"up_to_2": 2, "3_to_5": 5, "6_to_10": 10, "over_10": None}
"""The last day of each class."""


def ageing(working_days: int) -> Ageing:
    """Return the class of so many working days."""
    return next(name for name, last in AGEING.items() if last is None or working_days <= last)


class Waits(Protocol):
    """A file on a desk."""

    @property
    def delegation_id(self) -> str: ...

    @property
    def since(self) -> datetime: ...

    @property
    def missed(self) -> bool: ...


class Whose(NamedTuple):
    """Whose files are counted: an account, a position, an organisation; `at` is the organisation of a position's desk.

    Without a name they are nobody's: the desk is vacant, or an outside authority's.
    """

    name: str | None
    at: str | None = None


class Load(Fact):
    """How many files lie with somebody, how many of them are past a due date, since when the oldest does.

    `ageing` counts each file once, by the desk on which it has lain longest.
    """

    name: str | None
    at: str | None = None
    files: int
    missed: int
    oldest: Instant
    ageing: dict[Ageing, int]


def loads(waiting: Iterable[tuple[Whose, Waits]], working_days: Callable[[datetime], int]) -> tuple[Load, ...]:
    """Return how much lies with each, the longest waiting first; `working_days` says how many passed since an instant.

    What lies with several, such as a step that one of them signs, counts for each.
    """
    found: dict[Whose, dict[str, list[Waits]]] = {}
    for whose, one in waiting:
        found.setdefault(whose, {}).setdefault(one.delegation_id, []).append(one)

    def load(whose: Whose, files: Mapping[str, list[Waits]]) -> Load:
        oldest = [min(one.since for one in lines) for lines in files.values()]
        classes = [ageing(working_days(since)) for since in oldest]
        return Load(
            name=whose.name,
            at=whose.at,
            files=len(files),
            missed=sum(any(one.missed for one in lines) for lines in files.values()),
            oldest=min(oldest),
            ageing={name: classes.count(name) for name in AGEING},
        )

    counted = (load(whose, files) for whose, files in found.items())
    return tuple(sorted(counted, key=lambda one: (one.oldest, one.name or "", one.at or "")))


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
    everything else is the coordinator's turn. So is a step that an outside authority decides, beside the authority's:
    somebody here sends the dossier out and records the letter.
    """
    if state.phase in IDLE_PHASES:
        return ()
    if state.open_steps:
        waiting = [
            (step.id, position) for step in state.open_steps for position in step.waits_for or (step.plan.position,)
        ]
        if any(step.plan.external for step in state.open_steps):
            waiting.append((COORDINATING, state.coordinator))
        return tuple(waiting)
    if state.report is not None and state.report.status == "filed" and state.reviewing is not None:
        return tuple((SIGNING_REPORT, position) for position in state.reviewing.signing_positions)
    return ((COORDINATING, state.coordinator),)


def desks(state: Delegation) -> tuple[Desk, ...]:
    """Return the desks that a file lies on now, with the due date that presses; none once nothing is to be done."""
    steps = {step.id: step for step in state.open_steps}
    return tuple(_desk(state, what, whose, steps.get(what)) for what, whose in lies_on(state))


def _desk(state: Delegation, what: str, whose: str, step: Step | None) -> Desk:
    due = _pressing(state, what)
    return Desk(
        what=what,
        position=None if what == COORDINATING else whose,
        account=whose if what == COORDINATING else None,
        title_vi=step.plan.title_vi if step else None,
        title_en=step.plan.title_en if step else None,
        since=_came(state, (step,) if step else _letters_awaited(state) if what == COORDINATING else ()),
        due_on=due.due_on if due else None,
        due_at=due.due_at if due else None,
        missed=due is not None and due.status == "missed",
        substitutes=tuple(
            Substitute.model_validate(dict(one)) for one in state.stand_ins if (one.what, one.position) == (what, whose)
        ),
    )


def _letters_awaited(state: Delegation) -> tuple[Step, ...]:
    return tuple(step for step in state.open_steps if step.plan.external)


def _came(state: Delegation, steps: tuple[Step, ...]) -> datetime:
    """Return when the first of some steps came to its desk; without one, when the file came to where it lies."""
    proposal = state.current_proposal
    turns = [proposal.turn_came(step) for step in steps] if proposal else []
    return min(turns, default=state.desk_since or state.opened_at)


def _pressing(state: Delegation, what: str) -> Deadline | None:
    """Return the earliest deadline that is not met of what a desk has to do, and of nothing that others have to.

    A coordinator's are the duties of the file; while a letter of an outside authority is awaited, its own too.
    """
    waiting = [one for one in state.deadlines.values() if one.status in ("open", "missed")]
    proposal = state.current_proposal
    if what == COORDINATING:
        awaited = {step_key(step.id, proposal.number) for step in _letters_awaited(state)} if proposal else set()
        waiting = [one for one in waiting if not one.what.startswith("step.") or one.what in awaited]
    else:
        of = state.report if what == SIGNING_REPORT and not state.open_steps else proposal
        waiting = [one for one in waiting if of and one.what == step_key(what, of.number)]
    return min(waiting, key=lambda one: (one.due_at, one.what), default=None)
