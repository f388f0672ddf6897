"""A round over the files that leave touches: how far it has come, what it asks, and what it does with a closed file."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.leave import DeskReviews, Progress, review_of
from domain.state import Phase
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from tests.running import Running
from workflows.ports import Away, ReviewInput


def test_a_round_goes_on_behind_the_last_file_and_comes_back_to_those_missed() -> None:
    """What is no longer touched is left out; what came meanwhile is told if it lies ahead."""
    beats: list[tuple[Any, ...]] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)

    def go() -> list[str]:
        progress = Progress.of_last_attempt()
        left = progress.left_of(["a", "b", "c", "d"])
        for file in left:
            progress.told(file, file != "c")
        return left

    assert environment.run(go) == ["a", "b", "c", "d"]
    assert beats == [("a", []), ("b", []), ("c", ["c"]), ("d", ["c"])]
    environment.info = ActivityEnvironment.default_info().__class__(
        **{**vars(ActivityEnvironment.default_info()), "heartbeat_details": ["c", ["b", "gone"]]}
    )
    assert environment.run(go) == ["b", "d"]


def test_one_occasion_is_one_command_to_each_file() -> None:
    """So a round that is repeated after a crash tells nobody twice; the next round is another command."""
    assert review_of("visit", "leave:1") == review_of("visit", "leave:1")
    ids = {review_of(file, occasion).command_id for file in ("visit", "trip") for occasion in ("leave:1", "leave:2")}
    assert len(ids) == 4


@pytest.mark.slow
async def test_a_file_that_is_closed_meanwhile_needs_nothing_and_an_occasion_is_taken_once(here: Running) -> None:
    """Told twice for one occasion, an open file has one event; a closed one holds nobody up."""
    await here.registers.accounts.create(AccountDetails(id="thay", name="Thay", roles=("approver",)))
    await here.open()
    await here.add("head", "head")
    await here.send({"type": "submit_request"})
    await here.idle()
    now = utc_now()
    leave = await here.registers.leaves.register("hung", "thay", now, now + timedelta(days=3), by="root")
    reviews = DeskReviews(here.client, here.registers.desks)
    asked = ReviewInput(occasion="leave:1", now=now, away=Away(leave=leave.id, account="hung"))
    for _ in range(2):
        assert (await ActivityEnvironment().run(reviews.review, asked)).files == 1
    await here.idle()
    types = [event.type for event in await here.registers.journal.events(here.id)]
    assert types.count("DeskMoved") == 1

    await here.send({"type": "cancel_delegation", "reason": await here.text("Đối tác hoãn")})
    await here.send({"type": "close_delegation"})
    await here.until(Phase.CLOSED)
    await here.client.get_workflow_handle(here.id).result()
    assert await ActivityEnvironment().run(reviews._tell, here.id, "leave:2", lambda: None)
