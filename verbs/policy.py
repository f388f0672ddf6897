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
from verbs.show import AsJson
from verbs.tables import add_row, output, say, table
from words.policies import explained, who_signs

app = typer.Typer(help="Policies of approval: who signs, and why they.", no_args_is_help=True)

STAND_IN = {"ref": "per_00000000", "commitment": "0" * 64}
"""In the place of people: which policy applies depends on nobody's name, so nobody is entered into the register."""


class Matter(StrEnum):
    """What is to be approved."""

    request = "request"
    programme_change = "programme_change"
    final_report = "final_report"


@app.callback()
def _policies() -> None:
    """Keep the verb's second word though there is only one."""


@app.command("explain")
def explain(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file as `legation open` takes it; - reads standard input.")],
    matter: Annotated[Matter, typer.Option(help="What is to be approved.")] = Matter.request,
    as_json: AsJson = False,
) -> None:
    """Show which chain of approval a delegation would get, and why: each condition of each policy, met or not.

    Nothing is opened, and nobody is entered into the register.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    opening = read_opening(file, translator)
    body = opening.body(dict.fromkeys(opening.people, STAND_IN))
    with api_of(settings) as api:
        found = api.post(f"/policies/explain?matter={matter}", body)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for line in explained(found["policy"], found["why"], translator, matter):
        say(line)
    if found["policy"] is not None:
        _show_steps(found["policy"], translator)


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
