"""Calendars that programs fetch: who sees what, what is sent again, and what is never told."""

import gzip
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import httpx2
import pytest
import structlog
import vobject

from storage.feeds import TOKEN_LENGTH
from tests.api.conftest import Api, code
from tests.api.invited import SECRET, fetch, invited, made

pytestmark = pytest.mark.asyncio(loop_scope="session")


def events(answer: httpx2.Response) -> dict[str, Any]:
    """The events of a calendar by title, as vobject reads them."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    found = vobject.readOne(answer.content.decode()).contents.get("vevent", [])
    return {one.summary.value: one for one in found}


async def test_each_sees_their_own_and_nobody_else_s(api: Api) -> None:
    """The head both items, the other delegate one; not a letter of the other item in the octets, nor of the draft."""
    await invited(api)
    keiko, hiro = [await made(api, {"participant": who}) for who in ("keiko", "hiro")]
    assert set(events(await fetch(api, keiko["link"]))) == {"Session forum", SECRET}
    his = await fetch(api, hiro["link"])
    assert set(events(his)) == {"Session forum"}
    office = await fetch(api, (await made(api))["link"])
    assert set(events(office)) == {"Session forum", SECRET}
    for answer in (his, office):
        for hidden in ("nháp", "draft", "Delegate", "tokyo.example", "mailto:", "METHOD", "ATTENDEE", "ORGANIZER"):
            assert hidden not in answer.text
    for hidden in (SECRET, "Huế", "talk"):
        assert hidden not in his.text


async def test_a_calendar_is_named_after_the_delegation_and_items_as_in_every_channel(api: Api) -> None:
    """The UID is that of the invitation."""
    here = await invited(api)
    answer = await fetch(api, (await made(api, {"participant": "hiro"}))["link"])
    assert "X-WR-CALNAME:Đoàn Hội hữu nghị Tokyo" in answer.text
    uids = {uid for _, uid in here.post.calendar("REQUEST") if f"forum.{api.id}@" in uid}
    assert {events(answer)["Session forum"].uid.value} == uids


async def test_one_person_s_files_stand_in_one_calendar(api: Api) -> None:
    """By the reference of the person, whoever they are on each file."""
    here = await invited(api)
    ref = (await here.file()).people["keiko"].person.ref
    other = Api(api.here, api.application, api.http, api.tokens, f"{api.id}-b")
    second = await invited_with(other, ref, (await here.file()).people["keiko"].person.commitment)
    answer = await api.ask("POST", "/feeds", {"person": ref})
    assert answer.status_code == 201, answer.text
    found = events(await fetch(api, answer.json()["link"]))
    assert set(found) == {"Session forum", SECRET, second}


async def invited_with(api: Api, ref: str, commitment: str) -> str:
    """Another file that the same person is a host of; returns what its one item is called."""
    here = replace(api.here, id=api.id)
    await here.open()
    await here.add("m1", "head")
    person = {"ref": ref, "commitment": commitment}
    await here.send({"type": "appoint_participant", "participant_id": "host1", "role": "host", "person": person})
    await here.schedule("welcome", 0, 8, title="Đón tiếp", audience={"groups": ["hosts"]})
    await here.approve()
    await here.send({"type": "invite"})
    return "Đón tiếp"


async def test_an_account_has_what_is_in_its_reach(api: Api) -> None:
    """Every file of the installation, as the office sees it; nothing once the account is disabled."""
    await invited(api)
    account = {"id": f"thu-{api.id}", "name": "Đỗ Thu", "roles": ["coordinator"]}
    assert (await api.ask("POST", "/accounts", account, by="root")).status_code == 201
    answer = await api.ask("POST", "/feeds", {"account": account["id"]}, by="root")
    link = answer.json()["link"]
    assert f"talk.{api.id}@" in (await fetch(api, link)).text.replace("\r\n ", "")
    assert (await api.ask("DELETE", f"/accounts/{account['id']}", by="root")).status_code == 204
    assert code(await fetch(api, link)) == (404, "calendar_unknown")


async def test_a_change_is_there_with_the_next_fetch(api: Api) -> None:
    """Published, not drafted: a new tag, a raised SEQUENCE, the stamp of the publication."""
    here = await invited(api)
    link = (await made(api, {"participant": "keiko"}))["link"]
    before = await fetch(api, link)
    day = (await here.file()).starts + timedelta(days=1)
    moved = {"starts": {"local": f"{day}T16:00"}, "ends": {"local": f"{day}T17:00"}}
    await here.send({"type": "move_item", "item_id": "talk", **moved})
    drafted = await fetch(api, link)
    assert drafted.headers["etag"] == before.headers["etag"]
    await here.send({"type": "publish_programme"})
    after = await fetch(api, link)
    assert after.headers["etag"] != before.headers["etag"]
    old, new = events(before)[SECRET], events(after)[SECRET]
    assert (old.sequence.value, new.sequence.value) == ("0", "1")
    assert new.dtstart.value.hour == 16
    assert new.dtstamp.value == (await here.file()).published["talk"].since.replace(microsecond=0)


async def test_what_is_cancelled_stays_as_cancelled(api: Api) -> None:
    """An item, then the whole delegation."""
    here = await invited(api)
    link = (await made(api, {"participant": "keiko"}))["link"]
    await here.send({"type": "cancel_item", "item_id": "talk"}, {"type": "publish_programme"})
    found = events(await fetch(api, link))
    assert {name: one.status.value for name, one in found.items()} == {
        "Session forum": "CONFIRMED",
        SECRET: "CANCELLED",
    }
    reason = await here.text("bão")
    await here.send({"type": "cancel_delegation", "reason": reason})
    found = events(await fetch(api, link))
    assert {one.status.value for one in found.values()} == {"CANCELLED"}
    await here.send({"type": "close_delegation"})
    assert events(await fetch(api, link)).keys() == found.keys()


async def test_a_postponed_delegation_has_nothing_that_stands(api: Api) -> None:
    """Nobody is to go anywhere until it is resumed."""
    here = await invited(api)
    link = (await made(api, {"participant": "hiro"}))["link"]
    await here.send({"type": "postpone", "reason": await here.text("bão")})
    assert {one.status.value for one in events(await fetch(api, link)).values()} == {"CANCELLED"}


async def test_a_delegate_who_drops_out_sees_what_they_had_as_cancelled(api: Api) -> None:
    """And the other delegate's calendar stays byte for byte what it was."""
    here = await invited(api)
    keiko, hiro = [(await made(api, {"participant": who}))["link"] for who in ("keiko", "hiro")]
    before = await fetch(api, keiko)
    await here.send({"type": "withdraw_member", "member_id": "hiro"})
    assert {one.status.value for one in events(await fetch(api, hiro)).values()} == {"CANCELLED"}
    assert (await fetch(api, keiko)).content.count(b"STATUS:CONFIRMED") == 2
    assert before.content.count(b"STATUS:CONFIRMED") == 2


async def test_a_calendar_is_nobody_s_to_keep_but_the_reader_s(api: Api) -> None:
    """Private, asked for each time, found by no search engine, and no type is guessed."""
    await invited(api)
    answer = await fetch(api, (await made(api))["link"])
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


async def test_head_is_get_without_its_body(api: Api) -> None:
    """The same headers, the length included, packed or not."""
    await invited(api)
    link = (await made(api))["link"]
    for coding in ("identity", "gzip"):
        whole, head = [await fetch(api, link, method, accept_encoding=coding) for method in ("GET", "HEAD")]
        assert head.status_code == 200
        assert head.content == b""
        mine = {name: value for name, value in head.headers.items() if name != "x-request-id"}
        assert mine == {name: value for name, value in whole.headers.items() if name != "x-request-id"}


CONDITIONS = [
    ({"if_none_match": "{tag}"}, 304),
    ({"if_none_match": "W/{tag}"}, 304),
    ({"if_none_match": '"other"'}, 200),
    ({"if_none_match": '"other", W/{tag} , "more"'}, 304),
    ({"if_none_match": "*"}, 304),
    ({"if_none_match": "{bare}"}, 200),
    ({"if_none_match": "{packed}"}, 304),
    ({"if_modified_since": "{changed}"}, 304),
    ({"if_modified_since": "{later}"}, 304),
    ({"if_modified_since": "{earlier}"}, 200),
    ({"if_modified_since": "yesterday"}, 200),
    ({"if_modified_since": "2026-04-11T07:30:00Z"}, 200),
    ({"if_none_match": '"other"', "if_modified_since": "{later}"}, 200),
    ({"if_none_match": "{tag}", "if_modified_since": "{earlier}"}, 304),
    ({"if_none_match": '"' + "x" * 20_000}, 200),
    ({}, 200),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent_again(api: Api, method: str) -> None:
    """RFC 9110 section 13, cell by cell: tags are compared weakly, and go before dates."""
    await invited(api)
    link = (await made(api))["link"]
    first = await fetch(api, link)
    tag, changed = first.headers["etag"], parsedate_to_datetime(first.headers["last-modified"])
    words = {
        "tag": tag,
        "bare": tag.strip('"'),
        "packed": f'{tag[:-1]}-gzip"',
        "changed": first.headers["last-modified"],
        "later": format_datetime(changed + timedelta(days=1), usegmt=True),
        "earlier": format_datetime(changed - timedelta(seconds=1), usegmt=True),
    }
    for condition, expected in CONDITIONS:
        headers = {name: value.format(**words) for name, value in condition.items()}
        answer = await fetch(api, link, method, **headers)
        assert answer.status_code == expected, condition
        if expected == 304:
            assert answer.content == b""
            assert answer.headers["etag"] in (tag, words["packed"])
            assert answer.headers["last-modified"] == words["changed"]
            assert answer.headers["cache-control"] == "private, no-cache"
            assert "content-type" not in answer.headers


CODINGS = [
    ("gzip", True),
    ("GZIP", True),
    ("br, gzip;q=0.5", True),
    ("*", True),
    ("gzip;q=0", False),
    ("gzip;q=0.000, *;q=1", False),
    ("*;q=0", False),
    ("br", False),
    ("identity", False),
]


async def test_a_client_that_takes_gzip_is_sent_less(api: Api) -> None:
    """The same octets within, packed the same each time, under a tag of their own."""
    await invited(api)
    link = (await made(api))["link"]
    plain = await fetch(api, link)
    for accepted, packed in CODINGS:
        async with api.http.stream(
            "GET", "http://legation.test/" + link.split("/", 3)[3], headers={"Accept-Encoding": accepted}
        ) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        assert (answer.headers.get("content-encoding") == "gzip") is packed, accepted
        assert (gzip.decompress(raw) if packed else raw) == plain.content
        assert (answer.headers["etag"] == plain.headers["etag"]) is not packed
        assert int(answer.headers["content-length"]) == len(raw)
        if packed:
            assert len(raw) < len(plain.content)


async def test_an_unchanged_calendar_is_not_made_again(api: Api) -> None:
    """However often it is fetched; each change of its file makes it anew once."""
    here = await invited(api)
    feed = await made(api)
    await fetch(api, feed["link"])
    contents = api.application.state.installation.feed_contents
    entry = await api.here.registers.feeds.get(feed["id"])
    kept = await contents.of(entry)
    assert await contents.of(entry) is kept
    await here.schedule("more", 1, 10)
    renewed = await contents.of(entry)
    assert renewed is not kept
    assert renewed.content == kept.content


async def test_an_address_that_leads_nowhere_is_one_answer(api: Api) -> None:
    """Unknown, malformed, of a page, rotated or revoked: nobody learns which."""
    await invited(api)
    feed, page = await made(api), await made(api, {"participant": "hiro", "page": True})
    revoked = await made(api, {"participant": "hiro"})
    assert (await api.ask("POST", f"/feeds/{revoked['id']}/revoke")).status_code == 200
    assert (await api.ask("POST", f"/feeds/{feed['id']}/rotate")).status_code == 200
    page_token = page["link"].rpartition("/")[2]
    base = feed["link"].rpartition("/")[0]
    answers = [
        await fetch(api, link)
        for link in (
            f"{base}/{'x' * TOKEN_LENGTH}.ics",
            f"{base}/short.ics",
            f"{base}/{page_token}.ics",
            feed["link"],
            revoked["link"],
        )
    ]
    assert {code(answer) for answer in answers} == {(404, "calendar_unknown")}
    assert len({answer.text.replace(answer.json()["instance"], "") for answer in answers}) == 1


async def test_a_new_address_leads_where_the_old_one_did(api: Api) -> None:
    """Rotated, then revoked, then made anew: one address is good at a time."""
    await invited(api)
    first = await made(api)
    second = (await api.ask("POST", f"/feeds/{first['id']}/rotate")).json()
    assert second["link"] != first["link"]
    assert (await fetch(api, second["link"])).status_code == 200
    assert code(await fetch(api, first["link"])) == (404, "calendar_unknown")
    gone = (await api.ask("POST", f"/feeds/{first['id']}/revoke")).json()
    assert (gone["link"], gone["webcal"]) == (None, None)
    assert code(await fetch(api, second["link"])) == (404, "calendar_unknown")
    third = await made(api)
    assert third["id"] == first["id"]
    assert third["link"] not in (first["link"], second["link"])
    assert (await fetch(api, third["link"])).status_code == 200


async def test_a_visit_that_is_long_over_has_no_calendar(api: Api) -> None:
    """Sixty days after its last day the address leads nowhere."""
    here = await invited(api)
    link = (await made(api))["link"]
    assert (await fetch(api, link)).status_code == 200
    contents = api.application.state.installation.feed_contents
    ends = (await here.file()).ends
    at = datetime(ends.year, ends.month, ends.day, 12, tzinfo=UTC)
    assert not contents.over(ends, at + timedelta(days=60))
    assert contents.over(ends, at + timedelta(days=61))


async def test_an_erased_person_s_calendar_is_gone(api: Api) -> None:
    """With the person goes the address, which says that it is over."""
    here = await invited(api)
    link = (await made(api, {"participant": "hiro"}))["link"]
    await api.here.registers.persons.erase((await here.file()).people["hiro"].person.ref)
    assert code(await fetch(api, link)) == (410, "person_erased")


async def test_a_calendar_fetched_too_often_is_refused_for_a_while(api: Api) -> None:
    """By the calendar, wherever from; another one is not touched."""
    await invited(api)
    one, other = await made(api), await made(api, {"participant": "hiro"})
    attempts = api.application.state.installation.attempts
    limit = attempts._by_feed.amount
    for _ in range(limit):
        await attempts.fetched(one["id"])
    answer = await fetch(api, one["link"])
    assert code(answer) == (429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) > 0
    assert (await fetch(api, other["link"])).status_code == 200


async def test_the_day_of_the_last_fetch_is_shown(api: Api) -> None:
    """To whoever made it; no hour, no address of the reader."""
    await invited(api)
    feed = await made(api)
    assert feed["fetched_on"] is None
    await fetch(api, feed["link"], "HEAD")
    listed = (await api.ask("GET", f"/delegations/{api.id}/feeds")).json()["items"]
    assert [one["fetched_on"] for one in listed if one["id"] == feed["id"]] == [datetime.now(UTC).date().isoformat()]


async def test_no_token_stands_in_any_log(
    api: Api, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetched, refused, malformed and broken: the log names the route, and neither it nor an error the address."""
    caplog.set_level(logging.DEBUG)
    await invited(api)
    feeds = [await made(api), await made(api, {"participant": "hiro"})]
    page = await made(api, {"participant": "hiro", "page": True})
    tokens = [one["link"].rpartition("/")[2].removesuffix(".ics") for one in (*feeds, page)]
    with structlog.testing.capture_logs() as logged:
        for feed in feeds:
            await fetch(api, feed["link"])
            await fetch(api, feed["link"], "HEAD", referer=page["link"])
            await fetch(api, feed["link"], "POST")
            await fetch(api, feed["link"].replace(".ics", ".html"))
            await fetch(api, feed["link"] + "?x=" + tokens[0])
        await fetch(api, page["link"])
        await api.ask("POST", f"/feeds/{feeds[0]['id']}/revoke")
        await fetch(api, feeds[0]["link"])

        def broken(*_: object) -> None:
            raise RuntimeError(tokens[1])

        monkeypatch.setattr(api.application.state.installation.feed_contents, "of", broken)
        answer = await fetch(api, feeds[1]["link"])
    assert code(answer) == (500, "internal_error")
    routes = {one.get("route") for one in logged if one["event"] == "request"}
    assert {"/calendars/{token}.ics", None} <= routes
    printed = capsys.readouterr()
    # What the test's own client says of its requests is no log of ours.
    served = [one.getMessage() for one in caplog.records if one.name != "httpx2"]
    everything = "\n".join([str(logged), printed.out, printed.err, *served, answer.text])
    assert [token for token in tokens if token in everything] == []
