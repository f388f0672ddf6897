"""Plans of retention over HTTP: the schedule, a plan that removes nothing, and one that is applied by a worker."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from domain.retention import KINDS
from storage.metadata import utc_now
from storage.sessions import sessions
from tests.api.conftest import Api, code

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def over(api: Api, id: str) -> None:
    """A session that was over two years ago."""
    ago = utc_now() - timedelta(days=730)
    row = {"id": id, "account": "lan", "digest": id, "factor": "password", "created_at": ago}
    async with api.here.registers.database.writing() as connection:
        await connection.execute(insert(sessions).values(**row, last_seen_at=ago, expires_at=ago))


async def left(api: Api) -> set[str]:
    async with api.here.registers.database.reading() as connection:
        return set((await connection.execute(select(sessions.c.id))).scalars())


async def post(api: Api, path: str) -> dict[str, Any]:
    answer = await api.ask("POST", f"/retention/plans{path}", by="root")
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_schedule_names_every_kind_and_what_is_swept(api: Api) -> None:
    """With its rule, what is due now, and what becomes of it."""
    found = (await api.ask("GET", "/retention", by="an")).json()
    assert sorted(one["what"] for one in found["items"]) == sorted(KINDS)
    ways = {one["what"]: one["way"] for one in found["items"]}
    assert (ways["trail"], ways["person_details"], ways["sessions"]) == ("kept", "proposed", "planned")
    due = {one["what"]: one["due_before"] for one in found["items"]}
    assert due["trail"] is None
    assert due["sessions"] is not None
    assert (found["round"], found["plan_days"], found["unclaimed_days"], found["received_mail_days"]) == (
        "plan", 7, 30, 90,
    )  # fmt: skip


async def test_a_plan_is_made_shown_and_applied_by_the_worker(api: Api) -> None:
    """Nothing goes before it is applied, and what it says then is what was done."""
    await over(api, "ses_applied0")
    plan = await post(api, "")
    assert (plan["status"], plan["made_by"], plan["count"]) == ("open", "root", sum(k["count"] for k in plan["kinds"]))
    entries = (await api.ask("GET", f"/retention/plans/{plan['id']}/entries/sessions", by="an")).json()
    assert {"entry": "ses_applied0", "outcome": None} in entries["items"]
    assert "ses_applied0" in await left(api)
    assert (await api.ask("GET", "/retention/plans", by="an")).json()["items"][0] == plan
    assert (await post(api, f"/{plan['id']}/apply"))["agreed_by"] == "root"
    async with asyncio.timeout(30):
        while (shown := (await api.ask("GET", f"/retention/plans/{plan['id']}", by="an")).json())[
            "status"
        ] != "applied":
            await asyncio.sleep(0.05)
    assert "ses_applied0" not in await left(api)
    [outcome] = [kind["outcome"] for kind in shown["kinds"] if kind["what"] == "sessions"]
    assert outcome == {"removed": len(entries["items"])}
    assert (await post(api, f"/{plan['id']}/apply"))["status"] == "applied"
    assert code(await api.ask("POST", f"/retention/plans/{plan['id']}/stop", by="root")) == (409, "plan_ended")


async def test_a_stopped_plan_is_not_applied(api: Api) -> None:
    """What it listed stays."""
    await over(api, "ses_stopped0")
    plan = await post(api, "")
    assert (await post(api, f"/{plan['id']}/stop"))["status"] == "stopped"
    assert code(await api.ask("POST", f"/retention/plans/{plan['id']}/apply", by="root")) == (409, "plan_ended")
    assert "ses_stopped0" in await left(api)


async def test_entries_come_in_pages(api: Api) -> None:
    """In order, each once."""
    for number in range(5):
        await over(api, f"ses_paged{number}")
    plan = await post(api, "")
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        path = f"/retention/plans/{plan['id']}/entries/sessions?limit=2&after={after}"
        page = (await api.ask("GET", path, by="an")).json()
        found += [one["entry"] for one in page["items"]]
        after = page["next_after"]
    assert found == sorted(found)
    assert {f"ses_paged{number}" for number in range(5)} <= set(found)


async def test_what_is_not_there_is_said(api: Api) -> None:
    """404 of a plan, 422 of a kind."""
    for method, path in (("GET", ""), ("POST", "/apply"), ("POST", "/stop"), ("GET", "/entries/sessions")):
        answer = await api.ask(method, f"/retention/plans/ret_nothing00{path}", by="root")
        assert code(answer) == (404, "plan_unknown")
    plan = await post(api, "")
    assert code(await api.ask("GET", f"/retention/plans/{plan['id']}/entries/cats", by="an")) == (
        422,
        "validation_failed",
    )
