"""docs/faults.md, written from the reports of a run: one table a row of faults, with the figures that tests noted.

A test notes `row` and `fault`, and any figures beside them, by the fixture `note`; what it does not note is not shown.
"""

import os
import platform
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

TITLES: Mapping[str, str] = {
    "1": "kill -9 of worker, API and server, before, during and after every step",
    "2": "The database locked, full, read-only, or failing to write",
    "3": "A power loss: the write-ahead log cut anywhere",
    "4": "A mail server that is down, hangs, refuses, or breaks off; a calendar server in trouble",
    "5": "Clocks that are wrong, disagree, or jump",
    "6": "The same request again: at once, after a restart, after continue-as-new, with another body",
    "7": "Sixteen people at one delegation",
    "8": "Every recorded history replayed, with today's workflow and with broken ones",
    "9": "Tampering: with entries, archive, checkpoints, tables, evidence, everything at once",
    "10": "The read model rebuilt during writes",
    "11": "Schemathesis, all checks, as each role; garbage in every address of every page",
    "12": "Each role at each command, address, page and form, on an own file, another's and a closed one",
    "13": "Guessed ids, forged forms, planted sessions, forwarded links",
    "14": "Calendar addresses that only this machine can reach",
    "15": "Marks of templates, formulas and typesetting in every text",
    "16": "Line breaks, NUL and direction marks in names, titles and subjects",
    "17": "Uploads that are weapons",
    "18": "Answers by mail: unknown, stale, forged, too large, broken",
    "19": "A person erased: not a byte of them is left, and every chain holds",
    "20": "Steady load",
    "21": "Checkpoints made by several at once, and by one that is killed",
}

INTRODUCTION = (
    "Written by `make faults`: what was injected into a running installation, and what came of it. Each cell is a",
    "test in `tests/faults/`. It fails when an acknowledged command is lost or doubled, or when end state, trail or",
    "messages are others than without the fault. Durations are printed here, not asserted.",
)

Noted = Mapping[str, Any]
Note = Callable[..., None]
"""`note(row="1", fault="…", figure=1.5)`: what a test injected, for the page."""


class Page:
    """A pytest plugin that remembers what tests noted, and writes the page when the run is over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kills: list[Noted] = []
        self._others: list[Noted] = []
        self._failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a test that noted what it injected, and every one that failed."""
        if report.failed:
            self._failed.append(report.nodeid)
        noted = dict(report.user_properties)
        if report.when == "call" and "row" in noted:
            noted["passed"] = report.passed
            (self._kills if "part" in noted else self._others).append(noted)

    def pytest_sessionfinish(self) -> None:
        """Write the page."""
        self._path.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")

    def _lines(self) -> Iterator[str]:
        yield "# Faults"
        yield ""
        yield from INTRODUCTION
        yield ""
        machine = f"{os.cpu_count()} processor cores, Python {platform.python_version()}, {platform.system()}"
        yield f"Measured with {machine}."
        yield ""
        cells = len(self._kills) + len(self._others)
        yield f"**{self._passed} of {cells} injected faults changed nothing that lasts.**"
        if self._kills:
            yield from _section("1", _kill_rows(self._kills))
        by_row = defaultdict(list)
        for noted in self._others:
            by_row[noted["row"]].append(noted)
        for row in sorted(by_row, key=int):
            yield from _section(row, _rows(by_row[row]))
        if self._failed:
            yield ""
            yield "## Failed"
            yield ""
            yield from (f"- `{name}`" for name in sorted(set(self._failed)))

    @property
    def _passed(self) -> int:
        return sum(bool(noted["passed"]) for noted in (*self._kills, *self._others))


def _section(row: str, table: Sequence[Sequence[str]]) -> Iterator[str]:
    yield ""
    yield f"## {row}. {TITLES[row]}"
    yield ""
    head, *body = table
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(cells)} |" for cells in body)


def _kill_rows(kills: Sequence[Noted]) -> list[list[str]]:
    table = [
        [
            "Killed",
            "Moment",
            "Cells",
            "Passed",
            "Ready again, median / worst",
            "Longest wait of a client",
            "Copies of mail",
        ]
    ]
    groups: dict[tuple[str, str], list[Noted]] = defaultdict(list)
    for noted in kills:
        groups[noted["part"], noted["moment"]].append(noted)
    for (part, moment), cells in sorted(groups.items()):
        # A cell that failed early noted no figures.
        back = [cell["back"] for cell in cells if "back" in cell] or [0.0]
        stalled = [cell["stalled"] for cell in cells if "stalled" in cell] or [0.0]
        table.append(
            [
                part,
                moment,
                str(len(cells)),
                str(sum(bool(cell["passed"]) for cell in cells)),
                f"{statistics.median(back):.1f} s / {max(back):.1f} s",
                f"{statistics.median(stalled):.1f} s / {max(stalled):.1f} s",
                str(sum(cell.get("copies", 0) for cell in cells)),
            ]
        )
    return table


def _rows(noted: Sequence[Noted]) -> list[list[str]]:
    table = [["Fault", "Came of it", "Figures"]]
    for one in sorted(noted, key=lambda one: str(one["fault"])):
        figures = [f"{name}: {value}" for name, value in one.items() if name not in ("row", "fault", "passed")]
        table.append([str(one["fault"]), "as it should" if one["passed"] else "**failed**", "; ".join(figures)])
    return table
