"""Erasing a person over HTTP: two administrators, what is said before and after, and what answers 410 from then on."""

import asyncio
from typing import Any

import pytest

from storage.accounts import AccountDetails
from tests.api.conftest import Api, code, member, person
from tests.workflows.test_documents import words

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def second_administrator(api: Api, name: str = "ha") -> None:
    """One more administrator with a token, made once for all tests."""
    accounts = api.here.registers.accounts
    if await accounts.get(name) is None:
        await accounts.create(AccountDetails(id=name, name=name, roles=("administrator",)))
    if name not in api.tokens:
        api.tokens[name] = (await accounts.create_token(name))[1]


async def asked(api: Api, ref: str, reason: str = "asked_by_person") -> dict[str, Any]:
    answer = await api.ask("POST", "/erasures", {"person": ref, "reason": reason}, by="root")
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def erased(api: Api, ref: str) -> dict[str, Any]:
    """Ask, agree, and wait until it is carried out."""
    await second_administrator(api)
    address = f"/erasures/{(await asked(api, ref))['id']}"
    assert (await api.ask("POST", f"{address}/agreement", by="ha")).json()["state"] == "agreed"
    async with asyncio.timeout(60):
        while (found := (await api.ask("GET", address, by="root")).json())["state"] != "carried_out":
            await asyncio.sleep(0.05)
    shown: dict[str, Any] = found
    return shown


async def test_two_administrators_are_needed_whatever_token_one_of_them_uses(api: Api) -> None:
    """The asker's second token agrees no more than the first; other roles neither ask nor agree."""
    await second_administrator(api)
    ref = (await person(api))["ref"]
    entry = await asked(api, ref)
    agreement = f"/erasures/{entry['id']}/agreement"
    assert code(await api.ask("POST", agreement, by="root")) == (403, "erasure_needs_another")
    api.tokens["again"] = (await api.here.registers.accounts.create_token("root"))[1]
    assert code(await api.ask("POST", agreement, by="again")) == (403, "erasure_needs_another")
    for other in ("lan", "hung", "an"):
        assert code(await api.ask("POST", agreement, by=other)) == (403, "role_not_allowed")
    assert code(await api.ask("POST", f"/erasures/{entry['id']}/withdrawal", by="ha")) == (403, "erasure_not_yours")
    body = {"person": ref, "reason": "objection"}
    assert code(await api.ask("POST", "/erasures", body, by="ha")) == (409, "erasure_exists")
    assert (await api.ask("POST", f"/erasures/{entry['id']}/withdrawal", by="root")).json()["state"] == "withdrawn"
    assert code(await api.ask("POST", agreement, by="ha")) == (409, "erasure_settled")
    listed = (await api.ask("GET", "/erasures", by="ha", params={"person": ref})).json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(entry["id"], "withdrawn")]
    assert (await api.ask("GET", f"/persons/{ref}")).status_code == 200


async def test_who_is_not_there_is_said(api: Api) -> None:
    """Unknown ids and people, and a reason in words, are refused by their codes."""
    body = {"person": "per_nobody00", "reason": "objection"}
    assert code(await api.ask("POST", "/erasures", body, by="root")) == (404, "person_unknown")
    wordy = {"person": "per_nobody00", "reason": "she asked me on the phone"}
    assert code(await api.ask("POST", "/erasures", wordy, by="root")) == (422, "validation_failed")
    assert code(await api.ask("GET", "/erasures/era_nothing00", by="root")) == (404, "erasure_unknown")
    assert code(await api.ask("POST", "/erasures/era_nothing00/agreement", by="root")) == (404, "erasure_unknown")


@pytest.mark.slow
async def test_afterwards_the_file_opens_and_everything_of_the_person_is_over(api: Api) -> None:
    """Person, page and feed answer 410; the letter is another one; the file, its trail and its counts stand."""
    await second_administrator(api)
    await api.open()
    joined = await member(api, "haruka", role="head")
    assert (await api.send(joined)).status_code == 200
    assert (await api.send(await member(api, "second"))).status_code == 200
    await approve_and_invite(api)
    feeds = f"/delegations/{api.id}/feeds"
    page = (await api.ask("POST", feeds, {"participant": "haruka", "page": True})).json()["link"]
    feed = (await api.ask("POST", feeds, {"participant": "haruka"})).json()["link"]
    for link in (page, feed):
        assert (await api.http.get(f"http://legation.test/{link.split('/', 3)[3]}")).status_code == 200
    documents = (await api.ask("GET", f"/delegations/{api.id}/documents")).json()["items"]
    counts = (await api.ask("GET", f"/delegations/{api.id}/messages")).json()
    events = (await api.ask("GET", f"/delegations/{api.id}/events")).json()["items"]

    ref = joined["person"]["ref"]
    shown = await erased(api, ref)
    assert shown["places"] == {api.id: [1]}
    assert shown["out_of_reach"]["key"] == f"person:{ref}"
    assert [one["mails"] for one in shown["out_of_reach"]["to_person"]] == [2]
    assert [one["mails"] for one in shown["out_of_reach"]["to_others"]] == [1]

    assert code(await api.ask("GET", f"/persons/{ref}")) == (410, "person_erased")
    assert code(await api.http.get(f"http://legation.test/{feed.split('/', 3)[3]}")) == (410, "person_erased")
    gone = await api.http.get(f"http://legation.test/{page.split('/', 3)[3]}", headers={"accept": "text/html"})
    assert gone.status_code == 410
    again = {"person": ref, "reason": "objection"}
    assert code(await api.ask("POST", "/erasures", again, by="root")) == (410, "person_erased")

    file = await api.file()
    assert list(file["state"]["people"]) == ["haruka", "second"]
    assert (await api.ask("GET", f"/delegations/{api.id}/messages")).json() == counts
    after = (await api.ask("GET", f"/delegations/{api.id}/events")).json()["items"]
    assert after[: len(events)] == events
    listed = (await api.ask("GET", f"/delegations/{api.id}/documents")).json()["items"]
    assert [(one["digest"], one["erased"]) for one in listed] == [(one["digest"], True) for one in documents]
    for one in listed:
        address = f"/delegations/{api.id}/documents/"
        assert code(await api.ask("GET", address + one["digest"])) == (410, "document_erased")
        anew = words((await api.ask("GET", address + one["replaced_by"])).content)
        assert ("người đã xóa số 1" if one["language"] == "vi" else "erased person 1") in anew


async def approve_and_invite(api: Api) -> None:
    """Submit, sign, decide and invite, and wait until the letters are out."""
    here = api.here
    here.id = api.id
    await here.schedule("s1")
    await here.approve()
    await here.send({"type": "invite"})
    await here.idle()
