"""Requests of people and plans of retention by the command, on the real stack: received, settled, exported; a dry run."""

import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installed import Installed, installed
from tests.verbs.test_journey import VISIT, done, verb, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with installed(tmp_path_factory.mktemp("requests") / "data") as installation:
        yield installation


def said(ended: "subprocess.CompletedProcess[str]") -> str:
    """What a verb that succeeded prints."""
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def person_of(here: Installed, tmp_path: Path) -> str:
    """The reference of somebody on a file."""
    done(here, "lan", "open", written(tmp_path, "visit.yaml", VISIT.format(id="tokyo-request")))
    people: dict[str, Any] = done(here, "lan", "show", "tokyo-request")["state"]["people"]
    return str(people["m-1"]["person"]["ref"])


def test_a_request_from_its_arrival_to_its_end(here: Installed, tmp_path: Path) -> None:
    """Dates in the reader's language, an export that only its owner reads, a refusal as one sentence."""
    ref = person_of(here, tmp_path)
    words = ("request", "receive", "access", "--person", ref, "--via", "email", "--at", "2026-02-13T16:00:00+07:00")
    request = done(here, "lan", *words)
    assert (request["answer_due_on"], request["carry_out_due_on"]) == ("2026-02-24", "2026-02-23")
    listed = said(verb(here, "root", "request", "list", "--overdue"))
    assert request["id"] in listed
    assert "access to personal data" in listed
    assert "the answer is overdue" in listed

    out = tmp_path / "held.txt"
    assert str(out) in said(verb(here, "root", "request", "export", ref, "--out", str(out)))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    page = out.read_text("utf-8")
    for text in ("What is held of Haruka Satō", "haruka@tokyo.example", "Đoàn Hội hữu nghị Tokyo (tokyo-request)"):
        assert text in page
    digest = done(here, "root", "request", "export", ref)["digest"]

    shown = said(verb(here, "root", "request", "answer", request["id"], "--text", "Xin xem tệp kèm theo."))
    assert "Answer: Xin xem tệp kèm theo." in shown
    assert "2026-02-16 holiday" in shown
    ended = done(here, "root", "request", "carry-out", request["id"], "--export", digest)
    assert (ended["status"], ended["ended_late"]) == ("carried_out", True)
    refused = verb(here, "root", "request", "take-back", request["id"])
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "nothing is to be done any more" in refused.stderr
    assert request["id"] not in said(verb(here, "root", "request", "list"))
    assert request["id"] in said(verb(here, "root", "request", "list", "--all"))


def test_somebody_described_is_identified_and_refused(here: Installed) -> None:
    """What a coordinator may not do is said."""
    request = done(here, "lan", "request", "receive", "objection", "--description", "Ông Itō, gặp ở Huế")
    assert "somebody described" in said(verb(here, "root", "request", "show", request["id"]))
    assert verb(here, "lan", "request", "refuse", request["id"], "--reason", "repeated").returncode == 1
    longer = done(here, "root", "request", "extend", request["id"], "--days", "5", "--reason", "Chờ xác minh")
    assert longer["extended_days"] == 5
    words = ("request", "refuse", request["id"], "--reason", "identity_not_proven")
    assert "who asks was not proven" in said(verb(here, "root", *words))


def test_a_plan_is_a_dry_run(here: Installed) -> None:
    """On a new installation nothing is due; the schedule says what will be, and when never."""
    schedule = said(verb(here, "root", "retention", "schedule"))
    for text in ("passport numbers and dietary needs", "60 days", "the trail of each file", "for ever", "RET-TRAIL 1"):
        assert text in schedule
    assert "Nothing is due." in said(verb(here, "root", "retention", "plan"))
    [plan] = done(here, "root", "retention", "list")["items"]
    assert (plan["status"], plan["count"]) == ("open", 0)
    assert plan["id"] in said(verb(here, "root", "retention", "list"))
    assert json.loads(said(verb(here, "root", "retention", "show", plan["id"], "--entries", "sessions", "--json"))) == {
        "items": []
    }
    assert done(here, "root", "retention", "stop", plan["id"])["status"] == "stopped"
    assert "The plan was applied, stopped or superseded." in verb(here, "root", "retention", "apply", plan["id"]).stderr
