"""faults.md row 11: schemathesis, all checks, with a token of each role: no server error, no failure."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.api.test_serving import Served, own

HERE = Path(__file__).parent
ROLES = {"coordinator": "lan", "approver": "hung", "auditor": "an", "administrator": "root"}
NOT_ASKED = ("follow_trail", "move_clock")
"""A stream is followed for ever, and a moved clock takes a workflow's time: tests of their own."""

__all__ = ["own"]


async def found(own: Served, role: str, folder: Path, options: Sequence[str]) -> str | None:
    """Let schemathesis ask in a role; return what it says if it found anything."""
    base = str(own.api.http.base_url).rstrip("/")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
        *("--config-file", str(HERE / "schemathesis.toml"), "run", f"{base}/openapi.json"),
        *("--header", f"Authorization: Bearer {own.api.tokens[ROLES[role]]}"),
        *("--checks", "all", "--seed", "20261121", "--suppress-health-check", "all"),
        *(part for name in NOT_ASKED for part in ("--exclude-operation-id", name)),
        *options,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return None if process.returncode == 0 else output.decode()[-60_000:]


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_schemathesis_finds_nothing_whoever_asks(own: Served, tmp_path: Path) -> None:
    """Random and broken data and chains of requests, at each address, within seconds."""
    await own.api.open()
    for role in ROLES:
        seconds = "8" if role == "coordinator" else "4"
        told = await found(
            own, role, tmp_path, ("--phases", "fuzzing,stateful", "--max-examples", "4", "--max-time", seconds)
        )
        assert told is None, f"as {role}:\n{told}"


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", ROLES)
async def test_schemathesis_finds_nothing_however_long_it_looks(
    own: Served, tmp_path: Path, role: str, record_property: Callable[[str, object], None]
) -> None:
    """Every phase, boundaries included: some thousand requests."""
    record_property("row", "11")
    record_property("fault", f"random, broken and chained requests as {role}")
    await own.api.open()
    told = await found(own, role, tmp_path, ("--max-examples", "25"))
    assert told is None, told
