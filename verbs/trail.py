"""`legation trail`: everything that happened to a file, in the order in which it was sealed."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from locales import mark
from verbs.asking import Api
from verbs.at_hand import api_at_hand
from verbs.edition import EditionWords
from verbs.event_words import Reader, sentence_of
from verbs.language import translator_of
from verbs.options import options
from verbs.show import AsJson, Delegation
from verbs.tables import add_row, output, say, table
from verbs.times import business_time

SYSTEM = "system"


def trail(
    context: typer.Context,
    delegation: Delegation,
    follow: Annotated[bool, typer.Option("--follow", help="Keep waiting for what comes, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every event of a file: its number, its business time, who did it, and what.

    With --json the events are shown as they were sealed; with --follow too, one object a line. Nothing is verified
    here: that is the work of a verifier that trusts nobody.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        rules = EditionWords(api.get(f"/editions/{file['state']['edition']}"), translator)
        reader = Reader(translator, rules, file["state"]["zone"])
        if follow:
            _follow(api, delegation, reader, as_json=as_json)
        elif as_json:
            typer.echo(json.dumps({"items": list(api.events(delegation))}, indent=2, ensure_ascii=False))
        else:
            _show(list(api.events(delegation)), reader)


def _show(events: list[Mapping[str, Any]], reader: Reader) -> None:
    titles = (mark("No."), mark("When"), mark("Who"), mark("What"))
    rows = table([reader.tr(title) for title in titles], right=[0], whole=[0, 1])
    for event in events:
        add_row(rows, *_cells(event, reader))
    output().print(rows)
    if events:
        say(reader.tr("Head of the trail: %(head)s", head=events[-1]["hash"]))


def _cells(event: Mapping[str, Any], reader: Reader) -> tuple[str, str, str, str]:
    who = reader.tr("(by itself)") if event["actor"] == SYSTEM else event["actor"]
    when = business_time(event["at"], reader.zone, reader.translator)
    return str(event["seq"]), when, who, sentence_of(event, reader)


def _follow(api: Api, delegation: str, reader: Reader, *, as_json: bool) -> None:
    try:
        for event in _as_they_come(api, delegation):
            if as_json:
                typer.echo(json.dumps(event, ensure_ascii=False))
            else:
                say("  ".join(_cells(event, reader)))
    except KeyboardInterrupt:
        # How a person ends it, so it is no failure.
        return


def _as_they_come(api: Api, delegation: str) -> Iterator[Mapping[str, Any]]:
    seen = 0
    for event in api.events(delegation):
        yield event
        seen = event["seq"]
    yield from api.follow(delegation, seen)
