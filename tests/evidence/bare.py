"""A bare Python: the standard library and `cryptography`, as a stranger has it."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("driver.py")
NEEDED = ("cryptography", "cffi", "_cffi_backend")

Said = list[tuple[str, bool, str]]
"""What the verifier says: check, whether it holds, what was found."""


@dataclass(frozen=True)
class Changed:
    """A bundle in which members are other ones, or missing (None), and what its reader kept."""

    members: Mapping[str, bytes | None]
    kept: tuple[Mapping[str, Any], ...] = ()
    keys: tuple[str, ...] = ()

    def written(self) -> str:
        """A line for the driver."""
        changed = {
            name: None if content is None else base64.b64encode(content).decode()
            for name, content in self.members.items()
        }
        return json.dumps({"changed": changed, "kept": self.kept, "keys": self.keys})


def packages(folder: Path) -> Path:
    """A folder with links to the packages that a verifier needs, and to nothing else."""
    made = folder / "packages"
    made.mkdir(exist_ok=True)
    for name in NEEDED:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        place = Path(spec.origin)
        place = place.parent if place.name == "__init__.py" else place
        if not (made / place.name).exists():
            (made / place.name).symlink_to(place)
    return made


def run(folder: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the bare Python."""
    return subprocess.run(
        [sys.executable, "-I", "-S", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": os.environ.get("PATH", "")},
        check=False,
    )


def checked(folder: Path, bundle: bytes, cases: Sequence[Changed]) -> list[Said]:
    """What the verifier in the repository says of every case, in one process."""
    base, written = folder / "base.zip", folder / "cases.jsonl"
    base.write_bytes(bundle)
    written.write_text("".join(one.written() + "\n" for one in cases))
    verifier = DRIVER.parents[2] / "audit" / "bundle" / "verify.py"
    done = run(folder, DRIVER, packages(folder), base, verifier, written)
    assert done.returncode == 0, done.stderr
    return [[(name, good, said) for name, good, said in json.loads(line)] for line in done.stdout.splitlines()]


def broken(said: Said) -> dict[str, str]:
    """What does not hold, by check."""
    return {name: found for name, good, found in said if not good}
