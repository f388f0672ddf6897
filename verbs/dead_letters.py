"""`legation dead-letters` and `legation resend`: which mails did not arrive, and sending them again."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import Api, api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.tables import add_row, output, say, table
from words.codes import word
from words.times import business_time

LARGEST_PAGE = 200
UNDELIVERED = {
    "refused": mark("refused by the mail server"),
    "dead": mark("given up after many attempts"),
    "bounced": mark("returned"),
}


def dead_letters(
    context: typer.Context,
    delegation: Annotated[str | None, typer.Option(help="Only those of this delegation.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show the mails that did not arrive: refused, given up, or returned. The newest first."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        items = _letters(api, delegation)
        if as_json:
            typer.echo(json.dumps({"items": items}, indent=2, ensure_ascii=False))
        elif not items:
            say(translator.tr("Every mail arrived, as far as is known."))
        else:
            _show(items, translator, settings.zone)


def resend(
    context: typer.Context,
    delegation: Annotated[str, typer.Argument(help="The delegation's id.")],
    letters: Annotated[
        list[int] | None, typer.Argument(metavar="[NUMBER]...", help="The numbers that `legation dead-letters` shows.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that may be sent again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The receipt as JSON.")] = False,
) -> None:
    """Send mails again that did not arrive.

    The same octets go out; where somebody's address was corrected since, a new copy goes to the corrected one.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    if bool(letters) is everything:
        raise Refusal(mark("Name the numbers of the mails, or --all."))
    with api_of(settings) as api:
        known = {item["number"]: item for item in _letters(api, delegation)}
        chosen = letters or [number for number, item in known.items() if not item["superseded"]]
        for number in chosen:
            if number not in known:
                raise Refusal(mark("The delegation has no undelivered mail no. %(number)s."), number=number)
        if not chosen:
            say(translator.tr("Every mail arrived, as far as is known."))
            return
        # In the order in which they were written, which is that of the numbers.
        messages = [known[number]["message_id"] for number in sorted(set(chosen))]
        receipt = api.send(delegation, {"type": "resend_mail", "messages": messages})
        if as_json:
            typer.echo(json.dumps(receipt, indent=2, ensure_ascii=False))
        else:
            say(translator.tr("Mails that are being sent again: %(count)s", count=len(messages)))


def _letters(api: Api, delegation: str | None) -> list[dict[str, Any]]:
    return list(api.pages("/dead-letters", limit=LARGEST_PAGE, delegation=delegation))


def _show(items: Sequence[Mapping[str, Any]], translator: Translator, zone: str) -> None:
    titles = (mark("No."), mark("Delegation"), mark("For"), mark("Mail"), mark("Became"), mark("When"))
    rows = table([translator.tr(title) for title in titles], right=[0], whole=[1])
    for item in items:
        add_row(
            rows,
            str(item["number"]),
            item["delegation"],
            translator.listing(item["participants"]) if item["participants"] else "–",
            item["kind"],
            _became(item, translator),
            business_time(item["bounced_at"] or item["last_attempt_at"] or item["entered_at"], zone, translator),
        )
    output().print(rows)


def _became(item: Mapping[str, Any], translator: Translator) -> str:
    said = word(UNDELIVERED, item["status"], translator)
    code = item["status_code"] or item["reply"]
    text = f"{said} ({code})" if code else said
    return translator.tr("%(became)s; replaced by a later mail", became=text) if item["superseded"] else text
