"""How fast journal and read tables are rebuilt from histories, and compared with them, in a process of its own."""

import asyncio
import json
import os
import sys
from typing import Any

from benchmarks.figures import Figure, Findings
from benchmarks.installation import Installation

NAME = "rebuild"


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Run `python -m rebuild` on everything that the benchmarks before it have left; events a second of its own clock.

    Compared first, so that the rebuild is known to start from tables that are right, and to leave them so.
    """
    figures = []
    for what, arguments in (("compared", ("--check",)), ("rebuilt", ()), ("compared again", ("--check",))):
        account = await _rebuild(here, *arguments)
        if account["findings"]:
            raise RuntimeError(f"the tables are not what the histories give: {account['findings'][:3]}")
        note = f"{account['events']} events of {account['delegations']} files"
        figures.append(Figure(f"events {what}", account["events"] / account["seconds"], "/s", note))
    findings.add(NAME, figures)


async def _rebuild(here: Installation, *arguments: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rebuild", "--json", *arguments),
        env=os.environ | here.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    account: dict[str, Any] = json.loads(output)
    return account
