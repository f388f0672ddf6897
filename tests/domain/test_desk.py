"""On whose desk a file is, since when, and until when."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from domain import commands as c
from domain.decision import Actor
from domain.desk import Ageing, Desk, Load, Whose, ageing, desks, loads, signers
from domain.institution import Leave, Organisation, Seating, Tenure
from domain.state import Delegation
from domain.values import Instant
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    Later,
    Said,
    accept_report,
    dossier,
    drafted,
    pdf,
    report_digest,
    reported,
    reporting,
    sign,
    submitted,
    text,
)
from tests.domain.given import given
from tests.domain.policed import policy, step, under

NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)


class Line(NamedTuple):
    """A file on a desk."""

    delegation_id: str
    since: datetime
    missed: bool = False


def the_desk(state: Delegation) -> Desk:
    """The one desk that the file lies on."""
    (found,) = desks(state)
    return found


def where(state: Delegation) -> tuple[str, str | None, str | None, Instant]:
    """What waits, for which position or account, since when."""
    desk = the_desk(state)
    return desk.what, desk.position, desk.account, desk.since


def test_a_file_is_the_coordinator_s_from_its_opening_until_it_is_submitted() -> None:
    """Work on the draft changes nothing of that; the handing over does."""
    going = given(*drafted())
    assert where(going.state) == ("coordinator", None, "coordinator", going.state.opened_at)
    later = going.when(c.HandOver(to="successor"), at="2026-03-02T09:00")
    assert where(later.state) == ("coordinator", None, "successor", datetime(2026, 3, 2, 2, tzinfo=UTC))


def test_each_signature_moves_the_file_to_the_next_desk() -> None:
    """With the step's own due date, not the most urgent of the file; the last one gives it back."""
    going = given(*submitted())
    first = the_desk(going.state)
    assert (first.what, first.position, first.since) == ("department_head", "department_head", going.now)
    assert (first.title_vi, first.title_en) == ("Trưởng ban", "Department head")
    assert first.due_on == going.state.deadlines["step.department_head.1"].due_on
    going = going.further(sign("department_head", DEPARTMENT_HEAD))
    assert where(going.state) == ("vice_president", "vice_president", None, going.now)
    done = going.when(sign("vice_president", VICE_PRESIDENT))
    assert where(done.state) == ("coordinator", None, "coordinator", going.now)


def test_a_step_that_nobody_signs_in_time_stays_on_its_desk_and_is_late() -> None:
    """Nothing is approved by the passing of time."""
    going = given(*submitted())
    due = the_desk(going.state).due_on
    assert due is not None
    late = given(*submitted()).wait(until=f"{date(due.year, due.month, due.day)}T23:59:59").wait("2026-03-31T09:00")
    desk = the_desk(late.state)
    assert (desk.what, desk.missed, desk.since) == ("department_head", True, the_desk(going.state).since)


def test_what_is_returned_comes_back_to_the_coordinator_at_that_instant() -> None:
    """Also a report."""
    going = given(*submitted())
    back = c.ReturnStep(step_id="department_head", dossier_digest=dossier(going.state), kind="amend", reason=text())
    returned = going.when(back, by=DEPARTMENT_HEAD, at="2026-03-05T10:00")
    assert where(returned.state) == ("coordinator", None, "coordinator", datetime(2026, 3, 5, 3, tzinfo=UTC))

    going = given(*reported())
    assert where(going.state)[:2] == ("report", "vice_president")
    refused = c.ReturnReport(report_digest=report_digest(going.state), reason=text())
    after = going.when(refused, by=VICE_PRESIDENT)
    assert where(after.state) == ("coordinator", None, "coordinator", going.now)


def test_each_desk_has_the_date_of_its_own_work_and_no_other() -> None:
    """A report that waits has its own day, though the notice to the police was due weeks ago."""
    going = given(*reporting())
    late = the_desk(going.state)
    assert (late.due_on, late.missed) == (date(2026, 4, 1), True)
    filed = given(*reported())
    assert filed.state.deadlines["guest_data"].status == "missed"
    desk = the_desk(filed.state)
    assert (desk.what, desk.due_on, desk.missed) == ("report", date(2026, 4, 17), False)
    assert the_desk(filed.wait("2026-04-20T09:00").state).missed
    unsaid = filed.state.model_copy(update={"deadlines": {}})
    assert the_desk(unsaid).due_on is None


POLICE = policy(
    step("police", external=True, stage=1), step("ministry", external=True, stage=1), step("chair", stage=2)
)


def letter(step_id: str) -> Later:
    """The answer of an authority, recorded by the coordinator."""
    return lambda state: Said(
        c.RecordExternalDecision.model_validate(
            {
                "step_id": step_id,
                "dossier_digest": dossier(state),
                "outcome": "approved",
                "authority": "Công an tỉnh",
                "reference": "12/CV",
                "dated": "2026-02-26",
                "letter": pdf(f"letter-{step_id}"),
            }
        ),
        COORDINATOR,
        "2026-02-27T09:00",
    )


def test_a_letter_that_is_awaited_lies_with_the_coordinator_too() -> None:
    """Beside the authorities' desks and until the last letter is recorded: somebody here sees to it, by its day."""
    going = given(*submitted(), rules=under(POLICE))
    police, ministry, ours = desks(going.state)
    assert [(one.what, one.position) for one in (police, ministry)] == [
        ("police", "external_authority"),
        ("ministry", "external_authority"),
    ]
    assert (ours.what, ours.account, ours.since, ours.due_on) == (
        "coordinator",
        "coordinator",
        going.now,
        police.due_on,
    )
    assert the_missed(going.wait("2026-03-20T09:00").state) == ["police", "ministry", "coordinator"]
    going = given(*submitted(), letter("police"), rules=under(POLICE))
    assert [one.what for one in desks(going.state)] == ["ministry", "coordinator"]
    going.further(letter("ministry"))
    assert [one.what for one in desks(going.state)] == ["chair"]


def the_missed(state: Delegation) -> list[str]:
    """What lies late on a desk."""
    return [one.what for one in desks(state) if one.missed]


def test_a_file_with_nothing_to_be_done_is_on_no_desk() -> None:
    """Closed, postponed, cancelled."""
    going = given(*reporting())
    assert desks(going.state) != ()
    closed = given(*reported(), accept_report()).when(c.CloseDelegation())
    assert desks(closed.state) == ()
    assert desks(given(*drafted()).when(c.CancelDelegation(reason=text())).state) == ()


def test_the_steps_of_a_stage_lie_on_their_desks_together() -> None:
    """Each since the stage before was complete, whichever of them is signed first."""
    finance = Actor(id="finance", roles=("approver",), positions=("finance",))
    going = given(*submitted(conference="prime_minister"))
    going = going.further(sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00"))
    opened = datetime(2026, 2, 26, 2, tzinfo=UTC)
    assert [(desk.what, desk.position, desk.since) for desk in desks(going.state)] == [
        ("finance", "finance", opened),
        ("protocol", "protocol", opened),
    ]
    going = going.further(sign("finance", finance, "2026-02-27T09:00"))
    assert where(going.state) == ("protocol", "protocol", None, opened)


def test_what_waits_is_aged_by_working_days() -> None:
    """The class of each number of them."""
    assert [ageing(days) for days in (0, 2, 3, 5, 6, 10, 11, 400)] == [
        "up_to_2", "up_to_2", "3_to_5", "3_to_5", "6_to_10", "6_to_10", "over_10", "over_10",
    ]  # fmt: skip


def test_what_lies_with_each_is_counted_by_files() -> None:
    """One on two desks of theirs counts once, by the older; one that several may sign counts for each of them."""

    def days(number: int) -> datetime:
        return NOW - timedelta(days=number)

    hung, mai, nobody = Whose("hung"), Whose("mai"), Whose(None)
    waiting = [
        (hung, Line("a", days(1))),
        (hung, Line("a", days(7), missed=True)),
        (hung, Line("b", days(4))),
        (mai, Line("b", days(12))),
        (nobody, Line("c", days(2))),
    ]
    found = loads(waiting, lambda since: (NOW - since).days)
    none: dict[Ageing, int] = {"up_to_2": 0, "3_to_5": 0, "6_to_10": 0, "over_10": 0}
    assert found == (
        Load(name="mai", files=1, missed=0, oldest=days(12), ageing=none | {"over_10": 1}),
        Load(name="hung", files=2, missed=1, oldest=days(7), ageing=none | {"3_to_5": 1, "6_to_10": 1}),
        Load(name=None, files=1, missed=0, oldest=days(2), ageing=none | {"up_to_2": 1}),
    )


def test_who_signs_at_a_desk_sits_there_or_stands_in_and_reaches_the_file() -> None:
    """Of the file's own organisation, never of another one; not who may not sign, nor a substitute before the leave."""
    begun: Any = {"since": NOW - timedelta(days=9)}
    names: Any = {"name": {"vi": "x", "en": "x"}}
    tree = [
        Organisation(slug="central", kind="central_union", **begun, **names),
        *(Organisation(slug=slug, kind="provincial_union", parent="central", **begun, **names) for slug in ("a", "b")),
    ]
    held = [
        Tenure(id=f"t-{account}", account=account, position="chair", organisation=at, **begun)
        for account, at in (("ann", "a"), ("disabled", "a"), ("bob", "b"))
    ]
    leave = Leave(id="l", account="ann", substitute="sub", until=NOW + timedelta(days=9), **begun)
    later = Leave(
        id="m", account="ann", substitute="late", since=NOW + timedelta(days=9), until=NOW + timedelta(days=10)
    )
    other = leave.model_copy(update={"id": "n", "substitute": "far"})
    seating = Seating(tree, held, NOW)
    approvers = {"ann": "a", "bob": "b", "sub": None, "late": None, "far": "b"}

    def there(position: str, organisation: str) -> tuple[str, ...]:
        return signers(position, organisation, seating, [leave, later, other], approvers, NOW)

    assert there("chair", "a") == ("ann", "sub")
    assert there("chair", "b") == ("bob",)
    assert there("chair", "central") == there("nobody", "a") == ()
