"""Tampering with an evidence bundle (faults.md, row 9), told by its verifier in an environment without our packages."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.evidence.conftest import file
from tests.evidence.played import Played, unzipped
from tests.evidence.tampering import Case, Members, decisions, rows, single_values, undetected, whole_members
from tests.faults.page import Note

__all__ = ["file"]

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.faults]

SOURCES: dict[str, Callable[[Members], Iterator[Case]]] = {
    "each value of each member": single_values,
    "each value of each decision in the histories": decisions,
    "rows deleted, doubled, swapped, cut": rows,
    "members changed, missing, added; each value of the manifest": whole_members,
}


@pytest.mark.parametrize("kind", SOURCES)
async def test_whatever_is_changed_in_a_bundle_is_told_with_its_place(
    kind: str, file: Played, tmp_path: Path, note: Note
) -> None:
    """Every case of the enumeration: by the check whose it is, with the place, and none passes."""
    bundle, _ = await file.bundle(documents=True)
    cases = list(SOURCES[kind](unzipped(bundle)))
    note(row="9", fault=f"evidence bundle: {kind}", cases=len(cases))
    assert await asyncio.to_thread(undetected, bundle, cases, tmp_path) == []
