"""Plans of retention: what is due to be removed, looked at before it is, and removed in small steps.

Making a plan removes nothing. An applied one removes what it lists and nothing else: each entry once more found to be
due, in the transaction that removes it. So a file that was opened again since keeps everything, a worker killed
anywhere goes on where it was, and whoever stops a plan half-way stops it there.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Column, ForeignKey, Index, Row, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import digest_of
from domain.decision import SYSTEM
from domain.retention import KINDS, PROPOSED, Cutoff, Due, Kept, due, is_due
from domain.values import Digest, Fact, write_instant
from storage.engine import Database
from storage.erasures import ask_within
from storage.metadata import Instant, Name, Words, metadata, utc_now
from storage.references import new_reference
from storage.register_log import ChangeRefused, queue, record
from storage.retention_kinds import LARGEST_KIND, TABLES, Holdings

Status = Literal["open", "agreed", "applied", "stopped", "superseded"]
"""`open`: to be looked at. `agreed`: being applied, or about to be. The others are ends."""

Outcome = Literal["removed", "proposed", "kept"]
"""`kept`: no longer due when its turn came."""

STEP = 100
"""Entries removed in one transaction."""

retention_plans = Table(
    "retention_plans",
    metadata,
    Column("id", Name, primary_key=True),
    Column("status", Name, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Name, nullable=False),
    Column("digest", Name, nullable=False),
    Column("kinds", Words, nullable=False),
    Column("agreed_at", Instant),
    Column("agreed_by", Name),
    Column("ended_at", Instant),
    Column("outcome", Words),
    Index(None, "status", "made_at"),
)

retention_entries = Table(
    "retention_entries",
    metadata,
    Column("plan", Name, ForeignKey("retention_plans.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Name, primary_key=True),
    Column("entry", Name, primary_key=True),
    Column("outcome", Name),
    Index(None, "plan", "outcome"),
)


class PlannedKind(Fact):
    """What a plan lists of one kind. `more`: there is more than a plan takes, the next one has it."""

    cutoff: Cutoff
    count: int
    digest: Digest
    more: bool = False


@dataclass(frozen=True)
class Plan:
    """A plan. Instants are wall time; `outcome` counts, by kind, what became of its entries once it is applied.

    `digest` stands for everything it lists.
    """

    id: str
    status: Status
    made_at: datetime
    made_by: str
    digest: str
    kinds: tuple[PlannedKind, ...]
    agreed_at: datetime | None
    agreed_by: str | None
    ended_at: datetime | None
    outcome: dict[str, dict[str, int]] | None

    @property
    def count(self) -> int:
        """How many entries it lists."""
        return sum(kind.count for kind in self.kinds)


@dataclass(frozen=True)
class PlanEntry:
    """An entry of a plan and what became of it; None while it waits."""

    kind: Kept
    entry: str
    outcome: Outcome | None


class RetentionPlans:
    """Makes, agrees to, stops and applies plans; each change is recorded in the log of changes."""

    def __init__(self, database: Database, holdings: Holdings) -> None:
        self._database = database
        self._holdings = holdings

    async def make(self, cutoffs: Sequence[Cutoff], *, by: str, even_if_empty: bool = True) -> Plan | None:
        """Make a plan of what is due by these cut-offs, in the place of the one that is still open.

        Removes nothing. If the open plan lists just the same, it is that plan. With nothing due, and unless
        `even_if_empty`, there is no plan.
        """
        found = [await self._due(cutoff) for cutoff in cutoffs]
        listed = tuple(kind for kind, _ in found if kind.count)
        digest = digest_of([[kind.cutoff.what, kind.digest] for kind in listed])
        if not listed and not even_if_empty:
            return None
        async with self._database.writing() as connection:
            await queue(connection)
            for known in await _plans(connection, retention_plans.c.status == "open"):
                if known.digest == digest:
                    return known
                await _end(connection, known, "superseded", by=by)
            plan, now = new_reference("ret"), utc_now()
            row = {"id": plan, "status": "open", "made_at": now, "made_by": by, "digest": digest}
            kinds = json.dumps([kind.model_dump(mode="json") for kind in listed])
            await connection.execute(insert(retention_plans).values(**row, kinds=kinds))
            for kind, entries in found:
                rows = [{"plan": plan, "kind": kind.cutoff.what, "entry": entry} for entry in entries]
                for start in range(0, len(rows), STEP):
                    await connection.execute(insert(retention_entries), rows[start : start + STEP])
            said = {"digest": digest, "kinds": [_said(kind) for kind in listed]}
            await record(connection, "retention", "plan_made", plan, by=by, after=said, at=now)
            return (await _plans(connection, retention_plans.c.id == plan))[0]

    async def get(self, plan: str) -> Plan | None:
        """Return a plan."""
        async with self._database.reading() as connection:
            found = await _plans(connection, retention_plans.c.id == plan)
        return found[0] if found else None

    async def latest(self, limit: int = 50) -> list[Plan]:
        """Return plans, the newest first."""
        async with self._database.reading() as connection:
            return (await _plans(connection))[:limit]

    async def entries(self, plan: str, kind: Kept, *, after: str = "", limit: int = 200) -> list[PlanEntry]:
        """Return what a plan lists of a kind, in order, after an entry."""
        listed = retention_entries
        wanted = (
            select(listed.c.kind, listed.c.entry, listed.c.outcome)
            .where(listed.c.plan == plan, listed.c.kind == kind, listed.c.entry > after)
            .order_by(listed.c.entry)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [PlanEntry(*row) for row in await connection.execute(wanted)]

    async def agree(self, plan: str, *, by: str) -> Plan:
        """Let a plan be applied; one that is being applied, or was, stays as it is.

        Raises ChangeRefused: `plan_unknown`, `plan_ended` of one that was stopped or superseded.
        """
        async with self._database.writing() as connection:
            known = await _known(connection, plan)
            if known.status in ("agreed", "applied"):
                return known
            if known.status != "open":
                raise ChangeRefused("plan_ended")
            now = utc_now()
            agreed = {"status": "agreed", "agreed_at": now, "agreed_by": by}
            await connection.execute(update(retention_plans).where(retention_plans.c.id == plan).values(agreed))
            await record(connection, "retention", "plan_agreed", plan, by=by, after={"digest": known.digest}, at=now)
            return await _known(connection, plan)

    async def stop(self, plan: str, *, by: str) -> Plan:
        """Keep what a plan has not removed yet; one that was stopped stays as it is.

        Raises ChangeRefused: `plan_unknown`, `plan_ended` of one that was applied or superseded.
        """
        async with self._database.writing() as connection:
            known = await _known(connection, plan)
            if known.status == "stopped":
                return known
            if known.status not in ("open", "agreed"):
                raise ChangeRefused("plan_ended")
            await _end(connection, known, "stopped", by=by)
            return await _known(connection, plan)

    async def agree_to_old(self, made_before: datetime) -> None:
        """Let plans be applied that nobody stopped since they were made, before an instant."""
        old = (retention_plans.c.status == "open", retention_plans.c.made_at < made_before)
        async with self._database.reading() as connection:
            found = await _plans(connection, *old)
        for plan in found:
            await self.agree(plan.id, by=SYSTEM)

    async def agreed(self) -> list[str]:
        """Return the plans that are to be applied, the oldest first."""
        async with self._database.reading() as connection:
            found = await _plans(connection, retention_plans.c.status == "agreed")
        return [plan.id for plan in reversed(found)]

    async def has_open(self) -> bool:
        """Whether a plan waits to be looked at."""
        async with self._database.reading() as connection:
            return bool(await _plans(connection, retention_plans.c.status == "open"))

    async def step(self, plan: str) -> bool:
        """Remove at most STEP entries of an agreed plan, in one transaction; return whether there may be more.

        With nothing left, the plan is applied: recorded, and traces scrubbed from the store's files. Safe to be called
        by several workers and after any crash.
        """
        removed: Sequence[str] = ()
        async with self._database.writing() as connection:
            await queue(connection)
            found = await _plans(connection, retention_plans.c.id == plan)
            if not found or found[0].status != "agreed":
                return False
            known = found[0]
            kind, waiting = await _waiting(connection, known)
            if kind is None:
                await self._applied(connection, known)
            else:
                holdings = await self._holdings.of(connection, kind.cutoff, waiting)
                removed = sorted({one.entry for one in holdings if is_due(one, kind.cutoff)})
                await self._take(connection, known, kind.cutoff.what, waiting, removed)
        if kind is None:
            tables = {table for one in known.kinds for table in TABLES.get(one.cutoff.what, ())}
            await self._database.scrub(sorted(tables))
            return False
        await self._holdings.after_removal(kind.cutoff.what, removed)
        return True

    async def _due(self, cutoff: Cutoff) -> tuple[PlannedKind, tuple[str, ...]]:
        async with self._database.snapshot() as connection:
            found: Due = due(cutoff, await self._holdings.of(connection, cutoff))
        more = len(found.entries) >= LARGEST_KIND
        return PlannedKind(cutoff=cutoff, count=len(found.entries), digest=found.digest, more=more), found.entries

    async def _take(
        self, connection: AsyncConnection, plan: Plan, what: Kept, waiting: Sequence[str], due_now: Sequence[str]
    ) -> None:
        outcome: Outcome = "removed"
        if what in PROPOSED:
            outcome = "proposed"
            by = plan.agreed_by or SYSTEM
            for entry in due_now:
                await record(connection, "retention", "erasure_proposed", entry, by=by, after={"plan": plan.id})
                if by != SYSTEM:
                    # Who agreed to the plan asks; another administrator has to agree. Refused: it was asked already.
                    with suppress(ChangeRefused):
                        await ask_within(connection, entry, "retention_over", by=by)
        elif due_now:
            await self._holdings.remove(connection, what, due_now, utc_now())
        kept = sorted(set(waiting) - set(due_now))
        for entries, became in ((due_now, outcome), (kept, "kept")):
            if entries:
                await connection.execute(
                    update(retention_entries)
                    .where(
                        retention_entries.c.plan == plan.id,
                        retention_entries.c.kind == what,
                        retention_entries.c.entry.in_(entries),
                    )
                    .values(outcome=became)
                )

    async def _applied(self, connection: AsyncConnection, plan: Plan) -> None:
        listed = retention_entries
        counted = await connection.execute(
            select(listed.c.kind, listed.c.outcome, func.count())
            .where(listed.c.plan == plan.id)
            .group_by(listed.c.kind, listed.c.outcome)
            .order_by(listed.c.kind, listed.c.outcome)
        )
        outcome: dict[str, dict[str, int]] = {}
        for kind, became, count in counted:
            outcome.setdefault(kind, {})[became] = count
        await _end(connection, plan, "applied", by=plan.agreed_by or SYSTEM, outcome=outcome)


async def _plans(connection: AsyncConnection, *which: Any) -> list[Plan]:
    wanted = select(retention_plans).where(*which)
    newest = wanted.order_by(retention_plans.c.made_at.desc(), retention_plans.c.id)
    return [_plan(row) for row in await connection.execute(newest)]


async def _known(connection: AsyncConnection, plan: str) -> Plan:
    await queue(connection)
    found = await _plans(connection, retention_plans.c.id == plan)
    if not found:
        raise ChangeRefused("plan_unknown")
    return found[0]


async def _waiting(connection: AsyncConnection, plan: Plan) -> tuple[PlannedKind | None, list[str]]:
    """Return the first kind of which entries wait, and some of them."""
    listed = retention_entries
    for kind in sorted(plan.kinds, key=lambda one: KINDS.index(one.cutoff.what)):
        wanted = (
            select(listed.c.entry)
            .where(listed.c.plan == plan.id, listed.c.kind == kind.cutoff.what, listed.c.outcome.is_(None))
            .order_by(listed.c.entry)
            .limit(STEP)
        )
        if waiting := list((await connection.execute(wanted)).scalars()):
            return kind, waiting
    return None, []


async def _end(
    connection: AsyncConnection,
    plan: Plan,
    status: Literal["applied", "stopped", "superseded"],
    *,
    by: str,
    outcome: dict[str, dict[str, int]] | None = None,
) -> None:
    now = utc_now()
    said = None if outcome is None else json.dumps(outcome)
    values = {"status": status, "ended_at": now, "outcome": said}
    await connection.execute(update(retention_plans).where(retention_plans.c.id == plan.id).values(values))
    after = {"digest": plan.digest} | ({} if outcome is None else {"outcome": outcome})
    await record(connection, "retention", f"plan_{status}", plan.id, by=by, after=after, at=now)


def _said(kind: PlannedKind) -> dict[str, Any]:
    return {
        "what": kind.cutoff.what,
        "rule": kind.cutoff.rule,
        "version": kind.cutoff.version,
        "before": write_instant(kind.cutoff.before),
        "count": kind.count,
        "digest": kind.digest,
    }


def _plan(row: Row[Any]) -> Plan:
    return Plan(
        id=row.id,
        status=cast(Status, row.status),
        made_at=row.made_at,
        made_by=row.made_by,
        digest=row.digest,
        kinds=tuple(PlannedKind.model_validate_json(json.dumps(one)) for one in json.loads(row.kinds)),
        agreed_at=row.agreed_at,
        agreed_by=row.agreed_by,
        ended_at=row.ended_at,
        outcome=None if row.outcome is None else json.loads(row.outcome),
    )
