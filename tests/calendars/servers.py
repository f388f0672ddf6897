"""Real calendar servers for the tests of the client, one process for all of them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.calendars.misbehaving import Misbehaving, misbehaving
from tests.calendars.radicale_server import Radicale, radicale


@pytest.fixture(scope="session")
def one_radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radicale]:
    """The server itself."""
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def server(one_radicale: Radicale) -> Iterator[Radicale]:
    """The server with nothing on it."""
    yield one_radicale
    for user in ("haruka", "office"):
        one_radicale.ask("DELETE", f"/{user}/", user=user)


@pytest.fixture
async def fake(server: Radicale) -> AsyncIterator[Misbehaving]:
    """A server in front of it that misbehaves when it is told to."""
    async with misbehaving(server.port) as fake:
        yield fake
