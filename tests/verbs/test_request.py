"""Requests of people and plans of retention by the command, on the real stack: received, settled; a dry run."""

import stat
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.installed import Installed
from tests.verbs.test_journey import done, verb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]

HARUKA = {
    "full_name": "Haruka Satō",
    "given_name": "Haruka",
    "email": "haruka@tokyo.example",
    "language": "en",
    "nationality": "JP",
}


def said(ended: "subprocess.CompletedProcess[str]") -> str:
    """What a verb that succeeded prints."""
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def asked(here: Installed, by: str, method: str, path: str, body: Any = None) -> Any:
    """What has no verb of its own, or has been tried by it."""
    answer = httpx2.request(method, f"{here.url}{path}", json=body, headers=here.headers(by), timeout=60)
    assert answer.is_success, answer.text
    return answer.json()


def test_a_request_from_its_arrival_to_its_end(here: Installed, tmp_path: Path) -> None:
    """Dates in the reader's language, an export that only its owner reads, a refusal as one sentence."""
    ref = asked(here, "lan", "POST", "/persons", HARUKA)["ref"]
    words = ("request", "receive", "access", "--person", ref, "--via", "email", "--at", "2026-02-13T16:00:00+07:00")
    request = done(here, "lan", *words)
    assert (request["answer_due_on"], request["carry_out_due_on"]) == ("2026-02-24", "2026-02-23")
    listed = said(verb(here, "root", "request", "list", "--overdue"))
    for text in (request["id"], "access to personal data", "the answer is overdue"):
        assert text in listed

    out = tmp_path / "held.txt"
    assert str(out) in said(verb(here, "root", "request", "export", ref, "--out", str(out)))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    for text in ("What is held of Haruka Satō", "haruka@tokyo.example", request["id"]):
        assert text in out.read_text("utf-8")
    digest = asked(here, "root", "GET", f"/persons/{ref}/export")["digest"]

    shown = said(verb(here, "root", "request", "answer", request["id"], "--text", "Xin xem tệp kèm theo."))
    assert "Answer: Xin xem tệp kèm theo." in shown
    assert "2026-02-16 holiday" in shown
    ended = done(here, "root", "request", "carry-out", request["id"], "--export", digest)
    assert (ended["status"], ended["ended_late"]) == ("carried_out", True)
    refused = verb(here, "root", "request", "take-back", request["id"])
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "nothing is to be done any more" in refused.stderr


def test_somebody_described_is_refused_in_words(here: Installed) -> None:
    """What a coordinator may not do is said."""
    received = said(verb(here, "lan", "request", "receive", "objection", "--description", "Ông Itō, gặp ở Huế"))
    assert "Of: somebody described" in received
    request = received.partition(":")[0]
    words = ("request", "refuse", request, "--reason", "identity_not_proven")
    assert verb(here, "lan", *words).returncode == 1
    assert "who asks was not proven" in said(verb(here, "root", *words))


def test_a_plan_is_a_dry_run(here: Installed) -> None:
    """On a new installation nothing is due; the schedule says what will be, and when never."""
    schedule = said(verb(here, "root", "retention", "schedule"))
    for text in ("passport numbers and dietary needs", "60 days", "the trail of each file", "for ever", "RET-TRAIL 1"):
        assert text in schedule
    planned = said(verb(here, "root", "retention", "plan"))
    assert "Nothing is due." in planned
    plan = planned.partition(":")[0]
    assert done(here, "root", "retention", "show", plan, "--entries", "sessions") == {"items": []}
    assert done(here, "root", "retention", "stop", plan)["status"] == "stopped"
    assert plan in said(verb(here, "root", "retention", "list"))
