"""The guarantee behind the journal: whatever the workflow's outbox holds gets there, in order, once."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating
from storage.errors import StoreUnavailable
from storage.journal import JournalDiverged
from storage.projection import Projection
from workflows import ports
from workflows.ports import ProjectInput


class Project:
    """Applies bursts of sealed events to journal and read model."""

    def __init__(self, projection: Projection) -> None:
        """Take the projection of this installation."""
        self._projection = projection

    @activity.defn(name=ports.PROJECT)
    async def project(self, burst: ProjectInput) -> None:
        """Apply the burst. A journal that says otherwise raises an alarm and is tried again after it was mended."""
        try:
            async with beating():
                await self._projection.project(burst.delegation, burst.events)
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None
        except JournalDiverged as error:
            activity.logger.error("the journal diverged from the history at event %s: %s", error.seq, error.reason)
            raise ApplicationError(str(error), type="journal_diverged") from None
