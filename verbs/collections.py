"""`legation collection`: the calendars on servers of their owners that items are put into by CalDAV."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.prompt import Prompt

from locales import Translator, mark
from verbs.asking import Api, api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.show import AsJson
from verbs.tables import add_row, output, say, table
from words.codes import word

app = typer.Typer(help="Put items into calendars on other servers (CalDAV).", no_args_is_help=True)

Whose = Annotated[
    str,
    typer.Argument(
        metavar="WHOSE",
        help="A person, as DELEGATION/PARTICIPANT or by the register's reference; or an organisation's id.",
    ),
]
Url = Annotated[str, typer.Argument(metavar="URL", help="The address of the calendar, or of its server.")]
User = Annotated[str, typer.Option("--user", help="The name to sign in with there.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="A file with the password, - for standard input; else asked."),
]

STATES = {
    "working": mark("working"),
    "needs_credentials": mark("needs other credentials"),
    "unreachable": mark("its server does not answer"),
    "leaving": mark("being emptied"),
}
DRIFTS = {
    "edited": mark("was edited"),
    "missing": mark("was deleted"),
    "stray": mark("should not be there"),
}


@app.command("search")
def search(
    context: typer.Context, url: Url, user: User, password_file: PasswordFile = None, as_json: AsJson = False
) -> None:
    """Look for the calendars that an address and credentials lead to. Nothing is kept."""
    settings = options(context).settings()
    translator = translator_of(settings)
    body = _body(url, user, password_file, translator)
    with api_of(settings) as api:
        found = api.post("/calendar-collections/search", body)
    if as_json:
        typer.echo(json.dumps(found))
        return
    rows = table([translator.tr(title) for title in (mark("Calendar"), mark("Address"))])
    for one in found["items"]:
        add_row(rows, one["name"], one["url"])
    output().print(rows)


@app.command("register")
def register(
    context: typer.Context,
    whose: Whose,
    url: Url,
    user: User,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Register the calendar of a person or of an office, or new credentials for it; it is found before it is kept."""
    settings = options(context).settings()
    translator = translator_of(settings)
    body = _body(url, user, password_file, translator)
    with api_of(settings) as api:
        made = api.put(_path(api, whose), body)
    _show(made, translator, as_json=as_json)


@app.command("show")
def show(context: typer.Context, whose: Whose, as_json: AsJson = False) -> None:
    """Show a registered calendar: where it is, how it stands, and what was found otherwise than it was left."""
    settings = options(context).settings()
    with api_of(settings) as api:
        found = api.get(_path(api, whose))
    _show(found, translator_of(settings), as_json=as_json)


@app.command("verify")
def verify(context: typer.Context, whose: Whose, as_json: AsJson = False) -> None:
    """Try a registered calendar now, with the credentials that are known."""
    settings = options(context).settings()
    with api_of(settings) as api:
        found = api.post(f"{_path(api, whose)}/verify", None)
    _show(found, translator_of(settings), as_json=as_json)


@app.command("remove")
def remove(context: typer.Context, whose: Whose) -> None:
    """Take everything of ours out of a calendar, then forget it and its credentials."""
    settings = options(context).settings()
    with api_of(settings) as api:
        api.delete(_path(api, whose))
    say(translator_of(settings).tr("The calendar is being emptied; then it is forgotten."))


@app.command("list")
def list_collections(context: typer.Context, as_json: AsJson = False) -> None:
    """List how every calendar stands, those that need somebody first. For administrators and auditors."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        found = api.get("/calendar-collections")
    if as_json:
        typer.echo(json.dumps(found))
        return
    titles = (mark("Whose"), mark("State"), mark("Since"), mark("Items"), mark("Files behind"), mark("Last brought"))
    rows = table([translator.tr(title) for title in titles], right=[3, 4], whole=[0])
    for one in found["items"]:
        add_row(
            rows,
            one["owner"],
            _state(one, translator),
            _time(one["failed_since"], translator),
            str(one["entries"]),
            str(one["behind"]),
            _time(one["synced_at"], translator),
        )
    output().print(rows)


def _body(url: str, user: str, password_file: Path | None, translator: Translator) -> dict[str, str]:
    return {"url": url, "username": user, "password": _password(password_file, translator)}


def _password(file: Path | None, translator: Translator) -> str:
    """Return the password: never from the command line, where everybody on the machine reads it."""
    if file is None and not sys.stdin.isatty():
        raise Refusal(mark("Nobody can be asked here: give the password with --password-file."))
    if file is None:
        return Prompt.ask(translator.tr("Password"), password=True)
    try:
        read = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise Refusal(mark("%(file)s cannot be read."), file=file) from unreadable
    return read.rstrip("\r\n")


def _path(api: Api, whose: str) -> str:
    delegation, slash, participant = whose.partition("/")
    if slash:
        people: Mapping[str, Any] = api.get(f"/delegations/{delegation}")["state"]["people"]
        if participant not in people:
            raise Refusal(mark("There is no %(participant)s on this file."), participant=participant)
        whose = people[participant]["person"]["ref"]
    if whose.startswith("per_"):
        return f"/persons/{whose}/calendar-collection"
    return f"/institution/organisations/{whose}/calendar-collection"


def _show(found: Mapping[str, Any], translator: Translator, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found))
        return
    say(f"{found['name'] or found['url']}: {_state(found, translator)}", style="bold")
    say(found["url"])
    counted = translator.tr(
        "%(entries)s items in it; %(behind)s files have changes that it lacks.",
        entries=found["entries"],
        behind=found["behind"],
    )
    say(counted)
    if found["synced_at"]:
        say(translator.tr("Last brought to what it should hold: %(time)s.", time=_time(found["synced_at"], translator)))
    if not found["drift"]:
        return
    rows = table([translator.tr(title) for title in (mark("Item"), mark("What was found"), mark("When"))])
    for one in found["drift"]:
        kind = word(DRIFTS, one["kind"], translator)
        kind = kind if one["repaired"] else translator.tr("%(what)s, and was left alone", what=kind)
        add_row(rows, one["uid"], kind, _time(one["found_at"], translator))
    output().print(rows)


def _state(one: Mapping[str, Any], translator: Translator) -> str:
    state = word(STATES, one["state"], translator)
    return f"{state} ({one['failure']})" if one["failure"] else state


def _time(instant: str | None, translator: Translator) -> str:
    return translator.date_and_time(datetime.fromisoformat(instant).astimezone()) if instant else ""
