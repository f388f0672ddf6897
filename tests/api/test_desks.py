"""Whose desk: each signature moves a file from one inbox to the next."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import Api, code, member

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def inbox(api: Api, by: str) -> list[dict[str, object]]:
    """The lines of this test's file in somebody's inbox."""
    answer = await api.ask("GET", "/inbox?limit=200", by=by)
    assert answer.status_code == 200, answer.text
    return [line for line in answer.json()["items"] if line["delegation"] == api.id]


async def test_a_file_is_in_the_inbox_of_whose_turn_it_is_and_in_no_other(api: Api) -> None:
    """The coordinator's, then each signer's, then the coordinator's again."""
    await api.open()
    (mine,) = await inbox(api, "lan")
    assert (mine["what"], mine["account"], mine["position"], mine["age_days"]) == ("coordinator", "lan", None, 0)
    await api.send(await member(api, "m-1", role="head"), {"type": "submit_request"})
    (waiting,) = await inbox(api, "hung")
    assert (waiting["what"], waiting["position"]) == ("department_head", "department_head")
    assert waiting["step_title"] == {"vi": "Trưởng ban", "en": "Department head"}
    assert waiting["due_on"] is not None
    assert [await inbox(api, other) for other in ("lan", "mai", "an", "root")] == [[], [], [], []]
    digest = (await api.file())["open_step"]["dossier_digest"]
    answer = await api.ask(
        "POST",
        f"/delegations/{api.id}/commands",
        {"type": "sign_off", "step_id": "department_head", "dossier_digest": digest},
        by="hung",
    )
    assert answer.status_code == 200, answer.text
    assert await inbox(api, "hung") == []
    (next_one,) = await inbox(api, "mai")
    assert next_one["what"] == "vice_president"


async def test_a_substitute_s_inbox_has_what_waits_for_whoever_is_on_leave(api: Api) -> None:
    """While the leave lasts; not before it is registered."""
    await api.open()
    await api.send(await member(api, "m-1", role="head"), {"type": "submit_request"})
    substitute = {"id": f"thay-{api.id}", "name": "Đỗ Văn Thay", "roles": ["approver"]}
    assert (await api.ask("POST", "/accounts", substitute, by="root")).status_code == 201
    made = await api.ask("POST", f"/accounts/{substitute['id']}/tokens", {}, by="root")
    api.tokens[str(substitute["id"])] = made.json()["token"]
    assert await inbox(api, str(substitute["id"])) == []
    now = datetime.now(UTC)
    away = {
        "account": "hung",
        "substitute": substitute["id"],
        "since": (now - timedelta(hours=1)).isoformat(),
        "until": (now + timedelta(days=1)).isoformat(),
    }
    leave = await api.ask("POST", "/institution/leaves", away, by="root")
    assert leave.is_success, leave.text
    [waiting] = await inbox(api, str(substitute["id"]))
    assert (waiting["what"], waiting["position"]) == ("department_head", "department_head")
    revoked = await api.ask("POST", f"/institution/leaves/{leave.json()['id']}/revoke", by="root")
    assert revoked.is_success, revoked.text
    assert await inbox(api, str(substitute["id"])) == []


async def test_desks_are_listed_and_counted_for_everybody(api: Api) -> None:
    """By position and organisation; a cursor of another list is refused."""
    await api.open(organisation=api.id)
    await api.send(await member(api, "m-1", role="head"), {"type": "submit_request"})
    listed = (await api.ask("GET", f"/desks?organisation={api.id}&position=department_head", by="an")).json()
    assert [line["delegation"] for line in listed["items"]] == [api.id]
    assert (await api.ask("GET", f"/desks?organisation={api.id}&missed=true", by="an")).json()["items"] == []
    totals = (await api.ask("GET", f"/desks/totals?by=position&organisation={api.id}", by="an")).json()["items"]
    assert [(one["name"], one["files"], one["missed"]) for one in totals] == [("department_head", 1, 0)]
    assert code(await api.ask("GET", "/desks?cursor=AAAA")) == (400, "cursor_unknown")
    assert (await api.ask("GET", "/desks?position=%00")).status_code == 422
