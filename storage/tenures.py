"""The register of tenures: who holds which position, where, since and until when. A change is a further version."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    Row,
    Table,
    and_,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.institution import Closing, Tenure, end_in_past, tenure_contradiction
from storage.engine import Database
from storage.metadata import Instant, Name, Words, metadata, utc_now
from storage.references import new_reference
from storage.register_log import ChangeRefused, queue, record

positions = Table(
    "positions",
    metadata,
    Column("slug", Name, primary_key=True),
    Column("organisation", Name),
    Column("title_vi", Words, nullable=False),
    Column("title_en", Words, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Name, nullable=False),
    Column("ended_at", Instant),
)


closed_desks = Table(
    "closed_desks",
    metadata,
    Column("position", Name, primary_key=True),
    Column("organisation", Name, primary_key=True),
    Column("closed_at", Instant, primary_key=True),
    Column("recorded_by", Name, nullable=False),
)


tenures = Table(
    "tenures",
    metadata,
    Column("id", Name, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Name, nullable=False, index=True),
    Column("organisation", Name, index=True),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Name, nullable=False),
    Column("replaced_at", Instant),
)


def held_at(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition that a tenure, as last recorded, contains an instant."""
    return and_(
        tenures.c.replaced_at.is_(None),
        tenures.c.since <= now,
        or_(tenures.c.until.is_(None), tenures.c.until > now),
    )


class Tenures:
    """Tenures by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, *, account: str | None = None, position: str | None = None) -> list[Tenure]:
        """Return tenures, past and to come too, of an account or of a position, in the order of beginning."""
        which = [tenures.c.account == account] if account else []
        which += [tenures.c.position == position] if position else []
        async with self._database.reading() as connection:
            return await read_tenures(connection, *which)

    async def in_force(self, positions: Collection[str], now: datetime) -> dict[str, list[Tenure]]:
        """Return by whom each of some positions is held at an instant, wherever; nothing of one that is vacant."""
        found: dict[str, list[Tenure]] = {}
        async with self._database.reading() as connection:
            for one in await read_tenures(connection, tenures.c.position.in_(sorted(positions)), held_at(now)):
                found.setdefault(one.position, []).append(one)
        return found

    async def end(self, tenure: str, until: datetime, *, by: str, now: datetime | None = None) -> Tenure:
        """Let a tenure end, or end earlier; `until` is the first instant without it.

        `now` is wall time; without it, as where the clocks of files are moved, no end is past. Raises ChangeRefused:
        `tenure_unknown`, `tenure_ended` (it ends by then already), `period_backwards`, `end_in_past`.
        """
        async with self._database.writing() as connection:
            await queue(connection)
            found = await read_tenures(connection, tenures.c.id == tenure)
            if not found:
                raise ChangeRefused("tenure_unknown")
            [before] = found
            if before.until is not None and before.until <= until:
                raise ChangeRefused("tenure_ended")
            if until <= before.since:
                raise ChangeRefused("period_backwards")
            if now is not None and end_in_past(before, until, now):
                raise ChangeRefused("end_in_past")
            return await close_tenure(connection, before, until, by=by)


async def read_tenures(connection: AsyncConnection, *which: ColumnElement[bool]) -> list[Tenure]:
    """Return tenures as last recorded, in the order of beginning."""
    wanted = select(tenures).where(tenures.c.replaced_at.is_(None), *which).order_by(tenures.c.since, tenures.c.id)
    return [tenure_of(row) for row in await connection.execute(wanted)]


def tenure_of(row: Row[Any]) -> Tenure:
    """Return what a row of the table says."""
    return Tenure(
        id=row.id,
        account=row.account,
        position=row.position,
        organisation=row.organisation,
        since=row.since,
        until=row.until,
    )


async def tenures_begun(connection: AsyncConnection, now: datetime) -> list[Tenure]:
    """Return the tenures that began by an instant, those that are over too."""
    return await read_tenures(connection, tenures.c.since <= now)


async def read_closings(connection: AsyncConnection, now: datetime, *which: ColumnElement[bool]) -> list[Closing]:
    """Return the desks that were closed by an instant, and when."""
    wanted = select(closed_desks).where(closed_desks.c.closed_at <= now, *which)
    return [
        Closing(position=row.position, organisation=row.organisation, closed_at=row.closed_at)
        for row in await connection.execute(wanted)
    ]


async def begin_tenure(
    connection: AsyncConnection,
    account: str,
    position: str,
    since: datetime,
    until: datetime | None,
    *,
    at: str | None,
    by: str,
) -> Tenure:
    """Enter a tenure at an organisation, of an account that exists; raises ChangeRefused: `tenure_exists`."""
    await queue(connection)
    new = Tenure(id=new_reference("ten"), account=account, position=position, organisation=at, since=since, until=until)
    if code := tenure_contradiction(await read_tenures(connection, tenures.c.account == account), new):
        raise ChangeRefused(code)
    await _enter(connection, new, 1, by=by)
    await record(connection, "tenures", "tenure_begun", new.id, by=by, after=said(new))
    return new


async def hold_exactly(
    connection: AsyncConnection,
    account: str,
    wanted: Collection[str],
    now: datetime,
    *,
    organisation: str | None,
    by: str,
) -> None:
    """Let an account of an organisation hold these positions from now on and no other; what is to come stays.

    Each is held at the organisation that has it, else at the account's: who moves to another holds nothing of before.
    """
    await queue(connection)
    known = select(positions.c.slug, positions.c.organisation).where(positions.c.slug.in_(sorted(wanted)))
    bound = {row.slug: row.organisation for row in await connection.execute(known)}
    places = {one: bound.get(one) or organisation for one in wanted}
    kept = set()
    for one in await read_tenures(connection, tenures.c.account == account, held_at(now)):
        if one.position in places and places[one.position] == one.organisation:
            kept.add(one.position)
        else:
            # A tenure that begins at this very instant is a microsecond long: it was recorded, so it is not denied.
            now = max(now, one.since + timedelta(microseconds=1))
            await close_tenure(connection, one, now, by=by)
    for position in sorted(places.keys() - kept):
        later = [
            one.since
            for one in await read_tenures(connection, tenures.c.account == account, tenures.c.position == position)
            if one.since > now
        ]
        until = min(later, default=None)
        await begin_tenure(connection, account, position, now, until, at=places[position], by=by)


async def end_tenures(connection: AsyncConnection, account: str, now: datetime, *, by: str) -> None:
    """Let everything that an account holds end now, in the caller's transaction.

    What was to begin later is a microsecond long: it was recorded, so it is not denied.
    """
    await queue(connection)
    lasting = or_(tenures.c.until.is_(None), tenures.c.until > now)
    for one in await read_tenures(connection, tenures.c.account == account, lasting):
        await close_tenure(connection, one, max(now, one.since + timedelta(microseconds=1)), by=by)


async def close_tenure(connection: AsyncConnection, before: Tenure, until: datetime, *, by: str) -> Tenure:
    """Enter the end of a tenure as a further version, and record it."""
    after = before.model_copy(update={"until": until})
    version = await connection.execute(
        update(tenures)
        .where(tenures.c.id == before.id, tenures.c.replaced_at.is_(None))
        .values(replaced_at=utc_now())
        .returning(tenures.c.version)
    )
    await _enter(connection, after, version.scalar_one() + 1, by=by)
    await record(connection, "tenures", "tenure_ended", before.id, by=by, before=said(before), after=said(after))
    return after


async def _enter(connection: AsyncConnection, tenure: Tenure, version: int, *, by: str) -> None:
    row = {**tenure.model_dump(), "version": version, "recorded_at": utc_now(), "recorded_by": by}
    await connection.execute(insert(tenures).values(row))


def said(tenure: Tenure) -> dict[str, Any]:
    """Return what the log says of a tenure."""
    return tenure.model_dump(mode="json", exclude={"id"}, exclude_none=True)
