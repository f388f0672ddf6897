"""Pages asked over HTTP by somebody who signed in, without a browser: as fast as it gets with real files."""

import re
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.api.front import PASSWORD
from tests.pages.conftest import Site

CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Asker:
    """Somebody who signed in. Every form that is sent carries the session's token."""

    origin: str
    cookies: dict[str, str]
    csrf: str = ""

    async def get(self, path: str) -> httpx2.Response:
        """Ask for a page."""
        async with httpx2.AsyncClient(base_url=self.origin, cookies=self.cookies, timeout=60) as http:
            return await http.get(path)

    async def post(self, path: str, /, **fields: Any) -> httpx2.Response:
        """Send a form; names have `__` for a dot."""
        form = {"csrf": self.csrf, "key": "0" * 32} | {name.replace("__", "."): one for name, one in fields.items()}
        async with httpx2.AsyncClient(base_url=self.origin, cookies=self.cookies, timeout=60) as http:
            return await http.post(path, data=form, headers={"origin": self.origin})


async def asker(site: Site, account: str, language: str = "en") -> Asker:
    """Sign in, and read pages in a language."""
    one = Asker(site.origin, {"legation-language": language})
    answer = await one.post("/sign-in", account=account, password=PASSWORD, next="/me/passkeys")
    assert answer.status_code == 303, answer.text
    one.cookies |= dict(answer.cookies)
    found = CSRF.search((await one.get("/me/passkeys")).text)
    assert found is not None
    one.csrf = found[1]
    return one
