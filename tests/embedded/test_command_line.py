"""The `legation` command is light: it speaks HTTP, and what it refuses is one sentence."""

import subprocess
import sys
from pathlib import Path

from tests.embedded.running_stack import ROOT, legation

HEAVY = "activities api audit calendars documents notices storage workflows temporalio sqlalchemy fastapi alembic"


def test_the_command_loads_no_layer_and_no_engine() -> None:
    """A short process that loads the Temporal SDK can abort at its exit, and a daily verb must answer at once."""
    text = f"import sys, cli; print([name for name in {HEAVY!r}.split() if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert loaded.stdout.strip() == "[]"


def test_every_verb_has_help() -> None:
    """And so has the command itself."""
    overall = legation("--help")
    assert overall.returncode == 0
    for verb in ("up", "status"):
        assert verb in overall.stdout
        help_text = legation(verb, "--help")
        assert help_text.returncode == 0
        assert f"legation {verb}" in help_text.stdout


def test_an_unknown_verb_is_refused_with_the_usage() -> None:
    assert legation("fly").returncode == 2


def test_the_command_speaks_vietnamese_where_it_is_asked_to(tmp_path: Path) -> None:
    """By LEGATION_LANGUAGE; the sentence is the one that English has."""
    english = legation("--data", str(tmp_path), "status", language="en").stderr.strip()
    vietnamese = legation("--data", str(tmp_path), "status", language="vi").stderr.strip()
    assert english == f"Legation does not run on {tmp_path}: start it with `legation up`."
    assert vietnamese == f"Legation không chạy trên {tmp_path}: hãy khởi động bằng lệnh `legation up`."
