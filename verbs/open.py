"""`legation open`: opens the file of a delegation from a file that somebody wrote."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import Api, ProblemRefusal, api_of
from verbs.language import translator_of
from verbs.mistakes import FileRefused
from verbs.options import options
from verbs.receipt import answer
from verbs.refusal import Refusal
from verbs.show import AsJson
from yamlfile import MAX_BYTES, Loc

if TYPE_CHECKING:
    # See verbs/demo.py: only who opens a file waits for what files are made of.
    from scenariofile import Placeholder
    from scenariofile.opening import Opening

STANDARD_INPUT = Path("-")


def open_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A YAML or JSON file (docs/cli.md); - reads standard input.")],
    as_json: AsJson = False,
) -> None:
    """Open a delegation, with its first members, participants and items if the file has them: all of it, or nothing.

    Every mistake is told with its line and field before anything is sent.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    opening = read_opening(file, translator)
    with api_of(settings) as api:
        references: dict[Placeholder, Any] = {
            person: _sent(api, "/persons", written.details, opening, [opening.place_of(person)], translator)
            for person, written in opening.people.items()
        }
        receipt = _sent(api, "/delegations", opening.body(references), opening, opening.at, translator)
    sentence = translator.tr("Opened: %(delegation)s", delegation=receipt["delegation"])
    answer(receipt, sentence, translator, as_json=as_json)


def read_opening(file: Path, translator: Translator) -> "Opening":
    """Return what an opening file asks for; every mistake in it is told with its line."""
    from scenariofile.opening import OpeningFileError, load_opening

    try:
        if file == STANDARD_INPUT:
            # One character more than is taken, so that too much is told as such and not cut.
            return load_opening(sys.stdin.read(MAX_BYTES + 1), translator.tr("standard input"))
        return load_opening(file)
    except OpeningFileError as wrong:
        raise FileRefused(wrong.problems, translator) from None
    except UnicodeDecodeError:
        raise Refusal(mark("%(file)s is not text in UTF-8."), file=file) from None
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise Refusal(mark("%(file)s cannot be read: %(reason)s."), file=file, reason=reason) from error


def _sent(
    api: Api, path: str, body: dict[str, Any], opening: "Opening", places: Sequence[Loc], translator: Translator
) -> Any:
    """Send a body; what the API finds wrong with a field is told by the line on which that field stands.

    `places` says where each command of the body stands in the file.
    """
    try:
        return api.post(path, body)
    except ProblemRefusal as refused:
        if not refused.fields:
            raise
        found = [
            opening.problem(places[error.get("index") or 0], error["field"], error["rule"], error["message"])
            for error in refused.fields
        ]
        raise FileRefused(found, translator) from None
