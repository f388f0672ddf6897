"""The morning digest: started every hour, it reaches those whose morning it is."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from workflows import ports
    from workflows.ports import Digested, DigestInput

SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
SENDING = RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=5), maximum_attempts=30)
"""For some two hours: a digest that comes in the afternoon is none."""


@workflow.defn(name="MorningDigest")
class MorningDigest:
    """One hour's digests."""

    @workflow.run
    async def run(self) -> Digested:
        """Send them for the hour that the schedule meant, also when the server was away then."""
        meant = workflow.info().typed_search_attributes.get(SCHEDULED)
        digested: Digested = await workflow.execute_activity(
            ports.SEND_DIGESTS,
            DigestInput(now=meant or workflow.now()),
            result_type=Digested,
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=SENDING,
        )
        return digested
