"""`legation policy`: which chain of approval a delegation would get, and why."""

import json
from collections.abc import Iterator, Mapping, Sequence
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


def explained(
    policy: Mapping[str, Any] | None,
    why: Sequence[Mapping[str, Any]],
    translator: Translator,
    matter: Matter = Matter.request,
) -> Iterator[str]:
    """Yield the sentences that say which policy was chosen and why, given the API's answer."""
    language = translator.language
    if policy is None and matter is Matter.programme_change:
        yield translator.tr("No policy applies: changes after the decision need no approval.")
    elif policy is None:
        yield translator.tr("No policy applies: the proposal could not be submitted.")
    else:
        named = {"policy": policy["id"], "version": policy["version"], "title": policy["title"][language]}
        yield translator.tr("Chosen: %(policy)s, version %(version)s: %(title)s", **named)
        yield translator.tr("Source: %(source)s", source=policy["source"])
        sentence = RESUBMISSION[policy["resubmission"]]
        yield translator.tr(sentence)
        if policy["about"]:
            parts = translator.listing(translator.tr(PART_KINDS[kind]) for kind in policy["about"])
            yield translator.tr("What needs approval when it changes after the decision: %(parts)s", parts=parts)
    for candidate in why:
        verdict = mark("chosen") if candidate["chosen"] else mark("outranked")
        if not candidate["applies"]:
            verdict = mark("does not apply")
        values = {"policy": candidate["policy"], "title": candidate["title"][language]}
        values |= {"verdict": translator.tr(verdict), "priority": candidate["priority"]}
        yield translator.tr("%(policy)s, priority %(priority)s, %(verdict)s: %(title)s", **values)
        for one in candidate["conditions"]:
            yield f"  {'✓' if one['met'] else '✗'} {_condition(one, translator)}"
        if not candidate["conditions"]:
            nothing = translator.tr("states no condition")
            yield f"  ✓ {nothing}"


RESUBMISSION = {
    "whole": mark("After a return the whole chain signs again."),
    "minimal": mark("After a return only those sign again whose parts of the dossier changed."),
}

PART_KINDS = {
    "request": mark("the request"),
    "member": mark("the members"),
    "programme": mark("the programme"),
    "ceiling": mark("the ceiling of costs"),
    "limit": mark("limits exceeded and their reasons"),
    "document": mark("the documents"),
}

CONDITIONS = {
    "run_by": mark("run by %(wanted)s (here: %(found)s)"),
    "issuer": mark("regulation of %(wanted)s (here: %(found)s)"),
    "head_level": mark("level of the head: %(wanted)s (here: %(found)s)"),
    "countries": mark("one of the countries %(wanted)s (here: %(found)s)"),
    "conference": mark("conference: %(wanted)s (here: %(found)s)"),
    "entry_papers_needed": mark("entry papers needed: %(wanted)s (here: %(found)s)"),
    "limits_breached": mark("limits exceeded: %(wanted)s (here: %(found)s)"),
    "cost_at_least": mark("cost from %(wanted)s (here: %(found)s)"),
    "cost_below": mark("cost below %(wanted)s (here: %(found)s)"),
}

CODES = {
    "central_union": mark("the central union"),
    "provincial_union": mark("a provincial union"),
    "member_organisation": mark("a member organisation"),
    "standard": mark("standard"),
    "high": mark("high-level leader"),
    "prime_minister": mark("at the prime minister's level"),
    "other": mark("at another level"),
    "none": mark("none"),
}


def _condition(one: Mapping[str, Any], translator: Translator) -> str:
    said = {side: _said(one["condition"], one[side], translator) for side in ("wanted", "found")}
    sentence = CONDITIONS.get(one["condition"], "%(wanted)s / %(found)s")
    return translator.tr(sentence, **said)


def _said(condition: str, value: Any, translator: Translator) -> str:
    if value is None:
        return translator.tr("not known")
    if isinstance(value, bool):
        return translator.tr("yes") if value else translator.tr("no")
    if isinstance(value, int):
        return translator.money_vnd(value)
    values = [value] if isinstance(value, str) else list(value)
    if condition == "countries":
        return translator.listing(translator.country(code) for code in values)
    if condition == "limits_breached" and not values:
        return translator.tr("no")
    return translator.listing(translator.tr(CODES[code]) if code in CODES else code for code in values)


def _show_steps(policy: Mapping[str, Any], translator: Translator) -> None:
    titles = (mark("Stage"), mark("Step"), mark("Who"), mark("Working days"), mark("Then to"), mark("Looks at"))
    rows = table([translator.tr(title) for title in titles], right=[0, 3])
    for place, step in enumerate(policy["steps"], 1):
        add_row(
            rows,
            str(step["stage"] or place),
            f"{step['title'][translator.language]} ({step['id']})",
            _who(step, translator),
            str(step["time_limit_working_days"]),
            step["escalate_to"] or "",
            ", ".join(step["looks_at"]) or translator.tr("everything"),
        )
    output().print(rows)


def _who(step: Mapping[str, Any], translator: Translator) -> str:
    prefix = f"{step['signature_prefix']}. " if step["signature_prefix"] else ""
    if step["external"]:
        return translator.tr("an outside authority")
    if step["one_of"]:
        return prefix + translator.tr("one of %(positions)s", positions=", ".join(step["one_of"]))
    if step["all_of"]:
        return prefix + translator.tr("all of %(positions)s", positions=", ".join(step["all_of"]))
    if step["n_of"]:
        values = {"count": step["n_of"]["count"], "positions": ", ".join(step["n_of"]["positions"])}
        return prefix + translator.tr("%(count)s of %(positions)s", **values)
    return f"{prefix}{step['position']}"
