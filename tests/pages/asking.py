"""Pages asked for without a browser: in a session of an account, forms read out of the pages that show them.

What a test types replaces what stands in a form; the rest is sent as a browser would send it untouched.
"""

import html
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx2

from api.cookies import csrf_token
from storage.sessions import Sessions
from tests.api.front import ORIGIN, Browser, Front
from tests.pages.conftest import Site

COOKIE = "__Host-legation-session"

Value = str | list[str] | None
Fields = Mapping[str, Any] | Sequence[tuple[str, str]]

ABOUT = frozenset({"csrf", "form", "key"})
"""What every form carries about itself."""

KEY = "0" * 32


@dataclass
class Control:
    """A field of a form as its page has it. `kind` is the type of an input, `textarea` or `select`.

    `values` are what is there to be taken of a select, a radio or a box, `taken` what is taken; of everything else what
    stands in it.
    """

    name: str
    kind: str
    id: str = ""
    required: bool = False
    longest: int | None = None
    values: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> bool:
        """Whether anything can be typed into it."""
        if "hidden" in self.attributes:
            return False
        return self.kind in ("text", "textarea", "date", "email", "url", "tel", "password", "search", "number")


@dataclass
class Shown:
    """A form of a page. `name` is its id, or its action where it has none; `buttons` what its buttons send."""

    name: str
    action: str
    method: str
    files: bool
    controls: list[Control] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """The names of its fields."""
        return {one.name for one in self.controls}

    @property
    def texts(self) -> list[str]:
        """The names of the fields in which something can be typed, each once."""
        return list(dict.fromkeys(one.name for one in self.controls if one.text))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What is sent if nobody touches it and no button is named."""
        return [(one.name, value) for one in self.controls if one.kind != "file" for value in one.taken]

    def value(self, name: str) -> str:
        """What stands in a field; of several with one name what stands in the last."""
        return dict(self.pairs).get(name, "")


class _Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown: list[Shown] = []
        self._form: Shown | None = None
        self._open: Control | None = None
        self._label: dict[str, Control] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = said.get("action", "")
            files = said.get("enctype", "").startswith("multipart")
            self._form = Shown(said.get("id") or action, action, said.get("method", "get").lower(), files)
            self.shown.append(self._form)
            self._label = {}
        elif self._form is None or (tag != "option" and "name" not in said):
            return
        elif tag == "button":
            self._form.buttons.append((said["name"], said.get("value", "")))
        elif tag == "input":
            self._input(said)
        elif tag in ("select", "textarea"):
            self._open = _control(said, tag)
            self._form.controls.append(self._open)
        elif tag == "option" and self._open is not None:
            self._open.values.append(said.get("value", ""))
            if "selected" in said:
                self._open.taken.append(said.get("value", ""))

    def _input(self, said: dict[str, str]) -> None:
        assert self._form is not None
        kind = said.get("type", "text")
        value = said.get("value", "on" if kind in ("checkbox", "radio") else "")
        if kind not in ("checkbox", "radio"):
            one = _control(said, kind)
            one.taken = [] if kind == "file" else [value]
            self._form.controls.append(one)
            return
        one = self._label.setdefault(f"{kind} {said['name']}", _control(said, kind))
        if one not in self._form.controls:
            self._form.controls.append(one)
        one.values.append(value)
        if "checked" in said:
            one.taken.append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select" and self._open is not None:
            self._open.taken = self._open.taken[:1] or self._open.values[:1]
            self._open = None
        elif tag == "textarea" and self._open is not None:
            self._open.taken = ["".join(self._open.taken).removeprefix("\n")]
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._open.kind == "textarea":
            self._open.taken.append(data)


def _control(said: dict[str, str], kind: str) -> Control:
    longest = said.get("maxlength")
    return Control(
        said["name"], kind, said.get("id", ""), "required" in said, int(longest) if longest else None, attributes=said
    )


def forms_of(page: str) -> list[Shown]:
    """Return the forms of a page in their order."""
    return _Page(page).shown


class Forms:
    """The forms of a page by the id, or the action where there is none: what each sends if nobody touches it."""

    def __init__(self, page: str) -> None:
        self.shown = forms_of(page)
        self.forms: dict[str, list[tuple[str, str]]] = {}
        for one in self.shown:
            self.forms.setdefault(one.name, []).extend(one.pairs)


def names_of(page: str, form: str) -> set[str]:
    """Return the names of every field of a form, choices that are not taken included."""
    return {name for one in forms_of(page) if one.name == form for name in one.names}


def said(page: str) -> str:
    """Return what a page says within its main part, without markup and with single blanks."""
    main = page.partition("<main")[2].partition("</main>")[0] or page
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


def wrong_in(page: str) -> dict[str, str]:
    """Return what a page says is wrong, by the id of the field beside which it stands."""
    found = re.findall(r'id="([^"]+)-error">(?:<span[^>]*>[^<]*</span>)?\s*([^<]*)<', page)
    return {beside: html.unescape(sentence).strip() for beside, sentence in found}


def check_in(answer: httpx2.Response) -> Shown | None:
    """Return the form of a page that shows what an act leads to before it is done; None where it is another page."""
    found = [one for one in forms_of(answer.text) if {"seen", "checked"} & one.names and not one.texts]
    return found[0] if answer.status_code == 200 and found else None


@dataclass
class Guest:
    """Somebody at a browser without scripts; `http` keeps their cookies, `csrf` is their session's token."""

    http: httpx2.AsyncClient
    origin: str
    csrf: str = ""

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        """Ask for a page."""
        return await self.http.get(self.origin + path, params=query or None)

    async def look(self, path: str, status: int = 200, **query: Any) -> str:
        """Return a page."""
        answer = await self.get(path, **query)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer.text

    async def text(self, path: str, status: int = 200, **query: Any) -> str:
        """Return what a page says."""
        return said(await self.look(path, status, **query))

    async def post(self, path: str, fields: Fields, files: Any = None, **headers: str) -> httpx2.Response:
        """Send a form from this very site; `headers`, with `_` for `-`, go before."""
        pairs: Iterable[tuple[str, Any]] = fields.items() if isinstance(fields, Mapping) else fields
        data: dict[str, list[str]] = {}
        for name, value in pairs:
            data.setdefault(name, []).extend([value] if isinstance(value, str) else value)
        usual = {"origin": self.origin, "sec-fetch-site": "same-origin"}
        usual |= {name.replace("_", "-"): value for name, value in headers.items()}
        more: dict[str, Any] = {"files": files} if files else {}
        return await self.http.post(self.origin + path, data=data, headers=usual, **more)

    async def send(self, path: str, /, **fields: Any) -> httpx2.Response:
        """Send fields that no page is asked for, with the session's token; names have `__` for a dot."""
        named = {name.replace("__", "."): value for name, value in fields.items()}
        return await self.post(path, {"csrf": self.csrf, "key": KEY} | named)

    async def filled(self, path: str, form: str, **typed: Value) -> list[tuple[str, str]]:
        """Return a form of a page as it is sent once it was filled in; None takes a field away."""
        fields = [pair for pair in Forms(await self.look(path)).forms[form] if pair[0] not in typed]
        for name, value in typed.items():
            if value is not None:
                fields += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return fields

    async def fill(self, path: str, form: str, to: str | None = None, **typed: Value) -> httpx2.Response:
        """Fill in a form of a page and send it, on from the page that first shows what it leads to, if there is one."""
        answer = await self.post(to or path, await self.filled(path, form, **typed))
        check = check_in(answer)
        return answer if check is None else await self.post(check.action, check.pairs)


@asynccontextmanager
async def visiting_as(site: Site, account: str = "", language: str = "en") -> AsyncIterator[Guest]:
    """Somebody in a session of an account, without one nobody; pages speak the language to them."""
    cookies, csrf = {"legation-language": language}, ""
    if account:
        sessions = Sessions(site.here.registers.database, idle=timedelta(hours=1), absolute=timedelta(hours=12))
        _, secret = await sessions.open(account, "password")
        cookies["legation-session"], csrf = secret, csrf_token(secret)
    async with httpx2.AsyncClient(cookies=cookies, timeout=60) as http:
        yield Guest(http, site.origin, csrf)


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
