"""Archived runs: the histories that are kept for longer than the Temporal server keeps them.

What is sent is what stands in the archive, byte for byte: in every profile but the demo its payloads are ciphertext.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from api.access import BEARER, Actor, GuardedRoute
from api.desks import PageQuery
from api.files import KnownFile, reach, require_reach
from api.installation import At
from api.problems import Problem
from audit.closed_run import sha256
from domain.values import Digest, Slug
from storage.archive_files import ArchiveUnavailable, NotArchived
from storage.archived_runs import ArchivedRun
from storage.cursors import BadCursor

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["archive"])

MEDIA_TYPE = "application/gzip"

RunId = Annotated[
    str,
    Path(
        description="The run's id.",
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        examples=["01a202a1-a882-7d05-99cb-06c0ad41793e"],
    ),
]


class ShownRun(BaseModel):
    """A closed run in the archive: events `first_seq` to `last_seq` of its delegation (none where that is less).

    `prev_head` and `head` are the hashes of the trail before and after them. `digest` is SHA-256 of the `size` bytes
    at `location`, `content_digest` that of the JSON in them. `following` is the run that continued it, if one did.
    """

    delegation: Slug
    run_id: str
    first_seq: int
    last_seq: int
    prev_head: Digest
    head: Digest
    digest: Digest
    content_digest: Digest
    size: int
    location: str
    following: str | None
    closed_at: datetime
    archived_at: datetime


class ShownRuns(BaseModel):
    """A delegation's archived runs, in the order of its trail. What it decides in a run that is open is not here."""

    items: tuple[ShownRun, ...]


class ShownArchive(BaseModel):
    """A page of archived runs, the last archived first, and the cursor of the next one if there may be one.

    `runs` and `size` (in bytes) are of all that one may see.
    """

    items: tuple[ShownRun, ...]
    next_cursor: str | None
    runs: int
    size: int


class ArchiveQuery(PageQuery):
    """Which page of the archive."""

    cursor: str | None = Field(None, max_length=500, description="The cursor of the page before.")


@router.get("/archive")
async def list_archive(query: Annotated[ArchiveQuery, Query()], at: At, actor: Actor) -> ShownArchive:
    """List the archived runs of all delegations that one may see."""
    within = await reach(actor, at)
    try:
        page = await at.archived_runs.page(limit=query.limit, cursor=query.cursor, reach=within)
    except BadCursor:
        raise Problem("cursor_unknown") from None
    totals = await at.archived_runs.totals(reach=within)
    items = tuple(_shown(one) for one in page.items)
    return ShownArchive(items=items, next_cursor=page.next_cursor, runs=totals.runs, size=totals.size)


@router.get(
    "/archive/{run}",
    response_class=Response,
    responses={200: {"description": "The history, gzipped JSON", "content": {MEDIA_TYPE: {}}}},
)
async def fetch_archived_run(run: RunId, at: At, actor: Actor) -> Response:
    """Send the history of an archived run as it stands in the archive, once its digest is right.

    Problems: `archived_run_unknown` (404), `archive_damaged` (500), `archive_unavailable` (503).
    """
    found = await at.archived_runs.get(run)
    if found is None:
        raise Problem("archived_run_unknown")
    await require_reach(actor, at, found.delegation)
    try:
        stored = await at.registers.archive_files.read(found.location)
    except NotArchived:
        raise Problem("archive_damaged", params={"location": found.location}) from None
    except ArchiveUnavailable:
        raise Problem("archive_unavailable") from None
    if sha256(stored) != found.digest:
        raise Problem("archive_damaged", params={"location": found.location})
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{found.delegation}-{found.run_id}.json.gz"',
    }
    return Response(stored, media_type=MEDIA_TYPE, headers=headers)


@router.get("/delegations/{delegation}/runs")
async def list_runs(file: KnownFile, at: At) -> ShownRuns:
    """List the archived runs of a file, in the order of its trail."""
    return ShownRuns(items=tuple(_shown(one) for one in await at.archived_runs.of(file.state.id)))


def _shown(run: ArchivedRun) -> ShownRun:
    return ShownRun.model_validate(run, from_attributes=True)
