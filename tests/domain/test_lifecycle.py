"""The journey and its ends: handing over, departing, concluding, postponing, cancelling, closing, reopening."""

from datetime import date
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.decide import TABLE
from domain.state import Delegation, Phase
from domain.values import Value
from tests.builders import (
    ADMINISTRATOR,
    DEPARTMENT_HEAD,
    Said,
    Step,
    approved,
    closed,
    dossier,
    drafted,
    invited,
    reporting,
    submitted,
    text,
    under_way,
)
from tests.domain.given import given


def postponed() -> tuple[Step, ...]:
    """Put off after the invitation."""
    return (*invited(), c.Postpone(reason=text()))


def cancelled() -> tuple[Step, ...]:
    """Called off after the invitation."""
    return (*invited(), c.CancelDelegation(reason=text()))


def rejected() -> tuple[Step, ...]:
    """Refused by the first desk."""

    def reject(state: Delegation) -> Said:
        return Said(
            c.RejectStep(step_id="department_head", dossier_digest=dossier(state), reason=text()), DEPARTMENT_HEAD
        )

    return (*submitted(), reject)


IN_PHASE: dict[Phase, tuple[Step, ...]] = {
    Phase.DRAFTED: drafted(),
    Phase.SUBMITTED: submitted(),
    Phase.APPROVED: approved(),
    Phase.INVITING: invited(),
    Phase.UNDER_WAY: under_way(),
    Phase.REPORTING: reporting(),
    Phase.CLOSED: closed(),
    Phase.REJECTED: rejected(),
    Phase.POSTPONED: postponed(),
    Phase.CANCELLED: cancelled(),
}

ALLOWED: dict[str, set[str]] = {
    "depart": {"approved", "inviting"},
    "conclude": {"under_way"},
    "postpone": {"drafted", "submitted", "approved", "inviting"},
    "resume": {"postponed"},
    "cancel_delegation": {"drafted", "submitted", "approved", "inviting", "under_way", "postponed"},
    "close_delegation": {"reporting", "rejected", "cancelled"},
    "reopen_delegation": {"closed"},
    "hand_over": {phase.value for phase in IN_PHASE} - {"closed"},
}

COMMANDS: dict[str, Value] = {
    "depart": c.Depart(),
    "conclude": c.Conclude(),
    "postpone": c.Postpone(reason=text()),
    "resume": c.Resume.model_validate({"starts": "2026-09-07", "ends": "2026-09-13"}),
    "cancel_delegation": c.CancelDelegation(reason=text()),
    "close_delegation": c.CloseDelegation(),
    "reopen_delegation": c.ReopenDelegation(reason=text()),
    "hand_over": c.HandOver(to="somebody-else"),
}


@pytest.mark.parametrize("phase", IN_PHASE, ids=lambda phase: phase.value)
@pytest.mark.parametrize("name", COMMANDS)
def test_each_turn_of_the_way_is_taken_from_the_phases_written_here_by_hand(name: str, phase: Phase) -> None:
    """Everywhere else it is refused for its phase, and a closed file says that it is closed."""
    going = given(*IN_PHASE[phase])
    assert going.state.phase is phase
    refusal = going.when(COMMANDS[name]).refusal
    refused_for_phase = refusal is not None and refusal.code in ("wrong_phase", "delegation_closed")
    assert refused_for_phase is (phase.value not in ALLOWED[name])


def test_a_journey_begins_on_its_first_day_and_not_before() -> None:
    """By the date of the business zone: 00:00 on the 6th of April will do, 23:59 the evening before will not."""
    going = given(*invited())
    going.when(c.Depart(), at="2026-04-05T23:59").then_refused(
        "journey_not_begun", starts="2026-04-06", today="2026-04-05"
    )
    going.when(c.Depart(), at="2026-04-06T00:00").then(e.DelegationDeparted()).then_state(phase=Phase.UNDER_WAY)


def test_a_journey_may_end_early_and_the_report_is_due_from_that_day() -> None:
    """Back on the 10th: due on the 13th instead of the 15th."""
    going = given(*under_way())
    done = going.when(c.Conclude(), at="2026-04-10T18:00").then(e.DelegationConcluded())
    assert done.state.phase is Phase.REPORTING
    assert done.state.deadlines["report"].due_on == date(2026, 4, 13)


def test_another_coordinator_takes_over() -> None:
    """Also by an administrator's hand; to the same one is refused."""
    going = given(*drafted())
    going.when(c.HandOver(to="coordinator-2"), by=ADMINISTRATOR).then(
        e.CoordinatorChanged(previous="coordinator", coordinator="coordinator-2")
    ).then_state(coordinator="coordinator-2", opened_by="coordinator")
    going.when(c.HandOver(to="coordinator-2")).then_refused("coordinator_unchanged", field="to")


def test_a_postponed_delegation_rests_until_it_is_resumed_with_new_dates() -> None:
    """Nothing is due meanwhile; what was approved no longer stands."""
    going = given(*postponed())
    assert going.state.phase is Phase.POSTPONED
    assert going.state.next_wake is None
    going.when(c.Resume.model_validate({"starts": "2026-02-01", "ends": "2026-02-02"})).then_refused(
        "arrival_before_request", field="starts"
    )
    done = going.when(c.Resume.model_validate({"starts": "2026-05-11", "ends": "2026-05-17"}))
    done.then(e.DelegationResumed(starts=date(2026, 5, 11), ends=date(2026, 5, 17)))
    done.then_state(phase=Phase.DRAFTED, decision=None, starts=date(2026, 5, 11))
    assert done.state.proposal is not None
    assert done.state.proposal.withdrawn
    assert done.state.deadlines["notice_police"].due_on == date(2026, 5, 7)


def test_a_closed_file_takes_nothing_but_being_reopened() -> None:
    """Every other command of a person is refused with the same code."""
    going = given(*closed())
    going.when(c.HandOver(to="coordinator-2")).then_refused("delegation_closed", command="hand_over")
    going.when(c.SubmitRequest()).then_refused("delegation_closed", command="submit_request")


@pytest.mark.parametrize("before", [Phase.REPORTING, Phase.REJECTED, Phase.CANCELLED], ids=lambda phase: phase.value)
def test_a_reopened_file_is_where_it_was_when_it_was_closed(before: Phase) -> None:
    """A correction does not move it along."""
    history: Any = closed() if before is Phase.REPORTING else (*IN_PHASE[before], c.CloseDelegation())
    going = given(*history)
    assert going.state.phase is Phase.CLOSED
    going.when(c.ReopenDelegation(reason=text())).then(e.DelegationReopened(reason=text())).then_state(phase=before)
    going.when(c.CloseDelegation()).accepted()


def test_a_rejected_or_cancelled_file_is_closed_without_a_report() -> None:
    """There was no journey to report on."""
    for history in (rejected(), cancelled()):
        given(*history).when(c.CloseDelegation()).then(e.DelegationClosed())


def test_nothing_is_due_once_the_file_is_closed() -> None:
    """No wake is left, and time brings nothing."""
    going = given(*closed())
    assert going.state.next_wake is None
    head = going.play.head
    going.wait("2027-01-01T00:00").when(c.Tick()).then()
    assert going.play.head == head


def test_every_phase_is_reached_by_somebody() -> None:
    """The table of this test covers all phases but the two in the middle of approval."""
    assert {Phase.UNDER_APPROVAL, Phase.RETURNED} == set(Phase) - set(IN_PHASE)
    reached = {phase for row in TABLE.values() for phase in row.phases}
    assert reached == set(Phase)
