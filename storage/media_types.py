"""What an uploaded file really is, by its bytes and not by its name, and whether it may be kept.

Nothing is unpacked: of an archive only the directory and the first bytes of each entry are read, of a picture only its
dimensions. So a bomb costs no memory, and what is kept cannot be one for a program that opens it later.
"""

import codecs
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat

from storage.keyring import CiphertextDamaged

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
TEXT = "text/plain"
ZIP = "application/zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

MAGIC = ((b"%PDF-", PDF), (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG), (b"PK\x03\x04", ZIP))
PARTS_OF = ((DOCX, "word/document.xml"), (XLSX, "xl/workbook.xml"))

ARCHIVES_INSIDE = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"Rar!")
TEXT_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f")

XML_PARTS = (".xml", ".rels", ".vml")
PROLOG_REACH = 64 * 1024
"""Bytes within which the root element of a part has to begin."""

END_RECORD_REACH = 22 + 65_535
LARGEST_DIRECTORY = 1024 * 1024

SNIFFED = 16
"""Bytes that suffice to recognise a type."""


@dataclass(frozen=True)
class Limits:
    """How large an attachment may be: bytes as sent, bytes and entries inside an office document, pixels."""

    size: int = 25 * 1024 * 1024
    unpacked: int = 200 * 1024 * 1024
    entries: int = 2_000
    pixels: int = 100_000_000


class AttachmentRefused(ValueError):
    """A file that is not kept.

    `code` is one of attachment_empty, attachment_too_large, attachment_type_unknown, attachment_type_mismatch,
    attachment_malformed, attachment_unpacks_too_large, attachment_has_archive, attachment_has_path,
    attachment_has_macros, attachment_has_declarations, attachment_encrypted, attachment_picture_too_large,
    attachment_erased.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def media_type_of(head: bytes) -> str:
    """Return the type that the first bytes show, TEXT when they show none; an office document counts as ZIP here."""
    return next((kind for magic, kind in MAGIC if head.startswith(magic)), TEXT)


class PlainText:
    """Checks a stream for being UTF-8 text, piece by piece."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def take(self, piece: bytes, *, last: bool = False) -> None:
        """Check the next piece; raises AttachmentRefused."""
        if not TEXT_CONTROLS.isdisjoint(piece):
            raise AttachmentRefused("attachment_type_unknown", "the file is of no type that is kept")
        try:
            self._decoder.decode(piece, last)
        except UnicodeDecodeError:
            raise AttachmentRefused("attachment_type_unknown", "the file is of no type that is kept") from None


def inspect(content: BinaryIO, kind: str, limits: Limits) -> str:
    """Return the final type of a whole, seekable file; raises AttachmentRefused when it is broken or dangerous."""
    match kind:
        case "application/zip":
            return _office_document(content, limits)
        case "image/png":
            _measure(_png_dimensions(content), limits)
        case "image/jpeg":
            _measure(_jpeg_dimensions(content), limits)
        case "application/pdf":
            content.seek(max(0, content.seek(0, io.SEEK_END) - 2048))
            if b"%%EOF" not in content.read():
                raise _malformed("the PDF has no end; it was probably cut")
    return kind


def _malformed(reason: str) -> AttachmentRefused:
    return AttachmentRefused("attachment_malformed", reason)


def _office_document(content: BinaryIO, limits: Limits) -> str:
    try:
        _check_directory_size(content)
        with zipfile.ZipFile(content) as archive:
            entries = archive.infolist()
            _check_directory(entries, limits)
            for entry in entries:
                if not entry.is_dir():
                    with archive.open(entry) as part:
                        head = part.read(PROLOG_REACH if entry.filename.lower().endswith(XML_PARTS) else 6)
                        if head.startswith(ARCHIVES_INSIDE):
                            raise AttachmentRefused("attachment_has_archive", "the file holds another archive")
                        if entry.filename.lower().endswith(XML_PARTS):
                            _check_prolog(head)
    except (AttachmentRefused, CiphertextDamaged):
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, expat.ExpatError):
        # The reader of the standard library has many ways to say that an archive is broken.
        raise _malformed("the office document cannot be read") from None
    names = {entry.filename for entry in entries}
    kind = next((kind for kind, part in PARTS_OF if part in names), None)
    if kind is None or "[Content_Types].xml" not in names:
        raise AttachmentRefused("attachment_type_unknown", "archives are not kept, of office documents DOCX and XLSX")
    return kind


class _RootReached(Exception):
    """The prolog is over, and it declared nothing."""


def _check_prolog(head: bytes) -> None:
    """Refuse a part that declares a document type, before anything it declares is read.

    Office documents have none (ECMA-376 part 2, section 8.1.4); entities that grow or reach for other files need one.
    """

    def declares(*_: object) -> None:
        raise AttachmentRefused("attachment_has_declarations", "a part of the file declares a document type")

    def begins(*_: object) -> None:
        raise _RootReached

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = declares
    parser.StartElementHandler = begins
    try:
        parser.Parse(head, False)
    except _RootReached:
        return
    raise _malformed("a part of the office document does not begin")


def _check_directory_size(content: BinaryIO) -> None:
    """Look at the end record (APPNOTE 6.3.10, section 4.3.16) before anything reads the directory into memory."""
    content.seek(max(0, content.seek(0, io.SEEK_END) - END_RECORD_REACH))
    tail = content.read()
    start = tail.rfind(b"PK\x05\x06")
    if start < 0 or len(tail) - start < 22:
        raise _malformed("the office document has no directory")
    if tail[start - 20 : start - 16] == b"PK\x06\x07":
        # A 64-bit end record would be believed instead of this one. No file that is kept is large enough to need it.
        raise _malformed("the office document has a 64-bit directory")
    (size,) = struct.unpack("<I", tail[start + 12 : start + 16])
    if size > LARGEST_DIRECTORY:
        raise AttachmentRefused("attachment_unpacks_too_large", "the directory of the file is too large")


def _check_directory(entries: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(entries) > limits.entries:
        raise AttachmentRefused("attachment_unpacks_too_large", f"the file has more than {limits.entries} parts")
    if sum(entry.file_size for entry in entries) > limits.unpacked:
        raise AttachmentRefused("attachment_unpacks_too_large", f"the file unpacks to over {limits.unpacked} bytes")
    for entry in entries:
        name = entry.filename
        if not name:
            raise _malformed("a part of the office document has no name")
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise AttachmentRefused("attachment_has_path", "a part of the file has a path out of it")
        if name.rpartition("/")[2].lower() == "vbaproject.bin":
            raise AttachmentRefused("attachment_has_macros", "the file has macros")
        if entry.flag_bits & 0x1:
            raise AttachmentRefused("attachment_encrypted", "a part of the file is encrypted")
        # Other methods take their memory from the file's own word; office documents use only these two.
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _malformed("a part of the office document is packed in an unusual way")


def _measure(dimensions: tuple[int, int], limits: Limits) -> None:
    width, height = dimensions
    if width < 1 or height < 1:
        raise _malformed("the picture has no size")
    if width * height > limits.pixels:
        raise AttachmentRefused("attachment_picture_too_large", f"the picture has more than {limits.pixels} pixels")


def _png_dimensions(content: BinaryIO) -> tuple[int, int]:
    """The first chunk, IHDR (PNG specification, section 11.2.1)."""
    content.seek(0)
    head = content.read(24)
    if len(head) < 24 or head[12:16] != b"IHDR":
        raise _malformed("the PNG has no header")
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _jpeg_dimensions(content: BinaryIO) -> tuple[int, int]:
    """The first start-of-frame segment (ITU-T T.81, section B.2.2)."""
    content.seek(2)
    while True:
        marker = content.read(2)
        while marker == b"\xff\xff":
            marker = b"\xff" + content.read(1)
        if len(marker) < 2 or marker[0] != 0xFF or marker[1] in (0xD9, 0xDA):
            raise _malformed("the JPEG has no frame")
        if marker[1] == 0x01 or 0xD0 <= marker[1] <= 0xD8:
            continue
        head = content.read(2)
        if len(head) < 2 or (length := int.from_bytes(head, "big")) < 2:
            raise _malformed("the JPEG is cut")
        if 0xC0 <= marker[1] <= 0xCF and marker[1] not in (0xC4, 0xC8, 0xCC):
            frame = content.read(5)
            if len(frame) < 5:
                raise _malformed("the JPEG is cut")
            height, width = struct.unpack(">xHH", frame)
            return width, height
        content.seek(length - 2, io.SEEK_CUR)
