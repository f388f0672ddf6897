"""Scenario B on the real stack, by `legation demo FILE --exit --json` (domain.md, B)."""

from pathlib import Path

import pytest

from tests.embedded.running_stack import ROOT
from tests.journeys.demonstration import played_to_the_end


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demo_plays_another_file_and_ends_by_itself(tmp_path: Path) -> None:
    """Six people hear of four meetings each; the chain of outbound approvals, with its refusal, is gone to the end."""
    printed = played_to_the_end(tmp_path / "var", str(ROOT / "scenarios" / "outbound-two-countries.yaml"))
    assert printed["scenario"] == "outbound-two-countries"
    assert printed["phase"] == "closed"
    assert printed["head_count"] == 6
    assert printed["calendars_reached"] == {"invitations": 6}
    assert printed["messages"] == {"REQUEST": 24}
    assert printed["refusals"] == [{"step": "finance-signs-for-president", "code": "not_entitled_to_sign"}]
    report = next(one for one in printed["deadlines"] if one["what"] == "report")
    assert (report["rule"], report["status"]) == ("OUT-REPORT v1", "met")
