"""`legation sign`: approves exactly the dossier whose digest is shown."""

from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console

from locales import Translator, mark
from verbs.asking import Api, api_of
from verbs.confirming import confirm
from verbs.dossier import show_differences
from verbs.dossier_words import DossierWords
from verbs.file_view import warnings
from verbs.language import translator_of
from verbs.options import options
from verbs.people import names
from verbs.receipt import answer
from verbs.refusal import Refusal
from verbs.show import AsJson, Delegation
from verbs.tables import add_row, output, say, table
from words.codes import DIRECTIONS, sentence_case, word
from words.edition import EditionWords

Step = Annotated[str | None, typer.Argument(help="The step of the chain; else the one whose turn it is.")]
Yes = Annotated[bool, typer.Option("--yes", help="Sign without being asked.")]


def sign(
    context: typer.Context, delegation: Delegation, step: Step = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Sign a step of the approval: shows what is decided, what changed and its digest, asks, and signs that digest.

    If the dossier is replaced in the meantime the signature is refused: it would be for something else.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        chosen, digest = step_of(api, file, step)
        # Shown to people always, also beside --json: it is what they put their name to.
        console = output(messages=as_json)
        _show(api, file, chosen, digest, translator, console)
        question = translator.tr("Approve proposal %(number)s?", number=signed_proposal(file, digest)["number"])
        confirm(question, translator, agreed=yes)
        receipt = api.send(delegation, {"type": "sign_off", "step_id": chosen, "dossier_digest": digest})
    answer(receipt, translator.tr("Signed: %(digest)s", digest=digest), translator, as_json=as_json)


def step_of(api: Api, file: dict[str, Any], step: str | None) -> tuple[str, str]:
    """The step to decide on and the digest of the dossier that stands. Refuses when nothing waits for a signature.

    Where several steps are open and none is named, it is the first that waits for a position of whoever asks.
    """
    if step is not None and (file["open_step"] or file["state"]["proposal"]):
        # A change after the decision is signed under its own digest, while it is open.
        standing = file["open_step"]["dossier_digest"] if file["open_step"] else file["state"]["proposal"]["digest"]
        return step, standing
    if file["open_step"] is None:
        raise Refusal(mark("No step of %(delegation)s waits for a signature."), delegation=file["id"])
    first, *others = file["open_steps"]
    if others:
        positions = set(api.get("/me")["account"]["positions"])
        first = next((one for one in file["open_steps"] if positions & set(one["waits_for"])), first)
    return first["id"], first["dossier_digest"]


def signed_proposal(file: dict[str, Any], digest: str) -> dict[str, Any]:
    """The proposal, or the change after its decision, that has this digest."""
    change = file["state"].get("amendment")
    found: dict[str, Any] = change if change and change["digest"] == digest else file["state"]["proposal"]
    return found


def _show(api: Api, file: dict[str, Any], step: str, digest: str, translator: Translator, console: Console) -> None:
    state = file["state"]
    rules = EditionWords(api.get(f"/editions/{state['edition']}"), translator)
    days = translator.date_range(date.fromisoformat(state["starts"]), date.fromisoformat(state["ends"]))
    proposal = signed_proposal(file, digest)
    parts = translator.ntr("%(count)s part", "%(count)s parts", len(proposal["parts"]))
    ceiling = state["ceiling"]
    lines = [
        (mark("Delegation"), f"{state['title']} ({word(DIRECTIONS, state['direction'], translator)})"),
        (mark("Partner"), state["partner"]),
        (mark("Purpose"), state["purpose"]),
        (mark("Dates"), sentence_case(days)),
        (mark("People"), translator.number(file["head_count"])),
        (mark("At most"), translator.money_vnd(ceiling["total_vnd"]) if ceiling else ""),
        (mark("Proposal"), f"{proposal['number']} ({parts})"),
        (mark("Changed since the decision"), ", ".join(proposal.get("changed", ()))),
        (mark("Step"), f"{rules.step(step)} ({step})"),
        (mark("Digest"), digest),
    ]
    rows = table(["", ""])
    rows.show_header = False
    for title, text in lines:
        if text:
            add_row(rows, translator.tr(title), text)
    console.print(rows)
    people = names(api, state["people"], translator)
    for warning in warnings(file, people, rules, translator):
        say(f"⚠ {warning}", style="yellow", console=console)
    seen = api.get(f"/delegations/{file['id']}/dossier", step=step)
    show_differences(seen["differences"], DossierWords(translator, rules, state["zone"], people), console)
