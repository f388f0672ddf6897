"""`legation retention`: how long each kind of data is kept, and the plans of what is due."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.show import AsJson
from verbs.tables import add_row, output, say, table
from words.codes import word
from words.requests import DATA, OUTCOMES, PLANS, kept_for
from words.times import business_time

app = typer.Typer(
    help="How long data are kept, and plans of what is due. A plan removes nothing until it is applied.",
    no_args_is_help=True,
)

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, as `legation retention list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="The plan as JSON.")]


@app.command("schedule")
def schedule(context: typer.Context, as_json: AsJson = False) -> None:
    """Show how long each kind of data is kept by the rules in force today."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        found = api.get("/retention")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    ways = {
        "planned": mark("removed by a plan"),
        "proposed": mark("proposed for erasure"),
        "kept": mark("never removed"),
    }
    titles = (mark("Data"), mark("Kept for"), mark("Due from before"), mark("What becomes of it"), mark("Rule"))
    rows = table([translator.tr(title) for title in titles])
    for one in found["items"]:
        add_row(
            rows,
            word(DATA, one["what"], translator),
            kept_for(one["keep"], translator),
            business_time(one["due_before"], settings.zone, translator) if one["due_before"] else "–",
            word(ways, one["way"], translator),
            f"{one['rule']} {one['version']}",
        )
    output().print(rows)
    swept = mark("Every night: what no command named for %(unclaimed)s days, settled mails after %(mails)s days.")
    say(translator.tr(swept, unclaimed=found["unclaimed_days"], mails=found["received_mail_days"]))
    if found["round"] == "apply":
        say(translator.tr("A plan that nobody stops is applied after %(days)s days.", days=found["plan_days"]))
    else:
        say(translator.tr("A plan waits for an administrator to apply it."))


@app.command("plan")
def plan(context: typer.Context, as_json: Json = False) -> None:
    """Plan what is due now, and show it. Nothing is removed."""
    settings = options(context).settings()
    with api_of(settings) as api:
        made = api.post("/retention/plans", None)
    _show(made, translator_of(settings), settings.zone, as_json)


@app.command("list")
def list_plans(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the last plans, the newest first."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        found = api.get("/retention/plans")
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    if not found["items"]:
        say(translator.tr("There is no plan yet."))
        return
    titles = (mark("Plan"), mark("Made"), mark("Made by"), mark("Entries"), mark("State"))
    rows = table([translator.tr(title) for title in titles], whole=[0], right=[3])
    for one in found["items"]:
        made = business_time(one["made_at"], settings.zone, translator)
        add_row(rows, one["id"], made, one["made_by"], str(one["count"]), word(PLANS, one["status"], translator))
    output().print(rows)


@app.command("show")
def show(
    context: typer.Context,
    plan: PlanId,
    entries: Annotated[
        str | None, typer.Option(metavar="KIND", help="List the entries of this kind, such as sessions.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a plan lists, or its entries of one kind, and what became of it."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        if entries is None:
            _show(api.get(f"/retention/plans/{plan}"), translator, settings.zone, as_json)
            return
        items: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            page = api.get(f"/retention/plans/{plan}/entries/{entries}", after=after or None, limit=1000)
            items += page["items"]
            after = page["next_after"]
    if as_json:
        typer.echo(json.dumps({"items": items}))
        return
    for one in items:
        became = f"  {word(OUTCOMES, one['outcome'], translator)}" if one["outcome"] else ""
        typer.echo(f"{one['entry']}{became}")


@app.command("apply")
def apply(context: typer.Context, plan: PlanId, as_json: Json = False) -> None:
    """Let what a plan lists be removed, as far as it is still due when its turn comes."""
    settings = options(context).settings()
    with api_of(settings) as api:
        agreed = api.post(f"/retention/plans/{plan}/apply", None)
    _show(agreed, translator_of(settings), settings.zone, as_json)


@app.command("stop")
def stop(context: typer.Context, plan: PlanId, as_json: Json = False) -> None:
    """Keep what a plan has not removed yet."""
    settings = options(context).settings()
    with api_of(settings) as api:
        stopped = api.post(f"/retention/plans/{plan}/stop", None)
    _show(stopped, translator_of(settings), settings.zone, as_json)


def _show(plan: Mapping[str, Any], translator: Translator, zone: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(plan, indent=2, ensure_ascii=False))
        return
    say(f"{plan['id']}: {word(PLANS, plan['status'], translator)}", style="bold")
    if not plan["kinds"]:
        say(translator.tr("Nothing is due."))
        return
    titles = (mark("Data"), mark("Entries"), mark("From before"), mark("Rule"), mark("What became of them"))
    rows = table([translator.tr(title) for title in titles], right=[1])
    for kind in plan["kinds"]:
        became = "; ".join(f"{word(OUTCOMES, what, translator)}: {count}" for what, count in kind["outcome"].items())
        add_row(
            rows,
            word(DATA, kind["what"], translator),
            f"{kind['count']}+" if kind["more"] else str(kind["count"]),
            business_time(kind["before"], zone, translator),
            f"{kind['rule']} {kind['version']}",
            became or "–",
        )
    output().print(rows)
    if plan["status"] == "open":
        say(translator.tr("Nothing was removed. To remove it: legation retention apply %(plan)s", plan=plan["id"]))
