"""What a file really is, and what is not kept: bombs, archives in archives, paths, macros, half files."""

import io
import struct
import time
import tracemalloc
import zipfile
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.media_types import (
    DOCX,
    JPEG,
    PDF,
    PNG,
    TEXT,
    XLSX,
    ZIP,
    AttachmentRefused,
    Limits,
    PlainText,
    inspect,
    media_type_of,
)
from tests.storage.samples import (
    DOCX_PARTS,
    FOREIGN_ENTITY,
    LAUGHS,
    PDF_FILE,
    TEXT_FILE,
    XLSX_PARTS,
    archive,
    jpeg,
    png,
)


def judged(content: bytes, limits: Limits | None = None) -> str:
    """Return the type found, as the register finds it."""
    kind = media_type_of(content)
    if kind == TEXT:
        PlainText().take(content, last=True)
    return inspect(io.BytesIO(content), kind, limits or Limits())


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF_FILE, PDF),
        (png(), PNG),
        (jpeg(), JPEG),
        (archive(DOCX_PARTS), DOCX),
        (archive(XLSX_PARTS), XLSX),
        (TEXT_FILE, TEXT),
        (b"\xef\xbb\xbfBOM", TEXT),
    ],
)
def test_every_kind_that_is_kept_is_recognised(content: bytes, kind: str) -> None:
    """By its bytes alone."""
    assert judged(content) == kind


CODES = {
    "attachment_type_unknown",
    "attachment_malformed",
    "attachment_unpacks_too_large",
    "attachment_has_archive",
    "attachment_has_path",
    "attachment_has_macros",
    "attachment_has_declarations",
    "attachment_encrypted",
    "attachment_picture_too_large",
}


def type_or_code(content: bytes) -> str:
    """Return the type found or the code of the refusal."""
    try:
        return judged(content)
    except AttachmentRefused as refused:
        return refused.code


BIG = b"0" * 50_000_000

REFUSED = [
    ("a program", b"\x7fELF" + bytes(60), "attachment_type_unknown"),
    ("text in another encoding", "Hội đồng".encode("utf-16"), "attachment_type_unknown"),
    ("latin-1", "réunion à Genève".encode("latin-1"), "attachment_type_unknown"),
    ("a PDF without its end", PDF_FILE[:30], "attachment_malformed"),
    ("a PNG without a header", png()[:20], "attachment_malformed"),
    ("a PNG of no size", png(0, 10), "attachment_malformed"),
    ("a pixel bomb", png(60_000, 60_000), "attachment_picture_too_large"),
    ("a JPEG bomb", jpeg(65_000, 65_000), "attachment_picture_too_large"),
    ("a JPEG without a frame", jpeg()[:20], "attachment_malformed"),
    ("a JPEG that ends in a marker", b"\xff\xd8\xff\xff", "attachment_malformed"),
    ("an archive that is no office document", archive({"a.txt": b"a"}), "attachment_type_unknown"),
    ("a document without its list of types", archive({"word/document.xml": b"<a/>"}), "attachment_type_unknown"),
    ("a cut archive", archive(DOCX_PARTS)[:-30], "attachment_malformed"),
    ("an archive in it", archive(DOCX_PARTS | {"word/embeddings/a": archive({"x": b"y"})}), "attachment_has_archive"),
    ("a gzip in it", archive(DOCX_PARTS | {"word/media/a": b"\x1f\x8b\x08rest"}), "attachment_has_archive"),
    ("a path upwards", archive(DOCX_PARTS | {"word/../../etc/passwd": b""}), "attachment_has_path"),
    ("an absolute path", archive(DOCX_PARTS | {"/etc/passwd": b""}), "attachment_has_path"),
    ("a drive", archive(DOCX_PARTS | {"C:/x": b""}), "attachment_has_path"),
    ("macros", archive(DOCX_PARTS | {"word/vbaProject.bin": b"x"}), "attachment_has_macros"),
    ("a billion laughs", archive(DOCX_PARTS | {"word/document.xml": LAUGHS}), "attachment_has_declarations"),
    ("a foreign entity", archive(DOCX_PARTS | {"_rels/.rels": FOREIGN_ENTITY}), "attachment_has_declarations"),
    (
        "a foreign entity in UTF-16",
        archive(DOCX_PARTS | {"word/a.xml": FOREIGN_ENTITY.decode().encode("utf-16")}),
        "attachment_has_declarations",
    ),
    (
        "a declaration behind a long comment",
        archive(DOCX_PARTS | {"word/a.xml": b"<!--" + b"x" * 100_000 + b"-->" + FOREIGN_ENTITY}),
        "attachment_malformed",
    ),
    ("a part that is no XML", archive(DOCX_PARTS | {"word/a.xml": b"<a"}), "attachment_malformed"),
    ("a zip bomb", archive(DOCX_PARTS | {f"word/{n}": BIG for n in range(5)}), "attachment_unpacks_too_large"),
    (
        "ten thousand parts",
        archive(DOCX_PARTS | {f"word/{n}": b"" for n in range(10_000)}),
        "attachment_unpacks_too_large",
    ),
    ("an unusual packing", archive(DOCX_PARTS, zipfile.ZIP_LZMA), "attachment_malformed"),
]


@pytest.mark.parametrize(("what", "content", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_not_kept_is_refused_by_a_code(what: str, content: bytes, code: str) -> None:
    """Within two seconds of computing, and with little memory."""
    begun = time.process_time()
    assert type_or_code(content) == code
    assert time.process_time() - begun < 2
    tracemalloc.start()
    try:
        type_or_code(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_an_encrypted_part_is_refused() -> None:
    """Nobody could look into it."""
    content = bytearray(archive(DOCX_PARTS))
    entry = content.rfind(b"PK\x01\x02")
    (flags,) = struct.unpack_from("<H", content, entry + 8)
    struct.pack_into("<H", content, entry + 8, flags | 1)
    with pytest.raises(AttachmentRefused) as raised:
        judged(bytes(content))
    assert raised.value.code == "attachment_encrypted"


def test_a_64_bit_directory_is_refused_before_it_is_read() -> None:
    """Its size would be believed instead of the one that was looked at."""
    content = archive(DOCX_PARTS)
    end = content.rfind(b"PK\x05\x06")
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, 0, 1)
    with pytest.raises(AttachmentRefused, match="64-bit"):
        judged(content[:end] + locator + content[end:])


def test_a_directory_that_claims_to_be_huge_is_not_read() -> None:
    """Its size is looked at before memory is taken for it."""
    content = bytearray(archive(DOCX_PARTS))
    struct.pack_into("<I", content, content.rfind(b"PK\x05\x06") + 12, 0xFFFFFFF0)
    with pytest.raises(AttachmentRefused) as raised:
        judged(bytes(content))
    assert raised.value.code == "attachment_unpacks_too_large"


@given(
    noise=st.binary(max_size=400),
    start=st.sampled_from([b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"PK\x03\x04", b""]),
)
def test_no_bytes_bring_anything_but_a_type_or_a_refusal(noise: bytes, start: bytes) -> None:
    """Whatever follows a known beginning."""
    assert type_or_code(start + noise) in {PDF, PNG, JPEG, TEXT} | CODES


@given(data=st.data())
def test_no_damage_to_an_office_document_brings_anything_else_either(data: st.DataObject) -> None:
    """Up to eight changed bytes anywhere."""
    content = bytearray(archive(DOCX_PARTS))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert type_or_code(bytes(content)) in {DOCX} | CODES


def test_no_byte_set_to_zero_brings_anything_else_either() -> None:
    """One of them makes a part's name empty."""
    content = archive(DOCX_PARTS)
    for place in range(4, len(content)):
        assert type_or_code(content[:place] + b"\0" + content[place + 1 :]) in {DOCX} | CODES


@given(text=st.text(min_size=1, max_size=60), cut=st.integers(0, 200))
def test_a_letter_cut_between_two_pieces_is_still_text(text: str, cut: int) -> None:
    """The pieces of a stream end anywhere."""
    content = "".join(letter for letter in text if ord(letter) >= 32 or letter in "\t\n\r\f").encode()
    check = PlainText()
    check.take(content[:cut])
    check.take(content[cut:], last=True)


def test_the_types_are_those_of_the_registry() -> None:
    """IANA media types."""
    assert (PDF, PNG, JPEG, TEXT, ZIP) == (
        "application/pdf",
        "image/png",
        "image/jpeg",
        "text/plain",
        "application/zip",
    )
    reader: BinaryIO = io.BytesIO(TEXT_FILE)
    assert inspect(reader, TEXT, Limits()) == TEXT
