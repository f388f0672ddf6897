"""Tables as people send them, CSV or XLSX, read into rows of text: a cell stays text, whatever it begins with."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook

from storage.media_types import XLSX, AttachmentRefused, Limits, inspect, media_type_of
from storage.workbook import MOST_COLUMNS, MOST_ROWS, SpreadsheetRefused, measure

LARGEST_FILE = 5 * 1024 * 1024
UNPACKED = Limits(size=LARGEST_FILE, unpacked=40 * 1024 * 1024, entries=500)
SEPARATORS = (",", ";", "\t")

VIETNAMESE = frozenset("àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ")
PUNCTUATION = frozenset("“”‘’–—…€«»°·•§©®™\u00a0")
TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")

Cell = str | int | float | bool | date | datetime | time | timedelta


@dataclass(frozen=True)
class Row:
    """A row that is not blank: the line it begins on in the file, from 1, and its cells from the first column on."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A table: how its text was encoded, what separates it (empty for a workbook), and its rows, the header first."""

    encoding: str
    separator: str
    rows: tuple[Row, ...]


def read_sheet(content: bytes) -> Sheet:
    """Return the rows of a CSV file or of a workbook's first sheet; raises SpreadsheetRefused and AttachmentRefused.

    CSV: UTF-8 with or without mark, UTF-16 with mark, or Windows-1258 if every letter in it is Vietnamese; comma,
    semicolon or tab. XLSX: a formula is the value that was saved with it. Pure and slow: call it in a thread.
    """
    if not content:
        raise SpreadsheetRefused("spreadsheet_empty")
    if len(content) > LARGEST_FILE:
        raise SpreadsheetRefused("spreadsheet_too_large", limit=LARGEST_FILE)
    match media_type_of(content[:16]):
        case "application/zip":
            sheet = _workbook(content)
        case "text/plain":
            sheet = _text_table(content)
        case _:
            raise SpreadsheetRefused("spreadsheet_type_unknown")
    if not sheet.rows:
        raise SpreadsheetRefused("spreadsheet_empty")
    if len(sheet.rows) > MOST_ROWS + 1:
        raise SpreadsheetRefused("spreadsheet_too_many_rows", limit=MOST_ROWS)
    if any(len(row.cells) > MOST_COLUMNS for row in sheet.rows):
        raise SpreadsheetRefused("spreadsheet_too_many_columns", limit=MOST_COLUMNS)
    return sheet


def column_name(place: int) -> str:
    """Return the letters of a column, counted from 0: A, B, … Z, AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _text_table(content: bytes) -> Sheet:
    text, encoding = _decoded(content)
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[Row] = []
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(Row(begins, _trimmed(cells)))
            if len(rows) > MOST_ROWS + 1:
                break
            begins = reader.line_num + 1
    except csv.Error:
        raise SpreadsheetRefused("spreadsheet_malformed", line=begins) from None
    return Sheet(encoding, separator, tuple(rows))


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            text = _strictly(content, encoding)
            break
    else:
        text, encoding = _strictly(content, "utf-8"), "utf-8"
        if text is None:
            text, encoding = _windows_1258(content), "windows-1258"
    if text is None or "\x00" in text:
        raise SpreadsheetRefused("spreadsheet_encoding_unknown")
    return text, encoding.removesuffix("-sig")


def _strictly(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _windows_1258(content: bytes) -> str | None:
    """Return the text if these can be the bytes of Vietnamese in Windows-1258, else None.

    Nearly all bytes mean something in every code page. So there has to be a tone mark of its own, as only this page
    has them, each has to stand on a vowel that takes it, and each letter beyond ASCII has to be one of Vietnamese.
    Other languages' code pages, VNI and TCVN3 do not pass.
    """
    text = _strictly(content, "cp1258")
    if text is None or TONES.isdisjoint(text):
        return None
    composed = unicodedata.normalize("NFC", text)
    beyond = {letter for letter in composed if not letter.isascii()}
    return composed if all(letter.lower() in VIETNAMESE or letter in PUNCTUATION for letter in beyond) else None


def _separator(text: str) -> str:
    """Return what separates the header's cells: what stands most often outside quotes in the first line with text."""
    first = next((line for line in re.split(r"\r\n|\r|\n", text) if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(SEPARATORS, key=bare.count)


def _workbook(content: bytes) -> Sheet:
    if inspect(io.BytesIO(content), "application/zip", UNPACKED) != XLSX:
        raise SpreadsheetRefused("spreadsheet_type_unknown")
    measure(content)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            found = book.get_sheet_by_index(0).to_python(skip_empty_area=False, nrows=MOST_ROWS + 2)
    except (CalamineError, OSError, ValueError, IndexError):
        raise _malformed() from None
    rows = ((number, _trimmed([_written(cell) for cell in cells])) for number, cells in enumerate(found, start=1))
    return Sheet("xlsx", "", tuple(Row(number, cells) for number, cells in rows if any(cells)))


def _malformed() -> AttachmentRefused:
    return AttachmentRefused("attachment_malformed", "the office document cannot be read")


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    kept = [cell.strip() for cell in cells]
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _written(cell: Cell) -> str:
    """Return a cell's value as text: a whole number without a point, a day as 2026-04-11."""
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 2**53:
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell)
