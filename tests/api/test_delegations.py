"""A delegation by HTTP: opened, changed, signed, listed, shown."""

import pytest

from tests.api.conftest import Api, code, fields, member, opening

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_file_is_opened_approved_and_shown(api: Api) -> None:
    """Every step of an approval goes by HTTP, and the file says whose turn it is and what is to be signed."""
    opened = await api.open()
    assert opened.status_code == 201, opened.text
    assert opened.headers["location"] == f"/api/v1/delegations/{api.id}"
    assert opened.json()["types"][0] == "DelegationOpened"

    added = await api.send(await member(api, "m-1", role="head"))
    assert added.status_code == 200, added.text
    assert (await api.send({"type": "submit_request"})).json()["phase"] == "submitted"
    for signer, step in (("hung", "department_head"), ("mai", "vice_president")):
        file = await api.file()
        assert (file["open_step"]["id"], file["waits_for"]) == (step, step)
        signed = await api.send(
            {"type": "sign_off", "step_id": step, "dossier_digest": file["open_step"]["dossier_digest"]}, by=signer
        )
        assert signed.status_code == 200, signed.text
    decided = await api.send({"type": "issue_decision", "number": "12/QĐ-LH"})
    assert decided.json()["phase"] == "approved"
    file = await api.file()
    assert (file["phase"], file["head_count"], file["waits_for"]) == ("approved", 1, "coordinator")
    # A notice that went out meanwhile may have its own event behind the decision's.
    last = decided.json()["last_seq"]
    assert file["seq"] >= last
    trail = (await api.ask("GET", f"/delegations/{api.id}/events?after={last - 1}&limit=1")).json()["items"]
    assert trail[0]["hash"] == decided.json()["head"]


async def test_a_batch_may_open_the_file(api: Api) -> None:
    """The first members can come with the opening; an id that is left out is derived from the key."""
    body = {"commands": [{"type": "open_delegation", **opening()}, await member(api, "m-1")]}
    first = await api.ask("POST", "/delegations", body, key="open-1")
    assert first.status_code == 201, first.text
    again = await api.ask("POST", "/delegations", body, key="open-1")
    assert again.json() == first.json()
    assert first.json()["delegation"].startswith("dlg-")
    other = await api.ask("POST", "/delegations", body, key="open-2")
    assert other.json()["delegation"] != first.json()["delegation"]


async def test_a_batch_that_does_not_open_is_refused(api: Api) -> None:
    """POST /delegations is for opening."""
    answer = await api.ask("POST", "/delegations", {"id": api.id, "commands": [{"type": "submit_request"}]})
    assert code(answer) == (422, "validation_failed")
    assert code(await api.ask("GET", f"/delegations/{api.id}")) == (404, "delegation_unknown")


async def test_a_trip_shows_what_other_files_say_of_its_leaders_and_refuses_a_second_key_leader(api: Api) -> None:
    """The head alone is observed: one trip of the two that the rules allow, this one; no warning."""
    assert (await api.open(direction="outbound", grade=None)).status_code == 201
    assert (await api.send(await member(api, "m-1", role="head", key_leader=True))).status_code == 200
    refused = await api.send(await member(api, "m-2", key_leader=True))
    assert code(refused) == (422, "limit_absolute")
    assert fields(refused)[0][0] == "key_leader"
    assert (await api.send(await member(api, "m-2"))).status_code == 200
    submitted = await api.send({"type": "submit_request"})
    assert "FactObserved" in submitted.json()["types"]
    (seen,) = (await api.file())["observations"]
    assert (seen["subject"], seen["value"], seen["allowed"], seen["warns"]) == ("m-1", 1, 2, False)
    assert (seen["rule"], seen["step"]) == ({"rule": "OUT-LEADER-TRIPS", "version": 1}, None)
