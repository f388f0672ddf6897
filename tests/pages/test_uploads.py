"""Files in forms: streamed into the register, kept only for who may keep them, and never chosen twice."""

import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from api.pages.forms import Form
from api.pages.typed import Typed
from api.pages.uploads import MOST_FILES, Kept, received, room_of, shown_name
from api.problems import Problem
from domain.values import AttachmentRef
from tests.api.front import Front, front
from tests.storage.samples import PDF_FILE

BOUNDARY = "----legation"
ROUTE = "attach_document_by_page"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """One part of a form as browsers write it."""
    named = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'
    kind = "Content-Type: application/octet-stream\r\n" if filename is not None else ""
    return (head + kind + "\r\n").encode() + content + b"\r\n"


def body(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def request_of(found: Front, content: bytes, *, piece: int = 7, kind: str = "") -> Request:
    """A request whose body comes in small pieces."""
    pieces = [content[start : start + piece] for start in range(0, len(content), piece)] or [b""]

    async def stream() -> AsyncIterator[dict[str, Any]]:
        for number, one in enumerate(pieces, 1):
            yield {"type": "http.request", "body": one, "more_body": number < len(pieces)}

    messages = stream()
    headers = [(b"content-type", (kind or f"multipart/form-data; boundary={BOUNDARY}").encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "app": found.application, "state": {}}
    return Request(scope, lambda: anext(messages))


async def stored(found: Front) -> list[str]:
    """What lies in the folder of files."""
    folder = found.at.settings.data_dir / "attachments"
    return sorted(one.name for one in folder.rglob("*") if one.is_file()) if folder.exists() else []


async def test_a_file_becomes_the_value_of_its_field(tmp_path: Path) -> None:
    """Fields in their order, the file by digest, size, found type and the last part of its name."""
    async with front(tmp_path) as found:
        content = body(
            part("csrf", b"t"), part("kind", "hộ chiếu".encode()), part("attachment", PDF_FILE, "C:\\a/Hộ chiếu.pdf")
        )
        request = request_of(found, content)
        asked: list[Typed] = []

        def may_keep(form: Typed) -> bool:
            asked.append(form)
            return True

        typed = await received(request, ROUTE, may_keep)
        kept = await stored(found)
    digest = hashlib.sha256(PDF_FILE).hexdigest()
    assert typed.pairs == (
        ("csrf", "t"),
        ("kind", "hộ chiếu"),
        ("attachment", f"{digest} {len(PDF_FILE)} application/pdf Hộ chiếu.pdf"),
    )
    assert asked == [{"csrf": "t", "kind": "hộ chiếu"}]
    assert kept == [digest]
    [again] = Form("attach", typed=typed).files("attachment")
    assert again.file == AttachmentRef(digest=digest, media_type="application/pdf", size=len(PDF_FILE))
    assert Kept.read(again.value) == again


async def test_nothing_is_kept_of_somebody_who_may_not_and_what_was_typed_stays(tmp_path: Path) -> None:
    """The file is read and dropped; what stands after it is there too."""
    async with front(tmp_path) as found:
        content = body(part("csrf", b"other"), part("attachment", PDF_FILE, "a.pdf"), part("note", b"after"))
        typed = await received(request_of(found, content), ROUTE, lambda _: False)
        assert typed.pairs == (("csrf", "other"), ("note", "after"))
        assert await stored(found) == []


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.pdf", "attachment_empty"),
        (b"MZ" + bytes(64), "a.exe", "attachment_type_unknown"),
        (b"%PDF-" + bytes(2_000_000), "big.pdf", "attachment_too_large"),
    ],
)
async def test_what_the_register_refuses_is_said_of_its_field(
    tmp_path: Path, content: bytes, name: str, code: str
) -> None:
    """The rest of the form is read all the same, and nothing is left on the disk."""
    async with front(tmp_path, attachment_limit_bytes=1_000_000) as found:
        request = request_of(found, body(part("attachment", content, name), part("note", b"after")), piece=65536)
        typed = await received(request, ROUTE, lambda _: True)
        assert typed.pairs == (("note", "after"),)
        assert request.state.files_refused == (("attachment", code),)
        assert await stored(found) == []


async def test_where_no_file_was_chosen_there_is_none(tmp_path: Path) -> None:
    """Browsers send an empty file without a name; one that came before stays."""
    async with front(tmp_path) as found:
        before = f"{'a' * 64} 12 application/pdf b.pdf"
        request = request_of(found, body(part("attachment", before.encode()), part("attachment", b"", "")))
        typed = await received(request, ROUTE, lambda _: True)
        assert typed.pairs == (("attachment", before),)
        assert request.state.files_refused == ()


async def test_only_so_many_files_come_at_once(tmp_path: Path) -> None:
    """The one after the last is said to be too many."""
    async with front(tmp_path) as found:
        parts = [part("attachment", PDF_FILE, f"{number}.pdf") for number in range(MOST_FILES + 1)]
        request = request_of(found, body(*parts), piece=65536)
        typed = await received(request, ROUTE, lambda _: True)
        assert len(typed.pairs) == MOST_FILES
        assert request.state.files_refused == (("attachment", "too_many_files"),)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing of the kind",
        body(part("attachment", PDF_FILE, "a.pdf"))[:-20],
        body(part("elsewhere", PDF_FILE, "a.pdf")),
        body(part("note", b"\xff\xfe")),
        body(b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: attachment\r\n\r\nx\r\n"),
        body(*[part("a", b"1") for _ in range(2001)]),
    ],
)
async def test_a_malformed_form_is_refused(tmp_path: Path, content: bytes) -> None:
    """Cut off, of no field of ours, not text, without names, endless: `body_malformed`, and nothing is kept."""
    async with front(tmp_path) as found:
        with pytest.raises(Problem) as refused:
            await received(request_of(found, content, piece=4096), ROUTE, lambda _: False)
    assert refused.value.code == "body_malformed"


async def test_a_large_file_is_never_held_in_memory(tmp_path: Path) -> None:
    """Twenty megabytes pass through less than four."""
    async with front(tmp_path) as found:
        content = body(part("csrf", b"t"), part("attachment", b"%PDF-" + bytes(20_000_000) + b"\n%%EOF", "a.pdf"))
        request = request_of(found, content, piece=65536)
        tracemalloc.start()
        await received(request, ROUTE, lambda _: False)
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert grown < 4_000_000


def test_a_file_s_name_is_shown_without_what_turns_or_ends_a_line() -> None:
    """Only its last part, and no longer than 120 characters."""
    assert shown_name("../../etc/passwd") == "passwd"
    assert shown_name("ho\u202echieu\r\n.pdf") == "hochieu.pdf"
    assert len(shown_name("a" * 500)) == 120


async def test_a_form_with_files_has_room_for_a_few_of_the_largest(tmp_path: Path) -> None:
    """Others have none."""
    async with front(tmp_path, attachment_limit_bytes=1_000_000) as found:
        assert room_of(ROUTE, found.at) == 5_000_000
        assert room_of("answer_step_by_page", found.at) == 1_000_000
