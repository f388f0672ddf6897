"""Sixteen people act on one delegation at once (faults.md, row 7)."""

import asyncio
from typing import Any

import pytest

from domain.decision import SYSTEM
from tests.faults.asking import a_file, code
from tests.faults.page import Note
from tests.installed import Installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PEOPLE = 16
ROUNDS = 3


async def accounts(stack: Installed, http: Any, **more: Any) -> list[str]:
    """Tokens of sixteen accounts, each a person of its own."""
    tokens = []
    for number in range(PEOPLE):
        details = {"id": f"{more['prefix']}-{number}", "name": f"Người {number}", **more["details"]}
        answer = await http.post("/accounts", json=details, headers=stack.headers("root"))
        assert answer.status_code in (200, 201), answer.text
        answer = await http.post(f"/accounts/{details['id']}/tokens", json={}, headers=stack.headers("root"))
        tokens.append(answer.json()["token"])
    return tokens


@pytest.mark.faults
async def test_every_accepted_command_stands_in_one_order(stack: Installed, note: Note) -> None:
    """What was acknowledged is in the trail once, with the numbers its receipt named."""
    note(row="7", fault=f"{PEOPLE} coordinators send {ROUNDS} commands each")
    async with stack.asking() as http:
        file = a_file(stack, http)
        assert (await file.open()).status_code == 201
        tokens = await accounts(stack, http, prefix="crowd", details={"roles": ["coordinator"]})

        async def act(person: int) -> list[dict[str, Any]]:
            receipts = []
            for turn in range(ROUNDS):
                command = {"type": "revise_request", "title": f"Đoàn {person}-{turn}"}
                headers = stack.headers("lan") | {"Authorization": f"Bearer {tokens[person]}"}
                answer = await http.post(f"/delegations/{file.id}/commands", json=command, headers=headers)
                assert answer.status_code == 200, answer.text
                receipts.append(answer.json())
            return receipts

        acknowledged = [one for mine in await asyncio.gather(*map(act, range(PEOPLE))) for one in mine]
        events = await file.whole()
    by_command: dict[str, list[int]] = {}
    for event in events[len(events) - sum(one["last_seq"] - one["first_seq"] + 1 for one in acknowledged) :]:
        assert event.actor != SYSTEM
        by_command.setdefault(event.command_id, []).append(event.seq)
    assert by_command == {one["command_id"]: list(range(one["first_seq"], one["last_seq"] + 1)) for one in acknowledged}
    assert len(by_command) == PEOPLE * ROUNDS


async def test_exactly_one_of_sixteen_signs_a_contested_step(stack: Installed, note: Note) -> None:
    """All hold the position and sign the same dossier at once; one signature stands, every other is refused."""
    note(row="7", fault=f"{PEOPLE} approvers sign one step at once")
    async with stack.asking() as http:
        file = a_file(stack, http)
        assert (await file.open()).status_code == 201
        assert (await file.add("sato")).status_code == 200
        assert (await file.send({"type": "submit_request"})).status_code == 200
        digest = (await file.show())["open_step"]["dossier_digest"]
        details = {"roles": ["approver"], "positions": ["department_head"]}
        tokens = await accounts(stack, http, prefix="signer", details=details)
        sign = {"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}
        answers = await asyncio.gather(
            *(
                http.post(
                    f"/delegations/{file.id}/commands",
                    json=sign,
                    headers=stack.headers("lan") | {"Authorization": f"Bearer {token}"},
                )
                for token in tokens
            )
        )
        events = await file.events()
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {code(answer) for answer in answers if answer.status_code != 200} == {(409, "step_not_open")}
    assert [event.type for event in events].count("StepSigned") == 1


@pytest.mark.faults
async def test_two_approvers_and_a_double_click_from_three_processes_make_one_signature(
    stack: Installed, note: Note
) -> None:
    """Each asks a process of the API of its own: one sign-off; the double click hears what the first click heard."""
    note(row="7", fault="two approvers and a double click sign one step at once, from three processes")
    async with stack.asking() as http:
        details = {"roles": ["approver"], "positions": ["department_head"]}
        first, second = (await accounts(stack, http, prefix="rival", details=details))[:2]
        with stack.further_api() as there, stack.further_api() as elsewhere:
            for _ in range(ROUNDS):
                file = a_file(stack, http)
                assert (await file.open()).status_code == 201
                assert (await file.add("sato")).status_code == 200
                assert (await file.send({"type": "submit_request"})).status_code == 200
                digest = (await file.show())["open_step"]["dossier_digest"]
                sign = {"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}

                async def click(url: str, token: str, key: str, at: str = file.id, body: Any = sign) -> Any:
                    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
                    return await http.post(f"{url}/delegations/{at}/commands", json=body, headers=headers)

                one, again, other = await asyncio.gather(
                    click(stack.url, first, f"form-{file.id}"),
                    click(there, first, f"form-{file.id}"),
                    click(elsewhere, second, f"other-{file.id}"),
                )
                signed = [event for event in await file.events() if event.type == "StepSigned"]
                assert [event.actor for event in signed] == ["rival-0" if one.status_code == 200 else "rival-1"]
                if one.status_code == 200:
                    assert again.json() == one.json()
                    assert code(other) == (409, "step_not_open")
                else:
                    assert code(one) == code(again) == (409, "step_not_open")
                    assert other.status_code == 200
