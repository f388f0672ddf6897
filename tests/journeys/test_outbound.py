"""Scenario B on the real stack, by `legation demo FILE --exit --json` (domain.md, B), and what can be asked of it."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.running_stack import ROOT, legation
from tests.journeys.demonstration import played_to_the_end

# One group: the tests share one demo, and two test processes would play two.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("outbound-demo")]

FILE = "song-lam-czechia-germany-2026"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outbound") / "var"


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, Any]:
    """What the demo printed; its data stay in the folder, and nothing runs there any more."""
    return played_to_the_end(folder, str(ROOT / "scenarios" / "outbound-two-countries.yaml"))


def test_the_demo_plays_another_file_and_ends_by_itself(printed: dict[str, Any]) -> None:
    """Six people hear of four meetings each; the chain of a high-level trip, with its refusals, is gone to the end.

    The file itself says that the report is reminded of three times, missed, and told to two positions.
    """
    assert printed["scenario"] == "outbound-two-countries"
    assert printed["phase"] == "closed"
    assert printed["head_count"] == 6
    assert printed["calendars_reached"] == {"invitations": 6}
    assert printed["messages"] == {"REQUEST": 24}
    assert printed["refusals"] == [
        {"step": "second-key-leader", "code": "limit_absolute"},
        {"step": "coordinator-signs", "code": "own_request"},
        {"step": "finance-signs-for-president", "code": "not_entitled_to_sign"},
        {"step": "traveller-signs", "code": "own_trip"},
        {"step": "substitute-after-leave", "code": "substitute_not_entitled"},
    ]
    found = {one["what"]: (one["rule"], one["status"]) for one in printed["deadlines"]}
    assert found["report"] == ("OUT-REPORT v2", "late")
    assert found["step.standing_vice_president.2"] == ("OUT-HIGH-LEVEL v2", "met")


def asked(folder: Path, *words: str) -> str:
    """What a command says of the stopped folder."""
    answer = legation("--data", str(folder), *words)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_everything_that_was_sealed_is_verified_on_the_stopped_folder(printed: dict[str, Any], folder: Path) -> None:
    """The file in journal, history and archive, the registers' logs, and the checkpoint made at the demo's end."""
    verified = json.loads(asked(folder, "verify", "--all", "--json"))
    assert (verified["holds"], verified["first_bad"]) == (True, None)
    [file] = [one for one in verified["verdicts"] if one["stream"] == FILE]
    assert (file["entries"], file["runs"], file["archived"]) == (printed["trail"]["length"], 1, 1)
    assert file["head"] == printed["trail"]["head"]


def test_the_file_and_the_list_are_shown_as_they_were(printed: dict[str, Any], folder: Path) -> None:
    """After its first event it was a draft; the list of that instant has it so."""
    first = json.loads(asked(folder, "show", FILE, "--seq", "1", "--json"))
    assert (first["phase"], first["seq"]) == ("drafted", 1)
    listed = json.loads(asked(folder, "list", "--as-of", first["updated_at"], "--json"))["items"]
    assert [(one["id"], one["phase"]) for one in listed] == [(FILE, "drafted")]
    told = json.loads(asked(folder, "trail", FILE, "--proof", "--type", "DelegationClosed", "--json"))["items"]
    assert [(one["seq"], one["proof"]["workflow_id"]) for one in told] == [(printed["trail"]["length"], FILE)]


def test_a_stranger_checks_the_evidence_with_nothing_of_ours(
    printed: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    """By the bundle's own verifier, against a checkpoint that was kept apart."""
    bundle, kept = tmp_path / "evidence.zip", tmp_path / "checkpoint.json"
    asked(folder, "evidence", FILE, "--out", str(bundle))
    kept.write_text(asked(folder, "checkpoint", "show", "--json"))
    unpacked = tmp_path / "unpacked"
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(bundle), str(unpacked)], check=True)
    checked = subprocess.run(
        [sys.executable, "-I", "verify.py", str(bundle), "--checkpoint", str(kept)],
        cwd=unpacked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    checks = ["manifest", "chain", "histories", "dossiers", "documents", "sign_offs", "rights", "decisions"]
    checks += ["inclusion", "checkpoints"]
    assert [line.split()[:2] for line in checked.stdout.splitlines()] == [["ok", check] for check in checks]


def test_the_archived_run_is_listed_and_fetched(printed: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    """What is fetched is what stands in the data folder, and never overwrites one of the reader's own."""
    [run] = json.loads(asked(folder, "archive", "list", "--delegation", FILE, "--json"))["items"]
    assert (run["first_seq"], run["last_seq"], run["following"]) == (1, printed["trail"]["length"], None)
    out = tmp_path / "history.json.gz"
    fetch = ("--data", str(folder), "archive", "fetch", run["run_id"], "--out", str(out))
    assert legation(*fetch).stdout == f"{out}, SHA-256 {run['digest']}\n"
    assert out.read_bytes() == (folder / "archive" / run["location"]).read_bytes()
    assert json.loads(gzip.decompress(out.read_bytes()))["events"][0]["eventId"] == "1"
    again = legation(*fetch, language="vi")
    assert (again.returncode, "đã tồn tại" in again.stderr) == (1, True)
