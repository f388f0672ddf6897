"""`legation list`: the delegations, by what coordinators look for."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import Api
from verbs.at_hand import api_at_hand
from verbs.instants import instant
from verbs.language import translator_of
from verbs.options import options
from verbs.state_line import COORDINATORS_DESK
from verbs.tables import add_row, output, say, table
from words.codes import PHASES, word
from words.edition import EditionWords

LARGEST_PAGE = 200


class Phase(StrEnum):
    """Where a delegation is on its way."""

    drafted = "drafted"
    submitted = "submitted"
    under_approval = "under_approval"
    returned = "returned"
    approved = "approved"
    inviting = "inviting"
    under_way = "under_way"
    reporting = "reporting"
    closed = "closed"
    rejected = "rejected"
    postponed = "postponed"
    cancelled = "cancelled"


class Direction(StrEnum):
    """Who travels: they to us, or we to them."""

    inbound = "inbound"
    outbound = "outbound"


class Sort(StrEnum):
    """By what the list is ordered."""

    starts = "starts"
    updated = "updated"
    next_due = "next_due"
    by_title = "title"


def list_(
    context: typer.Context,
    phase: Annotated[list[Phase] | None, typer.Option(help="Only in this phase; may be repeated.")] = None,
    direction: Annotated[Direction | None, typer.Option(help="Only those who come, or those who go.")] = None,
    coordinator: Annotated[str | None, typer.Option(help="Only the files of this account.")] = None,
    organisation: Annotated[str | None, typer.Option(help="Only the files of this organisation.")] = None,
    year: Annotated[int | None, typer.Option(help="Only those that begin in this year.")] = None,
    q: Annotated[
        str | None, typer.Option("--q", help="Words of title, partner or places; with or without diacritics.")
    ] = None,
    due_before: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only those with something due before this day, as 2026-04-11.")
    ] = None,
    waits_for: Annotated[
        list[str] | None,
        typer.Option(help="Only what waits for this position, or for `coordinator`; may be repeated."),
    ] = None,
    sort: Annotated[Sort, typer.Option(help="By what to order.")] = Sort.starts,
    descending: Annotated[bool, typer.Option("--descending", help="The other way round.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LARGEST_PAGE, help="How many lines a page has.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next_cursor` of the page before.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="As it was: at the end of a day, at a local time, at an instant."),
    ] = None,
    every_page: Annotated[bool, typer.Option("--all", help="Every page, not only one.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """List the delegations: where each stands, on whose desk, and what is due next."""
    settings = options(context).settings()
    translator = translator_of(settings)
    query = {
        "phase": phase or None,
        "direction": direction,
        "coordinator": coordinator,
        "organisation": organisation,
        "year": year,
        "q": q,
        "due_before": due_before,
        "waits_for": waits_for or None,
        "sort": sort,
        "order": "desc" if descending else "asc",
        "limit": LARGEST_PAGE if every_page else limit,
        "cursor": cursor,
        "as_of": as_of and instant(as_of, settings.zone),
    }
    with api_at_hand(settings) as api:
        if every_page:
            page: dict[str, Any] = {"items": list(api.pages("/delegations", **query)), "next_cursor": None}
        else:
            page = api.get("/delegations", **query)
        if as_json:
            typer.echo(json.dumps(page, indent=2, ensure_ascii=False))
            return
        if not page["items"]:
            say(translator.tr("No delegation is like that. A new one begins with `legation open FILE`."))
            return
        _show(page["items"], rules_in_force(api, translator), translator)
    if page["next_cursor"]:
        say(translator.tr("There are more: --all shows them all."))


def rules_in_force(api: Api, translator: Translator) -> EditionWords:
    """The words of the edition that new files are opened under today."""
    today = datetime.now(UTC).date().isoformat()
    editions = api.get("/editions")["items"]
    effective = [one for one in editions if one["effective_from"] <= today] or editions
    return EditionWords(api.get(f"/editions/{effective[-1]['digest']}"), translator)


def _show(items: list[Mapping[str, Any]], rules: EditionWords, translator: Translator) -> None:
    titles = (
        mark("Delegation"),
        mark("Title"),
        mark("Phase"),
        mark("Dates"),
        mark("People"),
        mark("Waits for"),
        mark("Next due"),
    )
    rows = table([translator.tr(title) for title in titles], right=[4], whole=[0])
    for item in items:
        starts, ends = date.fromisoformat(item["starts"]), date.fromisoformat(item["ends"])
        add_row(
            rows,
            item["id"],
            item["title"],
            word(PHASES, item["phase"], translator),
            f"{translator.short_date(starts)} – {translator.short_date(ends)}",
            str(item["head_count"]),
            _desk(item, rules, translator),
            _due(item, rules, translator),
            style="red" if item["overdue"] else None,
        )
    output().print(rows)


def _desk(item: Mapping[str, Any], rules: EditionWords, translator: Translator) -> str:
    match item["waits_for"]:
        case None:
            return ""
        case str() as desk if desk == COORDINATORS_DESK:
            return translator.tr("the coordinator (%(account)s)", account=item["coordinator"])
        case desk:
            return rules.position(desk)


def _due(item: Mapping[str, Any], rules: EditionWords, translator: Translator) -> str:
    late = translator.tr("overdue") if item["overdue"] else ""
    if item["next_due_on"] is None:
        return late
    day = translator.short_date(date.fromisoformat(item["next_due_on"]))
    what = rules.duty_named(item["next_due_what"], item["next_due_rule"])
    return "; ".join(part for part in (f"{day}: {what} ({item['next_due_rule']})", late) if part)
