"""`legation keys`: a new master key, and what becomes of the older ones."""

import json
from collections.abc import Mapping
from typing import Any

import typer

from locales import Translator, mark
from verbs.children import answer_of
from verbs.language import translator_of
from verbs.options import options
from verbs.show import AsJson
from verbs.tables import say

KEYS = "keys"

app = typer.Typer(help="Change the master keys, and retire old ones.", no_args_is_help=True)


@app.command("rotate")
def rotate(context: typer.Context, as_json: AsJson = False) -> None:
    """Make a new master key, and wrap the keys of people, files and attachments anew under it.

    Legation must not run meanwhile. Killed anywhere, the same command goes on. Copy the key file to a safe place
    afterwards. Keys that stand in LEGATION_MASTER_KEY are changed there; the command says how.
    """
    settings = options(context).settings()
    done = answer_of(KEYS, {"type": "rotate"}, settings)
    if as_json:
        typer.echo(json.dumps(done))
        return
    translator = translator_of(settings)
    if done["made"]:
        say(translator.tr("A new master key was made: %(key)s", key=done["key"]))
    say(translator.tr("Keys wrapped anew under %(key)s: %(count)s", key=done["key"], count=done["wrapped"]))
    if done["older"]:
        older = ", ".join(done["older"])
        say(translator.tr("Older keys that stay to read with: %(keys)s. See `legation keys retire`.", keys=older))


@app.command("retire")
def retire(context: typer.Context, as_json: AsJson = False) -> None:
    """Take away the older master keys that nothing needs any more; what still needs one is said.

    Histories are never encrypted anew, so a key goes when the last history written under it has gone. The exit code is
    1 when a key stays.
    """
    settings = options(context).settings()
    done = answer_of(KEYS, {"type": "retire"}, settings)
    if as_json:
        typer.echo(json.dumps(done))
    else:
        translator = translator_of(settings)
        for key in done["retired"]:
            gone = mark("The key %(key)s was taken away: nothing needs it.")
            may_go = mark("Nothing needs the key %(key)s: take it out of LEGATION_MASTER_KEY.")
            sentence = may_go if done["in_environment"] else gone
            say(translator.tr(sentence, key=key))
        for one in done["kept"]:
            say(translator.tr("The key %(key)s is still needed: %(by)s", key=one["key"], by=_by(one, translator)))
        if not done["retired"] and not done["kept"]:
            say(translator.tr("There is one master key, %(key)s: nothing to retire.", key=done["newest"]))
    if done["kept"]:
        raise typer.Exit(1)


NEEDED = {
    "data_keys": mark("%(count)s keys of people, files and attachments (run `legation keys rotate` again)"),
    "feeds": mark("%(count)s addresses of calendars and pages"),
    "histories": mark("%(count)s histories"),
    "archived": mark("%(count)s archived histories"),
}


def _by(one: Mapping[str, Any], translator: Translator) -> str:
    needs = [(sentence, one[name]) for name, sentence in NEEDED.items() if one[name]]
    return translator.listing(translator.tr(sentence, count=count) for sentence, count in needs)
