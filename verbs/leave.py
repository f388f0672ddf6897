"""`legation leave`: who is away, when, and who signs meanwhile."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import Api, api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.periods import DAY, after_last_instant, first_day, first_instant, last_day
from verbs.show import AsJson
from verbs.tables import add_row, output, table

app = typer.Typer(help="Register, show, change and revoke leave.", no_args_is_help=True)


Leave = Annotated[str, typer.Argument(help="The leave's id, as `legation leave list` shows it.")]


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
    """Register leave: one's own, or as an administrator that of others. The substitute signs inside it alone.

    Days are those of whoever is away, where their account says a zone.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        me = api.get("/me")["account"]
        zone = _zones(api, me).get(account or me["id"])
        body: dict[str, Any] = {
            "account": account or me["id"],
            "substitute": substitute,
            "since": first_instant(first, settings, zone),
            "until": after_last_instant(last, settings, zone),
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
        zones = {} if as_json else _zones(api, api.get("/me")["account"])
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
            first_day(one["since"], settings, translator, zones.get(one["account"])),
            last_day(one["until"], settings, translator, zones.get(one["account"])),
            _positions(one, translator),
            translator.tr("revoked") if one["revoked_at"] else "",
        )
    output().print(rows)


@app.command("end")
def end(
    context: typer.Context,
    leave: Leave,
    last: Annotated[datetime, typer.Option("--until", formats=DAY, metavar="DAY", help="The last day of leave.")],
    as_json: AsJson = False,
) -> None:
    """Give leave that is not over another end; to let it end now, revoke it."""
    settings = options(context).settings()
    with api_of(settings) as api:
        away = next((one["account"] for one in api.get("/institution/leaves")["items"] if one["id"] == leave), "")
        zone = _zones(api, api.get("/me")["account"]).get(away)
        until = after_last_instant(last, settings, zone)
        made = api.post(f"/institution/leaves/{leave}/end", {"until": until})
    sentence = translator_of(settings).tr("The leave %(leave)s ends on another day now.", leave=leave)
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("substitute")
def substitute(
    context: typer.Context,
    leave: Leave,
    account: Annotated[str, typer.Argument(help="The account that signs from now on.")],
    as_json: AsJson = False,
) -> None:
    """Name another substitute: the leave is revoked, and another one for the rest of it is registered."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/institution/leaves/{leave}/substitute", {"substitute": account})
    sentence = translator_of(settings).tr(
        "%(substitute)s signs in place of %(account)s: %(leave)s",
        substitute=account,
        account=made["account"],
        leave=made["id"],
    )
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("revoke")
def revoke(
    context: typer.Context,
    leave: Leave,
    as_json: AsJson = False,
) -> None:
    """Revoke leave: from now on nobody signs by it. What was signed stays signed."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/institution/leaves/{leave}/revoke", None)
    sentence = translator_of(settings).tr("The leave %(leave)s is revoked.", leave=leave)
    typer.echo(json.dumps(made) if as_json else sentence)


def _zones(api: Api, me: dict[str, Any]) -> dict[str, str]:
    """Return the zones of accounts that say one: of one's own, for administrators of all."""
    known = api.get("/accounts")["items"] if "administrator" in me["roles"] else [me]
    return {one["id"]: one["zone"] for one in known if one.get("zone")}


def _positions(leave: dict[str, Any], translator: Translator) -> str:
    return ", ".join(leave["positions"]) or translator.tr("all")
