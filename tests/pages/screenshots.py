"""Takes a picture of every page: `python -m tests.pages.screenshots [--only WORD] [--all] [FOLDER]`.

Without `--all` each page is taken 1280 wide, light, in both languages: what `docs/screenshots/` holds. With it also 390
wide and in dark. What is wrong with a page is printed, and then the exit code is 1.
"""

import argparse
import asyncio
import io
import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from storage.feeds import Subject
from tests.pages.asking import visiting_as
from tests.pages.conftest import ARGUMENTS, CHROMIUM, Site, Visitor, serving_pages, visiting
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
from tests.running import Running
from tests.temporal import TemporalServer
from workflows.checkpoints import CheckpointRound

PAGES: tuple[tuple[str, str, str], ...] = (
    ("sign-in", "", "/sign-in"),
    ("choose-password", "", "/choose-password"),
    ("own-passkeys", "hung", "/me/passkeys"),
    ("inbox", "hung", "/inbox"),
    ("inbox-empty", "an", "/inbox"),
    ("desks", "lan", "/desks"),
    ("desks-of-one", "an", "/desks?by=position&of=department_head"),
    ("today", "lan", "/"),
    ("files", "lan", "/files"),
    ("files-filtered", "lan", "/files?phase=&country=JP&year=abc&q=kyoto&sort=title"),
    ("search", "lan", "/search?q=ha"),
    ("search-nothing", "lan", "/search?q=zzz"),
    ("directory", "lan", "/directory"),
    ("directory-nothing", "lan", "/directory?q=kyoto+club&kind=partner"),
    ("directory-entry", "lan", "/directory/{Tokyo–Vietnam Friendship Association}"),
    ("directory-entry-overfull", "lan", "/directory/{Đoàn đại biểu các tổ chức}"),
    ("directory-new", "lan", "/directory/new"),
    ("directory-form", "lan", "/directory/{Tokyo–Vietnam Friendship Association}/edit"),
    ("directory-contact-form", "lan", "/directory/{Tokyo–Vietnam Friendship Association}/contacts/new"),
    ("directory-contact", "lan", "/directory/{contact}"),
    ("directory-contact-edit", "lan", "/directory/{contact}/edit"),
    ("directory-duplicates", "lan", "/directory/duplicates"),
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
    ("people-replace", "lan", "/delegations/tokyo/people/m-2/replace"),
    ("people-overfull", "lan", "/delegations/lien-hoan-song/people"),
    ("request-overfull", "lan", "/delegations/lien-hoan-song/request"),
    ("checklist", "lan", "/delegations/tokyo/checklist"),
    ("checklist-empty", "lan", "/delegations/hoi-an/checklist"),
    ("notes", "hung", "/delegations/tokyo/notes"),
    ("note", "hung", "/delegations/tokyo/notes/{note}"),
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
    ("own-tokens", "lan", "/me/tokens"),
    ("admin-replies", "lan", "/admin/replies"),
    ("admin-undelivered", "lan", "/admin/undelivered"),
    ("admin-rules", "root", "/admin/rules"),
    ("admin-edition", "root", "/admin/rules/{edition}"),
    ("admin-person-requests", "root", "/admin/person-requests"),
    ("admin-person-request", "root", "/admin/person-requests/{request}"),
    ("admin-person-requests-recording", "lan", "/admin/person-requests?find=tanaka"),
    ("admin-person-request-check", "lan", "/admin/person-requests"),
    ("admin-log", "an", "/admin/log"),
    ("admin-log-narrowed", "root", "/admin/log?register=leaves&verify=yes"),
    ("admin-retention-entries", "root", "/admin/retention/{plan}/tokens"),
    ("admin-erasures", "root", "/admin/erasures"),
    ("admin-erasure", "root", "/admin/erasures/{erasure}"),
    ("admin-retention", "root", "/admin/retention"),
    ("admin-retention-plan", "root", "/admin/retention/{plan}"),
    ("admin-archive", "root", "/admin/archive"),
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
    ("receipt", "hung", "/delegations/tokyo/receipts/{signed}"),
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
    await directory(site.here)
    await being_sent(site.here)
    await _asked_about_data(site)


async def _asked_about_data(site: Site) -> None:
    """Somebody asks what is kept of them, somebody else is to be erased, and what is due to go is planned."""
    ogawa = await site.here.person("Ogawa Mei", "mei@osaka.example")
    described = "Bà Suzuki Aiko hỏi những gì được lưu về bà."
    async with visiting_as(site, "root") as root:
        for path, fields in (
            ("/admin/person-requests", {"kind": "access", "via": "letter", "description": described}),
            ("/admin/erasures", {"person": ogawa["ref"], "reason": "asked_by_person"}),
            ("/admin/retention", {}),
        ):
            made = await root.send(path, checked="yes", **fields)
            assert made.status_code == 303, made.text


async def known(here: Running, path: str) -> str:
    """Return an address with what only an installation knows in the place of each name in braces.

    `{m-1}` is the token of that person's page; a name of the directory is the entry's id. Empty where nothing of that
    kind is there.
    """
    for name in re.findall(r"{([^{}]+)}", path):
        if (found := await _name_of(here, name, path)) is None:
            return ""
        path = path.replace(f"{{{name}}}", str(found))
    return path


async def _name_of(here: Running, name: str, path: str) -> str | int | None:
    registers, id = here.registers, path.split("/")[2]
    match name:
        case "note":
            return next((one.id for one in (await registers.notes.of(id)).items), None)
        case "edition":
            return next(iter(await registers.editions.digests()), None)
        case "request":
            return next((one.id for one in (await registers.person_requests.page()).items), None)
        case "erasure":
            return next((one.id for one in await registers.erasures.known()), None)
        case "plan":
            return next((one.id for one in await registers.retention.latest()), None)
        case "signed":
            return next((one.seq for one in await registers.queries.events(id, types=("StepSigned",))), None)
    if path.startswith("/directory/"):
        of = {"kinds": ("contact",)} if name == "contact" else {"kinds": ("partner", "host"), "q": name}
        entries = await registers.directory.page(**of)
        return next((one.id for one in entries.items), None)
    person = (await replace(here, id="tokyo").file()).people[name].person.ref
    return registers.feeds.token_of(await registers.feeds.make(Subject.page("tokyo", name, person), by="lan"))


async def take(folder: Path, home: Path, server: TemporalServer, only: str, *, everything: bool) -> int:
    """Serve an installation, open the files, take the pictures whose name has the word; return how much is wrong."""
    found = 0
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
                        await arrive(visitor, site.here, name, path)
                        to = folder / (
                            f"{name}-{width}-{theme}.{language}.png" if everything else f"{name}.{language}.png"
                        )
                        to.write_bytes(small(await visitor.page.screenshot(full_page=True)))
                        wrong = await visitor.wrong()
                        print(to, *wrong)
                        found += len(wrong)
        await browser.close()
    return found


async def arrive(visitor: Visitor, here: Running, name: str, path: str) -> None:
    """Go to a page of PAGES, and fill in and press what leads on to it."""
    await visitor.go(await known(here, path))
    for selector, value in ON_THE_WAY.get(name, ()):
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


def main() -> int:
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
            found = asyncio.run(take(said.folder, Path(home), server, said.only, everything=said.all))
        finally:
            server.kill()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
