"""The programme's board in a real browser: moved by hand and by keyboard, refused, published, by two at once."""

from datetime import timedelta

import pytest
from playwright.async_api import Locator, expect

from domain.state import Delegation
from tests.pages.conftest import Site, Visitor
from tests.pages.gallery import overfull

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]


async def planned(site: Site) -> str:
    """A file with two items on its first day, in two places, and the path of its programme."""
    await site.here.open(places=["Hà Nội", "Huế"])
    await site.here.add("m-1", role="head")
    await site.here.schedule("talk", hour=9, title="Hội đàm")
    await site.here.schedule("lunch", hour=12, title="Ăn trưa", place="Huế")
    return f"/delegations/{site.here.id}/programme"


async def at_the_board(site: Site, visitor: Visitor, path: str, account: str = "lan") -> None:
    """Sign in, and open the board, on a screen that has room for all of it: nothing scrolls while one drags."""
    await visitor.page.set_viewport_size({"width": 1280, "height": 2200})
    await visitor.speak("en")
    await visitor.sign_in(account, f"/sign-in?next={path}")
    await expect(item(visitor, "talk")).to_be_visible()


def item(visitor: Visitor, name: str) -> Locator:
    """The link of an item on the board."""
    return visitor.page.locator(f'#board [data-of="{name}"]')


def box(visitor: Visitor, name: str) -> Locator:
    """An item as it is drawn."""
    return visitor.page.locator("#board article").filter(has=visitor.page.locator(f'[data-of="{name}"]'))


async def press(visitor: Visitor, name: str, *keys: str) -> None:
    """Press keys, one after the other, on an item of the board, each where the focus is then."""
    await item(visitor, name).focus()
    for key in keys:
        await visitor.page.keyboard.press(key)
        # The focus comes back to the item when it is drawn anew.
        await expect(item(visitor, name)).to_be_focused()


def status(visitor: Visitor) -> Locator:
    """What the board says."""
    return visitor.page.locator("[data-status]")


def alarm(visitor: Visitor) -> Locator:
    """What the board complains of."""
    return visitor.page.locator("[data-alert]")


async def times(site: Site, name: str) -> tuple[int, str, str, str | None]:
    """On which day of the visit an item stands, from when to when, and where."""
    file = await site.here.file()
    one = file.items[name]
    day = (one.starts.instant.date() - file.starts).days
    return day, one.starts.local[11:], one.ends.local[11:], one.place


async def test_an_item_is_dragged_to_another_hour_and_the_move_is_undone(site: Site, visitor: Visitor) -> None:
    """80 pixels are an hour; the server's answer is what is shown, and one press takes it back."""
    path = await planned(site)
    await at_the_board(site, visitor, path)
    await drag(visitor, "talk", to=(0, 80))
    await expect(status(visitor)).to_contain_text("“Hội đàm” is moved in the draft:")
    assert await times(site, "talk") == (0, "10:00", "11:00", "Hà Nội")
    await expect(box(visitor, "talk")).to_contain_text("10:00–11:00")
    assert visitor.path == path
    await visitor.page.get_by_role("button", name="Undo").click()
    await expect(status(visitor)).to_contain_text("Undone")
    assert await times(site, "talk") == (0, "09:00", "10:00", "Hà Nội")


async def test_an_item_is_stretched_put_into_another_lane_and_onto_another_day_by_hand(
    site: Site, visitor: Visitor
) -> None:
    """By its lower edge; into the lane beside it; onto a day above the board."""
    path = await planned(site)
    await at_the_board(site, visitor, path)
    await drag(visitor, "talk", to=(0, 40), from_bottom=True)
    await expect(box(visitor, "talk")).to_contain_text("09:00–10:30")
    assert await times(site, "talk") == (0, "09:00", "10:30", "Hà Nội")
    found = await box(visitor, "talk").bounding_box()
    other = await box(visitor, "lunch").bounding_box()
    assert found is not None
    assert other is not None
    await drag(visitor, "talk", to=(other["x"] - found["x"], 0))
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    assert await times(site, "talk") == (0, "09:00", "10:30", "Huế")
    file = await site.here.file()
    chip = await visitor.page.locator(f'[data-day="{file.starts + timedelta(days=2)}"]').bounding_box()
    found = await box(visitor, "talk").bounding_box()
    assert chip is not None
    assert found is not None
    await drag(visitor, "talk", to=(chip["x"] + 20 - found["x"] - 40, chip["y"] + 10 - found["y"] - 10))
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    assert await times(site, "talk") == (2, "09:00", "10:30", "Huế")


async def test_an_item_changes_its_host_and_its_groups_by_the_lane_it_is_put_into(site: Site, visitor: Visitor) -> None:
    """In lanes of hosts by hand, who hosts; in lanes of groups by keyboard, for whom."""
    path = await planned(site)
    for number, name in enumerate(("Đỗ Thị Hoa", "Bùi Văn Sơn")):
        person = await site.here.person(name, f"h{number}@songlam.example", nationality="VN")
        who = {"type": "appoint_participant", "participant_id": f"h-{number}", "person": person, "role": "host"}
        await site.here.send(who)
    await site.here.send(
        {"type": "revise_item", "item_id": "talk", "audience": {"groups": ["delegates"], "people": ["h-0"]}},
        {"type": "revise_item", "item_id": "lunch", "audience": {"groups": ["escorts"], "people": ["h-1"]}},
    )
    await at_the_board(site, visitor, f"{path}?lanes=host")
    (found, other) = (await box(visitor, "talk").bounding_box(), await box(visitor, "lunch").bounding_box())
    assert found is not None
    assert other is not None
    await drag(visitor, "talk", to=(other["x"] - found["x"], 0))
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    audience = (await site.here.file()).items["talk"].audience
    assert (audience.groups, audience.people) == (("delegates",), ("h-1",))
    await visitor.go(f"{path}?lanes=group")
    await press(visitor, "talk", "ArrowRight", "Enter")
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    audience = (await site.here.file()).items["talk"].audience
    assert (audience.groups, audience.people) == (("escorts",), ("h-1",))


async def drag(visitor: Visitor, name: str, *, to: tuple[float, float], from_bottom: bool = False) -> None:
    """Drag an item by so many pixels."""
    await item(visitor, name).scroll_into_view_if_needed()
    found = await box(visitor, name).bounding_box()
    assert found is not None
    x, y = found["x"] + 40, found["y"] + (found["height"] - 3 if from_bottom else 10)
    await visitor.page.mouse.move(x, y)
    await visitor.page.mouse.down()
    await visitor.page.mouse.move(x + to[0] / 2, y + to[1] / 2, steps=4)
    await visitor.page.mouse.move(x + to[0], y + to[1], steps=4)
    await visitor.page.mouse.up()


async def test_all_of_it_goes_by_keyboard(site: Site, visitor: Visitor) -> None:
    """Arrows move and change lanes, Shift and arrows stretch, D asks for a day; Escape takes back, Enter sends."""
    path = await planned(site)
    await at_the_board(site, visitor, path)
    await press(visitor, "talk", "ArrowDown", "ArrowDown")
    await expect(status(visitor)).to_contain_text("09:30–10:30. Enter sends it, Escape takes it back.")
    await press(visitor, "talk", "Escape")
    await expect(status(visitor)).to_have_text("“Hội đàm” stands where it stood.")
    assert await times(site, "talk") == (0, "09:00", "10:00", "Hà Nội")
    await press(visitor, "talk", "ArrowDown", "Shift+ArrowDown", "ArrowRight", "Enter")
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    assert await times(site, "talk") == (0, "09:15", "10:30", "Huế")
    await item(visitor, "talk").focus()
    await visitor.page.keyboard.press("d")
    file = await site.here.file()
    await visitor.page.select_option("#ask-day", str(file.starts + timedelta(days=1)))
    await visitor.page.locator("[data-asking] button:not([type])").click()
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    assert await times(site, "talk") == (1, "09:15", "10:30", "Huế")


async def test_nothing_leaves_its_day_and_nothing_is_shorter_than_five_minutes(site: Site, visitor: Visitor) -> None:
    """However often it is asked for."""
    path = await planned(site)
    await site.here.schedule("late", hour=22, title="Muộn")
    await at_the_board(site, visitor, path)
    await press(visitor, "late", *["ArrowDown"] * 8, "Enter")
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    assert await times(site, "late") == (0, "23:00", "00:00", "Hà Nội")
    await press(visitor, "talk", *["Shift+ArrowUp"] * 6, "Enter")
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    assert await times(site, "talk") == (0, "09:00", "09:05", "Hà Nội")


async def test_of_two_coordinators_nobody_s_change_is_lost_silently(
    site: Site, visitor: Visitor, other: Visitor
) -> None:
    """The second is refused with the reason, sees what the first made of it, and what they wanted is not lost."""
    path = await planned(site)
    await at_the_board(site, visitor, path)
    await at_the_board(site, other, path)
    await press(visitor, "talk", "ArrowDown", "Enter")
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    # A refused move is an answer with a status, which browsers note.
    await press(other, "talk", "ArrowUp", "Enter")
    await expect(alarm(other)).to_contain_text(
        "“Hội đàm” stays where it was. Somebody changed this while you were at it."
    )
    await expect(alarm(other)).to_contain_text("08:45–09:45")
    await expect(box(other, "talk")).to_contain_text("09:15–10:15")
    assert await times(site, "talk") == (0, "09:15", "10:15", "Hà Nội")
    await other.page.get_by_role("link", name="Answer it in the form").click()
    await expect(other.page.locator("#move-starts")).to_have_value("08:45")
    await other.page.get_by_role("button", name="Move in the draft").click()
    await expect(other.page.locator("main .stateline[role=status]")).to_contain_text("The change is in the draft.")
    assert await times(site, "talk") == (0, "08:45", "09:45", "Hà Nội")


async def test_a_change_is_published_after_its_preview(site: Site, visitor: Visitor) -> None:
    """The preview names who is told what; published, nothing is a draft any more."""
    path = await planned(site)
    await site.here.approve()
    await site.here.send({"type": "publish_programme"})
    await site.here.send({"type": "invite"})
    await site.here.idle()
    await at_the_board(site, visitor, path)
    assert await visitor.page.locator("#programme").inner_text() != ""
    await press(visitor, "talk", "ArrowDown", "Enter")
    await expect(visitor.page.locator("[data-drafts]")).to_contain_text("1 change is a draft.")
    await visitor.page.get_by_role("link", name="See who will be told what").click()
    told = await visitor.page.inner_text("main")
    assert "1 person is told of the change." in told
    assert "Delegate m-1" in told
    assert "09:00, " in told
    assert "09:15, " in told
    assert await visitor.violations() == []
    await visitor.page.get_by_role("button", name="Publish the programme").click()
    await expect(visitor.page.locator("[data-drafts]")).to_contain_text("Published as it stands")
    state: Delegation = await site.here.idle()
    assert state.published["talk"].view.starts.local[11:] == "09:15"


async def test_a_programme_of_67_items_for_98_people_is_moved_like_any_other(site: Site, visitor: Visitor) -> None:
    """Two days of it stand on the board, the others are one press away."""
    await overfull(site.here, site.here.id)
    path = f"/delegations/{site.here.id}/programme"
    await visitor.speak("en")
    await visitor.sign_in("lan", f"/sign-in?next={path}")
    await expect(visitor.page.locator("#board article")).to_have_count(20)
    assert await visitor.page.locator("tr[data-item]").count() == 20
    await press(visitor, "s-7", "ArrowDown", "Enter")
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    assert (await site.here.file()).items["s-7"].starts.local[11:] == "08:15"
    # Onto a day that the board does not show, and back again.
    await item(visitor, "s-7").focus()
    await visitor.page.keyboard.press("d")
    last = str((await site.here.file()).ends)
    await visitor.page.select_option("#ask-day", last)
    await visitor.page.locator("[data-asking] button:not([type])").click()
    await expect(status(visitor)).to_contain_text("is moved in the draft")
    await expect(item(visitor, "s-7")).to_have_count(0)
    assert (await site.here.file()).items["s-7"].starts.local == f"{last}T08:15"
    await visitor.page.get_by_role("button", name="Undo").click()
    await expect(status(visitor)).to_contain_text("Undone")
    assert (await site.here.file()).items["s-7"].starts.local == f"{(await site.here.file()).starts}T08:15"
    await visitor.page.locator("[data-day]").last.click()
    await expect(item(visitor, "s-6")).to_be_visible()
    assert await visitor.violations() == []
