"""`legation organisation`: the tree of organisations whose files, positions and accounts Legation keeps."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.periods import From, Until, first_day, last_day, period
from verbs.show import AsJson
from verbs.tables import add_row, output, table
from words.codes import word

app = typer.Typer(help="Show and enter organisations.", no_args_is_help=True)


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
    organisation: Annotated[str, typer.Argument(help="Its id, such as song-lam.")],
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
