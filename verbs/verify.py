"""`legation verify`: everything that is sealed, checked in every place that tells of it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from locales import mark
from settings import PREFIX
from verbs.children import ROOT
from verbs.options import options
from verbs.refusal import Refusal


def verify(
    context: typer.Context,
    delegations: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Delegations, or registers such as register:accounts."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every delegation and every register.")] = False,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint kept elsewhere; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Verify chains, histories, archive, read tables, sign-offs and checkpoints. Work may go on meanwhile.

    One line for each delegation and register and one for the checkpoints. The exit code is 1 when something does not
    hold; its first bad entry is named. Nothing is written. What does not run is started for as long as this takes.
    """
    if bool(delegations) == everything:
        raise Refusal(mark("Name a delegation, or say --all."))
    words = list(delegations or ["--all"])
    for path in checkpoints or ():
        words += ["--checkpoint", str(path.absolute())]
    settings = options(context).settings()
    done = subprocess.run(
        [sys.executable, "-m", "verification", *words, *(["--json"] if as_json else [])],
        cwd=ROOT,
        env={**os.environ, f"{PREFIX}DATA_DIR": str(settings.data_dir)},
        check=False,
    )
    raise typer.Exit(done.returncode)
