"""Uploads that are weapons, thrown at a running API: refused, quickly, and at the price of little memory (row 17)."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest

from tests.faults.asking import code
from tests.faults.page import Note
from tests.installed import Installed
from tests.storage.samples import DOCX_PARTS, FOREIGN_ENTITY, LAUGHS, archive, in_pieces, jpeg, png
from tests.storage.tables import REPEATED, far, lying, sheet_of, workbook

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

MOST_GROWTH = 100 * 1024 * 1024
NOTHING = b"\x00" * 50_000_000


def zip_bomb() -> bytes:
    """A document of 250 KB that unpacks to 250 MB."""
    return archive(DOCX_PARTS | {f"word/media/{number}.bin": NOTHING for number in range(5)})


def nested() -> bytes:
    """A document with an archive in it, which has an archive in it."""
    return archive(DOCX_PARTS | {"word/embeddings/a.bin": archive({"b.zip": archive({"c": b"c"})})})


WEAPONS = {
    "zip bomb": (zip_bomb, "attachment_unpacks_too_large"),
    "nested zip": (nested, "attachment_has_archive"),
    "billion laughs": (
        lambda: archive(DOCX_PARTS | {"word/document.xml": LAUGHS}),
        "attachment_has_declarations",
    ),
    "foreign entity (XXE)": (
        lambda: archive(DOCX_PARTS | {"word/_rels/document.xml.rels": FOREIGN_ENTITY}),
        "attachment_has_declarations",
    ),
    "pixel bomb, PNG": (lambda: png(60_000, 60_000), "attachment_picture_too_large"),
    "pixel bomb, JPEG": (lambda: jpeg(65_000, 65_000), "attachment_picture_too_large"),
    "path traversal": (lambda: archive(DOCX_PARTS | {"word/../../../etc/cron.d/x": b"x"}), "attachment_has_path"),
    "ten thousand parts": (
        lambda: archive(DOCX_PARTS | {f"word/{number}": b"" for number in range(10_000)}),
        "attachment_unpacks_too_large",
    ),
}


def most_memory(pid: int) -> int:
    """The largest resident size of a process since it was last told to forget it, in bytes (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def forget_memory(pid: int) -> int:
    """Let the process forget its largest size, and return the present one."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return most_memory(pid)


@pytest.mark.parametrize("weapon", WEAPONS)
async def test_a_weapon_is_refused_before_it_costs_anything(weapon: str, stack: Installed, note: Note) -> None:
    """A 4xx that names the reason; the API's memory hardly grows, and nothing of the file is left on the disk."""
    make, refusal = WEAPONS[weapon]
    content = make()
    pid = stack.pid("api")
    async with stack.asking() as http:
        # The first file of a process loads what the later ones find loaded.
        await http.post("/attachments", content=archive(DOCX_PARTS), headers=stack.headers("lan"))
        before = forget_memory(pid)
        began = time.monotonic()
        answer = await http.post("/attachments", content=content, headers=stack.headers("lan"))
        seconds = time.monotonic() - began
    growth = most_memory(pid) - before
    note(row="17", fault=weapon, sent=f"{len(content)} bytes", seconds=round(seconds, 2), grew=f"{growth >> 20} MB")
    assert code(answer) == (422, "attachment_refused")
    assert [error["rule"] for error in answer.json()["errors"]] == [refusal]
    assert growth < MOST_GROWTH
    assert list((stack.folder / "attachments" / "incoming").iterdir()) == []


async def test_a_file_that_never_ends_is_cut_off_at_the_limit(stack: Installed, note: Note) -> None:
    """Nothing says how long it is; after 25 MB the API stops reading."""
    pid = stack.pid("api")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        async for piece in in_pieces(b"%PDF-1.7\n" + b"x" * 64 * 1024 * 1024):
            sent += len(piece)
            yield piece

    async with stack.asking() as http:
        before = forget_memory(pid)
        answer: httpx2.Response | None = None
        # The API may hang up on somebody who still sends.
        with contextlib.suppress(httpx2.TransportError):
            answer = await http.post("/attachments", content=endless(), headers=stack.headers("lan"))
        growth = most_memory(pid) - before
        assert (await http.get("/health")).status_code == 200
    note(row="17", fault="endless file", sent=f"{sent >> 20} MB", grew=f"{growth >> 20} MB")
    assert answer is None or code(answer)[0] in (413, 422)
    assert growth < MOST_GROWTH
    assert list((stack.folder / "attachments" / "incoming").iterdir()) == []


TABLES: dict[str, tuple[Callable[[], bytes], str]] = {
    "two cells at the ends of a sheet": (lambda: sheet_of(far("XFD1048576")), "spreadsheet_too_many_rows"),
    "one text in 4,000 cells": (lambda: sheet_of(REPEATED), "attachment_unpacks_too_large"),
    "a directory that lies": (
        lambda: lying(workbook([["kind", *(letter * 32_000 for letter in "abcdefgh")]])),
        "attachment_unpacks_too_large",
    ),
    "billion laughs in a table": (
        lambda: archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": LAUGHS}),
        "attachment_has_declarations",
    ),
}


@pytest.mark.parametrize("weapon", TABLES)
async def test_a_table_that_is_a_weapon_is_refused_before_it_costs_anything(
    weapon: str, stack: Installed, note: Note
) -> None:
    """A workbook is measured before its reader sees it, which would take room for every cell between two."""
    make, refusal = TABLES[weapon]
    content = make()
    pid = stack.pid("api")
    async with stack.asking() as http:
        await http.post("/directory-imports", content=workbook([["kind"]]), headers=stack.headers("lan"))
        before = forget_memory(pid)
        began = time.monotonic()
        answer = await http.post("/directory-imports", content=content, headers=stack.headers("lan"))
        seconds = time.monotonic() - began
    growth = most_memory(pid) - before
    note(row="17", fault=weapon, sent=f"{len(content)} bytes", seconds=round(seconds, 2), grew=f"{growth >> 20} MB")
    assert code(answer) == (422, "spreadsheet_refused")
    assert [error["rule"] for error in answer.json()["errors"]] == [refusal]
    assert growth < MOST_GROWTH
