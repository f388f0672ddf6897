"""`legation directory import`: what a table would bring, row by row; and, once accepted, bringing it."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.directory_words import why
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.tables import add_row, output, say, table
from words.codes import word
from words.directory import VERDICTS

SEPARATORS = {",": mark("comma"), ";": mark("semicolon"), "\t": mark("tab")}


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file or an XLSX workbook.")],
    accept: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Enter the rows as the preview of this digest showed them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show what a table would bring into the directory; with --accept, bring it. Twice is once."""
    settings = options(context).settings()
    translator = translator_of(settings)
    try:
        content = file.read_bytes()
    except OSError as broken:
        raise Refusal(mark("%(file)s cannot be read: %(reason)s."), file=file, reason=broken.strerror) from broken
    with api_of(settings) as api:
        path = "/directory-imports" if accept is None else f"/directory-imports/{accept}"
        answer = api.post_file(path, content)
    if as_json:
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    elif accept is None:
        _show_preview(answer, file, translator)
    else:
        text = translator.tr("Entered: %(entered)s. Known already: %(known)s. Left out as wrong: %(bad)s.", **answer)
        say(text)


def _show_preview(preview: Mapping[str, Any], file: Path, translator: Translator) -> None:
    titles = (mark("Line"), mark("What becomes of it"), mark("Column"), mark("Why"))
    rows = table([translator.tr(title) for title in titles], right=[0])
    for row in preview["rows"]:
        verdict = word(VERDICTS, row["verdict"], translator)
        for error in row["errors"]:
            said = ": ".join(part for part in (error["field"], error["message"]) if part)
            add_row(rows, str(row["line"]), verdict, error["column"], said, style="red")
        for one in row["alike"]:
            other = one["entry"] or translator.tr("line %(line)s", line=one["line"])
            add_row(rows, str(row["line"]), verdict, "", f"{other}: {why(one['reasons'], translator)}, {one['score']}")
    if preview["rows"]:
        output().print(rows)
    read_as = preview["encoding"]
    if preview["separator"]:
        read_as += f", {word(SEPARATORS, preview['separator'], translator)}"
    say(translator.tr("Read as: %(how)s.", how=read_as))
    counts = preview["counts"]
    values = {"enter": counts["new"] + counts["similar"], "known": counts["known"], "bad": counts["bad"]}
    say(
        translator.tr(
            "To be entered: %(enter)s. Known already: %(known)s. Left out as wrong: %(bad)s. Nothing is entered yet.",
            **values,
        )
    )
    if values["enter"]:
        command = f"legation directory import {shlex.quote(str(file))} --accept {preview['digest']}"
        say(translator.tr("To enter them: %(command)s", command=command))
