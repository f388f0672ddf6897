"""A scenario says what its steps come to, and is wrong where they come to something else."""

from pathlib import Path

import pytest

from scenariofile import Scenario, load_scenario
from tests.domain.player import play
from tests.rulebook import edition

TRIP = Path(__file__).parent.parent.parent / "scenarios" / "outbound-two-countries.yaml"


def altered(was: str, becomes: str) -> Scenario:
    """Scenario B with other words in one place."""
    text = TRIP.read_text(encoding="utf-8")
    assert text.count(was) == 1
    return load_scenario(text.replace(was, becomes), TRIP.name)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("expect: {events: [DeadlineMissed]}", "expect: {events: [DeadlineEscalated]}", r"step overdue: came to \(\)"),
        (
            "expect: {events: [DeadlineEscalated, DeadlineEscalated]}",
            "expect: {events: [DeadlineEscalated]}",
            r"step told-further: came to \('DeadlineEscalated', 'DeadlineEscalated'\)",
        ),
        (
            "expect: {refused: own_trip, events: [SignOffRefused]}",
            "expect: {events: [StepSigned]}",
            "step traveller-signs: own_trip",
        ),
        ("    expect: {refused: limit_absolute}\n", "", "step second-key-leader: limit_absolute"),
    ],
)
def test_a_step_that_comes_to_something_else_ends_the_play(was: str, becomes: str, said: str) -> None:
    """Too few events, too many, a refusal that was not expected, or another one."""
    with pytest.raises(AssertionError, match=said):
        play(altered(was, becomes), edition())


def test_nobody_registers_the_leave_of_somebody_else() -> None:
    """Only an administrator may; the scenario may expect the refusal."""
    theirs = altered("      leave: convalescence\n", "      leave: convalescence\n      account: president\n")
    with pytest.raises(AssertionError, match="step leave-registered: leave_not_yours"):
        play(theirs, edition())


@pytest.mark.parametrize(
    "change",
    ["{type: revoke_leave, leave: convalescence}", "{type: end_leave, leave: convalescence, until: 2026-04-28T13:00}"],
)
def test_a_leave_that_is_revoked_or_ended_gives_nothing(change: str) -> None:
    """An hour before the substitute signs."""
    step = "  - id: signed-standing-vice-president\n"
    over = (
        "  - {id: over, at: 2026-04-28T14:00, by: standing-vice-president, title: {vi: Hết nghỉ, en: Back},"
        f" do: {change}}}\n"
    )
    with pytest.raises(AssertionError, match="step signed-standing-vice-president: substitute_not_entitled"):
        play(altered(step, over + step), edition())
