"""Checklist and notes of a file over the API: who may, what moves with the visit, what two people at once see."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from storage.accounts import AccountDetails
from tests.api.conftest import Api, code

pytestmark = pytest.mark.asyncio(loop_scope="session")

DUE = {"anchor": "arrival", "side": "before", "offset": 3, "unit": "days"}


async def add(api: Api, title: str, by: str = "lan", **more: Any) -> dict[str, Any]:
    """Put something on the list."""
    answer = await api.ask(
        "POST", f"/delegations/{api.id}/checklist", {"title": title} | more, by=by, key=uuid.uuid4().hex
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def shown(api: Api, by: str = "lan") -> dict[str, Any]:
    """The checklist of this test's file."""
    answer = await api.ask("GET", f"/delegations/{api.id}/checklist", by=by)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_template_is_taken_over_and_its_days_move_with_the_visit(api: Api) -> None:
    """The one for any guests fits; a second one is refused, an unknown one unknown."""
    await api.open()
    assert await shown(api) == {"items": [], "chosen": None, "templates": ["inbound-general"]}
    path = f"/delegations/{api.id}/checklist"
    assert code(await api.ask("PUT", path, {"template": "nothing"})) == (404, "checklist_template_unknown")
    assert (await api.ask("PUT", path, {"template": "inbound-general"})).status_code == 200
    assert code(await api.ask("PUT", path, {"template": "outbound-general"})) == (409, "checklist_chosen")
    found = await shown(api)
    assert found["chosen"] == "inbound-general"
    assert [one["title"]["en"] for one in found["items"]][-1] == "Send letters of thanks and photographs"
    own = await add(api, "Đặt hoa", due=DUE)
    state = (await api.file())["state"]
    starts, ends = (date.fromisoformat(state[name]) for name in ("starts", "ends"))
    assert own["due_on"] == str(starts - timedelta(days=3))
    moved = {"type": "revise_request", "starts": str(starts + timedelta(days=7)), "ends": str(ends + timedelta(days=7))}
    assert (await api.send(moved)).status_code == 200
    after = {one["id"]: one["due_on"] for one in (await shown(api))["items"]}
    assert after[own["id"]] == str(starts + timedelta(days=4))


async def test_an_entry_is_given_to_somebody_changed_ticked_and_removed(api: Api) -> None:
    """The second of two who read the same version is told; what does not exist is not assigned."""
    await api.open()
    entry = await add(api, "Đặt hoa", due=DUE, assignee="lan")
    path = f"/delegations/{api.id}/checklist/{entry['id']}"
    body = {"title": "Đặt hoa sen", "version": 1}
    changed = await api.ask("PUT", path, body)
    assert (changed.json()["title"]["vi"], changed.json()["due_on"], changed.json()["version"]) == (
        "Đặt hoa sen",
        None,
        2,
    )
    assert code(await api.ask("PUT", path, body)) == (409, "checklist_entry_changed")
    nobody = body | {"version": 2, "assignee": "nobody"}
    assert code(await api.ask("PUT", path, nobody)) == (404, "account_unknown")
    for _ in range(2):
        done = await api.ask("POST", f"{path}/done", {"done": True})
        assert (done.json()["pressing"], done.json()["done_by"]) == ("done", "lan")
    assert [(await api.ask("DELETE", path)).status_code for _ in range(2)] == [204, 204]
    assert (await shown(api))["items"] == []
    assert code(await api.ask("PUT", path, body)) == (404, "checklist_entry_unknown")


async def test_whoever_has_to_do_it_ticks_it_and_no_other_approver(api: Api) -> None:
    """Roles let approvers ask; the entry says whose it is. Auditors see no names, and so no list."""
    await api.open()
    entry = await add(api, "Duyệt thực đơn", assignee="hung")
    path = f"/delegations/{api.id}/checklist/{entry['id']}"
    assert code(await api.ask("POST", f"{path}/done", {"done": True}, by="mai")) == (403, "checklist_entry_not_yours")
    tasks = (await api.ask("GET", "/me/tasks", by="hung")).json()["items"]
    assert [one["entry"]["title"]["vi"] for one in tasks if one["delegation"] == api.id] == ["Duyệt thực đơn"]
    assert (await api.ask("POST", f"{path}/done", {"done": True}, by="hung")).status_code == 200
    tasks = (await api.ask("GET", "/me/tasks", by="hung")).json()["items"]
    assert [one for one in tasks if one["delegation"] == api.id] == []
    assert code(await api.ask("DELETE", path, by="hung")) == (403, "role_not_allowed")
    assert code(await api.ask("GET", f"/delegations/{api.id}/checklist", by="an")) == (403, "role_not_allowed")


async def test_own_tasks_are_those_of_the_next_fourteen_days(api: Api) -> None:
    """What is later is not shown yet."""
    await api.open()
    state = (await api.file())["state"]
    far = (date.fromisoformat(state["starts"]) - datetime.now(UTC).date()).days
    assert far > 20
    await add(api, "Ngày mai", assignee="mai", due=DUE | {"offset": far - 1})
    await add(api, "Còn lâu", assignee="mai", due=DUE | {"offset": 0})
    tasks = (await api.ask("GET", "/me/tasks", by="mai")).json()["items"]
    assert [one["entry"]["title"]["vi"] for one in tasks if one["delegation"] == api.id] == ["Ngày mai"]


async def test_notes_are_written_by_those_who_work_on_the_file(api: Api) -> None:
    """Each by its author; every version stays; another's is not to be changed."""
    await api.open()
    path = f"/delegations/{api.id}/notes"
    made = (await api.ask("POST", path, {"text": "Một"}, key="n-1")).json()
    assert (await api.ask("POST", path, {"text": "Một"}, key="n-1")).json() == made
    assert code(await api.ask("POST", path, {"text": " "}, key="n-2")) == (422, "text_refused")
    one = f"{path}/{made['id']}"
    assert code(await api.ask("PUT", one, {"text": "Hai", "version": 1}, by="hung")) == (403, "note_not_yours")
    assert (await api.ask("PUT", one, {"text": "Hai", "version": 1})).json()["version"] == 2
    assert code(await api.ask("PUT", one, {"text": "Ba", "version": 1})) == (409, "note_changed")
    versions = (await api.ask("GET", f"{one}/versions", by="root")).json()["items"]
    assert [(one["version"], one["text"]) for one in versions] == [(1, "Một"), (2, "Hai")]
    assert [one["text"] for one in (await api.ask("GET", path, by="hung")).json()["items"]] == ["Hai"]
    assert code(await api.ask("GET", path, by="an")) == (403, "role_not_allowed")
    assert code(await api.ask("GET", f"{path}?cursor=x")) == (400, "cursor_unknown")


async def test_nobody_reaches_the_list_of_a_file_of_others(api: Api) -> None:
    """As for the file itself."""
    await api.open()
    registers = api.here.registers
    id = f"far-{api.id}"
    far = AccountDetails(id=id, name="Xa", roles=("coordinator",), organisation="elsewhere")
    await registers.accounts.create(far)
    _, api.tokens[id] = await registers.accounts.create_token(id)
    for path in ("checklist", "notes"):
        answer = await api.ask("GET", f"/delegations/{api.id}/{path}", by=id)
        assert code(answer) == (403, "organisation_out_of_reach")
