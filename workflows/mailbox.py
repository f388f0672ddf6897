"""The organizer's mailbox: one run reads it for the better part of an hour; a schedule starts the next one."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows import ports
    from workflows.ports import MailboxInput, MailRead

READING = timedelta(minutes=50)
TRYING = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), maximum_attempts=100)
"""Of a worker that died: a mailbox or a store out of reach is waited for within an attempt."""


@workflow.defn(name="Mailbox")
class Mailbox:
    """One run of reading."""

    @workflow.run
    async def run(self, asked: MailboxInput | None = None) -> MailRead:
        """Read until the time is over; another worker goes on where one died."""
        read: MailRead = await workflow.execute_activity(
            ports.READ_MAILBOX,
            asked or MailboxInput(seconds=int(READING.total_seconds())),
            result_type=MailRead,
            start_to_close_timeout=READING + timedelta(minutes=20),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=TRYING,
        )
        return read
