"""Tables for the directory as pages: sent, read while one may go away, looked at row by row, and entered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.access import Actor
from api.directory import views_of
from api.directory_imports import RowView, row_view, sentence_of_refusal
from api.import_work import PATIENCE, row_of
from api.installation import At, Installation
from api.pages.directory import PATH as DIRECTORY
from api.pages.directory import name_of
from api.pages.forms import Form, FormRefused, done, key_of, said
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.pages.uploads import SentTable
from api.problems import Problem, shown
from domain.canonical import digest_of
from domain.sign_in import Acting
from locales import Translator, mark, translator
from storage.directory_rows import COLUMNS
from storage.directory_uploads import MOST_UPLOADS, TooManyUploads, Upload
from storage.spreadsheet import LARGEST_FILE
from storage.workbook import MOST_ROWS
from words.codes import sentence_case, word
from words.directory import KINDS, NATURES, REASONS, VERDICTS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PATH = f"{DIRECTORY}/imports"
PAGE = 100
MOST_ENTERED = 50

UploadId = Annotated[str, Path(alias="import", pattern=r"^imp_[0-9a-f]{32}$")]
Shown = Literal["", "bad", "similar", "known"]
NOT_NEW = ("bad", "similar", "known")

SAID = {
    "discarded": mark("The table was discarded. Nothing of it was entered."),
    "chosen": mark("Your choices are kept. Nothing is entered yet: this is what the table would do now."),
}

NO_FILE = mark("Choose the file with the table.")
TOO_MANY = mark("%(most)s of your tables wait already: take over or discard one of them first.")
SUPERSEDED = mark("This is not what you saw: the directory was changed meanwhile. Look at the table once more.")
EMPTY = mark("No row of this table would be entered.")
UNKNOWN_CHOICE = mark("Choose for each row one of what is offered there.")

CHOICE = re.compile(r"enter|leave|dir_[a-z0-9]{8,64}")
PLACE = re.compile(r"[1-9][0-9]{0,3}")

SEPARATORS = {",": mark("comma"), ";": mark("semicolon"), "\t": mark("tab")}

FIELD_WORDS = {
    "kind": mark("Kind"),
    "name": mark("Name of the organisation"),
    "other_names": mark("Other names"),
    "country": mark("Country"),
    "nature": mark("Nature"),
    "place": mark("Place"),
    "web": mark("Web"),
    "organisation": mark("Organisation"),
    "full_name": mark("Full name"),
    "given_name": mark("Given name"),
    "honorific": mark("Form of address"),
    "email": mark("E-mail"),
    "language": mark("Language"),
    "nationality": mark("Nationality"),
    "phone": mark("Telephone"),
    "function": mark("Function"),
}


HINTS = {
    ("country", "malformed"): mark("A country stands here by its code of two capital letters, such as JP."),
    ("nationality", "malformed"): mark("A country stands here by its code of two capital letters, such as JP."),
    ("web", "malformed"): mark("An address on the web begins with https:// and has no blanks."),
}
"""What helps more, in a cell of a table, than the sentence of the rule."""


@dataclass(frozen=True)
class Column:
    """A column that a table may have: what it holds, its headings, which kinds need it, and codes that it takes."""

    title: str
    headings: tuple[str, ...]
    needed: tuple[str, ...]
    takes: tuple[str, ...]


NEEDED: Mapping[str, tuple[str, ...]] = {
    "kind": ("partner", "host", "contact"),
    "name": ("partner", "host"),
    "country": ("partner",),
    "place": ("host",),
    "organisation": ("contact",),
    "full_name": ("contact",),
    "given_name": ("contact",),
    "email": ("contact",),
    "language": ("contact",),
    "nationality": ("contact",),
}
"""Which kinds of rows have to have something in which column."""

TAKES: Mapping[str, tuple[str, ...]] = {
    "kind": ("partner", "host", "contact"),
    "nature": tuple(NATURES),
    "country": ("JP", "DE"),
    "nationality": ("VN", "JP"),
    "language": ("vi", "en"),
}
"""What stands in cells that are codes."""


@dataclass(frozen=True)
class Line:
    """A row of a table that is not simply new: whom or what it names, what is wrong, what it looks like.

    `alike` are (address or "", what it is called, score, reasons), `wrong` (field, letters of its column, sentence).
    `offered` are the choices that there are for it, each with the name of the entry whose further name it would be;
    `taken` is the one that counts.
    """

    row: RowView
    name: str
    alike: tuple[tuple[str, str, int, tuple[str, ...]], ...]
    wrong: tuple[tuple[str, str, str], ...]
    offered: tuple[tuple[str, str], ...]
    taken: str


@router.get(PATH)
async def show_imports_page(request: Request, actor: Actor, at: At) -> Response:
    """Show the tables that one has sent, how each stands, and what was entered into the directory from tables."""
    return await _imports(request, at, actor, Form("table"))


@router.post(PATH)
async def send_table_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Keep a table for its sender and begin to read it; sent twice it is one."""
    form, table, words = request.state.form, request.state.table, translator(reader_of(request).language)
    if "again" in form:
        # What somebody chose before they had to sign in is not there any more.
        return await _imports(request, at, actor, Form("table"))
    try:
        if not isinstance(table, SentTable):
            raise FormRefused([("table", words.tr(NO_FILE))])
        if len(table.content) > LARGEST_FILE:
            sentence = words.tr(sentence_of_refusal("spreadsheet_too_large"), **shown({"limit": LARGEST_FILE}, words))
            raise FormRefused([("table", sentence)], 413)
        upload = f"imp_{digest_of(['import', actor.id, key_of(form)])[:32]}"
        try:
            await at.directory_uploads.send(actor.id, upload, table.name, table.content)
        except TooManyUploads:
            raise FormRefused([("table", words.tr(TOO_MANY, most=MOST_UPLOADS))], 409) from None
    except FormRefused as wrong:
        return await _imports(request, at, actor, wrong.form("table", None, form), status=wrong.status)
    await _going_on(at, actor, upload, patience=PATIENCE)
    return RedirectResponse(f"{PATH}/{upload}", 303)


@router.get(f"{PATH}/{{import}}")
async def show_import_page(
    upload: UploadId,
    request: Request,
    actor: Actor,
    at: At,
    only: Annotated[Shown, Query(alias="show")] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Show how a table stands: that it is being read, what taking it over would do, or what it did."""
    found = await _going_on(at, actor, upload)
    return await _import(request, at, actor, found, Form("accept"), only=only, page=page)


@router.post(f"{PATH}/{{import}}")
async def accept_import_by_page(upload: UploadId, request: Request, actor: Actor, at: At) -> Response:
    """Take a table over exactly as its preview said, choose what becomes of its rows, or discard it.

    What was chosen and not looked at yet is never taken over: the table is read again with it first.
    """
    form, words = request.state.form, translator(reader_of(request).language)
    if "again" in form:
        return RedirectResponse(f"{PATH}/{upload}", 303)
    if form.get("act") == "discard":
        await at.directory_uploads.discard(actor.id, upload)
        return done(PATH, "discarded")
    found = await _known(at, actor, upload)
    try:
        kept = found.said.get("choices", {})
        chosen = _chosen(found, form, words) if found.state == "read" else kept
        if chosen != kept:
            said_now = found.said | {"choices": chosen}
            if not await at.directory_uploads.move(
                actor.id, upload, "read", "sent", said=said_now, digest=form.get("digest", "")
            ):
                raise FormRefused([("", words.tr(SUPERSEDED))], 409)
            await _going_on(at, actor, upload, patience=PATIENCE)
            return _back(upload, form, "chosen")
        if form.get("act") == "choose":
            return _back(upload, form, "")
        if found.state == "read" and not _to_enter(found):
            raise FormRefused([("", words.tr(EMPTY))])
        taken = await at.directory_uploads.move(actor.id, upload, "read", "accepted", digest=form.get("digest", ""))
        if not taken and (await _known(at, actor, upload)).digest != form.get("digest", ""):
            raise FormRefused([("", words.tr(SUPERSEDED))], 409)
    except FormRefused as wrong:
        return await _import(request, at, actor, found, wrong.form("accept", None, form), status=wrong.status)
    await _going_on(at, actor, upload, patience=PATIENCE)
    return RedirectResponse(f"{PATH}/{upload}", 303)


def _chosen(found: Upload, form: Typed, words: Translator) -> dict[str, str]:
    """Return what is chosen for rows now, by line: what was, and what the form says of the rows that it showed."""
    rows = {str(row["line"]): row_of(row) for row in found.said.get("rows", ())}
    chosen: dict[str, str] = dict(found.said.get("choices", {}))
    for one in form.all("choice"):
        line, _, choice = one.partition(":")
        row = rows.get(line)
        if row is None or not CHOICE.fullmatch(choice):
            raise FormRefused([("", words.tr(UNKNOWN_CHOICE))])
        chosen.pop(line, None)
        if choice != row.usual:
            chosen[line] = choice
    return chosen


def _back(upload: str, form: Typed, code: str) -> Response:
    """Return the way back to the rows that were shown."""
    shown_rows, page = form.get("show", ""), form.get("page", "")
    query = {
        "show": shown_rows if shown_rows in NOT_NEW else "",
        "page": page if PLACE.fullmatch(page) else "",
        "said": code,
    }
    said_so = urlencode({name: value for name, value in query.items() if value})
    return RedirectResponse(f"{PATH}/{upload}{'?' if said_so else ''}{said_so}", 303)


async def _known(at: Installation, actor: Acting, upload: str) -> Upload:
    found = await at.directory_uploads.get(actor.id, upload)
    if found is None:
        raise Problem("not_found")
    return found


async def _going_on(at: Installation, actor: Acting, upload: str, *, patience: float = 0) -> Upload:
    """Return a table as it stands, once its reading or entering was begun, if that is what it waits for."""
    found = await _known(at, actor, upload)
    if found.state not in ("sent", "accepted"):
        return found
    await at.import_work.go_on(actor.id, found, patience=patience)
    return await _known(at, actor, upload) if patience else found


def _to_enter(found: Upload) -> int:
    """Return how many rows would be entered, or become further names."""
    # A table that was read before one could choose says only what its rows are.
    counts = found.said.get("counts", {})
    does = found.said.get("does") or {"enter": counts.get("new", 0) + counts.get("similar", 0)}
    return int(does.get("enter", 0)) + int(does.get("name", 0))


async def _imports(request: Request, at: Installation, actor: Acting, form: Form, *, status: int = 200) -> Response:
    reader = reader_of(request)
    words, sent = translator(reader.language), await at.directory_uploads.of(actor.id)
    for one in sent:
        await at.import_work.go_on(actor.id, one)
    entered = await at.directory_imports.accepted(MOST_ENTERED)
    return show(
        request,
        "directory_imports.html",
        status,
        form=form,
        sent=sent,
        results={one.digest: one for one in entered},
        to_enter={one.id: _to_enter(one) for one in sent},
        refused={one.id: _why(one, words) for one in sent if one.state == "refused"},
        entered=entered,
        names=await at.accounts.names({one.actor for one in entered}),
        works=any(one.state in ("sent", "accepted") for one in sent),
        columns=_columns(words),
        kind_words=KINDS,
        most_rows=MOST_ROWS,
        most_megabytes=LARGEST_FILE // 2**20,
        errors=form.errors,
        said=said(request, SAID),
        headers={"Cache-Control": "no-store"},
    )


async def _import(
    request: Request,
    at: Installation,
    actor: Acting,
    found: Upload,
    form: Form,
    *,
    only: Shown = "",
    page: int = 1,
    status: int = 200,
) -> Response:
    words, counts = translator(reader_of(request).language), found.said.get("counts", {})
    rows = [one for one in found.said.get("rows", ()) if only in ("", one["verdict"])]
    if not only:
        # What has to be put right stands first; the rest as it stands in the table.
        rows.sort(key=lambda one: one["verdict"] != "bad")
    pages = max(1, -(-len(rows) // PAGE))
    page = min(page, pages)
    result = await at.directory_imports.accepted_as(found.digest or "") if found.state == "entered" else None
    names = await at.accounts.names({result.actor}) if result else {}
    lines = await _lines(request, at, actor, rows[(page - 1) * PAGE : page * PAGE])
    if any(line.offered for line in lines):
        form.name = "choices"
    return show(
        request,
        "directory_import.html",
        status,
        one=found,
        form=form,
        works=found.state in ("sent", "accepted"),
        counts=counts,
        to_enter=_to_enter(found),
        further=found.said.get("does", {}).get("name", 0),
        unfit=len(found.said.get("unfit", ())),
        rows_in_all=sum(counts.values()),
        superseded=bool(found.said.get("superseded")),
        lines=lines,
        only=only,
        filters=[
            (code, sentence_case(word(VERDICTS, code, words)), counts.get(code, 0))
            for code in ("bad", "similar", "known")
        ],
        in_all=len(found.said.get("rows", ())),
        page=page,
        pages=pages,
        read_as=_read_as(found, words),
        refused=_why(found, words) if found.state == "refused" else "",
        result=result,
        by=names.get(result.actor, result.actor) if result else "",
        verdict_words=VERDICTS,
        reason_words=REASONS,
        field_words=FIELD_WORDS,
        errors=form.errors,
        said=said(request, SAID),
        headers={"Cache-Control": "no-store"},
    )


async def _lines(
    request: Request, at: Installation, actor: Acting, rows: Sequence[Mapping[str, Any]]
) -> tuple[Line, ...]:
    words = translator(reader_of(request).language)
    verdicts = [row_of(dict(row)) for row in rows]
    near = await at.directory.get_many({one.entry for row in verdicts for one in row.alike})
    known = {view.id: view for view in await views_of(at, actor, near.values())}

    def alike(view: RowView) -> tuple[tuple[str, str, int, tuple[str, ...]], ...]:
        return tuple(
            (f"{DIRECTORY}/{one.entry}", name_of(known[one.entry], words), one.score, one.reasons)
            if one.entry in known
            else ("", words.tr("line %(line)s", line=one.line or "–"), one.score, one.reasons)
            for one in view.alike
        )

    def wrong(view: RowView) -> tuple[tuple[str, str, str], ...]:
        return tuple(
            (
                one.field,
                one.column,
                words.tr(HINTS[one.field, one.rule]) if (one.field, one.rule) in HINTS else one.message,
            )
            for one in view.errors
        )

    def offered(view: RowView) -> tuple[tuple[str, str], ...]:
        if view.verdict == "bad":
            return ()
        entries = [known[one.entry] for one in view.alike if one.nameable and one.entry in known]
        named = [(one.id, name_of(one, words)) for one in entries]
        return (("leave", ""), ("enter", ""), *named)

    def line(view: RowView, name: str) -> Line:
        return Line(view, name, alike(view), wrong(view), offered(view), view.choice or view.does)

    return tuple(line(row_view(row, words), said["name"]) for row, said in zip(verdicts, rows, strict=True))


def _why(found: Upload, words: Translator) -> str:
    sentence, params = sentence_of_refusal(found.said["code"]), found.said.get("params", {})
    return words.tr(sentence, **shown(params, words))


def _read_as(found: Upload, words: Translator) -> str:
    encoding = str(found.said.get("encoding", "")).upper()
    separator = SEPARATORS.get(found.said.get("separator", ""))
    return ", ".join(part for part in (encoding, words.tr(separator) if separator else "") if part)


def _columns(words: Translator) -> tuple[Column, ...]:
    return tuple(
        Column(
            words.tr(FIELD_WORDS[field]),
            headings,
            tuple(words.tr(KINDS[kind]) for kind in NEEDED.get(field, ())),
            TAKES.get(field, ()),
        )
        for field, headings in COLUMNS.items()
    )
