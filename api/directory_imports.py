"""Tables for the directory: looked at, named row by row, and entered once their preview is accepted.

The body of both requests is the file itself, CSV or XLSX; nothing of it is kept but the rows that are entered.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel

from api.access import BEARER, Actor, GuardedRoute
from api.attachments import SENTENCES as OFFICE_SENTENCES
from api.installation import At, Installation
from api.language import preferred
from api.problems import FieldError, FieldProblem, Problem
from api.violations import field_problems
from domain.directory import EntryId
from domain.duplicates import Reason
from domain.values import Digest
from locales import Translator, mark, translator
from storage.directory_imports import ROW, Imported, Preview, PreviewSuperseded, RowVerdict, Verdict
from storage.directory_rows import RowProblem
from storage.likeness import Likeness
from storage.media_types import AttachmentRefused
from storage.workbook import SpreadsheetRefused

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["directory"])

FILE_SENTENCES = {
    "spreadsheet_empty": mark("The file has no rows."),
    "spreadsheet_too_large": mark("The file is larger than %(limit)s bytes."),
    "spreadsheet_type_unknown": mark("Read are CSV files and XLSX workbooks."),
    "spreadsheet_encoding_unknown": mark(
        "Nobody can tell how the text is encoded: save it as UTF-8, UTF-16 or Windows-1258."
    ),
    "spreadsheet_malformed": mark("The row that begins on line %(line)s cannot be read: quotes do not match."),
    "spreadsheet_too_many_rows": mark("At most %(limit)s rows are read."),
    "spreadsheet_too_many_columns": mark("At most %(limit)s columns are read."),
    "spreadsheet_header_unknown": mark("Column %(column)s has a heading that the directory does not know."),
    "spreadsheet_column_repeated": mark("Column %(column)s has the heading of an earlier column."),
    "spreadsheet_column_missing": mark("No column has the heading “%(heading)s”."),
}

ROW_SENTENCES = {
    "cell_without_heading": mark("The column of this cell has no heading."),
    "organisation_unknown": mark("No partner or host goes by this name or id, neither here nor in the directory."),
    "organisation_ambiguous": mark("Several partners or hosts go by this name: give the id."),
}

CODES = {
    "spreadsheet_too_large": "spreadsheet_too_large",
    "spreadsheet_type_unknown": "spreadsheet_type_refused",
    "attachment_type_unknown": "spreadsheet_type_refused",
}
"""Where the status says more than that the file cannot be read."""

FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class RowLooksLike(BaseModel):
    """What a row looks like: an entry, or an earlier row of the file; how much, 0 to 100, and why."""

    entry: EntryId | None
    line: int | None
    score: int
    reasons: tuple[Reason, ...]


class RowError(BaseModel):
    """What is wrong in a row: the column's letters, the field, the rule, and a sentence; never the cell's content."""

    column: str
    field: str
    rule: str
    message: str


class RowView(BaseModel):
    """A row that is not simply new, by the line it begins on."""

    line: int
    verdict: Verdict
    alike: tuple[RowLooksLike, ...]
    errors: tuple[RowError, ...]


class Counts(BaseModel):
    """How many rows are new, similar to something, known already, or bad; the first two are what is entered."""

    new: int
    similar: int
    known: int
    bad: int


class ImportPreview(BaseModel):
    """What accepting the file would do. `digest` stands for the file and for this answer; it accepts them.

    `encoding` and `separator` say how the file was read; `rows` are those that are not simply new.
    """

    digest: Digest
    encoding: str
    separator: str
    counts: Counts
    rows: tuple[RowView, ...]


class ImportDone(BaseModel):
    """What accepting the file did, the first time: rows entered, known already, and bad; who accepted, and when."""

    digest: Digest
    entered: int
    known: int
    bad: int
    actor: str
    accepted_at: datetime


@router.post("/directory-imports", openapi_extra=FILE)
async def preview_import(request: Request, at: At) -> ImportPreview:
    """Say what importing a table would do: every row that is wrong or looks like an entry. Nothing is entered."""
    content = await request.body()
    try:
        preview = await at.directory_imports.preview(content)
    except (SpreadsheetRefused, AttachmentRefused) as refusal:
        raise _refused(refusal) from None
    return _view(preview, _words(request, at))


@router.post("/directory-imports/{digest}", openapi_extra=FILE)
async def accept_import(
    digest: Annotated[Digest, Path(description="The preview's digest.")], request: Request, actor: Actor, at: At
) -> ImportDone:
    """Import a table exactly as its preview said, once: accepting again gives the first answer."""
    content = await request.body()
    try:
        done: Imported = await at.directory_imports.accept(digest, content, actor.id)
    except PreviewSuperseded:
        raise Problem("preview_superseded") from None
    except (SpreadsheetRefused, AttachmentRefused) as refusal:
        raise _refused(refusal) from None
    return ImportDone(**vars(done))


def _words(request: Request, at: Installation) -> Translator:
    return translator(preferred(request.headers.get("accept-language", ""), at.settings.language or "vi"))


def sentence_of_refusal(code: str) -> str:
    """Return the sentence of a file that cannot be read, still to be put into words."""
    return FILE_SENTENCES.get(code) or OFFICE_SENTENCES[code]


def _refused(refusal: SpreadsheetRefused | AttachmentRefused) -> Problem:
    params = refusal.params if isinstance(refusal, SpreadsheetRefused) else {}
    sentence = sentence_of_refusal(refusal.code)
    error = FieldProblem(field="body", rule=refusal.code, sentence=sentence, params=params)
    return Problem(CODES.get(refusal.code, "spreadsheet_refused"), errors=[error])


def _view(preview: Preview, words: Translator) -> ImportPreview:
    return ImportPreview(
        digest=preview.digest,
        encoding=preview.encoding,
        separator=preview.separator,
        counts=Counts(
            new=preview.count("new"),
            similar=preview.count("similar"),
            known=preview.count("known"),
            bad=preview.count("bad"),
        ),
        rows=tuple(row_view(row, words) for row in preview.rows if row.verdict != "new"),
    )


def row_view(row: RowVerdict, words: Translator) -> RowView:
    """Return a row with its mistakes in words."""
    alike = tuple(map(_alike, row.alike))
    return RowView(line=row.line, verdict=row.verdict, alike=alike, errors=_errors(row.problems, words))


def _alike(one: Likeness) -> RowLooksLike:
    earlier = one.entry.startswith(ROW)
    return RowLooksLike(
        entry=None if earlier else one.entry,
        line=int(one.entry.removeprefix(ROW)) if earlier else None,
        score=one.score,
        reasons=one.reasons,
    )


def _errors(problems: Sequence[RowProblem], words: Translator) -> tuple[RowError, ...]:
    return tuple(_error(problem, words) for problem in problems)


def _error(problem: RowProblem, words: Translator) -> RowError:
    known = ROW_SENTENCES.get(problem.code)
    if known is not None:
        said = FieldError(field=problem.field, rule=problem.code, message=words.tr(known))
    else:
        [found] = field_problems([{"loc": (problem.field,), "type": problem.code, "ctx": problem.context}])
        said = FieldError(field=found.field, rule=found.rule, message=words.tr(found.sentence, **found.params))
    return RowError(column=problem.column, field=said.field, rule=said.rule, message=said.message)
