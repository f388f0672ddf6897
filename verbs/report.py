"""`legation report`: files the final report, and accepts it."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from locales import mark
from verbs.asking import Api, api_of
from verbs.confirming import confirm
from verbs.language import translator_of
from verbs.options import options
from verbs.receipt import answer
from verbs.refusal import Refusal
from verbs.show import AsJson, Delegation
from verbs.sign import Yes
from verbs.tables import say

STANDARD_INPUT = Path("-")


def report(
    context: typer.Context,
    delegation: Delegation,
    results: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The results, as a text file; - reads standard input.")
    ] = None,
    recommendations: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The recommendations, as a text file.")
    ] = None,
    annex: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A file that goes with it; may be repeated.")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Accept the report that was filed, as its approver.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """File the final report from its results; the rest is compiled from the file itself. Or accept a filed one."""
    settings = options(context).settings()
    translator = translator_of(settings)
    if accept == (results is not None) or (accept and (recommendations or annex)):
        raise Refusal(mark("Give either --results with what goes with them, or --accept."))
    if accept:
        with api_of(settings) as api:
            filed = api.get(f"/delegations/{delegation}")["state"]["report"]
            if filed is None or filed["status"] != "filed":
                raise Refusal(mark("No report of %(delegation)s waits for acceptance."), delegation=delegation)
            if not as_json:
                values = {"number": filed["number"], "digest": filed["digest"]}
                say(translator.tr("Report %(number)s, digest %(digest)s", **values))
            confirm(translator.tr("Accept this report?"), translator, agreed=yes)
            receipt = api.send(delegation, {"type": "accept_report", "report_digest": filed["digest"]})
        answer(receipt, translator.tr("The report is accepted."), translator, as_json=as_json)
        return
    # Everything is read before anything is sent.
    texts = {"results": results, "recommendations": recommendations}
    written = {name: _text(path) for name, path in texts.items() if path is not None}
    annexes = [_content(path) for path in annex or ()]
    with api_of(settings) as api:
        receipt = api.send(delegation, _command(api, delegation, written, annexes))
    answer(receipt, translator.tr("The report is filed."), translator, as_json=as_json)


def _command(api: Api, delegation: str, texts: dict[str, str], annexes: list[bytes]) -> dict[str, Any]:
    references = {name: api.write(delegation, text) for name, text in texts.items()}
    kept = {"annexes": [api.upload(content) for content in annexes]} if annexes else {}
    return {"type": "file_report"} | references | kept


def _text(path: Path) -> str:
    try:
        return _content(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(mark("%(file)s is not text in UTF-8."), file=path) from None


def _content(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise Refusal(mark("%(file)s cannot be read: %(reason)s."), file=path, reason=reason) from error
