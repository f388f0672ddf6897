"""`legation told`: who was told what of one item, when, by which channel, and what they answered."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.at_hand import api_at_hand
from verbs.language import translator_of
from verbs.options import options
from verbs.people import names
from verbs.refusal import Refusal
from verbs.show import AsJson
from verbs.tables import add_row, output, say, table
from words.codes import ANSWERS, CHANNELS, MAIL_STATES, word
from words.times import at_place, business_time, span

Item = Annotated[
    str,
    typer.Argument(
        metavar="ITEM", help="The item: its UID, as every calendar shows it, or DELEGATION/ITEM with the ids of both."
    ),
]

METHODS = {"REQUEST": mark("invited"), "CANCEL": mark("taken out")}
"""What a message of each method does in a calendar."""


def told(context: typer.Context, item: Item, as_json: AsJson = False) -> None:
    """Show who was told what of an item: each message with time, channel, what it said and what became of it."""
    settings = options(context).settings()
    translator = translator_of(settings)
    delegation, item_id = _named(item)
    with api_at_hand(settings) as api:
        found = api.get(f"/delegations/{delegation}/items/{item_id}/told")
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        file = api.get(f"/delegations/{delegation}")
        people = names(api, file["state"]["people"], translator)
    _show(found, people, translator, file["state"]["zone"])


def _named(item: str) -> tuple[str, str]:
    """Return delegation and item of `DELEGATION/ITEM` or of a UID, `ITEM.DELEGATION@domain`."""
    if "/" in item:
        delegation, _, item_id = item.partition("/")
        return delegation, item_id
    item_id, _, rest = item.partition(".")
    delegation = rest.partition("@")[0]
    if not delegation:
        raise Refusal(mark("Name the item by its UID, or as DELEGATION/ITEM."))
    return delegation, item_id


def _show(found: Mapping[str, Any], people: Mapping[str, str], translator: Translator, zone: str) -> None:
    if found["view"] is None:
        say(translator.tr("This item is not published: nobody was told of it."))
        return
    say(f"{found['view']['title']}, {_when(found['view'], zone, translator)}", style="bold")
    if found["cancelled"]:
        say(translator.tr("It was taken off the programme."))
    if found["quiet_until"]:
        until = business_time(found["quiet_until"], zone, translator)
        say(translator.tr("What is new goes out after %(time)s.", time=until))
    titles = (mark("To whom"), mark("When"), mark("Channel"), mark("What"), mark("State"))
    rows = table([translator.tr(title) for title in titles], whole=[1])
    for person in found["people"]:
        for cells in _rows(person, people, translator, zone):
            add_row(rows, *cells)
    output().print(rows)


def _rows(
    person: Mapping[str, Any], people: Mapping[str, str], translator: Translator, zone: str
) -> list[tuple[str, ...]]:
    name = people.get(person["participant_id"], person["participant_id"])
    rows = [
        (
            business_time(one["at"], zone, translator),
            word(CHANNELS, one["channel"], translator),
            f"{word(METHODS, one['method'], translator)} ({one['sequence']}): {_when(one['view'], zone, translator)}",
            word(MAIL_STATES, one["status"], translator),
        )
        for one in person["tellings"]
    ]
    channel = word(CHANNELS, person["channel"], translator)
    if written := person["written"]:
        what = translator.tr("written (%(sequence)s)", sequence=written["sequence"])
        rows.append((business_time(written["written_at"], zone, translator), channel, what, ""))
    elif person["channel"] == "feed" and person["fetched_on"]:
        looked = translator.short_date(date.fromisoformat(person["fetched_on"]))
        rows.append((looked, channel, translator.tr("looked last"), ""))
    elif person["channel"] != "mail" or not (rows or person["waiting"]):
        rows.append(("", channel, "", ""))
    if method := person["waiting"]:
        rows.append(("", channel, word(METHODS, method, translator), word(MAIL_STATES, "waiting", translator)))
    if answer := person["answer"]:
        rows.append(
            (business_time(answer["at"], zone, translator), "", word(ANSWERS, answer["answer"], translator), "")
        )
    return [(name if place == 0 else "", *cells) for place, cells in enumerate(rows)]


def _when(view: Mapping[str, Any], zone: str, translator: Translator) -> str:
    day = translator.short_date(at_place(view["starts"]).date())
    return f"{day}, {span(view, zone, translator)}" + (f", {view['place']}" if view["place"] else "")
