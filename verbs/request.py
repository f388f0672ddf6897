"""`legation request`: what people ask about their own data, by when it is due, and what became of it."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.show import AsJson
from verbs.tables import add_row, output, say, table
from words.codes import word
from words.requests import KINDS, REASONS, STATES, WAYS
from words.times import business_time

app = typer.Typer(help="Requests of people about their own data, with the law's dates.", no_args_is_help=True)

LARGEST_PAGE = 200


class Kind(StrEnum):
    """What is asked."""

    access = "access"
    correction = "correction"
    erasure = "erasure"
    objection = "objection"
    withdrawal = "withdrawal"
    restriction = "restriction"


class Way(StrEnum):
    """The way a request came."""

    in_person = "in_person"
    letter = "letter"
    email = "email"
    telephone = "telephone"
    form = "form"


class Why(StrEnum):
    """Why a request is refused."""

    identity_not_proven = "identity_not_proven"
    not_authorised = "not_authorised"
    nothing_held = "nothing_held"
    required_by_law = "required_by_law"
    rights_of_others = "rights_of_others"
    repeated = "repeated"


RequestId = Annotated[
    str, typer.Argument(metavar="REQUEST", help="The request's id, as `legation request list` shows it.")
]
Text = Annotated[str | None, typer.Option("--text", help="What whoever asks was told.")]
Json = Annotated[bool, typer.Option("--json", help="The request as JSON.")]


@app.command("receive")
def receive(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What is asked.")],
    person: Annotated[
        str | None, typer.Option(help="Who asks: the reference of somebody in the register, per_….")
    ] = None,
    description: Annotated[str | None, typer.Option(help="Who asks and what for, in words.")] = None,
    via: Annotated[Way, typer.Option(help="The way it came.")] = Way.letter,
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], metavar="INSTANT", help="When it came, with its zone; else now."),
    ] = None,
    processor: Annotated[
        bool, typer.Option("--processor", help="Somebody who works on the house's behalf has to take part.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Record that somebody asks, and show by when they are answered and by when it is done."""
    body = {
        "kind": kind.value,
        "via": via.value,
        "person": person,
        "description": description,
        "received_at": at.isoformat() if at else None,
        "processor": processor,
    }
    _changed(context, "/person-requests", body, as_json)


@app.command("list")
def list_requests(
    context: typer.Context,
    kind: Annotated[Kind | None, typer.Option(help="Only those that ask this.")] = None,
    person: Annotated[str | None, typer.Option(help="Only those of this person, per_….")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are ended.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those that are late.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what people ask, and by when it is due. The newest first."""
    settings = options(context).settings()
    translator = translator_of(settings)
    filters: dict[str, Any] = {"kind": kind.value if kind else None, "person": person, "overdue": overdue or None}
    with api_of(settings) as api:
        items = list(api.pages("/person-requests", limit=LARGEST_PAGE, open=None if everything else True, **filters))
    if as_json:
        typer.echo(json.dumps({"items": items}, ensure_ascii=False))
    elif not items:
        say(translator.tr("No request waits."))
    else:
        titles = (
            mark("Request id"),
            mark("What"),
            mark("Of"),
            mark("Came"),
            mark("Answer by"),
            mark("Done by"),
            mark("State"),
        )
        rows = table([translator.tr(title) for title in titles], whole=[0])
        for one in items:
            add_row(
                rows,
                one["id"],
                word(KINDS, one["kind"], translator),
                one["person"] or translator.tr("somebody described"),
                business_time(one["received_at"], settings.zone, translator),
                _day(one["answer_due_on"], translator),
                _day(one["carry_out_due_on"], translator),
                _state(one, translator),
                style="bold" if one["overdue"] else None,
            )
        output().print(rows)


@app.command("show")
def show(context: typer.Context, request: RequestId, as_json: AsJson = False) -> None:
    """Show a request: its dates and their rule, what was written, and what became of it."""
    settings = options(context).settings()
    with api_of(settings) as api:
        found = api.get(f"/person-requests/{request}")
    _show(found, translator_of(settings), settings.zone, as_json)


@app.command("identify")
def identify(
    context: typer.Context,
    request: RequestId,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The reference of the person, per_….")],
    as_json: Json = False,
) -> None:
    """Record who in the register asks, where words described them alone."""
    _changed(context, f"/person-requests/{request}/identify", {"person": person}, as_json)


@app.command("answer")
def answer(context: typer.Context, request: RequestId, text: Text = None, as_json: Json = False) -> None:
    """Record that whoever asks was answered."""
    _changed(context, f"/person-requests/{request}/answer", {"text": text}, as_json)


@app.command("extend")
def extend(
    context: typer.Context,
    request: RequestId,
    days: Annotated[int, typer.Option(min=1, help="How many days more.")],
    reason: Annotated[str, typer.Option(help="Why; what whoever asks was told.")],
    as_json: Json = False,
) -> None:
    """Take more time, once, before the time has passed."""
    _changed(context, f"/person-requests/{request}/extend", {"days": days, "reason": reason}, as_json)


@app.command("carry-out")
def carry_out(
    context: typer.Context,
    request: RequestId,
    erasure: Annotated[str | None, typer.Option(help="The erasure that was carried out.")] = None,
    correction: Annotated[str | None, typer.Option(help="The commitment of the corrected version.")] = None,
    export: Annotated[str | None, typer.Option(help="The digest of the export that was handed over.")] = None,
    text: Text = None,
    as_json: Json = False,
) -> None:
    """Record that what was asked is done, and what shows it."""
    body = {"erasure": erasure, "correction": correction, "export": export, "text": text}
    _changed(context, f"/person-requests/{request}/carry-out", body, as_json)


@app.command("refuse")
def refuse(
    context: typer.Context,
    request: RequestId,
    reason: Annotated[Why, typer.Option(help="Why.")],
    text: Text = None,
    as_json: Json = False,
) -> None:
    """Refuse what is asked, for one of the reasons there are."""
    _changed(context, f"/person-requests/{request}/refuse", {"reason": reason.value, "text": text}, as_json)


@app.command("take-back")
def take_back(context: typer.Context, request: RequestId, as_json: Json = False) -> None:
    """Record that whoever asked no longer does."""
    _changed(context, f"/person-requests/{request}/take-back", None, as_json)


@app.command("export")
def export(
    context: typer.Context,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The reference of the person, per_….")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there, readable by its owner alone.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Of the page: vi or en; else that of the person.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs, with the digest that a request names.")
    ] = False,
) -> None:
    """Bring together everything that is held of a person. It is recorded that you did."""
    settings = options(context).settings()
    with api_of(settings) as api:
        path = f"/persons/{person}/export"
        if as_json:
            found = json.dumps(api.get(path), indent=2, ensure_ascii=False) + "\n"
        else:
            found = api.text(path, format="text", language=language)
    if out is None:
        typer.echo(found, nl=False)
        return
    out.touch(mode=0o600)
    out.chmod(0o600)
    out.write_text(found, "utf-8")
    say(translator_of(settings).tr("Written to %(file)s.", file=str(out)))


def _changed(context: typer.Context, path: str, body: Mapping[str, Any] | None, as_json: bool) -> None:
    settings = options(context).settings()
    said = None if body is None else {name: value for name, value in body.items() if value is not None}
    with api_of(settings) as api:
        found = api.post(path, said)
    _show(found, translator_of(settings), settings.zone, as_json)


def _show(one: Mapping[str, Any], translator: Translator, zone: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(one, indent=2, ensure_ascii=False))
        return
    say(f"{one['id']}: {word(KINDS, one['kind'], translator)}", style="bold")
    lines = [
        (mark("State"), _state(one, translator)),
        (mark("Of"), one["person"] or translator.tr("somebody described")),
        (mark("Came"), f"{business_time(one['received_at'], zone, translator)}, {word(WAYS, one['via'], translator)}"),
        (mark("Answer by"), _due(one["answer_due_on"], one["answered_at"], one["answered_late"], zone, translator)),
        (mark("Done by"), _due(one["carry_out_due_on"], one["ended_at"], one["ended_late"], zone, translator)),
        (mark("Rule"), f"{one['rule']} {one['rule_version']}; {one['source']}"),
        (mark("Days off"), ", ".join(one["days_off"])),
        (mark("Erasure"), one["erasure"]),
        (mark("Corrected version"), one["correction"]),
        (mark("Export"), one["export"]),
    ]
    texts = one.get("texts") or {}
    lines += [
        (mark("Description"), texts.get("description")),
        (mark("Answer"), texts.get("answer")),
        (mark("Reason of the extension"), texts.get("extension_reason")),
        (mark("Told at the end"), texts.get("closing")),
    ]
    for title, said in lines:
        if said:
            say(f"  {translator.tr(title)}: {said}")


def _due(on: str, done: str | None, late: bool, zone: str, translator: Translator) -> str:
    day = _day(on, translator)
    if done is None:
        return day
    when = business_time(done, zone, translator)
    sentence = mark("%(day)s; done late, %(when)s") if late else mark("%(day)s; done %(when)s")
    return translator.tr(sentence, day=day, when=when)


def _state(one: Mapping[str, Any], translator: Translator) -> str:
    said = word(STATES, one["status"], translator)
    if one["reason"]:
        said = f"{said} ({word(REASONS, one['reason'], translator)})"
    late = {"answer": mark("the answer is overdue"), "carry_out": mark("overdue")}
    return "; ".join([said, *(translator.tr(late[what]) for what in one["overdue"])])


def _day(day: str, translator: Translator) -> str:
    return translator.short_date(date.fromisoformat(day))
