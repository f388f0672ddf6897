"""`legation token`: makes, lists and revokes the tokens that people and programs act with."""

import json
import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from locales import Translator, mark
from verbs.children import answer_of
from verbs.language import translator_of
from verbs.options import options
from verbs.own_token import keep_token
from verbs.tables import add_row, output, table

TOKENS = "embedded.tokens"

STATES = {"valid": mark("valid"), "expired": mark("expired"), "revoked": mark("revoked")}

app = typer.Typer(help="Make, list and revoke tokens.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]


class Role(StrEnum):
    """What an account may do."""

    coordinator = "coordinator"
    approver = "approver"
    auditor = "auditor"
    administrator = "administrator"


class Scope(StrEnum):
    """What a token may be used for."""

    read = "read"
    write = "write"
    sign = "sign"
    administer = "administer"


class Tongue(StrEnum):
    """The language that somebody's notices are written in."""

    vi = "vi"
    en = "en"


@app.command("create")
def create(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's id, such as lan.")],
    name: Annotated[str | None, typer.Option(help="The person's name, for a new account.")] = None,
    role: Annotated[list[Role] | None, typer.Option(help="A role of a new account; may be repeated.")] = None,
    position: Annotated[
        list[str] | None, typer.Option(help="A position that signs, such as vice_president; may be repeated.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Where notices go, for a new account.")] = None,
    language: Annotated[Tongue | None, typer.Option(help="Of the notices, for a new account.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="Whose clock tells the mornings of a new account, such as Europe/Prague.")
    ] = None,
    expires: Annotated[
        int | None,
        typer.Option(min=1, max=3660, metavar="DAYS", help="How many days it is good for; else as long as may be."),
    ] = None,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may be used for; may be repeated. Else for everything but signing."),
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep it as this command's own token.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a token, and its account if there is none. The token is shown this once.

    An account that exists is not changed. Works whether Legation runs or not.
    """
    settings = options(context).settings()
    translator, messages = translator_of(settings), Console(stderr=True)
    details: dict[str, Any] = {
        "name": name,
        "email": email,
        "language": language,
        "roles": role,
        "positions": position,
        "zone": zone,
        "expires_days": expires,
        "scopes": scope,
    }
    request = {"type": "create", "account": account, **{key: value for key, value in details.items() if value}}
    made = answer_of(TOKENS, request, settings)
    if save:
        kept = keep_token(settings, made["token"])
        text = translator.tr("This command now acts as %(account)s: %(file)s", account=made["account"], file=kept)
        messages.print(text, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps({name: made[name] for name in ("account", "token_id", "token", "expires_at")}))
        return
    if sys.stdout.isatty():
        messages.print(translator.tr("The token, shown this once:"))
    typer.echo(made["token"])


@app.command("list")
def list_tokens(
    context: typer.Context,
    account: Annotated[str | None, typer.Argument(help="Whose tokens; else everybody's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which tokens there are; never their secrets, which are kept nowhere."""
    settings = options(context).settings()
    found = answer_of(TOKENS, {"type": "list", "account": account}, settings)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        output().print(_table(found["items"], translator_of(settings)))


@app.command("revoke")
def revoke(
    context: typer.Context,
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The token's id, as `legation token list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a token at once. Whoever holds it is signed out."""
    settings = options(context).settings()
    done = answer_of(TOKENS, {"type": "revoke", "token_id": token_id}, settings)
    if as_json:
        typer.echo(json.dumps(done))
    else:
        typer.echo(translator_of(settings).tr("The token %(token)s is revoked.", token=token_id))


def _table(tokens: list[dict[str, Any]], translator: Translator) -> Table:
    titles = (mark("Token"), mark("Account"), mark("Made"), mark("Valid until"), mark("State"))
    rows = table([translator.tr(title) for title in titles], whole=[0])
    for token in tokens:
        state = STATES[token["state"]]
        days = [_day(token[end], translator) for end in ("created_at", "expires_at")]
        add_row(rows, token["id"], token["account"], *days, translator.tr(state))
    return rows


def _day(instant: str | None, translator: Translator) -> str:
    # Wall time of this machine: a token's life is nobody's business time.
    return "" if instant is None else translator.date_and_time(datetime.fromisoformat(instant).astimezone())
