"""`legation leave`: who is away, when, and who signs meanwhile."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.periods import DAY, after_last_instant, first_day, first_instant, last_day
from verbs.show import AsJson
from verbs.tables import add_row, output, table

app = typer.Typer(help="Register, show and revoke leave.", no_args_is_help=True)


@app.command("register")
def register(
    context: typer.Context,
    substitute: Annotated[str, typer.Argument(help="The account that signs meanwhile.")],
    first: Annotated[datetime, typer.Option("--from", formats=DAY, metavar="DAY", help="The first day of leave.")],
    last: Annotated[datetime, typer.Option("--until", formats=DAY, metavar="DAY", help="The last day of leave.")],
    account: Annotated[str | None, typer.Option(help="Who is away; else whoever the token belongs to.")] = None,
    position: Annotated[
        list[str] | None, typer.Option(help="A position the substitute signs for; may be repeated; else all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register leave: one's own, or as an administrator anybody's. The substitute signs inside it alone."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        body: dict[str, Any] = {
            "account": account or api.get("/me")["account"]["id"],
            "substitute": substitute,
            "since": first_instant(first, settings),
            "until": after_last_instant(last, settings),
            "positions": position or [],
        }
        made = api.post("/institution/leaves", body)
    sentence = translator.tr(
        "%(substitute)s signs in place of %(account)s: %(leave)s",
        substitute=substitute,
        account=made["account"],
        leave=made["id"],
    )
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("list")
def list_leaves(
    context: typer.Context,
    account: Annotated[str | None, typer.Argument(help="Who is away or signs meanwhile; else everybody.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show leave, past, to come and revoked too, with the substitutes."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        found = api.get("/institution/leaves", account=account)
    if as_json:
        typer.echo(json.dumps(found))
        return
    titles = (
        mark("Leave"),
        mark("Account"),
        mark("Substitute"),
        mark("From"),
        mark("Until"),
        mark("Positions"),
        mark("State"),
    )
    rows = table([translator.tr(title) for title in titles], whole=[0])
    for one in found["items"]:
        add_row(
            rows,
            one["id"],
            one["account"],
            one["substitute"],
            first_day(one["since"], settings, translator),
            last_day(one["until"], settings, translator),
            _positions(one, translator),
            translator.tr("revoked") if one["revoked_at"] else "",
        )
    output().print(rows)


@app.command("revoke")
def revoke(
    context: typer.Context,
    leave: Annotated[str, typer.Argument(help="The leave's id, as `legation leave list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke leave: from now on nobody signs by it. What was signed stays signed."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/institution/leaves/{leave}/revoke", None)
    sentence = translator_of(settings).tr("The leave %(leave)s is revoked.", leave=leave)
    typer.echo(json.dumps(made) if as_json else sentence)


def _positions(leave: dict[str, Any], translator: Translator) -> str:
    return ", ".join(leave["positions"]) or translator.tr("all")
