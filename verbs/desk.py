"""`legation inbox` and `legation desk`: what waits for me, and what waits where, since when and until when."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.list import rules_in_force
from verbs.options import options
from verbs.refusal import Refusal
from verbs.state_line import COORDINATORS_DESK, standing_in
from verbs.tables import add_row, output, say, table
from words.codes import AGEING, WHY_NOT, word
from words.edition import EditionWords
from words.times import business_day

LARGEST_PAGE = 200
REPORT = "report"


class By(StrEnum):
    """By what to count."""

    approver = "approver"
    position = "position"
    organisation = "organisation"
    coordinator = "coordinator"


def inbox(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show what waits for you: for the positions you hold or stand in for, and as coordinator; most urgent first.

    What you may not sign yourself, such as your own trip, says so: another one has to.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        items = list(api.pages("/inbox", limit=LARGEST_PAGE))
        if as_json:
            typer.echo(json.dumps({"items": items}, indent=2, ensure_ascii=False))
        elif not items:
            say(translator.tr("Nothing waits for you."))
        else:
            _show(items, rules_in_force(api, translator), translator, settings.zone)


def desk(
    context: typer.Context,
    account: Annotated[
        str | None, typer.Option(help="Only what lies with this account, as approver, substitute or coordinator.")
    ] = None,
    position: Annotated[
        list[str] | None, typer.Option(help="Only what waits for this position; may be repeated.")
    ] = None,
    organisation: Annotated[
        str | None, typer.Option(help="Only the files of this organisation and those below it.")
    ] = None,
    delegation: Annotated[str | None, typer.Option(help="Only this file.")] = None,
    missed: Annotated[bool | None, typer.Option("--missed/--in-time", help="Only what is late, or is not.")] = None,
    by: Annotated[By | None, typer.Option("--by", "--totals", help="Count instead of listing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show on whose desk each file lies, since when, and until when; or how much lies where, and how long already."""
    settings = options(context).settings()
    translator = translator_of(settings)
    if by is not None and (account is not None or position):
        raise Refusal(mark("What is counted is not narrowed to an account or position: leave --by out to list."))
    which = {"organisation": organisation, "delegation": delegation, "missed": missed}
    with api_of(settings) as api:
        if by is not None:
            counted = api.get("/desks/totals", by=by, **which)
            if as_json:
                typer.echo(json.dumps(counted, indent=2, ensure_ascii=False))
            else:
                _show_totals(counted["items"], by, rules_in_force(api, translator), translator, settings.zone)
            return
        items = list(api.pages("/desks", limit=LARGEST_PAGE, account=account, position=position or None, **which))
        if as_json:
            typer.echo(json.dumps({"items": items}, indent=2, ensure_ascii=False))
        elif not items:
            say(translator.tr("Nothing lies on these desks."))
        else:
            _show(items, rules_in_force(api, translator), translator, settings.zone)


def _show(items: Sequence[Mapping[str, Any]], rules: EditionWords, translator: Translator, zone: str) -> None:
    # Of one's own desks nobody has to be told where they stand.
    everybody = "desk_organisation" in items[0]
    days = mark("Working days") if everybody else mark("Days")
    titles = [mark("Delegation"), mark("Title"), mark("Waits for"), mark("What"), days, mark("Due")]
    titles += [mark("At")] if everybody else []
    rows = table([translator.tr(title) for title in titles], right=[4], whole=[0])
    for item in items:
        cells = [
            item["delegation"],
            item["title"],
            _whose(item, rules, translator, zone),
            _what(item, translator),
            str(item["working_days"] if everybody else item["age_days"]),
            _due(item, translator),
        ]
        cells += [item["desk_organisation"] or ""] if everybody else []
        add_row(rows, *cells, style="red" if item["missed"] else None)
    output().print(rows)


def _whose(item: Mapping[str, Any], rules: EditionWords, translator: Translator, zone: str) -> str:
    if item["position"] is None:
        return translator.tr("the coordinator (%(account)s)", account=item["account"])
    desk = rules.position(item["position"])
    if item.get("signers"):
        desk += f" ({', '.join(item['signers'])})"
    return desk + standing_in(item["substitutes"], zone, translator)


def _what(item: Mapping[str, Any], translator: Translator) -> str:
    if item["step_title"] is not None:
        what = translator.tr("Signature: %(step)s", step=item["step_title"][translator.language])
    elif item["what"] == REPORT:
        what = translator.tr("Acceptance of the final report")
    elif item["what"] == COORDINATORS_DESK:
        what = translator.tr("The next move")
    else:
        what = str(item["what"])
    if item.get("on_behalf_of"):
        what += f", {translator.tr('in place of %(name)s', name=item['on_behalf_of'])}"
    if item.get("why_not"):
        why_not = word(WHY_NOT, item["why_not"], translator)
        what = translator.tr("%(what)s; not yours to sign: %(reason)s", what=what, reason=why_not)
    return what


def _due(item: Mapping[str, Any], translator: Translator) -> str:
    if item["due_on"] is None:
        return ""
    day = translator.short_date(date.fromisoformat(item["due_on"]))
    return f"{day}; {translator.tr('overdue')}" if item["missed"] else day


def _show_totals(
    items: Sequence[Mapping[str, Any]], by: By, rules: EditionWords, translator: Translator, zone: str
) -> None:
    if not items:
        say(translator.tr("Nothing lies on these desks."))
        return
    names = {
        By.approver: mark("Approver"),
        By.position: mark("Position"),
        By.organisation: mark("Organisation"),
        By.coordinator: mark("Coordinator"),
    }
    titles = (names[by], mark("At"), mark("Files"), mark("Overdue"), mark("Oldest since"), *AGEING.values())
    rows = table([translator.tr(title) for title in titles], right=[2, 3, *range(5, 5 + len(AGEING))])
    for item in items:
        name = translator.tr("nobody (vacant, or an outside authority)") if item["name"] is None else item["name"]
        name = rules.position(name) if by is By.position else name
        oldest = translator.short_date(business_day(datetime.fromisoformat(item["oldest"]), zone))
        aged = (str(item["ageing"][one] or "") for one in AGEING)
        add_row(rows, name, item["at"] or "", str(item["files"]), str(item["missed"]), oldest, *aged)
    output().print(rows)
