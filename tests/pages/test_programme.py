"""The personal page in a real browser: a programme, a calendar to subscribe to, one channel to choose."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from api.feeds import webcal_of
from storage.feeds import Feed, Subject
from tests.pages.conftest import Site, Visitor, visiting

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

HIDDEN = "Riêng cho trưởng đoàn"


async def invited(site: Site) -> str:
    """Two delegates, one of whom sees less; the path of hers."""
    here = site.here
    await here.open()
    await here.add("keiko", "head")
    person = await here.person("Đỗ Thu Hà", "ha@tokyo.example", language="vi")
    await here.send({"type": "add_member", "member_id": "ha", "person": person, "role": "member", "country": "JP"})
    await here.schedule("forum", 0, 9, title="Làm việc với Sở Ngoại vụ tỉnh Sông Lam")
    await here.schedule("museum", 0, 14, title="Thăm Bảo tàng Dân tộc học", place="Nguyễn Văn Huyên, Hà Nội")
    await here.schedule("talk", 1, 14, title=HIDDEN, audience={"people": ["keiko"]})
    await here.schedule("dinner", 1, 18, title="Tiệc chiêu đãi")
    await here.approve()
    await here.send({"type": "invite"})
    await here.send({"type": "cancel_item", "item_id": "museum"}, {"type": "publish_programme"})
    return "/my/" + await token(site, "page", "ha")


async def token(site: Site, kind: str, participant: str) -> str:
    """The token of somebody's page or calendar, as the mail would say it."""
    return site.here.registers.feeds.token_of(await entry(site, kind, participant)) or ""


async def entry(site: Site, kind: str, participant: str) -> Feed:
    """The register's entry of somebody's page or calendar."""
    make: Any = {"page": Subject.page, "participant": Subject.participant}[kind]
    person = (await site.here.file()).people[participant].person.ref
    return await site.here.registers.feeds.make(make(site.here.id, participant, person), by="lan")


async def test_somebody_sees_their_programme_and_nobody_else_s(site: Site, visitor: Visitor) -> None:
    """In their own language, whatever the browser's; cancelled items are said to be; nothing of others."""
    path = await invited(site)
    await visitor.go(path)
    said = await visitor.page.inner_text("main")
    assert "Chương trình của Đỗ Thu Hà" in said
    assert "Làm việc với Sở Ngoại vụ tỉnh Sông Lam" in said
    assert re.search(r"đã huỷ|đã hủy", said)
    content = await visitor.page.content()
    for hidden in (HIDDEN, "Delegate keiko", "tokyo.example"):
        assert hidden not in content
    assert await visitor.page.locator(".top nav").count() == 0


async def test_the_page_leads_to_the_calendar(site: Site, visitor: Visitor) -> None:
    """The address as text, as a link for programs and as a picture; it is the calendar's, not the page's own."""
    path = await invited(site)
    await visitor.go(path)
    address = f"{site.origin}/calendars/{await token(site, 'participant', 'ha')}.ics"
    assert await visitor.page.inner_text(".digest") == address
    assert await visitor.page.get_attribute(f'a[href^="{webcal_of(site.origin)}"]', "href") == webcal_of(address)
    assert await visitor.page.get_attribute("a[download]", "href") == address
    assert await visitor.page.locator("svg.code title").text_content() == "Mã QR của địa chỉ lịch"
    box = await visitor.page.locator("svg.code").bounding_box()
    assert box is not None
    assert box["width"] >= 150
    fetched = await visitor.context.request.get(address)
    assert fetched.status == 200
    assert "SUMMARY:Tiệc chiêu đãi" in await fetched.text()
    assert HIDDEN not in await fetched.text()


async def test_a_calendar_that_was_revoked_is_not_offered_again(site: Site, visitor: Visitor) -> None:
    """The page stays, and shows the programme; opening it brings no address back."""
    path = await invited(site)
    calendar = await entry(site, "participant", "ha")
    await site.here.registers.feeds.revoke(calendar.id, by="lan")
    await visitor.go(path)
    assert await visitor.page.locator("svg.code, .digest, a[download]").count() == 0
    assert "Tiệc chiêu đãi" in await visitor.page.inner_text("main")
    after = await site.here.registers.feeds.get(calendar.id)
    assert after is not None
    assert after.revoked_at is not None


async def test_somebody_chooses_how_they_hear(site: Site, visitor: Visitor) -> None:
    """By a plain form; the choice is sealed as theirs, their mailbox is told that the items go, and back again."""
    path = await invited(site)
    await visitor.go(path)
    assert await visitor.page.is_checked("#channel-mail")
    assert await visitor.page.locator("#channel-caldav").count() == 0
    await visitor.page.check("#channel-feed")
    await visitor.page.get_by_role("button", name="Lưu lựa chọn này").click()
    await expect(visitor.page.get_by_role("status")).to_contain_text("Đã lưu lựa chọn của quý vị.")
    assert visitor.path == f"{path}?chosen=feed"
    assert await visitor.page.is_checked("#channel-feed")
    file = await site.here.idle()
    assert file.people["ha"].channel == "feed"
    events = await site.here.registers.queries.events(site.here.id)
    [chosen] = [one for one in events if one.type == "ChannelChosen"]
    assert (chosen.actor, chosen.data) == ("participant:ha", {"participant_id": "ha", "channel": "feed"})
    cancelled = {uid.partition(".")[0] for to, uid in site.here.post.calendar("CANCEL") if to == "ha@tokyo.example"}
    assert {"forum", "dinner"} <= cancelled


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_page_is_whole_without_a_script_on_every_screen(
    chromium: Browser, site: Site, language: str, width: int
) -> None:
    """Nothing wider than the screen, nothing asked for elsewhere, nothing forbidden by the policy; both languages."""
    path = await invited(site)
    size = {"width": width, "height": 844}
    async with visiting(chromium, site, viewport=size, java_script_enabled=False) as visitor:
        await visitor.go(path)
        if language == "en":
            await visitor.page.get_by_role("button", name="English").click()
        assert await visitor.page.get_attribute("html", "lang") == language
        assert visitor.path == path
        widest = await visitor.page.locator("html").evaluate("one => one.scrollWidth")
        assert widest <= width
        for control in await visitor.page.locator("main a.button, main button, main label.choice").all():
            box = await control.bounding_box()
            assert box is not None
            assert box["height"] >= 44
        await visitor.page.check("#channel-feed")
        await visitor.page.locator("main form button").click()
        assert visitor.path == f"{path}?chosen=feed"
        assert (visitor.strayed, visitor.complaints) == ([], [])


async def test_the_page_is_kept_by_nobody_and_names_itself_to_nobody(site: Site, visitor: Visitor) -> None:
    """Not stored, not indexed, not framed; what it asks for is told the site alone."""
    path = await invited(site)
    asked = [one async for one in headers_of_requests(visitor, path)]
    answer = await visitor.context.request.get(site.origin + path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "strict-origin"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert asked
    assert {one.get("referer", site.origin + "/") for one in asked} == {site.origin + "/"}


async def headers_of_requests(visitor: Visitor, path: str) -> Any:
    """The headers of everything that a page asks for after itself."""
    requests: list[Any] = []
    visitor.page.on("request", lambda one: requests.append(one))
    await visitor.go(path)
    for one in requests[1:]:
        yield await one.all_headers()


async def test_a_page_that_is_over_or_revoked_is_no_page(site: Site, visitor: Visitor) -> None:
    """Rotated, revoked, malformed, a calendar's address: one answer; that of somebody erased says that it is over."""
    path = await invited(site)
    page = await entry(site, "page", "ha")
    calendar = "/my/" + await token(site, "participant", "ha")
    feeds = site.here.registers.feeds
    rotated = await feeds.rotate(page.id, by="lan")
    assert rotated is not None
    now = "/my/" + (feeds.token_of(rotated) or "")
    keiko = "/my/" + await token(site, "page", "keiko")
    assert (await visitor.context.request.get(site.origin + now)).status == 200
    assert (await visitor.context.request.get(site.origin + keiko)).status == 200
    await feeds.revoke(page.id, by="lan")
    file = await site.here.file()
    await site.here.registers.persons.erase(file.people["keiko"].person.ref)
    bodies = set()
    # Their own invitation may say that their data are gone.
    assert (await visitor.context.request.get(site.origin + keiko)).status == 410
    for gone in (path, now, calendar, "/my/x"):
        answer = await visitor.context.request.get(site.origin + gone)
        assert answer.status == 404
        bodies.add((await answer.text()).replace(gone, ""))
    assert len(bodies) == 1


async def test_a_form_without_its_token_or_from_elsewhere_chooses_nothing(site: Site, visitor: Visitor) -> None:
    """The address alone lets somebody look; a page of another site can send nothing in their name."""
    path = await invited(site)
    form: dict[str, str | float | bool] = {"channel": "feed", "csrf": "x", "key": "0" * 32}
    send = visitor.context.request.post
    for headers in ({"Origin": site.origin}, {"Origin": "https://elsewhere.example"}, {}):
        answer = await send(site.origin + path, form=form, headers=headers)
        assert answer.status == 403
    assert (await site.here.file()).people["ha"].channel is None


async def test_what_is_not_offered_is_not_chosen(site: Site, visitor: Visitor) -> None:
    """No calendar is registered to write into; and who is no longer on the file chooses nothing."""
    path = await invited(site)
    await visitor.go(path)
    await visitor.page.locator("#channel-feed").evaluate("one => { one.value = 'caldav'; one.checked = true }")
    await visitor.page.locator("main form button").click()
    assert "Vui lòng chọn một cách." in await visitor.page.inner_text("main")
    visitor.complaints.clear()
    await site.here.send({"type": "withdraw_member", "member_id": "ha"})
    await visitor.go(path)
    assert await visitor.page.locator("main form").count() == 0


async def test_a_visit_over_for_a_fortnight_has_no_page(
    site: Site, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fourteen days after the last one; the calendar lasts longer."""
    path = await invited(site)
    calendar = f"/calendars/{await token(site, 'participant', 'ha')}.ics"
    ends = (await site.here.file()).ends
    noon = datetime(ends.year, ends.month, ends.day, 12, tzinfo=UTC)
    for days, status in ((14, 200), (15, 404)):
        monkeypatch.setattr("api.pages.programme.utc_now", lambda later=days: noon + timedelta(days=later))
        assert (await visitor.context.request.get(site.origin + path)).status == status
    assert (await visitor.context.request.get(site.origin + calendar)).status == 200
