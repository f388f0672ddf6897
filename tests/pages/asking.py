"""Forms as browsers send them, read out of the pages that show them: what a test types replaces what stands there."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import httpx2

from api.cookies import csrf_token
from tests.api.front import ORIGIN, PASSWORD, Browser, Front
from tests.pages.conftest import Site

COOKIE = "__Host-legation-session"

Value = str | list[str] | None


class Forms(HTMLParser):
    """The forms of a page: fields by the form's action (and id), as a browser would send them untouched."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, list[tuple[str, str]]] = {}
        self.ids: dict[str, str] = {}
        self._form: list[tuple[str, str]] | None = None
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._area: str | None = None
        self._text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = self.forms.setdefault(said.get("id") or said.get("action", ""), [])
        elif self._form is None:
            return
        elif tag == "input" and "name" in said:
            kind = said.get("type", "text")
            if kind not in ("checkbox", "radio", "file") or "checked" in said:
                self._form.append((said["name"], said.get("value", "on" if kind == "checkbox" else "")))
            elif kind == "radio" and all(name != said["name"] for name, _ in self._form):
                self.ids[said["name"]] = "radio"
        elif tag == "select":
            self._select, self._options = said.get("name"), []
        elif tag == "option" and self._select is not None:
            self._options.append((said.get("value", ""), "selected" in said))
        elif tag == "textarea":
            self._area, self._text = said.get("name"), ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select" and self._form is not None and self._select:
            chosen = [value for value, selected in self._options if selected] or [one for one, _ in self._options[:1]]
            self._form.append((self._select, chosen[0] if chosen else ""))
            self._select = None
        elif tag == "textarea" and self._form is not None and self._area:
            self._form.append((self._area, self._text.removeprefix("\n")))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text += data


def names_of(page: str, form: str) -> set[str]:
    """The names of every field of a form, choices that are not taken included."""
    found = Forms(page)
    return {name for name, _ in found.forms[form]} | set(found.ids)


@dataclass
class Guest:
    """Somebody at a browser without scripts."""

    http: httpx2.AsyncClient
    origin: str

    async def look(self, path: str) -> str:
        """Return a page."""
        answer = await self.http.get(self.origin + path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:2000])
        return answer.text

    async def post(
        self, path: str, fields: list[tuple[str, str]], files: dict[str, tuple[str, bytes]] | None = None
    ) -> httpx2.Response:
        """Send a form from this very site."""
        data: dict[str, list[str]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        headers = {"origin": self.origin, "sec-fetch-site": "same-origin"}
        more: dict[str, Any] = {"files": files} if files else {}
        return await self.http.post(self.origin + path, data=data, headers=headers, **more)

    async def filled(self, path: str, form: str, **typed: Value) -> list[tuple[str, str]]:
        """Return a form of a page as it is sent once it was filled in; None takes a field away."""
        fields = [pair for pair in Forms(await self.look(path)).forms[form] if pair[0] not in typed]
        for name, value in typed.items():
            if value is not None:
                fields += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return fields

    async def fill(self, path: str, form: str, to: str | None = None, **typed: Value) -> httpx2.Response:
        """Fill in a form of a page and send it."""
        return await self.post(to or path, await self.filled(path, form, **typed))


@asynccontextmanager
async def visiting_as(site: Site, account: str, language: str = "en") -> AsyncIterator[Guest]:
    """Somebody who has signed in, without a browser."""
    async with httpx2.AsyncClient(timeout=30) as http:
        guest = Guest(http, site.origin)
        http.cookies.set("legation-language", language)
        answer = await guest.post("/sign-in", [("account", account), ("password", PASSWORD), ("next", "/me/passkeys")])
        assert answer.status_code == 303, answer.text
        yield guest


def wrong_in(page: str) -> dict[str, str]:
    """What a page says is wrong, by the id of the field beside which it stands."""
    found = re.findall(r'id="([^"]+)-error">(?:<span[^>]*>[^<]*</span>)?\s*([^<]*)<', page)
    return {field: html.unescape(sentence).strip() for field, sentence in found}


async def signed_in(found: Front, account: str) -> tuple[Browser, str]:
    """A browser in a session of an account, and the session's own token."""
    browser = found.browser()
    _, secret = await found.at.sessions.open(account, "password")
    browser.http.cookies.set(COOKIE, secret, domain="legation.test")
    browser.csrf = csrf_token(secret)
    return browser, browser.csrf


async def look(browser: Browser, path: str, language: str = "en") -> httpx2.Response:
    """Ask for a page."""
    headers = {"cookie-language": language, "accept-language": language}
    browser.http.cookies.set("__Host-legation-language", language, domain="legation.test")
    return await browser.http.get(ORIGIN + path, headers=headers)
