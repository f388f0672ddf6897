"""Whose desk: what waits where, since when, due when; all of it, and what waits for whoever asks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.files import reach, reach_of
from api.installation import At, Installation
from api.problems import Problem
from domain.approval import right_at_desk
from domain.bilingual import Bilingual
from domain.decision import Actor as Standing
from domain.desk import Ageing, Load, Seat, Substitute, Whose, ageing, loads, seats_of, signers
from domain.events import Right
from domain.institution import Leave, Seating, sits
from domain.sign_in import Acting
from domain.state import Delegation
from domain.values import Slug, business_date
from domain.workdays import WorkCalendar
from storage.cursors import BadCursor
from storage.desks import DeskFilters, DeskLine, DeskPage
from storage.editions import UnknownEdition
from storage.metadata import utc_now
from storage.queries import LARGEST_PAGE

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["desks"])


class PageQuery(BaseModel):
    """Which page."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=2000)] | None = Field(None, description="`next_cursor` of the page before.")


class Which(BaseModel):
    """Which files: all that is said must hold."""

    model_config = ConfigDict(extra="forbid")

    organisation: Slug | None = Field(None, description="Only the files of this organisation and of those below it.")
    delegation: Slug | None = Field(None, description="Only this file.")
    missed: bool | None = Field(None, description="Only what is past its due date, or only what is not.")


class DeskQuery(Which, PageQuery):
    """Whose desks, and which page of them."""

    position: list[Slug] = Field([], max_length=20, description="What waits for one of these positions.")
    account: Slug | None = Field(
        None,
        description="What lies with this account: for the positions it holds or stands in for, and as coordinator. "
        "Beside positions, either of both.",
    )


By = Literal["approver", "position", "organisation", "coordinator"]


class TotalsQuery(Which):
    """By what to count, and of which files."""

    by: By = "position"


class DeskView(BaseModel):
    """A file on a desk. `what` is the step to be signed, `report`, or `coordinator`: the next move is theirs.

    `substitutes` are those of the leaves in force and to come that touch it.
    `age_days` are whole days in the business zone since it came there. Instants in UTC, `due_on` in the file's zone.
    """

    delegation: str
    title: str
    phase: str
    direction: str
    organisation: str
    coordinator: str
    what: str
    position: str | None
    account: str | None
    step_title: Bilingual | None
    since: datetime
    age_days: int
    due_on: date | None
    due_at: datetime | None
    missed: bool
    substitutes: tuple[Substitute, ...]


class ShownDesk(DeskView):
    """The same with who signs there.

    `organisation` is the file's, `desk_organisation` the one at which the desk of the position stands: its own or one
    above, null where the position is held for the whole house. `signers` sign there now, substitutes among them; with
    none the desk is vacant, or an outside authority's. `working_days` are those worked by the rules in force since it
    came there, `ageing` their class.
    """

    desk_organisation: str | None
    signers: tuple[str, ...]
    working_days: int
    ageing: Ageing


class ShownDesks(BaseModel):
    """A page of desks, the most urgent first, and the cursor of the next one if there may be one."""

    items: tuple[ShownDesk, ...]
    next_cursor: str | None


class WaitingDesk(DeskView):
    """A file on a desk of whoever asks.

    `on_behalf_of` is the account for which they stand in there; `why_not` the code of the refusal that would meet their
    signature, such as `own_trip`: it waits at their desk, and another one has to sign it.
    """

    on_behalf_of: str | None = None
    why_not: str | None = None


class Inbox(BaseModel):
    """A page of what waits for somebody, the most urgent first, and the cursor of the next one if there may be one."""

    items: tuple[WaitingDesk, ...]
    next_cursor: str | None


class DeskTotals(BaseModel):
    """How much waits, the longest waiting first.

    `name` is an account, a position or an organisation; of a position, `at` is the organisation at which the desk
    stands. By approver, what nobody signs has no name: its desk is vacant, or an outside authority's.
    """

    items: tuple[Load, ...]


@router.get("/desks")
async def list_desks(query: Annotated[DeskQuery, Query()], at: At, actor: Actor) -> ShownDesks:
    """List what waits where, the most urgent first."""
    within, seats = await _within(at, actor, query), tuple[Seat, ...]()
    seating = await at.institution.seating(utc_now())
    if query.account is not None:
        sitting = await sitting_of(at, query.account, seating)
        seats, theirs = sitting.seats, await reach_of(at, sitting.actor.organisation)
        within = theirs if within is None else within if theirs is None else within & theirs
    filters = DeskFilters(
        positions=tuple(query.position),
        account=query.account,
        delegation=query.delegation,
        missed=query.missed,
        within=within,
        seats=seats,
    )
    page = await _page(at, filters, query)
    known = await known_of(at, page.items, seating)
    return ShownDesks(items=tuple(_shown(one, known) for one in page.items), next_cursor=page.next_cursor)


@router.get("/desks/totals")
async def count_desks(query: Annotated[TotalsQuery, Query()], at: At, actor: Actor) -> DeskTotals:
    """Count what waits by approver, position, organisation or coordinator."""
    lines, known = await waiting_of(at, actor, query)
    return DeskTotals(items=counted(lines, known, query.by))


@router.get("/inbox")
async def show_inbox(query: Annotated[PageQuery, Query()], at: At, actor: Actor) -> Inbox:
    """List what waits for whoever asks, the most urgent first.

    For the positions they hold, for those they stand in for while somebody is on leave, and as coordinator.
    """
    return await inbox_of(at, actor, await sitting_of(at, actor.id), query)


@dataclass(frozen=True)
class Sitting:
    """What somebody holds now and for whom they stand in, who sits where, and for what they sign then."""

    actor: Standing
    seating: Seating
    seats: tuple[Seat, ...]


async def sitting_of(at: Installation, account: str, seating: Seating | None = None) -> Sitting:
    """Return where somebody sits now; an account unknown or disabled sits nowhere."""
    now = utc_now()
    stands = await at.registers.standing.look(account, now, on=business_date(now, at.settings.zone))
    seating = seating or await at.institution.seating(now)
    return Sitting(stands.actor, seating, seats_of(stands.actor, seating))


async def inbox_of(at: Installation, actor: Acting, sitting: Sitting, query: PageQuery) -> Inbox:
    """Return what waits for somebody who sits there. Problem `cursor_unknown`."""
    page = await _page(at, DeskFilters(account=actor.id, within=await reach(actor, at), seats=sitting.seats), query)
    to_sign = sorted({one.delegation_id for one in page.items if one.position is not None})
    files = {one.state.id: one.state for one in await at.queries.of(to_sign)} if to_sign else {}
    return Inbox(
        items=tuple(_waiting(at, one, sitting, files.get(one.delegation_id)) for one in page.items),
        next_cursor=page.next_cursor,
    )


@dataclass(frozen=True)
class Known:
    """Who signs what, and which days are worked, at an instant; `names` are what accounts are called."""

    seating: Seating
    leaves: tuple[Leave, ...]
    approvers: Mapping[str, str | None]
    names: Mapping[str, str]
    calendar: WorkCalendar
    today: date
    zone: str
    now: datetime

    def signers(self, line: DeskLine) -> tuple[str, ...]:
        """Return who signs at the desk of a position that a file lies on."""
        if line.position is None:
            return ()
        return signers(line.position, line.organisation, self.seating, self.leaves, self.approvers, self.now)

    def working_days(self, since: datetime) -> int:
        """Return how many working days passed since an instant, by the rules in force."""
        return self.calendar.working_days_between(business_date(since, self.zone), self.today)


async def known_of(at: Installation, lines: Iterable[DeskLine], seating: Seating) -> Known:
    """Return what is known of the desks of some lines: as many statements for many of them as for one."""
    now, zone = utc_now(), at.settings.zone
    today = business_date(now, zone)
    leaves = tuple(one for one in await at.leaves.known() if one.in_force(now))
    places = {(one.position, one.organisation) for one in lines if one.position}
    accounts = {who for position, organisation in places for who in seating.holders(position, organisation)}
    accounts |= {one.substitute for one in leaves if one.account in accounts}
    found = await at.accounts.several(accounts)
    try:
        calendar = (await at.editions.effective(today)).work_calendar
    except UnknownEdition:
        calendar = WorkCalendar()
    approvers = {one.id: one.organisation for one in found if "approver" in one.roles}
    return Known(seating, leaves, approvers, {one.id: one.name for one in found}, calendar, today, zone, now)


async def waiting_of(at: Installation, actor: Acting, which: Which) -> tuple[list[DeskLine], Known]:
    """Return everything that waits within somebody's reach, the most urgent first, and what is known of the desks."""
    within = await _within(at, actor, which)
    lines = await at.desks.waiting(DeskFilters(delegation=which.delegation, missed=which.missed, within=within))
    return lines, await known_of(at, lines, await at.institution.seating(utc_now()))


def counted(lines: Iterable[DeskLine], known: Known, by: By) -> tuple[Load, ...]:
    """Return how much waits with each, the longest waiting first."""
    return loads(((whose, one) for one in lines for whose in whose_is(one, known, by)), known.working_days)


def whose_is(line: DeskLine, known: Known, by: By) -> tuple[Whose, ...]:
    """Return with whom a line is counted; what lies with a coordinator is no approver's and no position's."""
    match by:
        case "organisation":
            return (Whose(line.organisation),)
        case "coordinator":
            return (Whose(line.coordinator),)
    if line.position is None:
        return ()
    if by == "position":
        return (Whose(line.position, known.seating.desk(line.position, line.organisation)),)
    return tuple(Whose(one) for one in known.signers(line)) or (Whose(None),)


async def _within(at: Installation, actor: Acting, which: Which) -> frozenset[str] | None:
    """Return the organisations whose files are asked for, as far as the reader sees them; None for all."""
    seen = await reach(actor, at)
    if which.organisation is None:
        return seen
    below = await at.institution.subtree(which.organisation, utc_now())
    return below if seen is None else below & seen


async def _page(at: Installation, filters: DeskFilters, query: PageQuery) -> DeskPage:
    try:
        return await at.desks.lines(filters, limit=query.limit, cursor=query.cursor)
    except BadCursor:
        raise Problem("cursor_unknown") from None


def _waiting(at: Installation, line: DeskLine, sitting: Sitting, state: Delegation | None) -> WaitingDesk:
    stands, seating = sitting.actor, sitting.seating
    shown = _view(line, business_date(utc_now(), at.settings.zone), at.settings.zone)
    if line.position is None or state is None:
        return WaitingDesk(**shown)
    desk = seating.desk(line.position, line.organisation)
    lineage, desks = seating.lineage(line.organisation), {line.position: desk} if desk else {}
    right = right_at_desk(state, line.what, line.position, stands, lineage=lineage, desks=desks)
    if isinstance(right, Right):
        return WaitingDesk(**shown, on_behalf_of=right.on_behalf_of)
    own = any(one.position == line.position and sits(one.position, one.organisation, desks) for one in stands.tenures)
    stood_in_for = (
        one.account
        for one in stands.substitutions
        if one.in_force and one.position == line.position and sits(one.position, one.organisation, desks)
    )
    for_whom = None if own else next(stood_in_for, None)
    return WaitingDesk(**shown, on_behalf_of=for_whom, why_not=right)


def _shown(line: DeskLine, known: Known) -> ShownDesk:
    worked = known.working_days(line.since)
    return ShownDesk(
        **_view(line, known.today, known.zone),
        desk_organisation=known.seating.desk(line.position, line.organisation) if line.position else None,
        signers=known.signers(line),
        working_days=worked,
        ageing=ageing(worked),
    )


def _view(line: DeskLine, today: date, zone: str) -> dict[str, Any]:
    same = {name: getattr(line, name) for name in DeskView.model_fields if hasattr(line, name)}
    title = Bilingual(vi=line.title_vi, en=line.title_en) if line.title_vi and line.title_en else None
    # In the demo a file's clock is ahead of the wall's.
    age_days = max(0, (today - business_date(line.since, zone)).days)
    return same | {"delegation": line.delegation_id, "step_title": title, "age_days": age_days}
