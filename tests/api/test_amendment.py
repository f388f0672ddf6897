"""A change after the decision by HTTP: what waits for approval is named, and the open step carries its own digest."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.values import BUSINESS_ZONE, business_date
from tests.api.conftest import Api, code, member
from tests.storage.samples import PDF_FILE, in_pieces

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def answer_step(api: Api) -> None:
    """Answer the first open step: by who holds its position, or by the letter of the authority outside."""
    step = (await api.file())["open_step"]
    body: dict[str, Any] = {"step_id": step["id"], "dossier_digest": step["dossier_digest"]}
    by = {"department_head": "hung", "vice_president": "mai"}.get(step["position"], "lan")
    if step["external"]:
        letter = (await api.here.registers.attachments.store(in_pieces(PDF_FILE + step["id"].encode()))).model_dump()
        body |= {"type": "record_external_decision", "outcome": "approved", "letter": letter}
        body |= {
            "authority": "Cơ quan",
            "reference": "7/CV",
            "dated": business_date(datetime.now(UTC), BUSINESS_ZONE).isoformat(),
        }
    answer = await api.send(body if step["external"] else body | {"type": "sign_off"}, by=by)
    assert answer.status_code == 200, answer.text


async def test_what_changed_after_the_decision_is_named_until_it_is_approved(api: Api) -> None:
    """409 for the publication, in words that name the part; the signer reads the digest of the change."""
    await api.open(run_by="provincial_union")
    await api.send(await member(api, "m-1", role="head"), {"type": "submit_request"})
    for _ in range(4):
        await answer_step(api)
    await api.send({"type": "issue_decision", "number": "12/QĐ-LH"})
    file = await api.file()
    assert (file["unapproved"], file["open_steps"]) == ([], [])
    assert code(await api.send({"type": "submit_change"})) == (409, "nothing_to_approve")

    day = file["state"]["starts"]
    times = {"starts": {"local": f"{day}T09:00"}, "ends": {"local": f"{day}T10:00"}}
    session = {"type": "schedule_item", "item_id": "s-1", "title": "Phiên họp", "audience": {"groups": ["delegates"]}}
    await api.send(session | times)
    assert (await api.file())["unapproved"] == ["programme"]
    refused = await api.send({"type": "invite"})
    assert code(refused) == (409, "change_unapproved")
    assert "programme" in refused.json()["detail"]

    await api.send({"type": "submit_change"})
    waiting = await api.file()
    assert (waiting["phase"], waiting["waits_for"], waiting["unapproved"]) == (
        "approved",
        "vice_president",
        ["programme"],
    )
    assert waiting["open_step"]["dossier_digest"] == waiting["state"]["amendment"]["digest"]
    assert waiting["state"]["amendment"]["digest"] != waiting["state"]["proposal"]["digest"]
    await answer_step(api)
    assert (await api.file())["unapproved"] == []
    assert (await api.send({"type": "invite"})).json()["phase"] == "inviting"
