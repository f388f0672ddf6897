"""`legation dossier`: what is to be signed, whole, and what changed in it since its reader last saw it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console

from locales import Translator, mark
from verbs.asking import Api, ProblemRefusal
from verbs.at_hand import api_at_hand
from verbs.language import translator_of
from verbs.options import options
from verbs.people import names
from verbs.show import AsJson, Delegation
from verbs.tables import add_row, output, say, table
from words.codes import FACTORS, word
from words.dossier import DossierWords
from words.edition import EditionWords
from words.prefixes import in_one_line
from words.times import business_time

Step = Annotated[str | None, typer.Option("--step", help="As who is to sign this step sees it; else the open one.")]

Seen = Mapping[str, Any]


def dossier(context: typer.Context, delegation: Delegation, step: Step = None, as_json: AsJson = False) -> None:
    """Show the dossier that stands: every part, limits and ceiling, signatures so far, and what changed.

    Changes are shown since the proposal that you answered last; if you never did, since the one that your desk answered
    last, or the one that the stage before signed.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        found = api.get(f"/delegations/{delegation}/dossier", step=step)
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        file = api.get(f"/delegations/{delegation}")
        shown = shown_of(api, file, found, translator)
    show_dossier(shown, output())


@dataclass(frozen=True)
class Shown:
    """A dossier as the API answers it, the words for it, and the texts that it names, by reference."""

    found: Seen
    words: DossierWords
    texts: Mapping[str, str]


def shown_of(api: Api, file: Seen, found: Seen, translator: Translator) -> Shown:
    """What a person reads of a file's dossier: names and texts for whoever may read them."""
    rules = EditionWords(api.get(f"/editions/{file['state']['edition']}"), translator)
    people = names(api, file["state"]["people"], translator)
    wanted = [one["justification"]["ref"] for one in found["breaches"] if one["justification"]]
    texts = {}
    for ref in wanted:
        try:
            texts[ref] = api.get(f"/texts/{ref}")["text"]
        except ProblemRefusal as refused:
            if refused.code not in ("role_not_allowed", "text_unknown"):
                raise
    return Shown(found, DossierWords(translator, rules, file["state"]["zone"], people), texts)


def show_dossier(shown: Shown, console: Console) -> None:
    """Print everything that a dossier's digest is made from, the signatures so far, and what changed."""
    found, words = shown.found, shown.words
    _head(found, words, console)
    _parts(found["parts"], words, console)
    for one in found["breaches"]:
        if one["justification"] and (text := shown.texts.get(one["justification"]["ref"])):
            say(f"{words.rules.limit(one['breach']['limit'])}: {text}", console=console)
    _ceiling(found["ceiling"], words, console)
    _observations(found["observations"], words, console)
    _signatures(found["signatures"], words, console)
    _show_differences(found["differences"], words, console)


def _show_differences(found: Seen, words: DossierWords, console: Console) -> None:
    """Print what changed since the reader, or the stage before, last saw the dossier."""
    tr = words.translator.tr
    say(words.why(found), console=console)
    if not found["items"]:
        return
    rows = table([tr(title) for title in (mark("Part"), mark("Change"), mark("Before"), mark("Now"))])
    for one in found["items"]:
        add_row(rows, *words.line(one))
    console.print(rows)


def _head(found: Seen, words: DossierWords, console: Console) -> None:
    tr = words.translator.tr
    policy = found["policy"]
    submitted = business_time(found["submitted_at"], words.zone, words.translator)
    lines = [
        (mark("Delegation"), found["delegation"]),
        (mark("Proposal"), str(found["proposal"])),
        (mark("Submitted"), f"{submitted}, {found['submitted_by']}"),
        (mark("Policy"), tr("%(rule)s, version %(version)s", rule=policy["rule"], version=policy["version"])),
        (mark("Step"), words.rules.step(found["step"]) if found["step"] else ""),
        (mark("Digest"), found["digest"]),
    ]
    rows = table(["", ""])
    rows.show_header = False
    for title, text in lines:
        if text:
            add_row(rows, tr(title), text)
    console.print(rows)
    if found["withdrawn"]:
        say(tr("This proposal was taken back."), style="yellow", console=console)


def _parts(parts: Sequence[Seen], words: DossierWords, console: Console) -> None:
    rows = table([words.translator.tr(title) for title in (mark("Part"), mark("Content"), mark("Commitment"))])
    for one in parts:
        shown = f"{one['commitment'][:16]}…"
        match one["part"], one["content"]:
            case _, None:
                add_row(rows, words.place(one["part"]), "", shown)
            case (("request" | "ceiling"), content):
                for figure, value in content.items():
                    add_row(rows, words.place(one["part"], figure), words.content(one["part"], figure, value), shown)
            case "programme", items:
                for item in items:
                    add_row(rows, words.place("programme"), words.content("programme", item["id"], item), shown)
            case part, content:
                add_row(rows, words.place(part), words.content(part, None, content), shown)
    console.print(rows)


def _ceiling(ceiling: Seen | None, words: DossierWords, console: Console) -> None:
    if ceiling is None:
        return
    tr, money = words.translator.tr, words.translator.money_vnd
    titles = (mark("Ceiling"), mark("Quantity"), mark("Each"), mark("Together"))
    rows = table([tr(title) for title in titles], right=[1, 2, 3])
    for line in ceiling["lines"]:
        add_row(rows, line["what"], str(line["quantity"]), money(line["unit_vnd"]), money(line["amount_vnd"]))
    console.print(rows)


def _observations(observations: Sequence[Seen], words: DossierWords, console: Console) -> None:
    """What other files say now; where it is another figure than was sealed last, both."""
    tr = words.translator.tr
    for one in observations:
        when = business_time(one["observed_at"], words.zone, words.translator)
        values = {"who": words.place(f"member:{one['subject']}"), "limit": words.rules.limit(one["rule"]["rule"])}
        values |= {"value": one["value"], "allowed": one["allowed"], "time": when}
        text = tr(mark("%(who)s: %(limit)s: %(value)s, allowed %(allowed)s, by other files at %(time)s."), **values)
        if one["sealed"] not in (None, one["value"]):
            before = business_time(one["sealed_at"], words.zone, words.translator)
            text += " " + tr("Sealed last: %(count)s, as of %(time)s.", count=one["sealed"], time=before)
        say(text, console=console)


def _signatures(signatures: Sequence[Seen], words: DossierWords, console: Console) -> None:
    if not signatures:
        return
    tr = words.translator.tr
    rows = table([tr(title) for title in (mark("Step"), mark("By"), mark("When"), mark("Proof"))])
    for one in signatures:
        right = one["right"]
        by = f"{in_one_line(right, words.rules.position, words.translator.language)}: {one['by']}"
        if replaced := right.get("on_behalf_of"):
            by = f"{by}, {tr('in place of %(name)s', name=replaced)}"
        proof = word(FACTORS, one["factor"], words.translator)
        if one["proposal"]:
            proof += tr(mark("; carried over from proposal %(number)s"), number=one["proposal"])
        when = business_time(one["at"], words.zone, words.translator)
        add_row(rows, words.rules.step(one["step"]), by, when, proof)
    console.print(rows)
