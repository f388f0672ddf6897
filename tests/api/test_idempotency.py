"""One key, one result: however often, at once or later, a request is sent."""

import asyncio
from itertools import pairwise

import pytest

from tests.api.conftest import Api, code, member, opening

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_same_request_a_hundred_times_at_once_has_one_event_and_one_answer(api: Api) -> None:
    """faults.md row 6."""
    await api.open()
    command = await member(api, "m-1")
    before = await api.file()
    answers = await asyncio.gather(*(api.send(command, key="once") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    trail = (await api.ask("GET", f"/delegations/{api.id}/events?after={before['seq']}")).json()["items"]
    assert [event["type"] for event in trail if event["type"] == "MemberAdded"] == ["MemberAdded"]


async def test_the_same_key_with_another_body_is_a_conflict(api: Api) -> None:
    """Also for registers; and the first result stays."""
    await api.open()
    first = await member(api, "m-1")
    assert (await api.send(first, key="k")).status_code == 200
    assert code(await api.send(first | {"country": "DE"}, key="k")) == (409, "idempotency_key_reused")
    assert (await api.file())["head_count"] == 1

    path = f"/delegations/{api.id}/texts"
    kept = await api.ask("POST", path, {"text": "một"}, key=f"{api.id}-t")
    assert (await api.ask("POST", path, {"text": "một"}, key=f"{api.id}-t")).json() == kept.json()
    assert code(await api.ask("POST", path, {"text": "hai"}, key=f"{api.id}-t")) == (409, "idempotency_key_reused")


async def test_the_same_body_written_differently_is_the_same_request(api: Api) -> None:
    """A field left out is the same as null; composed and decomposed letters are the same; order does not matter."""
    first = opening(id=api.id, grade=None, title="Đoàn Hữu nghị")
    again = {name: first[name] for name in reversed(first) if name != "grade"} | {"title": "Đoàn Hữu nghị"}
    opened = await api.ask("POST", "/delegations", first, key="k")
    assert opened.status_code == 201, opened.text
    assert (await api.ask("POST", "/delegations", again, key="k")).json() == opened.json()


async def test_two_people_may_use_the_same_key(api: Api) -> None:
    """A key belongs to whoever sent it."""
    await api.open()
    linh = {"id": f"linh-{api.id}", "name": "Đỗ Linh", "roles": ["coordinator"]}
    await api.ask("POST", "/accounts", linh, by="root")
    api.tokens["linh"] = (await api.ask("POST", f"/accounts/{linh['id']}/tokens", {}, by="root")).json()["token"]
    one = await api.send(await member(api, "m-1"), key="k")
    other = await api.send(await member(api, "m-2"), key="k", by="linh")
    assert (one.status_code, other.status_code) == (200, 200)


async def test_a_refusal_is_repeated_under_its_key(api: Api) -> None:
    """Who means it anew sends a new key (decision record 0011)."""
    await api.open()
    assert code(await api.send({"type": "submit_request"}, key="early")) == (422, "no_members")
    await api.send(await member(api, "m-1"))
    assert code(await api.send({"type": "submit_request"}, key="early")) == (422, "no_members")
    assert (await api.send({"type": "submit_request"}, key="later")).json()["phase"] == "submitted"


async def test_sixteen_people_acting_at_once_are_taken_in_one_order(api: Api) -> None:
    """faults.md row 7: every command is accepted, each with numbers of its own, and nothing is lost."""
    await api.open()
    commands = [await member(api, f"m-{number}") for number in range(16)]
    answers = await asyncio.gather(*(api.send(command) for command in commands))
    assert [answer.status_code for answer in answers] == [200] * 16
    spans = sorted((answer.json()["first_seq"], answer.json()["last_seq"]) for answer in answers)
    assert all(after[0] == before[1] + 1 for before, after in pairwise(spans))
    assert (await api.file())["head_count"] == 16
