"""`legation rebuild`: journal and read tables anew from Temporal's histories, or compared with them."""

import os
import subprocess
import sys
from typing import Annotated

import typer

from settings import PREFIX, Settings
from verbs.children import ROOT
from verbs.options import options
from verbs.running import running


def rebuild(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Compare without writing; exit code 1 on a difference.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Rebuild every read table and the journal from the histories alone. Work may go on meanwhile.

    Registers (people, texts, files, accounts, rules, the mail ledger) are not touched. The exit code is 1 when
    something is not as the histories have it and could not be put right.
    """
    settings = options(context).settings()
    words = [word for word, asked in (("--check", check), ("--json", as_json)) if asked]
    done = subprocess.run(
        [sys.executable, "-m", "rebuild", *words],
        cwd=ROOT,
        env={**os.environ, **_environment(settings)},
        check=False,
    )
    raise typer.Exit(done.returncode)


def _environment(settings: Settings) -> dict[str, str]:
    """The `LEGATION_` variables by which the child finds the data and the server; what runs here decides first."""
    found = {"DATA_DIR": str(settings.data_dir)}
    # An outside server is named by the settings already; an embedded one says itself where it is.
    if settings.temporal_address is None and settings.profile != "server":
        record = running(settings)
        found |= {
            "PROFILE": record.profile,
            "TEMPORAL_ADDRESS": record.temporal_address,
            "TEMPORAL_NAMESPACE": record.temporal_namespace,
        }
    return {f"{PREFIX}{name}": value for name, value in found.items()}
