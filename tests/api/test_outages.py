"""What is not there is said: database, Temporal and worker away. Nothing false, and it heals by itself."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import pytest

from api.application import create_application
from api.schema import SchemaOutdated
from embedded.ports import HOST, free_ports
from storage.errors import StoreUnavailable
from tests.api.conftest import Api, code, opening, serving, tokens_of, with_key
from tests.running import Running
from tests.temporal import TemporalServer

pytestmark = pytest.mark.slow


@pytest.fixture
async def alone(here: Running) -> AsyncIterator[Api]:
    """An installation of the test's own, whose parts it may take away."""
    application = create_application(with_key(here.settings), client=here.client)
    async with serving(application) as http:
        yield Api(here, application, http, await tokens_of(here), here.id)


async def test_a_locked_database_is_an_honest_503_and_heals(alone: Api) -> None:
    """faults.md row 2: the command is not sent, health says why, and afterwards the same key works."""
    application = alone.application.state.installation
    application.database._lock_wait = 0.2
    path = alone.here.registers.database.url.database
    assert path is not None
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    body = opening(id=alone.id)
    refused = await alone.ask("POST", "/delegations", body, key="k")
    assert code(refused) == (503, "store_unavailable")
    assert refused.headers["retry-after"] == "2"
    health = await alone.ask("GET", "/health", by=None)
    assert (health.status_code, health.json()["parts"]["database"]["ready"]) == (503, False)
    lock.execute("ROLLBACK")
    lock.close()
    assert (await alone.ask("POST", "/delegations", body, key="k")).status_code == 201
    assert (await alone.ask("GET", "/health", by=None)).status_code == 200


async def test_without_temporal_people_read_and_commands_wait_for_it(
    here: Running, temporal_server: TemporalServer
) -> None:
    """The API starts without a server, says so, and finds it when it comes."""
    nowhere = with_key(here.settings).model_copy(update={"temporal_address": f"{HOST}:{free_ports(1)[0]}"})
    application = create_application(nowhere)
    async with serving(application) as http:
        api = Api(here, application, http, await tokens_of(here), here.id)
        assert (await api.ask("GET", "/delegations")).json() == {"items": [], "next_cursor": None}
        refused = await api.ask("POST", "/delegations", opening(id=api.id), key="k")
        assert code(refused) == (503, "engine_unavailable")
        assert refused.headers["retry-after"] == "1"
        health = await api.ask("GET", "/health", by=None)
        assert health.json()["parts"]["temporal"] == {"ready": False, "detail": "does not answer"}

        installation = application.state.installation
        installation.settings = with_key(here.settings)
        async with asyncio.timeout(20):
            while installation.client is None:
                await asyncio.sleep(0.05)
        assert (await api.ask("POST", "/delegations", opening(id=api.id), key="k")).status_code == 201
        assert (await api.ask("GET", "/health", by=None)).json()["parts"]["workers"]["ready"] is True


async def test_what_breaks_on_our_side_is_a_500_without_internals(
    alone: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the answer nor the log has the text of the error."""

    async def broken(*_: object, **__: object) -> None:
        raise ValueError("Satō Haruka, haruka@tokyo.example")

    monkeypatch.setattr(alone.application.state.installation.queries, "get", broken)
    answer = await alone.ask("GET", f"/delegations/{alone.id}")
    assert code(answer) == (500, "internal_error")
    assert "Haruka" not in answer.text
    logged = capsys.readouterr().out
    assert "ValueError" in logged
    assert "Haruka" not in logged
    assert answer.json()["instance"].removeprefix("urn:uuid:") in logged

    async def gone(*_: object, **__: object) -> None:
        raise StoreUnavailable("io_error")

    monkeypatch.setattr(alone.application.state.installation.queries, "get", gone)
    assert code(await alone.ask("GET", f"/delegations/{alone.id}")) == (503, "store_unavailable")


async def test_the_log_has_neither_tokens_nor_queries_nor_references(
    alone: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the pattern of the address."""
    await alone.ask("GET", "/delegations?q=Haruka")
    await alone.ask("GET", "/persons/per_haruka00")
    logged = capsys.readouterr().out
    assert "/persons/{ref}" in logged
    assert "aruka" not in logged
    assert not any(token in logged for token in alone.tokens.values())


async def test_a_database_without_the_schema_of_this_release_is_refused_at_the_start(here: Running) -> None:
    """In one sentence; the API does not migrate."""
    other = here.settings.data_dir / "empty.db"
    settings = with_key(here.settings).model_copy(update={"database_url": f"sqlite+aiosqlite:///{other}"})
    with pytest.raises(SchemaOutdated, match="does not have the schema of this release"):
        async with serving(create_application(settings, client=here.client)):
            pass
