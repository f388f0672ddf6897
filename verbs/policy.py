"""`legation policy`: which chain of approval a delegation would get, and why."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.open import read_opening
from verbs.options import options
from verbs.refusal import Refusal
from verbs.show import AsJson
from verbs.tables import add_row, output, say, table
from words.edition import EditionWords
from words.policies import doubts, explained, warnings, who_signs, who_sits

app = typer.Typer(help="Policies of approval: who signs, and why they.", no_args_is_help=True)

STAND_IN = {"ref": "per_00000000", "commitment": "0" * 64}
"""In the place of people: which policy applies depends on nobody's name, so nobody is entered into the register."""


class Matter(StrEnum):
    """What is to be approved."""

    request = "request"
    programme_change = "programme_change"
    final_report = "final_report"


@app.command("explain")
def explain(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="A file as `legation open` takes it; - reads standard input.")
    ] = None,
    delegation: Annotated[
        str | None, typer.Option("--delegation", help="An open delegation: the chain that it got, and would get now.")
    ] = None,
    matter: Annotated[Matter, typer.Option(help="What is to be approved.")] = Matter.request,
    as_json: AsJson = False,
) -> None:
    """Show which chain of approval a delegation would get, and why: each condition of each policy, met or not.

    Who sits at each desk now is shown with it, what nobody can sign as things stand, and who decides in a conflict.
    Nothing is opened, and nobody is entered into the register.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    if (file is None) == (delegation is None):
        raise Refusal(mark("Name either a file or, with --delegation, an open delegation."))
    with api_of(settings) as api:
        if file is not None:
            opening = read_opening(file, translator)
            body = opening.body(dict.fromkeys(opening.people, STAND_IN))
            found = now = api.post(f"/policies/explain?matter={matter}", body)
        else:
            found = api.get(f"/delegations/{delegation}/policy?matter={matter}")
            now = found["now"]
        rules = None if as_json else EditionWords(api.get(f"/editions/{now['edition']}"), translator)
    if rules is None:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if delegation is not None:
        _show_laid(found["got"], rules, translator)
    for line in explained(now["policy"], now["why"], translator, matter):
        say(line)
    if now["policy"] is not None:
        _show_steps(now["policy"], translator)
        _show_desks(now, rules, translator)


@app.command("check")
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what the registers do not bear of the policies of each edition: positions that nobody holds, or too few."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        found = api.get("/editions")["items"]
    if as_json:
        typer.echo(json.dumps({"items": found}, indent=2, ensure_ascii=False))
        return
    for one in found:
        say(f"{one['title'][translator.language]} ({one['digest'][:12]})")
        said = list(doubts(one["doubts"], translator))
        for line in said or [translator.tr("Every position of its policies is held.")]:
            say(f"  {line}")


def _show_laid(got: Mapping[str, Any] | None, rules: EditionWords, translator: Translator) -> None:
    if got is None:
        say(translator.tr("Nothing was submitted yet in this matter."))
        return
    if chain := got["chain"]:
        values = {"number": got["number"], "policy": chain["rule"], "version": chain["version"]}
        say(translator.tr("Proposal %(number)s got: %(policy)s, version %(version)s", **values))
    _show_desks(got, rules, translator)
    say("")
    say(translator.tr("As things stand now:"))


def _show_desks(found: Mapping[str, Any], rules: EditionWords, translator: Translator) -> None:
    """Who sits where, and what is to be known of it."""
    rows = table([translator.tr(title) for title in (mark("Step"), mark("Organisation"), mark("Who sits there now"))])
    for step in found["steps"]:
        title = step["title"][translator.language]
        if step["external"]:
            add_row(rows, title, "", translator.tr("an outside authority"))
        for desk in step["desks"]:
            add_row(rows, title, desk["organisation"] or "", who_sits(desk, translator))
    output().print(rows)
    hindered = [step for step in found["steps"] if step["hindered"]]
    told = [{"step_id": step["step_id"], "why": step["hindered"]} for step in hindered]
    for line in warnings(found["conflicted"], told, rules.step, rules.position, translator):
        say(line)


def _show_steps(policy: Mapping[str, Any], translator: Translator) -> None:
    titles = (mark("Stage"), mark("Step"), mark("Who"), mark("Working days"), mark("Then to"), mark("Looks at"))
    rows = table([translator.tr(title) for title in titles], right=[0, 3])
    for place, step in enumerate(policy["steps"], 1):
        add_row(
            rows,
            str(step["stage"] or place),
            f"{step['title'][translator.language]} ({step['id']})",
            who_signs(step, translator),
            str(step["time_limit_working_days"]),
            ", ".join(dict.fromkeys(_goes_up(step))),
            ", ".join(step["looks_at"]) or translator.tr("everything"),
        )
    output().print(rows)


def _goes_up(step: Mapping[str, Any]) -> list[str]:
    """Return the positions that hear of it while nobody answers a step, in order."""
    first = [step["escalate_to"]] if step["escalate_to"] else []
    return first + [further["to"] for further in step["escalate"]]
