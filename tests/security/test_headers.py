"""What every answer tells a browser, whoever gives it: a page, a route, a file, or nobody."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.api.front import ORIGIN, Front, front

ANSWERS = ("/sign-in", "/nothing", "/static/0/pages.css", "/docs", "/api/v1/health", "/api/v1/delegations")


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Front]:
    """An installation that people open by https."""
    async with front(tmp_path) as found:
        yield found


async def asked(found: Front, path: str, method: str = "GET") -> httpx2.Response:
    """What a browser without a session is answered."""
    return await found.browser().http.request(method, f"{ORIGIN}{path}")


async def test_a_browser_that_came_by_tls_comes_by_nothing_else_for_a_year(at: Front) -> None:
    """Every answer says so, for the hosts below this one too (RFC 6797)."""
    for path in ANSWERS:
        answer = await asked(at, path)
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains", path


async def test_without_tls_nothing_is_promised(tmp_path: Path) -> None:
    """On plain http on this machine a browser would pass it over, and behind a forgotten proxy it would be a lie."""
    async with front(tmp_path, public_url="http://localhost:8080") as found:
        for path in ANSWERS:
            assert "strict-transport-security" not in (await asked(found, path)).headers


async def test_every_answer_has_a_policy_that_nothing_gets_around(at: Front) -> None:
    """What falls back to nothing is said: frames, the base of addresses, where forms go."""
    for path in ANSWERS:
        headers = (await asked(at, path)).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'", path
        assert policy["frame-ancestors"] == "'none'", path
        assert policy["base-uri"] == "'none'", path
        assert policy["form-action"] in ("'none'", "'self'"), path
        assert "unsafe" not in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] in ("no-referrer", "same-origin"), path
        assert "access-control-allow-origin" not in headers, path
        assert "server" not in headers, path


async def test_trace_is_no_method_of_any_address(at: Front) -> None:
    """Nor is any that nobody made a route for."""
    for method in ("TRACE", "CONNECT", "DEBUG"):
        for path in ("/sign-in", "/api/v1/health", "/static/0/pages.css"):
            answer = await asked(at, path, method)
            assert (method, path, answer.status_code) == (method, path, 405)


async def test_no_folder_is_listed_and_no_file_is_sent_that_pages_do_not_use(at: Front) -> None:
    """Static files are found by name among those that were read at the start: no name leads out of their folder."""
    for path in (
        "/static",
        "/static/",
        "/static/0",
        "/static/0/",
        "/static/0/VENDORED.md",
        "/static/0/OFL.txt",
        "/static/0/..%2f..%2fsettings.py",
        "/static/0/%2e%2e/pages/layout.html",
        "/.git/config",
        "/.env",
        "/settings.py",
    ):
        assert (path, (await asked(at, path)).status_code) == (path, 404)


async def test_whatever_is_text_says_its_encoding(at: Front) -> None:
    """Otherwise a browser would guess."""
    paths = ("/sign-in", "/docs", "/static/0/pages.css", "/static/0/pages.js", "/static/0/mark.svg")
    assert {path: (await asked(at, path)).headers["content-type"] for path in paths} == {
        "/sign-in": "text/html; charset=utf-8",
        "/docs": "text/html; charset=utf-8",
        "/static/0/pages.css": "text/css; charset=utf-8",
        "/static/0/pages.js": "text/javascript; charset=utf-8",
        "/static/0/mark.svg": "image/svg+xml; charset=utf-8",
    }
