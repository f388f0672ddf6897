"""Takes a picture of every page: `python -m tests.pages.screenshots [--only WORD] [--all] [FOLDER]`.

Without `--all` each page is taken 1280 wide, light, in both languages: what `docs/screenshots/` holds. With it also 390
wide and in dark. What a page complains of, and what it asks for elsewhere, is printed.
"""

import argparse
import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.async_api import async_playwright

from storage.feeds import Subject
from tests.pages.conftest import ARGUMENTS, CHROMIUM, Site, serving_pages, visiting
from tests.pages.gallery import empty, overfull, typical, waiting
from tests.temporal import TemporalServer
from workflows.checkpoints import CheckpointRound

PAGES: tuple[tuple[str, str, str], ...] = (
    ("sign-in", "", "/sign-in"),
    ("inbox", "hung", "/"),
    ("step", "hung", "/delegations/kyoto/steps/department_head"),
    ("file", "lan", "/delegations/tokyo"),
    ("file-empty", "lan", "/delegations/hoi-an"),
    ("file-overfull", "lan", "/delegations/lien-hoan-song"),
    ("inbox-read", "hung", "/inbox/read"),
    ("my", "", "/my/{m-1}"),
    ("my-item", "", "/my/{h-1}?item=s-2"),
    ("trail", "lan", "/delegations/tokyo/trail"),
    ("trail-then", "an", "/delegations/tokyo/trail?seq=20"),
    ("trail-overfull", "lan", "/delegations/lien-hoan-song/trail?seq=90&words=phiên"),
    ("trail-verification", "an", "/delegations/tokyo/trail/verification"),
    ("trail-proof", "an", "/delegations/tokyo/trail/12"),
)
"""The name of a picture, who looks, and at which address."""

WIDTHS = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


async def prepared(site: Site) -> None:
    """Open the files that the pictures show."""
    for make in (empty, typical, waiting, overfull):
        await make(site.here)
    here = site.here
    await here.client.execute_workflow(CheckpointRound.run, id="round", task_queue=here.settings.temporal_task_queue)


async def known(site: Site, path: str) -> str:
    """Return an address with the token of the page of somebody on the typical file, where it names them: `{m-1}`."""
    for who, one in (await replace(site.here, id="tokyo").file()).people.items():
        if f"{{{who}}}" in path:
            feed = await site.here.registers.feeds.make(Subject.page("tokyo", who, one.person.ref), by="lan")
            path = path.replace(f"{{{who}}}", site.here.registers.feeds.token_of(feed) or "")
    return path


async def take(folder: Path, home: Path, server: TemporalServer, only: str, *, everything: bool) -> None:
    """Serve an installation, open the files, and take the pictures whose name has the word."""
    async with serving_pages(home / "pages", server) as site, async_playwright() as playwright:
        await prepared(site)
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        looks = (
            [(width, theme) for width in WIDTHS for theme in ("light", "dark")] if everything else [("wide", "light")]
        )
        for name, account, path in PAGES:
            for language in ("vi", "en"):
                for width, theme in looks:
                    if only not in name:
                        continue
                    more = {"viewport": WIDTHS[width], "color_scheme": theme, "has_touch": width == "narrow"}
                    async with visiting(browser, site, **more) as visitor:
                        await visitor.speak(language)
                        if account:
                            await visitor.sign_in(account)
                        await visitor.go(await known(site, path))
                        to = folder / (
                            f"{name}-{width}-{theme}.{language}.png" if everything else f"{name}.{language}.png"
                        )
                        await visitor.page.screenshot(path=to, full_page=True)
                        print(to, *visitor.complaints, *visitor.strayed, *await visitor.violations())
        await browser.close()


def main() -> None:
    """Read what is asked for, and take it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", nargs="?", type=Path, default=Path("docs/screenshots"))
    asked.add_argument("--only", default="")
    asked.add_argument("--all", action="store_true")
    said = asked.parse_args()
    said.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        server = TemporalServer(Path(home))
        (Path(home) / "pages").mkdir()
        server.start()
        try:
            asyncio.run(take(said.folder, Path(home), server, said.only, everything=said.all))
        finally:
            server.kill()


if __name__ == "__main__":
    main()
