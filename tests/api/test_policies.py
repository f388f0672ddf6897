"""`POST /policies/explain`: which policy a delegation would get; nothing is opened."""

import pytest

from tests.api.conftest import Api, code, member, opening

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_request_is_told_its_policy_and_why(api: Api) -> None:
    """By everything that its file would hold, and without a file afterwards."""
    head = {
        "type": "add_member",
        "member_id": "m-1",
        "role": "head",
        "country": "JP",
        "person": {"ref": "per_00000000", "commitment": "0" * 64},
    }
    body = {"id": api.id, "commands": [{"type": "open_delegation", **opening(run_by="central_union")}, head]}
    answer = await api.ask("POST", "/policies/explain", body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["policy"]["id"] == "IN-CENTRAL"
    assert [step["id"] for step in found["policy"]["steps"]] == [
        "department_head",
        "finance",
        "protocol",
        "standing_vice_president",
    ]
    assert [one["policy"] for one in found["why"] if one["applies"]] == ["IN-CENTRAL", "IN-APPROVAL"]
    assert (await api.ask("GET", f"/delegations/{api.id}")).status_code == 404


async def test_another_matter_has_another_policy(api: Api) -> None:
    """Who accepts the report."""
    answer = await api.ask("POST", "/policies/explain?matter=final_report", opening(), by="hung")
    assert answer.json()["policy"]["id"] == "IN-REPORT-ACCEPTANCE"
    assert (await api.ask("POST", "/policies/explain?matter=weather", opening())).status_code == 422


async def test_who_signs_a_change_after_the_decision_is_told_with_what_it_is_about(api: Api) -> None:
    """Without such a policy it is null: changes need no approval."""
    body = opening(run_by="provincial_union")
    found = (await api.ask("POST", "/policies/explain?matter=programme_change", body, by="hung")).json()
    assert (found["policy"]["id"], found["policy"]["about"]) == (
        "IN-CHANGE-PROVINCIAL",
        ["request", "member", "programme"],
    )
    assert (await api.ask("POST", "/policies/explain?matter=programme_change", opening())).json()["policy"] is None


async def test_what_could_not_be_opened_is_refused_as_it_would_be(api: Api) -> None:
    """By the same rules."""
    answer = await api.ask("POST", "/policies/explain", opening(starts="2020-01-01", ends="2020-01-02"))
    assert code(answer) == (422, "arrival_before_request")


async def test_it_says_who_sits_at_each_desk_and_who_decides_in_a_conflict(api: Api) -> None:
    """By the registers as they stand: whoever asks would be the one whose request it is."""
    found = (await api.ask("POST", "/policies/explain", opening())).json()
    sitting = [[(one["account"], one["why"]) for one in step["desks"][0]["sitting"]] for step in found["steps"]]
    assert sitting == [[("hung", None)], [("mai", None)]]
    assert [step["hindered"] for step in found["steps"]] == [[], []]
    own = (await api.ask("POST", "/policies/explain", opening(), by="hung")).json()
    assert own["conflicted"] == [
        {"step_id": "department_head", "positions": ["department_head"], "why": ["own_request"],
         "left_to": "vice_president"}
    ]  # fmt: skip
    assert [step["step_id"] for step in own["steps"]] == ["vice_president"]


async def test_of_an_open_file_it_says_what_it_got_and_what_it_would_get(api: Api) -> None:
    """Before the submission nothing was got; outbound, nobody here holds the positions that the chain asks for."""
    body = {"id": api.id, "commands": [{"type": "open_delegation", **opening(direction="outbound", grade=None)}]}
    assert (await api.ask("POST", "/delegations", body)).status_code == 201
    found = (await api.ask("GET", f"/delegations/{api.id}/policy", by="an")).json()
    assert found["got"] is None
    assert [(one["step_id"], one["hindered"]) for one in found["now"]["steps"]] == [
        ("department_head", []),
        ("finance", ["vacant"]),
        ("president", []),
    ]
    sent = [await member(api, "head", role="head"), {"type": "submit_request"}]
    answer = await api.ask("POST", f"/delegations/{api.id}/commands", {"commands": sent})
    assert answer.status_code == 200, answer.text
    got = (await api.ask("GET", f"/delegations/{api.id}/policy")).json()["got"]
    assert (got["number"], got["chain"]["rule"]) == (1, "OUT-APPROVAL")
    assert [one["hindered"] for one in got["steps"]] == [[], ["vacant"], []]
    assert (await api.ask("GET", f"/delegations/{api.id}/policy?matter=final_report")).json()["got"] is None
