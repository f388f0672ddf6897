"""Asking before something is signed."""

import sys

from rich.console import Console

from locales import Translator, mark
from verbs.refusal import Refusal


def confirm(question: str, translator: Translator, *, agreed: bool) -> None:
    """Return if the person agrees, or agreed beforehand with `--yes`; refuses otherwise, and where nobody can answer.

    Only `y`, `yes`, `c` and `có` are a yes: silence and anything else decide nothing.
    """
    if agreed:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refusal(mark("Nobody can be asked here: read what is signed, then give --yes."))
    choice = translator.tr("[y/N]")
    Console(stderr=True).print(f"{question} {choice} ", end="", markup=False, highlight=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes", "c", "có"):
        raise Refusal(mark("Nothing was signed."))
