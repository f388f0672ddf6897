"""`legation admin`: makes an administrator, who chooses a password with a link, and enables a disabled account.

There is no default password. Both act on this machine's data, and the log says which of its users asked.
"""

import json
import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from verbs.children import answer_of
from verbs.language import translator_of
from verbs.options import options
from verbs.token import TOKENS, AsJson, Tongue

app = typer.Typer(help="Make administrators, and enable accounts.", no_args_is_help=True)


@app.command("create")
def create(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ID", help="The account's id, such as root.")],
    name: Annotated[str | None, typer.Option(help="The person's name, for a new account.")] = None,
    email: Annotated[str | None, typer.Option(help="Where notices go, for a new account.")] = None,
    language: Annotated[Tongue | None, typer.Option(help="Of the notices, for a new account.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="Whose clock tells the mornings of a new account, such as Europe/Prague.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make an administrator and print, once, the link with which they choose a password.

    An administrator who exists gets another link, and the earlier one is void. Works whether Legation runs or not.
    """
    settings = options(context).settings()
    translator, messages = translator_of(settings), Console(stderr=True)
    details: dict[str, Any] = {"name": name, "email": email, "language": language, "zone": zone}
    request = {"type": "create_admin", "account": account, **{key: value for key, value in details.items() if value}}
    made = answer_of(TOKENS, request, settings)
    if as_json:
        typer.echo(json.dumps({key: made[key] for key in ("account", "link", "secret", "expires_at")}))
        return
    if sys.stdout.isatty():
        until = translator.date_and_time(datetime.fromisoformat(made["expires_at"]).astimezone())
        said = translator.tr("Open this link once, by %(until)s, and choose a password:", until=until)
        messages.print(said, markup=False, highlight=False, soft_wrap=True)
    typer.echo(made["link"])


@app.command("enable")
def enable(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ID", help="The account's id, such as hung.")],
    as_json: AsJson = False,
) -> None:
    """Let a disabled account act again, in the roles it had; it has no position, token or password.

    Works whether Legation runs or not. Its owner is told by mail.
    """
    settings = options(context).settings()
    done = answer_of(TOKENS, {"type": "enable", "account": account}, settings)
    if as_json:
        typer.echo(json.dumps(done))
    else:
        typer.echo(translator_of(settings).tr("The account %(account)s is enabled again.", account=account))
