"""Scenario B on the real stack, by `legation demo FILE --exit --json` (domain.md, B)."""

from pathlib import Path

import pytest

from tests.embedded.running_stack import ROOT
from tests.journeys.demonstration import played_to_the_end


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_plays_another_file_and_ends_by_itself(tmp_path: Path) -> None:
    """Six people hear of four meetings each; the chain of a high-level trip, with its refusals, is gone to the end.

    The file itself says that the report is reminded of three times, missed, and told to two positions.
    """
    printed = played_to_the_end(tmp_path / "var", str(ROOT / "scenarios" / "outbound-two-countries.yaml"))
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
    assert found["step.standing_vice_president.2"] == ("OUT-HIGH-LEVEL v1", "met")
