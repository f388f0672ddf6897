"""Lists: filters, sorting, pages; deadlines, ceilings, messages and the trail of a file."""

import pytest

from domain.seal import SealedEvent, genesis, verify_chain
from storage.accounts import AccountDetails
from tests.api.conftest import Api, code, member, opening

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def listed(api: Api, query: str) -> list[str]:
    """The ids that a query lists, over all its pages."""
    ids: list[str] = []
    cursor = ""
    while True:
        answer = await api.ask("GET", f"/delegations?organisation={api.id}&{query}{cursor}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        ids += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return ids
        cursor = f"&cursor={page['next_cursor']}"


async def test_a_list_is_filtered_sorted_and_paged_without_repeating_or_skipping(api: Api) -> None:
    """By what coordinators look for; pages of two give the same as one page."""
    titles = ["Đoàn Berlin", "đoàn Ánh Sáng", "Đoàn Cần Thơ", "Đoàn Đà Nẵng", "Đoàn Ăng-ghen"]
    ids = []
    for place, title in enumerate(titles):
        own = f"{api.id}-{place}"
        body = {"organisation": api.id, "title": title, "countries": ["DE" if place == 0 else "JP"]}
        answer = await api.ask("POST", "/delegations", opening(id=own) | body)
        assert answer.status_code == 201, answer.text
        ids.append(own)
    by_title = await listed(api, "sort=title")
    assert sorted(by_title) == sorted(ids)
    assert await listed(api, "sort=title&limit=2") == by_title
    assert await listed(api, "sort=title&order=desc&limit=2") == by_title[::-1]
    assert await listed(api, "q=anh%20sang") == [ids[1]]
    assert await listed(api, "country=DE") == [ids[0]]
    assert await listed(api, "phase=drafted&phase=closed&waits_for=coordinator&limit=1") == await listed(api, "")
    assert await listed(api, "phase=closed") == []
    assert await listed(api, "coordinator=lan&overdue=false&sort=updated&limit=3") == ids
    other = (await api.ask("GET", f"/delegations?organisation={api.id}&limit=2&sort=title")).json()["next_cursor"]
    answer = await api.ask("GET", f"/delegations?organisation={api.id}&limit=2&sort=starts&cursor={other}")
    assert code(answer) == (400, "cursor_unknown")


async def test_a_file_shows_its_deadlines_ceilings_messages_and_trail(api: Api) -> None:
    """Each due date names its rule; the trail is the sealed chain, page by page."""
    # A list of all files has room for some only: asked for by somebody who sees this one alone.
    accounts = api.here.registers.accounts
    reader = AccountDetails(id=f"reader-{api.id}", name="Đỗ Linh", roles=("auditor",), organisation=api.id)
    await accounts.create(reader)
    _, api.tokens["reader"] = await accounts.create_token(reader.id)
    await api.open(organisation=api.id)
    await api.send(await member(api, "m-1", role="head"), await member(api, "m-2"))
    await api.send({"type": "submit_request"})
    await api.send({"type": "withdraw_request", "reason": await _text(api)})
    await api.send({"type": "withdraw_member", "member_id": "m-2"})

    due = (await api.ask("GET", f"/delegations/{api.id}/deadlines", by="an")).json()["items"]
    assert [deadline["due_at"] for deadline in due] == sorted(deadline["due_at"] for deadline in due)
    assert all(deadline["rule"]["rule"] and deadline["rule"]["version"] >= 1 for deadline in due)
    across = (await api.ask("GET", "/deadlines?limit=200", by="reader")).json()["items"]
    opened = {deadline["what"] for deadline in due if deadline["status"] == "open"}
    assert {line["what"] for line in across if line["delegation_id"] == api.id} == opened
    assert (await api.ask("GET", "/deadlines?before=2001-01-01")).json() == {"items": [], "next_cursor": None}

    ceilings = (await api.ask("GET", f"/delegations/{api.id}/ceilings")).json()
    assert [line["head_count"] for line in ceilings["items"]] == [2, 1]
    assert ceilings["current"]["total_vnd"] == ceilings["items"][-1]["total_vnd"]

    messages = await api.ask("GET", f"/delegations/{api.id}/messages")
    assert {line["kind"] for line in messages.json()["items"]} <= {"notice", "step_waits"}

    trail: list[SealedEvent] = []
    after: int | None = 0
    while after is not None:
        page = (await api.ask("GET", f"/delegations/{api.id}/events?after={after}&limit=3", by="an")).json()
        trail += [SealedEvent.model_validate(event) for event in page["items"]]
        after = page["next_after"]
    head = verify_chain(genesis(api.id), trail)
    file = await api.file()
    assert file["seq"] >= head.seq == len(trail)


async def test_a_read_may_name_the_event_it_wants_to_see(api: Api) -> None:
    """`at_least` waits for the read model; for an event that never comes it answers what there is after a second."""
    receipt = (await api.open()).json()
    file = (await api.ask("GET", f"/delegations/{api.id}?at_least={receipt['last_seq']}")).json()
    assert file["seq"] == receipt["last_seq"]
    file = (await api.ask("GET", f"/delegations/{api.id}?at_least={receipt['last_seq'] + 1}")).json()
    assert file["seq"] == receipt["last_seq"]


async def test_a_file_shows_limits_that_are_exceeded_and_items_that_overlap(api: Api) -> None:
    """Shown, not forbidden; a breach says whether it was justified."""
    await api.open()
    people = [await member(api, f"m-{number}") for number in range(2)]
    day = (await api.file())["state"]["starts"]
    items = [
        {
            "type": "schedule_item",
            "item_id": f"s-{number}",
            "title": "Làm việc",
            "place": "Phòng A",
            "starts": {"local": f"{day}T09:{number}0"},
            "ends": {"local": f"{day}T10:{number}0"},
            "audience": {"groups": ["delegates"]},
        }
        for number in range(2)
    ]
    assert (await api.send(*people, *items)).status_code == 200
    overlaps = (await api.file())["overlaps"]
    assert {(one["what"], one["first"], one["second"]) for one in overlaps} == {
        ("place:Phòng A", "s-0", "s-1"),
        ("person:m-0", "s-0", "s-1"),
        ("person:m-1", "s-0", "s-1"),
    }


async def _text(api: Api) -> dict[str, str]:
    answer = await api.ask("POST", f"/delegations/{api.id}/texts", {"text": "Cần xem lại chương trình"})
    reference: dict[str, str] = answer.json()
    return reference
