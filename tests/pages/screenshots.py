"""Takes a picture of every page: `python -m tests.pages.screenshots [--only WORD] [--all] [FOLDER]`.

Without `--all` each page is taken 1280 wide, light, in both languages: what `docs/screenshots/` holds. With it also 390
wide and in dark. What a page complains of, and what it asks for elsewhere, is printed.
"""

import argparse
import asyncio
import io
import re
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from storage.feeds import Subject
from tests.pages.conftest import ARGUMENTS, CHROMIUM, Site, serving_pages, visiting
from tests.pages.gallery import (
    answered,
    being_sent,
    busy,
    directory,
    empty,
    half_written,
    house,
    overfull,
    typical,
    waiting,
)
from tests.temporal import TemporalServer
from workflows.checkpoints import CheckpointRound

PAGES: tuple[tuple[str, str, str], ...] = (
    ("sign-in", "", "/sign-in"),
    ("inbox", "hung", "/inbox"),
    ("inbox-empty", "an", "/inbox"),
    ("today", "lan", "/"),
    ("files", "lan", "/files"),
    ("files-filtered", "lan", "/files?phase=&country=JP&year=abc&q=kyoto&sort=title"),
    ("search", "lan", "/search?q=ha"),
    ("search-nothing", "lan", "/search?q=zzz"),
    ("directory", "lan", "/directory"),
    ("directory-nothing", "lan", "/directory?q=kyoto+club&kind=partner"),
    ("directory-entry", "lan", "/directory/{Tokyo–Vietnam Friendship Association}"),
    ("directory-entry-overfull", "lan", "/directory/{Đoàn đại biểu các tổ chức}"),
    ("directory-form", "lan", "/directory/{Tokyo–Vietnam Friendship Association}/edit"),
    ("directory-contact-form", "lan", "/directory/{Tokyo–Vietnam Friendship Association}/contacts/new"),
    ("directory-contact", "lan", "/directory/{contact}"),
    ("directory-contact-edit", "lan", "/directory/{contact}/edit"),
    ("directory-alike", "lan", "/directory/{Tokio Friendship Association}/merge?q=nagano"),
    (
        "directory-merge",
        "lan",
        "/directory/{Tokio Friendship Association}/merge?with={Tokyo–Vietnam Friendship Association}",
    ),
    ("directory-imports", "lan", "/directory/imports"),
    ("directory-import", "lan", f"/directory/imports/imp_0{'0' * 31}"),
    ("directory-import-refused", "lan", f"/directory/imports/imp_1{'0' * 31}"),
    ("file-invitations-sending", "lan", "/delegations/lien-hoan-song/invitations"),
    ("step", "hung", "/delegations/kyoto/steps/department_head"),
    ("file", "lan", "/delegations/tokyo"),
    ("new-file", "lan", "/files/new"),
    ("new-file-matter", "lan", "/files/new/dra_picture00/matter"),
    ("new-file-partner", "lan", "/files/new/dra_picture00/partner"),
    ("new-file-dates", "lan", "/files/new/dra_picture00/dates"),
    ("new-file-level", "lan", "/files/new/dra_picture00/level"),
    ("new-file-check", "lan", "/files/new/dra_picture00"),
    ("copy", "lan", "/files/new/copy"),
    ("copy-file", "lan", "/files/new/copy/tokyo"),
    ("request", "lan", "/delegations/kyoto/request"),
    ("request-form", "lan", "/delegations/hoi-an/request/revise"),
    ("people", "lan", "/delegations/tokyo/people"),
    ("people-form", "lan", "/delegations/hoi-an/people/new"),
    ("people-leave", "lan", "/delegations/tokyo/people/m-2/leave"),
    ("people-overfull", "lan", "/delegations/lien-hoan-song/people"),
    ("request-overfull", "lan", "/delegations/lien-hoan-song/request"),
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
    ("inbox-read", "hung", "/inbox/read"),
    ("my", "", "/my/{m-1}"),
    ("my-item", "", "/my/{h-1}?item=s-2"),
    ("trail", "lan", "/delegations/tokyo/trail"),
    ("trail-then", "an", "/delegations/tokyo/trail?seq=20"),
    ("trail-overfull", "lan", "/delegations/lien-hoan-song/trail?seq=90&words=phiên"),
    ("trail-verification", "an", "/delegations/tokyo/trail/verification"),
    ("trail-proof", "an", "/delegations/tokyo/trail/12"),
    ("file-waiting", "lan", "/delegations/kyoto"),
    ("file-approvals", "lan", "/delegations/tokyo/approvals"),
    ("file-approvals-waiting", "hung", "/delegations/kyoto/approvals"),
    ("file-invitations", "lan", "/delegations/tokyo/invitations"),
    ("file-report", "lan", "/delegations/tokyo/report"),
    ("act-submit", "lan", "/delegations/lien-hoan-song/acts/submit_request"),
    ("act-cancel", "lan", "/delegations/tokyo/acts/cancel_delegation"),
    ("act-formality", "lan", "/delegations/tokyo/acts/record_formality"),
    ("act-reply", "lan", "/delegations/tokyo/acts/record_reply"),
    ("programme-empty", "lan", "/delegations/hoi-an/programme"),
    ("programme", "lan", "/delegations/tokyo/programme"),
    ("programme-list", "lan", "/delegations/tokyo/programme?view=list"),
    ("programme-now", "lan", "/delegations/tokyo/programme?view=now"),
    ("programme-print", "lan", "/delegations/tokyo/programme/print"),
    ("programme-overfull", "lan", "/delegations/lien-hoan-song/programme"),
    ("programme-item", "lan", "/delegations/tokyo/programme/items/s-2"),
    ("programme-new", "lan", "/delegations/tokyo/programme/new"),
    ("programme-preview", "lan", "/delegations/tokyo/programme/preview"),
    ("programme-audited", "an", "/delegations/tokyo/programme"),
)
"""The name of a picture, who looks, and at which address."""

COLOURS = 96

WIDTHS = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}


async def prepared(site: Site) -> None:
    """Open the files that the pictures show."""
    # One guest's mail server knows nobody of that name.
    site.here.post.answers["m5@tokyo.example"] = "550 5.1.1 no such mailbox"
    for make in (empty, typical, answered, waiting, overfull):
        await make(site.here)
    await half_written(site.here)
    here = site.here
    await here.client.execute_workflow(CheckpointRound.run, id="round", task_queue=here.settings.temporal_task_queue)
    await busy(site.here)
    await house(site.here)
    await directory(site.here)
    await being_sent(site.here)


async def known(site: Site, path: str) -> str:
    """Return an address with what stands in braces: the token of somebody's page, `{m-1}`, or an entry by its name."""
    if "{contact}" in path:
        contact = (await site.here.registers.directory.page(kinds=["contact"])).items[0]
        path = path.replace("{contact}", contact.id)
    for name in re.findall(r"{([^{}-]{6}[^{}]*)}", path):
        found = await site.here.registers.directory.page(kinds=["partner", "host"], q=name)
        path = path.replace(f"{{{name}}}", found.items[0].id)
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
                        to.write_bytes(small(await visitor.page.screenshot(full_page=True)))
                        print(to, *visitor.complaints, *visitor.strayed, *await visitor.violations())
        await browser.close()


def small(png: bytes) -> bytes:
    """Return a picture in as few colours as a page has: a third of the octets, and nothing that an eye would miss."""
    written = io.BytesIO()
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(written, "PNG", optimize=True)
    return written.getvalue()


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
