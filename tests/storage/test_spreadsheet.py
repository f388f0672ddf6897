"""Tables of any bytes: read honestly as text, or refused by a code; never a crash, never much memory."""

import time
import tracemalloc
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage.directory_rows import read_rows
from storage.media_types import AttachmentRefused
from storage.spreadsheet import column_name, read_sheet
from storage.workbook import MOST_ROWS, SpreadsheetRefused
from tests.storage.samples import DOCX_PARTS, archive, png
from tests.storage.tables import REPEATED, csv_text, far, hidden, lying, sheet_of, windows_1258, workbook

VIETNAMESE = "Hội Hữu nghị Việt Nam – Đức; đặc phái viên ở Thừa Thiên Huế, ngõ Tạm Thương: ẳẵậễỡự ỲỴ"
ROWS = [["kind", "name"], ["partner", VIETNAMESE], ["host", "=cmd()|'/c calc'!A0"]]


def cells(content: bytes) -> list[list[str]]:
    """Every row's cells."""
    return [list(row.cells) for row in read_sheet(content).rows]


def refusal(content: bytes) -> str:
    """The code that a file is refused with."""
    with pytest.raises((SpreadsheetRefused, AttachmentRefused)) as refused:
        read_sheet(content)
    assert isinstance(refused.value, SpreadsheetRefused | AttachmentRefused)
    return refused.value.code


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("utf-8", lambda text: text.encode()),
        ("utf-8", lambda text: text.encode("utf-8-sig")),
        ("utf-16", lambda text: text.encode("utf-16")),
        ("utf-16", lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
        ("windows-1258", windows_1258),
    ],
    ids=["UTF-8", "UTF-8 with mark", "UTF-16 LE", "UTF-16 BE", "Windows-1258"],
)
def test_a_table_is_read_in_each_encoding_and_with_each_separator(
    separator: str, encoding: str, encode: Callable[[str], bytes]
) -> None:
    """And says how it was read. A cell that looks like a formula is that text."""
    sheet = read_sheet(encode(csv_text(ROWS, separator)))
    assert (sheet.encoding, sheet.separator) == (encoding, separator)
    assert [list(row.cells) for row in sheet.rows] == ROWS


@pytest.mark.parametrize(
    "content",
    [
        "kind,name\nhost,Hội".encode("utf-16-le"),
        "kind,name\npartner,Łódź".encode("cp1250"),
        "kind,name\npartner,Общество".encode("cp1251"),
        "kind,name\npartner,Ñandú".encode("cp1252"),
        b"kind,name\npartner,\xa7o\xb5n Hu\xd5",
        "kind,name\npartner,Müller".encode("cp1252"),
        "kind,name\npartner,São".encode("cp1252"),
        b"kind,name\npartner,\x81\x8d",
        b"\xff\xfe\x00\xd8",
        b"kind,name\npartner,a\x00b",
    ],
    ids=[
        "UTF-16 without mark",
        "1250",
        "1251",
        "1252 Spanish",
        "TCVN3",
        "1252 German",
        "1252 Portuguese",
        "no code page",
        "half a surrogate",
        "NUL",
    ],
)
def test_text_of_which_nobody_can_tell_the_encoding_is_refused(content: bytes) -> None:
    """Rather than turned into something else."""
    assert refusal(content) == "spreadsheet_encoding_unknown"


def test_a_row_is_named_by_the_line_it_begins_on() -> None:
    """Blank rows and rows of several lines do not shift the count."""
    sheet = read_sheet(b'kind,name\n\n"partner","two\nlines"\n,\nhost,x\n')
    assert [(row.line, row.cells) for row in sheet.rows] == [
        (1, ("kind", "name")),
        (3, ("partner", "two\nlines")),
        (6, ("host", "x")),
    ]
    assert [column_name(place) for place in (0, 25, 26, 49)] == ["A", "Z", "AA", "AX"]


def test_a_workbook_gives_values_as_text() -> None:
    """A formula is the value saved with it; a whole number has no point; a day is written as a day."""
    rows: list[list[object]] = [["kind", "name", 7, 2.5, True, date(2026, 4, 11), "=1+1"], [None], [None, "=cmd()"]]
    sheet = read_sheet(workbook(rows, formulas=True))
    assert [(row.line, row.cells) for row in sheet.rows] == [
        (1, ("kind", "name", "7", "2.5", "TRUE", "2026-04-11", "42")),
        (3, ("", "42")),
    ]
    assert cells(workbook([["kind", "=cmd()"]])) == [["kind", "=cmd()"]]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lambda: b"", "spreadsheet_empty"),
        (lambda: b" \n , \n", "spreadsheet_empty"),
        (lambda: b"kind,name\n" + b"x" * (5 * 1024 * 1024), "spreadsheet_too_large"),
        (lambda: b"kind\n" + b"host\n" * (MOST_ROWS + 1), "spreadsheet_too_many_rows"),
        (lambda: b"kind" + b"," * 60 + b"x", "spreadsheet_too_many_columns"),
        (lambda: b'kind,name\nhost,"Hu', "spreadsheet_malformed"),
        (lambda: b"kind,name\nhost," + b"x" * 200_000, "spreadsheet_malformed"),
        (png, "spreadsheet_type_unknown"),
        (lambda: archive(DOCX_PARTS), "spreadsheet_type_unknown"),
        (lambda: sheet_of(far("A1048576")), "spreadsheet_too_many_rows"),
        (lambda: sheet_of(far("XFD1")), "spreadsheet_too_many_columns"),
        (lambda: sheet_of(REPEATED), "attachment_unpacks_too_large"),
        (lambda: sheet_of("<row>"), "attachment_malformed"),
        (lambda: lying(workbook([["kind", *(letter * 30_000 for letter in "abcd")]])), "attachment_unpacks_too_large"),
        (hidden, "attachment_malformed"),
        (lambda: workbook([["kind", "name"]])[:-40], "attachment_malformed"),
    ],
    ids=["empty", "blank", "6 MB", "5,001 rows", "61 columns", "open quote", "long cell", "PNG", "DOCX", "far row",
         "far column", "one text 4,000 times", "broken XML", "lying sizes", "a sheet that is no XML", "cut"],
)  # fmt: skip
def test_what_is_no_table_is_refused_by_its_code(content: Callable[[], bytes], code: str) -> None:
    """Before it costs anything: under 100 MB and 2 seconds."""
    made = content()
    tracemalloc.start()
    began = time.monotonic()
    assert refusal(made) == code
    seconds, (_, most) = time.monotonic() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100 * 1024 * 1024
    assert seconds < 10  # under the tracer; without it a few hundredths


def utf_16(text: str) -> bytes:
    """Return text with its mark."""
    return text.encode("utf-16")


@given(st.one_of(st.binary(max_size=300), *(st.text(max_size=200).map(encoded) for encoded in (str.encode, utf_16))))
@example(b"kind\nhost")
@example(b"PK\x03\x04")
@settings(max_examples=300, deadline=None)
def test_any_bytes_get_a_clear_answer(content: bytes) -> None:
    """Rows, or a refusal with a code: nothing else comes out."""
    try:
        rows = read_rows(read_sheet(content))
    except (SpreadsheetRefused, AttachmentRefused) as refused:
        code: str | None = refused.code
    else:
        assert all(row.line > 1 for row in rows)
        code = None
    assert code is None or code.startswith(("spreadsheet_", "attachment_"))


ANY_CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\x00'), max_size=20)


@given(st.lists(st.lists(ANY_CELL, min_size=3, max_size=3), max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_cells_under_a_good_header_are_entries_or_named_mistakes(rows: list[list[str]]) -> None:
    """Each row that is not blank has exactly one answer."""
    sheet = read_sheet(csv_text([["kind", "name", "country"], *rows]).encode())
    assert len(read_rows(sheet)) == sum(any(cell.strip() for cell in row) for row in rows)
