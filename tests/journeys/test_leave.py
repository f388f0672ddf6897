"""Leave reaches a file that waits: through the API, by the file's own clock, and back when it is over or revoked."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from api.application import create_application
from domain.desk import Substitute, desks
from domain.state import Delegation
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from tests.api.conftest import serving, tokens_of, with_key
from tests.running import Running
from workflows.leave import DeskReview

pytestmark = pytest.mark.slow

THAY = AccountDetails(id="thay", name="Đỗ Thị Thay", email="thay@songlam.example", language="en", roles=("approver",))
KIM = THAY.model_copy(update={"id": "kim", "name": "Ngô Kim", "email": "kim@songlam.example"})


@dataclass
class Institution:
    """The routes of leave, asked by an administrator."""

    here: Running
    http: httpx2.AsyncClient
    tokens: dict[str, str]

    async def ask(self, method: str, path: str, body: Any = None, by: str = "root") -> dict[str, Any]:
        """Send a request that has to succeed."""
        headers = {"Authorization": f"Bearer {self.tokens[by]}"}
        answer = await self.http.request(method, path, headers=headers, **({} if body is None else {"json": body}))
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def away(self, account: str, since: datetime, until: datetime, substitute: str = "thay") -> str:
        """Register leave; return its id."""
        body = {"account": account, "substitute": substitute, "since": since.isoformat(), "until": until.isoformat()}
        return str((await self.ask("POST", "/institution/leaves", body))["id"])


@pytest.fixture
async def institution(here: Running) -> Any:
    """The API of this test's installation, whose file waits for the department head, Hùng."""
    await here.registers.accounts.create(THAY)
    await here.open()
    await here.add("head", "head")
    await here.send({"type": "submit_request"})
    await here.idle()
    async with serving(create_application(with_key(here.settings), client=here.client)) as http:
        yield Institution(here, http, await tokens_of(here))


async def seen(here: Running, holds: Callable[[Delegation], bool]) -> Delegation:
    """The file once something holds for it, and everything that it asked for is done."""
    async with asyncio.timeout(20):
        while not holds(await here.file()):
            await asyncio.sleep(0.02)
    return await here.idle()


def standing_in(file: Delegation) -> list[tuple[str, str]]:
    """At which desks somebody stands in now."""
    return [(one.what, one.substitute) for one in file.stand_ins if one.in_force]


async def sign(here: Running, step: str, by: str) -> dict[str, Any]:
    """Sign, and return by what right."""
    proposal = (await here.file()).proposal
    assert proposal is not None
    await here.send({"type": "sign_off", "step_id": step, "dossier_digest": proposal.digest}, by=by)
    events = await here.registers.journal.events(here.id)
    right: dict[str, Any] = next(one.data["right"] for one in reversed(events) if one.type == "StepSigned")
    return right


async def kinds(here: Running) -> list[tuple[str, str, str]]:
    """What the trail says of desks: event, desk, substitute."""
    return [
        (one.type, one.data["what"], one.data.get("to") or one.data["substitute"])
        for one in await here.registers.journal.events(here.id)
        if one.type in ("DeskMoved", "DeskReturned")
    ]


def told(here: Running, who: str) -> list[str]:
    """The text of every mail to somebody."""
    found = []
    for to, content in here.post.taken:
        body = here.post.parsed(content).get_body(("plain",))  # type: ignore[attr-defined]
        if to == f"{who}@songlam.example":
            found.append(body.get_content())
    return found


async def test_leave_reaches_an_open_file_at_once_and_the_substitute_signs(
    here: Running, institution: Institution
) -> None:
    """The desk moves, the substitute is told and signs KT.

    The signature opens the next desk: of somebody on leave too, for whom Thay, who has signed, could not sign any more.
    """
    now = utc_now()
    first = await institution.away("hung", now - timedelta(hours=1), now + timedelta(days=5))
    file = await seen(here, lambda file: standing_in(file) == [("department_head", "thay")])
    [desk] = desks(file)
    assert [(one.account, one.leave, one.in_force) for one in desk.substitutes] == [("hung", first, True)]

    [shown] = (await institution.ask("GET", "/desks"))["items"]
    assert shown["substitutes"] == [
        Substitute.model_validate(one.model_dump()).model_dump(mode="json") for one in desk.substitutes
    ]
    assert [one["delegation"] for one in (await institution.ask("GET", "/inbox", by="thay"))["items"]] == [here.id]
    [mail] = told(here, "thay")
    due = file.deadlines["step.department_head.1"].due_on
    for words in (
        "you sign for Lê Văn Hùng, within the registered absence",
        "Version: 1",
        "Submitted by: Trần Thị Lan",
        f"{due.day} {due:%B %Y}",
        f"{here.settings.public_url}/delegations/{here.id}/steps/department_head",
    ):
        assert words in mail

    await here.registers.accounts.create(KIM)
    hours = (now - timedelta(hours=1), now + timedelta(days=5))
    second = await institution.away("mai", *hours)
    right = await sign(here, "department_head", by="thay")
    assert (right["prefix"], right["account"], right["on_behalf_of"], right["leave"]) == ("KT", "thay", "hung", first)
    assert standing_in(await here.idle()) == []

    await institution.ask("POST", f"/institution/leaves/{second}/revoke")
    await institution.away("mai", *hours, substitute="kim")
    await seen(here, lambda file: standing_in(file) == [("vice_president", "kim")])
    assert (await sign(here, "vice_president", by="kim"))["prefix"] == "KT"
    assert (await here.idle()).stand_ins == ()
    assert await kinds(here) == [("DeskMoved", "department_head", "thay"), ("DeskMoved", "vice_president", "kim")]
    assert (len(told(here, "thay")), len(told(here, "kim"))) == (1, 1)


async def test_a_revoked_leave_gives_the_desk_back_at_once(here: Running, institution: Institution) -> None:
    """And another end is noted without moving anything."""
    now = utc_now()
    leave = await institution.away("hung", now - timedelta(hours=1), now + timedelta(days=5))
    await seen(here, lambda file: standing_in(file) == [("department_head", "thay")])
    later = (now + timedelta(days=9)).replace(microsecond=0)
    await institution.ask("POST", f"/institution/leaves/{leave}/end", {"until": later.isoformat()})
    await seen(here, lambda file: [one.until for one in file.stand_ins] == [later])
    await institution.ask("POST", f"/institution/leaves/{leave}/revoke")
    await seen(here, lambda file: file.stand_ins == ())
    assert await kinds(here) == [
        ("DeskMoved", "department_head", "thay"),
        ("DeskReturned", "department_head", "thay"),
    ]
    await here.idle()
    [_, over] = told(here, "thay")
    assert "lies with Lê Văn Hùng alone again; you no longer sign it" in over
    [shown] = (await institution.ask("GET", "/desks"))["items"]
    assert shown["substitutes"] == []


async def test_a_leave_to_come_moves_the_desk_by_itself_and_back(here: Running, institution: Institution) -> None:
    """At its first instant and at its end, by the file's own clock; the reminder in between reaches both."""
    begins = utc_now().replace(microsecond=0) + timedelta(days=1)
    ends = begins + timedelta(days=20)
    await institution.away("hung", begins, ends)
    file = await seen(here, lambda file: len(file.stand_ins) == 1)
    assert standing_in(file) == []
    assert told(here, "thay") == []

    await here.clock.advance(here.id, begins)
    file = await seen(here, lambda file: standing_in(file) == [("department_head", "thay")])
    [moved] = [one for one in await here.registers.journal.events(here.id) if one.type == "DeskMoved"]
    assert moved.actor == "system"
    assert abs(moved.instant - begins) < timedelta(seconds=1)

    due = file.deadlines["step.department_head.1"]
    await here.clock.advance(here.id, due.due_at - timedelta(minutes=1))
    await here.idle()
    assert any("Reminder" in subject for to, subject in here.post.subjects() if to == THAY.email)
    reminded = {to for to, subject in here.post.subjects() if subject.startswith(("Reminder", "Nhắc hạn"))}
    assert {"lan@songlam.example", "hung@songlam.example", "thay@songlam.example"} <= reminded

    await here.clock.advance(here.id, ends)
    await seen(here, lambda file: file.stand_ins == ())
    assert await kinds(here) == [
        ("DeskMoved", "department_head", "thay"),
        ("DeskReturned", "department_head", "thay"),
    ]


async def test_the_night_s_round_tells_what_nobody_told(here: Running, institution: Institution) -> None:
    """Leave that came into the register while Temporal was away; a second night changes nothing more."""
    now = utc_now()
    await here.registers.leaves.register("hung", "thay", now - timedelta(hours=1), now + timedelta(days=5), by="root")
    assert standing_in(await here.idle()) == []
    for night in ("one", "two"):
        reviewed = await here.client.execute_workflow(
            DeskReview.run, id=f"night:{here.id}:{night}", task_queue=here.settings.temporal_task_queue
        )
        assert reviewed.files == 1
        await seen(here, lambda file: standing_in(file) == [("department_head", "thay")])
    assert await kinds(here) == [("DeskMoved", "department_head", "thay")]
    assert institution.here is here


async def test_leave_is_registered_although_temporal_is_away_and_told_when_the_api_starts_again(
    here: Running, institution: Institution
) -> None:
    """The register's answer waits for nobody. So it is after a kill between the register and the round, too."""
    settings = with_key(here.settings)
    away = settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    begins = datetime.now(UTC) - timedelta(hours=1)
    async with serving(create_application(away)) as http:
        alone = Institution(here, http, institution.tokens)
        leave = await alone.away("hung", begins, begins + timedelta(days=1))
    assert (await here.registers.leaves.get(leave)) is not None
    assert (await here.idle()).stand_ins == ()
    async with serving(create_application(settings)):
        await seen(here, lambda file: standing_in(file) == [("department_head", "thay")])
