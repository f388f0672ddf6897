"""The register of erasures: asked by one administrator, agreed by another, and how far each was carried out.

Every step is sealed in the register log, by reference and with a reason that is a code. Times are wall time in UTC.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, Table, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.decision import SYSTEM
from domain.erasure import Reason, State, Step, Traces
from storage.accounts import account_roles, accounts
from storage.engine import Database
from storage.leaves import leaves
from storage.metadata import Instant, Name, Words, metadata, utc_now
from storage.persons import persons
from storage.references import new_reference
from storage.register_log import ChangeRefused, queue, record

erasures = Table(
    "erasures",
    metadata,
    Column("id", Name, primary_key=True),
    Column("person", Name, nullable=False, index=True),
    Column("reason", Name, nullable=False),
    Column("state", Name, nullable=False, index=True),
    Column("asked_by", Name, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("agreed_by", Name),
    Column("agreed_at", Instant),
    Column("ended_at", Instant),
    Column("traces", Words),  # JSON: domain.erasure.Traces
    Column("done", Words, nullable=False),  # JSON: how much each step removed
)

OPEN: tuple[State, ...] = ("asked", "agreed")


@dataclass(frozen=True)
class Erasure:
    """An entry. `done` says how much each step removed; `ended_at` is when it was withdrawn or carried out."""

    id: str
    person: str
    reason: Reason
    state: State
    asked_by: str
    asked_at: datetime
    agreed_by: str | None
    agreed_at: datetime | None
    ended_at: datetime | None
    traces: Traces | None
    done: Mapping[str, int]


class Erasures:
    """Erasures by id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, person: str, reason: Reason, *, by: str) -> Erasure:
        """Ask that a person be erased; asking again for the same reason returns the entry that waits.

        Raises ChangeRefused: `person_unknown`, `person_erased`, `erasure_of_oneself`, `erasure_exists`.
        """
        async with self._database.writing() as connection:
            return await ask_within(connection, person, reason, by=by)

    async def agree(self, erasure: str, *, by: str) -> Erasure:
        """Agree that a person be erased: from then on it is carried out. The same agreement again is no error.

        Two different people have to want it, neither of them the one who is erased, both administrators now. Raises
        ChangeRefused: `erasure_unknown`, `erasure_settled`, `erasure_needs_another`, `erasure_of_oneself`,
        `erasure_through_substitute`, `erasure_asker_gone`.
        """
        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            known = await _get(connection, erasure)
            if known.state != "asked":
                if known.agreed_by == by:
                    return known
                raise ChangeRefused("erasure_settled")
            await _require_two(connection, known, by, now)
            agreed = update(erasures).where(erasures.c.id == erasure)
            await connection.execute(agreed.values(state="agreed", agreed_by=by, agreed_at=now))
            after = {"person": known.person, "reason": known.reason, "asked_by": known.asked_by}
            await record(connection, "erasures", "erasure_agreed", erasure, by=by, after=after, at=now)
            return await _get(connection, erasure)

    async def withdraw(self, erasure: str, *, by: str) -> Erasure:
        """Take an erasure back that nobody has agreed to; again is no error.

        Raises ChangeRefused: `erasure_unknown`, `erasure_not_yours`, `erasure_settled`.
        """
        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            known = await _get(connection, erasure)
            if known.asked_by != by:
                raise ChangeRefused("erasure_not_yours")
            if known.state == "withdrawn":
                return known
            if known.state != "asked":
                raise ChangeRefused("erasure_settled")
            taken_back = update(erasures).where(erasures.c.id == erasure)
            await connection.execute(taken_back.values(state="withdrawn", ended_at=now))
            before = {"person": known.person, "reason": known.reason}
            await record(connection, "erasures", "erasure_withdrawn", erasure, by=by, before=before, at=now)
            return await _get(connection, erasure)

    async def note_traces(self, erasure: str, traces: Traces, *, again: bool = False) -> Traces:
        """Keep what was found of the person, and return it: what was found first stands, unless it is looked again."""
        async with self._database.writing() as connection:
            first = erasures.c.id == erasure if again else and_(erasures.c.id == erasure, erasures.c.traces.is_(None))
            await connection.execute(update(erasures).where(first).values(traces=traces.model_dump_json()))
            return (await _get(connection, erasure)).traces or traces

    async def note_done(self, erasure: str, step: Step, removed: int) -> None:
        """Add to how much a step removed."""
        async with self._database.writing() as connection:
            await queue(connection)
            done = dict((await _get(connection, erasure)).done)
            done[step] = done.get(step, 0) + removed
            changed = update(erasures).where(erasures.c.id == erasure)
            await connection.execute(changed.values(done=json.dumps(done, sort_keys=True)))

    async def close(self, erasure: str) -> Erasure:
        """Record that an erasure was carried out, once, with how much each step removed."""
        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            known = await _get(connection, erasure)
            if known.state != "agreed":
                return known
            done = update(erasures).where(erasures.c.id == erasure)
            await connection.execute(done.values(state="carried_out", ended_at=now))
            after = {"person": known.person, "reason": known.reason, "removed": dict(known.done)}
            await record(connection, "erasures", "erasure_carried_out", erasure, by=SYSTEM, after=after, at=now)
            return await _get(connection, erasure)

    async def get(self, erasure: str) -> Erasure | None:
        """Return an entry."""
        async with self._database.reading() as connection:
            return await _one(connection, erasures.c.id == erasure)

    async def known(self, *, person: str | None = None, state: State | None = None) -> list[Erasure]:
        """Return entries in the order in which they were asked."""
        wanted = select(erasures).order_by(erasures.c.asked_at, erasures.c.id)
        if person is not None:
            wanted = wanted.where(erasures.c.person == person)
        if state is not None:
            wanted = wanted.where(erasures.c.state == state)
        async with self._database.reading() as connection:
            return [_erasure(row) for row in await connection.execute(wanted)]


async def ask_within(connection: AsyncConnection, person: str, reason: Reason, *, by: str) -> Erasure:
    """Ask, in the caller's transaction, that a person be erased; as `Erasures.ask`, refusals included."""
    await queue(connection)
    known = (await connection.execute(select(persons).where(persons.c.ref == person))).one_or_none()
    if known is None:
        raise ChangeRefused("person_unknown")
    waiting = await _one(connection, erasures.c.person == person, erasures.c.state.in_(OPEN))
    if waiting is not None:
        if (waiting.asked_by, waiting.reason) == (by, reason):
            return waiting
        raise ChangeRefused("erasure_exists")
    if known.erased_at is not None:
        raise ChangeRefused("person_erased")
    if await _person_of(connection, by) == person:
        raise ChangeRefused("erasure_of_oneself")
    erasure, now = new_reference("era"), utc_now()
    row = {"id": erasure, "person": person, "reason": reason, "state": "asked", "done": "{}"}
    await connection.execute(insert(erasures).values(row | {"asked_by": by, "asked_at": now}))
    after = {"person": person, "reason": reason}
    await record(connection, "erasures", "erasure_asked", erasure, by=by, after=after, at=now)
    return await _get(connection, erasure)


async def _require_two(connection: AsyncConnection, known: Erasure, by: str, now: datetime) -> None:
    if by == known.asked_by:
        raise ChangeRefused("erasure_needs_another")
    asker, agreeing = [await _person_of(connection, account) for account in (known.asked_by, by)]
    if known.person in (asker, agreeing):
        raise ChangeRefused("erasure_of_oneself")
    if asker is not None and asker == agreeing:
        raise ChangeRefused("erasure_needs_another")
    administrator = select(accounts.c.id).join(account_roles, account_roles.c.account == accounts.c.id)
    stands = administrator.where(
        accounts.c.id == known.asked_by, accounts.c.disabled_at.is_(None), account_roles.c.role == "administrator"
    )
    if (await connection.execute(stands)).one_or_none() is None:
        raise ChangeRefused("erasure_asker_gone")
    in_force = and_(
        leaves.c.replaced_at.is_(None), leaves.c.revoked_at.is_(None), leaves.c.since <= now, leaves.c.until > now
    )
    pair = or_(
        and_(leaves.c.account == known.asked_by, leaves.c.substitute == by),
        and_(leaves.c.account == by, leaves.c.substitute == known.asked_by),
    )
    if (await connection.execute(select(leaves.c.id).where(in_force, pair).limit(1))).one_or_none() is not None:
        raise ChangeRefused("erasure_through_substitute")


async def _person_of(connection: AsyncConnection, account: str) -> str | None:
    return (await connection.execute(select(accounts.c.person).where(accounts.c.id == account))).scalar_one_or_none()


async def _one(connection: AsyncConnection, *which: Any) -> Erasure | None:
    row = (await connection.execute(select(erasures).where(*which))).one_or_none()
    return None if row is None else _erasure(row)


async def _get(connection: AsyncConnection, erasure: str) -> Erasure:
    found = await _one(connection, erasures.c.id == erasure)
    if found is None:
        raise ChangeRefused("erasure_unknown")
    return found


def _erasure(row: Row[Any]) -> Erasure:
    values = row._asdict()
    values["traces"] = None if row.traces is None else Traces.model_validate_json(row.traces)
    return Erasure(**values | {"done": json.loads(row.done)})
