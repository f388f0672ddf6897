"""The checklist and the notes of a file as pages: forms, what comes back, who may, nothing lost."""

import re

import pytest
from playwright.async_api import expect

from tests.pages.asking import visiting_as
from tests.pages.conftest import Site, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

ENTRY = re.compile(r'<li id="(chk_[a-z0-9]+)">')
NOTE = re.compile(r'<li id="(not_[a-z0-9]+)">')


async def test_a_list_is_taken_over_added_to_ticked_and_changed(site: Site) -> None:
    """Every form answers with a redirect to what it did."""
    await site.here.open()
    path = f"/delegations/{site.here.id}/checklist"
    async with visiting_as(site, "lan") as lan:
        empty = (await lan.get(path)).text
        assert "Receiving guests – general" in empty
        assert ENTRY.findall(empty) == []
        chosen = await lan.send(path, form="choose", template="inbound-general")
        assert (chosen.status_code, chosen.headers["location"]) == (303, f"{path}?said=chosen")
        added = await lan.send(
            path, form="add", title="Order lotus", due__offset="3", due__unit="days", due__when="departure.after"
        )
        assert added.headers["location"] == f"{path}?said=added"
        page = (await lan.get(f"{path}?said=added")).text
        assert "The task was added." in page
        assert "0 of 13 done" in page
        assert "3 days after the last day" in page
        entry = ENTRY.findall(page)[0]
        for act in ("tick", "tick"):
            assert (await lan.send(f"{path}/{entry}", act=act)).headers["location"] == f"{path}?said=ticked#{entry}"
        assert "1 of 13 done" in (await lan.get(path)).text
        changed = {"act": "change", "title": "Dietary needs of twelve", "version": "1", "assignee": "hung"}
        assert (await lan.send(f"{path}/{entry}", **changed)).status_code == 303
        second = await lan.send(f"{path}/{entry}", **changed | {"title": "Lost?"})
        assert second.status_code == 409
        assert 'value="Lost?"' in second.text
        assert "Somebody changed this entry since" in second.text
        assert 'name="version" value="2"' in second.text
        assert "Dietary needs of twelve" in second.text
        assert (await lan.send(f"{path}/{entry}", act="remove")).headers["location"] == f"{path}?said=removed"
        assert "0 of 12 done" in (await lan.get(path)).text
        gone = await lan.send(f"{path}/{entry}", **changed | {"title": "Once more"})
        assert (gone.status_code, 'id="add-title" name="title" type="text" value="Once more"' in gone.text) == (
            404,
            True,
        )


async def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(site: Site) -> None:
    """A day that is no number, an empty title; the page says so in its title."""
    await site.here.open()
    path = f"/delegations/{site.here.id}/checklist"
    async with visiting_as(site, "lan") as lan:
        typed = {"form": "add", "title": "", "due__offset": "three", "due__unit": "days", "due__when": "arrival.before"}
        answer = await lan.send(path, **typed, assignee="hung")
        assert answer.status_code == 422
        assert [f'id="add-{one}-error"' in answer.text for one in ("title", "due-offset", "assignee")] == [
            True,
            True,
            False,
        ]
        assert 'value="three"' in answer.text
        assert '<option value="hung" selected>' in answer.text
        assert "<title>Error:" in answer.text
        nobody = await lan.send(path, form="add", title="Flags", assignee="nobody")
        assert (nobody.status_code, 'id="add-assignee-error"' in nobody.text) == (404, True)


async def test_who_may_not_change_the_list_ticks_what_is_theirs(site: Site) -> None:
    """An approver has no forms but a mark at their own task; an auditor has no page."""
    await site.here.open()
    path = f"/delegations/{site.here.id}/checklist"
    async with visiting_as(site, "lan") as lan, visiting_as(site, "hung") as hung, visiting_as(site, "an") as an:
        for title, who in (("Mine", "hung"), ("Another’s", "mai")):
            key = title[0].encode().hex() * 16
            assert (await lan.send(path, form="add", title=title, assignee=who, key=key)).status_code == 303
        page = (await hung.get(path)).text
        mine, other = sorted(ENTRY.findall(page), key=lambda id: page.index(id) if "Mine" in page else 0)
        if page.index("Mine") > page.index("Another"):
            mine, other = other, mine
        assert page.count('class="tick"') == 1
        assert "Add the task" not in page
        assert (await hung.send(f"{path}/{mine}", act="tick")).status_code == 303
        refused = await hung.send(f"{path}/{other}", act="tick")
        assert refused.status_code == 403
        assert (await hung.send(path, form="add", title="x")).status_code == 403
        assert (await hung.send(f"{path}/{mine}", act="remove")).status_code == 403
        assert (await an.get(path)).status_code == 403
        assert "Checklist" not in (await an.get(f"/delegations/{site.here.id}")).text


async def test_a_note_is_written_changed_by_its_author_and_read_in_every_version(site: Site) -> None:
    """What others wrote has no form; a forged one is refused, with what was typed."""
    await site.here.open()
    path = f"/delegations/{site.here.id}/notes"
    async with visiting_as(site, "lan") as lan, visiting_as(site, "hung") as hung:
        first = await lan.send(path, text="Mrs. Tanaka <b>eats</b> no meat.")
        again = await lan.send(path, text="Mrs. Tanaka <b>eats</b> no meat.")
        assert (first.status_code, first.headers["location"]) == (303, again.headers["location"])
        page = (await lan.get(path)).text
        (note,) = NOTE.findall(page)
        assert "&lt;b&gt;eats" in page
        assert f"edit={note}" in page
        assert f"edit={note}" not in (await hung.get(path)).text
        refused = await hung.send(f"{path}/{note}", text="Forged", version="1")
        assert (refused.status_code, "Only its author changes a note." in refused.text) == (403, True)
        assert "Forged" in refused.text
        assert (await lan.send(f"{path}/{note}", text="No fish either.", version="1")).status_code == 303
        versions = (await hung.get(f"{path}/{note}")).text
        assert versions.index("No fish either.") < versions.index("no meat.")
        empty = await lan.send(path, text="  ")
        assert (empty.status_code, 'id="write-text-error"' in empty.text) == (422, True)
        assert "No fish either." in (await lan.get(f"/delegations/{site.here.id}")).text


async def test_the_list_works_by_hand_and_without_anything_to_complain_of(site: Site, visitor: Visitor) -> None:
    """In a real browser: a task is ticked by keyboard; axe finds nothing, also with a form open."""
    await site.here.open()
    await visitor.speak("en")
    await visitor.sign_in("lan", f"/sign-in?next=/delegations/{site.here.id}/checklist")
    page = visitor.page
    await page.click("#choose button")
    await expect(page.locator(".tasks > li")).to_have_count(12)
    assert await visitor.violations() == []
    await page.locator(".tick").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("p.figures", has_text="1 of 12 done")).to_be_visible()
    await page.locator(".act").first.click()
    assert await visitor.violations() == []
    await page.fill("#change-title", "Interpreters for both groups")
    await page.select_option("#change-assignee", "lan")
    await page.click("#change button[value=change]")
    await expect(page.locator(".what", has_text="Interpreters for both groups")).to_be_visible()
    await visitor.go(f"/delegations/{site.here.id}/notes")
    await page.fill("#write-text", "Một dòng")
    await page.click("#write button")
    assert await visitor.violations() == []
