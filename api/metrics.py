"""Figures for a monitoring system, in the text format that Prometheus reads.

They are counted when they are asked for. Each is of the installation, not of this process: it is the same from
whichever process of the API answers.
"""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from api.access import BEARER, GuardedRoute
from api.installation import At, Installation
from storage.checkpoint_rows import SEALING
from storage.checkpoints import Checkpoints
from storage.metadata import utc_now

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["health"])

ABOUT: Mapping[str, str] = {
    "legation_archive_runs": "Closed runs in the archive.",
    "legation_archive_bytes": "Bytes of the archive.",
    "legation_archive_unarchived_runs": "Closed runs that the last round of archiving left outside the archive.",
    "legation_archive_unarchived_seconds": "For how long a closed run may have waited to be archived.",
    "legation_archive_round_age_seconds": "Since when nobody looked for closed runs.",
    "legation_archive_failing": "1 where the last round of archiving failed.",
    "legation_archive_overdue": "1 where a closed run waits for longer than a quarter of the server's retention.",
    "legation_checkpoints": "Signed checkpoints.",
    "legation_checkpoint_leaves": "Sealed events that the latest checkpoint holds.",
    "legation_checkpoint_age_seconds": "Since when no round sealed what was new, or saw that nothing was.",
    "legation_checkpoint_failing": "1 where nothing could be sealed since.",
    "legation_witnesses_failing": "Witnesses that were not shown every checkpoint.",
}
"""Every gauge: name → what it says."""

Figures = Mapping[str, float]


async def archive_figures(at: Installation) -> Figures:
    """Return the gauges of the archive; those of rounds once there was one."""
    totals, state, now = await at.archived_runs.totals(), await at.archived_runs.state(), utc_now()
    figures = {"legation_archive_runs": float(totals.runs), "legation_archive_bytes": float(totals.size)}
    if state is None:
        return figures
    alarm = state.alarm(now, at.settings.retention)
    return figures | {
        "legation_archive_unarchived_runs": float(state.waiting),
        "legation_archive_unarchived_seconds": state.waited(now).total_seconds() if state.waiting else 0.0,
        "legation_archive_round_age_seconds": max((now - state.looked_at).total_seconds(), 0.0),
        "legation_archive_failing": float(state.failure is not None),
        "legation_archive_overdue": float(alarm == "archive_overdue"),
    }


async def checkpoint_figures(at: Installation) -> Figures:
    """Return the gauges of checkpoints; the age once there was a round."""
    kept = Checkpoints(at.database)
    latest, duties, now = await kept.latest(), await kept.duties(), utc_now()
    sealing = duties.pop(SEALING, None)
    figures = {
        "legation_checkpoints": float(latest.number if latest else 0),
        "legation_checkpoint_leaves": float(latest.size if latest else 0),
        "legation_checkpoint_failing": float(sealing is not None and sealing.failure is not None),
        "legation_witnesses_failing": float(sum(duty.failure is not None for duty in duties.values())),
    }
    if sealing is None or sealing.done_at is None:
        return figures
    return figures | {"legation_checkpoint_age_seconds": max((now - sealing.done_at).total_seconds(), 0.0)}


SOURCES: tuple[Callable[[Installation], Awaitable[Figures]], ...] = (archive_figures, checkpoint_figures)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus text format", "content": {"text/plain": {}}}},
)
async def show_metrics(at: At) -> Response:
    """Show the installation's figures, as Prometheus scrapes them with a token of the scope `read`."""
    registry = CollectorRegistry()
    for source in SOURCES:
        for name, value in (await source(at)).items():
            Gauge(name, ABOUT[name], registry=registry).set(value)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
