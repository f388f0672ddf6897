"""The evidence of a file by its verb, on the real stack, checked by the program that comes with it."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.installed import Installed
from tests.verbs.test_journey import VISIT, done, verb, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]


def test_evidence_is_written_checked_and_never_over_another_file(here: Installed, tmp_path: Path) -> None:
    """The key in the stack's folder is the one that a reader knows; later events are said to be missing."""
    done(here, "lan", "open", written(tmp_path, "visit.yaml", VISIT.format(id="tokyo-evidence")))
    out = tmp_path / "evidence.zip"
    early = verb(here, "root", "evidence", "tokyo-evidence", "--out", str(out))
    assert (early.returncode, out.exists()) == (1, False)
    assert "No checkpoint has an event of this file yet" in early.stderr
    number = done(here, "root", "checkpoint", "make")["checkpoint"]["number"]
    fetched = verb(here, "root", "evidence", "tokyo-evidence", "--out", str(out))
    assert fetched.returncode == 0, fetched.stderr
    with zipfile.ZipFile(out) as bundle:
        manifest = json.loads(bundle.read("manifest.json"))
        bundle.extract("verify.py", tmp_path)
        bundle.extract("checkpoints.jsonl", tmp_path)
    assert (manifest["checkpoint"], manifest["documents"]) == (number, False)
    head = manifest["head"]["seq"]
    assert fetched.stdout.startswith(f"{out}: {head} events, up to checkpoint {number}. SHA-256 ")
    kept = tmp_path / "kept.json"
    kept.write_text(verb(here, "root", "checkpoint", "show", str(number), "--json").stdout)
    command = [sys.executable, "-I", str(tmp_path / "verify.py"), str(out), "--checkpoint", str(kept)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout
    assert "with a key that you know; 1 kept ones are among them" in checked.stdout
    again = verb(here, "root", "evidence", "tokyo-evidence", "--out", str(out))
    assert (again.returncode, again.stderr) == (1, f"{out} exists already.\n")
    other = tmp_path / "with-documents.zip"
    refused = verb(here, "lan", "evidence", "tokyo-evidence", "--out", str(other))
    assert (refused.returncode, other.exists()) == (1, False)
    assert verb(here, "lan", "evidence", "tokyo-evidence", "--out", str(other), "--documents").returncode == 0
