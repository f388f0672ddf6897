"""`legation sign-offs`: who signed what, verified from the trail alone."""

import json
import subprocess
import sys
from typing import Any

import typer

from locales import Translator, mark
from verbs.at_hand import api_at_hand
from verbs.children import ROOT
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.show import AsJson, Delegation
from verbs.tables import add_row, output, table
from words.codes import ACTS, FACTORS, REASONS, word
from words.edition import EditionWords
from words.prefixes import in_one_line
from words.times import business_time

VERIFIER = "audit.sign_offs"


def sign_offs(context: typer.Context, delegation: Delegation, as_json: AsJson = False) -> None:
    """Verify every sign-off of a file from its trail: signed by which key, vouched for by which factor, or broken.

    The installation is asked for the trail alone; what is proven is worked out here. The exit code is 1 when something
    is broken.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_at_hand(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        rules = EditionWords(api.get(f"/editions/{file['state']['edition']}"), translator)
        found = verified(list(api.events(delegation)))
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(found["items"], file["state"]["zone"], rules, translator)
    raise typer.Exit(int(any(one["verdict"] == "broken" for one in found["items"])))


def verified(events: list[Any]) -> dict[str, Any]:
    """What the verifier says of a trail; it runs as a child, since it needs cryptography and the events' own rules."""
    written = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    done = subprocess.run(
        [sys.executable, "-m", VERIFIER], input=written.encode(), capture_output=True, cwd=ROOT, check=False
    )
    if done.returncode not in (0, 1) or not done.stdout:
        sys.stderr.buffer.write(done.stderr)
        text = mark("The part %(part)s ended without an answer (exit code %(code)s).")
        raise Refusal(text, part=VERIFIER, code=done.returncode)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _show(items: list[dict[str, Any]], zone: str, rules: EditionWords, translator: Translator) -> None:
    titles = (mark("No."), mark("When"), mark("By"), mark("What"), mark("Proof"))
    rows = table([translator.tr(title) for title in titles], right=[0], whole=[0, 1])
    for one in items:
        what = f"{word(ACTS, one['act'], translator)}: {rules.step(one['step'])}"
        style = "red" if one["verdict"] == "broken" else None
        when, proof = business_time(one["at"], zone, translator), _proof(one, translator)
        if one.get("carried_from"):
            proof += translator.tr(mark("; carried over from no. %(seq)s"), seq=one["carried_from"])
        add_row(rows, str(one["seq"]), when, _by(one, rules, translator), what, proof, style=style)
    output().print(rows)


def _by(one: dict[str, Any], rules: EditionWords, translator: Translator) -> str:
    """Who signed, by what right, and in whose place."""
    right = one.get("right")
    if not right:
        return str(one["actor"])
    by = f"{in_one_line(right, rules.position, translator.language)}: {one['actor']}"
    replaced = right.get("on_behalf_of")
    return f"{by}, {translator.tr('in place of %(name)s', name=replaced)}" if replaced else by


def _proof(one: dict[str, Any], translator: Translator) -> str:
    match one["verdict"]:
        case "signed":
            text = mark("signed with the passkey %(key)s, made for %(party)s")
            return translator.tr(text, key=one["key"][:16], party=one["party"])
        case "vouched":
            return word(FACTORS, one.get("factor"), translator)
    return translator.tr(mark("BROKEN: %(reason)s"), reason=word(REASONS, one.get("reason"), translator))
