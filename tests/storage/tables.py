"""Tables as people send them: CSV in each encoding, and workbooks."""

import io
import unicodedata
from collections.abc import Sequence

import xlsxwriter

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
