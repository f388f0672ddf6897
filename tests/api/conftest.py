"""The API over a running installation: real Temporal, a real worker, SQLite; a token for each account."""

import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI
from pydantic import SecretStr
from temporalio.client import Client

from api.application import create_application
from settings import Settings
from tests.calendars.servers import one_radicale, server
from tests.running import MASTER_KEY, Running, running
from tests.temporal import TemporalServer

__all__ = ["one_radicale", "server"]

BASE = "http://legation.test/api/v1"


@dataclass
class Api:
    """The API of one installation, and the shortest way to ask it."""

    here: Running
    application: FastAPI
    http: httpx2.AsyncClient
    tokens: dict[str, str]
    id: str

    async def ask(
        self, method: str, path: str, body: Any = None, *, by: str | None = "lan", key: str | None = None, **more: Any
    ) -> httpx2.Response:
        """Send a request as somebody; `by=None` sends no token. A new Idempotency-Key unless one is given."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, **more.pop("headers", {})}
        if by is not None:
            headers["Authorization"] = f"Bearer {self.tokens[by]}"
        if body is not None:
            more["json"] = body
        return await self.http.request(method, path, headers=headers, **more)

    async def send(self, *commands: dict[str, Any], by: str = "lan", key: str | None = None) -> httpx2.Response:
        """Send one command, or several as one."""
        body = commands[0] if len(commands) == 1 else {"commands": list(commands)}
        return await self.ask("POST", f"/delegations/{self.id}/commands", body, by=by, key=key)

    async def open(self, **more: Any) -> httpx2.Response:
        """Open this test's delegation."""
        return await self.ask("POST", "/delegations", opening(id=self.id, **more))

    async def file(self) -> dict[str, Any]:
        """The file as `show_delegation` has it."""
        answer = await self.ask("GET", f"/delegations/{self.id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def opening(**more: Any) -> dict[str, Any]:
    """The body of a small inbound delegation that arrives in about three months."""
    starts = datetime.now(UTC).date() + timedelta(days=90)
    return {
        "direction": "inbound",
        "title": "Đoàn Hội hữu nghị Tokyo",
        "purpose": "Trao đổi về hợp tác địa phương",
        "organisation": "song-lam",
        "partner": "Tokyo Friendship Association",
        "countries": ["JP"],
        "places": ["Hà Nội"],
        "starts": starts.isoformat(),
        "ends": (starts + timedelta(days=2)).isoformat(),
        "grade": "C",
        **more,
    }


async def person(api: Api, name: str = "Satō Haruka", by: str = "lan") -> dict[str, Any]:
    """Register somebody and return the reference for a command."""
    details = {
        "full_name": name,
        "given_name": name.split()[-1],
        "email": f"{uuid.uuid4().hex}@tokyo.example",
        "language": "en",
        "nationality": "JP",
    }
    answer = await api.ask("POST", "/persons", details, by=by)
    assert answer.status_code == 201, answer.text
    reference: dict[str, Any] = answer.json()
    return reference


async def member(api: Api, name: str, **more: Any) -> dict[str, Any]:
    """A command that adds a registered person."""
    return {"type": "add_member", "member_id": name, "person": await person(api), "country": "JP", **more}


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a problem, whose body has the one shape that every problem has."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert {"type", "title", "status", "detail", "instance", "code", "errors"} <= set(problem), problem
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["code"]


def fields(answer: httpx2.Response) -> list[tuple[str, str]]:
    """Field and rule of every error of a problem."""
    return [(error["field"], error["rule"]) for error in answer.json()["errors"]]


def with_key(settings: Settings) -> Settings:
    """The settings with the master key that the test installation's registers were opened with."""
    return settings.model_copy(update={"master_key": SecretStr(base64.b64encode(MASTER_KEY).decode())})


@asynccontextmanager
async def serving(application: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Start an application and yield a client of it."""
    transport = httpx2.ASGITransport(app=application)
    async with (
        application.router.lifespan_context(application),
        httpx2.AsyncClient(transport=transport, base_url=BASE, timeout=60) as http,
    ):
        yield http


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(temporal_server: TemporalServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One installation for all tests of a process; each test works on a file of its own."""

    async def connect(**options: Any) -> Client:
        return await Client.connect(temporal_server.address, namespace=temporal_server.namespace, **options)

    async with running(tmp_path_factory.mktemp("served"), connect, temporal_server.address) as here:
        application = create_application(with_key(here.settings), client=here.client)
        async with serving(application) as http:
            yield Api(here, application, http, await tokens_of(here), here.id)


async def tokens_of(here: Running) -> dict[str, str]:
    """A token for each account of the installation."""
    accounts = here.registers.accounts
    return {account.id: (await accounts.create_token(account.id))[1] for account in await accounts.actors()}


@pytest.fixture
def api(served: Api) -> Api:
    """The API, with a new delegation's id and a token for `lan` (coordinator), `hung`, `mai` (approvers), `an`, `root`.

    `an` is an auditor, `root` an administrator.
    """
    return replace(served, id=f"d-{uuid.uuid4().hex[:12]}", tokens=dict(served.tokens))
