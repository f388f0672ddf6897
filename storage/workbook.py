"""A workbook is measured before a reader sees it.

Counted are what each part really unpacks to, how far cells reach, and how much text they repeat: so neither a bomb nor
two cells at the far ends of a sheet nor one long text in every cell cost memory.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from xml.parsers import expat

from storage.media_types import AttachmentRefused

MOST_ROWS = 5_000
"""Rows below the header."""

MOST_COLUMNS = 50
LONGEST_TEXT = 20_000_000
"""Characters in all cells together."""


class SpreadsheetRefused(ValueError):
    """A file that cannot be read as a table.

    `code` is one of spreadsheet_empty, spreadsheet_too_large, spreadsheet_type_unknown, spreadsheet_encoding_unknown,
    spreadsheet_malformed, spreadsheet_too_many_rows, spreadsheet_too_many_columns, spreadsheet_header_unknown,
    spreadsheet_column_repeated, spreadsheet_column_missing; `params` are for its sentence.
    An office document that is dangerous is refused with AttachmentRefused.
    """

    def __init__(self, code: str, **params: int | str) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def measure(content: bytes) -> None:
    """Refuse a workbook whose parts unpack to more than they say, or whose cells reach or repeat too far."""
    too_large = AttachmentRefused("attachment_unpacks_too_large", "the file unpacks to more than is read")
    shared: list[int] = []
    parts: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if _unpacked_size(content, entry) != entry.file_size:
                raise too_large
            if not entry.filename.lower().endswith((".xml", ".rels")):
                continue
            try:
                parts[entry.filename] = archive.read(entry)
            except (zipfile.BadZipFile, zlib.error, EOFError):
                raise _malformed() from None
    # The reader follows the workbook's own word for where a sheet is, whatever that part is called.
    if any(not target.lower().endswith(".xml") for target in _sheet_targets(parts)):
        raise _malformed()
    for name, part in sorted(parts.items(), key=lambda one: not one[0].lower().endswith("sharedstrings.xml")):
        reach = _Reach(shared)
        reach.read(part)
        if reach.last_row > MOST_ROWS + 1:
            raise SpreadsheetRefused("spreadsheet_too_many_rows", limit=MOST_ROWS)
        if reach.last_column > MOST_COLUMNS:
            raise SpreadsheetRefused("spreadsheet_too_many_columns", limit=MOST_COLUMNS)
        if reach.text > LONGEST_TEXT:
            raise too_large
        if name.lower().endswith("sharedstrings.xml"):
            shared += reach.strings


def _unpacked_size(content: bytes, entry: zipfile.ZipInfo) -> int:
    """Return how many bytes a part unpacks to, counted up to one more than it says."""
    start = entry.header_offset
    header = content[start : start + 30]
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise _malformed()
    names, extra = struct.unpack("<HH", header[26:30])
    packed = content[start + 30 + names + extra :][: entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        return len(packed)
    unpacker, size, rest = zlib.decompressobj(-15), 0, packed
    try:
        while rest and not unpacker.eof and size <= entry.file_size:
            size += len(unpacker.decompress(rest, 1 << 20))
            rest = unpacker.unconsumed_tail
    except zlib.error:
        raise _malformed() from None
    return size


def _sheet_targets(parts: dict[str, bytes]) -> Iterator[str]:
    found: list[str] = []

    def begins(_name: str, attributes: dict[str, str]) -> None:
        if attributes.get("Type", "").endswith("/worksheet"):
            found.append(attributes.get("Target", ""))

    for name, part in parts.items():
        if name.lower().endswith(".rels"):
            _parse(part, begins)
    yield from found


def _parse(
    part: bytes,
    begins: Callable[[str, dict[str, str]], None],
    ends: Callable[[str], None] | None = None,
    says: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = begins
    parser.EndElementHandler = ends
    parser.CharacterDataHandler = says
    parser.buffer_text = True
    try:
        parser.Parse(part, True)
    except expat.ExpatError:
        raise _malformed() from None


class _Reach:
    """How far the cells of a part reach, counted from 1, and how much text they hold, shared strings repeated."""

    def __init__(self, shared: Sequence[int]) -> None:
        self.last_row = self.last_column = self.text = 0
        self.strings: list[int] = []
        self._shared = shared
        self._row = self._column = 0
        self._is_shared = self._in_value = False
        self._said = ""
        self._string: int | None = None

    def read(self, part: bytes) -> None:
        """Read a part once; refuses what is no XML."""
        _parse(part, self._begins, self._ends, self._says)

    def _begins(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "si":
                self._string = 0
            case "row":
                self._row = _number(attributes.get("r"), self._row + 1)
                self._column = 0
            case "c":
                letters, digits = _place(attributes.get("r", ""))
                self._column = letters or self._column + 1
                self._row = digits or self._row
                self._is_shared = attributes.get("t") == "s"
                self.last_row = max(self.last_row, self._row)
                self.last_column = max(self.last_column, self._column)
            case "v":
                self._in_value, self._said = True, ""

    def _says(self, text: str) -> None:
        self.text += len(text)
        if self._string is not None:
            self._string += len(text)
        if self._in_value and len(self._said) < 20:
            self._said += text[:20]

    def _ends(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "si":
                self.strings.append(self._string or 0)
                self._string = None
            case "v":
                self._in_value = False
                which = _number(self._said, -1) if self._is_shared else -1
                if 0 <= which < len(self._shared):
                    self.text += self._shared[which]


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _place(reference: str) -> tuple[int, int]:
    """Return column and row, from 1, of a cell's reference such as B12; 0 for what it does not say."""
    found = re.fullmatch(r"\$?([A-Za-z]{1,4})\$?([0-9]{1,9})", reference)
    if found is None:
        return 0, 0
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column, int(found[2])


def _malformed() -> AttachmentRefused:
    return AttachmentRefused("attachment_malformed", "the office document cannot be read")
