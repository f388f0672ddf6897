"""Which role may send which command: every cell, against a table written by hand (permissions.csv)."""

import csv
from pathlib import Path
from typing import get_args

import pytest

from domain import commands as c
from domain.decide import TABLE
from domain.decision import Actor, RoleName
from domain.permission import ROLES, SIGNING, may_send
from domain.state import Phase
from domain.values import Value
from tests.builders import dossier, drafted, opening, submitted
from tests.domain.every_command import ALL, EXAMPLES
from tests.domain.given import given

ROLE_NAMES: tuple[RoleName, ...] = get_args(RoleName)

with (Path(__file__).parent / "permissions.csv").open(encoding="utf-8", newline="") as file:
    WRITTEN = {row.pop("command"): row for row in csv.DictReader(file)}


def test_every_command_has_a_row_in_every_table() -> None:
    """A new command joins by itself: without its roles, its phases, its row by hand and its example this fails."""
    assert set(ROLES) == set(WRITTEN) == set(ALL) == {example.model_dump()["type"] for example in EXAMPLES}
    assert {*TABLE, c.OpenDelegation} == set(ALL.values())


def test_the_table_written_by_hand_speaks_of_every_role() -> None:
    """A new role needs a column."""
    assert {role for row in WRITTEN.values() for role in row} == set(ROLE_NAMES)


@pytest.mark.parametrize("command", ALL)
@pytest.mark.parametrize("role", ROLE_NAMES)
def test_each_role_may_send_what_the_table_says(command: str, role: RoleName) -> None:
    """Deny by default."""
    assert may_send((role,), command) is {"yes": True, "no": False}[WRITTEN[command][role]]


def test_who_has_no_role_may_send_nothing_and_nobody_may_send_what_does_not_exist() -> None:
    """Neither an account without roles nor a command without a row."""
    assert not any(may_send((), command) for command in ALL)
    assert not may_send(ROLE_NAMES, "delete_delegation")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
@pytest.mark.parametrize("role", ROLE_NAMES)
def test_a_command_of_another_role_is_refused_before_anything_else_is_looked_at(example: Value, role: RoleName) -> None:
    """Even where the file is unknown or in the wrong phase; an attempt to sign is looked at to be recorded."""
    kind = example.model_dump()["type"]
    refusal = given().when(example, by=Actor(id="somebody", roles=(role,))).refusal
    code = refusal.code if refusal else None
    assert (code == "role_may_not") is (WRITTEN[kind][role] == "no" and kind not in SIGNING)


def test_people_cannot_send_what_the_system_records() -> None:
    """Outcomes and the passing of time are not claimed by anybody."""
    going = given(*drafted())
    for example in EXAMPLES:
        row = WRITTEN[example.model_dump()["type"]]
        if row["system"] == "yes" and row["coordinator"] == "no":
            for role in ("coordinator", "approver", "auditor", "administrator"):
                actor = Actor(id="somebody", roles=(role,))
                going.when(example, by=actor).then_refused("role_may_not")


def test_several_roles_of_one_person_add_up_but_do_not_mix() -> None:
    """Who may coordinate and sign may do both, and still not sign the own request."""
    both = Actor(id="both", roles=("coordinator", "approver"), positions=("department_head",))
    going = given()
    going.when(opening(), by=both).accepted()
    going = given(*submitted())
    going.when(c.SignOff(step_id="department_head", dossier_digest=dossier(going.state)), by=both).accepted()


def test_the_phases_of_a_refusal_are_named() -> None:
    """Whoever is refused for the phase learns in which ones the command is allowed."""
    given(*drafted()).when(c.Depart()).then_refused(
        "wrong_phase", command="depart", phase=Phase.DRAFTED.value, allowed=["approved", "inviting"]
    )
