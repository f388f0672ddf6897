"""One played file for all tests of a process."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.evidence.played import Played, played
from tests.temporal import TemporalServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def file(temporal_server: TemporalServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """The file."""
    async with played(tmp_path_factory.mktemp("evidence"), temporal_server) as one:
        yield one
