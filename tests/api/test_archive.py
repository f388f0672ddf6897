"""The archive over HTTP: what is archived, its bytes, and figures and health that say when somebody has to look."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from api.metrics import ABOUT
from audit.closed_run import sha256
from domain.seal import genesis
from storage.archive_files import location_of
from storage.archived_runs import ArchivedRun, ArchiveState
from storage.checkpoint_rows import SEALING
from storage.checkpoints import Checkpoints
from tests.api.conftest import Api, code

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
CONTENT = b"\x1f\x8b what stands in the archive"


async def archived(api: Api, first_seq: int = 1, *, kept: bytes = CONTENT) -> ArchivedRun:
    """A row for a run of this test's delegation, and a file in the archive."""
    run_id = str(uuid.uuid4())
    run = ArchivedRun(
        delegation=api.id,
        run_id=run_id,
        first_seq=first_seq,
        last_seq=first_seq + 9,
        prev_head=genesis(api.id).hash,
        head="a" * 64,
        digest=sha256(CONTENT),
        content_digest="b" * 64,
        size=len(CONTENT),
        location=location_of(api.id, first_seq, run_id),
        following=None,
        closed_at=AT,
        archived_at=datetime.now(UTC),
    )
    if kept:
        await api.here.registers.archive_files.keep(run.location, kept)
    await api.here.registers.archived_runs.enter(run)
    return run


async def test_runs_are_listed_in_the_order_of_the_trail(api: Api) -> None:
    """For whoever may read the file; with everything that an auditor compares."""
    await api.open()
    assert (await api.ask("GET", f"/delegations/{api.id}/runs", by="an")).json() == {"items": []}
    second, first = await archived(api, 11), await archived(api)
    answer = await api.ask("GET", f"/delegations/{api.id}/runs", by="an")
    assert [one["run_id"] for one in answer.json()["items"]] == [first.run_id, second.run_id]
    assert answer.json()["items"][0] == {
        "delegation": api.id,
        "run_id": first.run_id,
        "first_seq": 1,
        "last_seq": 10,
        "prev_head": first.prev_head,
        "head": first.head,
        "digest": first.digest,
        "content_digest": first.content_digest,
        "size": first.size,
        "location": first.location,
        "following": None,
        "closed_at": "2026-03-02T08:30:00Z",
        "archived_at": first.archived_at.isoformat().replace("+00:00", "Z"),
    }


async def test_the_archive_is_listed_page_by_page(api: Api) -> None:
    """The last archived first, with what it comes to."""
    await api.open()
    runs = [await archived(api, first) for first in (1, 11, 21)]
    page = (await api.ask("GET", "/archive?limit=2", by="an")).json()
    assert [one["run_id"] for one in page["items"]] == [runs[2].run_id, runs[1].run_id]
    assert page["runs"] >= 3
    assert page["size"] == page["runs"] * len(CONTENT)
    more = (await api.ask("GET", f"/archive?limit=1&cursor={page['next_cursor']}", by="an")).json()
    assert [one["run_id"] for one in more["items"]] == [runs[0].run_id]
    assert code(await api.ask("GET", "/archive?cursor=x", by="an")) == (400, "cursor_unknown")


async def test_a_reader_of_another_organisation_sees_nothing_of_it(api: Api) -> None:
    """Neither the row nor the figures nor the bytes."""
    await api.open()
    run = await archived(api)
    slug = f"far-{uuid.uuid4().hex[:8]}"
    body = {"slug": slug, "kind": "provincial_union", "name": {"vi": slug, "en": slug}}
    assert (await api.ask("POST", "/institution/organisations", body, by="root")).is_success
    account = {"id": f"an-{slug}", "name": "An", "roles": ["auditor"], "organisation": slug}
    assert (await api.ask("POST", "/accounts", account, by="root")).is_success
    api.tokens["far"] = (await api.here.registers.accounts.create_token(f"an-{slug}"))[1]
    seen = (await api.ask("GET", "/archive", by="far")).json()
    assert seen == {"items": [], "next_cursor": None, "runs": 0, "size": 0}
    assert code(await api.ask("GET", f"/archive/{run.run_id}", by="far")) == (403, "organisation_out_of_reach")


async def test_an_archived_run_is_sent_as_it_stands(api: Api) -> None:
    """Byte for byte, once its digest is right; otherwise its place is told."""
    await api.open()
    run = await archived(api)
    answer = await api.ask("GET", f"/archive/{run.run_id}", by="an")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "application/gzip", CONTENT)
    for kept in (b"something else", b""):
        damaged = await archived(api, 11, kept=kept)
        refused = await api.ask("GET", f"/archive/{damaged.run_id}", by="an")
        assert code(refused) == (500, "archive_damaged")
        assert damaged.location in refused.json()["detail"]
    assert code(await api.ask("GET", f"/archive/{uuid.uuid4()}", by="an")) == (404, "archived_run_unknown")


async def test_health_and_figures_say_when_somebody_has_to_look(api: Api) -> None:
    """A round that fails, and one that comes too late; neither keeps anybody from work."""
    runs, now = api.here.registers.archived_runs, datetime.now(UTC)
    figures = await figures_of(api)
    assert figures["legation_archive_runs"] == float((await runs.totals()).runs)
    assert figures["legation_archive_bytes"] == float((await runs.totals()).size)

    await runs.note(ArchiveState(waiting=2, oldest=now - timedelta(days=3), failure="disk_full", looked_at=now))
    health = await api.ask("GET", "/health", by=None)
    assert health.status_code == 200
    part = health.json()["parts"]["archive"]
    assert (part["ready"], part["detail"], part["waiting"]) == (False, "closed runs cannot be archived", 2)
    assert datetime.fromisoformat(part["oldest"]) == now - timedelta(days=3)
    figures = await figures_of(api)
    assert figures["legation_archive_unarchived_runs"] == 2.0
    assert figures["legation_archive_unarchived_seconds"] >= 3 * 24 * 3600
    assert (figures["legation_archive_failing"], figures["legation_archive_overdue"]) == (1.0, 0.0)

    quarter = timedelta(days=3650 / 4, seconds=1)
    await runs.note(ArchiveState(waiting=0, oldest=None, failure=None, looked_at=now - quarter))
    part = (await api.ask("GET", "/health", by=None)).json()["parts"]["archive"]
    assert part == {"ready": False, "detail": "closed runs wait too long to be archived", "waiting": 0}
    figures = await figures_of(api)
    assert figures["legation_archive_round_age_seconds"] >= quarter.total_seconds()
    assert (figures["legation_archive_failing"], figures["legation_archive_overdue"]) == (0.0, 1.0)

    await runs.note(ArchiveState(waiting=0, oldest=None, failure=None, looked_at=now))
    part = (await api.ask("GET", "/health", by=None)).json()["parts"]["archive"]
    assert part == {"ready": True, "detail": "ready", "waiting": 0}


async def test_figures_of_checkpoints_are_those_of_the_last_round(api: Api) -> None:
    """How many there are, what they hold, since when nothing was sealed, and whose witness is behind."""
    kept, now = Checkpoints(api.here.registers.database), datetime.now(UTC)
    latest = await kept.latest()
    number, size = (latest.number, latest.size) if latest else (0, 0)
    await kept.done(SEALING, number, at=now - timedelta(hours=1))
    await kept.failed("witness", "unreachable", at=now)
    figures = await figures_of(api)
    assert (figures["legation_checkpoints"], figures["legation_checkpoint_leaves"]) == (number, size)
    assert 3600 <= figures["legation_checkpoint_age_seconds"] < 3700
    assert (figures["legation_checkpoint_failing"], figures["legation_witnesses_failing"]) == (0.0, 1.0)
    await kept.failed(SEALING, "stream_cut", at=now, stream=api.id, seq=3)
    assert (await figures_of(api))["legation_checkpoint_failing"] == 1.0
    await kept.done(SEALING, number, at=now)
    await kept.done("witness", number, at=now)
    # Those of the archive stand there once somebody archived.
    assert {one for one in await figures_of(api) if "archive" not in one} == {
        one for one in ABOUT if "archive" not in one
    }


async def figures_of(api: Api) -> dict[str, float]:
    """What Prometheus reads."""
    answer = await api.ask("GET", "http://legation.test/metrics", by="an")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    lines = (line.split() for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}
