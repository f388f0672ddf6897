"""The approver's page: what was seen already is grey, one thumb is enough, and reading in a row signs nothing."""

import html
import re
from dataclasses import replace

import pytest
from playwright.async_api import Browser, expect

from tests.pages.asking import visiting_as
from tests.pages.conftest import Site, visiting

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

ON_THE_WAY = re.compile(r'href="(/inbox/read\?[^"]+)" rel="(prev|next)"')


async def submitted(site: Site, suffix: str = "") -> str:
    """A file that waits for the department head, and the path of that step."""
    here = replace(site.here, id=f"{site.here.id}{suffix}")
    await here.open()
    await here.add("m-1", role="head")
    await here.schedule("s-1")
    await here.send({"type": "submit_request"})
    await here.idle()
    return f"/delegations/{here.id}/steps/department_head"


async def test_what_was_seen_already_is_grey_and_says_so(site: Site) -> None:
    """After a return, of the new proposal: parts that are the same; those that changed are as new. At first nothing."""
    path = await submitted(site)
    async with visiting_as(site, "hung") as hung:
        assert "As you last saw it." not in await hung.text(path)
        digest = (await site.here.file()).proposal.digest  # type: ignore[union-attr]
        reason = await site.here.text("Xin sửa mục đích.")
        returned = {"type": "return_step", "step_id": "department_head", "dossier_digest": digest, "kind": "amend"}
        await site.here.send({**returned, "reason": reason}, by="hung")
        await site.here.send({"type": "revise_request", "purpose": "Ký thỏa thuận hợp tác"}, {"type": "submit_request"})
        await site.here.idle()
        page = (await hung.get(path)).text
    greyed = re.findall(r'<section class="part seen">\s*<h2>(.*?)</h2>', page)
    assert greyed == ["1 delegate", "Programme", greyed[2]]
    assert greyed[2].startswith("Budget: at most ")
    assert page.count("As you last saw it.") == 3


async def test_dossiers_are_read_one_after_another_and_none_is_answered_there(site: Site) -> None:
    """Next and previous go through every one that waits, in the order of the inbox; no form of an answer is there."""
    paths = {await submitted(site, suffix) for suffix in ("-a", "-b")}
    async with visiting_as(site, "hung") as hung:
        address, seen, steps = "/inbox/read", list[str](), set[str]()
        while address not in seen:
            seen.append(address)
            page = (await hung.get(address)).text
            assert 'name="act"' not in page
            assert "Approve proposal" not in page
            steps |= {html.unescape(one) for one in re.findall(r'href="([^"]+)#answer"', page)}
            ways = {rel: html.unescape(to) for to, rel in ON_THE_WAY.findall(page)}
            assert f"{len(seen)} of" in page
            assert ("prev" in ways) is (len(seen) > 1)
            address = ways.get("next", address)
        gone = await hung.get("/inbox/read", file="nowhere", step="finance")
        assert gone.status_code == 200
        assert "1 of" in gone.text
    assert paths <= steps
    async with visiting_as(site, "an") as an:
        nothing = await an.get("/inbox/read")
    assert (nothing.status_code, nothing.headers["location"]) == (303, "/")


async def test_one_thumb_is_enough(chromium: Browser, site: Site) -> None:
    """390 wide: the way to the answer is at the lower edge from the first moment, and gone once the answer is there."""
    path = await submitted(site)
    async with visiting(chromium, site, viewport={"width": 390, "height": 844}, has_touch=True) as phone:
        await phone.speak("vi")
        await phone.sign_in("hung", f"/sign-in?next={path}")
        way = phone.page.locator(".thumb a")
        box = await way.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert 700 < box["y"] + box["height"] <= 844
        assert await phone.violations() == []
        await way.tap()
        button = phone.page.locator("#answer button").first
        await expect(button).to_be_in_viewport(ratio=1)
        assert await button.evaluate(
            "one => { const box = one.getBoundingClientRect();"
            " return one.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)) }"
        )
        for one in await phone.page.locator("#answer button:visible, #answer summary").all():
            size = await one.bounding_box()
            assert size is not None
            assert size["height"] >= 44
        await phone.go(f"/inbox/read?file={site.here.id}&step=department_head")
        assert await phone.violations() == []
        assert phone.complaints == []
