"""Calendar collections over HTTP: found before they are kept, shown without a password, problems by field and rule."""

import asyncio
from typing import Any

import httpx2
import pytest

from tests.api.conftest import Api, code, fields, member, person
from tests.api.test_institution import account, organisation
from tests.calendars.radicale_server import PASSWORD, Radicale

pytestmark = pytest.mark.asyncio(loop_scope="session")

GONE = "http://127.0.0.1:9/"


def body(url: str, password: str = PASSWORD) -> dict[str, str]:
    """Where, and with what."""
    return {"url": url, "username": "haruka", "password": password}


async def somebody(api: Api) -> str:
    """The address of the collection of somebody on this test's file."""
    assert (await api.open()).status_code == 201
    added = await member(api, "head", role="head")
    assert (await api.send(added)).status_code == 200
    return f"/persons/{added['person']['ref']}/calendar-collection"


async def done(answer: httpx2.Response) -> dict[str, Any]:
    """The body of an answer that is a success."""
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_calendar_is_found_from_its_server_registered_shown_and_removed(api: Api, server: Radicale) -> None:
    """What is shown names the collection that was found, and never the password."""
    own, path = server.make("visit"), await somebody(api)
    found = await done(await api.ask("POST", "/calendar-collections/search", body(server.url)))
    assert found == {"items": [{"url": own, "name": "Lịch visit"}]}
    registered = await api.ask("PUT", path, body(server.url))
    made = await done(registered)
    assert (made["url"], made["name"], made["username"], made["state"]) == (own, "Lịch visit", "haruka", "working")
    assert (made["owner_kind"], made["registered_by"], made["failure"], made["drift"]) == ("person", "lan", None, [])
    assert made["verified_at"] is not None
    assert PASSWORD not in registered.text
    again = await done(await api.ask("PUT", path, body(own)))
    assert again["id"] == made["id"]
    async with asyncio.timeout(30):
        while (await done(await api.ask("GET", path)))["behind"]:
            await asyncio.sleep(0.05)

    listed = await api.ask("GET", "/calendar-collections", by="root")
    assert [one["state"] for one in listed.json()["items"] if one["id"] == made["id"]] == ["working"]
    assert not {"haruka", "visit", PASSWORD} & set(listed.text.split('"'))

    assert (await api.ask("DELETE", path)).status_code == 204
    async with asyncio.timeout(30):
        while (await api.ask("GET", path)).status_code != 404:
            await asyncio.sleep(0.05)
    assert code(await api.ask("DELETE", path)) == (404, "collection_unknown")
    log = (await api.ask("GET", "/institution/log/calendars", by="an")).json()["items"]
    entries = [one["change"] for one in log if one["entry"] == made["id"]]
    assert entries == ["collection_registered", "collection_credentials_changed", "collection_removed"]


REFUSED = [
    ("http://calendar.example/", "url", "address_not_https"),
    ("https://haruka:secret@calendar.example/", "url", "address_with_credentials"),
    ("https://169.254.169.254/latest/", "url", "address_not_public"),
    ("https://[::ffff:10.0.0.1]/", "url", "address_not_public"),
    ("https://2130706433/", "url", "address_host_refused"),
    ("https://8.8.8.8:25/", "url", "address_port_refused"),
    ("https://calendar.example/ x", "url", "address_malformed"),
    (GONE, "url", "calendar_unavailable"),
]


@pytest.mark.parametrize(("url", "field", "rule"), REFUSED)
async def test_a_problem_names_the_field_and_the_rule(api: Api, url: str, field: str, rule: str) -> None:
    """And repeats neither the address nor the password."""
    answer = await api.ask("POST", "/calendar-collections/search", body(url, "hunter2"))
    assert code(answer) == (422, "calendar_refused")
    assert fields(answer) == [(field, rule)]
    assert "hunter2" not in answer.text
    assert url not in answer.text


async def test_what_the_server_says_decides_what_is_registered(api: Api, server: Radicale) -> None:
    """Wrong credentials, no calendar, and several without one being named, are refused; nothing is kept.

    A calendar that is gone is not taken for another one of the same person.
    """
    path = await somebody(api)
    wrong = await api.ask("PUT", path, body(server.url, "hunter2"))
    assert fields(wrong) == [("password", "credentials_refused")]
    assert fields(await api.ask("PUT", path, body(server.url))) == [("url", "no_calendar")]
    one = server.make("one")
    server.make("two")
    assert fields(await api.ask("PUT", path, body(server.url))) == [("url", "several_calendars")]
    assert code(await api.ask("GET", path)) == (404, "collection_unknown")
    await done(await api.ask("PUT", path, body(one)))
    assert code(await api.ask("PUT", path, body(f"{server.url}/haruka/two/"))) == (
        409,
        "collection_exists",
    )
    verified = await done(await api.ask("POST", f"{path}/verify"))
    assert (verified["state"], verified["url"]) == ("working", one)
    server.ask("DELETE", "/haruka/one/")
    verified = await done(await api.ask("POST", f"{path}/verify"))
    assert (verified["state"], verified["failure"]) == ("unreachable", "collection_missing")


async def test_an_office_has_a_calendar_of_its_own(api: Api, server: Radicale) -> None:
    """An administrator registers it; an organisation that is none has none."""
    slug, own = await organisation(api, "office"), server.make("office")
    path = f"/institution/organisations/{slug}/calendar-collection"
    made = await done(await api.ask("PUT", path, body(own), by="root"))
    assert (made["owner_kind"], made["owner"], made["url"]) == ("organisation", slug, own)
    assert code(await api.ask("PUT", path, body(own))) == (403, "role_not_allowed")
    nowhere = path.replace(slug, "nowhere")
    assert code(await api.ask("PUT", nowhere, body(own), by="root")) == (404, "organisation_unknown")
    assert (await api.ask("DELETE", path, by="root")).status_code == 204


async def test_who_may_not_see_a_file_sees_none_of_its_people_s_calendars(api: Api, server: Radicale) -> None:
    """Another organisation's coordinator neither reads nor registers; of an erased person there is nothing."""
    path, own = await somebody(api), server.make("visit")
    await done(await api.ask("PUT", path, body(own)))
    other = await organisation(api, "other")
    stranger = await account(api, "stranger", roles=["coordinator"], organisation=other)
    for method, sent in (("GET", None), ("PUT", body(own)), ("DELETE", None)):
        assert code(await api.ask(method, path, sent, by=stranger)) == (403, "organisation_out_of_reach")
    unknown = "/persons/per_nobody00/calendar-collection"
    assert code(await api.ask("GET", unknown)) == (404, "person_unknown")
    newcomer = (await person(api))["ref"]
    await api.here.registers.persons.erase(newcomer)
    assert code(await api.ask("PUT", f"/persons/{newcomer}/calendar-collection", body(own))) == (410, "person_erased")


async def test_malformed_bodies_name_their_field(api: Api) -> None:
    """A name with a colon cannot be sent by Basic (RFC 7617): it is refused before anybody is asked."""
    for field, value in (("username", "a:b"), ("password", ""), ("url", ""), ("username", 7)):
        answer = await api.ask("POST", "/calendar-collections/search", body(GONE) | {field: value})
        assert code(answer) == (422, "validation_failed")
        assert [name for name, _ in fields(answer)] == [field]
