"""The same request again: one event, one answer, whatever happened in between (faults.md, row 6)."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.asking import a_file, code
from tests.faults.page import Note
from tests.installed import Installed, installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

REVISED = {"type": "revise_request", "title": "Đoàn Tokyo"}
OTHER = {"type": "revise_request", "title": "Đoàn Osaka"}


async def test_a_hundred_copies_at_once_are_one_event(stack: Installed, note: Note) -> None:
    """All are answered with the very same receipt; the opening, too, happens once."""
    note(row="6", fault="100 copies of one request at once", copies=100)
    async with stack.asking() as http:
        file = a_file(stack, http)
        opened = await asyncio.gather(*(file.open() for _ in range(3)))
        assert sorted(answer.status_code for answer in opened) == [201, 409, 409]
        answers = await asyncio.gather(*(file.send(REVISED, key="k-1") for _ in range(100)))
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.text for answer in answers} == {answers[0].text}
        assert code(await file.send(OTHER, key="k-1")) == (409, "idempotency_key_reused")
        events = await file.whole()
    assert [event.type for event in events].count("RequestRevised") == 1


async def test_a_repetition_after_continue_as_new_is_answered_with_the_first_receipt(
    stack: Installed, note: Note
) -> None:
    """160 commands later another run serves the file; it knows what the run before it was asked."""
    note(row="6", fault="a repetition after continue-as-new")
    async with stack.asking() as http:
        file = a_file(stack, http)
        assert (await file.open()).status_code == 201
        others = [{"type": "revise_request", "title": f"Đoàn {number}"} for number in range(160)]
        for command in others[:100]:
            assert (await file.send(command)).status_code == 200
        first = await file.send(REVISED, key="k-1")
        answers = await asyncio.gather(*(file.send(command) for command in others[100:]))
        assert {answer.status_code for answer in answers} == {200}
        again = await file.send(REVISED, key="k-1")
        assert (again.status_code, again.text) == (200, first.text)
        assert code(await file.send(OTHER, key="k-1")) == (409, "idempotency_key_reused")
        events = await file.whole()
        assert await stack.continued(file.id)
    assert [event.type for event in events].count("RequestRevised") == 161


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Installed]:
    """An installation that this test may stop."""
    with installed(tmp_path / "var") as running:
        yield running


@pytest.mark.faults
async def test_after_a_restart_of_everything_a_repetition_is_known_and_deadlines_still_fire(
    own_stack: Installed, note: Note
) -> None:
    """Stopped by Ctrl-C and started on the same data: the file is there, takes commands, and its clock goes on."""
    note(row="6", fault="a repetition after a restart of everything")
    async with own_stack.asking() as http:
        file = a_file(own_stack, http)
        starts = (datetime.now(UTC) + timedelta(days=60)).date()
        assert (await file.open(starts=str(starts), ends=str(starts))).status_code == 201
        first = await file.send(REVISED, key="k-1")
        before = await file.whole()
        deadlines = (await file.ask("GET", f"/delegations/{file.id}/deadlines")).json()
    own_stack.stop()
    own_stack.start()
    async with own_stack.asking() as http:
        file.http = http
        assert await file.whole() == before
        assert (await file.ask("GET", f"/delegations/{file.id}/deadlines")).json() == deadlines
        again = await file.send(REVISED, key="k-1")
        assert (again.status_code, again.text) == (200, first.text)
        assert code(await file.send(OTHER, key="k-1")) == (409, "idempotency_key_reused")
        assert (await file.send(OTHER)).status_code == 200
        due = deadlines["items"][0]["due_at"]
        moved = await file.ask("POST", "/demo/clock", by="root", json={"delegation": file.id, "to": due})
        assert moved.status_code == 200, moved.text
        types = [event.type for event in await file.events()]
    assert types.count("RequestRevised") == 2
    assert "DeadlineReminded" in types
