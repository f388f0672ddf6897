"""Takes a picture of every page: `python -m tests.pages.screenshots [--only WORD] [--all] [FOLDER]`.

Without `--all` each page is taken 1280 wide, light, in both languages: what `docs/screenshots/` holds. With it also 390
wide and in dark. What a page complains of, and what it asks for elsewhere, is printed.
"""

import argparse
import asyncio
import io
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from storage.feeds import Subject
from tests.pages.conftest import ARGUMENTS, CHROMIUM, Site, Visitor, serving_pages, visiting
from tests.pages.gallery import answered, busy, empty, half_written, house, overfull, typical, waiting
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
    ("own-account", "mai", "/me"),
    ("own-password", "lan", "/me/password"),
    ("own-passkeys", "lan", "/me/passkeys"),
    ("own-tokens", "lan", "/me/tokens"),
    ("admin-replies", "lan", "/admin/replies"),
    ("admin-undelivered", "lan", "/admin/undelivered"),
    ("admin-rules", "root", "/admin/rules"),
    ("admin-person-requests", "root", "/admin/person-requests"),
    ("admin-person-requests-recording", "lan", "/admin/person-requests?find=tanaka"),
    ("admin-person-request-check", "lan", "/admin/person-requests"),
    ("admin-person-request", "root", "/admin/person-requests?person={m-2.ref}"),
    ("admin-log", "an", "/admin/log"),
    ("admin-log-narrowed", "root", "/admin/log?register=leaves&verify=yes"),
    ("admin-retention-plan", "root", "/admin/retention"),
    ("admin-retention-entries", "root", "/admin/retention"),
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
    ("act-postpone-check", "lan", "/delegations/tokyo/acts/postpone"),
    ("act-formality-check", "lan", "/delegations/tokyo/acts/record_formality"),
    ("act-channel-check", "lan", "/delegations/tokyo/acts/choose_channel"),
    ("act-hand-over", "root", "/delegations/tokyo/acts/hand_over"),
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

Steps = tuple[tuple[str, str | None], ...]

ON_THE_WAY: dict[str, Steps] = {
    "act-postpone-check": (("#postpone-reason", "Đối tác đề nghị lùi sang mùa thu."), ("#postpone .button", None)),
    "act-formality-check": (
        ("#record_formality-kind", "police_notified"),
        ("#record_formality-reference", "118/UBND-NV"),
        ("#record_formality .button", None),
    ),
    "act-channel-check": (
        ("#choose_channel-participant_id", "m-2"),
        ("input[value=feed]", None),
        ("#choose_channel .button", None),
    ),
    "admin-person-request-check": (
        ("#add-kind", "access"),
        ("#add-via", "letter"),
        ("#add-description", "Bà Tanaka xin xem thông tin về mình trong đợt thăm tháng Tư."),
        ("#add .button", None),
    ),
    "admin-person-request": (
        ("#add-kind", "access"),
        ("#add-via", "email"),
        ("#add .button", None),
        ("#add .button:not(.quiet)", None),
    ),
    "admin-retention-plan": (("form[action='/admin/retention'] .button", None),),
    "admin-retention-entries": (
        ("form[action='/admin/retention'] .button", None),
        (".rows a[href$='/tokens']", None),
    ),
}
"""What is filled in and pressed, by selector, before a picture is taken: None is a click."""

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


async def known(site: Site, path: str) -> str:
    """Return an address with the token of the page of somebody on the typical file, where it names them: `{m-1}`."""
    for who, one in (await replace(site.here, id="tokyo").file()).people.items():
        if f"{{{who}}}" in path:
            feed = await site.here.registers.feeds.make(Subject.page("tokyo", who, one.person.ref), by="lan")
            path = path.replace(f"{{{who}}}", site.here.registers.feeds.token_of(feed) or "")
        path = path.replace(f"{{{who}.ref}}", one.person.ref)
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
                        await on_the_way(visitor, ON_THE_WAY.get(name, ()))
                        to = folder / (
                            f"{name}-{width}-{theme}.{language}.png" if everything else f"{name}.{language}.png"
                        )
                        to.write_bytes(small(await visitor.page.screenshot(full_page=True)))
                        print(to, *visitor.complaints, *visitor.strayed, *await visitor.violations())
        await browser.close()


async def on_the_way(visitor: Visitor, steps: Steps) -> None:
    """Fill in and press what leads to a page."""
    for selector, value in steps:
        found = visitor.page.locator(selector).first
        if value is None:
            if await found.count():
                await found.click()
                await visitor.page.wait_for_load_state()
        elif await found.evaluate("one => one.tagName") == "SELECT":
            await found.select_option(value)
        else:
            await found.fill(value)


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
