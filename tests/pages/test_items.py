"""Items by form, without a script: what is typed is what is drafted, and nothing that anybody typed is lost."""

from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from domain.state import Item
from tests.pages.conftest import Site, Visitor, visiting

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

STARTS = date(2027, 10, 30)


@pytest_asyncio.fixture(loop_scope="session")
async def plain(chromium: Browser, site: Site) -> AsyncIterator[Visitor]:
    """Somebody whose browser runs no script."""
    async with visiting(chromium, site, java_script_enabled=False) as one:
        await one.speak("en")
        yield one
        assert one.strayed == []


async def planned(site: Site) -> str:
    """A file over the night on which Europe puts its clocks back, with one item, and the path of its programme."""
    await site.here.open(STARTS, date(2027, 11, 1))
    await site.here.add("m-1", role="head")
    await site.here.schedule("talk", hour=9, title="Hội đàm")
    return f"/delegations/{site.here.id}/programme"


async def talk(site: Site) -> Item:
    """The item as it stands."""
    return (await site.here.file()).items["talk"]


async def fill(visitor: Visitor, form: str, **typed: str) -> None:
    """Type into a form, and send it."""
    for name, value in typed.items():
        await visitor.page.fill(f"#{form}-{name}", value)
    await visitor.page.locator(f"form#{form} button").click()


async def test_an_item_is_added_moved_changed_and_taken_off(site: Site, plain: Visitor) -> None:
    """Times as people type them; the draft says of each what became of it."""
    path = await planned(site)
    await plain.sign_in("lan", f"/sign-in?next={path}")
    await plain.page.get_by_role("link", name="Add an item").click()
    await fill(plain, "add", title="Thăm Văn Miếu", starts="14h30", ends="16", place="Văn Miếu")
    await expect(plain.page.locator("main .stateline[role=status]")).to_have_text("The item is in the draft.")
    [added] = [one for one in (await site.here.file()).items.values() if one.id != "talk"]
    assert (added.title, added.place, added.starts.local, added.ends.local) == (
        "Thăm Văn Miếu",
        "Văn Miếu",
        f"{STARTS}T14:30",
        f"{STARTS}T16:00",
    )
    assert (added.audience.groups, added.published, added.kind) == (("delegates",), True, "session")
    await plain.page.get_by_role("link", name="Move Hội đàm").click()
    await fill(plain, "move", day="2027-10-31", starts="9.15", ends="10h")
    assert (await talk(site)).starts.local == "2027-10-31T09:15"
    await plain.go(f"{path}/items/talk")
    await plain.page.check("#revise-groups input[value=hosts]")
    await plain.page.fill("#revise-notes-0-text", "Mang theo quà")
    await fill(plain, "revise", title="Hội đàm chính thức", place="Phòng khánh tiết")
    now = await talk(site)
    assert (now.title, now.place) == ("Hội đàm chính thức", "Phòng khánh tiết")
    assert "hosts" in now.audience.groups
    assert [note.text for note in now.notes] == ["Mang theo quà"]
    await plain.go(f"{path}/items/talk")
    await fill(plain, "cancel")
    assert (await talk(site)).cancelled


async def test_what_is_typed_wrong_comes_back_beside_its_field(site: Site, plain: Visitor) -> None:
    """With everything that was typed; nothing is drafted."""
    path = await planned(site)
    await plain.sign_in("lan", f"/sign-in?next={path}/new")
    await fill(plain, "add", title="Thăm Văn Miếu", starts="25:00", ends="nửa đêm")
    assert (await plain.page.title()).startswith("Error:")
    assert await plain.page.input_value("#add-title") == "Thăm Văn Miếu"
    assert await plain.page.input_value("#add-ends") == "nửa đêm"
    for name in ("starts", "ends"):
        said = await plain.page.inner_text(f"#add-{name}-error")
        assert said.endswith("Type a time of day, such as 9, 09:30 or 9h30.")
    await fill(plain, "add", starts="10", ends="10:03")
    assert "An item lasts at least 5 minutes." in await plain.page.inner_text("#add-ends-error")
    await fill(plain, "add", ends="9")
    assert "The end is not after the start." in await plain.page.inner_text("#add-ends-error")
    assert list((await site.here.file()).items) == ["talk"]


@pytest.mark.parametrize(("which", "instant"), [("0", "00:30"), ("1", "01:30")])
async def test_a_time_that_occurs_twice_is_answered_with_the_question(
    site: Site, plain: Visitor, which: str, instant: str
) -> None:
    """02:30 in Berlin on the night of 31 October: the first or the second; and one that does not exist is refused."""
    path = await planned(site)
    await plain.sign_in("lan", f"/sign-in?next={path}/items/talk")
    await plain.page.locator("#move summary").click()
    await fill(plain, "move", day="2027-10-31", starts="2:30", ends="5", zone="Europe/Berlin")
    assert "This time occurs twice on that day" in await plain.page.inner_text("#move-starts-error")
    assert "UTC+2" in await plain.page.inner_text("#move-starts_fold")
    assert "UTC+1" in await plain.page.inner_text("#move-starts_fold")
    await plain.page.check(f"#move-starts_fold input[value='{which}']")
    await fill(plain, "move")
    assert f"{(await talk(site)).starts.instant:%H:%M}" == instant
    await plain.go(f"{path}/items/talk")
    await fill(plain, "move", day="2028-03-26", starts="2:30", ends="5")
    assert "does not exist in its zone" in await plain.page.inner_text("#move-starts-error")


async def test_two_who_change_one_item_lose_nothing(site: Site, plain: Visitor) -> None:
    """What only one touched is joined; what both touched stands side by side, and goes in when it is sent again."""
    path = await planned(site)
    await plain.sign_in("lan", f"/sign-in?next={path}/items/talk")
    await site.here.send(
        {"type": "revise_item", "item_id": "talk", "title": "Hội đàm song phương", "place": "Nhà khách"}
    )
    await fill(plain, "revise", title="Hội đàm chính thức")
    assert "Somebody changed this while you were at it." in await plain.page.inner_text(".summary")
    rows = [
        [await cell.inner_text() for cell in await row.locator("th, td").all()]
        for row in await plain.page.locator(".meanwhile tbody tr").all()
    ]
    assert rows == [
        ["Name of the item", "Hội đàm", "Hội đàm song phương", "Hội đàm chính thức"],
        ["Place", "Hà Nội", "Nhà khách", "not touched by you; theirs is taken"],
    ]
    assert (await talk(site)).title == "Hội đàm song phương"
    assert await plain.page.input_value("#revise-title") == "Hội đàm chính thức"
    assert await plain.page.input_value("#revise-place") == "Nhà khách"
    await fill(plain, "revise")
    assert ((await talk(site)).title, (await talk(site)).place) == ("Hội đàm chính thức", "Nhà khách")


async def test_a_draft_is_taken_back_for_one_item_and_for_all(site: Site, plain: Visitor) -> None:
    """To what was last published; what is new is taken off."""
    path = await planned(site)
    await site.here.send({"type": "publish_programme"})
    published = await talk(site)
    await site.here.send({"type": "cancel_item", "item_id": "talk"})
    await plain.sign_in("lan", f"/sign-in?next={path}/items/talk")
    await plain.page.get_by_role("button", name="Take back the draft of this item").click()
    assert await talk(site) == published
    await site.here.schedule("more", hour=15)
    await site.here.send({"type": "revise_item", "item_id": "talk", "title": "Khác"})
    await plain.go(path)
    assert "2 changes are a draft." in await plain.page.inner_text("main")
    await plain.page.locator("[data-drafts] summary").click()
    await plain.page.get_by_role("button", name="Take back 2 changes").click()
    assert "Published as it stands" in await plain.page.inner_text("main")
    assert await talk(site) == published
    assert (await site.here.file()).items["more"].cancelled


async def test_what_changed_after_the_preview_is_previewed_again(site: Site, plain: Visitor) -> None:
    """Nothing goes out that nobody looked at."""
    path = await planned(site)
    await plain.sign_in("lan", f"/sign-in?next={path}/preview")
    await site.here.send({"type": "revise_item", "item_id": "talk", "title": "Khác"})
    await plain.page.get_by_role("button", name="Publish the programme").click()
    assert "Somebody changed this while you were at it." in await plain.page.inner_text(".summary")
    assert (await site.here.file()).programme == 0
    await plain.page.get_by_role("button", name="Publish the programme").click()
    assert (await site.here.file()).programme == 1


async def test_an_auditor_reads_the_programme_without_names_and_changes_nothing(site: Site, plain: Visitor) -> None:
    """No form, no way to one, and no name of anybody."""
    path = await planned(site)
    await site.here.send({"type": "revise_item", "item_id": "talk", "audience": {"people": ["m-1"]}})
    await plain.sign_in("an", f"/sign-in?next={path}")
    for add in ("", "?view=list", "?view=now", "/print", "/items/talk", "/preview"):
        await plain.go(path + add)
        assert "Hội đàm" in await plain.page.inner_text("main") or add == "/preview"
        assert "Delegate m-1" not in await plain.page.content()
        assert await plain.page.locator("main form").count() == 0
    await plain.go(f"{path}/new")
    assert "Your role may not see this page." in await plain.page.inner_text("main")


async def test_each_day_is_a_sheet_of_paper_without_a_way_out(site: Site, plain: Visitor) -> None:
    """One page of A4 for each day in which something stands."""
    path = await planned(site)
    await site.here.schedule("more", day=1, hour=15)
    await plain.sign_in("lan", f"/sign-in?next={path}/print")
    assert await plain.page.locator("section.sheet").count() == 2
    assert await plain.page.locator("nav, form").count() == 0
    printed = await plain.page.pdf(prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") == 2
    assert b"/MediaBox [0 0 594" in printed or b"/MediaBox [0 0 595" in printed
