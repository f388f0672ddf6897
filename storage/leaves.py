"""The register of leave: who is away, when, and who signs meanwhile. A change is a further version of its entry."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, ForeignKey, Integer, Row, Table, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.institution import Leave, leave_contradiction
from storage.account_notices import tell_owner
from storage.accounts import accounts
from storage.engine import Database
from storage.metadata import Instant, Name, metadata, utc_now
from storage.references import new_reference
from storage.register_log import ChangeRefused, queue, record

leaves = Table(
    "leaves",
    metadata,
    Column("id", Name, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("substitute", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("positions", Name, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", Name, nullable=False),
    Column("replaced_at", Instant),
)
"""`positions` are slugs with a blank between them; empty means all."""


Changed = Literal["leave_end_changed", "leave_revoked"]


class Leaves:
    """Leave by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, account: str | None = None) -> list[Leave]:
        """Return all leave, past, to come and revoked too, in the order of beginning.

        With an account, the leave that it takes or is the substitute of.
        """
        which = [or_(leaves.c.account == account, leaves.c.substitute == account)] if account else []
        async with self._database.reading() as connection:
            return await _read(connection, *which)

    async def get(self, leave: str) -> Leave | None:
        """Return a leave as last recorded."""
        async with self._database.reading() as connection:
            found = await _read(connection, leaves.c.id == leave)
        return found[0] if found else None

    async def register(
        self,
        account: str,
        substitute: str,
        since: datetime,
        until: datetime,
        positions: Collection[str] = (),
        *,
        by: str,
    ) -> Leave:
        """Register somebody's leave; without positions the substitute stands in for all of them.

        Raises ChangeRefused: `account_unknown`, `period_backwards`, and the codes of `leave_contradiction`.
        """
        if until <= since:
            raise ChangeRefused("period_backwards")
        new = Leave(
            id=new_reference("lea"),
            account=account,
            substitute=substitute,
            since=since,
            until=until,
            positions=tuple(sorted(set(positions))),
        )
        async with self._database.writing() as connection:
            await queue(connection)
            enabled = select(accounts.c.id).where(
                accounts.c.id.in_([account, substitute]), accounts.c.disabled_at.is_(None)
            )
            if set((await connection.execute(enabled)).scalars()) != {account, substitute}:
                raise ChangeRefused("account_unknown")
            await _check(connection, new)
            await _enter(connection, new, 1, by=by)
            await record(connection, "leaves", "leave_registered", new.id, by=by, after=_said(new))
            if by != account:
                await tell_owner(connection, account, "leave_registered", by=by)
        return new

    async def change_end(self, leave: str, until: datetime, *, by: str) -> Leave:
        """Give a leave another end; `until` is the first instant after it.

        Raises ChangeRefused: `leave_unknown`, `leave_revoked`, `period_backwards`, and the codes of
        `leave_contradiction`.
        """
        async with self._database.writing() as connection:
            before = await _open_leave(connection, leave)
            if until <= before.since:
                raise ChangeRefused("period_backwards")
            after = before.model_copy(update={"until": until})
            await _check(connection, after)
            await _replace(connection, before, after, "leave_end_changed", by=by)
        return after

    async def revoke(self, leave: str, *, by: str) -> Leave:
        """Revoke a leave: from now on nobody signs by it. Raises ChangeRefused: `leave_unknown`, `leave_revoked`."""
        async with self._database.writing() as connection:
            before = await _open_leave(connection, leave)
            after = before.model_copy(update={"revoked_at": utc_now()})
            await _replace(connection, before, after, "leave_revoked", by=by)
        return after


async def revoke_leaves(connection: AsyncConnection, account: str, now: datetime, *, by: str) -> list[Leave]:
    """Revoke, in the caller's transaction, every leave that an account takes or is the substitute of and that is not
    over; return them.
    """
    await queue(connection)
    touched = or_(leaves.c.account == account, leaves.c.substitute == account)
    revoked = []
    for before in await _read(connection, touched, leaves.c.until > now, leaves.c.revoked_at.is_(None)):
        after = before.model_copy(update={"revoked_at": now})
        await _replace(connection, before, after, "leave_revoked", by=by)
        revoked.append(after)
    return revoked


def leave_of(row: Row[Any]) -> Leave:
    """Return what a row of the table says."""
    return Leave(
        id=row.id,
        account=row.account,
        substitute=row.substitute,
        since=row.since,
        until=row.until,
        positions=tuple(row.positions.split()),
        revoked_at=row.revoked_at,
    )


async def _read(connection: AsyncConnection, *which: ColumnElement[bool]) -> list[Leave]:
    wanted = select(leaves).where(leaves.c.replaced_at.is_(None), *which).order_by(leaves.c.since, leaves.c.id)
    return [leave_of(row) for row in await connection.execute(wanted)]


async def _open_leave(connection: AsyncConnection, leave: str) -> Leave:
    await queue(connection)
    found = await _read(connection, leaves.c.id == leave)
    if not found:
        raise ChangeRefused("leave_unknown")
    if found[0].revoked_at is not None:
        raise ChangeRefused("leave_revoked")
    return found[0]


async def _check(connection: AsyncConnection, new: Leave) -> None:
    people = [new.account, new.substitute]
    near = await _read(connection, or_(leaves.c.account.in_(people), leaves.c.substitute.in_(people)))
    if code := leave_contradiction(near, new):
        raise ChangeRefused(code)


async def _replace(connection: AsyncConnection, before: Leave, after: Leave, change: Changed, *, by: str) -> None:
    version = await connection.execute(
        update(leaves)
        .where(leaves.c.id == before.id, leaves.c.replaced_at.is_(None))
        .values(replaced_at=utc_now())
        .returning(leaves.c.version)
    )
    await _enter(connection, after, version.scalar_one() + 1, by=by)
    await record(connection, "leaves", change, before.id, by=by, before=_said(before), after=_said(after))
    if by != before.account:
        await tell_owner(connection, before.account, change, by=by)


async def _enter(connection: AsyncConnection, leave: Leave, version: int, *, by: str) -> None:
    row = {
        **leave.model_dump(exclude={"positions"}),
        "positions": " ".join(leave.positions),
        "version": version,
        "recorded_at": utc_now(),
        "recorded_by": by,
    }
    await connection.execute(insert(leaves).values(row))


def _said(leave: Leave) -> dict[str, Any]:
    return leave.model_dump(mode="json", exclude={"id"}, exclude_none=True)
