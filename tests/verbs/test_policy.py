"""What `legation policy explain` says: which policy, and each condition of each, in both languages."""

import json
from typing import Any

import pytest

from domain import policies
from domain.choosing import Facts, choose
from locales import Language, translator
from tests.domain.test_choosing import DAY
from tests.rulebook import edition
from verbs.policy import Matter
from words.policies import explained


def answer(matter: policies.Matter = "request", /, **facts: Any) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """What the API answers, as a program reads it."""
    policy, why = choose(edition().approvals, Facts.model_validate({"direction": "inbound"} | facts), DAY, matter)
    return (
        json.loads(policy.model_dump_json()) if policy else None,
        [json.loads(one.model_dump_json()) for one in why],
    )


def told(language: Language, **facts: Any) -> list[str]:
    policy, why = answer(**facts)
    return list(explained(policy, why, translator(language)))


def test_the_chosen_policy_comes_first_and_every_condition_with_what_was_found() -> None:
    """In English."""
    assert told("en", run_by="central_union", conference="other") == [
        "Chosen: IN-CONFERENCE-OTHER, version 2: Approval of an international conference at another level",
        "Source: Decision 06/2020/QĐ-TTg [6]; steps are local configuration",
        "After a return only those sign again whose parts of the dossier changed.",
        (
            "IN-CONFERENCE-PM, priority 10, does not apply: "
            "Approval of an international conference at the prime minister's level"
        ),
        "  ✗ conference: at the prime minister's level (here: at another level)",
        "IN-CONFERENCE-OTHER, priority 10, chosen: Approval of an international conference at another level",
        "  ✓ conference: at another level (here: at another level)",
        "IN-PROVINCIAL, priority 0, does not apply: Approval of an inbound delegation of a provincial union",
        "  ✗ run by a provincial union (here: the central union)",
        "IN-CENTRAL, priority 0, outranked: Approval of an inbound delegation of the central union",
        "  ✓ run by the central union (here: the central union)",
        "IN-APPROVAL, priority 0, outranked: Approval of an inbound delegation",
        "  ✓ states no condition",
    ]


def test_it_says_the_same_in_vietnamese() -> None:
    """What is not known is said to be so."""
    lines = told("vi")
    assert lines[0] == "Được chọn: IN-APPROVAL, phiên bản 2: Quy trình phê duyệt đoàn vào"
    assert "  ✗ đơn vị chủ trì: liên hiệp cấp tỉnh (ở đây: chưa biết)" in lines
    assert lines[-1] == "  ✓ không đặt điều kiện nào"


def test_of_a_change_it_says_what_needs_approval() -> None:
    """And where no policy applies, that none is needed."""
    policy, why = answer("programme_change", run_by="central_union")
    lines = list(explained(policy, why, translator("en"), Matter.programme_change))
    assert lines[0].startswith("Chosen: IN-CHANGE-CENTRAL, version 2: ")
    assert (
        lines[3] == "What needs approval when it changes after the decision: the request, the members and the programme"
    )
    assert list(explained(None, [], translator("vi"), Matter.programme_change)) == [
        "Không có quy trình nào áp dụng: thay đổi sau quyết định không phải trình phê duyệt."
    ]


def test_that_no_policy_applies_is_said() -> None:
    """Before somebody submits in vain."""
    assert list(explained(None, [], translator("en"))) == ["No policy applies: the proposal could not be submitted."]


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    ("condition", "wanted", "found"),
    [
        ("countries", ["JP", "US"], ["DE"]),
        ("limits_breached", True, []),
        ("entry_papers_needed", True, False),
        ("cost_at_least", 200_000_000, None),
        ("cost_below", 200_000_000, 201_000_000),
        ("head_level", "high", "standard"),
        ("issuer", ["hanoi"], None),
    ],
)
def test_every_condition_has_a_sentence(language: Language, condition: str, wanted: Any, found: Any) -> None:
    """No code of a condition is shown to a person."""
    checked = {"condition": condition, "wanted": wanted, "found": found, "met": False}
    candidate = {
        "policy": "P",
        "title": {"vi": "Quy trình", "en": "Policy"},
        "priority": 0,
        "conditions": [checked],
        "applies": False,
        "chosen": False,
    }
    said = list(explained(None, [candidate], translator(language)))[-1]
    assert said.startswith("  ✗ ")
    assert "_" not in said
    assert not {"None", "True", "False", "[]"} & set(said.replace(")", " ").split())
