"""What the registers do not bear of a policy is told, and refused nowhere."""

from datetime import date
from typing import Any

import pytest

from domain.sense import doubts
from tests.domain.policed import policy, step

TODAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("steps", "registered", "holders", "expected"),
    [
        ((step("head"),), (), {"head": 1}, []),
        ((step("presidnet"),), ("president",), {"president": 1}, [("position_unknown", "presidnet")]),
        ((step("head", escalate_to="chair"),), ("chair",), {"head": 1}, [("position_vacant", "chair")]),
        ((step("a", position="head"), step("b", position="head")), (), {"head": 1}, [("position_shared", "head")]),
        ((step("a", position="head"), step("b", position="head")), (), {"head": 2}, []),
        ((step("a", position="head"), step("b", one_of=("head", "chair"))), (), {"head": 1, "chair": 1}, []),
    ],
)
def test_what_the_registers_do_not_bear_is_told(
    steps: tuple[dict[str, Any], ...], registered: tuple[str, ...], holders: dict[str, int], expected: Any
) -> None:
    """A position that no register has, one that nobody holds, one that fewer people hold than steps ask for."""
    found = doubts((policy(*steps),), TODAY, registered=registered, holders=holders)
    assert [(one.code, one.position) for one in found] == expected


def test_policies_that_are_over_are_left_alone() -> None:
    over = policy(step("head"), effective_to="2026-05-31")
    assert doubts((over,), TODAY, registered=(), holders={}) == ()
