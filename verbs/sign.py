"""`legation sign`: approves exactly the dossier that is shown; and what its sisters, return and reject, do alike."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from locales import Translator, mark
from verbs.asking import Api, api_of
from verbs.confirming import confirm
from verbs.dossier import show_dossier, shown_of
from verbs.file_view import warnings
from verbs.language import translator_of
from verbs.options import options
from verbs.receipt import answer
from verbs.refusal import Refusal
from verbs.show import AsJson, Delegation
from verbs.tables import output, say

Step = Annotated[str | None, typer.Argument(help="The step of the chain; else the one whose turn it is.")]
Yes = Annotated[bool, typer.Option("--yes", help="Answer without being asked.")]
Digest = Annotated[
    str | None,
    typer.Option("--digest", help="Of the dossier that you have read: it is not shown again, and nobody is asked."),
]


def sign(
    context: typer.Context,
    delegation: Delegation,
    step: Step = None,
    digest: Digest = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Sign a step of the approval: shows the dossier whole and what changed, asks, and signs its digest.

    If the dossier is replaced in the meantime the signature is refused: it would be for something else.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        question = mark("Approve proposal %(number)s?")
        read = read_dossier(api, file, step, digest, question, translator, yes=yes, as_json=as_json)
        receipt = api.send(delegation, {"type": "sign_off", **read})
    said = translator.tr("Signed: %(digest)s", digest=read["dossier_digest"])
    answer(receipt, said, translator, as_json=as_json)


def read_dossier(
    api: Api,
    file: Mapping[str, Any],
    step: str | None,
    digest: str | None,
    question: str,
    translator: Translator,
    *,
    yes: bool,
    as_json: bool,
) -> dict[str, str]:
    """Show the dossier that stands and ask, or take the digest of what was read; return what a command says of it.

    Refuses when nothing waits, when nobody agrees, and when the digest is not that of the dossier that stands.
    """
    if step is None and file["open_step"] is None:
        raise Refusal(mark("No step of %(delegation)s waits for a signature."), delegation=file["id"])
    found = api.get(f"/delegations/{file['id']}/dossier", step=step)
    answered = {"step_id": found["step"], "dossier_digest": found["digest"]}
    if digest is not None:
        require_same(digest, found["digest"])
        return answered
    # Shown to people always, also beside --json: it is what they put their name to.
    console, shown = output(messages=as_json), shown_of(api, file, found, translator)
    show_dossier(shown, console)
    for warning in warnings(file, shown.words.people, shown.words.rules, translator):
        say(f"⚠ {warning}", style="yellow", console=console)
    confirm(translator.tr(question, number=found["proposal"]), translator, agreed=yes)
    return answered


def require_same(digest: str, standing: str) -> None:
    """Refuse where another dossier was read than the one that stands: told by its digest, or the first 12 places."""
    if len(digest) < SHORTEST or not standing.startswith(digest.lower()):
        raise Refusal(mark("What stands now has another digest, %(digest)s: read it first."), digest=standing)


SHORTEST = 12
"""Places of a digest that are enough to say which was read."""
