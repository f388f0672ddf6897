"""The dossier by HTTP: what is to be signed, whole, and what changed since its reader last answered."""

from typing import Any

import pytest

from domain.canonical import digest_of
from tests.api.conftest import Api, code, member

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def shown(api: Api, by: str, **query: Any) -> dict[str, Any]:
    """The dossier as somebody sees it."""
    answer = await api.ask("GET", f"/delegations/{api.id}/dossier", by=by, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def accepted(api: Api, *commands: dict[str, Any], by: str = "lan") -> None:
    """Send what is accepted."""
    answer = await api.send(*commands, by=by)
    assert answer.status_code == 200, answer.text


def item(name: str, hour: int, **more: Any) -> dict[str, Any]:
    """A session on a day in 2030."""
    starts, ends = (f"2030-04-07T{at:02}:00" for at in (hour, hour + 2))
    return {"item_id": name, "starts": {"local": starts}, "ends": {"local": ends}} | more


async def test_a_dossier_is_read_whole_before_it_is_signed(api: Api) -> None:
    """Its digest is that of the parts shown; whoever reads it for the first time has nothing to compare with."""
    await api.open()
    missing = await api.ask("GET", f"/delegations/{api.id}/dossier", by="hung")
    assert code(missing) == (404, "dossier_missing")
    head = await member(api, "sato", role="head")
    forum = item("forum", 9, type="schedule_item", title="Diễn đàn", audience={"groups": ["delegates"]})
    await accepted(api, head, forum, {"type": "submit_request"})
    one = await shown(api, "hung")
    assert one["digest"] == (await api.file())["open_step"]["dossier_digest"]
    assert one["digest"] == digest_of([[part["part"], part["commitment"]] for part in one["parts"]])
    assert [part["part"] for part in one["parts"]] == ["request", "member:sato", "programme", "ceiling"]
    assert one["parts"][1]["content"]["person"] == head["person"]
    assert one["parts"][2]["content"][0]["title"] == "Diễn đàn"
    assert one["ceiling"]["total_vnd"] == one["parts"][3]["content"]["total_vnd"]
    assert (one["proposal"], one["submitted_by"], one["step"]) == (1, "lan", "department_head")
    assert (one["policy"], one["signatures"]) == ({"rule": "IN-APPROVAL", "version": 2}, [])
    assert one["differences"] == {"since": None, "why": "first", "items": [], "ceiling_before": None}


async def test_after_a_return_each_sees_what_changed_since_they_or_the_stage_before_saw_it(api: Api) -> None:
    """The head returned it and sees all that is new; the vice-president sees that nothing did since the head signed."""
    await api.open()
    talk = item("talk", 14, type="schedule_item", title="Tọa đàm", audience={"groups": ["delegates"]})
    await accepted(api, await member(api, "sato", role="head"), talk, {"type": "submit_request"})
    first = await shown(api, "hung")
    reason = (await api.ask("POST", f"/delegations/{api.id}/texts", {"text": "Thiếu"}, by="hung")).json()
    step = {"step_id": "department_head", "dossier_digest": first["digest"]}
    await accepted(api, {"type": "return_step", "reason": reason, **step}, by="hung")
    changes = (
        item("talk", 16, type="move_item"),
        await member(api, "ito"),
        {"type": "revise_request", "purpose": "Giao lưu văn hóa"},
    )
    await accepted(api, *changes, {"type": "submit_request"})
    second = await shown(api, "hung")
    found = second["differences"]
    assert (found["since"], found["why"]) == (1, "you_answered")
    assert [(one["part"], one["item"], one["change"]) for one in found["items"]] == [
        ("request", "purpose", "changed"),
        ("member:ito", None, "added"),
        ("programme", "talk", "changed"),
        ("ceiling", "total_vnd", "changed"),
    ]
    assert (found["ceiling_before"]["head_count"], second["ceiling"]["head_count"]) == (1, 2)
    moved = found["items"][2]
    assert (moved["before"]["starts"]["local"], moved["after"]["starts"]["local"]) == (
        "2030-04-07T14:00",
        "2030-04-07T16:00",
    )
    signing = {"type": "sign_off", "step_id": "department_head", "dossier_digest": second["digest"]}
    await accepted(api, signing, by="hung")
    third = await shown(api, "mai", step="vice_president")
    since = third["differences"]
    assert (since["since"], since["why"], since["items"]) == (2, "step_before_answered", [])
    assert (since["ceiling_before"], third["ceiling"]) == (second["ceiling"], second["ceiling"])
    [signature] = third["signatures"]
    assert (signature["step"], signature["by"], signature["factor"], signature["right"]["position"]) == (
        "department_head",
        "hung",
        "token",
        "department_head",
    )


async def test_a_step_that_the_chain_does_not_have_is_unknown(api: Api) -> None:
    """The answer names it."""
    await api.open()
    await accepted(api, await member(api, "sato", role="head"), {"type": "submit_request"})
    answer = await api.ask("GET", f"/delegations/{api.id}/dossier", by="an", params={"step": "nobody"})
    assert code(answer) == (422, "step_unknown")
    assert (await shown(api, "an"))["step"] == "department_head"
