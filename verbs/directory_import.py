"""`legation directory import`: what a table would bring, row by row; and, once accepted, bringing it."""

import json
import shlex
from base64 import b64encode
from collections.abc import Mapping, Sequence
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
from words.directory import DOES, VERDICTS

SEPARATORS = {",": mark("comma"), ";": mark("semicolon"), "\t": mark("tab")}


def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file or an XLSX workbook.")],
    accept: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Enter the rows as the preview of this digest showed them.")
    ] = None,
    enter: Annotated[
        list[int] | None, typer.Option(metavar="LINE", help="Enter this row all the same; may be repeated.")
    ] = None,
    leave: Annotated[
        list[int] | None, typer.Option(metavar="LINE", help="Leave this row out; may be repeated.")
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE=ID", help="Take this row as a further name of that entry; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show what a table would bring into the directory; with --accept, bring it. Twice is once.

    What is chosen for rows belongs to the preview: --accept takes the same choices.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    choices = _choices(enter or [], leave or [], name or [])
    try:
        content = file.read_bytes()
    except OSError as broken:
        raise Refusal(mark("%(file)s cannot be read: %(reason)s."), file=file, reason=broken.strerror) from broken
    with api_of(settings) as api:
        path = "/directory-imports" if accept is None else f"/directory-imports/{accept}"
        if choices:
            answer = api.post(path, {"table": b64encode(content).decode(), "choices": choices})
        else:
            answer = api.post_file(path, content)
    if as_json:
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    elif accept is None:
        _show_preview(answer, file, choices, translator)
    else:
        text = translator.tr("Entered: %(entered)s. Known already: %(known)s. Left out as wrong: %(bad)s.", **answer)
        say(text)
        if answer["named"] or answer["left_out"]:
            say(translator.tr("Taken as further names: %(named)s. Left out by choice: %(left_out)s.", **answer))


def _choices(enter: Sequence[int], leave: Sequence[int], names: Sequence[str]) -> dict[str, str]:
    """What was chosen, by line; Refusal where one line has two choices, or none that can be read."""
    said = [(str(line), "enter") for line in enter] + [(str(line), "leave") for line in leave]
    for one in names:
        line, _, entry = one.partition("=")
        if not (line.isdigit() and entry):
            raise Refusal(mark("%(said)s does not have the form LINE=ID."), said=one)
        said.append((line, entry))
    choices = dict(said)
    if len(choices) < len(said):
        raise Refusal(mark("One line has two choices."))
    return choices


def _show_preview(preview: Mapping[str, Any], file: Path, choices: Mapping[str, str], translator: Translator) -> None:
    titles = (mark("Line"), mark("What becomes of it"), mark("Column"), mark("Why"))
    rows = table([translator.tr(title) for title in titles], right=[0])
    for row in preview["rows"]:
        verdict = word(VERDICTS, row["verdict"], translator)
        if row["verdict"] != "bad":
            verdict = f"{verdict}; {word(DOES, row['does'], translator)}"
        for error in row["errors"]:
            said = ": ".join(part for part in (error["field"], error["message"]) if part)
            add_row(rows, str(row["line"]), verdict, error["column"], said, style="red")
        if not row["alike"] and not row["errors"]:
            add_row(rows, str(row["line"]), verdict, "", "")
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
    say(
        translator.tr(
            "To be entered: %(enter)s. Known already: %(known)s. Left out as wrong: %(bad)s. Nothing is entered yet.",
            **counts,
        )
    )
    if any(row["alike"] for row in preview["rows"]):
        say(translator.tr("Rows that look like an entry: choose with --enter LINE, --leave LINE or --name LINE=ID."))
    if counts["enter"] or counts["name"]:
        chosen = [
            f"--{choice} {line}" if choice in ("enter", "leave") else f"--name {line}={choice}"
            for line, choice in choices.items()
        ]
        command = " ".join(
            ("legation directory import", shlex.quote(str(file)), *chosen, f"--accept {preview['digest']}")
        )
        say(translator.tr("To enter them: %(command)s", command=command))
