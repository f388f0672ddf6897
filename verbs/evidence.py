"""`legation evidence`: everything that proves a file, in one zip that a stranger can check."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from locales import mark
from verbs.at_hand import api_at_hand
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.show import Delegation
from verbs.tables import say


def evidence(
    context: typer.Context,
    delegation: Delegation,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the zip; it must not exist yet.")],
    documents: Annotated[
        bool, typer.Option("--documents", help="With letters, attached files and texts: personal data are in it then.")
    ] = False,
) -> None:
    """Write the evidence of a file into one zip: events, histories, dossiers, sign-offs, checkpoints and proofs.

    It ends with the last checkpoint, and brings the program that checks it (verify.py). That it was handed out is
    recorded.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    if out.exists():
        raise Refusal(mark("%(file)s exists already."), file=out)
    path = f"/delegations/{delegation}/evidence" + ("-with-documents" if documents else "")
    with api_at_hand(settings) as api:
        head = api.get(f"/delegations/{delegation}")["seq"]
        part = out.with_name(f"{out.name}.part")
        try:
            with part.open("xb") as file:
                api.fetch(path, file)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    with zipfile.ZipFile(out) as bundle:
        manifest = json.loads(bundle.read("manifest.json"))
    with out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    text = mark("%(file)s: %(events)s events, up to checkpoint %(checkpoint)s. SHA-256 %(digest)s")
    last = manifest["head"]["seq"]
    say(translator.tr(text, file=out, events=last, checkpoint=manifest["checkpoint"], digest=digest))
    if later := head - last:
        say(
            translator.ntr(
                "%(count)s later event is in no checkpoint yet.",
                "%(count)s later events are in no checkpoint yet.",
                later,
            )
        )
