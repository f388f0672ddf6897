"""The register of organisations and positions. A change closes an organisation's period and begins another."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.bilingual import Bilingual
from domain.institution import (
    Closing,
    Organisation,
    Position,
    Seating,
    Tenure,
    end_contradiction,
    lineage,
    organisation_contradiction,
    stays_until,
    subtree,
)
from domain.state import Phase
from storage.accounts import accounts
from storage.engine import Database
from storage.metadata import Instant, Name, Words, metadata, utc_now
from storage.read_model import delegations
from storage.register_log import ChangeRefused, queue, record
from storage.tenures import (
    begin_tenure,
    close_tenure,
    closed_desks,
    positions,
    read_closings,
    read_tenures,
    tenures,
    tenures_begun,
)

organisations = Table(
    "organisations",
    metadata,
    Column("slug", Name, primary_key=True),
    Column("since", Instant, primary_key=True),
    Column("until", Instant),
    Column("kind", Name, nullable=False),
    Column("parent", Name),
    Column("name_vi", Words, nullable=False),
    Column("name_en", Words, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Name, nullable=False),
    Column("successor", Name),
)


class Institution:
    """Organisations by slug and period, positions by slug."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def organisations(self) -> list[Organisation]:
        """Return every organisation with all its periods, by slug and beginning."""
        async with self._database.reading() as connection:
            return await all_organisations(connection)

    async def lineage(self, organisation: str, now: datetime) -> tuple[str, ...]:
        """Return an organisation and those above it at an instant, upwards."""
        return lineage(await self.organisations(), organisation, now)

    async def subtree(self, organisation: str, now: datetime) -> frozenset[str]:
        """Return an organisation and everything below it at an instant."""
        return subtree(await self.organisations(), organisation, now)

    async def seating(self, now: datetime) -> Seating:
        """Return who sits at which desk at an instant, for the files of every organisation."""
        async with self._database.reading() as connection:
            return await read_seating(connection, now)

    async def add_organisation(self, new: Organisation, *, by: str) -> None:
        """Enter an organisation; raises ChangeRefused with the codes of `organisation_contradiction`."""
        async with self._database.writing() as connection:
            await queue(connection)
            if code := organisation_contradiction(await _read(connection), new):
                raise ChangeRefused(code)
            await _enter(connection, new, by=by)
            await record(connection, "organisations", "organisation_added", new.slug, by=by, after=_said(new))

    async def change_organisation(self, new: Organisation, *, by: str) -> Organisation:
        """Let an organisation have another name, kind or parent from `new.since` on; it ends when it would have ended.

        Raises ChangeRefused: `organisation_unknown` (there is none at that instant), `period_backwards`, and the codes
        of `organisation_contradiction`.
        """
        async with self._database.writing() as connection:
            before, others = await _running(connection, new.slug, new.since)
            closed = before.model_copy(update={"until": new.since})
            after = new.model_copy(update={"until": before.until})
            if code := organisation_contradiction([*others, closed], after):
                raise ChangeRefused(code)
            await _close(connection, before, new.since)
            await _enter(connection, after, by=by)
            await _record(connection, "organisation_changed", before, after, by=by)
        return after

    async def end_organisation(
        self, slug: str, until: datetime, *, successor: str | None = None, by: str
    ) -> Organisation:
        """Let an organisation end; `until` is the first instant without it. Its files, archive and people go on to the
        successor, and what is held at it ends with it.

        Raises ChangeRefused: `organisation_unknown` (there is none at that instant), `period_backwards`, and the codes
        of `end_contradiction`.
        """
        async with self._database.writing() as connection:
            before, others = await _running(connection, slug, until)
            after = before.model_copy(update={"until": until, "successor": successor})
            held = await read_tenures(connection, tenures.c.organisation == slug, _goes_on(until))
            # With the files of what ended before and leads here; what is not over below it is refused anyway.
            its = select(func.count()).where(
                delegations.c.organisation.in_(sorted(subtree([*others, before], slug, until))),
                delegations.c.phase != Phase.CLOSED,
            )
            counts = {"files": (await connection.execute(its)).scalar_one(), "tenures": len(held)}
            if code := end_contradiction(others, after, **counts):
                raise ChangeRefused(code, **counts)
            await _close(connection, before, until, successor)
            await _record(connection, "organisation_ended", before, after, by=by)
            for one in held:
                # What was a right until now stays one; what was to begin only later was recorded, so it is not denied.
                end = max(until, utc_now(), one.since + timedelta(microseconds=1))
                if one.until is None or one.until > end:
                    await close_tenure(connection, one, end, by=by)
        return after

    async def positions(self, offset: int = 0, limit: int | None = None) -> list[Position]:
        """Return positions, by slug: every one, or up to `limit` after `offset` of them."""
        wanted = select(positions).order_by(positions.c.slug).offset(offset).limit(limit)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [_position(row) for row in rows]

    async def count_positions(self) -> int:
        """Return how many positions there are."""
        async with self._database.reading() as connection:
            count: int = (await connection.execute(select(func.count()).select_from(positions))).scalar_one()
        return count

    async def add_position(self, new: Position, *, by: str) -> None:
        """Enter a position; raises ChangeRefused: `position_exists`, `organisation_unknown`."""
        async with self._database.writing() as connection:
            await queue(connection)
            same = select(positions.c.slug).where(positions.c.slug == new.slug)
            if (await connection.execute(same)).one_or_none() is not None:
                raise ChangeRefused("position_exists")
            if new.organisation is not None and not await _read(connection, organisations.c.slug == new.organisation):
                raise ChangeRefused("organisation_unknown")
            await connection.execute(
                insert(positions).values(
                    slug=new.slug,
                    organisation=new.organisation,
                    title_vi=new.title.vi,
                    title_en=new.title.en,
                    recorded_at=utc_now(),
                    recorded_by=by,
                )
            )
            after = new.model_dump(mode="json", exclude={"slug"}, exclude_none=True)
            await record(connection, "positions", "position_added", new.slug, by=by, after=after)

    async def rename_position(self, position: str, title: Bilingual, *, by: str) -> Position:
        """Correct the title of a position; raises ChangeRefused: `position_unknown`."""
        async with self._database.writing() as connection:
            await queue(connection)
            before = await _known_position(connection, position)
            after = before.model_copy(update={"title": title})
            titles = {"title_vi": title.vi, "title_en": title.en}
            await connection.execute(update(positions).where(positions.c.slug == position).values(titles))
            await _record_position(connection, "position_renamed", before, after, by=by)
        return after

    async def end_position(self, position: str, *, by: str) -> Position:
        """Let a position be given to nobody any more, from now on.

        Raises ChangeRefused: `position_unknown`, `position_ended`, `position_held` (now, or from a day to come).
        Whether rules name it, the register does not know.
        """
        async with self._database.writing() as connection:
            await queue(connection)
            before, now = await _known_position(connection, position), utc_now()
            if before.ended_at is not None:
                raise ChangeRefused("position_ended")
            held = await read_tenures(connection, tenures.c.position == position, _goes_on(now))
            if held:
                raise ChangeRefused("position_held", tenures=len(held))
            after = before.model_copy(update={"ended_at": now})
            await connection.execute(update(positions).where(positions.c.slug == position).values(ended_at=now))
            await _record_position(connection, "position_ended", before, after, by=by)
        return after

    async def close_desk(self, position: str, organisation: str, *, by: str) -> Closing:
        """Give up the desk of a position at an organisation for good: its files go to the next above from now on.

        Raises ChangeRefused: `position_unknown`, `desk_unknown` (there is none), `position_held` (at that organisation,
        now or from a day to come).
        """
        async with self._database.writing() as connection:
            await queue(connection)
            await _known_position(connection, position)
            now = utc_now()
            at_it = (tenures.c.position == position, tenures.c.organisation == organisation)
            if held := await read_tenures(connection, *at_it, _goes_on(now)):
                raise ChangeRefused("position_held", tenures=len(held))
            if organisation not in (await read_seating(connection, now)).places(position):
                raise ChangeRefused("desk_unknown")
            closed = Closing(position=position, organisation=organisation, closed_at=now)
            await connection.execute(insert(closed_desks).values({**closed.model_dump(), "recorded_by": by}))
            after = closed.model_dump(mode="json", exclude={"position"})
            await record(connection, "positions", "desk_closed", position, by=by, after=after)
        return closed

    async def hold(self, account: str, position: str, since: datetime, until: datetime | None, *, by: str) -> Tenure:
        """Let an account hold a registered position for a period: at the position's organisation, else at its own.

        Without an end it goes on as long as that organisation. Raises ChangeRefused: `account_unknown`,
        `position_unknown`, `position_ended`, `organisation_unknown` (it is not there when the tenure begins),
        `period_backwards`, `tenure_exists`, `position_of_another_organisation` (the account does not reach the one that
        has the position).
        """
        if until is not None and until <= since:
            raise ChangeRefused("period_backwards")
        async with self._database.writing() as connection:
            enabled = select(accounts.c.organisation).where(accounts.c.id == account, accounts.c.disabled_at.is_(None))
            holder = (await connection.execute(enabled)).one_or_none()
            if holder is None:
                raise ChangeRefused("account_unknown")
            known = await _known_position(connection, position)
            if known.ended_at is not None and (until is None or until > known.ended_at):
                raise ChangeRefused("position_ended")
            at: str | None = known.organisation or holder.organisation
            own, tree = holder.organisation, await _read(connection)
            if own is not None and at is not None and own not in lineage(tree, at, since):
                raise ChangeRefused("position_of_another_organisation")
            if any(one.slug == at for one in tree):
                if not any(one.slug == at and one.contains(since) for one in tree):
                    raise ChangeRefused("organisation_unknown")
                until = until or stays_until(tree, at or "", since)
            return await begin_tenure(connection, account, position, since, until, at=at, by=by)


async def read_organisations(connection: AsyncConnection, now: datetime) -> list[Organisation]:
    """Return the organisations as they are and were by an instant, those that have ended too."""
    return await _read(connection, organisations.c.since <= now)


async def read_seating(connection: AsyncConnection, now: datetime) -> Seating:
    """Return who sits at which desk at an instant, for the files of every organisation."""
    return Seating(
        await read_organisations(connection, now),
        await tenures_begun(connection, now),
        now,
        await read_closings(connection, now),
    )


async def all_organisations(connection: AsyncConnection) -> list[Organisation]:
    """Return every organisation with all its periods, by slug and beginning."""
    return await _read(connection)


async def _read(connection: AsyncConnection, *which: ColumnElement[bool]) -> list[Organisation]:
    wanted = select(organisations).where(*which).order_by(organisations.c.slug, organisations.c.since)
    return [_organisation(row) for row in await connection.execute(wanted)]


async def _running(connection: AsyncConnection, slug: str, at: datetime) -> tuple[Organisation, list[Organisation]]:
    """Return the entry that is to be closed at an instant, and all others."""
    await queue(connection)
    known = await _read(connection)
    before = next((one for one in known if one.slug == slug and one.contains(at)), None)
    if before is None:
        raise ChangeRefused("organisation_unknown")
    if before.since == at:
        raise ChangeRefused("period_backwards")
    return before, [one for one in known if one is not before]


async def _close(
    connection: AsyncConnection, before: Organisation, until: datetime, successor: str | None = None
) -> None:
    entry = (organisations.c.slug == before.slug) & (organisations.c.since == before.since)
    await connection.execute(update(organisations).where(entry).values(until=until, successor=successor))


def _goes_on(now: datetime) -> ColumnElement[bool]:
    return or_(tenures.c.until.is_(None), tenures.c.until > now)


async def _known_position(connection: AsyncConnection, position: str) -> Position:
    row = (await connection.execute(select(positions).where(positions.c.slug == position))).one_or_none()
    if row is None:
        raise ChangeRefused("position_unknown")
    return _position(row)


async def _record_position(
    connection: AsyncConnection, change: str, before: Position, after: Position, *, by: str
) -> None:
    said = [one.model_dump(mode="json", exclude={"slug"}, exclude_none=True) for one in (before, after)]
    await record(connection, "positions", change, after.slug, by=by, before=said[0], after=said[1])


async def _enter(connection: AsyncConnection, new: Organisation, *, by: str) -> None:
    await connection.execute(
        insert(organisations).values(
            slug=new.slug,
            since=new.since,
            until=new.until,
            kind=new.kind,
            parent=new.parent,
            name_vi=new.name.vi,
            name_en=new.name.en,
            recorded_at=utc_now(),
            recorded_by=by,
        )
    )


async def _record(
    connection: AsyncConnection, change: str, before: Organisation, after: Organisation, *, by: str
) -> None:
    await record(connection, "organisations", change, after.slug, by=by, before=_said(before), after=_said(after))


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(
        slug=row.slug,
        since=row.since,
        until=row.until,
        kind=row.kind,
        parent=row.parent,
        name=Bilingual(vi=row.name_vi, en=row.name_en),
        successor=row.successor,
    )


def _position(row: Row[Any]) -> Position:
    title = Bilingual(vi=row.title_vi, en=row.title_en)
    return Position(slug=row.slug, organisation=row.organisation, title=title, ended_at=row.ended_at)


def _said(organisation: Organisation) -> dict[str, Any]:
    return organisation.model_dump(mode="json", exclude={"slug"}, exclude_none=True)
