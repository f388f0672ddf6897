"""`legation show`: one file as it stands."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from verbs.asking import Api
from verbs.at_hand import api_at_hand
from verbs.edition import EditionWords
from verbs.file_view import show_file
from verbs.language import translator_of
from verbs.options import options
from verbs.people import names

Delegation = Annotated[str, typer.Argument(metavar="ID", help="The delegation's id, as `legation list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]


def show(context: typer.Context, delegation: Delegation, as_json: AsJson = False) -> None:
    """Show a file: where it stands, its people, programme, approvals, due dates, ceilings and invitations."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        file = whole_file(api, delegation)
        if as_json:
            typer.echo(json.dumps(file, indent=2, ensure_ascii=False))
            return
        rules = EditionWords(api.get(f"/editions/{file['state']['edition']}"), translator)
        people = names(api, file["state"]["people"], translator)
    show_file(file, people, rules, translator, now=datetime.now(UTC))


def whole_file(api: Api, delegation: str, at_least: int | None = None) -> dict[str, Any]:
    """A file as the API shows it, with its `deadlines`, every `ceilings` it had, and what was sent (`messages`).

    `at_least` waits a moment until the file has that event.
    """
    address = f"/delegations/{delegation}"
    file: dict[str, Any] = api.get(address, at_least=at_least)
    return file | {
        "deadlines": api.get(f"{address}/deadlines")["items"],
        "ceilings": api.get(f"{address}/ceilings")["items"],
        "messages": api.get(f"{address}/messages")["items"],
    }
