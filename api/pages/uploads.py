"""Files in forms: streamed into the register as they come, never held in memory, and kept only for who may keep them.

A file becomes a value of its field, `DIGEST SIZE TYPE NAME`: it travels through errors and a reload as text does, and
nobody has to choose it twice. What no command then names is swept by the register like every other file.
"""

import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from fastapi import Request
from pydantic import ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.access import ALLOWED, LARGEST_BODY
from api.attachments import SENTENCES
from api.installation import Installation, installation_of
from api.pages.typed import Typed
from api.problems import Problem
from domain.values import BIDIRECTIONAL_CONTROLS, AttachmentRef
from locales import mark
from storage.media_types import AttachmentRefused
from storage.spreadsheet import LARGEST_FILE

MULTIPART = "multipart/form-data"

UPLOADS: Mapping[str, frozenset[str]] = {
    "attach_document_by_page": frozenset({"attachment"}),
    "send_act_by_page": frozenset({"letter", "document"}),
    "file_report_by_page": frozenset({"annexes"}),
}
"""The routes whose forms bring files, by the name of their function, with the fields that files stand in."""

TABLES: Mapping[str, str] = {"send_table_by_page": "table"}
"""The routes whose form brings a table, with its field: read whole, since it is small, for the route alone."""

MOST_FILES = 20
"""Files of one form."""

LONGEST_FILE_NAME = 120
KEPT = re.compile(
    r"^(?P<digest>[0-9a-f]{64}) (?P<size>[0-9]{1,13}) (?P<media_type>[a-z]+/[a-z0-9.+-]{1,90})(?: (?P<name>.*))?$"
)

TOO_MANY = "too_many_files"
REFUSED = SENTENCES | {TOO_MANY: mark("At most %(most)s files are taken at once.")}
"""What a person reads of a file that was not kept."""


@dataclass(frozen=True)
class Kept:
    """A file that the register has, and what it was called on the device that sent it: for the reader alone."""

    file: AttachmentRef
    name: str

    @classmethod
    def read(cls, value: str) -> Self | None:
        """Return the file that a field's value names, or None where it names none."""
        found = KEPT.fullmatch(value)
        if found is None:
            return None
        try:
            reference = AttachmentRef(digest=found["digest"], media_type=found["media_type"], size=int(found["size"]))
        except ValidationError:
            return None
        return cls(reference, shown_name(found["name"] or ""))

    @property
    def value(self) -> str:
        """What the field holds."""
        return f"{self.file.digest} {self.file.size} {self.file.media_type} {self.name}".rstrip()


def shown_name(name: str) -> str:
    """Return a file's name as it is shown: its last part, without what would end a line or turn the reading."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(
        one
        for one in last
        if unicodedata.category(one) not in ("Cc", "Cs", "Zl", "Zp") and one not in BIDIRECTIONAL_CONTROLS
    )
    return unicodedata.normalize("NFC", plain).strip()[:LONGEST_FILE_NAME]


def room_of(route: str, at: Installation) -> int:
    """Return how many bytes a form of a route may have.

    There is room for a few of the largest files: one that is too large is refused in words, and nothing typed is lost.
    """
    largest = at.attachments.limits.size if route in UPLOADS else LARGEST_FILE if route in TABLES else 0
    return LARGEST_BODY + 4 * largest


@dataclass(frozen=True)
class SentTable:
    """A file that a form brought, and what it was called; of one that is too large a little more than may be."""

    name: str
    content: bytes


async def received(request: Request, route: str, may_keep: Callable[[Typed], bool]) -> Typed:
    """Read a form with files: its fields, each file as the value of its field.

    `may_keep` is asked with the fields that came before the first file: the token stands before every field. Where it
    says no, files are read and dropped. What the register refused is in `request.state.files_refused`: (field, code).
    A table (TABLES) is kept nowhere: it is `request.state.table`, a SentTable, for the route to do with as it will.
    Problem `body_malformed` for what is no such form.
    """
    at, fields = installation_of(request), UPLOADS.get(route) or {TABLES[route]}
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != MULTIPART.encode() or not options.get(b"boundary"):
        raise Problem("body_malformed")
    pairs: list[tuple[str, str]] = []
    refused: list[tuple[str, str]] = []
    allowed: bool | None = None
    files = 0
    try:
        parts = _Parts(request, options[b"boundary"])
        async for part in parts:
            if part.filename is None:
                pairs.append((part.name, (await part.text()).decode("utf-8")))
                continue
            if part.name not in fields:
                raise Problem("body_malformed")
            if allowed is None:
                allowed = may_keep(Typed(pairs))
            files += 1
            if allowed and route in TABLES:
                content = await part.first(LARGEST_FILE + 1)
                if content or part.filename:
                    request.state.table = SentTable(shown_name(part.filename), content)
            elif allowed and files <= MOST_FILES:
                try:
                    kept = await at.attachments.store(part.pieces())
                    pairs.append((part.name, Kept(kept, shown_name(part.filename)).value))
                except AttachmentRefused as no:
                    # Where nothing was chosen, browsers send an empty file without a name.
                    if part.filename or no.code != "attachment_empty":
                        refused.append((part.name, no.code))
            elif allowed:
                refused.append((part.name, TOO_MANY))
            await part.drop()
    except (FormParserError, ValueError):
        raise Problem("body_malformed") from None
    request.state.files_refused = tuple(refused)
    return Typed(pairs)


def may_store(roles: tuple[str, ...]) -> bool:
    """Return whether somebody with these roles may keep files."""
    return not set(roles).isdisjoint(ALLOWED["store_attachment"])


class _Part:
    """One part of a form. `filename` is None for a field that is no file."""

    def __init__(self, parts: "_Parts", headers: Mapping[str, str]) -> None:
        disposition, options = parse_options_header(headers.get("content-disposition", ""))
        if disposition != b"form-data" or b"name" not in options:
            raise ValueError("a part without a name")
        self.name = options[b"name"].decode("utf-8")
        self.filename = options[b"filename"].decode("utf-8") if b"filename" in options else None
        self._parts = parts

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the part."""
        while (piece := await self._parts.data()) is not None:
            yield piece

    async def text(self) -> bytes:
        """Return the bytes of a field; all fields of a form together have room for LARGEST_BODY."""
        found = bytearray()
        async for piece in self.pieces():
            self._parts.typed += len(piece)
            if self._parts.typed > LARGEST_BODY:
                raise Problem("body_too_large")
            found += piece
        return bytes(found)

    async def first(self, most: int) -> bytes:
        """Return the part's first bytes, at most so many."""
        found = bytearray()
        async for piece in self.pieces():
            found += piece[: most - len(found)]
        return bytes(found)

    async def drop(self) -> None:
        """Read on to the end of the part."""
        async for _ in self.pieces():
            pass


class _Parts:
    """The parts of a form in their order; each has to be read to its end before the next one."""

    def __init__(self, request: Request, boundary: bytes) -> None:
        self.typed = self._fields = 0
        self._chunks = request.stream()
        self._events: list[tuple[str, Any]] = []
        self._headers: dict[str, str] = {}
        self._field, self._value = b"", b""
        self._ended = False
        told = ("header_field", "header_value", "header_end", "headers_finished", "part_data", "part_end", "end")
        self._parser = MultipartParser(boundary, {f"on_{name}": getattr(self, f"_{name}") for name in told})  # type: ignore[arg-type]

    def __aiter__(self) -> AsyncIterator[_Part]:
        return self._each()

    async def _each(self) -> AsyncIterator[_Part]:
        # Imported here: the guard itself reads forms by this module.
        from api.pages.route import LARGEST_FORM

        while (event := await self._next()) is not None:
            kind, content = event
            if kind == "begin":
                self._fields += 1
                if self._fields > LARGEST_FORM:
                    raise ValueError("too many fields")
                yield _Part(self, content)
        if not self._ended:
            raise ValueError("the form was cut off")

    async def data(self) -> bytes | None:
        """Return the next bytes of the part that is read, or None at its end."""
        if not self._events and (await self._fill()) is False:
            raise ValueError("the form was cut off")
        kind, content = self._events.pop(0)
        if kind == "data":
            return bytes(content)
        if kind == "over":
            # The end is told again to whoever asks again.
            self._events.insert(0, (kind, content))
        return None

    async def _next(self) -> tuple[str, Any] | None:
        while self._events or await self._fill():
            event = self._events.pop(0)
            if event[0] != "over":
                return event
        return None

    async def _fill(self) -> bool:
        while not self._events:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                return False
            if chunk:
                self._parser.write(chunk)
        return True

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._field, self._value = b"", b""

    def _headers_finished(self) -> None:
        self._events.append(("begin", self._headers))
        self._headers = {}

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(("data", data[start:end]))

    def _part_end(self) -> None:
        self._events.append(("over", None))

    def _end(self) -> None:
        self._ended = True
