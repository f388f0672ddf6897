"""One's own account as a page: how one signs in, from where, and a password that is changed by whoever has it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from tests.api.front import ORIGIN, PASSWORD, Browser, Front, front
from tests.pages.asking import signed_in, wrong_in
from tests.pages.filled import text_of

pytestmark = pytest.mark.slow

NEW = "một câu khác dài hơn"


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Front]:
    """An installation without files."""
    async with front(tmp_path) as found:
        yield found


async def reading(here: Front, account: str) -> Browser:
    """A browser in a session of an account, in English."""
    browser, _ = await signed_in(here, account)
    browser.http.cookies.set("__Host-legation-language", "en", domain="legation.test")
    return browser


async def post(browser: Browser, path: str, **fields: str) -> httpx2.Response:
    """Send a form of this site."""
    form = {"csrf": browser.csrf, "key": "0" * 32} | fields
    headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    return await browser.http.post(ORIGIN + path, data=form, headers=headers)


async def test_everything_of_one_s_own_is_found_in_one_place(here: Front) -> None:
    """With a way to each page, which all open and name each other."""
    lan = await reading(here, "lan")
    page = (await lan.http.get(f"{ORIGIN}/me")).text
    said = text_of(page)
    assert "Trần Thị Lan" in said
    assert "1 passkey" not in said
    assert "this one" in said
    assert "You have no token." in said
    ways = ["/me", "/me/password", "/me/passkeys", "/me/leave", "/me/tokens"]
    for path in ways:
        found = await lan.http.get(ORIGIN + path)
        assert found.status_code == 200, path
        side = found.text.partition('<nav class="sections"')[2].partition("</nav>")[0]
        assert re.findall(r'href="([^"]+)"', side) == ways
        assert 'aria-label="My account"' in found.text
        menu = found.text.partition('<details class="menu">')[2].partition("</details>")[0]
        assert {"/me", "/me/password"} <= set(re.findall(r'href="([^"]+)"', menu))


async def test_a_password_is_changed_by_whoever_has_it(here: Front) -> None:
    """Sessions elsewhere end, this one goes on; nothing that was typed is shown again."""
    lan, elsewhere = await reading(here, "lan"), await reading(here, "lan")
    changed = await post(lan, "/me/password", old=PASSWORD, new=NEW, repeated=NEW)
    assert (changed.status_code, changed.headers["location"]) == (303, "/me?said=password_changed")
    assert "Your password is changed." in (await lan.http.get(f"{ORIGIN}/me?said=password_changed")).text
    assert (await elsewhere.http.get(f"{ORIGIN}/me")).status_code == 303
    assert await here.at.passwords.fits("lan", NEW)
    assert not await here.at.passwords.fits("lan", PASSWORD)


@pytest.mark.parametrize(
    ("typed", "wrong", "status"),
    [
        ({"old": "nobody's of all", "new": NEW, "repeated": NEW}, {"password-old"}, 403),
        ({"old": PASSWORD, "new": NEW, "repeated": f"{NEW} "}, {"password-repeated"}, 422),
        ({"old": PASSWORD, "new": "short", "repeated": "short"}, {"password-new"}, 422),
        ({"old": "", "new": "x" * 129, "repeated": "x"}, {"password-old", "password-new", "password-repeated"}, 422),
        ({"old": "x" * 2000, "new": NEW, "repeated": NEW}, {"password-old"}, 403),
    ],
)
async def test_a_wrong_password_changes_nothing(
    here: Front, typed: dict[str, str], wrong: set[str], status: int
) -> None:
    """What is wrong stands beside its field, and no password on the page."""
    lan = await reading(here, "lan")
    answer = await post(lan, "/me/password", **typed)
    assert (answer.status_code, set(wrong_in(answer.text))) == (status, wrong)
    assert not [one for one in typed.values() if len(one) > 8 and one in answer.text]
    assert await here.at.passwords.fits("lan", PASSWORD)


async def test_a_password_is_not_guessed_from_an_open_browser(here: Front) -> None:
    """After a few wrong ones nothing is tried any more, and the page says so."""
    lan = await reading(here, "lan")
    typed = {"old": "wrong one", "new": NEW, "repeated": NEW}
    statuses = [(await post(lan, "/me/password", **typed)).status_code for _ in range(15)]
    assert (statuses[0], statuses[-1]) == (403, 429)
    last = await post(lan, "/me/password", **typed | {"old": PASSWORD})
    assert (last.status_code, set(wrong_in(last.text))) == (429, {"password-old"})


async def test_sessions_are_ended_one_by_one_and_all_at_once(here: Front) -> None:
    """One's own alone; whoever signs out everywhere is signed out here too."""
    lan, phone, hung = [await reading(here, account) for account in ("lan", "lan", "hung")]
    page = (await lan.http.get(f"{ORIGIN}/me")).text
    (other,) = re.findall(r'action="/me/sessions/(ses_[a-z0-9]+)"', page)
    assert (await post(hung, f"/me/sessions/{other}")).status_code == 303
    assert (await phone.http.get(f"{ORIGIN}/me")).status_code == 200
    for _ in range(2):
        assert (await post(lan, f"/me/sessions/{other}")).headers["location"] == "/me?said=session_ended"
    assert (await phone.http.get(f"{ORIGIN}/me")).status_code == 303
    left = await post(lan, "/me/sessions")
    assert left.status_code == 200
    assert "__Host-legation-session=" in left.headers["set-cookie"]
    assert await here.at.sessions.of("lan") == []
    assert len(await here.at.sessions.of("hung")) == 1
