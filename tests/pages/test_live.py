"""Open pages stay fresh: what somebody else does comes to them, and nothing that is being typed is lost."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import Request
from playwright.async_api import expect

from api.announcements import Bell
from api.pages.live import WHO_EVERY, _watch
from storage.sessions import Sessions
from tests.api.front import Front
from tests.pages.asking import COOKIE, signed_in
from tests.pages.conftest import Site, Visitor
from tests.pages.test_guard import visit, with_rules

pytestmark = [pytest.mark.slow]

DAY = timedelta(days=1)

in_a_browser = [pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]


def marked(test: object) -> object:
    """Mark a test that needs a browser."""
    for one in in_a_browser:
        test = one(test)
    return test


async def watching(found: Front, account: str, marks: list[str], seen: str = "1") -> tuple[list[tuple[str, str]], str]:
    """Everything a stream says while it finds these marks, one after the other, and the session's secret."""
    _, secret = await found.at.sessions.open(account, "password")
    request = Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={secret}".encode())]})
    actor = await found.at.sessions.acting(secret)
    assert actor is not None
    rest = iter(marks)

    async def look() -> str:
        now = next(rest, "")
        if now == "end":
            await found.at.sessions.end_all(account)
            now = next(rest, "")
        if not now:
            found.at.announcements.closed = True
        return now or seen

    said = [
        (one.event or "", one.raw_data or "") async for one in _watch(request, found.at, actor, Bell(), look, seen, 0.0)
    ]
    return said, secret


async def test_a_stream_says_once_that_something_changed_and_no_more(tmp_path: Path) -> None:
    """Whatever stands still is not news; each news names what it was found at."""
    async with with_rules(tmp_path) as found:
        said, _ = await watching(found, "lan", ["1", "1", "3", "3", "4"])
    assert said[:3] == [("", ""), ("news", "3"), ("news", "4")]


async def test_a_stream_ends_with_its_session_before_it_says_anything(tmp_path: Path) -> None:
    """At the next change, and without one after some looks."""
    async with with_rules(tmp_path) as found:
        assert (await watching(found, "lan", ["1", "end", "2", "3"]))[0] == [("", ""), ("over", "")]
        still = ["end", *itertools.repeat("1", WHO_EVERY)]
        assert (await watching(found, "lan", still))[0] == [("", ""), ("over", "")]


async def test_what_a_page_asks_by_itself_keeps_no_session_alive(tmp_path: Path) -> None:
    """An open page is nobody at the desk: it asks often enough, and the session is over all the same."""
    async with with_rules(tmp_path) as found:
        for headers, expected in (
            ({"hx_request": "true", "x_unattended": "yes"}, [200, 200, 401]),
            ({}, [200, 200, 200]),
        ):
            browser, _ = await signed_in(found, "lan")
            statuses = []
            for _ in expected:
                found.moment.pass_by(seconds=found.at.sessions.idle.total_seconds() * 0.4)
                statuses.append((await visit(browser, "GET /", **headers)).status_code)
            assert statuses == expected


async def test_a_script_without_a_session_gets_no_sign_in_page(tmp_path: Path) -> None:
    """What it asked for would be put into a page."""
    async with with_rules(tmp_path) as found:
        for path in ("GET /", "GET /live?seen=1", "GET /delegations/{delegation}/live?seen=1"):
            answer = await visit(found.browser(), path, hx_request="true")
            assert (answer.status_code, "csrf" in answer.text) == (401, False), path
            assert (await visit(found.browser(), path)).status_code == 303


@marked
async def test_today_shows_what_somebody_else_did_and_keeps_what_is_typed(site: Site, visitor: Visitor) -> None:
    """A file is opened elsewhere; it comes to the open page, where somebody types in the search field."""
    await visitor.speak("en")
    await visitor.sign_in("lan")
    await visitor.go("/")
    await visitor.page.fill("#find", "Đà Nẵ")
    title = f"Đoàn {site.here.id}"
    # What begins first stands first: other tests have opened many files.
    await site.here.open(starts=datetime.now(UTC).date() + timedelta(days=1), title=title)
    await expect(visitor.page.locator("#day .mine")).to_contain_text(title)
    assert await visitor.page.input_value("#find") == "Đà Nẵ"
    assert await visitor.page.evaluate("document.activeElement.id") == "find"
    await expect(visitor.page.locator("[data-live-lost], [data-live-over], [data-live-behind]")).to_have_count(3)
    for one in await visitor.page.locator("[data-live-lost], [data-live-over], [data-live-behind]").all():
        await expect(one).to_be_hidden()


@marked
async def test_the_head_of_a_file_is_fresh_and_the_rest_is_offered(site: Site, visitor: Visitor) -> None:
    """Its title changes elsewhere: the head says so at once, and one line leads to everything that is new."""
    await site.here.open()
    await visitor.speak("en")
    await visitor.sign_in("lan", f"/sign-in?next=/delegations/{site.here.id}")
    await expect(visitor.page.locator("h1")).to_have_text("Đoàn Hội hữu nghị Tokyo")
    await site.here.send({"type": "revise_request", "title": "Đoàn Hội hữu nghị Nara"})
    await expect(visitor.page.locator("h1")).to_have_text("Đoàn Hội hữu nghị Nara")
    await expect(visitor.page.locator("[data-live-behind]")).to_be_visible()
    await visitor.page.get_by_role("link", name="Show what is new").click()
    await expect(visitor.page.locator("[data-live-behind]")).to_be_hidden()
    assert await visitor.violations() == []


@marked
async def test_a_piece_with_a_form_that_was_begun_stays_as_it_is(site: Site, visitor: Visitor) -> None:
    """What is typed stands, though the piece around it has changed; what is new is offered."""
    await site.here.open()
    await visitor.speak("en")
    await visitor.sign_in("lan", f"/sign-in?next=/delegations/{site.here.id}")
    form = '<form method="get"><label for="words">x</label><textarea id="words"></textarea></form>'
    await visitor.page.evaluate(
        "html => document.getElementById('filehead').insertAdjacentHTML('beforeend', html)", form
    )
    await visitor.page.fill("#words", "Lý do: đổi lịch")
    async with visitor.page.expect_response(f"**/delegations/{site.here.id}") as answer:
        await site.here.send({"type": "revise_request", "title": "Đoàn Hội hữu nghị Nara"})
    assert "Đoàn Hội hữu nghị Nara" in await (await answer.value).text()
    await expect(visitor.page.locator("[data-live-behind]")).to_be_visible()
    assert await visitor.page.input_value("#words") == "Lý do: đổi lịch"
    assert await visitor.page.inner_text("h1") == "Đoàn Hội hữu nghị Tokyo"


@marked
async def test_a_page_says_that_its_session_is_over(site: Site, visitor: Visitor) -> None:
    """Ended elsewhere: the page says so, shows nothing new, and leads to where one signs in."""
    await site.here.open()
    await site.here.idle()
    await visitor.speak("en")
    await visitor.sign_in("lan", f"/sign-in?next=/delegations/{site.here.id}")
    await Sessions(site.here.registers.database, idle=DAY, absolute=DAY).end_all("lan")
    await site.here.send({"type": "revise_request", "title": "Đoàn Hội hữu nghị Nara"})
    await expect(visitor.page.locator("[data-live-over]")).to_be_visible()
    await expect(visitor.page.locator("h1")).to_have_text("Đoàn Hội hữu nghị Tokyo")
    await visitor.page.get_by_role("link", name="Sign in again").click()
    assert visitor.path == f"/sign-in?next=%2Fdelegations%2F{site.here.id}"
    # A stream that is asked for after the end is refused, and the browser's console tells of it.
    visitor.complaints[:] = [one for one in visitor.complaints if "status of 401" not in one]
