"""Feeds by the API: who may make, see, rotate and revoke which."""

import uuid
from email.message import Message
from typing import Any

import pytest

from tests.api.conftest import Api, code, fields
from tests.api.invited import invited, made

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def account(api: Api, role: str, organisation: str | None = None) -> str:
    """An account of a role, and a token for it."""
    name = f"{role}-{uuid.uuid4().hex[:8]}"
    body = {"id": name, "name": role, "roles": [role]} | ({"organisation": organisation} if organisation else {})
    assert (await api.ask("POST", "/accounts", body, by="root")).status_code == 201
    api.tokens[name] = (await api.ask("POST", f"/accounts/{name}/tokens", {}, by="root")).json()["token"]
    return name


async def elsewhere(api: Api) -> str:
    """An organisation that has nothing to do with the test's delegation."""
    slug = f"far-{uuid.uuid4().hex[:8]}"
    body = {"slug": slug, "kind": "provincial_union", "name": {"vi": "Xa", "en": "Far"}}
    assert (await api.ask("POST", "/institution/organisations", body, by="root")).status_code == 201
    return slug


async def test_a_feed_is_shown_with_its_addresses(api: Api) -> None:
    """One for browsers and downloads, one for programs that subscribe; a page has no second one."""
    await invited(api)
    feed = await made(api, {"participant": "hiro"})
    assert (feed["kind"], feed["delegation"], feed["participant"], feed["made_by"]) == (
        "participant",
        api.id,
        "hiro",
        "lan",
    )
    base = api.here.settings.public_url
    assert feed["link"].startswith(f"{base}/calendars/")
    assert feed["webcal"] == "webcal" + feed["link"].removeprefix("http")
    page = await made(api, {"participant": "hiro", "page": True})
    assert page["link"].startswith(f"{base}/my/")
    assert page["webcal"] is None


async def test_an_invitation_leads_to_the_page_of_whoever_is_invited(api: Api) -> None:
    """Each to their own, in every invitation the same; made by the system, once."""
    here = await invited(api)
    listed = (await api.ask("GET", f"/delegations/{api.id}/feeds")).json()["items"]
    pages = {one["participant"]: one["link"] for one in listed if one["kind"] == "page"}
    assert {one["made_by"] for one in listed} == {"system"}
    assert set(pages) == {"keiko", "hiro"}
    sent = [(to, texts_of(here.post.parsed(content))) for to, content in here.post.taken]
    mine = [(to, texts) for to, texts in sent if f".{api.id}@" in texts.get("text/calendar", "")]
    assert len(mine) == 3
    for to, texts in mine:
        for kind in ("text/plain", "text/html"):
            named = {f"{who}@tokyo.example" for who, link in pages.items() if link in texts[kind]}
            assert named == {to}
        assert "/my/" not in texts["text/calendar"]


def texts_of(mail: Message) -> dict[str, str]:
    """The texts of a mail by type, the calendar unfolded."""
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk()}
    return {
        kind: body.decode().replace("\r\n ", "")
        for kind, body in parts.items()
        if isinstance(body, bytes) and kind.startswith("text/")
    }


async def test_the_feeds_of_a_delegation_are_listed(api: Api) -> None:
    """Those that mails brought too, and revoked ones, whose address is not said any more."""
    await invited(api)
    office = await made(api)
    assert await made(api, by="root") == office
    revoked = (await api.ask("POST", f"/feeds/{office['id']}/revoke", by="root")).json()
    assert revoked["revoked_at"] is not None
    listed = (await api.ask("GET", f"/delegations/{api.id}/feeds")).json()["items"]
    assert revoked in listed
    assert [one for one in listed if one["id"] == office["id"]] == [revoked]
    assert revoked["link"] is None


async def test_somebody_who_is_not_on_the_file_has_no_feed(api: Api) -> None:
    """And a page is always somebody's."""
    await invited(api)
    path = f"/delegations/{api.id}/feeds"
    assert code(await api.ask("POST", path, {"participant": "nobody"})) == (422, "participant_unknown")
    answer = await api.ask("POST", path, {"page": True})
    assert code(answer) == (422, "validation_failed")
    assert fields(answer) == [("", "page_of_nobody")]


async def test_one_s_own_calendar_is_one_s_own(api: Api) -> None:
    """Anybody who may see people's data may have one; another's is made and seen by administrators alone."""
    for role in ("coordinator", "approver"):
        name = await account(api, role)
        mine = await api.ask("POST", "/feeds", {"account": name}, by=name)
        assert mine.status_code == 201, mine.text
        assert (await api.ask("GET", "/feeds", by=name)).json()["items"] == [mine.json()]
        assert code(await api.ask("POST", "/feeds", {"account": "lan"}, by=name)) == (403, "role_not_allowed")
        assert code(await api.ask("GET", "/feeds?account=lan", by=name)) == (403, "role_not_allowed")
        assert (await api.ask("GET", f"/feeds?account={name}", by="root")).json()["items"] == [mine.json()]
        feed = mine.json()["id"]
        for act in ("rotate", "revoke"):
            assert code(await api.ask("POST", f"/feeds/{feed}/{act}", by="mai")) == (403, "role_not_allowed")
            assert (await api.ask("POST", f"/feeds/{feed}/{act}", by=name)).status_code == 200
    assert code(await api.ask("POST", "/feeds", {"account": "an"}, by="root")) == (404, "account_unknown")


async def test_a_person_s_calendar_is_made_by_who_sees_every_file(api: Api) -> None:
    """Their files may lie anywhere, so nobody whose reach has an end makes it."""
    here = await invited(api)
    ref = (await here.file()).people["hiro"].person.ref
    bounded = await account(api, "coordinator", await elsewhere(api))
    assert code(await api.ask("POST", "/feeds", {"person": ref}, by=bounded)) == (403, "organisation_out_of_reach")
    assert code(await api.ask("POST", "/feeds", {"person": ref}, by="mai")) == (403, "role_not_allowed")
    feed = await api.ask("POST", "/feeds", {"person": ref})
    assert feed.status_code == 201
    assert feed.json()["id"] in {one["id"] for one in (await api.ask("GET", f"/feeds?person={ref}")).json()["items"]}
    assert code(await api.ask("POST", "/feeds", {"person": "per_nobody00"})) == (404, "person_unknown")
    await api.here.registers.persons.erase(ref)
    assert code(await api.ask("POST", "/feeds", {"person": ref})) == (410, "person_erased")


@pytest.mark.parametrize("body", [{}, {"person": "per_nobody00", "account": "lan"}])
async def test_a_calendar_over_several_files_is_of_exactly_one(api: Api, body: dict[str, Any]) -> None:
    """A person or an account."""
    answer = await api.ask("POST", "/feeds", body)
    assert code(answer) == (422, "validation_failed")
    assert fields(answer) == [("", "feed_of_one")]


async def test_a_feed_of_a_file_out_of_reach_is_not_touched(api: Api) -> None:
    """Neither made nor listed nor given another address nor revoked by a coordinator of elsewhere, nor an approver."""
    await invited(api)
    feed = await made(api)
    bounded = await account(api, "coordinator", await elsewhere(api))
    path = f"/delegations/{api.id}/feeds"
    assert code(await api.ask("POST", path, {}, by=bounded)) == (403, "organisation_out_of_reach")
    assert code(await api.ask("GET", path, by=bounded)) == (403, "organisation_out_of_reach")
    for act in ("rotate", "revoke"):
        refused = await api.ask("POST", f"/feeds/{feed['id']}/{act}", by=bounded)
        assert code(refused) == (403, "organisation_out_of_reach")
        assert code(await api.ask("POST", f"/feeds/{feed['id']}/{act}", by="mai")) == (403, "role_not_allowed")
    listed = (await api.ask("GET", path)).json()["items"]
    assert feed in listed


async def test_a_feed_that_is_not_there_cannot_be_changed(api: Api) -> None:
    """By an id that nobody has."""
    for act in ("rotate", "revoke"):
        assert code(await api.ask("POST", f"/feeds/fee_nothing00/{act}")) == (404, "feed_unknown")


async def test_who_made_and_revoked_stands_in_the_log(api: Api) -> None:
    """For auditors, without an address."""
    await invited(api)
    feed = await made(api)
    await api.ask("POST", f"/feeds/{feed['id']}/revoke", by="root")
    entries = (await api.ask("GET", "/institution/log/feeds?limit=1000", by="an")).json()["items"]
    mine = [(one["change"], one["actor"]) for one in entries if one["entry"] == feed["id"]]
    assert mine == [("feed_made", "lan"), ("feed_revoked", "root")]
