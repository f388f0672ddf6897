"""The personal page in a real browser: a programme, a calendar to subscribe to, one channel to choose."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from api.feeds import webcal_of
from storage.feeds import Feed, Subject
from storage.persons import Person
from tests.pages.asking import Guest, forms_of, said, visiting_as
from tests.pages.conftest import Site, Visitor, visiting
from tests.storage.samples import PDF_FILE, in_pieces

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
        await visitor.page.locator("#channel button").click()
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
    await visitor.page.locator("#channel button").click()
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


@pytest_asyncio.fixture(loop_scope="session")
async def served(site: Site) -> tuple[Site, str]:
    """The file of `invited` with a host, an escort and an interpreter, and the path of hers."""
    path = await invited(site)
    here = site.here
    for id, role, phone in (("hoa", "host", "+84 24 3333 0001"), ("son", "escort", "+84 91 222 3333")):
        person = await here.person(f"Servant {id}", f"{id}@songlam.example", nationality="VN", phone=phone)
        await here.send({"type": "appoint_participant", "participant_id": id, "person": person, "role": role})
    away = await here.person("Servant thu", "thu@songlam.example", nationality="VN", phone="+84 91 444 5555")
    await here.send({"type": "appoint_participant", "participant_id": "thu", "person": away, "role": "interpreter"})
    await here.schedule("airport", 0, 7, title="Đón tại sân bay", audience={"people": ["ha", "hoa", "son"]})
    await here.send({"type": "publish_programme"})
    await here.idle()
    return site, path


async def form_of(one: Guest, path: str, name: str) -> dict[str, str]:
    """What the hidden fields of a form of the page say."""
    found = {form.name: form for form in forms_of(await one.look(path))}
    return {field: found[name].value(field) for field in ("form", "csrf", "key")}


async def replies(site: Site) -> list[tuple[str, dict[str, Any]]]:
    """Who answered what, as it is sealed."""
    events = await site.here.registers.queries.events(site.here.id)
    return [(one.actor, dict(one.data)) for one in events if one.type == "ReplyRecorded"]


async def test_somebody_answers_the_invitation_and_an_item_alone(site: Site) -> None:
    """Sealed as theirs, by the page; what they wrote is a text of the file; sent twice it is one answer."""
    path = await invited(site)
    async with visiting_as(site) as ha:
        form = await form_of(ha, path, "answer") | {"answer": "accepted", "comment": "Tôi đến trễ 30 phút."}
        first, again = await ha.post(path, form), await ha.post(path, form)
        assert [(one.status_code, one.headers["location"]) for one in (first, again)] == [
            (303, f"{path}?said=answered#answer")
        ] * 2
        assert "Your answer is recorded." in await ha.text(path, said="answered")
        same = await form_of(ha, path, "answer") | {"answer": "accepted", "comment": "Tôi đến trễ 30 phút."}
        assert (await ha.post(path, same)).status_code == 303
        asked = (await ha.get(path, item="dinner")).text
        assert 'name="item_id" value="dinner"' in asked
        one = await form_of(ha, path, "answer") | {"answer": "declined", "item_id": "dinner", "comment": ""}
        assert (await ha.post(path, one)).status_code == 303
        text = await ha.text(path)
    [whole, dinner] = await replies(site)
    comment = whole[1].pop("comment")
    told = {name: value for name, value in whole[1].items() if value is not None}
    assert (whole[0], told) == ("participant:ha", {"participant_id": "ha", "answer": "accepted", "via": "page"})
    assert await site.here.registers.texts.read(comment["ref"]) == "Tôi đến trễ 30 phút."
    assert dinner[0] == "participant:ha"
    assert (dinner[1]["item_id"], dinner[1]["answer"], dinner[1].get("comment")) == ("dinner", "declined", None)
    assert "you accepted" in text
    assert "you declined" in text


async def test_an_answer_that_is_not_whole_comes_back_as_it_was_typed(site: Site) -> None:
    """The error stands beside its field and in the summary; nothing is recorded."""
    path = await invited(site)
    async with visiting_as(site) as ha:
        form = await form_of(ha, path, "answer") | {"comment": "Xin <hỏi> lại."}
        back = await ha.post(path, form)
        assert back.status_code == 422
        assert 'id="answer-answer-error"' in back.text
        assert 'href="#answer-answer"' in back.text
        assert "Xin &lt;hỏi&gt; lại." in back.text
        assert "<title>Error:" in back.text
        long = await ha.post(path, form | {"answer": "accepted", "comment": "x" * 1001})
        assert (long.status_code, 'id="answer-comment-error"' in long.text) == (422, True)
    assert await replies(site) == []


async def test_nobody_answers_for_others_or_what_they_do_not_see(site: Site) -> None:
    """An item of others is refused and not named; who has left the file is asked nothing any more."""
    path = await invited(site)
    async with visiting_as(site) as ha:
        form = await form_of(ha, path, "answer") | {"answer": "accepted"}
        foreign = await ha.post(path, form | {"item_id": "talk"})
        assert foreign.status_code == 422
        assert HIDDEN not in foreign.text
        other = await ha.post(path, form | {"participant_id": "keiko", "key": "0" * 32})
        assert other.status_code == 303
        assert [who for who, _ in await replies(site)] == ["participant:ha"]
        await site.here.send({"type": "withdraw_member", "member_id": "ha"})
        gone = await ha.text(path)
        assert "Will you take part?" not in gone
        assert "What you need" not in gone
        for late in ({"form": "needs", "needs": "x"}, {"form": "answer", "answer": "declined"}):
            assert (await ha.post(path, form | {"key": "1" * 32} | late)).status_code == 404
    assert len(await replies(site)) == 1


async def test_what_somebody_needs_stands_in_the_register_and_never_in_the_trail(site: Site) -> None:
    """A new version under their own key, everything else as it was; the same again adds nothing; emptied it is gone."""
    path, here = await invited(site), site.here
    await here.idle()
    ref = (await here.file()).people["ha"].person.ref
    before = len(await here.registers.queries.events(here.id))
    async with visiting_as(site) as ha:
        form = await form_of(ha, path, "needs") | {"dietary": "Không ăn thịt lợn", "needs": "Không đi cầu thang"}
        for _ in range(2):
            assert (await ha.post(path, form)).headers["location"] == f"{path}?said=needs_kept#needs"
        assert "Không đi cầu thang" in await ha.text(path)
        person = await here.registers.persons.get(ref)
        assert isinstance(person, Person)
        assert (person.version, person.details.dietary, person.details.needs) == (
            2,
            "Không ăn thịt lợn",
            "Không đi cầu thang",
        )
        assert (person.details.full_name, person.details.email) == ("Đỗ Thu Hà", "ha@tokyo.example")
        assert (await ha.post(path, form | {"dietary": "", "needs": ""})).status_code == 303
        long = await ha.post(path, form | {"needs": "x" * 501})
        assert (long.status_code, 'id="needs-needs-error"' in long.text) == (422, True)
    emptied = await here.registers.persons.get(ref)
    assert isinstance(emptied, Person)
    assert (emptied.details.dietary, emptied.details.needs) == (None, None)
    assert len(await here.registers.queries.events(here.id)) == before


async def test_the_page_names_who_is_there_and_how_they_are_reached(served: tuple[Site, str]) -> None:
    """The coordinator by mail, the escort by telephone, the host by name; nobody whom she does not meet; no guest."""
    site, path = served
    async with visiting_as(site) as ha:
        page = (await ha.get(path)).text
    for shown in ("Trần Thị Lan", "mailto:lan@songlam.example", "Servant hoa", "Servant son", "tel:+84912223333"):
        assert shown in page, shown
    for hidden in ("3333 0001", "hoa@songlam", "son@songlam", "Servant thu", "Delegate keiko", "keiko@"):
        assert hidden not in page, hidden


async def test_nobody_is_named_once_the_visit_is_over(
    served: tuple[Site, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On its last day still, the day after no more."""
    site, path = served
    ends = (await site.here.file()).ends
    noon = datetime(ends.year, ends.month, ends.day, 5, tzinfo=UTC)
    async with visiting_as(site) as ha:
        for days, named in ((0, True), (1, False)):
            monkeypatch.setattr("api.pages.programme.utc_now", lambda later=days: noon + timedelta(days=later))
            assert ("Servant son" in (await ha.get(path)).text) is named


async def test_now_and_next_stand_at_the_top(served: tuple[Site, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock of the moment; between two items only what comes next."""
    site, path = served
    starts = (await site.here.file()).items["airport"].starts.instant
    async with visiting_as(site) as ha:
        for minutes, now, following in ((-5, None, "Đón tại sân bay"), (5, "Đón tại sân bay", "Làm việc với Sở")):
            monkeypatch.setattr("api.pages.programme.utc_now", lambda later=minutes: starts + timedelta(minutes=later))
            page = (await ha.get(path)).text
            near = said(page.partition('class="nearby"')[2].partition(">")[2].partition("</section>")[0])
            assert (f"Now {now}" in near) if now else ("Now " not in near)
            assert f"Next {following}" in near


async def test_somebody_has_the_letter_to_them_and_nobody_else_s_papers(site: Site) -> None:
    """In both languages, as attachments that nothing keeps; another's passport copy, and a guess, are not found."""
    path, here = await invited(site), site.here
    await here.idle()
    copy = await here.registers.attachments.store(in_pieces(PDF_FILE), declared="application/pdf")
    attached = {"type": "attach_document", "kind": "passport_copy", "attachment": copy.model_dump()}
    await here.send({**attached, "document_id": "copy-1", "concerns": "keiko"})
    file = await here.file()
    letters = [one.attachment.digest for letter in file.rendered for one in letter.versions]
    assert len(letters) == 2
    async with visiting_as(site) as ha:
        page = (await ha.get(path)).text
        for digest in letters:
            assert f'href="{path}/documents/{digest}"' in page
            answer = await ha.get(f"{path}/documents/{digest}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["content-disposition"].startswith("attachment;")
        for digest in (copy.digest, "0" * 64):
            assert (await ha.get(f"{path}/documents/{digest}")).status_code == 404
        assert (await ha.get(f"/my/x/documents/{letters[0]}")).status_code == 404


async def test_every_form_wants_the_token_of_its_page(site: Site) -> None:
    """Without it, with another page's, or from another site nothing is recorded and nothing is kept."""
    path = await invited(site)
    async with visiting_as(site) as ha:
        for name, fields in (("answer", {"answer": "accepted"}), ("needs", {"needs": "Lối đi"})):
            form = await form_of(ha, path, name) | fields
            answers: list[httpx2.Response] = [
                await ha.post(path, form | {"csrf": "x"}),
                await ha.post(path, {key: value for key, value in form.items() if key != "csrf"}),
                await ha.post(path, form, origin="https://evil.example", **{"sec-fetch-site": "cross-site"}),
            ]
            assert [one.status_code for one in answers] == [403, 403, 403]
    person = await site.here.registers.persons.get((await site.here.file()).people["ha"].person.ref)
    assert isinstance(person, Person)
    assert (await replies(site), person.version) == ([], 1)


async def test_other_calendars_are_offered_the_address(site: Site, visitor: Visitor) -> None:
    """Google by webcal, Outlook by https, both with the whole address; nothing is asked of them by looking."""
    path = await invited(site)
    await visitor.go(path)
    address = f"{site.origin}/calendars/{await token(site, 'participant', 'ha')}.ics"
    links = {one: await visitor.page.get_attribute(f'a:text-is("{one}")', "href") for one in ("Google", "Outlook.com")}
    assert links["Google"] == f"https://calendar.google.com/calendar/r?cid={quote(webcal_of(address), safe='')}"
    assert str(links["Outlook.com"]).startswith(
        f"https://outlook.live.com/calendar/0/addfromweb?url={quote(address, safe='')}&name="
    )
    assert visitor.strayed == []


async def test_an_answer_is_given_on_a_phone(chromium: Browser, site: Site) -> None:
    """390 wide, by taps; axe finds nothing before, with an error, and after."""
    path = await invited(site)
    async with visiting(chromium, site, viewport={"width": 390, "height": 844}, has_touch=True) as phone:
        await phone.speak("vi")
        await phone.go(path)
        assert await phone.violations() == []
        send = phone.page.locator("#answer button")
        await send.tap()
        await expect(phone.page.locator("[data-summary]")).to_be_focused()
        assert await phone.violations() == []
        phone.complaints.clear()  # the 422
        await phone.page.locator("#answer label.choice").first.tap()
        await send.tap()
        await expect(phone.page.get_by_role("status")).to_be_visible()
        assert await phone.violations() == []
        assert (phone.strayed, phone.complaints) == ([], [])
    [(who, data)] = await replies(site)
    assert (who, data["answer"]) == ("participant:ha", "accepted")
