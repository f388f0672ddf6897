"""Where recorded histories are kept, one file a run: `tests/histories/<scenario>-<release>[-run <n>].json.gz`."""

import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

HISTORIES = Path(__file__).parent.parent / "histories"
STATES = Path(__file__).parent.parent / "golden" / "states"
_NAME = re.compile(r"(?P<recording>.+?)(-run(?P<run>\d+))?\.json\.gz")


@dataclass(frozen=True)
class Recording:
    """All runs of one delegation, in order, as one release of Legation wrote them."""

    name: str
    paths: tuple[Path, ...]

    @property
    def golden(self) -> Path:
        """The file with the state these histories fold to."""
        return STATES / f"{self.name}.json"

    def histories(self) -> list[WorkflowHistory]:
        """Read every run."""
        return [read(path) for path in self.paths]


def recordings(folder: Path = HISTORIES) -> list[Recording]:
    """Return every recording that is kept."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in folder.glob("*.json.gz"):
        named = _NAME.fullmatch(path.name)
        assert named, path
        found.setdefault(named["recording"], []).append((int(named["run"] or 1), path))
    return [Recording(name, tuple(path for _, path in sorted(runs))) for name, runs in sorted(found.items())]


def read(path: Path) -> WorkflowHistory:
    """Read one run."""
    document = json.loads(gzip.decompress(path.read_bytes()))
    started = document["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], document)


def write(name: str, histories: list[WorkflowHistory], folder: Path = HISTORIES) -> list[Path]:
    """Write the runs of a recording, in order, in the place of those that have its name."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{name}*.json.gz"):
        old.unlink()
    paths = []
    for number, history in enumerate(histories, 1):
        path = folder / (f"{name}.json.gz" if len(histories) == 1 else f"{name}-run{number}.json.gz")
        # In one order (protobuf's maps have none) and without a time in it: the same history is the same file.
        text = json.dumps(
            _without_traces(history.to_json_dict()), ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
        paths.append(path)
    return paths


def _without_traces(part: Any) -> Any:
    """The same without stack traces: no replay looks at them, and they name the folders of a machine."""
    if isinstance(part, dict):
        return {name: _without_traces(inner) for name, inner in part.items() if name != "stackTrace"}
    return [_without_traces(inner) for inner in part] if isinstance(part, list) else part
