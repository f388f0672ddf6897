"""What became of a command, in one line for people or as the API's receipt for programs."""

import json
from collections.abc import Mapping
from typing import Any

import typer

from locales import Translator
from verbs.tables import say
from words.codes import PHASES, word


def answer(receipt: Mapping[str, Any], sentence: str, translator: Translator, *, as_json: bool) -> None:
    """Print a receipt: as it is, or as the sentence with the phase and the place in the trail."""
    if as_json:
        typer.echo(json.dumps(receipt, indent=2, ensure_ascii=False))
        return
    say(sentence)
    values = {
        "phase": word(PHASES, receipt["phase"], translator),
        "first": receipt["first_seq"],
        "last": receipt["last_seq"],
        "head": receipt["head"][:16],
    }
    say(translator.tr("Phase: %(phase)s. Trail: events %(first)s to %(last)s, head %(head)s…", **values))
