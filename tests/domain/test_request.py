"""The request and its proposal: opened, revised, justified, submitted."""

from datetime import date
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.canonical import digest_of
from domain.decide import decide
from domain.decision import Context
from domain.state import Phase
from tests.builders import (
    COORDINATOR,
    DELEGATION,
    OTHER_COORDINATOR,
    Said,
    approved,
    drafted,
    instant,
    member,
    opening,
    pdf,
    serving,
    session,
    submitted,
    text,
    trip,
)
from tests.domain.given import given
from tests.rulebook import edition

SUBMIT = Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:30")


def test_opening_seals_the_edition_the_zone_and_who_coordinates() -> None:
    """The rules that a file is under never change behind its back."""
    opened = given().when(opening(), by=COORDINATOR)
    opened.then(
        e.DelegationOpened(
            delegation=DELEGATION,
            edition=edition().digest(),
            zone="Asia/Ho_Chi_Minh",
            direction="inbound",
            title="Study visit",
            purpose="Cooperation",
            organisation="song-lam-union",
            partner="Friendship associations",
            countries=("JP", "DE"),
            places=(),
            starts=date(2026, 4, 6),
            ends=date(2026, 4, 12),
            grade="C",
            coordinator="coordinator",
        )
    ).then_state(phase=Phase.DRAFTED, opened_by="coordinator", coordinator="coordinator", head_count=0)


def test_an_arrival_before_the_request_is_refused() -> None:
    """The day is that of the business zone; the day of the request itself will do."""
    given().when(opening(starts="2026-02-23"), at="2026-02-24T00:30").then_refused(
        "arrival_before_request", field="starts", starts="2026-02-23", today="2026-02-24"
    )
    given().when(opening(starts="2026-02-24"), at="2026-02-24T23:59").accepted()


def test_days_in_a_country_that_is_not_visited_are_refused() -> None:
    """Stays and countries say the same."""
    stays = ({"country": "AT", "days": 2},)
    given().when(trip(stays=stays)).then_refused("countries_differ_from_stays", field="stays", country="AT")


def test_a_country_is_not_taken_away_while_days_are_planned_in_it() -> None:
    """The stays that stand count too, not only those of the command."""
    going = given(trip(stays=({"country": "CZ", "days": 4}, {"country": "DE", "days": 4})))
    going.when(c.ReviseRequest(countries=("DE",))).then_refused("countries_differ_from_stays", country="CZ")
    going.when(c.ReviseRequest(countries=("DE",), stays=(c.Stay(country="DE", days=8),))).accepted()


def test_a_delegation_is_opened_once() -> None:
    """Its id is its own."""
    given(opening()).when(opening()).then_refused("delegation_exists")


def test_nothing_can_be_asked_of_a_delegation_that_was_never_opened() -> None:
    """Every command but the opening needs a file."""
    given().when(c.SubmitRequest()).then_refused("delegation_unknown")


def test_a_revision_records_the_fields_that_changed_and_no_others() -> None:
    """A field given as it stands is not a change."""
    given(*drafted()).when(c.ReviseRequest(title="Study visit", purpose="Joint projects")).then(
        e.RequestRevised(purpose="Joint projects")
    ).then_state(title="Study visit", purpose="Joint projects")


@pytest.mark.parametrize(
    ("revision", "code", "said"),
    [
        ({"title": "Study visit"}, "request_unchanged", {}),
        ({}, "request_unchanged", {}),
        ({"ends": "2026-04-05"}, "ends_before_starts", {"field": "ends"}),
        ({"starts": "2026-02-23"}, "arrival_before_request", {"field": "starts"}),
    ],
)
def test_a_revision_that_says_nothing_or_cannot_be_is_refused(revision: Any, code: str, said: Any) -> None:
    """Dates keep their order with those that stand."""
    given(*drafted()).when(c.ReviseRequest.model_validate(revision)).then_refused(code, **said)


def test_a_submitted_proposal_is_not_revised_under_the_eyes_of_those_who_sign() -> None:
    """What lies on a desk stays as it is until it comes back."""
    refused = given(*submitted()).when(c.ReviseRequest(title="Another"))
    refused.then_refused("wrong_phase", phase="submitted", allowed=["drafted", "returned"])


def test_a_proposal_needs_somebody_who_travels() -> None:
    """Hosts and escorts are not the delegation."""
    given(opening(), serving("bao")).when(c.SubmitRequest()).then_refused("no_members")


def test_a_proposal_is_not_submitted_after_the_first_day() -> None:
    """A file that lay too long is given other dates first."""
    refused = given(*drafted()).when(c.SubmitRequest(), at="2026-04-07T08:00")
    refused.then_refused("starts_in_the_past", field="starts", starts="2026-04-06", today="2026-04-07")


def test_submitting_lays_out_the_chain_and_the_parts_of_the_dossier() -> None:
    """The parts in order: request, members, programme, ceiling, limits, documents."""
    added = c.AttachDocument(document_id="passport", kind="passport_copy", attachment=pdf(), concerns="ito")
    done = given(*drafted(), added).when(SUBMIT)
    (event,) = done.of(e.RequestSubmitted)
    assert [part.part for part in event.parts] == [
        "request",
        "member:sato",
        "member:ito",
        "programme",
        "ceiling",
        "document:passport",
    ]
    whole = {"kind": "passport_copy", "attachment": pdf().model_dump(mode="json"), "concerns": "ito"}
    assert event.parts[-1].commitment == digest_of(whole)
    assert [(step.id, step.position, step.prefix, step.time_limit) for step in event.steps] == [
        ("department_head", "department_head", "TL", 3),
        ("vice_president", "vice_president", "KT", 3),
    ]
    assert (event.proposal, event.chain) == (1, e.RuleRef(rule="IN-APPROVAL", version=2))
    assert done.state.open_step is not None
    assert done.state.open_step.id == "department_head"


@pytest.mark.parametrize(
    "change",
    [
        c.ReviseRequest(title="Another visit"),
        c.ReviseRequest(ends=date(2026, 4, 11)),
        c.ReviseRequest(grade="B"),
        member("kato"),
        c.WithdrawMember(member_id="ito"),
        session("wednesday", "2026-04-08T09:00", "2026-04-08T10:00"),
        c.CancelItem(item_id="monday"),
        c.ReviseItem(item_id="monday", place="Elsewhere"),
        c.AttachDocument(document_id="letter", kind="letter", attachment=pdf()),
    ],
    ids=lambda change: change.type,
)
def test_every_change_of_the_file_is_another_dossier(change: Any) -> None:
    """What is signed is the exact dossier, so nothing may change under its digest."""
    (before,) = given(*drafted()).when(SUBMIT).of(e.RequestSubmitted)
    (after,) = given(*drafted(), change).when(SUBMIT).of(e.RequestSubmitted)
    assert before.digest != after.digest


def test_a_proposal_taken_back_and_submitted_unchanged_is_the_same_dossier_with_a_new_number() -> None:
    """The digest is of the content; the number says which submission it was."""
    going = given(*submitted())
    first = going.state.proposal
    going.when(c.WithdrawRequest(reason=text())).then(e.RequestWithdrawn(reason=text())).then_state(phase=Phase.DRAFTED)
    (again,) = going.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert first is not None
    assert (again.proposal, again.digest) == (2, first.digest)


def test_a_breached_limit_demands_a_justification_that_the_approvers_see() -> None:
    """Eleven people where ten are allowed: refused until justified, then part of the dossier (domain.md, Limits)."""
    people = [member(f"member-{number}") for number in range(11)]
    going = given(trip(), *people)
    going.when(c.SubmitRequest()).then_refused("limit_unjustified", limit="OUT-MEMBERS", measured=11, allowed=10)
    breach = e.Breach(limit="OUT-MEMBERS", version=1, measured=11, allowed=10, unit="people")
    going.when(c.JustifyLimit(limit="OUT-MEMBERS", justification=text())).then(
        e.LimitJustified(breach=breach, justification=text())
    )
    (event,) = going.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert event.breaches == (breach,)
    assert "limit:OUT-MEMBERS" in [part.part for part in event.parts]


def test_a_justification_covers_what_it_was_written_for_and_no_more() -> None:
    """One person more, and the reason has to be given anew."""
    people = [member(f"member-{number}") for number in range(11)]
    justified = c.JustifyLimit(limit="OUT-MEMBERS", justification=text())
    going = given(trip(), *people, justified, member("one-more"))
    going.when(c.SubmitRequest()).then_refused("limit_unjustified", measured=12)


def test_a_limit_for_each_country_is_justified_for_that_country() -> None:
    """Đà Nẵng: three days a country; the limit's name carries the country (domain.md [16])."""
    stays = ({"country": "CZ", "days": 4}, {"country": "DE", "days": 3})
    going = given(trip(issuer="danang", stays=stays), member())
    going.when(c.SubmitRequest()).then_refused("limit_unjustified", limit="OUT-DAYS-PER-COUNTRY-DANANG/CZ", measured=4)
    going.when(c.JustifyLimit(limit="OUT-DAYS-PER-COUNTRY-DANANG/CZ", justification=text())).accepted()
    going.when(c.SubmitRequest()).accepted()


@pytest.mark.parametrize(("limit", "code"), [("NO-RULE", "limit_unknown"), ("OUT-MEMBERS", "limit_not_breached")])
def test_only_a_limit_that_exists_and_is_breached_is_justified(limit: str, code: str) -> None:
    """An unknown rule is named by the refusal."""
    refused = given(trip(), member()).when(c.JustifyLimit(limit=limit, justification=text()))
    refused.then_refused(code, field="limit", limit=limit)


def test_a_document_is_attached_once_and_concerns_somebody_on_the_file() -> None:
    """The name of a document is its own; whose passport it is, is somebody known."""
    attach = c.AttachDocument(document_id="passport", kind="passport_copy", attachment=pdf(), concerns="ito")
    going = given(*drafted(), attach)
    going.when(attach).then_refused("document_exists", field="document_id")
    stranger = attach.model_copy(update={"document_id": "other", "concerns": "nobody"})
    going.when(stranger).then_refused("participant_unknown", field="concerns", member="nobody")


def test_the_edition_in_force_is_adopted_once() -> None:
    """There has to be a newer one."""
    newest = edition().model_copy(update={"returns_for_incompleteness": 2})
    going = given(*drafted(), newest=newest)
    going.when(c.AdoptRules()).then(e.RulesAdopted(edition=newest.digest(), previous=edition().digest()))
    going.when(c.AdoptRules()).then_refused("rules_current")


def test_the_ceiling_is_set_with_the_proposal_and_follows_head_count_and_days() -> None:
    """2 people, 7 days of meals at 0.8 m; 6 nights: head 2.5 m, member 1.8 m (domain.md, Money)."""
    going = given(*drafted())
    (first,) = going.when(SUBMIT).of(e.CeilingSet)
    assert (first.total_vnd, first.head_count, first.days, first.nights) == (37_000_000, 2, 7, 6)
    going.further(Said(c.WithdrawRequest(reason=text())))
    (shorter,) = going.when(c.ReviseRequest(ends=date(2026, 4, 11))).of(e.CeilingSet)
    assert (shorter.total_vnd, shorter.days, shorter.nights) == (31_100_000, 6, 5)
    assert going.when(c.ReviseRequest(title="No cost")).of(e.CeilingSet) == ()


def test_a_ceiling_names_what_no_rule_covers() -> None:
    """Grades A and B have no norm for lodging in the sources; nothing is made up."""
    (event,) = given(*drafted(grade="A")).when(SUBMIT).of(e.CeilingSet)
    assert (event.total_vnd, event.missing) == (21_500_000, ("lodging_heads", "lodging_members"))


def test_another_coordinator_may_add_to_the_file_but_an_approved_request_is_not_revised() -> None:
    """After the decision a change of the request needs the authority that decided."""
    going = given(*approved())
    going.when(member("kato"), by=OTHER_COORDINATOR).accepted()
    going.when(c.ReviseRequest(title="Another")).then_refused("wrong_phase", phase="approved")


@pytest.mark.parametrize("said", [None, "provincial_union"])
def test_what_runs_a_delegation_is_what_the_register_says(said: str | None) -> None:
    """A request that says the same, or nothing, gets the policy of that kind."""
    command = opening(run_by=said)
    context = Context(
        now=instant("2026-02-24T09:00"),
        actor=COORDINATOR,
        edition=edition(),
        newest=edition(),
        run_by="provincial_union",
    )
    [opened] = decide("d-1", None, command, context).events
    assert isinstance(opened, e.DelegationOpened)
    assert opened.run_by == "provincial_union"


def test_nobody_calls_an_organisation_what_the_register_does_not() -> None:
    """Else whoever asks would choose who approves: at the opening and in every revision."""
    context = Context(
        now=instant("2026-02-24T09:00"), actor=COORDINATOR, edition=edition(), newest=edition(), run_by="central_union"
    )
    state = given(*drafted()).state
    for file, command in (
        (None, opening(run_by="provincial_union")),
        (state, c.ReviseRequest(run_by="provincial_union")),
    ):
        refusal = decide("d-1", file, command, context).refusal
        assert refusal is not None
        assert (refusal.code, refusal.field) == ("run_by_contradicts_register", "run_by")
