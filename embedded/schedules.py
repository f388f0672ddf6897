"""What Legation's Temporal server starts by itself: reviews of desks and of collections and the round of retention at
night, hourly digests, reading the mailbox, and every few minutes checkpoints and the round over collections that lack
something.

Made at bootstrap, and brought to the settings at every later one; what an operator paused stays paused.
"""

import contextlib
from collections.abc import Callable
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError

from settings import Settings

DESK_REVIEW = "legation:desk-review"
MORNING_DIGEST = "legation:morning-digest"
CALENDAR_ROUND = "legation:calendar-round"
CALENDAR_REVIEW = "legation:calendar-review"
RETENTION = "legation:retention"
MAILBOX = "legation:mailbox"
CHECKPOINT = "legation:checkpoint"
"""Ids of the schedules, and of the workflows they start; no delegation has a colon in its id."""


def schedules(settings: Settings) -> dict[str, Schedule]:
    """Return the schedules of an installation by id.

    In the demo nobody's mailbox is written to by the wall's clock: its digests are there, and paused.
    """
    queue, once = settings.temporal_task_queue, (ScheduleRange(0),)
    reading = {
        MAILBOX: Schedule(
            action=ScheduleActionStartWorkflow("Mailbox", id=MAILBOX, task_queue=queue),
            # One run reads for nearly an hour: it is looked for often, so that the next one follows at once.
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=20))]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
        )
    }
    return (reading if settings.imap_host else {}) | {
        DESK_REVIEW: Schedule(
            action=ScheduleActionStartWorkflow("DeskReview", id=DESK_REVIEW, task_queue=queue),
            spec=ScheduleSpec(
                calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(settings.review_hour),), minute=once)],
                time_zone_name=settings.zone,
            ),
            # One that was missed while everything stood still is made up for, once.
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(hours=20)),
        ),
        MORNING_DIGEST: Schedule(
            action=ScheduleActionStartWorkflow("MorningDigest", id=MORNING_DIGEST, task_queue=queue),
            spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(0, 23),), minute=once)]),
            # Each hour has its own readers: none is left out because another still sends.
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=timedelta(hours=3)),
            state=ScheduleState(paused=settings.has_virtual_clock),
        ),
        CALENDAR_ROUND: Schedule(
            action=ScheduleActionStartWorkflow("CollectionRound", id=CALENDAR_ROUND, task_queue=queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=settings.caldav_retry_minutes))]),
            # The next round does what a missed one would have done.
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
        ),
        # In the demo too: checkpoints tell the time of the wall, and write to nobody.
        CHECKPOINT: Schedule(
            action=ScheduleActionStartWorkflow("CheckpointRound", id=CHECKPOINT, task_queue=queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=settings.checkpoint_minutes))]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=1)),
        ),
        CALENDAR_REVIEW: Schedule(
            action=ScheduleActionStartWorkflow(
                "CollectionRound", {"review": True}, id=CALENDAR_REVIEW, task_queue=queue
            ),
            spec=ScheduleSpec(
                calendars=[
                    ScheduleCalendarSpec(hour=(ScheduleRange(settings.review_hour),), minute=(ScheduleRange(30),))
                ],
                time_zone_name=settings.zone,
            ),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(hours=20)),
        ),
        RETENTION: Schedule(
            action=ScheduleActionStartWorkflow("RetentionRound", id=RETENTION, task_queue=queue),
            spec=ScheduleSpec(
                calendars=[
                    ScheduleCalendarSpec(hour=(ScheduleRange(settings.review_hour),), minute=(ScheduleRange(45),))
                ],
                time_zone_name=settings.zone,
            ),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(hours=20)),
        ),
    }


async def keep_schedules(client: Client, settings: Settings) -> None:
    """Make the schedules, or bring those there are to the settings. Idempotent; a pause is kept.

    A mailbox that the settings name no longer is read no longer.
    """
    if settings.imap_host is None:
        with contextlib.suppress(RPCError):
            await client.get_schedule_handle(MAILBOX).delete()
    for id, wanted in schedules(settings).items():
        try:
            await client.create_schedule(id, wanted, trigger_immediately=id == MAILBOX)
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(id).update(_brought_to(wanted))


def _brought_to(wanted: Schedule) -> Callable[[ScheduleUpdateInput], ScheduleUpdate]:
    def brought(found: ScheduleUpdateInput) -> ScheduleUpdate:
        wanted.state = found.description.schedule.state
        return ScheduleUpdate(wanted)

    return brought
