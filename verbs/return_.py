"""`legation return` and `legation reject`: send a dossier, or a filed report, back with a reason, or refuse it."""

from typing import Annotated, Any

import typer

from locales import mark
from verbs.asking import api_of
from verbs.confirming import confirm
from verbs.language import translator_of
from verbs.options import options
from verbs.receipt import answer
from verbs.show import AsJson, Delegation
from verbs.sign import Digest, Step, Yes, read_dossier
from verbs.tables import output, say


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
    digest: Digest = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Return the dossier, shown whole first, to the coordinator: as incomplete once, with --amend for changes.

    A file whose report waits for acceptance has its report returned.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        report = file["state"]["report"]
        command: dict[str, Any]
        if step is None and file["open_step"] is None and report is not None and report["status"] == "filed":
            values = {"number": report["number"], "digest": report["digest"]}
            say(translator.tr("Report %(number)s, digest %(digest)s", **values), console=output(messages=as_json))
            agreed = yes or digest == report["digest"]
            confirm(translator.tr("Return report %(number)s?", number=report["number"]), translator, agreed=agreed)
            command = {"type": "return_report", "report_digest": report["digest"]}
            sentence = translator.tr("The report was returned.")
        else:
            question = mark("Return proposal %(number)s?")
            read = read_dossier(api, file, step, digest, question, translator, yes=yes, as_json=as_json)
            command = {"type": "return_step", "kind": "amend" if amend else "incomplete", **read}
            command |= {"missing": missing} if missing else {}
            sentence = translator.tr("The dossier was returned.")
        receipt = api.send(delegation, command | {"reason": api.write(delegation, reason)})
    answer(receipt, sentence, translator, as_json=as_json)


def reject(
    context: typer.Context,
    delegation: Delegation,
    reason: Annotated[str, typer.Option(help="Why it is refused.")],
    step: Step = None,
    digest: Digest = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Refuse the dossier, shown whole first: the delegation ends with that, or the change after its decision."""
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        file = api.get(f"/delegations/{delegation}")
        question = mark("Reject proposal %(number)s for good?")
        read = read_dossier(api, file, step, digest, question, translator, yes=yes, as_json=as_json)
        receipt = api.send(delegation, {"type": "reject_step", **read, "reason": api.write(delegation, reason)})
    answer(receipt, translator.tr("The dossier was rejected."), translator, as_json=as_json)
