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
    """While the leave lasts, with whom they stand in for; not before. What they may not sign says why."""
    await api.open()
    await api.send(await member(api, "m-1", role="head"), {"type": "submit_request"})
    substitute = {"id": f"thay-{api.id}", "name": "Đỗ Văn Thay", "roles": ["approver", "coordinator"]}
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
    assert (waiting["on_behalf_of"], waiting["why_not"]) == ("hung", None)
    theirs = (await api.ask("GET", f"/desks?account={substitute['id']}&delegation={api.id}", by="an")).json()["items"]
    assert [line["signers"] for line in theirs] == [sorted(["hung", str(substitute["id"])])]
    await api.send({"type": "hand_over", "to": substitute["id"]})
    [own] = await inbox(api, str(substitute["id"]))
    assert (own["on_behalf_of"], own["why_not"]) == ("hung", "own_request")
    [still] = await inbox(api, "hung")
    assert (still["on_behalf_of"], still["why_not"]) == (None, None)
    revoked = await api.ask("POST", f"/institution/leaves/{leave.json()['id']}/revoke", by="root")
    assert revoked.is_success, revoked.text
    assert await inbox(api, str(substitute["id"])) == []


async def test_desks_are_listed_and_counted_for_everybody(api: Api) -> None:
    """By approver, position and organisation, of a file or of an organisation with those below it."""
    above = f"over-{api.id}"
    for slug, parent in ((above, None), (api.id, above)):
        made = {"slug": slug, "kind": "provincial_union", "parent": parent, "name": {"vi": slug, "en": slug}}
        answer = await api.ask("POST", "/institution/organisations", made, by="root")
        assert answer.status_code == 201, answer.text
    await api.open(organisation=api.id)
    await api.send(await member(api, "m-1", role="head"), {"type": "submit_request"})
    here = f"organisation={above}"
    [line] = (await api.ask("GET", f"/desks?{here}&position=department_head", by="an")).json()["items"]
    assert (line["delegation"], line["organisation"], line["desk_organisation"]) == (api.id, api.id, None)
    assert (line["signers"], line["working_days"], line["ageing"]) == (["hung"], 0, "up_to_2")
    for none in (f"{here}&missed=true", f"{here}&account=mai", f"{here}&delegation=another", "organisation=nowhere"):
        assert (await api.ask("GET", f"/desks?{none}", by="an")).json()["items"] == []
    ages = {"up_to_2": 1, "3_to_5": 0, "6_to_10": 0, "over_10": 0}
    for by, name in (("approver", "hung"), ("position", "department_head"), ("organisation", api.id)):
        [one] = (await api.ask("GET", f"/desks/totals?by={by}&{here}", by="an")).json()["items"]
        assert (one["name"], one["files"], one["missed"], one["ageing"]) == (name, 1, 0, ages)
    assert code(await api.ask("GET", "/desks?cursor=AAAA")) == (400, "cursor_unknown")
    assert (await api.ask("GET", "/desks?position=%00")).status_code == 422
