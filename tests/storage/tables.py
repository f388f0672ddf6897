"""Tables as people send them: CSV in each encoding, workbooks, and workbooks that are weapons."""

import io
import unicodedata
import zipfile
from collections.abc import Callable, Sequence

import xlsxwriter

from tests.storage.samples import archive

TONES = "\u0300\u0301\u0303\u0309\u0323"


def csv_text(rows: Sequence[Sequence[str]], separator: str = ",") -> str:
    """Return rows as CSV, each cell in quotes."""
    return "".join(separator.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)


def windows_1258(text: str) -> bytes:
    """Return text as Windows programs write it in code page 1258: vowels with their hats, tones after them."""
    written = b""
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(part for part in parts if part in TONES)
        base = unicodedata.normalize("NFC", "".join(part for part in parts if part not in TONES))
        written += (base + tone).encode("cp1258")
    return written


def workbook(rows: Sequence[Sequence[object]], *, formulas: bool = False) -> bytes:
    """Return a workbook with one sheet; with `formulas`, text that begins with = is a formula whose value is 42."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            if formulas and isinstance(value, str) and value.startswith("="):
                sheet.write_formula(number, place, value, None, 42)
            elif hasattr(value, "isoformat"):
                sheet.write_datetime(number, place, value, day)
            elif value is not None:
                sheet.write(number, place, value)
    book.close()
    return buffer.getvalue()


def patched(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return a workbook with one part changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    return archive(parts | {part: change(parts[part])})


def sheet_of(cells_xml: str) -> bytes:
    """Return a workbook whose sheet has these cells, with one shared string of 30,000 letters."""
    plain = workbook([["kind", "x" * 30_000]])
    whole = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"{cells_xml}</sheetData></worksheet>"
    )
    return patched(plain, "xl/worksheets/sheet1.xml", lambda _: whole.encode())


def lying(content: bytes) -> bytes:
    """Return an archive whose directory says of every large part that it unpacks to 70,000 bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sizes = [entry.file_size for entry in book.infolist()]
    changed, start = bytearray(content), 0
    for size in sizes:
        start = content.index(b"PK\x01\x02", start)
        changed[start + 24 : start + 28] = min(size, 70_000).to_bytes(4, "little")
        start += 4
    return bytes(changed)


def far(reference: str) -> str:
    """Return a row with a cell at A1 and one far away."""
    return f'<row r="1"><c r="A1"><v>1</v></c><c r="{reference}"><v>1</v></c></row>'


def hidden() -> bytes:
    """Return a workbook whose sheet is said to be in a part that is no XML."""
    return patched(
        workbook([["kind"]]), "xl/_rels/workbook.xml.rels", lambda part: part.replace(b"sheet1.xml", b"sheet1.bin")
    )


REPEATED = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>1</v></c></row>' for n in range(1, 4_000))
