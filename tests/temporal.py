"""A real Temporal server for tests: one for each test process, on free ports and a file in a temporary folder.

Fixtures: `temporal_server` (session), `connect`, `client`, `clock`, `task_queue` (each test its own).
"""

import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from embedded.child import Child
from embedded.clock import VirtualClock
from embedded.namespace import prepare_namespace
from embedded.ports import HOST, Ports
from embedded.server import server_command

RETENTION = timedelta(days=3650)

DELETES_AT_ONCE: Mapping[str, str] = {
    "history.transferProcessorUpdateAckInterval": '"50ms"',
    "history.visibilityProcessorUpdateAckInterval": '"50ms"',
    "history.timerProcessorUpdateAckInterval": '"50ms"',
}
"""A closed run is deleted once the server has noted that its end was worked off: every half a minute, unless told."""


class TemporalServer:
    """The development server of one test process. Its clocks can be fast-forwarded."""

    def __init__(self, folder: Path, namespace: str = "legation", dynamic: Mapping[str, str] | None = None) -> None:
        """`dynamic` is further dynamic configuration of the server."""
        self.ports = Ports.free()
        self._dynamic = dict(dynamic or {})
        self.namespace = namespace
        self._folder = folder
        self._child: Child | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self.ports.temporal}"

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Starts the server on its file, again after `kill` too, and returns when it answers."""
        command = server_command(
            self.ports,
            namespace=self.namespace,
            database=self._folder / "temporal.db",
            virtual_clock=True,
            durable=False,
            web_ui=False,
        )
        command += [
            word for key, value in self._dynamic.items() for word in ("--dynamic-config-value", f"{key}={value}")
        ]
        log = self._folder / "temporal.log"
        self._child = Child.start(command, environment=os.environ, folder=self._folder, log=log)
        asyncio.run(self._answers())

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._child is not None:
            self._child.kill()

    async def _answers(self) -> None:
        give_up = time.monotonic() + 30
        while True:
            try:
                client = await Client.connect(self.address, namespace=self.namespace)
                await prepare_namespace(client, RETENTION)
                return
            except Exception:
                if time.monotonic() > give_up:
                    raise
                await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """The running server; `.address`, `.namespace` ("legation", ten years of retention), `.kill()`, `.start()`."""
    server = TemporalServer(tmp_path_factory.mktemp("temporal"))
    server.start()
    yield server
    server.kill()


Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
def connect(temporal_server: TemporalServer) -> Connect:
    """`await connect(**options)`: a new client of the server; options go to `Client.connect` (data_converter, …)."""

    async def to_server(**options: Any) -> Client:
        return await Client.connect(temporal_server.address, **{"namespace": temporal_server.namespace} | options)

    return to_server


@pytest.fixture
async def client(connect: Connect) -> Client:
    """A plain client."""
    return await connect()


@pytest.fixture
async def clock(connect: Connect) -> VirtualClock:
    """Moves any workflow of the server forward: `await clock.advance(workflow_id, instant)`."""
    return VirtualClock(await connect(), patience=timedelta(seconds=30))


@pytest.fixture
def task_queue() -> str:
    """A task queue nobody else listens to."""
    return f"test-{uuid.uuid4()}"
