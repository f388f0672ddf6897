"""Policies read from files: what is wrong is told with file, line and rule, and two that could tie name each other."""

import shutil
from pathlib import Path

import pytest

from tests.rulebook import RULES
from tests.storage.test_editions_file import change, line_of, said

HIGH = "approvals/outbound.yaml"
CONFERENCE = "approvals/conference.yaml"
INBOUND = "approvals/inbound.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped rules that a test may spoil."""
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (HIGH, "head_level: high", "head_level: highest",
         "rule OUT-HIGH-LEVEL: applies.head_level: must be one of 'standard' or 'high'"),
        (HIGH, "head_level: high", "weather: fine",
         "rule OUT-HIGH-LEVEL: applies.weather: is not a known field"),
        (HIGH, "looks_at: [request, member, programme, limit]", "looks_at: [request, hotel]",
         ("rule OUT-HIGH-LEVEL: steps[0].looks_at[1]: must be one of 'request', 'member', 'programme', 'ceiling', "
         "'limit' or 'document'")),
        (HIGH, "remind_before: [5, 1, 0]", "remind_before: [5, -1]",
         "rule OUT-HIGH-LEVEL: steps[4].remind_before[1]: must be 0 or more"),
        (INBOUND, "resubmission: minimal", "resubmission: half",
         "rule IN-PROVINCIAL: resubmission: must be one of 'whole' or 'minimal'"),
        (CONFERENCE, "priority: 10", "priority: high", "rule IN-CONFERENCE-PM: priority: must be a whole number"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_policy_is_told_at_its_line(folder: Path, file: str, old: str, new: str, told: str) -> None:
    """With the way to the field, through the steps."""
    change(folder, file, old, new)
    line = line_of(folder, file, new)
    assert said(folder) == [f"rules/{file}, line {line}: {told}"]


def test_a_step_that_nobody_decides_is_told_where_the_step_begins(folder: Path) -> None:
    """What concerns several fields of a step has no line of its own."""
    change(folder, HIGH, "        external: true\n", "")
    line = line_of(folder, HIGH, "id: competent_authority")
    assert said(folder) == [
        (
            f"rules/{HIGH}, line {line}: rule OUT-HIGH-LEVEL: steps[4]: "
            "a step has exactly one of position, one_of, all_of, n_of and external"
        )
    ]


def test_stages_with_a_gap_are_told_where_the_policy_begins(folder: Path) -> None:
    """They concern all its steps."""
    change(folder, INBOUND, "        stage: 3\n", "        stage: 4\n")
    line = line_of(folder, INBOUND, "id: IN-PROVINCIAL")
    assert said(folder) == [f"rules/{INBOUND}, line {line}: rule IN-PROVINCIAL: stages count up from 1 without a gap"]


def test_two_policies_that_could_tie_name_each_other(folder: Path) -> None:
    """Without its priority a conference of the central union could get either: one condition each."""
    change(folder, CONFERENCE, "    priority: 10\n", "")
    first = line_of(folder, CONFERENCE, "id: IN-CONFERENCE-PM")
    others = [line_of(folder, INBOUND, f"id: {name}") for name in ("IN-PROVINCIAL", "IN-CENTRAL")]
    assert said(folder) == [
        f"rules/{INBOUND}, line {line}: rule {name}: another rule for the same case holds on the same days: "
        f"IN-CONFERENCE-PM version 1 in {CONFERENCE}, line {first}"
        for name, line in zip(("IN-PROVINCIAL", "IN-CENTRAL"), others, strict=True)
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (HIGH, "escalate_to: standing_vice_president", "escalate_to: department_head",
         "rule OUT-HIGH-LEVEL: steps[0].escalate_to: a step that is late goes up to somebody else"),
        (HIGH, "applies: {head_level: high}", "applies: {head_level: high, countries: [CZ, ZZ]}",
         "rule OUT-HIGH-LEVEL: applies.countries[1]: ZZ is no country of ISO 3166-1"),
        (HIGH, "applies: {head_level: high}", "applies: {issuer: [hanoi, atlantis]}",
         "rule OUT-HIGH-LEVEL: applies.issuer[1]: no deadline and no limit of this edition is of the issuer atlantis"),
        (HIGH, "applies: {head_level: high}", "applies: {cost_at_least: 5}",
         ("rule OUT-HIGH-LEVEL: applies.cost_at_least: the cost of an outbound delegation is not known: "
          "norms abroad are in other currencies")),
    ],
)  # fmt: skip
def test_what_can_never_work_is_told_at_its_line(folder: Path, file: str, old: str, new: str, told: str) -> None:
    """Though each rule is well made: nobody would notice before a file waits for ever."""
    change(folder, file, old, new)
    line = line_of(folder, file, new)
    assert said(folder)[0] == f"rules/{file}, line {line}: {told}"


def test_a_direction_without_a_policy_for_everybody_is_refused(folder: Path) -> None:
    """Some requests could not be submitted: from the first day on, or from the one on which the last policy ends."""
    missing = "no policy without conditions is for outbound requests: some could not be submitted"
    (folder / HIGH).rename(folder / "approvals" / "outbound.yml")
    assert said(folder)[0] == (
        "rules/approvals/outbound.yml, line 1: is not read: the name of a file of rules ends in .yaml"
    )
    (folder / "approvals" / "outbound.yml").unlink()
    assert said(folder) == [f"rules/edition.yaml, line 9: on 2024-01-01 {missing}"]
    shutil.copy(RULES / HIGH, folder / HIGH)
    change(folder, HIGH, "effective_from: 2026-01-01", "effective_from: 2026-02-01")
    assert said(folder) == [f"rules/edition.yaml, line 9: on 2026-01-01 {missing}"]
