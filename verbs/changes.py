"""`legation changes`: what changed in a file between two points of it."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.at_hand import api_at_hand
from verbs.instants import instant
from verbs.language import translator_of
from verbs.options import options
from verbs.show import AsJson, Delegation
from verbs.tables import add_row, output, say, table
from words.changes import NOTHING
from words.times import business_time


def changes(
    context: typer.Context,
    delegation: Delegation,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Since this day's end or this time; else since the opening.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until this day's end or this time; else until now.")
    ] = None,
    since_seq: Annotated[int | None, typer.Option(min=1, help="Since after the event of this number.")] = None,
    until_seq: Annotated[int | None, typer.Option(min=1, help="Until after the event of this number.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed in a file between two points: what the later state says otherwise than the earlier one.

    What was changed and changed back in between is no change; `legation trail ID --changes` tells each step.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        zone = api.get(f"/delegations/{delegation}")["state"]["zone"]
        found = api.get(
            f"/delegations/{delegation}/changes",
            since=since and instant(since, zone),
            until=until and instant(until, zone),
            since_seq=since_seq,
            until_seq=until_seq,
        )
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(found, zone, translator)


def _show(found: Mapping[str, Any], zone: str, translator: Translator) -> None:
    points = [_point(found[end], zone, translator) for end in ("since", "until")]
    say(translator.tr(mark("From %(since)s to %(until)s:"), since=points[0], until=points[1]), style="bold")
    told = [one["said"] for one in found["items"] if one["said"]]
    if not told:
        say(translator.tr(mark("Nothing changed.")))
        return
    rows = table([translator.tr(title) for title in (mark("What"), mark("Before"), mark("After"))])
    for one in told:
        add_row(rows, one["what"], one["before"] or NOTHING, one["after"] or NOTHING)
    output().print(rows)


def _point(standing: Mapping[str, Any] | None, zone: str, translator: Translator) -> str:
    if standing is None:
        return translator.tr(mark("before the opening"))
    at = business_time(standing["at"], zone, translator)
    return translator.tr(mark("event no. %(seq)s (%(time)s)"), seq=standing["seq"], time=at)
