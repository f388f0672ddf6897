"""Who gets at pages: a session from this very site, or the sign-in page; and no way to anybody else's."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.cookies import csrf_token
from api.pages.route import own_path
from tests.api.front import ORIGIN, PASSWORD, Browser, Front, front
from tests.api.test_access import NOBODY_ASKED, PAGES, WHO, concrete
from tests.pages.asking import COOKIE, signed_in
from tests.rulebook import edition

pytestmark = pytest.mark.slow


@asynccontextmanager
async def with_rules(folder: Path, **more: Any) -> AsyncIterator[Front]:
    """An installation without a worker, whose rules are those that are shipped."""
    async with front(folder, **more) as found:
        await found.at.editions.put(edition())
        yield found


async def visit(browser: Browser, row: str, form: Any = None, **headers: str) -> httpx2.Response:
    """Ask for a page as a browser does; a POST says that it comes from this site. `_` stands for `-` in headers."""
    method, path = row.split()
    path = path.replace("{step}", "department_head").replace("{seq}", "1").replace("{act}", "postpone")
    address = concrete(path, "d-1").replace("http:", "https:")
    sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    if method == "GET":
        return await browser.http.get(address, headers=sent)
    usual = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    return await browser.http.post(address, data=dict(form or {"x": "y"}), headers=usual | sent)


async def test_every_page_wants_a_session_unless_the_table_says_otherwise(tmp_path: Path) -> None:
    """Without one there is the sign-in page and nothing else; a token is no way in."""
    wrong: list[tuple[object, ...]] = []
    async with with_rules(tmp_path) as found:
        token = await found.token("lan")
        for row, allowed in PAGES.items():
            for headers in ({}, token):
                answer = await visit(found.browser(), row, **headers)
                to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
                closed = to_sign_in if row.startswith("GET") else answer.status_code == 401
                if closed is (allowed == NOBODY_ASKED):
                    wrong.append((row, headers, answer.status_code))
    assert wrong == []


async def test_every_role_meets_every_page_as_the_table_says(tmp_path: Path) -> None:
    """In a session, from a page of this site, with the session's own token."""
    wrong = []
    async with with_rules(tmp_path) as found:
        for role, account in WHO.items():
            for row, allowed in PAGES.items():
                browser, csrf = await signed_in(found, account)
                answer = await visit(browser, row, {"csrf": csrf})
                refused = answer.status_code == 403 and "role_not_allowed" in answer.text
                expected = bool(allowed & {role, "anybody"})
                if answer.status_code == 401 or refused is expected or answer.status_code >= 500:
                    wrong.append((row, account, answer.status_code, allowed))
    assert wrong == []


async def test_what_was_typed_in_an_earlier_session_comes_back_and_does_nothing(tmp_path: Path) -> None:
    """A form with a token that is not the session's is offered again, with everything but its secrets."""
    async with with_rules(tmp_path) as found:
        browser, _ = await signed_in(found, "hung")
        form = {"csrf": "old", "act": "return_step", "reason": "Thiếu <hai> bản sao", "digest": "0" * 64}
        answer = await visit(browser, "POST /delegations/{delegation}/steps/{step}", form)
    assert answer.status_code == 403
    assert 'name="reason" value="Thiếu &lt;hai&gt; bản sao"' in answer.text
    assert 'name="digest"' not in answer.text
    assert 'action="/delegations/d-1/steps/department_head"' in answer.text


async def test_signing_in_goes_on_with_what_was_typed_when_the_session_was_over(tmp_path: Path) -> None:
    """The form goes through the sign-in page and comes out with the new session's token; nothing is sent by itself."""
    async with with_rules(tmp_path) as found:
        browser = found.browser()
        form = {"csrf": "old", "act": "return_step", "reason": "Thiếu hai bản sao"}
        over = await visit(browser, "POST /delegations/{delegation}/steps/{step}", form)
        assert over.status_code == 401
        assert 'name="typed.reason" value="Thiếu hai bản sao"' in over.text
        sign_in = {
            "account": "hung",
            "password": PASSWORD,
            "next": "/delegations/d-1/steps/department_head",
            "typed.reason": "Thiếu hai bản sao",
        }
        back = await visit(browser, "POST /sign-in", sign_in)
    assert back.status_code == 200
    assert 'name="again" value="yes"' in back.text
    assert 'name="reason" value="Thiếu hai bản sao"' in back.text
    assert f'name="csrf" value="{csrf_token(str(browser.cookie))}"' in back.text


async def test_a_wrong_password_says_no_more_than_that(tmp_path: Path) -> None:
    """An account that exists, one that does not, and one that cannot: the same words."""
    async with with_rules(tmp_path) as found:
        said = set()
        for account in ("hung", "nobody", "No Slug!", "' OR 1=1"):
            answer = await visit(found.browser(), "POST /sign-in", {"account": account, "password": "wrong"})
            assert answer.status_code == 403
            assert COOKIE not in answer.cookies
            said.add(answer.text.replace(account.replace("'", "&#39;"), "").count("Thông tin đăng nhập"))
    assert said == {2}


async def test_too_many_attempts_are_told_on_the_page(tmp_path: Path) -> None:
    """429, with when to try again; the right password is not looked at either."""
    async with with_rules(tmp_path, sign_in_account_attempts=2) as found:
        browser = found.browser()
        for _ in range(2):
            await visit(browser, "POST /sign-in", {"account": "hung", "password": "wrong"})
        answer = await visit(browser, "POST /sign-in", {"account": "hung", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "data-summary" in answer.text


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/delegations/hue-2026/steps/finance", "/delegations/hue-2026/steps/finance"),
        ("/me/passkeys", "/me/passkeys"),
        ("/?cursor=abc", "/?cursor=abc"),
        (None, "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/%5cevil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/api/v1/session", "/"),
        ("/sign-in?next=/sign-in", "/"),
        ("/" + "a" * 600, "/"),
    ],
)
def test_after_signing_in_one_comes_to_a_page_of_this_site_and_no_other(asked: str | None, goes: str) -> None:
    """Whatever the link said."""
    assert own_path(asked) == goes


async def test_pages_have_strict_headers_and_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    """No inline script or style, no other host, nothing kept by a cache; what is static is kept for ever."""
    async with with_rules(tmp_path) as found:
        browser, _ = await signed_in(found, "hung")
        page = await visit(browser, "GET /me/passkeys")
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert "style=" not in page.text
        assert "http" not in page.text.replace("https://legation.test", "")
        address = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
        style = await browser.http.get(f"{ORIGIN}{address}")
        assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
        older = await browser.http.get(f"{ORIGIN}/static/0123456789abcdef/pages.css")
        assert (older.status_code, older.headers["cache-control"]) == (200, "no-cache")
        for name in ("OFL.txt", "VENDORED.md", "..%2fpages%2flayout.html"):
            missing = await browser.http.get(f"{ORIGIN}/static/x/{name}")
            assert missing.status_code == 404


async def test_what_is_not_there_is_told_in_words_to_people_and_in_codes_to_programs(tmp_path: Path) -> None:
    """A page outside the API, problem details inside; both languages; a store that is away is an honest 503."""
    async with with_rules(tmp_path) as found:
        http = found.browser().http
        page = await http.get(f"{ORIGIN}/nowhere", headers={"accept-language": "en"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "There is no page at this address." in page.text
        page = await http.get(f"{ORIGIN}/nowhere", headers={"accept-language": "vi"})
        assert "Không có trang nào ở địa chỉ này." in page.text
        problem = await http.get(f"{ORIGIN}/api/v1/nowhere")
        assert problem.headers["content-type"] == "application/problem+json"
        browser, _ = await signed_in(found, "hung")
        for malformed in ("/delegations/NOT-A-SLUG/steps/x", "/delegations/d-1/receipts/0", "/delegations/d-1/steps/x"):
            answer = await browser.http.get(f"{ORIGIN}{malformed}")
            assert answer.status_code == 404, malformed
            assert "<h1>" in answer.text


async def test_a_language_is_chosen_for_this_browser_and_beats_the_account_s(tmp_path: Path) -> None:
    """Accept-Language before signing in, then the account's, and above both the choice on the page."""
    async with with_rules(tmp_path) as found:
        stranger = found.browser()
        english = await visit(stranger, "GET /sign-in", accept_language="en-GB")
        assert '<html lang="en">' in english.text
        browser, _ = await signed_in(found, "hung")
        own = await visit(browser, "GET /", accept_language="en-GB")
        assert '<html lang="vi">' in own.text
        chosen = await visit(browser, "POST /language", {"language": "en", "next": "/me/passkeys"})
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/me/passkeys")
        assert '<html lang="en">' in (await visit(browser, "GET /")).text
        elsewhere = await visit(browser, "POST /language", {"language": "xx", "next": "//evil.example"})
        assert elsewhere.headers["location"] == "/"
        assert '<html lang="en">' in (await visit(browser, "GET /")).text


async def test_a_password_is_chosen_with_a_link_once(tmp_path: Path) -> None:
    """What is wrong is said beside its field, the link is kept; the second time it is spent; other sessions end."""
    async with with_rules(tmp_path) as found:
        browser, _ = await signed_in(found, "hung")
        secret, _ = await found.at.passwords.make_link("hung")
        short = {"link": secret, "password": "short", "repeated": "other"}
        answer = await visit(browser, "POST /choose-password", short)
        assert answer.status_code == 422
        assert [f'id="{one}-error"' in answer.text for one in ("link", "password", "repeated")] == [False, True, True]
        assert f'value="{secret}"' in answer.text
        link, new = f"{ORIGIN}/sign-in#link={secret}", "một câu mới của riêng tôi"
        good = {"link": link, "password": new, "repeated": new}
        assert (await visit(browser, "POST /choose-password", good)).status_code == 200
        again = await visit(browser, "POST /choose-password", good)
        assert (again.status_code, 'id="link-error"' in again.text) == (403, True)
        assert (await visit(browser, "GET /")).status_code == 303
        signed = await visit(browser, "POST /sign-in", {"account": "hung", "password": new, "next": "/me/passkeys"})
        assert (signed.status_code, signed.headers["location"]) == (303, "/me/passkeys")
        assert (await visit(browser, "GET /")).status_code == 200


@pytest.mark.slow
async def test_a_store_that_takes_nothing_is_an_honest_page(tmp_path: Path) -> None:
    """503 in words, when to try again, and nobody signed in; it heals by itself."""
    async with with_rules(tmp_path) as found:
        found.at.database._lock_wait = 0.1
        lock = sqlite3.connect(tmp_path / "legation.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        browser, form = found.browser(), {"account": "hung", "password": PASSWORD}
        refused = await visit(browser, "POST /sign-in", form, accept_language="en")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert "The database cannot be used at the moment." in refused.text
        assert browser.cookie is None
        lock.execute("ROLLBACK")
        lock.close()
        assert (await visit(browser, "POST /sign-in", form)).status_code == 303


async def test_who_comes_back_from_another_provider_in_vain_reads_a_page(tmp_path: Path) -> None:
    """Browsers alone go there; a program still gets problem details."""
    async with with_rules(tmp_path) as found:
        address = f"{ORIGIN}/api/v1/session/oidc/callback?state=x"
        page = await found.browser().http.get(address, headers={"accept": "text/html,*/*;q=0.8"})
        assert (page.status_code, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
        problem = await found.browser().http.get(address)
        assert (problem.status_code, problem.headers["content-type"]) == (403, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"account=hung&password=%ff", "application/x-www-form-urlencoded", 400),
        ("account=Hùng".encode(), "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % one for one in range(2001)), "application/x-www-form-urlencoded", 400),
        (b"x" * 1_000_001, "application/x-www-form-urlencoded", 413),
        (b'{"account": "hung"}', "application/json", 415),
        (b"", "", 415),
        (b"account=%00&password=%00", "application/x-www-form-urlencoded", 403),
    ],
)
async def test_a_body_that_is_no_form_is_refused_in_words(tmp_path: Path, body: bytes, kind: str, status: int) -> None:
    """Nothing breaks, whatever is sent."""
    async with with_rules(tmp_path) as found:
        headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin", "content-type": kind}
        answer = await found.browser().http.post(f"{ORIGIN}/sign-in", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
