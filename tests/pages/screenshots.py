"""Takes a picture of every page: `python -m tests.pages.screenshots [--only WORD] [--all] [FOLDER]`.

Without `--all` each page is taken 1280 wide, light, in both languages: what `docs/screenshots/` holds. With it also 390
wide and in dark. What a page complains of, and what it asks for elsewhere, is printed.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from tests.pages.conftest import ARGUMENTS, CHROMIUM, Site, serving_pages, visiting
from tests.pages.gallery import busy, empty, house, overfull, typical, waiting
from tests.temporal import TemporalServer

PAGES: tuple[tuple[str, str, str], ...] = (
    ("sign-in", "", "/sign-in"),
    ("inbox", "hung", "/"),
    ("step", "hung", "/delegations/kyoto/steps/department_head"),
    ("file", "lan", "/delegations/tokyo"),
    ("checklist", "lan", "/delegations/tokyo/checklist"),
    ("checklist-empty", "lan", "/delegations/hoi-an/checklist"),
    ("notes", "hung", "/delegations/tokyo/notes"),
    ("admin", "root", "/admin"),
    ("admin-organisations", "root", "/admin/organisations"),
    ("admin-organisation", "root", "/admin/organisations/song-lam"),
    ("admin-positions", "root", "/admin/positions"),
    ("admin-position", "root", "/admin/positions/vice_president"),
    ("admin-leave", "root", "/admin/leave"),
    ("own-leave", "mai", "/me/leave"),
    ("admin-accounts", "root", "/admin/accounts"),
    ("admin-account", "root", "/admin/accounts/mai"),
    ("own-tokens", "lan", "/me/tokens"),
    ("admin-replies", "lan", "/admin/replies"),
    ("admin-undelivered", "lan", "/admin/undelivered"),
    ("admin-rules", "root", "/admin/rules"),
    ("admin-person-requests", "root", "/admin/person-requests"),
    ("admin-erasures", "root", "/admin/erasures"),
    ("admin-retention", "root", "/admin/retention"),
    ("admin-health", "root", "/admin/health"),
    ("admin-checkpoints", "root", "/admin/checkpoints"),
    ("file-empty", "lan", "/delegations/hoi-an"),
    ("file-overfull", "lan", "/delegations/lien-hoan-song"),
)
"""The name of a picture, who looks, and at which address."""

WIDTHS = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


async def prepared(site: Site) -> None:
    """Open the files that the pictures show."""
    for make in (empty, typical, waiting, overfull):
        await make(site.here)
    await busy(site.here)
    await house(site.here)


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
                        await visitor.go(path)
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
