"""What is due to be removed by the rules of retention: planned every night, removed once a plan is agreed to."""

from datetime import datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.decision import SYSTEM
from domain.retention import Cutoff, cutoffs
from domain.values import business_date
from storage.editions import UnknownEdition
from storage.errors import StoreUnavailable
from storage.registers import Registers
from workflows import ports
from workflows.ports import Applied, ApplyInput, Planned, RetentionInput


class Retention:
    """Plans and applies. A plan lists opaque references; nothing personal leaves the registers."""

    def __init__(self, registers: Registers, zone: str, *, applies_after: timedelta | None = None) -> None:
        """`zone` is the business zone. With `applies_after` a plan that nobody stopped in that time is agreed to."""
        self._registers = registers
        self._zone = zone
        self._applies_after = applies_after

    @activity.defn(name=ports.PLAN_RETENTION)
    async def plan(self, asked: RetentionInput) -> Planned:
        """Make a plan of what is due, unless nothing is, and return the plans that wait to be applied.

        Where plans are agreed to by themselves, the one that waits for its day stays as it is until then.
        """
        retention = self._registers.retention
        try:
            if self._applies_after is not None:
                await retention.agree_to_old(asked.now - self._applies_after)
            agreed = tuple(await retention.agreed())
            if self._applies_after is not None and await retention.has_open():
                return Planned(agreed=agreed)
            due = await cutoffs_of(self._registers, asked.now, self._zone)
            made = await retention.make(due, by=SYSTEM, even_if_empty=False)
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None
        if made is None:
            return Planned(agreed=agreed)
        return Planned(plan=made.id, entries=made.count, agreed=agreed)

    @activity.defn(name=ports.APPLY_RETENTION)
    async def apply(self, asked: ApplyInput) -> Applied:
        """Remove what a plan lists; one that was stopped, or is applied already, ends at once."""
        steps = 0
        try:
            while await self._registers.retention.step(asked.plan):
                steps += 1
                activity.heartbeat(steps)
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None
        return Applied(steps=steps)


async def cutoffs_of(registers: Registers, now: datetime, zone: str) -> tuple[Cutoff, ...]:
    """Return what the edition in force lets go on the business day of an instant; nothing without an edition."""
    on = business_date(now, zone)
    try:
        edition = await registers.editions.effective(on)
    except UnknownEdition:
        return ()
    return cutoffs(edition.retention, on, edition.zone)
