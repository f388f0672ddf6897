"""`legation feed`: calendars that programs subscribe to and personal pages: addresses made, rotated and revoked."""

import json
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.show import AsJson
from verbs.tables import add_row, output, table

app = typer.Typer(
    help="Make, show, rotate and revoke the addresses of calendars and personal pages.", no_args_is_help=True
)

KINDS = {
    "participant": mark("calendar of a participant"),
    "page": mark("page of a participant"),
    "person": mark("calendar of a person"),
    "delegation": mark("calendar of the office"),
    "account": mark("calendar of an account"),
}

FeedId = Annotated[str, typer.Argument(metavar="FEED", help="The feed's id, as `legation feed list` shows it.")]


@app.command("make")
def make(
    context: typer.Context,
    delegation: Annotated[str, typer.Argument(help="The delegation.")],
    participant: Annotated[str | None, typer.Option(help="Whose view it shows; else the office's.")] = None,
    page: Annotated[bool, typer.Option("--page", help="The participant's page instead of a calendar.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the calendar of a delegation, or show the one that is there. Its address is a secret."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/delegations/{delegation}/feeds", {"participant": participant, "page": page})
    typer.echo(json.dumps(made) if as_json else made["link"])


@app.command("mine")
def mine(context: typer.Context, as_json: AsJson = False) -> None:
    """Make one's own calendar, of every file in one's reach, or show the one that is there."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post("/feeds", {"account": api.get("/me")["account"]["id"]})
    typer.echo(json.dumps(made) if as_json else made["link"])


@app.command("person")
def person(
    context: typer.Context,
    person: Annotated[str, typer.Argument(help="The reference of the person, per_….")],
    as_json: AsJson = False,
) -> None:
    """Make the calendar of a person over all their files, or show the one that is there."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post("/feeds", {"person": person})
    typer.echo(json.dumps(made) if as_json else made["link"])


@app.command("list")
def list_feeds(
    context: typer.Context,
    delegation: Annotated[str | None, typer.Argument(help="Of which delegation; else one's own.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show calendars and pages with their addresses and the day on which they were last fetched."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        found = api.get(f"/delegations/{delegation}/feeds" if delegation else "/feeds")
    if as_json:
        typer.echo(json.dumps(found))
        return
    titles = (mark("Feed"), mark("What"), mark("Whose"), mark("Last fetched"), mark("Address"))
    rows = table([translator.tr(title) for title in titles], whole=[0])
    for one in found["items"]:
        what = KINDS[one["kind"]]
        add_row(
            rows,
            one["id"],
            translator.tr(what),
            one["participant"] or one["account"] or one["person"] or one["delegation"],
            one["fetched_on"] or "",
            _address(one, translator),
        )
    output().print(rows)


@app.command("rotate")
def rotate(context: typer.Context, feed: FeedId, as_json: AsJson = False) -> None:
    """Give a calendar or page another address; the one before leads nowhere from now on."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/feeds/{feed}/rotate", None)
    typer.echo(json.dumps(made) if as_json else made["link"])


@app.command("revoke")
def revoke(context: typer.Context, feed: FeedId, as_json: AsJson = False) -> None:
    """Let the address of a calendar or page lead nowhere from now on."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/feeds/{feed}/revoke", None)
    sentence = translator_of(settings).tr("The address of %(feed)s leads nowhere from now on.", feed=feed)
    typer.echo(json.dumps(made) if as_json else sentence)


def _address(feed: dict[str, Any], translator: Translator) -> str:
    if feed["revoked_at"]:
        return translator.tr("revoked")
    return feed["link"] or translator.tr("its key is gone: rotate it")
