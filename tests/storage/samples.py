"""Small files of every kind that is kept, and of kinds that are not."""

import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Mapping

DOCX_PARTS = {
    "[Content_Types].xml": b"<Types/>",
    "_rels/.rels": b"<Relationships/>",
    "word/document.xml": "<w:document>Kính gửi</w:document>".encode(),
}
XLSX_PARTS = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}

_ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "ha">{_ENTITIES}]><d>&l9;</d>'.encode()
"""A document of a kilobyte that entities make into two billion letters."""

FOREIGN_ENTITY = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'

PDF_FILE = b"%PDF-1.7\n1 0 obj <<>> endobj\nstartxref\n9\n%%EOF\n"
TEXT_FILE = "Danh sách đoàn\r\n1. Sato Keiko\r\n".encode()


def png(width: int = 20, height: int = 10) -> bytes:
    """Return a PNG that says it has this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def jpeg(width: int = 20, height: int = 10) -> bytes:
    """Return the segments of a JPEG that says it has this size; an application segment comes first."""
    application = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00" + bytes(9)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8" + application + b"\xff" + frame + b"\xff\xda\x00\x02\xff\xd9"


def archive(parts: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return buffer.getvalue()


async def in_pieces(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """Yield content as a server would hand it over."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
