"""Facts from other files: sealed with the submission and each signature, and nothing is refused for them."""

from datetime import date

import pytest

from domain import commands as c
from domain import events as e
from domain.decision import Context, DecideInput, Envelope, Observed
from domain.observations import LEADER_TRIPS, AskedAbout, asked_about, asked_of, renewed, travels
from domain.seal import genesis
from domain.state import Phase
from tests.builders import (
    COORDINATOR,
    DELEGATION,
    FINANCE,
    PRESIDENT,
    Said,
    Step,
    instant,
    member,
    opening,
    person,
    sign,
    submitted,
    text,
    trip,
)
from tests.builders import DEPARTMENT_HEAD as HEAD
from tests.domain.given import Given, given
from tests.rulebook import edition

HISTORY: tuple[Step, ...] = (
    trip(),
    member("sato", role="head"),
    member("ito", key_leader=True),
    member("abe"),
)


def knowing(**others: int) -> Given:
    """A trip of a head, a key leader and a member, with what other files say of them."""
    going = given(*HISTORY)
    going.play.observations = seen(**others)
    return going


def seen(**others: int) -> tuple[Observed, ...]:
    """On how many other trips each person is."""
    return tuple(Observed(what=LEADER_TRIPS, person=person(who).ref, value=count) for who, count in others.items())


def noted(subject: str, value: int, step: str | None, at: str) -> e.FactObserved:
    """An observation against the shipped limit of two trips a year."""
    return e.FactObserved(
        what=LEADER_TRIPS,
        subject=subject,
        value=value,
        allowed=2,
        rule=e.RuleRef(rule="OUT-LEADER-TRIPS", version=1),
        observed_at=instant(at),
        step=step,
    )


def test_the_submission_seals_what_other_files_say_of_leaders() -> None:
    """The head and the key leader, this trip counted; of the other member nothing, though it is known."""
    done = knowing(sato=0, ito=2, abe=5).when(Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:00"))
    done.then(
        e.RequestSubmitted,
        noted("sato", 1, None, "2026-02-25T16:00"),
        noted("ito", 3, None, "2026-02-25T16:00"),
    )
    assert {key: one.exceeded for key, one in done.state.observations.items()} == {
        "leader_trips_a_year/sato": False,
        "leader_trips_a_year/ito": True,
    }


def test_each_signature_renews_it_and_the_latest_stands() -> None:
    """A trip approved elsewhere meanwhile is seen at the next step; it warns and refuses nothing."""
    going = knowing(sato=0).further(Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:00"))
    going.play.observations = seen(sato=3)
    going.when(sign("department_head", HEAD, "2026-02-26T09:00")).then(
        e.StepSigned, noted("sato", 4, "department_head", "2026-02-26T09:00")
    )
    latest = going.state.observations["leader_trips_a_year/sato"]
    assert (latest.value, latest.step, latest.exceeded) == (4, "department_head", True)
    going.further(sign("finance", FINANCE), sign("president", PRESIDENT))
    going.when(c.IssueDecision(number="41/QĐ")).then_state(phase=Phase.APPROVED)


def test_what_is_not_known_is_not_said() -> None:
    """Without an answer of the read tables nothing is sealed, and what was seen before stays."""
    going = knowing(sato=1).further(c.SubmitRequest())
    going.play.observations = ()
    assert going.when(sign("department_head", HEAD)).of(e.FactObserved) == ()
    assert going.state.observations["leader_trips_a_year/sato"].value == 2


def test_a_return_observes_nothing() -> None:
    """Only who submits or signs relies on it."""
    going = knowing(sato=1).further(c.SubmitRequest())
    assert going.state.proposal is not None
    back = c.ReturnStep(
        step_id="department_head", dossier_digest=going.state.proposal.digest, kind="amend", reason=text()
    )
    assert going.when(back, by=HEAD).of(e.FactObserved) == ()


def test_an_inbound_visit_is_nobodys_trip() -> None:
    """The limit is one of trips abroad."""
    going = given(*submitted()[:-1])
    going.play.observations = seen(sato=7)
    assert going.when(c.SubmitRequest()).of(e.FactObserved) == ()
    assert travels(going.state) == frozenset()


def asked(*commands: dict[str, object], state: Given | None = None) -> AskedAbout | None:
    """What a decision on these commands asks of other files."""
    envelope = Envelope(delegation=DELEGATION, command_id="c", actor="coordinator", commands=commands, digest="0" * 64)
    now = instant("2026-03-01T09:00")
    return asked_about(
        DecideInput(state=state.state if state else None, head=genesis(DELEGATION), envelope=envelope, now=now),
        edition(),
    )


@pytest.mark.parametrize("kind", ["submit_request", "sign_off", "record_external_decision"])
def test_submitting_and_signing_ask_about_head_and_key_leaders(kind: str) -> None:
    """In the year in which the trip begins."""
    persons = (person("sato").ref, person("ito").ref)
    assert asked({"type": kind}, state=given(*HISTORY)) == AskedAbout(persons=persons, year=2026)


@pytest.mark.parametrize("kind", ["tick", "add_member", "return_step", "issue_decision", "invite"])
def test_nothing_else_asks(kind: str) -> None:
    """Every command waits for what the decision reads."""
    assert asked({"type": kind}, state=given(*HISTORY)) is None


def test_what_stands_in_the_same_envelope_is_asked_about() -> None:
    """Opened, filled and submitted as one: the day of the opening, the people of the list."""
    commands = [one.model_dump(mode="json") for one in (trip(starts="2027-01-04", ends="2027-01-08"), member("sato"))]
    found = asked(*commands, {"type": "submit_request"})
    assert found == AskedAbout(persons=(person("sato").ref,), year=2027)
    inbound = [one.model_dump(mode="json") for one in (opening(), member("sato"))]
    assert asked(*inbound, {"type": "submit_request"}) is None


def test_a_file_is_a_trip_from_its_submission_until_it_is_given_up() -> None:
    """A draft, a postponed, a rejected and a cancelled one are nobody's trip; a closed one stays what it was."""
    everybody = frozenset(person(name).ref for name in ("sato", "ito", "abe"))
    going = given(*HISTORY)
    assert travels(going.state) == frozenset()
    going.further(c.SubmitRequest())
    assert travels(going.state) == everybody
    assert travels(going.state.model_copy(update={"phase": Phase.CLOSED, "paused_phase": Phase.REPORTING})) == everybody
    for given_up in (Phase.REJECTED, Phase.CANCELLED, Phase.POSTPONED):
        assert travels(going.state.model_copy(update={"phase": given_up})) == frozenset()
    gone = going.state.model_copy(update={"phase": Phase.CLOSED, "paused_phase": Phase.CANCELLED})
    assert travels(gone) == frozenset()
    going.further(c.WithdrawRequest(reason=text()))
    assert travels(going.state) == frozenset()
    going.further(c.WithdrawMember(member_id="ito"), c.SubmitRequest())
    assert travels(going.state) == everybody - {person("ito").ref}
    assert going.state.starts == date(2026, 6, 15)


def test_a_context_of_an_earlier_release_observes_nothing() -> None:
    """The field is optional: a decision that was asked without it is the one it always was."""
    assert Context.model_fields["observations"].default == ()


def test_who_is_shown_a_dossier_sees_what_other_files_say_now_beside_what_was_sealed() -> None:
    """The next signer would otherwise see the figure of the step before; nothing is sealed by looking."""
    going = knowing(sato=1, ito=0).further(c.SubmitRequest())
    asked = AskedAbout(persons=(person("sato").ref, person("ito").ref), year=2026)
    assert asked_of(going.state, edition()) == asked
    now = instant("2026-03-05T10:00")
    head, leader = renewed(going.state, edition(), seen(sato=2, ito=0), now)
    assert (head.subject, head.value, head.sealed, head.exceeded) == ("sato", 3, 2, True)
    assert (head.observed_at, head.sealed_at) == (now, going.now)
    assert (leader.value, leader.sealed, leader.exceeded) == (1, 1, False)
    draft = knowing(sato=1)
    assert asked_of(draft.state, edition()) is None, "nothing waits for a signature"
