"""The institution: organisations, positions, who holds one, leave with a substitute, and the log of what was changed.

Everybody who signs in may read it; it is kept by administrators. One's own leave one may register oneself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Strictly
from api.installation import At, Installation
from api.leave import tell_files
from api.parameters import SentInstant
from api.problems import Problem
from api.sessions import require_fresh
from domain.bilingual import Bilingual
from domain.institution import Closing, Leave, Organisation, OrganisationKind, Position, Tenure
from domain.seal import ChainBroken
from domain.sign_in import Acting, Scope
from domain.values import Digest, Slug, Value, business_date
from storage.metadata import utc_now
from storage.register_log import ChangeRefused, Register

router = APIRouter(
    prefix="/institution", route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["institution"]
)

NAME = {"vi": "Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam", "en": "Song Lam Union of Friendship Organizations"}
ORGANISATION = {"kind": "provincial_union", "parent": "central", "name": NAME}
POSITION = {"slug": "vice_president", "title": {"vi": "Phó Chủ tịch", "en": "Vice-President"}}
TENURE = {"account": "mai", "position": "vice_president", "since": "2026-01-01T00:00:00+07:00"}
LEAVE = {
    "account": "mai",
    "substitute": "hung",
    "since": "2026-05-18T00:00:00+07:00",
    "until": "2026-05-25T00:00:00+07:00",
}
END = {"until": "2026-05-22T00:00:00+07:00"}
MERGED = {"until": "2026-07-01T00:00:00+07:00", "successor": "song-lam"}
RENAMED = {"title": {"vi": "Phó Chủ tịch Thường trực", "en": "Standing Vice-President"}}

OrganisationId = Annotated[Slug, Path(description="The organisation's id.")]
PositionId = Annotated[Slug, Path(description="The position's id.")]
TenureId = Annotated[str, Path(pattern=r"^ten_[a-z0-9]{8,64}$")]
LeaveId = Annotated[str, Path(pattern=r"^lea_[a-z0-9]{8,64}$")]


class OrganisationBody(Value):
    """An organisation as it is from `since` on, else from now on."""

    kind: OrganisationKind
    parent: Slug | None = None
    name: Bilingual
    since: SentInstant | None = None

    def entry(self, slug: str, until: datetime | None = None) -> Organisation:
        """Return the register's entry. Problem: `period_backwards`."""
        since = self.since or utc_now()
        if until is not None and until <= since:
            raise Problem("period_backwards")
        return Organisation(slug=slug, kind=self.kind, parent=self.parent, name=self.name, since=since, until=until)


class NewOrganisation(OrganisationBody):
    """An organisation to be entered, under an id of the administrator's choice."""

    slug: Slug
    until: SentInstant | None = None


class NewPosition(Value):
    """A position; without an organisation it is one that several have. Chains of approval name it by its slug."""

    slug: Slug
    organisation: Slug | None = None
    title: Bilingual


class PositionBody(Value):
    """What a position is called."""

    title: Bilingual


class NewClosing(Value):
    """At which organisation a position is given up."""

    organisation: Slug


class NewTenure(Value):
    """Who holds which position, from `since` (else now) until `until` (else until it is ended)."""

    account: Slug
    position: Slug
    since: SentInstant | None = None
    until: SentInstant | None = None


class NewLeave(Value):
    """Who is away, from when until when, and who signs meanwhile: for these positions, or for all without any."""

    account: Slug
    substitute: Slug
    since: SentInstant
    until: SentInstant
    positions: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()


class NewEnd(Value):
    """The first instant after the end."""

    until: SentInstant


class EndOfOrganisation(NewEnd):
    """The first instant after the end, and who its files, archive and people go on to."""

    successor: Slug | None = None


class EndOfTenure(Value):
    """The first instant after the end; without one it ends now."""

    until: SentInstant | None = None


class NewSubstitute(Value):
    """Who signs from now on."""

    substitute: Slug


class OrganisationList(BaseModel):
    """Organisations by slug and beginning; one that changed has several entries."""

    items: tuple[Organisation, ...]


class PositionList(BaseModel):
    """Positions by slug."""

    items: tuple[Position, ...]


class TenureList(BaseModel):
    """Tenures in the order of beginning."""

    items: tuple[Tenure, ...]


class LeaveList(BaseModel):
    """Leave in the order of beginning."""

    items: tuple[Leave, ...]


class AtQuery(BaseModel):
    """When."""

    model_config = ConfigDict(extra="forbid")

    at: SentInstant | None = Field(None, description="Only what holds at this instant; else everything.")


class TenureQuery(AtQuery):
    """Whose, of what, when."""

    account: Slug | None = None
    position: Slug | None = None


class LeaveQuery(AtQuery):
    """Whose, when."""

    account: Slug | None = Field(None, description="Who takes the leave, or is the substitute.")


class LogQuery(BaseModel):
    """Which part of a log."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class LogEntry(BaseModel):
    """A change: what, by whom, of which entry, when (wall time in UTC), from what to what."""

    seq: int
    change: str
    at: str
    actor: str
    entry: str
    data: dict[str, Any]
    hash: Digest


class Log(BaseModel):
    """A part of a register's log. `first_bad` is the number of the first entry that is not as it was sealed."""

    items: tuple[LogEntry, ...]
    first_bad: int | None


@contextmanager
def _answered() -> Iterator[None]:
    """Answer what the registers refuse with the problem of the same code."""
    try:
        yield
    except ChangeRefused as refused:
        raise Problem(refused.code, params=refused.params) from None


@router.get("/organisations")
async def list_organisations(query: Annotated[AtQuery, Query()], at: At) -> OrganisationList:
    """List the organisations."""
    found = await at.institution.organisations()
    return OrganisationList(items=tuple(one for one in found if query.at is None or one.contains(query.at)))


@router.post("/organisations", status_code=201)
async def add_organisation(
    body: Annotated[NewOrganisation, Strictly(NewOrganisation), Body(examples=[{"slug": "song-lam"} | ORGANISATION])],
    actor: Actor,
    at: At,
) -> Organisation:
    """Enter an organisation, below another one or on top."""
    new = body.entry(body.slug, body.until)
    with _answered():
        await at.institution.add_organisation(new, by=actor.id)
    return new


@router.put("/organisations/{organisation}")
async def change_organisation(
    organisation: OrganisationId,
    body: Annotated[OrganisationBody, Strictly(OrganisationBody), Body(examples=[ORGANISATION])],
    actor: Actor,
    at: At,
) -> Organisation:
    """Give an organisation another name, kind or parent from an instant on; until then it stays what it was."""
    with _answered():
        return await at.institution.change_organisation(body.entry(organisation), by=actor.id)


@router.post("/organisations/{organisation}/end")
async def end_organisation(
    organisation: OrganisationId,
    body: Annotated[EndOfOrganisation, Strictly(EndOfOrganisation), Body(examples=[MERGED])],
    actor: Actor,
    at: At,
) -> Organisation:
    """Let an organisation end, once nothing stands below it any more: its files go on to its successor.

    Without one it ends only where it has no open file and no office.
    """
    with _answered():
        return await at.institution.end_organisation(organisation, body.until, successor=body.successor, by=actor.id)


@router.get("/positions")
async def list_positions(at: At) -> PositionList:
    """List the positions."""
    return PositionList(items=tuple(await at.institution.positions()))


@router.post("/positions", status_code=201)
async def add_position(
    body: Annotated[NewPosition, Strictly(NewPosition), Body(examples=[POSITION])], actor: Actor, at: At
) -> Position:
    """Enter a position."""
    new = Position(slug=body.slug, organisation=body.organisation, title=body.title)
    with _answered():
        await at.institution.add_position(new, by=actor.id)
    return new


@router.put("/positions/{position}")
async def change_position(
    position: PositionId,
    body: Annotated[PositionBody, Strictly(PositionBody), Body(examples=[RENAMED])],
    actor: Actor,
    at: At,
) -> Position:
    """Correct the title of a position; its id stays what chains of approval name."""
    with _answered():
        return await at.institution.rename_position(position, body.title, by=actor.id)


@router.post("/positions/{position}/end")
async def end_position(position: PositionId, actor: Actor, at: At) -> Position:
    """Let a position be given to nobody any more, once nobody holds it and no rules in force or to come name it."""
    if position in await _named_by_rules(at):
        raise Problem("position_in_rules")
    with _answered():
        return await at.institution.end_position(position, by=actor.id)


@router.post("/positions/{position}/closed-desks", status_code=201)
async def close_desk(
    position: PositionId,
    body: Annotated[NewClosing, Strictly(NewClosing), Body(examples=[{"organisation": "song-lam"}])],
    actor: Actor,
    at: At,
) -> Closing:
    """Give up a vacant desk for good: the files of the organisation go to the nearest one above that has the position.

    Until somebody holds it there again.
    """
    with _answered():
        return await at.institution.close_desk(position, body.organisation, by=actor.id)


@router.get("/tenures")
async def list_tenures(query: Annotated[TenureQuery, Query()], at: At) -> TenureList:
    """List who holds, held or will hold which position."""
    found = await at.tenures.known(account=query.account, position=query.position)
    return TenureList(items=tuple(one for one in found if query.at is None or one.contains(query.at)))


@router.post("/tenures", status_code=201)
async def begin_tenure(
    body: Annotated[NewTenure, Strictly(NewTenure), Body(examples=[TENURE])], actor: Actor, at: At
) -> Tenure:
    """Let an account hold a position."""
    with _answered():
        return await at.institution.hold(body.account, body.position, body.since or utc_now(), body.until, by=actor.id)


@router.post("/tenures/{tenure}/end")
async def end_tenure(
    tenure: TenureId, body: Annotated[EndOfTenure, Strictly(EndOfTenure), Body(examples=[END])], actor: Actor, at: At
) -> Tenure:
    """Let a tenure end, or end earlier; never before now what was a right until now."""
    now = utc_now()
    with _answered():
        return await at.tenures.end(tenure, body.until or now, by=actor.id, now=_present(at, now))


@router.get("/leaves")
async def list_leaves(query: Annotated[LeaveQuery, Query()], at: At) -> LeaveList:
    """List leave, with the substitutes; at an instant only what is in force."""
    found = await at.leaves.known(query.account)
    return LeaveList(items=tuple(one for one in found if query.at is None or one.in_force(query.at)))


@router.post("/leaves", status_code=201)
async def register_leave(
    body: Annotated[NewLeave, Strictly(NewLeave), Body(examples=[LEAVE])], actor: Actor, at: At
) -> Leave:
    """Register leave: one's own, or as an administrator that of others in one's reach, with a third as substitute.

    The substitute signs inside it, and not outside. With a token that takes the scope `sign` for one's own and
    `administer` for somebody else's; in a session it is done soon after signing in (`sign_in_again`).
    """
    await _require_right(body.account, body.substitute, actor, at)
    with _answered():
        leave = await at.leaves.register(
            body.account,
            body.substitute,
            body.since,
            body.until,
            body.positions,
            by=actor.id,
            now=_present(at, utc_now()),
        )
    await tell_files(at.client, at.settings.temporal_task_queue, leave)
    return leave


@router.post("/leaves/{leave}/end")
async def change_end_of_leave(
    leave: LeaveId, body: Annotated[NewEnd, Strictly(NewEnd), Body(examples=[END])], actor: Actor, at: At
) -> Leave:
    """Give a leave another end; never before now, and none to a leave that is over."""
    await _require_right_to(leave, actor, at)
    with _answered():
        changed = await at.leaves.change_end(leave, body.until, by=actor.id, now=_present(at, utc_now()))
    await tell_files(at.client, at.settings.temporal_task_queue, changed)
    return changed


@router.post("/leaves/{leave}/substitute")
async def give_substitute(
    leave: LeaveId,
    body: Annotated[NewSubstitute, Strictly(NewSubstitute), Body(examples=[{"substitute": "hung"}])],
    actor: Actor,
    at: At,
) -> Leave:
    """Give a leave another substitute from now on: the leave is revoked, and the answer is the one that follows it."""
    before = await _require_right_to(leave, actor, at, substitute=body.substitute)
    with _answered():
        after = await at.leaves.give_substitute(leave, body.substitute, by=actor.id, now=_present(at, utc_now()))
    # The round goes over every desk of who is away, and over the files that know the leave before.
    await tell_files(at.client, at.settings.temporal_task_queue, before)
    return after


@router.post("/leaves/{leave}/revoke")
async def revoke_leave(leave: LeaveId, actor: Actor, at: At) -> Leave:
    """Revoke a leave: from now on nobody signs by it. What was signed by it stays signed."""
    await _require_right_to(leave, actor, at)
    with _answered():
        revoked = await at.leaves.revoke(leave, by=actor.id)
    await tell_files(at.client, at.settings.temporal_task_queue, revoked)
    return revoked


@router.get("/log/{register}")
async def show_register_log(register: Annotated[Register, Path()], query: Annotated[LogQuery, Query()], at: At) -> Log:
    """Show who changed what in a register, and whether the log is as it was sealed."""
    try:
        await at.register_log.verify(register)
        first_bad = None
    except ChainBroken as broken:
        first_bad = broken.seq
    try:
        found = await at.register_log.entries(register, after=query.after, limit=query.limit)
    except ChainBroken:
        found = []
    return Log(
        items=tuple(
            LogEntry(
                seq=one.seq,
                change=one.type,
                at=one.at,
                actor=one.actor,
                entry=one.command_id,
                data=one.data,
                hash=one.hash,
            )
            for one in found
        ),
        first_bad=first_bad,
    )


def _present(at: Installation, now: datetime) -> datetime | None:
    """Return the instant before which everything is past; None in the demo, whose files have clocks of their own."""
    return None if at.settings.has_virtual_clock else now


async def _named_by_rules(at: Installation) -> frozenset[str]:
    """Return the positions that the edition in force names, or one that is to come."""
    today = business_date(utc_now(), at.settings.zone)
    known = [await at.editions.get(digest) for digest in await at.editions.digests()]
    to_come = [one for one in known if one.effective_from > today]
    if len(to_come) < len(known):
        to_come.append(await at.editions.effective(today))
    return frozenset().union(*(one.positions for one in to_come))


async def _require_right(account: str, substitute: str, actor: Acting, at: Installation) -> None:
    """Refuse who may not say who signs in somebody's place; leave hands on the right to sign.

    Problems: `leave_not_yours`, `scope_missing`, `sign_in_again`, `organisation_out_of_reach`,
    `substitute_is_registrar`.
    """
    require_fresh(at, actor)
    if account == actor.id:
        _require_scope("sign", actor)
        return
    if "administrator" not in actor.roles:
        raise Problem("leave_not_yours")
    _require_scope("administer", actor)
    if actor.organisation is not None:
        away = await at.accounts.get(account)
        theirs = away.organisation if away else None
        if theirs is None or actor.organisation not in await at.institution.lineage(theirs, utc_now()):
            raise Problem("organisation_out_of_reach")
    other = await at.accounts.get(substitute)
    if substitute == actor.id or (other and other.person is not None and other.person == actor.person):
        raise Problem("substitute_is_registrar")


def _require_scope(scope: Scope, actor: Acting) -> None:
    if scope not in actor.scopes:
        raise Problem("scope_missing", params={"scope": scope})


async def _require_right_to(leave: str, actor: Acting, at: Installation, *, substitute: str | None = None) -> Leave:
    known = await at.leaves.get(leave)
    if known is None:
        raise Problem("leave_unknown")
    await _require_right(known.account, substitute or known.substitute, actor, at)
    return known
