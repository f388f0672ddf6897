"""`legation show`: one file as it stands."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from locales import mark
from verbs.asking import Api
from verbs.at_hand import api_at_hand
from verbs.file_view import show_file
from verbs.instants import instant
from verbs.language import translator_of
from verbs.options import options
from verbs.people import names
from verbs.tables import say
from words.edition import EditionWords
from words.times import business_time

Delegation = Annotated[str, typer.Argument(metavar="ID", help="The delegation's id, as `legation list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]


AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="TIME", help="As it was: at the end of a day, at a time of the file's clock, at an instant."
    ),
]


def show(
    context: typer.Context,
    delegation: Delegation,
    as_of: AsOf = None,
    seq: Annotated[int | None, typer.Option(min=1, help="As it was after the event of this number.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a file: where it stands, its people, programme, approvals, due dates, ceilings and invitations.

    With --as-of or --seq as it was then. Names are those that the register has today.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        then = None
        if as_of is not None:
            then = instant(as_of, api.get(f"/delegations/{delegation}")["state"]["zone"])
        file = whole_file(api, delegation, as_of=then, seq=seq)
        if as_json:
            typer.echo(json.dumps(file, indent=2, ensure_ascii=False))
            return
        rules = EditionWords(api.get(f"/editions/{file['state']['edition']}"), translator)
        people = names(api, file["state"]["people"], translator)
    now = datetime.now(UTC)
    if then is not None or seq is not None:
        now = datetime.fromisoformat(then or file["updated_at"])
        at = business_time(file["updated_at"], file["state"]["zone"], translator)
        say(translator.tr(mark("As it was after event no. %(seq)s, %(time)s."), seq=file["seq"], time=at), style="bold")
    show_file(file, people, rules, translator, now=now)


def whole_file(
    api: Api, delegation: str, at_least: int | None = None, *, as_of: str | None = None, seq: int | None = None
) -> dict[str, Any]:
    """A file as the API shows it, with its `deadlines`, every `ceilings` it had, and what was sent (`messages`).

    `at_least` waits a moment until the file has that event; `as_of` (an instant) or `seq` show it as it was.
    """
    address = f"/delegations/{delegation}"
    then: dict[str, Any] = {"as_of": as_of, "seq": seq}
    file: dict[str, Any] = api.get(address, at_least=at_least, **then)
    return file | {
        "deadlines": api.get(f"{address}/deadlines", **then)["items"],
        "ceilings": api.get(f"{address}/ceilings", **then)["items"],
        "messages": api.get(f"{address}/messages", **then)["items"],
    }
