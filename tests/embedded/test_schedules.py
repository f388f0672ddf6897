"""What the server starts by itself: made once, kept at the settings, and it really runs."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow
from temporalio.service import RPCError, RPCStatusCode

from embedded.schedules import (
    CALENDAR_REVIEW,
    CALENDAR_ROUND,
    CHECKPOINT,
    DESK_REVIEW,
    MAILBOX,
    MORNING_DIGEST,
    RETENTION,
    keep_schedules,
    schedules,
)
from settings import Settings
from tests.running import Running

pytestmark = pytest.mark.slow

SCHEDULES = (DESK_REVIEW, MORNING_DIGEST, CALENDAR_ROUND, CHECKPOINT, CALENDAR_REVIEW, RETENTION)


def settings_of(folder: Path, **more: object) -> Settings:
    """Settings of the profile `embedded`."""
    return Settings.model_validate({"profile": "embedded", "data_dir": folder} | more)


def test_the_demo_writes_to_nobody_by_the_wall_s_clock(tmp_path: Path) -> None:
    """Elsewhere nothing is paused."""
    paused = {
        profile: [one.state.paused for one in schedules(settings_of(tmp_path, profile=profile)).values()]
        for profile in ("demo", "embedded", "server")
    }
    assert paused == {
        "demo": [False, True, False, False, False, False],
        "embedded": [False] * 6,
        "server": [False] * 6,
    }


async def test_schedules_are_kept_at_the_settings_and_a_pause_is_kept_too(client: Client, tmp_path: Path) -> None:
    """Each start of Legation brings them there again."""
    await keep_schedules(client, settings_of(tmp_path))
    await client.get_schedule_handle(MORNING_DIGEST).pause()
    queue = f"queue-{uuid4().hex}"
    for _ in range(2):
        await keep_schedules(client, settings_of(tmp_path, review_hour=3, temporal_task_queue=queue))
    review = (await client.get_schedule_handle(DESK_REVIEW).describe()).schedule
    assert isinstance(review.action, ScheduleActionStartWorkflow)
    assert review.action.task_queue == queue
    assert (review.spec.calendars[0].hour[0].start, review.spec.time_zone_name) == (3, "Asia/Ho_Chi_Minh")
    digest = (await client.get_schedule_handle(MORNING_DIGEST).describe()).schedule
    assert digest.state.paused
    round_ = (await client.get_schedule_handle(CALENDAR_ROUND).describe()).schedule
    assert round_.spec.intervals[0].every == timedelta(minutes=10)
    for id in SCHEDULES:
        await client.get_schedule_handle(id).delete()


async def test_a_mailbox_is_read_from_the_start_and_no_longer_once_the_settings_name_none(
    client: Client, tmp_path: Path
) -> None:
    """The first reading does not wait for the schedule's turn; in the demo too, whose mailbox is its own."""
    queue = f"queue-{uuid4().hex}"
    reading = settings_of(tmp_path, profile="demo", temporal_task_queue=queue, imap_host="127.0.0.1")
    assert not schedules(reading)[MAILBOX].state.paused
    await keep_schedules(client, reading)
    handle = client.get_schedule_handle(MAILBOX)
    async with asyncio.timeout(30):
        while not (await handle.describe()).info.running_actions:
            await asyncio.sleep(0.05)
    (running,) = (await handle.describe()).info.running_actions
    await keep_schedules(client, settings_of(tmp_path, temporal_task_queue=queue))
    with pytest.raises(RPCError) as gone:
        await handle.describe()
    assert gone.value.status is RPCStatusCode.NOT_FOUND
    await client.get_workflow_handle(running.workflow_id).terminate()  # type: ignore[attr-defined]
    for id in (DESK_REVIEW, MORNING_DIGEST):
        await client.get_schedule_handle(id).delete()


async def test_a_schedule_s_workflow_runs_on_the_installation_s_worker(here: Running) -> None:
    """Triggered instead of waited for: each ends well."""
    await keep_schedules(here.client, here.settings)
    for id in SCHEDULES:
        handle = here.client.get_schedule_handle(id)
        await handle.trigger()
        async with asyncio.timeout(30):
            while not (recent := (await handle.describe()).info.recent_actions):
                await asyncio.sleep(0.05)
        started = recent[-1].action
        run = here.client.get_workflow_handle(started.workflow_id)  # type: ignore[attr-defined]
        result = await run.result()
        if id == CHECKPOINT:
            # Its registers have sealed something already.
            assert result["made"].pop("added") > 0
            assert result.pop("archived")["failure"] is None
        assert result in (
            {"files": 0},
            {"sent": 0, "refused": 0},
            {"worked": 0, "failed": 0, "drifted": 0},
            {"planned": None, "applied": 0},
            {"made": {"number": 1, "clock_back": False}, "witnessed": {"shown": 0, "failed": 0}},
        )
        await handle.delete()
