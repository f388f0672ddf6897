"""`legation replies`: answers by mail that a person has to look at, and what is to become of them."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.receipt import answer as answered
from verbs.show import AsJson
from verbs.tables import add_row, output, say, table
from words.codes import ANSWERS, word
from words.replies import why
from words.times import business_day

app = typer.Typer(help="Answers by mail that a person has to look at.", no_args_is_help=True)

LARGEST_PAGE = 50


class Answer(StrEnum):
    """What somebody answers."""

    accepted = "accepted"
    declined = "declined"
    tentative = "tentative"


@app.command("list")
def list_replies(
    context: typer.Context,
    delegation: Annotated[str | None, typer.Argument(help="Only what is about this delegation.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what waits for a person, the oldest first."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        items = list(api.pages("/replies", limit=LARGEST_PAGE, delegation=delegation))
    if as_json:
        typer.echo(json.dumps({"items": items}, indent=2, ensure_ascii=False))
        return
    if not items:
        say(translator.tr("No answer waits for a person."))
        return
    titles = (
        mark("Mail"),
        mark("Received"),
        mark("Delegation"),
        mark("Item"),
        mark("From"),
        mark("Says"),
        mark("Why"),
    )
    rows = table([translator.tr(title) for title in titles], whole=[0])
    for item in items:
        add_row(
            rows,
            item["mail"],
            translator.short_date(business_day(datetime.fromisoformat(item["received_at"]), settings.zone)),
            item["delegation"] or "",
            item["item_id"] or "",
            _from(item),
            _says(item, translator),
            why(item["reason"], translator),
        )
    output().print(rows)


@app.command("settle")
def settle(
    context: typer.Context,
    mail: Annotated[str, typer.Argument(help="The mail, as `legation replies list` shows it.")],
    answer: Annotated[Answer, typer.Argument(help="What it answers.")],
    participant: Annotated[list[str], typer.Argument(help="Whose answer it is; several for a shared mailbox.")],
    item: Annotated[str | None, typer.Option(help="To which item; else the one the mail is about.")] = None,
    delegation: Annotated[str | None, typer.Option(help="Of which delegation, where none is known.")] = None,
    as_json: AsJson = False,
) -> None:
    """Record what a mail says as somebody's answer."""
    settings = options(context).settings()
    body = {"participants": participant, "answer": answer.value, "item_id": item, "delegation": delegation}
    with api_of(settings) as api:
        receipt = api.post(f"/replies/{mail}/settle", {name: value for name, value in body.items() if value})
    translator = translator_of(settings)
    sentence = translator.tr("The answer in the mail %(mail)s is recorded.", mail=mail)
    answered(receipt, sentence, translator, as_json=as_json)


@app.command("dismiss")
def dismiss(
    context: typer.Context,
    mail: Annotated[str, typer.Argument(help="The mail, as `legation replies list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Take a mail out of the list that leads to nothing; what it said is destroyed."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post(f"/replies/{mail}/dismiss", None)
    sentence = translator_of(settings).tr("The mail %(mail)s is dismissed.", mail=mail)
    typer.echo(json.dumps(made) if as_json else sentence)


def _from(item: Mapping[str, Any]) -> str:
    people = ", ".join(item["participants"])
    return f"{item['sender']} ({people})" if people else str(item["sender"])


def _says(item: Mapping[str, Any], translator: Translator) -> str:
    answer = word(ANSWERS, item["answer"], translator) if item["answer"] else ""
    proposed = " – ".join(part for part in (item["starts"], item["ends"]) if part)
    return "; ".join(part for part in (answer, proposed, item["comment"], "" if answer else item["subject"]) if part)
