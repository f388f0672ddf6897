"""Administration over a running installation: what goes through a workflow, and what a browser has to say of it."""

import re
import uuid

import pytest
from playwright.async_api import expect

from calendars.received import body_of, message_id_of
from domain.state import Phase
from storage.received_mail import Arrived, Filed
from tests.calendars.answers import Answered, outlook
from tests.pages.asking import visiting_as
from tests.pages.conftest import Site, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]


async def invited(site: Site) -> None:
    """Two delegates, one of whom the mail server refuses, are invited to one item."""
    here = site.here
    await here.open()
    await here.add("sato", "head")
    person = await here.person("Ito Ren", f"ito@{here.id}.example")
    here.post.answers[f"ito@{here.id}.example"] = "550 5.1.1 no such user"
    await here.send({"type": "add_member", "member_id": "ito", "person": person, "role": "member", "country": "JP"})
    await here.schedule("monday", title="Hội đàm")
    await here.approve()
    await here.send({"type": "invite"})
    await here.until(Phase.INVITING)
    await here.idle()


async def waiting(site: Site) -> str:
    """Put an answer into the queue, and return its reference."""
    register = site.here.registers.received_mail
    octets = outlook(Answered(message_id=f"<{uuid.uuid4().hex}@client.example>", sender="alias@tokyo.example"))
    arrived = Arrived(uid=1, message_id=message_id_of(octets), body=body_of(octets), octets=octets)
    (ref,) = await register.take(uuid.uuid4().hex, 1, 1, [arrived])
    await register.file(ref, Filed("review", "reply", "sender_unknown", site.here.id, "monday", ("sato",)))
    return ref


async def test_a_reply_is_settled_by_a_coordinator_and_a_mail_is_sent_again(site: Site) -> None:
    """What is missing stands beside its field; the file has the answer; the same form sent twice is one."""
    await invited(site)
    ref = await waiting(site)
    async with visiting_as(site, "lan") as lan:
        page = (await lan.get("/admin/replies")).text
        assert f'<li id="{ref}">' in page
        assert "from a mailbox that was not told of it" in page
        path = f"/admin/replies/{ref}"
        nobody = await lan.send(path, act="settle", participants="", answer="accepted", item_id="monday")
        assert (nobody.status_code, f'id="settle-{ref}-participants-error"' in nobody.text) == (422, True)
        said = {
            "act": "settle",
            "participants": ["", "sato"],
            "answer": "accepted",
            "item_id": "monday",
            "key": "1" * 32,
        }
        for _ in range(2):
            assert (await lan.send(path, **said)).headers["location"] == "/admin/replies?said=settled"
        assert f'<li id="{ref}">' not in (await lan.get("/admin/replies")).text
        again = await lan.send(path, act="dismiss")
        assert again.status_code == 409

        page = (await lan.get("/admin/undelivered")).text
        mine = page[page.index(f"/delegations/{site.here.id}") :]
        assert "Ito Ren" in page
        assert "no such user" not in page
        message = re.search(r'name="message" value="([^"]+)"', mine)
        assert message is not None
        form = {"message": message[1].replace("&lt;", "<").replace("&gt;", ">"), "delegation": site.here.id}
        site.here.post.answers.clear()
        assert (await lan.send("/admin/undelivered", **form, key="2" * 32)).headers["location"].endswith("said=resent")
        wrong = await lan.send("/admin/undelivered", **form | {"message": "<nothing@x.example>"}, key="3" * 32)
        assert wrong.status_code in (409, 422)
        assert "data-summary" in wrong.text
    async with visiting_as(site, "hung") as hung:
        assert (await hung.send("/admin/undelivered", **form)).status_code == 403


async def test_a_checkpoint_is_made_and_shown(site: Site) -> None:
    """With its root and its key."""
    await site.here.open()
    async with visiting_as(site, "root") as root:
        made = await root.send("/admin/checkpoints")
        assert made.headers["location"] in ("/admin/checkpoints?said=made", "/admin/checkpoints?said=begun")
        assert (await root.get("/admin/checkpoints")).status_code == 200
        health = (await root.get("/admin/health")).text
        assert "Files can be read and commands are taken" in health


async def test_the_pages_of_the_administration_are_whole_in_a_browser(site: Site, visitor: Visitor) -> None:
    """Axe finds nothing, with forms open and with a form that came back; focus goes to what has to be put right."""
    await visitor.speak("en")
    await visitor.sign_in("root", "/sign-in?next=/admin/accounts")
    page = visitor.page
    await page.click("summary:has-text('Open an account')")
    assert await visitor.violations() == []
    await page.fill("#add-id", "Not A Slug")
    await page.click("#add button")
    await expect(page.locator("[data-summary]")).to_be_focused()
    assert await page.title() == "Error: Accounts · Legation"
    assert await page.input_value("#add-id") == "Not A Slug"
    assert await visitor.violations() == []
    visitor.complaints.clear()
