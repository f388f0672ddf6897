"""A worker that dies while files are told of leave: every file is told, and none twice."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from storage.metadata import utc_now
from tests.faults.asking import File, a_file
from tests.faults.page import Note
from tests.installed import Installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FILES = 20


async def waiting(stack: Installed, http: httpx2.AsyncClient) -> File:
    """A file that waits for the department head."""
    file = a_file(stack, http)
    assert (await file.open()).status_code == 201
    assert (await file.add("sato")).status_code == 200
    assert (await file.send({"type": "submit_request"})).status_code == 200
    return file


async def moves(file: File) -> int:
    """How often the desk of a file has moved to the substitute."""
    return sum(event.type == "DeskMoved" for event in await file.events())


@pytest.mark.faults
async def test_a_worker_killed_while_telling_the_files_tells_each_once(stack: Installed, note: Note) -> None:
    """Twenty files wait for one desk, whose holder's leave is registered; the worker dies once the first has heard."""
    note(row="1", part="worker", moment="while files are told of leave")
    for account in ("hung", "mai", "root"):
        stack.token(account)
    async with stack.asking() as http:
        files = [await waiting(stack, http) for _ in range(FILES)]
        first, *others = sorted(files, key=lambda file: file.id)
        begins = utc_now() - timedelta(hours=1)
        leave = {"account": "hung", "substitute": "mai", "since": begins.isoformat()}
        body = leave | {"until": (begins + timedelta(days=5)).isoformat()}
        registered = await first.ask("POST", "/institution/leaves", by="root", json=body)
        assert registered.status_code == 201, registered.text
        try:
            async with asyncio.timeout(60):
                while not await moves(first):
                    await asyncio.sleep(0)
            pid = stack.kill("worker")
            note(told_before=sum([await moves(file) for file in others]))
            await stack.ready_again("worker", pid)
            async with asyncio.timeout(90):
                while not all([await moves(file) for file in files]):
                    await asyncio.sleep(0.1)
            assert [await moves(file) for file in files] == [1] * FILES
        finally:
            revoked = await first.ask("POST", f"/institution/leaves/{registered.json()['id']}/revoke", by="root")
        assert revoked.status_code == 200
        async with asyncio.timeout(60):
            while any([(await file.show())["state"].get("stand_ins") for file in files]):
                await asyncio.sleep(0.1)
