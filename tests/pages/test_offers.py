"""What is offered on a file is exactly what the decider takes, in every phase and for every role."""

import pytest

from api.pages.offers import ACTS, BY_NAME, EXPECTED, LATER, NEXT, Bar, bar_of, foreseen, offers
from api.pages.possible import Possible
from domain import commands as c
from domain.decide import TABLE
from domain.decision import Actor, Context
from domain.events import InvitationsIssued
from domain.permission import ROLES
from domain.state import Phase
from tests.builders import (
    ADMINISTRATOR,
    AUDITOR,
    COORDINATOR,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    Said,
    Step,
    amending,
    approved,
    closed,
    dossier,
    drafted,
    invited,
    opening,
    reported,
    reporting,
    sign,
    submitted,
    text,
    trip,
    under_way,
)
from tests.domain.given import Given, given
from tests.rulebook import edition

ELSEWHERE = {
    "open_delegation": "the form of a new file",
    "revise_request": "the part Request",
    "attach_document": "the part Request",
    "justify_limit": "the part Request",
    "return_step": "the page of the step",
    "reject_step": "the page of the step",
    "return_report": "the page of the report's acceptance",
    "add_member": "the part People",
    "replace_member": "the part People",
    "withdraw_member": "the part People",
    "appoint_participant": "the part People",
    "release_participant": "the part People",
    "schedule_item": "the board",
    "move_item": "the board",
    "revise_item": "the board",
    "cancel_item": "the board",
    "restore_item": "the board",
}
"""Commands of people that are sent from another page than an act's."""

WAYS: dict[str, tuple[Step, ...]] = {
    "opened": (opening(),),
    "drafted": drafted(),
    "submitted": submitted(),
    "half signed": (*submitted(), sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00")),
    "taken back": (*submitted(), c.WithdrawRequest(reason=text())),
    "approved": approved(),
    "invited": invited(),
    "amending": amending(),
    "under way": under_way(),
    "reporting": reporting(),
    "reported": reported(),
    "closed": closed(),
    "put off": (*invited(), c.Postpone(reason=text())),
    "called off": (*invited(), c.CancelDelegation(reason=text())),
    "rejected": (
        *submitted(),
        lambda state: Said(
            c.RejectStep(step_id="department_head", dossier_digest=dossier(state), reason=text()), DEPARTMENT_HEAD
        ),
    ),
    "returned": (
        *submitted(),
        lambda state: Said(
            c.ReturnStep(step_id="department_head", dossier_digest=dossier(state), reason=text()), DEPARTMENT_HEAD
        ),
    ),
    "outbound, outside authority next": (
        Said(trip(head_level="high"), COORDINATOR),
        c.AddMember.model_validate(
            {"member_id": "sato", "person": {"ref": "per_sato1234", "commitment": "0" * 64}, "country": "VN"}
        ),
        c.SubmitRequest(),
    ),
}

EVERYBODY = (COORDINATOR, DEPARTMENT_HEAD, VICE_PRESIDENT, AUDITOR, ADMINISTRATOR)


def possible(file: Given, who: Actor) -> Possible:
    """A file as somebody finds it."""
    rules = edition()
    lineage = (file.state.organisation,)
    return Possible(
        file.state, Context(now=file.now, actor=who, edition=file.play.edition, newest=rules, lineage=lineage)
    )


def names(bar: Bar) -> set[str]:
    """The acts that are offered."""
    return {one.act.name for one in (bar.next, *bar.more, *bar.ending) if one}


@pytest.fixture(scope="module")
def files() -> dict[str, Given]:
    """A file in every phase, and on the ways between."""
    return {name: given(*way) for name, way in WAYS.items()}


def test_the_ways_of_these_tests_reach_every_phase(files: dict[str, Given]) -> None:
    """Nothing is left out without anybody noticing."""
    assert {file.state.phase for file in files.values()} == set(Phase)


def test_every_command_of_people_has_a_page_that_sends_it() -> None:
    """An act of its own, or one that is named here."""
    people = {name for name, roles in ROLES.items() if set(roles) - {"system", "participant"}}
    assert people - set(BY_NAME) == people & set(ELSEWHERE)
    assert not set(BY_NAME) & set(ELSEWHERE)
    assert set(BY_NAME) <= people


def test_what_is_offered_is_what_the_decider_takes(files: dict[str, Given]) -> None:
    """By the command itself where nothing has to be typed, else by role, reach and phase."""
    wrong = []
    for name, file in files.items():
        for who in EVERYBODY:
            found = possible(file, who)
            offered = names(bar_of(found))
            for act in ACTS:
                barred = found.barred(act.kind)
                refused = found.refusal(act.ask(file.state))
                taken = barred is None and (refused is None or refused.code in LATER)
                if taken is not (act.name in offered):
                    wrong.append((name, who.id, act.name, refused and refused.code))
    assert wrong == []


def test_no_command_of_people_is_taken_where_no_act_is_offered(files: dict[str, Given]) -> None:
    """The other way round: whatever the table of the decider lets through by phase has a way in a page."""
    pages = set(BY_NAME) | set(ELSEWHERE)
    assert {kind.model_fields["type"].default for kind in TABLE} - pages == {
        name for name, roles in ROLES.items() if roles == ("system",)
    }
    assert files["drafted"].state.phase is Phase.DRAFTED


@pytest.mark.parametrize(
    ("way", "who", "expected"),
    [
        ("opened", COORDINATOR, None),
        ("drafted", COORDINATOR, "submit_request"),
        ("submitted", COORDINATOR, None),
        ("submitted", DEPARTMENT_HEAD, "sign_off"),
        ("submitted", VICE_PRESIDENT, None),
        ("half signed", VICE_PRESIDENT, "sign_off"),
        ("approved", COORDINATOR, "invite"),
        ("invited", COORDINATOR, None),
        ("under way", COORDINATOR, None),
        ("reporting", COORDINATOR, "file_report"),
        ("reported", COORDINATOR, None),
        ("reported", VICE_PRESIDENT, "accept_report"),
        ("closed", COORDINATOR, None),
        ("put off", COORDINATOR, "resume"),
        ("called off", COORDINATOR, "close_delegation"),
        ("rejected", COORDINATOR, "close_delegation"),
        ("amending", VICE_PRESIDENT, "sign_off"),
    ],
)
def test_one_act_is_next(files: dict[str, Given], way: str, who: Actor, expected: str | None) -> None:
    """The one that brings the file on its way; nobody else's, and none where the file waits for somebody else."""
    found = bar_of(possible(files[way], who)).next
    assert (found.act.name if found else None) == expected


def test_an_act_that_could_be_expected_is_shown_with_its_reason(files: dict[str, Given]) -> None:
    """And where what is missing is put right; nothing of it to who has another role."""
    bar = bar_of(possible(files["opened"], COORDINATOR))
    assert [(one.act.name, one.refusal and one.refusal.code) for one in bar.waiting] == [
        ("submit_request", "no_members")
    ]
    assert bar.remedy == ("/people", "Add the delegates")
    waiting = bar_of(possible(files["submitted"], COORDINATOR)).waiting
    assert [one.act.name for one in waiting] == ["issue_decision"]
    for file in files.values():
        assert bar_of(possible(file, AUDITOR)) == Bar(None, (), (), ())


def test_nobody_is_offered_their_own_request(files: dict[str, Given]) -> None:
    """Four eyes: it is shown with the reason, since the position would sign."""
    both = Actor(id="coordinator", roles=("coordinator", "approver"), positions=("department_head",))
    found = [one for one in offers(possible(files["submitted"], both)) if one.act.name == "sign_off"]
    assert [(one.values, one.refusal and one.refusal.code) for one in found] == [
        ({"step": "department_head"}, "own_request")
    ]
    assert "own_request" in EXPECTED


def test_an_invitation_says_beforehand_exactly_what_it_does(files: dict[str, Given]) -> None:
    """Who hears of which items is what the decider then sends, to the last message."""
    file = files["approved"]
    seen = foreseen(possible(file, COORDINATOR), file.play.head, c.Invite())
    assert seen is not None
    told = {one.participant: ([m.view.title for m in one.asked], one.letter) for one in seen.hearings}
    assert told == {
        "sato": (["Session monday", "Session tuesday"], True),
        "ito": (["Session monday", "Session tuesday"], True),
        "bao": (["Session tuesday"], False),
    }
    assert (seen.messages, seen.waits_until) == (5, None)
    sent = given(*approved()).when(c.Invite())
    [issued] = sent.of(InvitationsIssued)
    assert sum(len(one.to) for one in issued.messages) == seen.messages


def test_calling_off_says_beforehand_whose_calendars_are_emptied(files: dict[str, Given]) -> None:
    """Nobody who has nothing; and foreseeing seals nothing."""
    file = files["invited"]
    head = file.play.head
    seen = foreseen(possible(file, COORDINATOR), head, c.CancelDelegation(reason=text()))
    assert seen is not None
    assert {one.participant: len(one.cancelled) for one in seen.hearings} == {"sato": 2, "ito": 2, "bao": 1}
    assert file.play.head == head
    assert foreseen(possible(files["drafted"], COORDINATOR), head, c.Invite()) is None


def test_acts_that_come_next_and_acts_that_end_are_told_apart() -> None:
    """What ends the way is never the one primary action."""
    assert not NEXT & {act.name for act in ACTS if act.ends}
    assert set(BY_NAME) >= NEXT
