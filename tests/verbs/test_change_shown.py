"""`legation show` and `legation sign` on a file that changed after its decision."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest

from domain import commands as c
from locales import translator
from tests.builders import VICE_PRESIDENT, amending, member, moved, sign
from tests.domain.given import Given, given
from tests.rulebook import edition
from verbs.file_view import show_file
from verbs.refusal import Refusal
from verbs.sign import require_same
from words.edition import EditionWords


def shown(file: Given, unapproved: tuple[str, ...] = ()) -> dict[str, Any]:
    """The file as the API answers it."""
    state = json.loads(file.state.model_dump_json())
    steps = [
        {"id": one.id, "waits_for": list(one.waits_for), "dossier_digest": state["amendment"]["digest"]}
        for one in file.state.open_steps
    ]
    return {
        "id": "song-lam-1",
        "phase": state["phase"],
        "seq": 40,
        "head": "0" * 64,
        "updated_at": "2026-03-16T02:00:00Z",
        "waits_for": "coordinator",
        "head_count": 2,
        "open_step": next(iter(steps), None),
        "open_steps": steps,
        "observations": [],
        "unapproved": list(unapproved),
        "breaches": [],
        "overlaps": [],
        "untold": [],
        "deadlines": [],
        "ceilings": [],
        "state": state,
    }


def told(file: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    english = translator("en")
    rules = EditionWords(edition().model_dump(mode="json"), english)
    show_file(file, {}, rules, english, now=datetime(2026, 3, 16, 3, 0, tzinfo=UTC))
    return " ".join(capsys.readouterr().out.split())


def test_a_change_under_approval_stands_beside_the_proposal(capsys: pytest.CaptureFixture[str]) -> None:
    """With what it changes, what was carried over to it, and what waits."""
    said = told(shown(given(*amending()), ("programme",)), capsys)
    assert "Changed since the decision and not approved: programme." in said
    assert "Approval of proposal 1" in said
    assert "Approval of proposal 2" in said
    assert "signed, carried over from proposal 1" in said
    assert "Changed since the decision: programme" in said


def test_a_signature_that_fell_is_shown_as_void(capsys: pytest.CaptureFixture[str]) -> None:
    """A newcomer supersedes the change; what the outside authorities had seen no longer stands for it."""
    said = told(shown(given(*amending(), member("kato"))), capsys)
    assert said.count("signed, void by a later change") == 2


@pytest.mark.parametrize(("read", "same"), [("ab" * 32, True), ("AB" * 6, True), ("ab" * 5, False), ("ba" * 32, False)])
def test_a_digest_says_which_dossier_was_read(read: str, same: bool) -> None:
    """The first places are enough; too few, and those of another one, are refused before anything is sent."""
    with nullcontext() if same else pytest.raises(Refusal, match="What stands now has another digest"):
        require_same(read, "ab" * 32)


def test_what_the_trail_of_a_second_change_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """The change approved before and the one that waits, each with its number."""
    file = given(*amending(), sign("vice_president", VICE_PRESIDENT))
    file.further(moved("tuesday", "2026-04-07T09:00", "2026-04-07T11:00"), c.SubmitChange())
    said = told(shown(file), capsys)
    assert [f"Approval of proposal {number}" in said for number in (1, 2, 3)] == [True, True, True]
