"""`legation rebuild`: journal and read tables anew from Temporal's histories, or compared with them."""

import os
import subprocess
import sys
from typing import Annotated

import typer

from settings import PREFIX
from verbs.children import ROOT
from verbs.options import options


def rebuild(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Compare without writing; exit code 1 on a difference.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Rebuild every read table and the journal from the histories alone. Work may go on meanwhile.

    What it put back is said, and what nothing here can bring back. Temporal's server is started where it does not run.
    Registers (people, texts, files, accounts, rules, the mail ledger) are not touched. The exit code is 1 when
    something is not as the histories have it and could not be put right.
    """
    settings = options(context).settings()
    words = [word for word, asked in (("--check", check), ("--json", as_json)) if asked]
    done = subprocess.run(
        [sys.executable, "-m", "rebuild", *words],
        cwd=ROOT,
        env={**os.environ, f"{PREFIX}DATA_DIR": str(settings.data_dir)},
        check=False,
    )
    raise typer.Exit(done.returncode)
