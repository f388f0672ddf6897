"""Tables for the directory: looked at, named row by row, and entered once their preview is accepted.

The body of both requests is the file itself, CSV or XLSX; or JSON with the file and what somebody chose for its rows.
Nothing of it is kept but the rows that are entered.
"""

from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from api.access import BEARER, Actor, GuardedRoute, says_json
from api.attachments import SENTENCES as OFFICE_SENTENCES
from api.installation import At, Installation
from api.language import preferred
from api.problems import FieldError, FieldProblem, Problem
from api.violations import MALFORMED, field_problems
from domain.directory import MOST_NAMES, EntryId
from domain.duplicates import Reason
from domain.values import Digest, Value
from locales import Translator, mark, translator
from storage.directory_imports import (
    ROW,
    Choice,
    Does,
    Imported,
    Preview,
    PreviewSuperseded,
    RowVerdict,
    Unfit,
    Verdict,
)
from storage.directory_rows import RowProblem
from storage.likeness import Likeness
from storage.media_types import AttachmentRefused
from storage.spreadsheet import LARGEST_FILE
from storage.workbook import MOST_ROWS, SpreadsheetRefused

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

CHOICE_SENTENCES: dict[Unfit, str] = {
    "choice_without_row": mark("No row that could be entered begins on this line."),
    "choice_not_alike": mark("A row becomes a further name only of an entry of its kind that it looks like."),
    "choice_too_many_names": mark("The entry would go by more than %(limit)s other names."),
}

Line = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,6}$")]


class ChosenTable(Value):
    """A table in base64, and what is to become of rows, by the line each begins on; the others go the usual way."""

    table: str
    choices: dict[Line, Choice] = Field(default_factory=dict, max_length=MOST_ROWS)


FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["table"],
                    "properties": {
                        "table": {"type": "string", "format": "byte", "description": "The file in base64."},
                        "choices": {
                            "type": "object",
                            "description": (
                                "By the line a row begins on: `enter`, `leave`, or the id of an entry that it looks "
                                "like, of which it becomes a further name."
                            ),
                            "additionalProperties": {"type": "string", "pattern": "^(enter|leave|dir_[a-z0-9]{8,64})$"},
                            "examples": [{"3": "leave", "7": "dir_7m2k4x9q0w8e5r3t1y6u"}],
                        },
                    },
                }
            },
        },
    }
}


class RowLooksLike(BaseModel):
    """What a row looks like: an entry, or an earlier row of the file; how much, 0 to 100, and why.

    `nameable` says that the row may be taken as a further name of that entry.
    """

    entry: EntryId | None
    nameable: bool
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
    """A row that is not simply new, by the line it begins on; what becomes of it, and what somebody chose, if so."""

    line: int
    verdict: Verdict
    does: Does
    choice: Choice | None
    alike: tuple[RowLooksLike, ...]
    errors: tuple[RowError, ...]


class Counts(BaseModel):
    """How many rows are new, similar to something, known already, or bad; and of how many becomes what."""

    new: int
    similar: int
    known: int
    bad: int
    enter: int
    name: int
    leave: int


class ImportPreview(BaseModel):
    """What accepting the file would do. `digest` stands for file, choices and this answer; it accepts them.

    `encoding` and `separator` say how the file was read; `rows` are those that are not simply new.
    """

    digest: Digest
    encoding: str
    separator: str
    counts: Counts
    rows: tuple[RowView, ...]


class ImportDone(BaseModel):
    """What accepting the file did, the first time: rows entered, known already, and bad; who accepted, and when.

    `named` became further names of entries; `left_out` were left out because somebody chose so.
    """

    digest: Digest
    entered: int
    known: int
    bad: int
    actor: str
    accepted_at: datetime
    named: int
    left_out: int


@router.post("/directory-imports", openapi_extra=FILE)
async def preview_import(request: Request, at: At) -> ImportPreview:
    """Say what importing a table would do: every row that is wrong or looks like an entry. Nothing is entered."""
    content, choices = await _table(request)
    try:
        preview = await at.directory_imports.preview(content, choices)
    except (SpreadsheetRefused, AttachmentRefused) as refusal:
        raise _refused(refusal) from None
    if preview.unfit:
        raise Problem("validation_failed", errors=[_unfit(*one) for one in sorted(preview.unfit.items())])
    return _view(preview, _words(request, at))


@router.post("/directory-imports/{digest}", openapi_extra=FILE)
async def accept_import(
    digest: Annotated[Digest, Path(description="The preview's digest.")], request: Request, actor: Actor, at: At
) -> ImportDone:
    """Import a table exactly as its preview said, once: accepting again gives the first answer."""
    content, choices = await _table(request)
    try:
        done: Imported = await at.directory_imports.accept(digest, content, actor.id, choices)
    except PreviewSuperseded:
        raise Problem("preview_superseded") from None
    except (SpreadsheetRefused, AttachmentRefused) as refusal:
        raise _refused(refusal) from None
    return ImportDone(**vars(done))


async def _table(request: Request) -> tuple[bytes, dict[int, Choice]]:
    """Return the file that a request brings, and what was chosen for its rows, by their lines."""
    body = await request.body()
    if not says_json(request):
        if len(body) > LARGEST_FILE:
            raise Problem("body_too_large")
        return body, {}
    try:
        said = ChosenTable.model_validate_json(body)
        content = b64decode(said.table, validate=True)
    except ValidationError as wrong:
        errors = [dict(one) for one in wrong.errors(include_url=False, include_input=False)]
        raise Problem("validation_failed", errors=field_problems(errors)) from None
    except ValueError:
        error = FieldProblem(field="table", rule=MALFORMED.code, sentence=MALFORMED.sentence)
        raise Problem("validation_failed", errors=[error]) from None
    if len(content) > LARGEST_FILE:
        raise Problem("body_too_large")
    return content, {int(line): choice for line, choice in said.choices.items()}


def _unfit(line: int, code: Unfit) -> FieldProblem:
    params = {"limit": MOST_NAMES} if code == "choice_too_many_names" else {}
    return FieldProblem(field=f"choices.{line}", rule=code, sentence=CHOICE_SENTENCES[code], params=params)


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
            enter=preview.doing("enter"),
            name=preview.doing("name"),
            leave=preview.doing("leave"),
        ),
        rows=tuple(row_view(row, words) for row in preview.rows if row.verdict != "new" or row.choice is not None),
    )


def row_view(row: RowVerdict, words: Translator) -> RowView:
    """Return a row with its mistakes in words."""
    alike = tuple(_alike(one, nameable=one.entry in row.nameable) for one in row.alike)
    errors = _errors(row.problems, words)
    return RowView(line=row.line, verdict=row.verdict, does=row.does, choice=row.choice, alike=alike, errors=errors)


def _alike(one: Likeness, *, nameable: bool) -> RowLooksLike:
    earlier = one.entry.startswith(ROW)
    return RowLooksLike(
        entry=None if earlier else one.entry,
        nameable=nameable,
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
