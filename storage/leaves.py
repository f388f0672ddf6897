"""The register of leave: who is away, when, and who signs meanwhile. A change is a further version of its entry."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, ForeignKey, Integer, Row, Table, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.institution import Leave, end_in_past, leave_contradiction, leave_unfounded
from storage.account_notices import tell_owner
from storage.accounts import account_roles, accounts
from storage.engine import Database
from storage.institution import all_organisations
from storage.metadata import Instant, Name, metadata, utc_now
from storage.references import new_reference
from storage.register_log import ChangeRefused, queue, record
from storage.tenures import read_tenures, tenures

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
        now: datetime | None = None,
    ) -> Leave:
        """Register somebody's leave; without positions the substitute stands in for all of them.

        `now` is wall time; without it, as where the clocks of files are moved, nothing is past. Raises ChangeRefused:
        `account_unknown`, `substitute_no_approver`, `period_backwards`, `end_in_past` (it is over
        already), and the codes of `leave_contradiction` and `leave_unfounded`.
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
            if now is not None and until <= now:
                raise ChangeRefused("end_in_past")
            await _begin(connection, new, by=by)
        return new

    async def change_end(self, leave: str, until: datetime, *, by: str, now: datetime | None = None) -> Leave:
        """Give a leave another end; `until` is the first instant after it.

        `now` as in `register`. Raises ChangeRefused: `leave_unknown`, `leave_revoked`, `leave_over`,
        `period_backwards`, `end_in_past`, and the codes of `leave_contradiction`.
        """
        async with self._database.writing() as connection:
            before = await _open_leave(connection, leave)
            if until <= before.since:
                raise ChangeRefused("period_backwards")
            if now is not None and before.until <= now:
                raise ChangeRefused("leave_over")
            if now is not None and end_in_past(before, until, now):
                raise ChangeRefused("end_in_past")
            after = before.model_copy(update={"until": until})
            await _check(connection, after)
            await _replace(connection, before, after, "leave_end_changed", by=by)
        return after

    async def give_substitute(self, leave: str, substitute: str, *, by: str, now: datetime | None = None) -> Leave:
        """Give a leave another substitute: it is revoked, and another one of the same person begins at once instead.

        So it stays said who was whose substitute until then. `now` as in `register`. Returns the new leave; raises
        ChangeRefused: `leave_unknown`, `leave_revoked`, `leave_over`, `substitute_exists` (it is that one already), and
        the codes of `register`.
        """
        async with self._database.writing() as connection:
            before = await _open_leave(connection, leave)
            if now is not None and before.until <= now:
                raise ChangeRefused("leave_over")
            if before.substitute == substitute:
                raise ChangeRefused("substitute_exists")
            over = before.model_copy(update={"revoked_at": utc_now()})
            await _replace(connection, before, over, "leave_revoked", by=by)
            since = before.since if now is None else max(before.since, now)
            after = before.model_copy(update={"id": new_reference("lea"), "substitute": substitute, "since": since})
            await _begin(connection, after, by=by)
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


async def _begin(connection: AsyncConnection, new: Leave, *, by: str) -> None:
    approves = select(account_roles.c.account).where(
        account_roles.c.account == new.substitute, account_roles.c.role == "approver"
    )
    enabled = select(accounts.c.id, accounts.c.organisation).where(
        accounts.c.id.in_([new.account, new.substitute]), accounts.c.disabled_at.is_(None)
    )
    known = {row.id: row.organisation for row in await connection.execute(enabled)}
    if known.keys() != {new.account, new.substitute}:
        raise ChangeRefused("account_unknown")
    await _check(connection, new)
    if (await connection.execute(approves)).one_or_none() is None:
        raise ChangeRefused("substitute_no_approver")
    held = await read_tenures(connection, tenures.c.account == new.account)
    if code := leave_unfounded(new, held, await all_organisations(connection), known[new.substitute]):
        raise ChangeRefused(code)
    await _enter(connection, new, 1, by=by)
    await record(connection, "leaves", "leave_registered", new.id, by=by, after=_said(new))
    if by != new.account:
        await tell_owner(connection, new.account, "leave_registered", by=by)


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
