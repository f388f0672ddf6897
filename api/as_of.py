"""A file as it was: at an instant, or after an event."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.files import KnownFile
from api.installation import At, Installation
from api.parameters import SentInstant
from api.problems import Problem
from storage.as_of import BeyondHead, NotYetOpen
from storage.queries import File

SeqThen = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ThenQuery(BaseModel):
    """When. With neither, the file as it stands.

    Order is by number, never by time: as of an instant counts every event up to the last one that is dated at or before
    it, also where the clock went back and an earlier one is dated later.
    """

    model_config = ConfigDict(extra="forbid")

    as_of: SentInstant | None = Field(None, description="As it was at this instant.")
    seq: SeqThen | None = Field(None, description="As it was after the event of this number.")

    @property
    def is_past(self) -> bool:
        """Whether something else than the file as it stands is asked for."""
        return self.as_of is not None or self.seq is not None


async def file_then(at: Installation, file: File, query: ThenQuery) -> File:
    """Return a file that may be seen as it was.

    Problems: `as_of_said_twice` (422), `delegation_not_open_then`, `event_unknown` (404).
    """
    if query.as_of is not None and query.seq is not None:
        raise Problem("as_of_said_twice")
    try:
        if query.as_of is not None:
            return await at.registers.as_of.file_at(file.state.id, query.as_of)
        if query.seq is not None:
            return await at.registers.as_of.file_after(file.state.id, query.seq)
    except NotYetOpen:
        raise Problem("delegation_not_open_then") from None
    except BeyondHead as beyond:
        raise Problem("event_unknown", params={"seq": beyond.seq}) from None
    return file


async def _file_then(file: KnownFile, query: Annotated[ThenQuery, Query()], at: At) -> File:
    return await file_then(at, file, query)


FileThen = Annotated[File, Depends(_file_then)]
"""The file as it stands, or as it was where the address says `as_of` or `seq`, as a parameter of a route."""
