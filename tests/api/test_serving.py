"""The API as a process of its own, over real sockets: streams, limits, and a clean stop."""

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from embedded.ports import HOST, free_ports
from tests.api.conftest import Api, code, member, opening, tokens_of
from tests.running import MASTER_KEY, Running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Served:
    """A process of the API and a client of it."""

    api: Api
    process: subprocess.Popen[str]


@pytest.fixture
async def own(here: Running, tmp_path: Path) -> AsyncIterator[Served]:
    """`python -m api` beside the test's worker."""
    settings, port = here.settings, free_ports(1)[0]
    environment = {
        "LEGATION_PROFILE": settings.profile,
        "LEGATION_DATA_DIR": str(settings.data_dir),
        "LEGATION_DATABASE_URL": settings.database_url,
        "LEGATION_TEMPORAL_ADDRESS": settings.temporal_address or "",
        "LEGATION_TEMPORAL_TASK_QUEUE": settings.temporal_task_queue,
        "LEGATION_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
        "LEGATION_API_PORT": str(port),
        # Whoever tries every address with broken credentials is to hear of the credentials, not of how often.
        "LEGATION_TOKEN_GUESSES": "1000000",
        "LEGATION_SIGN_IN_ADDRESS_ATTEMPTS": "1000000",
        "LEGATION_SIGN_IN_ACCOUNT_ATTEMPTS": "1000000",
    }
    process = start(environment, tmp_path / "api.log")
    try:
        async with httpx2.AsyncClient(base_url=f"http://{HOST}:{port}/api/v1", timeout=30) as http:
            async with asyncio.timeout(60):
                while not await _ready(http):
                    assert process.poll() is None, (tmp_path / "api.log").read_text()
                    await asyncio.sleep(0.05)
            yield Served(Api(here, None, http, await tokens_of(here), here.id), process)  # type: ignore[arg-type]
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def start(environment: dict[str, str], log: Path) -> subprocess.Popen[str]:
    """Start the API with these variables."""
    with log.open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "api"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            text=True,
        )


async def _ready(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/health")).status_code == 200
    except httpx2.TransportError:
        return False


async def events_of(api: Api, last_event_id: str | None = None, by: str = "an") -> AsyncIterator[dict[str, Any]]:
    """The events of a delegation's stream."""
    headers = {"Authorization": f"Bearer {api.tokens[by]}"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    async with api.http.stream("GET", f"/delegations/{api.id}/stream", headers=headers, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, Any] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = json.loads(value) if name == "data" else value
            elif not line and "data" in event:
                yield event
                event = {}


async def test_a_stream_shows_events_as_they_happen_and_resumes_after_the_last_one_seen(own: Served) -> None:
    """Each sealed event once, in order; a reconnect with Last-Event-ID misses and repeats nothing."""
    api = own.api
    await api.open()
    seen: list[dict[str, Any]] = []

    async def follow(count: int, last: str | None = None) -> None:
        async for event in events_of(api, last):
            seen.append(event)
            if len(seen) >= count:
                return

    opened = (await api.file())["seq"]
    following = asyncio.create_task(follow(opened + 1))
    async with asyncio.timeout(20):
        while len(seen) < opened:
            await asyncio.sleep(0.02)
        await api.send(await member(api, "m-1"))
        await following
    await api.send(await member(api, "m-2"))
    total = (await api.file())["seq"]
    async with asyncio.timeout(20):
        await follow(total, seen[-1]["id"])
    assert [int(event["id"]) for event in seen] == list(range(1, total + 1))
    trail = (await api.ask("GET", f"/delegations/{api.id}/events?limit=1000")).json()["items"]
    assert [event["data"] for event in seen] == trail[:total]
    assert [event["event"] for event in seen] == [event["type"] for event in trail[:total]]


@pytest.mark.parametrize("over", ["the token is revoked", "the account is elsewhere", "the account is disabled"])
async def test_a_stream_ends_before_anything_goes_to_who_may_not_follow_any_more(own: Served, over: str) -> None:
    """It was begun with every right; the next event is not sent, and the connection ends."""
    api, name = own.api, f"reader-{len(over)}"
    await api.open()
    details = {"name": "Đỗ Thị Thu", "email": f"{name}@songlam.example", "roles": ["auditor"]}
    assert (await api.ask("POST", "/accounts", {"id": name} | details, by="root")).status_code == 201
    token = (await api.ask("POST", f"/accounts/{name}/tokens", {}, by="root")).json()
    api.tokens[name] = token["token"]
    opened = (await api.file())["seq"]
    seen: list[str] = []

    async def follow() -> None:
        async for event in events_of(api, by=name):
            seen.append(event["id"])  # noqa: PERF401 - how many there are is looked at meanwhile

    following = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        while len(seen) < opened:
            await asyncio.sleep(0.02)
        if over == "the token is revoked":
            done = await api.ask("DELETE", f"/tokens/{token['id']}", by="root")
        elif over == "the account is disabled":
            done = await api.ask("DELETE", f"/accounts/{name}", by="root")
        else:
            name_of = {"vi": "Nơi khác", "en": "Elsewhere"}
            entered = {"slug": "elsewhere", "kind": "provincial_union", "name": name_of}
            assert (await api.ask("POST", "/institution/organisations", entered, by="root")).is_success
            moved = details | {"organisation": "elsewhere"}
            done = await api.ask("PUT", f"/accounts/{name}", moved, by="root")
        assert done.is_success, done.text
        await api.send(await member(api, "m-1"))
        await following
    assert len(seen) == opened


async def test_a_stop_ends_streams_and_the_process_within_seconds(own: Served) -> None:
    """SIGTERM: open streams end cleanly, the exit code is 0."""
    api = own.api
    await api.open()
    ended = asyncio.Event()
    began = asyncio.Event()

    async def follow() -> None:
        async for _ in events_of(api):
            began.set()
        ended.set()

    following = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        await began.wait()
        own.process.send_signal(signal.SIGTERM)
        await ended.wait()
        await following
    assert await asyncio.to_thread(own.process.wait, 15) == 0


async def test_a_stream_of_nothing_is_a_404(own: Served) -> None:
    """Before anything is streamed."""
    assert code(await own.api.ask("GET", "/delegations/nobody/stream")) == (404, "delegation_unknown")


async def test_a_body_that_is_too_large_gets_its_answer_over_a_real_socket(own: Served) -> None:
    """Declared or not, the client reads 413 instead of a broken connection; the next request works."""
    api = own.api
    answer = await api.ask("POST", "/persons", content=b" " * 2_000_000, headers={"Content-Type": "application/json"})
    assert code(answer) == (413, "body_too_large")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 50_000

    answer = await api.ask("POST", "/persons", content=pieces(), headers={"Content-Type": "application/json"})
    assert code(answer) == (413, "body_too_large")
    file = b"%PDF-" + bytes(30 * 1024 * 1024)
    answer = await api.ask("POST", "/attachments", content=file, headers={"Content-Type": "application/pdf"})
    assert code(answer) == (413, "attachment_too_large")
    assert (await api.ask("POST", "/delegations", opening(id=api.id))).status_code == 201


async def test_every_answer_has_safe_headers(own: Served) -> None:
    """Also those that no route gave."""
    for answer in (
        await own.api.ask("GET", "/delegations"),
        await own.api.ask("GET", "/nothing"),
        await own.api.ask("GET", "/health", by=None),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
    page = await own.api.http.get(str(own.api.http.base_url).replace("/api/v1/", "/docs"))
    assert page.status_code == 200
    assert "POST" in page.text
    assert "script" not in page.text.replace("description", "")


def test_a_missing_key_and_an_unmigrated_database_are_one_plain_sentence(tmp_path: Path) -> None:
    """On standard error, with exit code 1."""
    key = {"LEGATION_MASTER_KEY": base64.b64encode(MASTER_KEY).decode()}
    for environment, sentence in (
        ({}, "There is no master key"),
        (key, "The database does not have the schema of this release"),
    ):
        log = tmp_path / "api.log"
        port = str(free_ports(1)[0])
        process = start({"LEGATION_DATA_DIR": str(tmp_path), "LEGATION_API_PORT": port, **environment}, log)
        assert process.wait(60) == 1
        assert sentence in log.read_text()
        assert "Traceback" not in log.read_text()
