"""How much memory each process of the stack holds after the load, as resident set size."""

import os

import psutil

from benchmarks.figures import Figure, Findings
from benchmarks.installation import Installation

NAME = "memory"


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Read the resident set of every process of the stack, and of this one."""
    pids = {name: part.pid for name, part in here.record.parts.items()} | {"this client": os.getpid()}
    findings.add(
        NAME, [Figure(name, psutil.Process(pid).memory_info().rss / 2**20, "MiB") for name, pid in pids.items()]
    )
