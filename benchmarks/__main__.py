"""`python -m benchmarks [--quick] [--only NAME]`: measure, print, keep."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from rich.console import Console

from benchmarks import (
    as_of,
    checkpoints,
    concurrency,
    difference,
    history,
    mail,
    memory,
    pages,
    processor,
    rebuilding,
    round_trip,
    serialising,
    verifying,
)
from benchmarks.figures import Findings, keep, machine, show
from benchmarks.installation import installation

MEASURED = (
    round_trip,
    processor,
    concurrency,
    history,
    mail,
    rebuilding,
    serialising,
    difference,
    as_of,
    checkpoints,
    verifying,
    pages,
    memory,
)

BENCHMARKS: Mapping[str, Callable[..., Awaitable[None]]] = {module.NAME: module.measure for module in MEASURED}


async def run(names: list[str], *, quick: bool) -> Findings:
    """Measure on one installation, one benchmark after the other."""
    findings = Findings()
    async with installation() as here:
        for name in names:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            await BENCHMARKS[name](here, findings, quick=quick)
    return findings


def main() -> int:
    """0; whether an aim is met stands in the ratio's line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Compare with the raw floor.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds; nothing is kept in results/")
    parser.add_argument("--only", choices=list(BENCHMARKS), help="one benchmark; nothing is kept in results/")
    asked = parser.parse_args()
    facts = machine()
    findings = asyncio.run(run([asked.only] if asked.only else list(BENCHMARKS), quick=asked.quick))
    show(findings, Console(width=140))
    if not (asked.quick or asked.only):
        keep(findings, facts, datetime.now(UTC).date())
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(code)
