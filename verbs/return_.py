"""`legation return`: sends a dossier, or a filed report, back with a reason."""

from typing import Annotated, Any

import typer

from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.receipt import answer
from verbs.show import AsJson, Delegation
from verbs.sign import Step, step_of


def return_(
    context: typer.Context,
    delegation: Delegation,
    reason: Annotated[str, typer.Option(help="Why, in words that the coordinator can act on.")],
    step: Step = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="One thing that is missing; may be repeated. No personal data.")
    ] = None,
    amend: Annotated[
        bool, typer.Option("--amend", help="Ask for changes, instead of saying that the file is incomplete.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Return the dossier to the coordinator. As incomplete it goes back once; --amend asks for changes.

    A file whose report waits for acceptance has its report returned.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        report = file["state"]["report"]
        command: dict[str, Any]
        if step is None and file["open_step"] is None and report is not None and report["status"] == "filed":
            command = {"type": "return_report", "report_digest": report["digest"]}
            sentence = translator.tr("The report was returned.")
        else:
            chosen, digest = step_of(api, file, step)
            kind = "amend" if amend else "incomplete"
            command = {"type": "return_step", "step_id": chosen, "dossier_digest": digest, "kind": kind}
            command |= {"missing": missing} if missing else {}
            sentence = translator.tr("The dossier was returned.")
        receipt = api.send(delegation, command | {"reason": api.write(delegation, reason)})
    answer(receipt, sentence, translator, as_json=as_json)
