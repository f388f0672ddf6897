"""`legation organisation`: the tree of organisations whose files, positions and accounts Legation keeps."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.periods import DAY, From, Until, after_last_instant, first_day, last_day, period
from verbs.refusal import Refusal
from verbs.show import AsJson
from verbs.tables import add_row, output, table
from words.codes import word

app = typer.Typer(help="Show, enter, change and end organisations.", no_args_is_help=True)


Organisation = Annotated[str, typer.Argument(help="Its id, such as song-lam.")]


class Kind(StrEnum):
    """What an organisation is."""

    central_union = "central_union"
    provincial_union = "provincial_union"
    member_organisation = "member_organisation"
    mission = "mission"
    ministry = "ministry"
    authority = "authority"


KINDS = {
    "central_union": mark("central union"),
    "provincial_union": mark("provincial union"),
    "member_organisation": mark("member organisation"),
    "mission": mark("mission abroad"),
    "ministry": mark("ministry"),
    "authority": mark("authority"),
}


@app.command("list")
def list_organisations(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the tree of organisations; one that changed has a line for each of its periods."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        found = api.get("/institution/organisations")
    if as_json:
        typer.echo(json.dumps(found))
        return
    titles = (mark("Organisation"), mark("Name of the organisation"), mark("Kind"), mark("From"), mark("Until"))
    rows = table([translator.tr(title) for title in titles], whole=[0])
    for depth, one in _tree(found["items"]):
        add_row(
            rows,
            f"{'  ' * depth}{one['slug']}",
            one["name"][translator.language],
            word(KINDS, one["kind"], translator),
            first_day(one["since"], settings, translator),
            last_day(one["until"], settings, translator),
        )
    output().print(rows)


@app.command("add")
def add(
    context: typer.Context,
    organisation: Organisation,
    kind: Annotated[Kind, typer.Option(help="What it is.")],
    name_vi: Annotated[str, typer.Option(help="Its name in Vietnamese.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    parent: Annotated[str | None, typer.Option(help="The organisation above it; else it stands on top.")] = None,
    first: From = None,
    last: Until = None,
    as_json: AsJson = False,
) -> None:
    """Enter an organisation. For administrators."""
    settings = options(context).settings()
    translator = translator_of(settings)
    body: dict[str, Any] = {"slug": organisation, "kind": kind.value, "name": {"vi": name_vi, "en": name_en}}
    body |= {"parent": parent} if parent else {}
    with api_of(settings) as api:
        made = api.post("/institution/organisations", body | period(first, last, settings))
    _told(made, translator, as_json=as_json)


@app.command("change")
def change(
    context: typer.Context,
    organisation: Organisation,
    kind: Annotated[Kind | None, typer.Option(help="What it is from then on; else what it was.")] = None,
    name_vi: Annotated[str | None, typer.Option(help="Its name in Vietnamese; else what it was.")] = None,
    name_en: Annotated[str | None, typer.Option(help="Its name in English; else what it was.")] = None,
    parent: Annotated[str | None, typer.Option(help="The organisation above it; else what it was.")] = None,
    top: Annotated[bool, typer.Option("--top", help="It stands on top from then on.")] = False,
    first: From = None,
    as_json: AsJson = False,
) -> None:
    """Give an organisation another name, kind or place in the tree from a day on. For administrators."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        since = period(first, None, settings)
        before = _as_it_is(api.get("/institution/organisations")["items"], organisation, since.get("since"))
        if before is None:
            raise Refusal(mark("There is no organisation of this id at that time."))
        name = {"vi": name_vi or before["name"]["vi"], "en": name_en or before["name"]["en"]}
        above = None if top else parent or before["parent"]
        body = {"kind": kind.value if kind else before["kind"], "name": name, "parent": above}
        made = api.put(f"/institution/organisations/{organisation}", body | since)
    sentence = translator.tr("The organisation %(organisation)s is changed.", organisation=organisation)
    typer.echo(json.dumps(made) if as_json else sentence)


@app.command("end")
def end(
    context: typer.Context,
    organisation: Organisation,
    last: Annotated[datetime, typer.Option("--until", formats=DAY, metavar="DAY", help="The last day.")],
    successor: Annotated[
        str | None,
        typer.Option(help="The organisation that its files, archive and people go on to; else what it stands below."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let an organisation end. With open files or offices it needs a successor. For administrators."""
    settings = options(context).settings()
    body = {"until": after_last_instant(last, settings)} | ({"successor": successor} if successor else {})
    with api_of(settings) as api:
        made = api.post(f"/institution/organisations/{organisation}/end", body)
    sentence = translator_of(settings).tr("The organisation %(organisation)s ends.", organisation=organisation)
    typer.echo(json.dumps(made) if as_json else sentence)


def _as_it_is(items: list[dict[str, Any]], slug: str, since: str | None) -> dict[str, Any] | None:
    """Return the entry of an organisation at an instant, else now."""
    at = datetime.fromisoformat(since) if since else datetime.now(UTC)
    for one in items:
        begins, ends = datetime.fromisoformat(one["since"]), one["until"] and datetime.fromisoformat(one["until"])
        if one["slug"] == slug and begins <= at and (not ends or at < ends):
            return one
    return None


def _told(made: dict[str, Any], translator: Translator, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(made))
    else:
        typer.echo(translator.tr("The organisation %(organisation)s is entered.", organisation=made["slug"]))


def _tree(
    items: list[dict[str, Any]], above: str | None = None, depth: int = 0
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the entries from the top down, each with its depth; an entry that moved stands where it is last."""
    last = {one["slug"]: one["parent"] for one in items}
    for slug in dict.fromkeys(one["slug"] for one in items):
        if last[slug] == above:
            yield from ((depth, one) for one in items if one["slug"] == slug)
            yield from _tree(items, slug, depth + 1)
