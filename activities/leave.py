"""Telling files to look who stands in at their desks: each once for an occasion, resumed where a worker died."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.canonical import digest_of
from domain.commands import ReviewDesks
from domain.decision import SYSTEM, Envelope, Receipt
from storage.desks import Desks
from storage.errors import StoreUnavailable
from workflows import ports
from workflows.ports import Reviewed, ReviewInput

UPDATE = "execute"
ANSWER_WITHIN = timedelta(seconds=4)
ATTEMPTS = 4
PAUSE = 0.2
LATELY = timedelta(days=7)
"""The night's round also goes over leave that was over for so long: a file that missed its end is mended."""


class DeskReviews:
    """Sends `review_desks`, as the system, to every open file that leave touches."""

    def __init__(self, client: Client, desks: Desks) -> None:
        """`client` carries the data converter of this installation."""
        self._client = client
        self._desks = desks

    @activity.defn(name=ports.REVIEW_DESKS)
    async def review(self, asked: ReviewInput) -> Reviewed:
        """Tell the files in the order of their ids. Those out of reach are tried again once all others were told."""
        try:
            files = await self._files(asked)
        except StoreUnavailable as error:
            raise ApplicationError(str(error), type="store_unavailable") from None
        progress = Progress.of_last_attempt()
        for file in progress.left_of(files):
            progress.told(file, await self._tell(file, asked.occasion, progress.beat))
        if progress.missed:
            raise ApplicationError(f"{len(progress.missed)} files are out of reach", type="files_out_of_reach")
        return Reviewed(files=len(files))

    async def _files(self, asked: ReviewInput) -> list[str]:
        if asked.away is not None:
            return await self._desks.touched_by(asked.away.account, asked.away.leave, asked.now)
        return await self._desks.touched_since(asked.now - LATELY, asked.now)

    async def _tell(self, file: str, occasion: str, alive: Callable[[], None]) -> bool:
        """Return whether a file has taken the command; one that is closed meanwhile needs none."""
        envelope = review_of(file, occasion)
        handle = self._client.get_workflow_handle(file)
        gone = False
        for attempt in range(ATTEMPTS):
            alive()
            try:
                # Another id for each attempt: the server repeats a failure under the same one, the file knows its
                # commands by their own.
                update = f"{envelope.command_id}.{activity.info().attempt}.{attempt}"
                await handle.execute_update(UPDATE, envelope, id=update, result_type=Receipt, rpc_timeout=ANSWER_WITHIN)
            except WorkflowUpdateFailedError as failed:
                if isinstance(failed.cause, ApplicationError) and failed.cause.type == "refused":
                    return True
            except WorkflowUpdateRPCTimeoutOrCancelledError:
                pass
            except RPCError as error:
                # Between two runs of a file there is none for a moment; of a closed one there is none any more.
                gone = error.status is RPCStatusCode.NOT_FOUND
            else:
                return True
            await asyncio.sleep(PAUSE)
        return gone


@dataclass
class Progress:
    """How far a round has come: everything up to a file was told, but for those that were missed."""

    after: str = ""
    missed: set[str] = field(default_factory=set)

    @classmethod
    def of_last_attempt(cls) -> Self:
        """Return what the attempt before gave as its last sign of life."""
        details = activity.info().heartbeat_details
        return cls(details[0], set(details[1])) if len(details) == 2 else cls()

    def left_of(self, files: Collection[str]) -> list[str]:
        """Return the files still to be told: those missed, then those not yet come to."""
        self.missed &= set(files)
        return [*sorted(self.missed), *(file for file in files if file > self.after)]

    def told(self, file: str, told: bool) -> None:
        """Note what became of a file, as the next sign of life."""
        self.after = max(self.after, file)
        (self.missed.discard if told else self.missed.add)(file)
        self.beat()

    def beat(self) -> None:
        """Give a sign of life."""
        activity.heartbeat(self.after, sorted(self.missed))


def review_of(file: str, occasion: str) -> Envelope:
    """Return the command to a file; the same for the same occasion, so that it is taken once."""
    commands = (ReviewDesks().model_dump(mode="json"),)
    return Envelope(
        delegation=file,
        command_id=digest_of([SYSTEM, file, occasion])[:40],
        actor=SYSTEM,
        commands=commands,
        digest=digest_of(commands),
    )
