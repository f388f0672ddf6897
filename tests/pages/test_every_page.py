"""What holds for every page by construction: no barrier, nothing wider than a phone, nothing asked for elsewhere."""

import re
from collections.abc import AsyncIterator
from typing import Literal

import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from playwright.async_api import Browser

from api.application import PAGES as MODULES
from tests.pages.conftest import Site, serving_pages, visiting
from tests.pages.screenshots import PAGES, arrive, prepared
from tests.temporal import TemporalServer

PHONE = {"width": 320, "height": 640}
"""As narrow as a page at 1280 looks at four times its size (WCAG 1.4.10)."""

UNFOLDED = "document.querySelectorAll('main details:not(.menu)').forEach((one) => { one.open = true })"

LOOKS: tuple[tuple[str, Literal["light", "dark"]], ...] = (
    ("vi", "light"),
    ("en", "dark"),
    ("vi", "dark"),
    ("en", "light"),
)

TURNS = [pytest.param(one, marks=pytest.mark.faults if one else pytest.mark.slow) for one in range(len(LOOKS))]
"""Each page once in the everyday run; in all four looks with `make faults`."""

NO_PAGE = {
    "/static/{asked}/{name}",
    "/delegations/{delegation}/trail/export",
    "/delegations/{delegation}/live",
    "/live",
    "/desks/live",
    "/delegations/{delegation}/invitations/live",
    "/my/{token}/documents/{digest}",
}
"""What is fetched by GET but is no page to look at."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def whole(temporal_server: TemporalServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """An installation of its own with the files that pictures show."""
    async with serving_pages(tmp_path_factory.mktemp("whole"), temporal_server) as site:
        await prepared(site)
        yield site


def test_every_page_has_its_picture() -> None:
    """A page that nobody looks at is missed here: a row of tests/pages/screenshots.py shows it."""
    shown = [path.partition("?")[0] for _, _, path in PAGES]
    missing = []
    for module in MODULES:
        for route in module.router.routes:
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and route.path not in NO_PAGE:
                like = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", route.path) + r"\Z")
                if not any(like.match(path) for path in shown):
                    missing.append(route.path)
    assert missing == []


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.xdist_group("browser")
@pytest.mark.asyncio(loop_scope="session")
async def test_every_page_is_read_on_the_narrowest_screen(whole: Site, chromium: Browser, turn: int) -> None:
    """At 320 px, in turns Vietnamese and English, light and dark: axe finds nothing, and nothing is wider."""
    wrong: list[str] = []
    for account in dict.fromkeys(account for _, account, _ in PAGES):
        async with visiting(chromium, whole, viewport=PHONE, has_touch=True) as visitor:
            if account:
                await visitor.sign_in(account)
            for number, (name, who, path) in enumerate(PAGES):
                if who == account:
                    language, scheme = LOOKS[(number + turn) % len(LOOKS)]
                    await visitor.speak(language)
                    await visitor.page.emulate_media(color_scheme=scheme)
                    await arrive(visitor, whole.here, name, path)
                    await visitor.page.evaluate(UNFOLDED)
                    wrong += [f"{name} ({language}, {scheme}): {one}" for one in await visitor.wrong()]
                    visitor.strayed.clear()
                    visitor.complaints.clear()
    assert not wrong, "\n".join(wrong)
