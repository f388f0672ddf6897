"""`legation checkpoint`: the signed roots over everything that is sealed: shown, made now, and the key behind them."""

import json
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from embedded.folder import DataFolder
from locales import mark
from settings import PREFIX, Settings
from verbs.asking import Api, api_of
from verbs.at_hand import api_at_hand
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.show import AsJson
from verbs.tables import add_row, output, say, table

app = typer.Typer(
    help="Show, make and sign checkpoints: one signed root over everything that is sealed.", no_args_is_help=True
)

PAGE = 1000


@app.command("list")
def list_checkpoints(
    context: typer.Context,
    after: Annotated[int, typer.Option(help="Only those after this number.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """List the checkpoints: number, time, how many events, root, and the key that signed."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        found, duties = _all(api.get("/checkpoints", after=after, limit=PAGE), api)
    if as_json:
        typer.echo(json.dumps({"items": found, "duties": duties}))
        return
    titles = (mark("Number"), mark("Made"), mark("Events"), mark("Root"), mark("Key"))
    rows = table([translator.tr(title) for title in titles], right=[0, 2], whole=[1, 4])
    for one in found:
        size = translator.number(one["size"])
        add_row(rows, str(one["number"]), _time(one["at"], settings), size, one["root"], one["key_id"])
    output().print(rows)
    for duty in duties:
        if duty["failure"]:
            text = mark("%(duty)s: %(failure)s since %(since)s %(place)s")
            place = f"({duty['stream'] or ''} {duty['seq']})" if duty["seq"] else ""
            since = _time(duty["failed_since"], settings)
            said = translator.tr(text, duty=duty["duty"], failure=duty["failure"], since=since, place=place)
            say(said.rstrip(), style="red")


@app.command("make")
def make(context: typer.Context, as_json: AsJson = False) -> None:
    """Make a checkpoint now, over everything that is sealed by now. An administrator's token is needed."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        asked = api.post("/checkpoints", None)
    if as_json:
        typer.echo(json.dumps(asked))
    elif asked["state"] == "made":
        one = asked["checkpoint"]
        text = mark("Checkpoint %(number)s of %(time)s holds %(size)s events. Root: %(root)s")
        size = translator.number(one["size"])
        say(translator.tr(text, number=one["number"], time=_time(one["at"], settings), size=size, root=one["root"]))
    elif asked["state"] == "begun":
        say(translator.tr("It is being made: see `legation checkpoint list`."))
    else:
        say(translator.tr("Nothing takes it up now: the next round by the clock will."))


@app.command("show")
def show(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="Its number; else the last one's.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="As it was signed, on one line: keep it elsewhere, byte for byte.")
    ] = False,
) -> None:
    """Show a checkpoint whole."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        one = _last(api) if number is None else api.get(f"/checkpoints/{number}")
    if as_json:
        # The canonical form (RFC 8785) of an object whose values are numbers and ASCII.
        typer.echo(json.dumps(one, sort_keys=True, separators=(",", ":")))
        return
    rows = table(["", ""], whole=[0])
    rows.show_header = False
    for title, value in (
        (mark("Number"), str(one["number"])),
        (mark("Made"), _time(one["at"], settings)),
        (mark("Installation"), one["origin"]),
        (mark("Events"), translator.number(one["size"])),
        (mark("Root"), one["root"]),
        (mark("Checkpoint before"), one["prev"]),
        (mark("Key"), one["key_id"]),
        (mark("Public key"), one["public_key"]),
        (mark("Endorsed by the key before"), one.get("endorsement", "")),
        (mark("Signature"), one["signature"]),
    ):
        if value:
            add_row(rows, translator.tr(title), value)
    output().print(rows)


@app.command("rotate-key")
def rotate_key(context: typer.Context) -> None:
    """Put a new key before the one that signs checkpoints. The next checkpoint carries the endorsement of the old one.

    Earlier keys stay in the file: without them nobody could verify what they signed.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    if settings.checkpoint_key is not None:
        raise Refusal(
            mark(
                "The key stands in %(variable)s: put a new one (`openssl rand -base64 32`) and a comma before those "
                "that are there, and restart the workers. Keep the earlier ones."
            ),
            variable=f"{PREFIX}CHECKPOINT_KEY",
        )
    # Refuses a file that others may read, and one that holds no keys.
    settings.checkpoint_keys()
    DataFolder(settings.data_dir).put_new_key_first(settings.checkpoint_key_file)
    text = mark("A new key stands first in %(file)s: the next checkpoint is signed with it. Keep a copy of the file.")
    say(translator.tr(text, file=settings.checkpoint_key_file))


def _all(page: dict[str, Any], api: Api) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    found = list(page["items"])
    while page["next_after"] is not None:
        page = api.get("/checkpoints", after=page["next_after"], limit=PAGE)
        found += page["items"]
    return found, page["duties"]


def _last(api: Api) -> dict[str, Any]:
    page = api.get("/checkpoints", limit=1)
    # Who makes them notes how far they are: there may be a hundred a day.
    known = max((duty["number"] for duty in page["duties"] if duty["duty"] == "sealing"), default=0)
    found, _ = _all(api.get("/checkpoints", after=max(0, known - 1), limit=PAGE), api)
    if not found:
        raise Refusal(mark("There is no checkpoint yet."))
    return found[-1]


def _time(instant: str, settings: Settings) -> str:
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(settings.zone))
    return translator_of(settings).date_and_time(local)
