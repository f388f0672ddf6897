"""The trail in plain words, the file as it was, and what changed between two points of it."""

import csv
import io
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.api.conftest import Api, code, member, opening

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENGLISH = {"Accept-Language": "en"}


async def trail(api: Api, **query: Any) -> list[dict[str, Any]]:
    """The entries of a page, in English."""
    answer = await api.ask("GET", f"/delegations/{api.id}/trail", params=query, headers=ENGLISH)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-language"] == "en"
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visit(served: Api) -> Api:
    """An approved file with a published session that then moved, and invitations that went out twice; only read."""
    api = replace(served, id=f"d-{uuid.uuid4().hex[:12]}", tokens=dict(served.tokens))
    here = replace(api.here, id=api.id)
    await here.open()
    await here.add("sato", "head")
    await here.schedule("opening")
    await here.approve()
    await here.send({"type": "invite"})
    await here.idle()
    starts = (await here.file()).items["opening"].starts.local
    later = {"starts": {"local": starts.replace("T09", "T14")}, "ends": {"local": starts.replace("T09", "T15")}}
    await here.send({"type": "move_item", "item_id": "opening", **later}, {"type": "publish_programme"})
    await here.idle()
    return api


async def test_words_are_found_in_what_is_told(visit: Api) -> None:
    """In any case, with or without diacritics, in the sentence or in what changed; what nobody says is not found."""
    assert [one["type"] for one in await trail(visit, words="MOVES Opening")] == ["ItemMoved"]
    opened = [one["type"] for one in await trail(visit, words="doan hoi huu nghi tokyo")]
    assert opened == ["DelegationOpened"]
    assert await trail(visit, words="no such words") == []


async def test_every_event_is_told_with_who_what_changed_and_what_came_of_it(visit: Api) -> None:
    """Of an approved and invited file: words, before and after, right, rule, messages, documents, outcomes."""
    entries = await trail(visit, limit=200)
    raw = (await visit.ask("GET", f"/delegations/{visit.id}/events?limit=1000")).json()["items"]
    assert [(one["seq"], one["type"], one["hash"]) for one in entries] == [
        (one["seq"], one["type"], one["hash"]) for one in raw
    ]
    by_type = {one["type"]: one for one in entries}
    moved = by_type["ItemMoved"]
    assert moved["actor"] == "lan"
    assert moved["cause"] is None
    assert [one["path"] for one in moved["changes"]] == [
        ["items", "opening", "starts"],
        ["items", "opening", "ends"],
    ]
    said = moved["changes"][0]["said"]
    assert said["what"] == "Programme, opening, begins"
    assert (said["before"][:5], said["after"][:5]) == ("09:00", "14:00")
    signed = by_type["StepSigned"]
    assert signed["right"]["account"] == signed["actor"]
    assert [one["rule"] for one in signed["rules"]] == [by_type["RequestSubmitted"]["rules"][0]["rule"]]
    assert "Phase" in [one["said"]["what"] for one in by_type["DecisionIssued"]["changes"] if one["said"]]
    issued = [one for one in entries if one["type"] == "InvitationsIssued"]
    assert [[(count["messages"], count["status"]) for count in one["messages"]] for one in issued] == [
        [(1, "sent")],
        [(1, "sent")],
    ]
    delivered = [one["seq"] for one in entries if one["type"] == "InvitationsDelivered"]
    assert [one["outcomes"] for one in issued] == [[delivered[0]], [delivered[1]]]
    outcome = by_type["InvitationsDelivered"]
    assert (outcome["actor"], outcome["cause"]["kind"], outcome["cause"]["seq"]) == (
        "system",
        "outcome",
        issued[1]["seq"],
    )
    letters = by_type["DelegationInvited"]["documents"]
    assert {(one["kind"], one["number"]) for one in letters} == {("invitation_letter", 1)}
    assert {one["edition"] for one in entries} == {(await visit.file())["state"]["edition"]}


async def test_a_page_begins_where_the_last_one_ended_with_the_same_words(visit: Api) -> None:
    """What an event changed does not depend on the page that it stands on."""
    whole = await trail(visit, limit=200)
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        answer = await visit.ask(
            "GET", f"/delegations/{visit.id}/trail", params={"after": after, "limit": 7}, headers=ENGLISH
        )
        page = answer.json()
        found += page["items"]
        after = page["next_after"]
    assert found == whole
    assert await trail(visit, after=len(whole) + 5) == []


async def test_filters_take_who_what_type_and_time(visit: Api) -> None:
    """All that is set must hold."""
    everything = await trail(visit, limit=200)
    assert {one["actor"] for one in await trail(visit, actor="system")} == {"system"}
    assert {one["type"] for one in await trail(visit, type=["ItemMoved", "StepSigned"])} == {"ItemMoved", "StepSigned"}
    about = await trail(visit, about="opening")
    assert {"ItemScheduled", "ItemMoved", "InvitationsIssued", "ProgrammePublished"} <= {one["type"] for one in about}
    assert "MemberAdded" not in {one["type"] for one in about}
    moved = next(one for one in everything if one["type"] == "ItemMoved")
    assert [one["seq"] for one in await trail(visit, since=moved["at"], limit=200)] == [
        one["seq"] for one in everything if one["at"] >= moved["at"]
    ]
    assert [one["seq"] for one in await trail(visit, until=moved["at"], limit=200)] == [
        one["seq"] for one in everything if one["at"] < moved["at"]
    ]


async def test_each_event_is_proven_by_an_event_of_the_history(visit: Api) -> None:
    """Workflow, run, and the marker whose result carries the event, as the server itself has it."""
    entries = await trail(visit, proof=True, limit=200)
    assert {one["proof"]["workflow_id"] for one in entries} == {visit.id}
    history = await visit.here.client.get_workflow_handle(
        visit.id, run_id=entries[0]["proof"]["run_id"]
    ).fetch_history()
    kinds = {event.event_id: event.WhichOneof("attributes") for event in history.events}
    assert {kinds[one["proof"]["event_id"]] for one in entries} == {"marker_recorded_event_attributes"}
    places = [one["proof"]["event_id"] for one in entries]
    assert places == sorted(places)
    assert [one["proof"] for one in await trail(visit, limit=2)] == [None, None]


@pytest.mark.parametrize("title", ["=cmd()|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1;2)", "＝HYPERLINK(1)"])
async def test_a_sheet_shows_a_title_that_looks_like_a_formula_as_text(api: Api, title: str) -> None:
    """Row 15: no cell of the sheet begins with what a spreadsheet calculates; the words are all there."""
    assert (await api.open(title=title)).status_code == 201
    answer = await api.ask(
        "GET", f"/delegations/{api.id}/trail", headers={"Accept": "text/csv", "Accept-Language": "vi"}
    )
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert rows[0][6:9] == ["Nội dung", "Nội dung thay đổi", "Căn cứ"]
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]
    assert any(title in cell for row in rows[1:] for cell in row)


async def test_a_file_is_shown_as_it_was_after_any_event_and_at_any_instant(visit: Api) -> None:
    """Its state, its head and what is worked out from it; the same by number and by time."""
    now = await visit.file()
    moved = (await trail(visit, type="ItemMoved"))[0]
    before = (await visit.ask("GET", f"/delegations/{visit.id}?seq={moved['seq'] - 1}")).json()
    after = (await visit.ask("GET", f"/delegations/{visit.id}?seq={moved['seq']}")).json()
    assert before["state"]["items"]["opening"]["starts"]["local"].endswith("T09:00")
    assert after["state"]["items"]["opening"]["starts"]["local"].endswith("T14:00")
    assert (after["seq"], after["head"]) == (moved["seq"], moved["hash"])
    assert (await visit.ask("GET", f"/delegations/{visit.id}?seq={now['seq']}")).json() == now
    far = (datetime.now(UTC) + timedelta(days=3000)).isoformat()
    assert (await visit.ask("GET", f"/delegations/{visit.id}", params={"as_of": far})).json() == now
    opened = (await trail(visit, limit=1))[0]
    drafted = (await visit.ask("GET", f"/delegations/{visit.id}", params={"as_of": opened["at"]})).json()
    assert (drafted["phase"], drafted["state"]["people"], drafted["state"]["proposal"]) == ("drafted", {}, None)


async def test_what_was_need_not_be_sent_twice(api: Api) -> None:
    """The tag is of the answer's octets; the file as it stands has none."""
    await api.open()
    answer = await api.ask("GET", f"/delegations/{api.id}?seq=1")
    assert answer.headers["cache-control"] == "private, no-cache"
    again = await api.ask("GET", f"/delegations/{api.id}?seq=1", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "etag" not in (await api.ask("GET", f"/delegations/{api.id}")).headers


async def test_before_the_opening_beyond_the_head_and_both_at_once_are_refused(api: Api) -> None:
    """Each by a code of its own, on every address that shows what was."""
    await api.open()
    for path in ("", "/documents", "/ceilings", "/deadlines", "/messages"):
        address = f"/delegations/{api.id}{path}"
        assert code(await api.ask("GET", f"{address}?as_of=1999-01-01T00:00:00Z")) == (404, "delegation_not_open_then")
        assert code(await api.ask("GET", f"{address}?seq=4000")) == (404, "event_unknown")
        both = await api.ask("GET", f"{address}?seq=1&as_of=2030-01-01T00:00:00Z")
        assert code(both) == (422, "as_of_said_twice")


async def test_documents_ceilings_due_dates_and_messages_are_shown_as_of_then(visit: Api) -> None:
    """None before what brought them; after the first round of messages that one alone."""
    first, second = await trail(visit, type="InvitationsIssued")

    async def items(path: str, seq: int) -> list[dict[str, Any]]:
        answer = await visit.ask("GET", f"/delegations/{visit.id}/{path}?seq={seq}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    end = (await visit.file())["seq"]
    rounds = [f"{visit.id}:calendars:{number}" for number in (1, 2)]

    async def sent(seq: int) -> list[str]:
        return [one["issue"] for one in await items("messages", seq) if one["issue"] in rounds]

    assert await sent(first["seq"] - 1) == []
    assert await sent(second["seq"] - 1) == rounds[:1]
    assert await sent(end) == rounds
    assert await items("messages", 1) == []
    told = [
        (await visit.ask("GET", f"/delegations/{visit.id}/items/opening/told?seq={one['seq']}")).json()
        for one in (first, second)
    ]
    assert [[line["seq"] for line in one["people"][0]["tellings"]] for one in told] == [
        [first["seq"]],
        [first["seq"], second["seq"]],
    ]
    assert [one["view"]["starts"]["local"][-5:] for one in told] == ["09:00", "14:00"]
    for path in ("documents", "ceilings", "deadlines"):
        assert await items(path, end) == (await visit.ask("GET", f"/delegations/{visit.id}/{path}")).json()["items"]
    assert await items("documents", 1) == []


async def test_the_list_as_of_an_instant_has_the_files_that_were_open_then(api: Api) -> None:
    """With every filter, asked of what stood then."""
    title = f"Đoàn {api.id}"
    await api.open(title=title)
    opened = (await trail(api, limit=1))[0]["at"]
    await api.send({"type": "revise_request", "title": f"{title} đổi tên"})

    async def titles(**query: Any) -> list[str]:
        answer = await api.ask("GET", "/delegations", params={"q": api.id, **query})
        assert answer.status_code == 200, answer.text
        return [one["title"] for one in answer.json()["items"]]

    assert await titles() == [f"{title} đổi tên"]
    assert await titles(as_of=opened) == [title]
    assert await titles(as_of=opened, phase="closed") == []
    before = (datetime.fromisoformat(opened) - timedelta(seconds=1)).isoformat()
    assert await titles(as_of=before) == []


async def test_what_changed_between_two_points_is_what_the_later_state_says_otherwise(api: Api) -> None:
    """By number and by instant; from before the opening everything is new."""
    await api.open(**opening(title="Đoàn A"))
    await api.send(await member(api, "sato", role="head"))
    until = (await api.file())["seq"]

    async def changed(**query: Any) -> dict[str, Any]:
        answer = await api.ask("GET", f"/delegations/{api.id}/changes", params=query, headers=ENGLISH)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    found = await changed(since_seq=1)
    assert (found["since"]["seq"], found["until"]["seq"]) == (1, until)
    added = next(one for one in found["items"] if one["path"] == ["people", "sato"])
    assert (added["change"], added["said"]["what"], added["said"]["before"]) == (
        "added",
        "People of the file, sato",
        None,
    )
    assert "role head of delegation" in added["said"]["after"]
    assert (await changed(since_seq=until))["items"] == []
    whole = await changed(until_seq=1)
    assert whole["since"] is None
    assert {"title": "Đoàn A"}.items() <= {one["path"][0]: one["after"] for one in whole["items"]}.items()
    assert (await changed(since="1999-01-01T00:00:00Z"))["since"] is None
    backwards = await api.ask("GET", f"/delegations/{api.id}/changes?since_seq=2&until_seq=1")
    assert code(backwards) == (422, "period_backwards")
    early = await api.ask("GET", f"/delegations/{api.id}/changes?until=1999-01-01T00:00:00Z")
    assert code(early) == (404, "delegation_not_open_then")
