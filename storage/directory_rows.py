"""Rows of a table as entries of the directory: each one checked by itself, every mistake named by its cell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from domain.directory import ENTRY_TAGS, ORGANISATION, HostEntry, PartnerEntry
from domain.folding import folded
from domain.values import business_text
from storage.persons import PersonDetails, known_country
from storage.spreadsheet import Row, Sheet, column_name
from storage.workbook import SpreadsheetRefused

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "kind": ("kind", "loại"),
    "name": ("name", "tên"),
    "other_names": ("other names", "other_names", "tên khác"),
    "country": ("country", "nước", "quốc gia"),
    "nature": ("nature", "loại hình"),
    "place": ("place", "nơi", "địa điểm"),
    "web": ("web", "website", "trang web"),
    "organisation": ("organisation", "organization", "đơn vị", "cơ quan", "tổ chức"),
    "full_name": ("full name", "full_name", "họ và tên", "họ tên"),
    "given_name": ("given name", "given_name", "tên gọi"),
    "honorific": ("honorific", "xưng hô", "danh xưng"),
    "email": ("email", "e-mail", "thư điện tử"),
    "language": ("language", "ngôn ngữ"),
    "nationality": ("nationality", "quốc tịch"),
    "phone": ("phone", "telephone", "điện thoại"),
    "function": ("function", "chức danh"),
}
"""The fields that a table may have, each with the headings it is known by; case and diacritics do not matter."""

KINDS: Mapping[str, str] = {
    "doi tac": "partner",
    "don vi don tiep": "host",
    "dau moi": "contact",
    "nguoi lien he": "contact",
}
"""Vietnamese words for kinds, folded."""

NAMES_APART = "|"
"""What stands between several other names in one cell."""

_FIELD_OF = {folded(heading): name for name, headings in COLUMNS.items() for heading in headings}


@dataclass(frozen=True)
class RowProblem:
    """What is wrong in a row: its line, the column's letters (empty if it has none), the field and the rule's code.

    `context` has the rule's own numbers and words; never what stands in the cell.
    """

    line: int
    column: str
    field: str
    code: str
    context: Mapping[str, Any]


@dataclass(frozen=True)
class OrganisationRow:
    """A row that is a partner or host."""

    line: int
    entry: PartnerEntry | HostEntry


@dataclass(frozen=True)
class ContactRow:
    """A row that is a contact. `organisation` is the id of an entry, or a name that some entry goes by."""

    line: int
    organisation: str
    organisation_column: str
    details: PersonDetails


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be an entry, and why."""

    line: int
    problems: tuple[RowProblem, ...]


DirectoryRow = OrganisationRow | ContactRow | BadRow


class _Contact(PersonDetails):
    kind: Literal["contact"]
    organisation: Annotated[str, Field(max_length=300), AfterValidator(business_text)]


def read_rows(sheet: Sheet) -> list[DirectoryRow]:
    """Return what each row below the header is; raises SpreadsheetRefused when the header cannot be understood."""
    columns = _columns(sheet.rows[0])
    return [_read(row, columns) for row in sheet.rows[1:]]


def _columns(header: Row) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, heading in enumerate(header.cells):
        if not heading.strip():
            continue
        known = _FIELD_OF.get(folded(heading))
        if known is None:
            raise SpreadsheetRefused("spreadsheet_header_unknown", column=column_name(place))
        if known in found.values():
            raise SpreadsheetRefused("spreadsheet_column_repeated", column=column_name(place))
        found[place] = known
    if "kind" not in found.values():
        raise SpreadsheetRefused("spreadsheet_column_missing", heading="kind")
    return found


def _read(row: Row, columns: Mapping[int, str]) -> DirectoryRow:
    letters = {name: column_name(place) for place, name in columns.items()}
    filled = {place: cell.strip() for place, cell in enumerate(row.cells) if cell.strip()}
    beyond = [place for place in filled if place not in columns]
    if beyond:
        return _bad(row.line, *((column_name(place), "", "cell_without_heading") for place in beyond))
    content: dict[str, Any] = {columns[place]: cell for place, cell in filled.items()}
    if "kind" in content:
        content["kind"] = KINDS.get(folded(content["kind"]), content["kind"].casefold())
    if "other_names" in content:
        names = (name.strip() for name in content["other_names"].split(NAMES_APART))
        content["other_names"] = [name for name in names if name]
    try:
        if content.get("kind") == "contact":
            contact = _Contact.model_validate(content)
            details = PersonDetails.model_validate(contact.model_dump(exclude={"kind", "organisation"}))
            return ContactRow(row.line, contact.organisation, letters["organisation"], details)
        entry = ORGANISATION.validate_python(content)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        return BadRow(row.line, tuple(_problem(row.line, letters, error) for error in errors))
    except PydanticCustomError as unknown:
        return _bad(row.line, (letters["kind"], "kind", unknown.type))
    try:
        known_country(entry.country)
    except PydanticCustomError as unknown:
        return _bad(row.line, (letters.get("country", ""), "country", unknown.type))
    return OrganisationRow(row.line, entry)


def _bad(line: int, *problems: tuple[str, str, str]) -> BadRow:
    return BadRow(line, tuple(RowProblem(line, column, name, code, {}) for column, name, code in problems))


def _problem(line: int, letters: Mapping[str, str], error: Mapping[str, Any]) -> RowProblem:
    path = [part for part in error["loc"] if part not in ENTRY_TAGS]
    name = str(path[0]) if path else ""
    context = {key: value for key, value in (error.get("ctx") or {}).items() if isinstance(value, int | str)}
    return RowProblem(line, letters.get(name, ""), name, str(error["type"]), context)
