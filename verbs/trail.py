"""`legation trail`: everything that happened to a file, in the order in which it was sealed."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from locales import mark
from verbs.asking import Api
from verbs.at_hand import api_at_hand
from verbs.instants import BEGINS, instant
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.show import AsJson, Delegation
from verbs.tables import add_row, output, say, table
from words.edition import EditionWords
from words.events import Reader, sentence_of
from words.times import business_time
from words.trail import PROOF_HEADINGS, Entry, came_of_it, took_effect, what_changed, who

SYSTEM = "system"

Changed = Annotated[bool, typer.Option("--changes", help="Also what each event changed, and what came of it.")]


def trail(
    context: typer.Context,
    delegation: Delegation,
    actor: Annotated[str | None, typer.Option(help="Only what this account did; `system`: by itself.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only events of this type, as StepSigned; may be repeated.")
    ] = None,
    begins: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Only from this day or time on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only up to this day, or before this time.")] = None,
    about: Annotated[
        str | None, typer.Option(metavar="ID", help="Only about this step, item, person on the file or document.")
    ] = None,
    changed: Changed = False,
    proof: Annotated[bool, typer.Option("--proof", help="Also which event of which history proves each.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Keep waiting for what comes, until Ctrl-C.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A sheet with everything, in UTF-8.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every event of a file: its number, its business time, who did it, and what.

    With --json the events are shown as they were sealed, or with --changes or --proof as the API tells them; with
    --follow too, one object a line. Nothing is verified here: that is the work of a verifier that trusts nobody.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    narrowed = any(one is not None for one in (actor, kind, begins, until, about))
    if follow and (narrowed or as_csv or proof or changed):
        raise Refusal(mark("With --follow every event is shown, as it comes: leave the other options out."))
    with api_at_hand(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        rules = EditionWords(api.get(f"/editions/{file['state']['edition']}"), translator)
        zone = file["state"]["zone"]
        reader = Reader(translator, rules, zone)
        query = {
            "actor": actor,
            "type": kind or None,
            "since": begins and instant(begins, zone, of_a_day=BEGINS),
            "until": until and instant(until, zone),
            "about": about,
            "proof": proof or None,
        }
        if follow:
            _follow(api, delegation, reader, as_json=as_json)
        elif as_csv:
            sys.stdout.buffer.write(api.download(f"/delegations/{delegation}/trail", format="csv", **query))
        elif as_json and not (narrowed or changed or proof):
            typer.echo(json.dumps({"items": list(api.events(delegation))}, indent=2, ensure_ascii=False))
        elif as_json:
            entries = list(_told(api, delegation, query))
            typer.echo(json.dumps({"items": entries}, indent=2, ensure_ascii=False))
        else:
            _show(list(_told(api, delegation, query)), reader, changed=changed, proof=proof)
            say(reader.tr("Head of the trail: %(head)s", head=file["head"]))


def _told(api: Api, delegation: str, query: Mapping[str, Any]) -> Iterator[Entry]:
    after: int | None = 0
    while after is not None:
        page = api.get(f"/delegations/{delegation}/trail", after=after, limit=200, **query)
        yield from page["items"]
        after = page["next_after"]


def _show(entries: list[Entry], reader: Reader, *, changed: bool, proof: bool) -> None:
    titles = [mark("No."), mark("When"), mark("Who"), mark("What")]
    titles += [mark("What changed"), mark("What came of it")] if changed else []
    titles += PROOF_HEADINGS if proof else []
    rows = table([reader.tr(title) for title in titles], right=[0], whole=[0, 1])
    for entry in entries:
        cells = [str(entry["seq"]), reader.time(entry["at"]), who(entry, reader), entry["said"]]
        if effective := took_effect(entry, reader):
            cells[1] = reader.tr(mark("%(decided)s; took effect: %(effective)s"), decided=cells[1], effective=effective)
        if changed:
            cells += ["\n".join(what_changed(entry)), "\n".join(came_of_it(entry, reader))]
        if proof:
            found = entry["proof"] or {}
            cells += [str(found.get(name, "")) for name in ("workflow_id", "run_id", "event_id")]
        add_row(rows, *cells)
    output().print(rows)


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
