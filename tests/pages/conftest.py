"""The pages of a running installation as browsers meet them: real Temporal, a real worker, SQLite, a real server."""

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from temporalio.client import Client

from api.application import create_application
from embedded.ports import free_ports
from storage.passwords import Passwords
from tests.api.conftest import with_key
from tests.api.front import CHEAPEST, PASSWORD
from tests.running import ACCOUNTS, Running, running
from tests.temporal import TemporalServer

# Without windows and menus of its own it takes a third of the processor's time; pages are drawn by the same engine.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or ""

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# What is as it should be is not asked for: it takes as long again.
VIOLATIONS = """
(tags) => axe.run({ runOnly: tags, preload: false, resultTypes: ["violations"] }).then((all) => all.violations)
"""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

HEAVIEST = 150_000
"""Octets of a page with its styles and scripts, as transferred; fonts and pictures are beside that."""

TRANSFERRED = """
[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((one) => !/\\.(woff2|png|jpe?g)$/.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, 0)
"""

ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Site:
    """A served installation; `here` has the delegation of one test."""

    here: Running
    origin: str
    passwords: Passwords


@dataclass
class Visitor:
    """Somebody at a browser of their own. `strayed` are requests that left the site, `complaints` what it logged."""

    site: Site
    context: BrowserContext
    page: Page
    strayed: list[str]
    complaints: list[str]

    async def go(self, path: str) -> None:
        """Open an address of the site."""
        await self.page.goto(self.site.origin + path)

    @property
    def path(self) -> str:
        """Where the browser is."""
        return self.page.url.removeprefix(self.site.origin)

    async def sign_in(self, account: str, path: str = "/sign-in") -> None:
        """Sign in with the password."""
        await self.go(path)
        await self.page.fill("#account", account)
        await self.page.fill("#password", PASSWORD)
        await self.page.click("form[data-form=sign-in] button.button:not([type])")
        await self.page.wait_for_load_state()

    async def speak(self, language: str) -> None:
        """Read pages in a language, whatever the account says."""
        await self.context.add_cookies([{"name": "legation-language", "value": language, "url": self.site.origin}])

    async def violations(self) -> list[str]:
        """Return what axe finds on the page against WCAG 2.2 AA: rule and place of each."""
        await self.page.evaluate(AXE)
        found = await self.page.evaluate(VIOLATIONS, WCAG)
        return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]

    async def wrong(self) -> list[str]:
        """Return what is wrong with the page: barriers, wider than the screen, too heavy, complaints, other sites."""
        found = await self.violations()
        wide = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found.append(f"{wide} px wider than the screen")
        octets = await self.page.evaluate(TRANSFERRED)
        if not 0 < octets <= HEAVIEST:
            found.append(f"{octets} octets are transferred")
        # A form that is shown again with what has to be put right answers 422, and the console tells it.
        return [*found, *self.strayed, *(one for one in self.complaints if "status of 422" not in one)]

    async def device(self) -> None:
        """Put a device into the browser that makes and uses passkeys, and verifies its owner."""
        session = await self.context.new_cdp_session(self.page)
        await session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


@asynccontextmanager
async def serving_pages(folder: Path, server: TemporalServer) -> AsyncIterator[Site]:
    """Serve an installation on a folder, at `localhost`, where browsers make passkeys without TLS."""

    async def connect(**options: Any) -> Client:
        return await Client.connect(server.address, namespace=server.namespace, **options)

    async with running(folder, connect, server.address) as here:
        passwords = Passwords(here.registers.database, CHEAPEST, link_lifetime=timedelta(days=1))
        for account in ACCOUNTS:
            await passwords.change(account.id, PASSWORD)
        port = free_ports(1)[0]
        more = {
            "public_url": f"http://localhost:{port}",
            "argon2_memory_kib": CHEAPEST.memory_kib,
            "argon2_passes": CHEAPEST.passes,
            "sign_in_account_attempts": 1000,
            "sign_in_address_attempts": 1000,
        }
        application = create_application(with_key(here.settings).model_copy(update=more), client=here.client)
        configured = uvicorn.Config(
            application, port=port, log_level="warning", log_config=None, timeout_graceful_shutdown=5
        )
        web = uvicorn.Server(configured)
        serving = asyncio.create_task(web.serve())
        while not web.started:
            await asyncio.sleep(0.01)
        try:
            yield Site(here, f"http://localhost:{port}", passwords)
        finally:
            web.should_exit = True
            await serving


@asynccontextmanager
async def visiting(browser: Browser, site: Site, **more: Any) -> AsyncIterator[Visitor]:
    """A new browser context that keeps what it asked for elsewhere, and what it complained of."""
    context = await browser.new_context(**{"locale": "en-GB", **more})
    page = await context.new_page()
    visitor = Visitor(site, context, page, [], [])
    page.on("request", lambda one: None if one.url.startswith(site.origin) else visitor.strayed.append(one.url))
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on("console", lambda said: visitor.complaints.append(said.text) if said.type == "error" else None)
    yield visitor
    await context.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pages(temporal_server: TemporalServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One served installation for all tests of a process."""
    async with serving_pages(tmp_path_factory.mktemp("pages"), temporal_server) as site:
        yield site


@pytest.fixture
def site(pages: Site) -> Site:
    """The installation, with a delegation of the test's own."""
    return replace(pages, here=replace(pages.here, id=f"d-{uuid.uuid4().hex[:12]}"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A real browser. Without one the tests are skipped, and say so; where CI is set they fail."""
    if not CHROMIUM:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed: apt-get install -y chromium-headless-shell")
        pytest.skip(
            "Chromium is not installed (apt-get install -y chromium-headless-shell): no page was tried in a browser"
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(chromium: Browser, site: Site) -> AsyncIterator[Visitor]:
    """Somebody at a browser, who asked for nothing elsewhere and whose console stayed silent."""
    async with visiting(chromium, site) as one:
        yield one
        assert one.strayed == []
        assert one.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def other(chromium: Browser, site: Site) -> AsyncIterator[Visitor]:
    """Somebody else, at another browser."""
    async with visiting(chromium, site) as one:
        yield one
