"""`legation inbox` and `legation desk`: what waits for me, and what waits where, since when and until when."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.list import rules_in_force
from verbs.options import options
from verbs.state_line import COORDINATORS_DESK, standing_in
from verbs.tables import add_row, output, say, table
from words.edition import EditionWords
from words.times import business_day

LARGEST_PAGE = 200
REPORT = "report"


class By(StrEnum):
    """By what to count."""

    position = "position"
    organisation = "organisation"
    coordinator = "coordinator"


def inbox(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show what waits for you: for the positions you hold, and as coordinator. The most urgent first."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        items = list(api.pages("/inbox", limit=LARGEST_PAGE))
        if as_json:
            typer.echo(json.dumps({"items": items}, indent=2, ensure_ascii=False))
        elif not items:
            say(translator.tr("Nothing waits for you."))
        else:
            _show(items, rules_in_force(api, translator), translator, settings.zone)


def desk(
    context: typer.Context,
    position: Annotated[
        list[str] | None, typer.Option(help="Only what waits for this position; may be repeated.")
    ] = None,
    organisation: Annotated[str | None, typer.Option(help="Only the files of this organisation.")] = None,
    missed: Annotated[bool | None, typer.Option("--missed/--in-time", help="Only what is late, or is not.")] = None,
    totals: Annotated[By | None, typer.Option(help="Count instead of listing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show on whose desk each file lies, since when, and until when; or how much lies where."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        if totals is not None:
            counted = api.get("/desks/totals", by=totals, organisation=organisation)
            if as_json:
                typer.echo(json.dumps(counted, indent=2, ensure_ascii=False))
            else:
                _show_totals(counted["items"], totals, rules_in_force(api, translator), translator, settings.zone)
            return
        query = {"position": position or None, "organisation": organisation, "missed": missed}
        items = list(api.pages("/desks", limit=LARGEST_PAGE, **query))
        if as_json:
            typer.echo(json.dumps({"items": items}, indent=2, ensure_ascii=False))
        elif not items:
            say(translator.tr("Nothing lies on these desks."))
        else:
            _show(items, rules_in_force(api, translator), translator, settings.zone)


def _show(items: Sequence[Mapping[str, Any]], rules: EditionWords, translator: Translator, zone: str) -> None:
    titles = (mark("Delegation"), mark("Title"), mark("Waits for"), mark("What"), mark("Days"), mark("Due"))
    rows = table([translator.tr(title) for title in titles], right=[4], whole=[0])
    for item in items:
        add_row(
            rows,
            item["delegation"],
            item["title"],
            _whose(item, rules, translator, zone),
            _what(item, translator),
            str(item["age_days"]),
            _due(item, translator),
            style="red" if item["missed"] else None,
        )
    output().print(rows)


def _whose(item: Mapping[str, Any], rules: EditionWords, translator: Translator, zone: str) -> str:
    if item["position"] is None:
        return translator.tr("the coordinator (%(account)s)", account=item["account"])
    return rules.position(item["position"]) + standing_in(item["substitutes"], zone, translator)


def _what(item: Mapping[str, Any], translator: Translator) -> str:
    if item["step_title"] is not None:
        return translator.tr("Signature: %(step)s", step=item["step_title"][translator.language])
    if item["what"] == REPORT:
        return translator.tr("Acceptance of the final report")
    return translator.tr("The next move") if item["what"] == COORDINATORS_DESK else str(item["what"])


def _due(item: Mapping[str, Any], translator: Translator) -> str:
    if item["due_on"] is None:
        return ""
    day = translator.short_date(date.fromisoformat(item["due_on"]))
    return f"{day}; {translator.tr('overdue')}" if item["missed"] else day


def _show_totals(
    items: Sequence[Mapping[str, Any]], by: By, rules: EditionWords, translator: Translator, zone: str
) -> None:
    if not items:
        say(translator.tr("Nothing lies on these desks."))
        return
    names = {
        By.position: mark("Position"),
        By.organisation: mark("Organisation"),
        By.coordinator: mark("Coordinator"),
    }
    titles = (names[by], mark("Files"), mark("Overdue"), mark("Oldest since"))
    rows = table([translator.tr(title) for title in titles], right=[1, 2])
    for item in items:
        name = rules.position(item["name"]) if by is By.position else item["name"]
        oldest = translator.short_date(business_day(datetime.fromisoformat(item["oldest"]), zone))
        add_row(rows, name, str(item["files"]), str(item["missed"]), oldest)
    output().print(rows)
