"""`legation position`: the positions that sign, and who holds them."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer

from locales import mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.periods import From, Until, after_last_instant, first_day, last_day, period
from verbs.show import AsJson
from verbs.tables import add_row, output, table

app = typer.Typer(help="Show, enter and end positions, and who holds them.", no_args_is_help=True)

Position = Annotated[str, typer.Argument(help="The position's id, such as vice_president.")]


@app.command("list")
def list_positions(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the positions and who holds, held or will hold each."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        known = api.get("/institution/positions")["items"]
        tenures = api.get("/institution/tenures")["items"]
    if as_json:
        typer.echo(json.dumps({"positions": known, "tenures": tenures}))
        return
    titles = (
        mark("Position"),
        mark("Name of the position"),
        mark("Account"),
        mark("From"),
        mark("Until"),
        mark("Tenure"),
    )
    rows = table([translator.tr(title) for title in titles], whole=[0, 5])
    named = {one["slug"]: one["title"][translator.language] for one in known}
    for slug in [*named, *sorted({one["position"] for one in tenures} - named.keys())]:
        held = [one for one in tenures if one["position"] == slug]
        if not held:
            add_row(rows, slug, named[slug], "", "", "", "")
        for one in held:
            days = first_day(one["since"], settings, translator), last_day(one["until"], settings, translator)
            add_row(rows, slug, named.get(slug, ""), one["account"], *days, one["id"])
    output().print(rows)


@app.command("add")
def add(
    context: typer.Context,
    position: Position,
    title_vi: Annotated[str, typer.Option(help="Its title in Vietnamese.")],
    title_en: Annotated[str, typer.Option(help="Its title in English.")],
    organisation: Annotated[str | None, typer.Option(help="The organisation that alone has it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Enter a position. For administrators."""
    settings = options(context).settings()
    body: dict[str, Any] = {"slug": position, "title": {"vi": title_vi, "en": title_en}}
    body |= {"organisation": organisation} if organisation else {}
    with api_of(settings) as api:
        made = api.post("/institution/positions", body)
    sentence = translator_of(settings).tr("The position %(position)s is entered.", position=position)
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("hold")
def hold(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="The account's id.")],
    position: Position,
    first: From = None,
    last: Until = None,
    as_json: AsJson = False,
) -> None:
    """Let an account hold a position. For administrators."""
    settings = options(context).settings()
    body = {"account": account, "position": position, **period(first, last, settings)}
    with api_of(settings) as api:
        made = api.post("/institution/tenures", body)
    sentence = translator_of(settings).tr(
        "%(account)s holds %(position)s: %(tenure)s", account=account, position=position, tenure=made["id"]
    )
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("end")
def end(
    context: typer.Context,
    tenure: Annotated[str, typer.Argument(help="The tenure's id, as `legation position list` shows it.")],
    last: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], metavar="DAY", help="The last day; else it ends at once."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody hold a position no more. For administrators."""
    settings = options(context).settings()
    body = {"until": after_last_instant(last, settings)} if last else {}
    with api_of(settings) as api:
        made = api.post(f"/institution/tenures/{tenure}/end", body)
    sentence = translator_of(settings).tr("The tenure %(tenure)s ends.", tenure=tenure)
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("rename")
def rename(
    context: typer.Context,
    position: Position,
    title_vi: Annotated[str, typer.Option(help="Its title in Vietnamese.")],
    title_en: Annotated[str, typer.Option(help="Its title in English.")],
    as_json: AsJson = False,
) -> None:
    """Correct the title of a position. For administrators."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.put(f"/institution/positions/{position}", {"title": {"vi": title_vi, "en": title_en}})
    sentence = translator_of(settings).tr("The title of the position %(position)s is corrected.", position=position)
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("abolish")
def abolish(context: typer.Context, position: Position, as_json: AsJson = False) -> None:
    """Let a position that nobody holds and no rules name be given to nobody any more. For administrators."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/institution/positions/{position}/end", None)
    sentence = translator_of(settings).tr("The position %(position)s has ended.", position=position)
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("close-desk")
def close_desk(
    context: typer.Context,
    position: Position,
    organisation: Annotated[str, typer.Argument(help="The organisation that has nobody for it any more.")],
    as_json: AsJson = False,
) -> None:
    """Give up a vacant desk: files go to the next organisation above that has the position. For administrators."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/institution/positions/{position}/closed-desks", {"organisation": organisation})
    sentence = translator_of(settings).tr(
        "The desk of %(position)s at %(organisation)s is given up.", position=position, organisation=organisation
    )
    typer.echo(json.dumps(made) if as_json else sentence)
