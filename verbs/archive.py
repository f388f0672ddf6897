"""`legation archive`: the histories of closed runs that are kept beyond the server's retention."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import Api
from verbs.at_hand import api_at_hand
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.tables import add_row, output, say, table
from words.times import business_time

LARGEST_PAGE = 200

app = typer.Typer(help="Show and fetch the archived histories of closed runs.", no_args_is_help=True)


@app.command("list")
def list_(
    context: typer.Context,
    delegation: Annotated[str | None, typer.Option(help="Only those of this delegation.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show the archived runs: which events each has, and the SHA-256 of what is stored. The last archived first."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        items = _runs(api, delegation)
    if as_json:
        typer.echo(json.dumps({"items": items}, indent=2, ensure_ascii=False))
    elif not items:
        say(translator.tr("No closed run is archived."))
    else:
        _show(items, translator, settings.zone)


@app.command()
def fetch(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="The run's id, as `legation archive list` shows it.")],
    out: Annotated[Path, typer.Option(help="The file to write; there must be none yet.")],
) -> None:
    """Write the history of an archived run, gzipped JSON, exactly as it stands in the archive."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        content = api.download(f"/archive/{run}")
    try:
        with out.open("xb") as file:
            file.write(content)
    except OSError:
        raise Refusal(mark("%(path)s exists already or cannot be written."), path=out) from None
    say(translator.tr("%(path)s, SHA-256 %(digest)s", path=out, digest=hashlib.sha256(content).hexdigest()))


def _runs(api: Api, delegation: str | None) -> list[dict[str, Any]]:
    if delegation is not None:
        return list(api.get(f"/delegations/{delegation}/runs")["items"])
    return list(api.pages("/archive", limit=LARGEST_PAGE))


def _show(items: Sequence[Mapping[str, Any]], translator: Translator, zone: str) -> None:
    titles = (mark("Delegation"), mark("Events"), mark("Run"), mark("Closed"), mark("SHA-256"))
    rows = table([translator.tr(title) for title in titles], whole=[0, 2])
    for item in items:
        first, last = item["first_seq"], item["last_seq"]
        add_row(
            rows,
            item["delegation"],
            f"{first}–{last}" if last >= first else "–",
            item["run_id"],
            business_time(item["closed_at"], zone, translator),
            item["digest"],
        )
    output().print(rows)
