"""The state of the installation as pages: its health and figures, checkpoints, and the archive."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.archive import ArchiveQuery, list_archive
from api.checkpoints import CheckpointsQuery, list_checkpoint_keys, list_checkpoints, make_checkpoint
from api.health import show_health
from api.installation import At, Installation
from api.metrics import SOURCES
from api.pages.administration import show_section
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, done
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from domain.sign_in import Acting
from locales import mark, translator
from storage.checkpoint_rows import SEALING
from words.codes import word
from words.health import DETAILS, FAILURES

router = APIRouter(route_class=PageRoute, include_in_schema=False)

HEALTH, CHECKPOINTS, ARCHIVE = "/admin/health", "/admin/checkpoints", "/admin/archive"

PARTS = {
    "database": mark("Database"),
    "temporal": mark("Temporal"),
    "workers": mark("Workers"),
    "checkpoints": mark("Checkpoints"),
    "archive": mark("Archive of histories"),
}

FIGURES = {
    "legation_archive_runs": mark("Closed runs in the archive"),
    "legation_archive_bytes": mark("Bytes of the archive"),
    "legation_archive_unarchived_runs": mark("Closed runs that are not in the archive yet"),
    "legation_checkpoints": mark("Signed checkpoints"),
    "legation_checkpoint_leaves": mark("Sealed events that the latest checkpoint holds"),
    "legation_witnesses_failing": mark("Witnesses that were not shown every checkpoint"),
}
"""Those of the figures for monitoring (`/metrics`) that say something to a person."""

DUTIES = {SEALING: mark("sealing")}
"""The other duties are called after the witnesses they show checkpoints to."""

SAID = {
    "made": mark("A checkpoint was made."),
    "begun": mark("A checkpoint is being made; look again in a minute."),
    "waiting": mark("It was asked for. Nothing takes it up now; the next round by the clock will."),
}

PAGE = 25


@router.get("/admin/health")
async def show_health_page(request: Request, at: At) -> Response:
    """Show whether each part does its work, and the figures that are counted for monitoring."""
    words = translator(reader_of(request).language)
    health = await show_health(at, Response())
    figures: dict[str, float] = {}
    for source in SOURCES:
        figures |= await source(at)
    queues = await _queues(at)
    return show_section(
        request,
        "admin_health.html",
        HEALTH,
        ready=health.ready,
        parts=[(words.tr(PARTS[name]), part, word(DETAILS, part.detail, words)) for name, part in health.parts.items()],
        figures=[
            (words.tr(title), words.number(int(figures[name]))) for name, title in FIGURES.items() if name in figures
        ],
        queues=[(words.tr(title), words.number(count)) for title, count in queues],
    )


@router.get("/admin/checkpoints")
async def show_checkpoints_page(
    request: Request, actor: Actor, at: At, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0
) -> Response:
    """Show the checkpoints, how making and showing them last went, and the keys they are signed with."""
    return await _checkpoints(request, at, actor, after=after)


@router.post("/admin/checkpoints")
async def make_checkpoint_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Make a checkpoint now."""
    try:
        with answering(request):
            made = await make_checkpoint(actor, at)
    except FormRefused as wrong:
        return await _checkpoints(request, at, actor, form=wrong.form("make", None, {}), status=wrong.status)
    return done(CHECKPOINTS, made.state)


@router.get("/admin/archive")
async def show_archive_page(
    request: Request, actor: Actor, at: At, cursor: Annotated[str | None, Query(max_length=500)] = None
) -> Response:
    """Show the archived runs, the last archived first."""
    found = await list_archive(ArchiveQuery(cursor=cursor, limit=PAGE), at, actor)
    return show_section(request, "admin_archive.html", ARCHIVE, found=found)


async def _queues(at: Installation) -> list[tuple[str, int]]:
    """Return how much waits for a person or a worker."""
    replies = await at.registers.received_mail.queue(within=None, limit=50)
    erasures = await at.registers.erasures.known(state="asked")
    return [
        (mark("Received mails that a person has to look at (50 at most are counted)"), len(replies.items)),
        (mark("Erasures that wait for a second administrator"), len(erasures)),
    ]


async def _checkpoints(
    request: Request, at: Installation, actor: Acting, *, after: int = 0, form: Form | None = None, status: int = 200
) -> Response:
    words = translator(reader_of(request).language)
    found = await list_checkpoints(CheckpointsQuery(after=after, limit=PAGE), actor, at)
    return show_section(
        request,
        "admin_checkpoints.html",
        CHECKPOINTS,
        status=status,
        form=form,
        said_of=SAID,
        found=found,
        checkpoints=[(one, datetime.fromisoformat(one.at)) for one in found.items],
        duties=[
            (word(DUTIES, one.duty, words), one, word(FAILURES, one.failure, words) if one.failure else "")
            for one in found.duties
        ],
        keys=(await list_checkpoint_keys(at)).items,
    )
