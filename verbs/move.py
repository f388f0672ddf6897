"""`legation move`: gives an item of the programme another time, and tells those concerned."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from locales import Translator, mark
from verbs.asking import Api, api_of
from verbs.file_view import overlaps_told
from verbs.language import translator_of
from verbs.options import options
from verbs.people import names
from verbs.receipt import answer
from verbs.refusal import Refusal
from verbs.show import AsJson, Delegation
from verbs.tables import say
from words.times import at_place


def move(
    context: typer.Context,
    delegation: Delegation,
    item: Annotated[str, typer.Argument(help="The item's id, as `legation show` has it.")],
    starts: Annotated[str, typer.Option(metavar="TIME", help="The new start on the clock there: 2026-04-11T14:30.")],
    ends: Annotated[str | None, typer.Option(metavar="TIME", help="The new end; else it lasts as long.")] = None,
    zone: Annotated[str | None, typer.Option(help="Whose clock, as Asia/Ho_Chi_Minh; else the item's own.")] = None,
    fold: Annotated[
        int | None, typer.Option(min=0, max=1, help="Of a start that autumn shows twice: 0 the first, 1 the second.")
    ] = None,
    place: Annotated[str | None, typer.Option(help="The new place; else it stays.")] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish the programme with it, so that calendars hear of it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move an item. With --publish those whose calendars change hear of it at once, and nobody else."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        known = file["state"]["items"].get(item)
        if known is None:
            raise Refusal(
                mark("The programme of %(delegation)s has no item %(item)s."), delegation=delegation, item=item
            )
        command: dict[str, Any] = {"type": "move_item", "item_id": item, **new_times(known, starts, ends, zone, fold)}
        command |= {"place": place} if place else {}
        receipt = api.send(delegation, command, *([{"type": "publish_programme"}] if publish else []))
        sentence = translator.tr("Moved: %(title)s, %(time)s.", title=known["title"], time=_told(command, translator))
        answer(receipt, sentence, translator, as_json=as_json)
        if not as_json:
            _show_consequences(api, delegation, item, receipt, translator, published=publish)


def new_times(
    item: Mapping[str, Any], starts: str, ends: str | None, zone: str | None, fold: int | None = None
) -> dict[str, Any]:
    """The fields `starts` and `ends` of the command that moves an item.

    A zone that is given holds for both ends, unless they are in two zones: then for the start. Without `ends` the
    item lasts as long as before, counted in real time, also over a change of the clock.
    """
    start_zone = zone or item["starts"]["zone"]
    one_zone = item["starts"]["zone"] == item["ends"]["zone"]
    end_zone = start_zone if one_zone else item["ends"]["zone"]
    first = {"local": starts, "zone": start_zone} | ({} if fold is None else {"fold": fold})
    if ends is not None:
        return {"starts": first, "ends": {"local": ends, "zone": end_zone}}
    try:
        begin = datetime.fromisoformat(starts).replace(tzinfo=ZoneInfo(start_zone), fold=fold or 0)
    except (ValueError, ZoneInfoNotFoundError):
        # The API says what is wrong with it; any end will do.
        return {"starts": first, "ends": first}
    return {"starts": first, "ends": _local(begin.astimezone(UTC) + _length(item), end_zone)}


def _length(item: Mapping[str, Any]) -> timedelta:
    return at_place(item["ends"]) - at_place(item["starts"])


def _local(instant: datetime, zone: str) -> dict[str, Any]:
    wall = instant.astimezone(ZoneInfo(zone))
    twice = wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()
    return {"local": wall.strftime("%Y-%m-%dT%H:%M"), "zone": zone} | ({"fold": wall.fold} if twice else {})


def _told(command: Mapping[str, Any], translator: Translator) -> str:
    starts, ends = (
        datetime.fromisoformat(command[end]["local"]).replace(tzinfo=ZoneInfo(command[end]["zone"]))
        for end in ("starts", "ends")
    )
    last = translator.clock_time(ends) if starts.date() == ends.date() else translator.date_and_time(ends)
    return f"{translator.date_and_time(starts)} – {last} {translator.zone_label(ends)}"


def _show_consequences(
    api: Api, delegation: str, item: str, receipt: Mapping[str, Any], translator: Translator, *, published: bool
) -> None:
    events = [
        event for event in api.events(delegation, receipt["first_seq"] - 1) if event["seq"] <= receipt["last_seq"]
    ]
    messages = [one for event in events if event["type"] == "InvitationsIssued" for one in event["data"]["messages"]]
    told = {person for message in messages for person in message["to"]}
    if told:
        say(translator.ntr("%(count)s person hears of it.", "%(count)s people hear of it.", len(told)))
    elif not published:
        say(translator.tr("Calendars do not know of it yet: --publish, or publish the programme."))
    file = api.get(f"/delegations/{delegation}", at_least=receipt["last_seq"])
    if waiting := {person for one in file["untold"] if one["item_id"] == item for person in one["to"]}:
        until = datetime.fromisoformat(file["state"]["quiet_until"]).astimezone(ZoneInfo(file["state"]["zone"]))
        sentence = translator.ntr(
            "%(count)s person hears of it after %(time)s, unless it changes again.",
            "%(count)s people hear of it after %(time)s, unless it changes again.",
            len(waiting),
            time=translator.clock_time(until),
        )
        say(sentence)
    own = [overlap for overlap in file["overlaps"] if item in (overlap["first"], overlap["second"])]
    if own:
        people = names(api, file["state"]["people"], translator)
        for warning in overlaps_told(file["state"], own, people, translator):
            say(f"⚠ {warning}", style="yellow")
