"""Pages asked for over HTTP, without a browser: in a session of an account, as a page of this site sends its forms."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.api.front import PASSWORD
from tests.pages.conftest import Site

CSRF = re.compile(r'name="csrf" value="([^"]+)"')
KEY = re.compile(r'name="key" value="([0-9a-f]{32})"')


@dataclass
class Asking:
    """Somebody who asks for pages; `http` keeps their cookies."""

    site: Site
    http: httpx2.AsyncClient

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        """Ask for a page."""
        return await self.http.get(self.site.origin + path, params=query or None)

    async def text(self, path: str, status: int = 200, **query: Any) -> str:
        """Return what a page says, without its markup and with single blanks."""
        answer = await self.get(path, **query)
        assert answer.status_code == status, answer.text[:2000]
        return said(answer.text)

    async def post(self, path: str, form: dict[str, Any], **headers: str) -> httpx2.Response:
        """Send a form as a page of this site does; what the headers say goes before."""
        usual = {"origin": self.site.origin, "sec-fetch-site": "same-origin"}
        return await self.http.post(self.site.origin + path, data=form, headers=usual | headers)


def said(page: str) -> str:
    """Return what a page says within its main part."""
    main = page.partition("<main")[2].partition("</main>")[0] or page
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


@asynccontextmanager
async def asking(site: Site, account: str = "", language: str = "en") -> AsyncIterator[Asking]:
    """Somebody who is signed in, or without an account nobody; pages speak the language to them."""
    async with httpx2.AsyncClient(timeout=60, cookies={"legation-language": language}) as http:
        one = Asking(site, http)
        if account:
            answer = await one.post("/sign-in", {"account": account, "password": PASSWORD, "next": "/"})
            assert answer.status_code == 303
        yield one
