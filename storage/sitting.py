"""Who sits at the desks of a file: everybody who holds a position there at an instant and may sign at all."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, or_, select

from domain.decision import Actor
from domain.institution import Tenure, held_by, sits
from storage.accounts import account_roles, accounts
from storage.engine import Database
from storage.metadata import Instant
from storage.tenures import held_at, tenure_of, tenures

_OTHERS = accounts.alias("others")
_SITTING = (
    select(tenures, accounts.c.organisation.label("belongs_to"), accounts.c.person, _OTHERS.c.id.label("alias"))
    .join_from(tenures, accounts, accounts.c.id == tenures.c.account)
    .outerjoin(_OTHERS, and_(_OTHERS.c.person == accounts.c.person, _OTHERS.c.id != accounts.c.id))
    .where(
        held_at(bindparam("now", type_=Instant)),
        accounts.c.disabled_at.is_(None),
        exists().where(account_roles.c.account == accounts.c.id, account_roles.c.role == "approver"),
    )
    .order_by(tenures.c.account, tenures.c.since, tenures.c.id)
)
_HERE = _SITTING.where(
    or_(tenures.c.organisation.is_(None), tenures.c.organisation.in_(bindparam("lineage", expanding=True)))
)


async def who_sits(
    database: Database, now: datetime, lineage: Collection[str], desks: Mapping[str, str]
) -> tuple[Actor, ...]:
    """Return who sits at a file's desks at an instant, by account, each with the tenures that they sit there by.

    `lineage` and `desks` as in `Context`. Enabled accounts that may sign; who stands in for them is not asked, since
    leave takes nothing from who is away.
    """
    async with database.reading() as connection:
        rows = (await connection.execute(_HERE, {"now": now, "lineage": sorted(lineage)})).all()
    return _actors([row for row in rows if sits(row.position, row.organisation, desks)], now)


async def who_holds(database: Database, now: datetime) -> tuple[Actor, ...]:
    """Return everybody who may sign and holds a position at an instant, wherever; by account."""
    async with database.reading() as connection:
        return _actors((await connection.execute(_SITTING, {"now": now})).all(), now)


def _actors(rows: Sequence[Row[Any]], now: datetime) -> tuple[Actor, ...]:
    held: dict[str, dict[str, Tenure]] = defaultdict(dict)
    aliases: dict[str, set[str]] = defaultdict(set)
    known = {row.account: row for row in rows}
    for row in rows:
        held[row.account][row.id] = tenure_of(row)
        aliases[row.account] |= {row.alias} - {None}
    found = []
    for account, row in known.items():
        by = held_by(account, held[account].values(), now)
        found.append(
            Actor(
                id=account,
                roles=("approver",),
                positions=tuple(one.position for one in by),
                tenures=by,
                organisation=row.belongs_to,
                person=row.person,
                aliases=tuple(sorted(aliases[account])),
            )
        )
    return tuple(found)
