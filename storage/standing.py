"""How things stand at the instant of a decision: what somebody may do, and which edition of the rules is in force.

One statement in one transaction, since every command waits for it. Nobody's name is decrypted for it. What follows from
tenures and leave at that instant is said by domain/institution.py.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast, get_args

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    String,
    bindparam,
    exists,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as as_type

from domain.decision import Actor
from domain.institution import (
    Leave,
    Period,
    StandIn,
    Tenure,
    held_by,
    makes_desk,
    seats,
    sits,
    substitutions_of,
)
from domain.values import RunBy
from storage.accounts import account_roles, accounts
from storage.editions import UnknownEdition, editions
from storage.engine import Database
from storage.institution import organisations
from storage.leaves import leaves
from storage.metadata import Instant, Name
from storage.tenures import held_at, tenures

_ACCOUNT, _ORGANISATION = bindparam("account", type_=Name), bindparam("organisation", type_=Name)
_NOW = bindparam("now", type_=Instant)
_ENABLED = select(accounts.c.id).where(accounts.c.id == _ACCOUNT, accounts.c.disabled_at.is_(None)).correlate(None)
_REPLACED = (
    select(leaves.c.account)
    .join_from(leaves, accounts, accounts.c.id == leaves.c.account)
    .where(
        leaves.c.substitute == _ACCOUNT,
        leaves.c.replaced_at.is_(None),
        accounts.c.disabled_at.is_(None),
        exists().where(account_roles.c.account == leaves.c.account, account_roles.c.role == "approver"),
    )
    .correlate(None)
)
"""Those in whose place the account signs, signed or will sign, as far as they may sign themselves."""

_NEWEST = (
    select(editions.c.id)
    .where(editions.c.effective_from <= bindparam("on"))
    .order_by(editions.c.effective_from.desc(), editions.c.adopted_at.desc(), editions.c.id)
    .limit(1)
)


def _lineage() -> CTE:
    here = [organisations.c.since <= _NOW, or_(organisations.c.until.is_(None), organisations.c.until > _NOW)]
    first = select(organisations.c.slug, organisations.c.parent, organisations.c.kind, literal(1).label("height"))
    above = first.where(organisations.c.slug == _ORGANISATION, *here).cte("above", recursive=True)
    next_up = select(organisations.c.slug, organisations.c.parent, organisations.c.kind, above.c.height + 1)
    return above.union_all(
        next_up.join(above, organisations.c.slug == above.c.parent).where(above.c.height < HIGHEST, *here)
    )


HIGHEST = 20
"""Organisations above each other: a register that was made a circle by hand stops no decision."""


def _row(
    kind: str, *names: Any, since: Any = None, until: Any = None, revoked_at: Any = None
) -> list[ColumnElement[Any]]:
    """Return the columns of one kind of row: both engines want the same types in every part of a union."""
    texts = [as_type(null(), Name) if name is None else name for name in (*names, None, None, None, None)[:4]]
    instants = [as_type(null(), Instant) if one is None else one for one in (since, until, revoked_at)]
    columns = [as_type(literal(kind), Name), *texts, *instants]
    return [column.label(name) for column, name in zip(columns, COLUMNS, strict=True)]


COLUMNS = ("kind", "first", "second", "third", "fourth", "since", "until", "revoked_at")


def _look() -> Any:
    above = _lineage()
    # Nobody has two pairs of eyes: what another account of the same person signed counts, even a disabled one's.
    others = accounts.alias("others")
    return union_all(
        select(*_row("edition", _NEWEST.scalar_subquery())),
        select(*_row("role", account_roles.c.role)).where(account_roles.c.account.in_(_ENABLED)),
        select(*_row("account", accounts.c.id, accounts.c.organisation, accounts.c.person)).where(
            or_(accounts.c.id.in_(_ENABLED), accounts.c.id.in_(_REPLACED))
        ),
        select(*_row("alias", others.c.id, accounts.c.id))
        .join_from(accounts, others, others.c.person == accounts.c.person)
        .where(others.c.id != accounts.c.id, or_(accounts.c.id.in_(_ENABLED), accounts.c.id.in_(_REPLACED))),
        select(
            *_row(
                "tenure",
                tenures.c.id,
                tenures.c.account,
                tenures.c.position,
                tenures.c.organisation,
                since=tenures.c.since,
                until=tenures.c.until,
            )
        ).where(
            tenures.c.replaced_at.is_(None), or_(tenures.c.account.in_(_ENABLED), tenures.c.account.in_(_REPLACED))
        ),
        select(
            *_row(
                "leave",
                leaves.c.id,
                leaves.c.account,
                leaves.c.substitute,
                leaves.c.positions,
                since=leaves.c.since,
                until=leaves.c.until,
                revoked_at=leaves.c.revoked_at,
            )
        ).where(leaves.c.replaced_at.is_(None), leaves.c.substitute.in_(_ENABLED), leaves.c.account.in_(_REPLACED)),
        select(*_row("above", above.c.slug, as_type(above.c.height, String), above.c.kind)),
        select(
            *_row(
                "desk",
                tenures.c.position,
                tenures.c.organisation,
                since=tenures.c.since,
                until=tenures.c.until,
            )
        ).where(
            # An organisation that no register has, or that has ended, stands alone and keeps its desks.
            or_(tenures.c.organisation == _ORGANISATION, tenures.c.organisation.in_(select(above.c.slug))),
            tenures.c.replaced_at.is_(None),
            tenures.c.since <= _NOW,
        ),
    )


_LOOK = _look()


_AWAY, _SUBSTITUTE = accounts.alias("away"), accounts.alias("substitute")


def _signs(account: Any) -> list[ColumnElement[bool]]:
    """Return the conditions that an account may sign at all."""
    approves = exists().where(account_roles.c.account == account.c.id, account_roles.c.role == "approver")
    return [account.c.disabled_at.is_(None), approves]


_STANDING_IN = (
    select(
        tenures.c.position,
        leaves.c.id.label("leave"),
        leaves.c.account,
        leaves.c.substitute,
        leaves.c.positions,
        leaves.c.since,
        leaves.c.until,
        leaves.c.revoked_at,
        _AWAY.c.person,
        _SUBSTITUTE.c.person.label("substitute_person"),
        _SUBSTITUTE.c.organisation,
        tenures.c.organisation.label("held_at"),
    )
    .join_from(leaves, tenures, tenures.c.account == leaves.c.account)
    .join(_AWAY, _AWAY.c.id == leaves.c.account)
    .join(_SUBSTITUTE, _SUBSTITUTE.c.id == leaves.c.substitute)
    .where(
        leaves.c.replaced_at.is_(None),
        leaves.c.until > _NOW,
        or_(leaves.c.revoked_at.is_(None), leaves.c.revoked_at > _NOW),
        held_at(_NOW),
        *_signs(_AWAY),
        *_signs(_SUBSTITUTE),
    )
    .order_by(tenures.c.position, leaves.c.since, leaves.c.id, tenures.c.since)
)


@dataclass(frozen=True)
class Stands:
    """An actor, the digest of the edition in force, and the file's organisation with those above it, upwards.

    `run_by` is what kind of union or association the register knows the file's organisation as, `desks` where the desk
    of each position stands for its files.
    """

    actor: Actor
    newest: str
    lineage: tuple[str, ...] = ()
    run_by: RunBy | None = None
    desks: Mapping[str, str] = field(default_factory=dict)


class Standing:
    """Reads rights and rules as they are at an instant; nothing of it is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, account: str, now: datetime, *, on: date, organisation: str | None = None) -> Stands:
        """Return what holds for an account at an instant: without roles if it is unknown or disabled.

        `on` is the business date of `now`, `organisation` the file's. Of two editions that took effect on the same day
        the one adopted last holds. Raises UnknownEdition when none had taken effect.
        """
        asked = {"account": account, "now": now, "on": on, "organisation": organisation}
        async with self._database.reading() as connection:
            rows = (await connection.execute(_LOOK, asked)).all()
        found: dict[str, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            if row.first is not None:
                found[row.kind].append(row)
        if not found["edition"]:
            raise UnknownEdition(f"no edition of the rules is in force on {on}")
        above = sorted(found["above"], key=lambda row: int(row.second))
        lineage = tuple(row.first for row in above) if above else (organisation,) if organisation else ()
        kind = above[0].third if above else None
        return Stands(
            _actor(account, found, now),
            cast(str, found["edition"][0].first),
            lineage,
            cast(RunBy, kind) if kind in get_args(RunBy) else None,
            seats(
                [
                    (row.first, row.second)
                    for row in found["desk"]
                    if makes_desk(Period(since=row.since, until=row.until), now)
                ],
                lineage,
            ),
        )

    async def stand_ins(self, now: datetime, lineage: Collection[str], desks: Mapping[str, str]) -> tuple[StandIn, ...]:
        """Return the leaves in force and to come of those who sit at a file's desks at an instant, with substitutes.

        By position and beginning; only what a substitute may sign whose organisation is in the `lineage` of the file,
        or who has none. `desks` as in `Stands`. A leave that is revoked ends with that.
        """
        async with self._database.reading() as connection:
            rows = (await connection.execute(_STANDING_IN, {"now": now})).all()
        found: dict[tuple[str, str], StandIn] = {}
        for row in rows:
            covered = row.position in row.positions.split() or not row.positions
            until = min(row.until, row.revoked_at) if row.revoked_at else row.until
            reaches = row.organisation is None or row.organisation in lineage
            if covered and reaches and row.since < until and sits(row.position, row.held_at, desks):
                found.setdefault(
                    (row.position, row.leave),
                    StandIn(
                        position=row.position,
                        account=row.account,
                        substitute=row.substitute,
                        leave=row.leave,
                        since=row.since,
                        until=until,
                        person=row.person,
                        substitute_person=row.substitute_person,
                    ),
                )
        return tuple(found.values())


def _actor(account: str, found: dict[str, list[Row[Any]]], now: datetime) -> Actor:
    held_ever = [
        Tenure(
            id=row.first,
            account=row.second,
            position=row.third,
            organisation=row.fourth,
            since=row.since,
            until=row.until,
        )
        for row in found["tenure"]
    ]
    registered = [
        Leave(
            id=row.first,
            account=row.second,
            substitute=row.third,
            positions=tuple(row.fourth.split()),
            since=row.since,
            until=row.until,
            revoked_at=row.revoked_at,
        )
        for row in found["leave"]
    ]
    people = {row.first: row for row in found["account"]}
    aliases: dict[str, list[str]] = defaultdict(list)
    for row in found["alias"]:
        aliases[row.second].append(row.first)
    own = people.get(account)
    held = held_by(account, held_ever, now)
    return Actor.model_validate(
        {
            "id": account,
            "roles": sorted(row.first for row in found["role"]),
            "positions": [one.position for one in held],
            "tenures": held,
            "substitutions": [
                one.model_copy(
                    update={"person": people[one.account].third, "aliases": tuple(sorted(aliases[one.account]))}
                )
                for one in substitutions_of(account, held_ever, registered, now)
            ],
            "organisation": own.second if own else None,
            "person": own.third if own else None,
            "aliases": sorted(aliases[account]),
        }
    )
