"""A delegation whose programme has been published to its people, and the calendars that were made of it."""

from dataclasses import replace
from typing import Any

import httpx2

from tests.api.conftest import Api
from tests.running import Running

SECRET = "Riêng cho trưởng đoàn"
"""What only the head may see."""
SITE = "http://legation.test"


async def invited(api: Api, **more: Any) -> Running:
    """Two delegates: both attend `forum`, the head alone `talk`; a draft is in nobody's calendar."""
    here = replace(api.here, id=api.id)
    await here.open(**more)
    await here.add("keiko", "head")
    await here.add("hiro")
    await here.schedule("forum", 0, 9)
    await here.schedule("talk", 1, 14, title=SECRET, place="Huế", audience={"people": ["keiko"]})
    await here.schedule("draft", 1, 9, published=False, title="Bản nháp")
    await here.approve()
    await here.send({"type": "invite"})
    await here.idle()
    return here


async def made(api: Api, body: dict[str, Any] | None = None, *, by: str = "lan") -> dict[str, Any]:
    """Make a feed of the test's delegation and return it as the API shows it."""
    answer = await api.ask("POST", f"/delegations/{api.id}/feeds", body or {}, by=by)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def path_of(link: str) -> str:
    """The address that a link leads to, at the site of the tests."""
    return SITE + "/" + link.split("/", 3)[3]


async def fetch(api: Api, link: str, method: str = "GET", **headers: str) -> httpx2.Response:
    """Fetch a calendar as a program does that has nothing but the link; `if_none_match` is If-None-Match."""
    sent = {"Accept-Encoding": "identity", **{name.replace("_", "-").title(): value for name, value in headers.items()}}
    return await api.http.request(method, path_of(link), headers=sent)
