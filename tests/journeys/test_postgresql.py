"""The same way of a delegation on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.evolve import fold
from domain.seal import genesis, verify_chain
from domain.state import Phase
from tests.journeys.way import to_the_end
from tests.postgresql import fresh_database
from tests.running import Running, running
from tests.temporal import Connect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def on_postgresql(tmp_path: Path, connect: Connect, temporal_server: Any) -> AsyncIterator[Running]:
    """A running installation whose store is PostgreSQL."""
    with fresh_database() as url:
        async with running(tmp_path, connect, temporal_server.address, database_url=url) as installation:
            yield installation


async def test_a_delegation_goes_from_request_to_closed_file(on_postgresql: Running) -> None:
    """Mails, letters, report and trail are those of SQLite; the read model is the fold of the journal."""
    here = on_postgresql
    closed = await to_the_end(here)
    assert closed.phase is Phase.CLOSED
    assert {one.kind for one in closed.rendered} == {"invitation_letter", "final_report"}
    assert len(here.post.calendar("REQUEST")) == 6
    assert [to for to, _ in here.post.calendar("CANCEL")] == ["second@tokyo.example"] * 2
    events = await here.registers.journal.events(here.id)
    verify_chain(genesis(here.id), events)
    assert fold(events) == closed
