"""The trail of a file in the browser: what happened, the file as it was, and what proves it."""

import csv
import io
import re
import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from tests.pages.asking import visiting_as
from tests.pages.conftest import Site, Visitor
from workflows.checkpoints import CheckpointRound

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

NUMBERS = re.compile(r'<li id="no-(\d+)"')


async def visit(site: Site) -> str:
    """An approved file with two delegates and a session that was moved; the address of its trail."""
    here = site.here
    await here.open()
    await here.add("keiko", "head")
    await here.add("ren")
    await here.schedule("forum", title="Làm việc với Sở Ngoại vụ")
    await here.approve()
    file = await here.file()
    starts = file.items["forum"].starts.local
    moved = {"starts": {"local": starts.replace("T09", "T14")}, "ends": {"local": starts.replace("T09", "T15")}}
    await here.send({"type": "move_item", "item_id": "forum", **moved})
    await here.idle()
    return f"/delegations/{here.id}/trail"


async def events(site: Site) -> list[Any]:
    """The sealed events of the file."""
    return await site.here.registers.queries.events(site.here.id)


async def seq_of(site: Site, kind: str) -> int:
    """The number of the first event of a type."""
    return next(int(one.seq) for one in await events(site) if one.type == kind)


async def sealed(site: Site) -> None:
    """Go round once, as the schedule of checkpoints does."""
    here = site.here
    queue = here.settings.temporal_task_queue
    await here.client.execute_workflow(CheckpointRound.run, id=f"round:{uuid.uuid4().hex}", task_queue=queue)


async def test_every_entry_is_told_newest_first_or_as_a_story(site: Site) -> None:
    """Who, what, by what right, before and after."""
    path, known = await visit(site), len(await events(site))
    async with visiting_as(site, "lan") as lan:
        newest = await lan.get(path)
        story = await lan.get(path, order="story")
        assert [int(one) for one in NUMBERS.findall(newest.text)] == list(range(known, 0, -1))
        assert [int(one) for one in NUMBERS.findall(story.text)] == list(range(1, known + 1))
        text = await lan.text(path)
    assert "Trần Thị Lan moves “Làm việc với Sở Ngoại vụ” to" in text
    assert re.search(r"Programme, “Làm việc với Sở Ngoại vụ”, begins before: 09:00.* now: 14:00", text)
    assert "Lê Văn Hùng" in text
    assert "TL. President / Department head" in text


async def test_pages_follow_each_other_without_a_gap(site: Site) -> None:
    """In both orders every entry stands on exactly one page; 30 stand on the first."""
    await site.here.open()
    path = f"/delegations/{site.here.id}/trail"
    for number in range(41):
        await site.here.send({"type": "revise_request", "purpose": f"Mục đích {number}"})
    await site.here.idle()
    known = len(await events(site))
    async with visiting_as(site, "an") as an:
        for order, expected in (("newest", range(known, 0, -1)), ("story", range(1, known + 1))):
            found: list[int] = []
            query: dict[str, Any] = {"order": order}
            while True:
                page = (await an.get(path, **query)).text
                found += [int(one) for one in NUMBERS.findall(page)]
                assert len(found) >= min(30, known)
                more = re.search(r'href="\?([^"]*cursor=(\d+)[^"]*)#story"', page)
                if not more:
                    break
                query["cursor"] = more[2]
            assert found == list(expected)


async def test_entries_are_filtered_by_who_what_when_and_words(site: Site) -> None:
    """Each filter alone and two together; words with or without diacritics; nothing left is said in words."""
    path = await visit(site)
    everything = await events(site)
    today = everything[0].instant.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()

    def numbers(*types: str) -> list[int]:
        return [one.seq for one in reversed(everything) if one.type in types]

    async with visiting_as(site, "an") as an:

        async def found(**query: Any) -> list[int]:
            return [int(one) for one in NUMBERS.findall((await an.get(path, **query)).text)]

        assert await found(kind="people") == numbers("MemberAdded")
        assert await found(kind="programme", about="forum") == numbers("ItemScheduled", "ItemMoved")
        assert await found(actor="mai", kind="approval") == [
            one.seq for one in reversed(everything) if one.actor == "mai" and one.type == "StepSigned"
        ]
        assert await found(words="so ngoai vu", kind="programme") == numbers("ItemScheduled", "ItemMoved")
        assert await found(since=str(today), until=str(today)) == [one.seq for one in reversed(everything)]
        assert await found(until=str(today - timedelta(days=1))) == []
        assert "No entry is like that." in await an.text(path, words="không có gì")
        assert (await an.get(path, until="31/12/2199", as_of="2199-12-31T23:59")).status_code == 200
        wrong = await an.get(path, since="hôm qua")
        assert 'id="since-error"' in wrong.text
        assert "<title>Error:" in wrong.text


async def test_what_is_filtered_is_taken_along_as_a_sheet_and_as_json(site: Site) -> None:
    """In the language of the page, whatever the browser prefers; the same entries as on the page."""
    path = await visit(site)
    async with visiting_as(site, "an", "vi") as an:
        sheet = await an.get(f"{path}/export", format="csv", kind="people")
        document = (await an.get(f"{path}/export", kind="people")).json()
        none = (await an.get(f"{path}/export", kind="journey")).json()
        as_sealed = await an.http.get(f"{site.origin}/api/v1/delegations/{site.here.id}/events?limit=1000")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert sheet.headers["content-disposition"] == f'attachment; filename="{site.here.id}-trail.csv"'
    assert sheet.headers["cache-control"] == "no-store"
    rows = list(csv.reader(io.StringIO(sheet.content.decode("utf-8-sig"))))
    added = [one.seq for one in await events(site) if one.type == "MemberAdded"]
    assert rows[0][0] == "TT"
    assert [int(row[0]) for row in rows[1:]] == added
    assert document["delegation"] == site.here.id
    assert [(one["seq"], one["type"]) for one in document["items"]] == [(seq, "MemberAdded") for seq in added]
    assert "thành viên đoàn" in document["items"][1]["said"]
    assert none["items"] == []
    assert len(as_sealed.json()["items"]) == len(await events(site))


async def test_the_file_is_shown_as_it_was_after_an_entry_and_at_an_instant(site: Site) -> None:
    """Its phase, its people and its programme of then; a banner that says so; what changed since."""
    path = await visit(site)
    seq = await seq_of(site, "RequestSubmitted")
    async with visiting_as(site, "lan") as lan:
        then = await lan.text(path, seq=seq)
        now = await lan.text(path)
        first = await lan.text(path, seq=1)
        event = next(one for one in await events(site) if one.seq == seq)
        local = event.instant.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).isoformat()
        at = await lan.text(path, as_of=local)
        before = await lan.get(path, as_of="2020-01-01T00:00")
        beyond = await lan.text(path, seq=10_000)
        compared = await lan.text(path, seq=seq, to=seq)
    assert f"The file as it was after entry no. {seq} of" in then
    assert "Waited for: Department head." in then
    assert "09:00–10:00 Làm việc với Sở Ngoại vụ" in then
    assert "Delegate keiko" in then
    assert "This is the past." not in now
    assert "This is the past." not in beyond
    assert "Nobody was on the file yet." in first
    assert "The programme had no items yet." in first
    assert "This is the past." in at
    assert before.status_code == 200
    assert 'id="as_of-error"' in before.text
    assert "The file was not open yet at that time." in before.text
    assert f"until entry no. {seq}" in compared
    assert "Nothing that people read." in compared


async def test_an_auditor_reads_places_and_accounts_and_no_names(site: Site) -> None:
    """The trail, the file as it was, and the proof: nobody is named, nothing of a register is shown."""
    path = await visit(site)
    async with visiting_as(site, "an") as an:
        pages = [(await an.get(one)).text for one in (path, f"{path}?seq=6", f"{path}/3", f"{path}/verification")]
    for page in pages:
        for name in ("Trần Thị Lan", "Lê Văn Hùng", "Delegate keiko", "tokyo.example"):
            assert name not in page
    assert "keiko" in pages[0]


async def test_an_entry_is_proven_by_seal_checkpoint_and_history(site: Site) -> None:
    """Before a checkpoint that is said; after it the proof is followed to the root, and offered as JSON."""
    path = await visit(site)
    seq = await seq_of(site, "StepSigned")
    [event] = [one for one in await events(site) if one.seq == seq]
    async with visiting_as(site, "an") as an:
        before = await an.text(f"{path}/{seq}")
        assert "In no checkpoint yet" in before
        await sealed(site)
        after = await an.text(f"{path}/{seq}")
        proof = (await an.http.get(f"{site.origin}/api/v1/delegations/{site.here.id}/events/{seq}/inclusion")).json()
        missing = await an.get(f"{path}/{len(await events(site)) + 1}")
    assert event.hash in before
    assert event.prev_hash in before
    number = proof["checkpoint"]["number"]
    assert f"In checkpoint {number}" in after
    assert all(one in after for one in (proof["leaf"], proof["checkpoint"]["root"], *proof["proof"]))
    assert "In the engine’s history" in after
    assert missing.status_code == 404


async def test_the_verification_page_says_what_vouches_and_who_may_take_evidence(site: Site) -> None:
    """The chain, the checkpoint, the archive; the bundle without people for auditors, with documents for others."""
    path = await visit(site)
    async with visiting_as(site, "an") as an, visiting_as(site, "lan") as lan:
        unsealed = await an.text(f"{path}/verification")
        assert "Evidence ends with a checkpoint, and none holds this file yet." in unsealed
        await sealed(site)
        known = len(await events(site))
        of_auditor, of_coordinator = [(await one.get(f"{path}/verification")).text for one in (an, lan)]
        text = await an.text(f"{path}/verification")
        whole = await an.text(path)
        bundle = await an.http.get(f"{site.origin}/api/v1/delegations/{site.here.id}/evidence")
    assert "The chain holds" in text
    assert f"holds entries 1 to {known}." in text
    assert "Sealed in full" in whole
    plain, documents = (f'href="/api/v1/delegations/{site.here.id}/evidence{one}"' for one in ("", "-with-documents"))
    assert (plain in of_auditor, documents in of_auditor) == (True, False)
    assert (plain in of_coordinator, documents in of_coordinator) == (False, True)
    assert bundle.status_code == 200
    assert bundle.headers["content-type"] == "application/zip"


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_thumb_shows_the_file_as_it_was_without_a_press(site: Site, visitor: Visitor, language: str) -> None:
    """By keyboard: the file follows, the date and the event are said, the address can be kept, and now is one press."""
    path = await visit(site)
    await visitor.speak(language)
    await visitor.sign_in("lan", f"/sign-in?next={path}")
    thumb = visitor.page.locator("#seq")
    last = await thumb.get_attribute("max")
    await thumb.focus()
    await visitor.page.keyboard.press("Home")
    await expect(visitor.page.locator("#shown .past")).to_have_count(1)
    assert visitor.path == f"{path}?seq=1"
    told = await thumb.get_attribute("aria-valuetext")
    assert told is not None
    assert "Đoàn Hội hữu nghị Tokyo" in told
    assert await visitor.page.locator("#seq-text").inner_text() == told
    await visitor.page.keyboard.press("ArrowRight")
    await expect(visitor.page).to_have_url(f"{site.origin}{path}?seq=2")
    assert await visitor.violations() == []
    await visitor.page.locator("[data-now]").click()
    await expect(visitor.page.locator("#shown .past")).to_have_count(0)
    assert visitor.path == path
    assert await thumb.input_value() == last
