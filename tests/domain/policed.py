"""Policies written in a few words, and editions that hold nothing else."""

from typing import Any

from domain.decision import Actor
from domain.policies import ApprovalChain
from domain.rules import Edition
from tests.rulebook import edition


def step(name: str, **said: Any) -> dict[str, Any]:
    """Return a step that the position of its name signs within three working days, unless said otherwise."""
    ways = {"position", "one_of", "all_of", "n_of", "external"} & set(said)
    usual = {} if ways else {"position": name}
    return (
        {"id": name, "title": {"vi": f"Bước {name}", "en": f"Step {name}"}, "time_limit_working_days": 3} | usual | said
    )


def policy(*steps: dict[str, Any], **said: Any) -> ApprovalChain:
    """Return a policy for inbound delegations; a plain department head signs where no step is given."""
    usual = {
        "id": "POLICY",
        "version": 1,
        "title": {"vi": "Quy trình", "en": "Policy"},
        "source": "test",
        "effective_from": "2024-01-01",
        "direction": "inbound",
        "steps": steps or (step("department_head"),),
    }
    return ApprovalChain.model_validate(usual | said)


def under(*policies: ApprovalChain) -> Edition:
    """Return the shipped rules with these policies in the place of theirs, and no deadlines but those of steps."""
    return edition().model_copy(update={"approvals": policies, "deadlines": ()})


def holding(*positions: str, name: str = "") -> Actor:
    """Return an approver who holds these positions, named after the first."""
    return Actor(id=name or positions[0].replace("_", "-"), roles=("approver",), positions=positions)
