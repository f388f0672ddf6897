"""The round of retention on a real server: a plan at night, removal when it is agreed to, once, whoever dies."""

import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from temporalio.testing import ActivityEnvironment

from activities.retention import Retention, cutoffs_of
from domain.retention import cutoffs
from storage.metadata import utc_now
from storage.retention import Plan
from storage.sessions import sessions
from tests.running import Running, running
from tests.temporal import Connect, TemporalServer
from worker import build_worker
from workflows.ports import Applied, ApplyInput, Planned, RetentionDone, RetentionInput
from workflows.retention import RetentionRound

pytestmark = pytest.mark.slow


@pytest.fixture
async def idle(tmp_path: Path, connect: Connect, temporal_server: TemporalServer) -> AsyncIterator[Running]:
    """An installation without a worker."""
    async with running(tmp_path, connect, temporal_server.address, workers=False) as found:
        yield found


async def over(here: Running, count: int) -> None:
    """Sessions that were over two years ago."""
    ago = utc_now() - timedelta(days=730)
    rows = [
        {"id": f"ses_{number:04}", "account": "lan", "digest": f"x{number}", "factor": "password", "created_at": ago}
        | {"last_seen_at": ago, "expires_at": ago}
        for number in range(count)
    ]
    async with here.registers.database.writing() as connection:
        await connection.execute(insert(sessions), rows)


async def left(here: Running) -> int:
    async with here.registers.database.reading() as connection:
        return len((await connection.execute(select(sessions.c.id))).all())


async def night(here: Running, asked: ApplyInput | None = None) -> RetentionDone:
    """A round, as the schedule or an administrator starts it."""
    return await here.client.execute_workflow(
        RetentionRound.run,
        asked,
        id=f"retention-{uuid.uuid4().hex}",
        task_queue=here.settings.temporal_task_queue,
    )


async def plan_of(here: Running, plan: str | None) -> Plan:
    found = await here.registers.retention.get(str(plan))
    assert found is not None
    return found


async def test_a_night_plans_and_the_next_one_applies_what_was_agreed_to(here: Running) -> None:
    """Nothing is removed meanwhile; what is removed is what was listed; a night with nothing due plans nothing."""
    assert await night(here) == RetentionDone()
    await over(here, 450)
    first = await night(here)
    assert (first.applied, (await plan_of(here, first.planned)).count, await left(here)) == (0, 450, 450)
    assert (await night(here)).planned == first.planned
    await here.registers.retention.agree(str(first.planned), by="root")
    assert (await night(here)).applied == 1
    assert (await left(here), (await plan_of(here, first.planned)).status) == (0, "applied")
    assert await night(here) == RetentionDone()


async def test_a_plan_is_applied_at_once_when_somebody_asks(here: Running) -> None:
    """By a round for it alone; one that nobody agreed to stays as it is."""
    await over(here, 3)
    planned = str((await night(here)).planned)
    assert await night(here, ApplyInput(plan=planned)) == RetentionDone(applied=1)
    assert await left(here) == 3
    await here.registers.retention.agree(planned, by="root")
    await night(here, ApplyInput(plan=planned))
    assert await left(here) == 0


async def test_a_worker_that_dies_leaves_the_rest_to_the_next(idle: Running) -> None:
    """Half of a plan was removed when it was cut off; another worker goes on, and nothing is done twice."""
    here = idle
    await over(here, 450)
    due = await cutoffs_of(here.registers, utc_now(), here.settings.zone)
    plan = await here.registers.retention.make(due, by="root")
    assert plan is not None
    await here.registers.retention.agree(plan.id, by="root")
    assert await here.registers.retention.step(plan.id)
    assert await left(here) == 350
    async with build_worker(here.client, here.settings, here.registers):
        await night(here, ApplyInput(plan=plan.id))
    done = await plan_of(here, plan.id)
    assert (done.outcome, await left(here)) == ({"sessions": {"removed": 450}}, 0)
    log = await here.registers.register_log.entries("retention")
    assert [one.type for one in log] == ["plan_made", "plan_agreed", "plan_applied"]


async def test_plans_are_agreed_to_by_themselves_only_where_the_settings_say_so(idle: Running) -> None:
    """And only after the days in which somebody may stop them; meanwhile no other plan takes their place."""
    here = idle
    await over(here, 1)
    cautious = Retention(here.registers, here.settings.zone)
    by_itself = Retention(here.registers, here.settings.zone, applies_after=timedelta(days=7))

    async def plan(how: Retention, at: datetime) -> Planned:
        return await ActivityEnvironment().run(how.plan, RetentionInput(now=at))

    now = utc_now()
    first = await plan(cautious, now)
    assert (first.entries, first.agreed) == (1, ())
    assert await plan(cautious, now + timedelta(days=400)) == first
    await over_more(here)
    assert await plan(by_itself, now + timedelta(days=6)) == Planned()
    assert await plan(by_itself, now + timedelta(days=8)) == Planned(
        plan=(await here.registers.retention.latest())[0].id, entries=2, agreed=(str(first.plan),)
    )
    assert await ActivityEnvironment().run(by_itself.apply, ApplyInput(plan=str(first.plan))) == Applied(steps=1)
    assert await left(here) == 1
    assert (await plan_of(here, first.plan)).agreed_by == "system"


async def over_more(here: Running) -> None:
    ago = utc_now() - timedelta(days=730)
    row = {"id": "ses_more", "account": "lan", "digest": "more", "factor": "password", "created_at": ago}
    async with here.registers.database.writing() as connection:
        await connection.execute(insert(sessions).values(**row, last_seen_at=ago, expires_at=ago))


async def test_without_an_edition_nothing_is_due(idle: Running) -> None:
    """And before the rules took effect neither."""
    here = idle
    early = utc_now() - timedelta(days=365 * 20)
    assert await cutoffs_of(here.registers, early, here.settings.zone) == ()
    assert cutoffs((), utc_now().date(), here.settings.zone) == ()
