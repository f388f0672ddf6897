"""A visit from its request to its closed file, by three people and a host, through the pages alone."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from playwright.async_api import Browser, expect

from domain.institution import Organisation
from domain.state import Phase
from domain.values import BUSINESS_ZONE, business_date
from storage.metadata import utc_now
from tests.pages.conftest import Site, Visitor, visiting

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
OWN_PAGE = re.compile(r"https?://[^/\s]+(/my/[A-Za-z0-9_-]+)")


async def press(visitor: Visitor, name: str) -> None:
    """Press the button of that name."""
    await visitor.page.get_by_role("button", name=name, exact=True).click()


async def fill(visitor: Visitor, **fields: str) -> None:
    """Type into fields by their ids, whose dashes are written as underscores."""
    for name, text in fields.items():
        await visitor.page.fill(f"#{name.replace('__', '-')}", text)


def tomorrow() -> date:
    """The second day of the visit: it begins on the day of the test, so that it can be gone through by the pages."""
    return business_date(utc_now(), BUSINESS_ZONE) + timedelta(days=1)


async def registered(site: Site) -> str:
    """An organisation of the test's own, as the register has it; its short name."""
    slug = f"nara-{uuid.uuid4().hex[:8]}"
    name = {"vi": "Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam", "en": "Song Lam Union"}
    said = {"slug": slug, "kind": "member_organisation", "name": name, "since": datetime(2020, 1, 1, tzinfo=UTC)}
    await site.here.registers.institution.add_organisation(Organisation.model_validate(said), by="root")
    return slug


async def opened(coordinator: Visitor, site: Site) -> str:
    """Open a delegation by its form of sections; its id."""
    page, starts = coordinator.page, business_date(utc_now(), BUSINESS_ZONE)
    organisation = await registered(site)
    await coordinator.go("/files/new")
    await page.get_by_role("link", name="Begin").click()
    await page.get_by_label("Inbound").check()
    await fill(coordinator, new__title="Đoàn Hội hữu nghị Nara", new__purpose="Trao đổi về bảo tồn di sản")
    await page.select_option("#new-organisation", organisation)
    await press(coordinator, "Save and go on")
    await fill(coordinator, new__partner="Nara Friendship Association")
    await page.get_by_label("Country 1").fill("nhat ban")
    await press(coordinator, "Save and go on")
    await fill(
        coordinator, new__starts=str(starts), new__ends=str(starts + timedelta(days=2)), new__places="Hà Nội\nHuế"
    )
    await press(coordinator, "Save and go on")
    await page.select_option("#new-grade", "C")
    await press(coordinator, "Save and go on")
    await press(coordinator, "Open the delegation")
    await expect(page.locator("h1")).to_have_text("Đoàn Hội hữu nghị Nara")
    return coordinator.path.split("/")[2].partition("?")[0]


async def joined(coordinator: Visitor, root: str, kind: str, role: str, name: str, email: str) -> None:
    """Put somebody on the list, by the form."""
    await coordinator.go(f"{root}/people/new?as={kind}")
    await coordinator.page.locator(f"input[name=role][value={role}]").check()
    await coordinator.page.locator("input[name=full_name]").fill(name)
    await coordinator.page.locator("input[name=given_name]").fill(name.split()[-1])
    await coordinator.page.locator("input[name=email]").fill(email)
    nationality, language = ("Japan", "en") if kind == "delegate" else ("Viet Nam", "vi")
    await coordinator.page.locator("[name=nationality]").fill(nationality)
    await coordinator.page.locator("select[name=language]").select_option(language)
    if kind == "delegate":
        await coordinator.page.locator("input[name=country]").fill("Japan")
    await coordinator.page.locator("main form .button").first.click()
    await expect(coordinator.page.locator("main")).to_contain_text(name)


async def planned(coordinator: Visitor, root: str, title: str, begins: str, ends: str, place: str) -> None:
    """Put an item into the draft of the second day, for delegates and hosts."""
    await coordinator.go(f"{root}/programme/new")
    await coordinator.page.locator("input[name=day]").fill(str(tomorrow()))
    await coordinator.page.locator("input[name=title]").fill(title)
    await coordinator.page.locator("input[name=place]").fill(place)
    await coordinator.page.locator("input[name=starts]").fill(begins)
    await coordinator.page.locator("input[name=ends]").fill(ends)
    for group in ("delegates", "hosts"):
        await coordinator.page.locator(f"input[name=groups][value={group}]").check()
    await coordinator.page.locator("input[type=checkbox][name=published]").check()
    await press(coordinator, "Add to the draft")
    await expect(coordinator.page.locator("main")).to_contain_text(title)


async def test_a_visit_from_its_request_to_its_closed_file(site: Site, chromium: Browser) -> None:
    """Created, returned and signed on a phone, moved by hand and by keyboard, published after the preview, answered."""
    async with (
        visiting(chromium, site) as lan,
        visiting(chromium, site, **PHONE) as hung,
        visiting(chromium, site, **PHONE) as mai,
        visiting(chromium, site, **PHONE) as host,
    ):
        for one, account in ((lan, "lan"), (hung, "hung"), (mai, "mai")):
            await one.speak("en")
            await one.sign_in(account)
        here = site.here
        here.id = await opened(lan, site)
        root = f"/delegations/{here.id}"
        await joined(lan, root, "delegate", "head", "Tanaka Haruka", f"haruka.{here.id}@nara.example")
        await joined(lan, root, "servant", "host", "Đỗ Thị Hoa", f"hoa.{here.id}@songlam.example")
        await planned(lan, root, "Hội đàm", "9", "10h30", "Hà Nội")
        await planned(lan, root, "Thăm Đại Nội", "14:00", "16", "Huế")

        await lan.go(f"{root}/acts/submit_request")
        await press(lan, "Submit proposal v1")
        await returned(hung, root)
        await lan.go(f"{root}/request/revise")
        await lan.page.locator("textarea[name=purpose]").fill("Trao đổi về bảo tồn di sản và du lịch")
        await lan.page.locator("main form .button").first.click()
        await lan.go(f"{root}/acts/submit_request")
        await press(lan, "Submit proposal v2")
        for signer, step in ((hung, "department_head"), (mai, "vice_president")):
            await signer.go(f"{root}/steps/{step}")
            await press(signer, "Approve proposal v2")
            await expect(signer.page.locator("h1")).to_have_text("You approved proposal v2.")
        await lan.go(f"{root}/acts/issue_decision")
        await lan.page.locator("input[name=number]").fill("31/QĐ-LH")
        await press(lan, "Continue")
        await press(lan, "Issue the decision")

        await lan.go(f"{root}/acts/invite")
        await press(lan, "Invite 2 people")
        await here.until(Phase.INVITING)
        await here.idle()
        await moved(lan, root)
        await lan.go(f"{root}/programme/preview")
        await expect(lan.page.locator("main")).to_contain_text("2 people are told of the change.")
        await press(lan, "Publish the programme")
        file = await here.file()
        assert {one.starts.local[11:] for one in file.items.values()} == {"10:00", "14:15"}

        await host.go(await own_page(site, f"hoa.{here.id}@songlam.example"))
        await expect(host.page.locator("main")).to_contain_text("Hội đàm")
        await host.page.locator("input[name=answer][value=accepted]").check()
        await host.page.locator("form:has(input[name=answer]) .button").first.click()
        await expect(host.page.locator(".stateline[role=status]")).to_be_visible()

        await lan.go(f"{root}/acts/depart")
        await lan.page.locator("main form .button").first.click()
        await lan.go(f"{root}/acts/conclude")
        await lan.page.locator("main form .button").first.click()
        await lan.go(f"{root}/report")
        await lan.page.locator("textarea[name=results]").fill("Hai bên thống nhất trao đổi chuyên gia bảo tồn.")
        await press(lan, "File the report")
        await mai.go(f"{root}/steps/report")
        await press(mai, "Accept report no. 1")
        await expect(mai.page.locator("h1")).to_have_text("You accepted report no. 1.")
        await lan.go(f"{root}/acts/close_delegation")
        await lan.page.locator("main form .button").first.click()
        closed = await here.until(Phase.CLOSED)
        assert [(one.participant_id, one.answer, one.via) for one in closed.replies.values()] == [
            (next(who for who, one in closed.people.items() if one.role == "host"), "accepted", "page")
        ]
        events = [one.type for one in await here.registers.queries.events(here.id)]
        assert [events.count(kind) for kind in ("StepReturned", "StepSigned", "ItemMoved", "ProgrammePublished")] == [
            1,
            2,
            2,
            2,
        ]
        for one in (lan, hung, mai, host):
            assert (one.strayed, one.complaints) == ([], [])


async def returned(approver: Visitor, root: str) -> None:
    """Send the proposal back, with a reason, on a phone."""
    await approver.go(f"{root}/steps/department_head")
    await approver.page.get_by_text("Return it …").click()
    await approver.page.fill("#return_step-reason", "Mục đích cần nói rõ hơn.")
    await press(approver, "Return proposal v1")
    await expect(approver.page.locator("h1")).to_have_text("You returned proposal v1.")


async def moved(coordinator: Visitor, root: str) -> None:
    """Drag one item an hour down, and move the other by a quarter of an hour with the keyboard."""
    page = coordinator.page
    # A screen that has room for the whole board: nothing scrolls while something is dragged.
    await page.set_viewport_size({"width": 1280, "height": 2200})
    await coordinator.go(f"{root}/programme?from={tomorrow()}")
    box = page.locator("#board article").filter(has_text="Hội đàm")
    await box.scroll_into_view_if_needed()
    found = await box.bounding_box()
    assert found is not None
    await page.mouse.move(found["x"] + 40, found["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(found["x"] + 40, found["y"] + 50, steps=4)
    await page.mouse.move(found["x"] + 40, found["y"] + 90, steps=4)
    await page.mouse.up()
    await expect(page.locator("[data-status]")).to_contain_text("“Hội đàm” is moved in the draft:")
    other = page.locator("#board article").filter(has_text="Thăm Đại Nội").locator("[data-of]")
    await other.focus()
    await page.keyboard.press("ArrowDown")
    # The focus comes back to the item when it is drawn anew.
    await expect(other).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-status]")).to_contain_text("“Thăm Đại Nội” is moved in the draft:")


async def own_page(site: Site, address: str) -> str:
    """The path of the personal page that somebody's invitation leads to."""
    for recipient, content in site.here.post.taken:
        if recipient == address:
            for part in message_from_bytes(content, policy=default).walk():
                if part.get_content_type() == "text/plain" and (found := OWN_PAGE.search(part.get_content())):
                    return found[1]
    raise AssertionError(f"nobody led {address} to their page")
