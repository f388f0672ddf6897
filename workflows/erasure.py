"""Erasing a person, once two administrators agreed: each step is repeated until it is done, whatever dies."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.erasure import AGAIN, STEPS, Step
    from workflows import ports
    from workflows.ports import ErasureInput, StepDone, StepInput

UNTIL_DONE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(minutes=5))
"""It is a duty with a legal deadline: no number of attempts ends it."""

LATER = timedelta(minutes=1)
"""How long a document that was being rendered when the person was erased has to be recorded."""


@workflow.defn(name="Erasure")
class Erasure:
    """One erasure, from the first look to the record that it was done, and a second look."""

    @workflow.run
    async def run(self, asked: ErasureInput) -> StepDone:
        """Carry it out; return how much was removed."""
        removed = 0
        for step in STEPS:
            removed += await self._step(asked, step, 1)
        await workflow.sleep(LATER)
        for step in AGAIN:
            removed += await self._step(asked, step, 2)
        return StepDone(removed=removed)

    async def _step(self, asked: ErasureInput, step: Step, occasion: int) -> int:
        done: StepDone = await workflow.execute_activity(
            ports.ERASE_STEP,
            StepInput(erasure=asked.erasure, step=step, occasion=occasion),
            result_type=StepDone,
            start_to_close_timeout=timedelta(minutes=30),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=UNTIL_DONE,
        )
        return done.removed
