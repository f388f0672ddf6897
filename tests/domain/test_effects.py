"""Which events ask for something to be done outside, and how its outcome comes back."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.decision import Effect
from domain.values import Value
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    OTHER_COORDINATOR,
    VICE_PRESIDENT,
    Step,
    accept_report,
    amending,
    approved,
    closed,
    dossier,
    drafted,
    invited,
    moved,
    pdf,
    report_digest,
    reported,
    reporting,
    sign,
    submitted,
    text,
)
from tests.domain.every_command import EXAMPLES
from tests.domain.given import Then, given
from tests.domain.policed import policy, step, under

LETTER = c.RecordDocument(
    kind="invitation_letter", number=1, versions=(c.RenderedDocument(language="vi", attachment=pdf("letter")),)
)


def test_an_invitation_asks_for_the_letter_and_the_calendars() -> None:
    """Each by a name, and by the event that asked for it."""
    done = given(*approved()).when(c.Invite())
    sealed = {event.type: event.seq for event in done.given.play.log[-1].events}
    assert done.effects == (
        Effect(
            key="render:invitation_letter:1",
            kind="render_document",
            seq=sealed["DelegationInvited"],
            args={"kind": "invitation_letter", "number": 1},
        ),
        Effect(key="calendars:1", kind="issue_calendars", seq=sealed["InvitationsIssued"], args={"issue": 1}),
        Effect(key=f"collections:{max(sealed.values())}", kind="sync_calendars", seq=max(sealed.values())),
    )


def test_collections_are_brought_to_what_changed_once_a_decision_and_only_where_something_was_published() -> None:
    """Who comes and goes, what is published, the channel, and the ends of the journey; not what is only drafted."""

    def asked(*commands: c.Command, before: Sequence[Step]) -> list[bool]:
        going = given(*before)
        return [any(one.kind == "sync_calendars" for one in going.when(command).effects) for command in commands]

    move = moved("monday", "2026-04-06T15:00", "2026-04-06T17:00")
    leave, channel = c.WithdrawMember(member_id="ito"), c.ChooseChannel(participant_id="sato", channel="caldav")
    ends = (c.Postpone(reason=text()), c.CancelDelegation(reason=text()))
    assert asked(leave, channel, move, *ends, before=approved()) == [False] * 5
    assert asked(leave, channel, move, *ends, before=invited()) == [True, True, False, True, True]
    assert asked(c.PublishProgramme(), before=(*invited(), move)) == [True]


def test_a_rendered_letter_is_mailed_and_a_rendered_report_is_not() -> None:
    """The report stays in the file."""
    sent = given(*invited()).when(LETTER)
    sent.then(e.DocumentRendered(kind="invitation_letter", number=1, versions=LETTER.versions))
    assert [(effect.key, effect.kind) for effect in sent.effects] == [("letter-mail:1", "mail_letter")]
    report = LETTER.model_copy(update={"kind": "final_report"})
    assert given(*reporting(), c.FileReport(results=text())).when(report).effects == ()


def test_a_document_is_recorded_once() -> None:
    """A second worker that rendered the same one is told so; the next number is another document."""
    going = given(*invited(), LETTER)
    going.when(LETTER).then_refused("outcome_recorded_already")
    going.when(LETTER.model_copy(update={"number": 2})).accepted()


def test_each_issue_of_messages_is_an_effect_of_its_own() -> None:
    """Numbered as they were issued."""
    going = given(*invited(), moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"))
    assert [effect.key for effect in going.when(c.PublishProgramme()).effects if effect.kind == "issue_calendars"] == [
        "calendars:2"
    ]
    assert [
        effect.key
        for effect in going.when(c.WithdrawMember(member_id="ito")).effects
        if effect.kind == "issue_calendars"
    ] == ["calendars:3"]


def test_a_refused_command_asks_for_nothing() -> None:
    """Not even an attempt to sign that is recorded."""
    going = given(*submitted())
    assert going.when(sign("department_head", COORDINATOR)).effects == ()


def test_a_refused_command_still_brings_what_time_brought() -> None:
    """The deadline had passed whoever came, so its notice goes out."""
    refused = given(*submitted()).when(sign("vice_president", DEPARTMENT_HEAD), at="2026-03-03T09:00")
    refused.then_refused("not_entitled_to_sign")
    assert [event.type for event in refused.events] == [
        "DeadlineMissed",
        "DeadlineMissed",
        "StepEscalated",
        "SignOffRefused",
    ]
    assert [effect.args["notice"] for effect in refused.effects] == [
        "deadline_missed",
        "deadline_missed",
        "step_escalated",
    ]


def answers(done: Then) -> list[dict[str, object]]:
    """What a decision asks to be told of an answer, a hand-over or a leave that is over."""
    told = ("answered", "handed_over", "desk_returned")
    return [dict(one.args) for one in done.effects if one.args.get("notice") in told]


def test_the_coordinator_hears_every_answer_but_not_that_the_next_desk_has_it() -> None:
    """Returned, refused, signed as a whole; of a report too. A refusal is told once, though it ends the delegation."""
    going = given(*submitted())
    back = c.ReturnStep(step_id="department_head", dossier_digest=dossier(going.state), kind="amend", reason=text())
    assert answers(going.when(back, by=DEPARTMENT_HEAD)) == [{"notice": "answered", "outcome": "step_returned"}]
    no = c.RejectStep(step_id="department_head", dossier_digest=dossier(going.state), reason=text())
    refused = given(*submitted()).when(no, by=DEPARTMENT_HEAD).then(e.StepRejected, e.DelegationRejected)
    assert answers(refused) == [{"notice": "answered", "outcome": "delegation_rejected"}]
    going = given(*submitted())
    assert answers(going.when(sign("department_head", DEPARTMENT_HEAD))) == []
    assert answers(going.when(sign("vice_president", VICE_PRESIDENT))) == [
        {"notice": "answered", "outcome": "request_signed"}
    ]
    going = given(*reported())
    returned = c.ReturnReport(report_digest=report_digest(going.state), reason=text())
    assert answers(going.when(returned, by=VICE_PRESIDENT)) == [{"notice": "answered", "outcome": "report_returned"}]
    assert answers(given(*reported()).when(accept_report())) == [{"notice": "answered", "outcome": "report_accepted"}]


def test_an_answer_to_a_change_is_one_to_the_change() -> None:
    """The journey goes on; what it came to is told as of the change."""
    going = given(*amending())
    [step] = going.state.open_steps
    said: dict[str, Any] = {"step_id": step.id, "dossier_digest": dossier(going.state)}
    no = given(*amending()).when(c.RejectStep(**said, reason=text()), by=VICE_PRESIDENT)
    back = given(*amending()).when(c.ReturnStep(**said, kind="amend", reason=text()), by=VICE_PRESIDENT)
    told = [answers(one) for one in (going.when(c.SignOff(**said), by=VICE_PRESIDENT), back, no)]
    assert [one["outcome"] for [one] in told] == ["change_signed", "change_returned", "change_rejected"]


def test_who_recorded_an_answer_or_handed_a_file_over_is_not_told_of_it() -> None:
    """A letter that the coordinator recorded; a file that a colleague took, or gave away."""
    rules = under(policy(step("police", external=True)))
    said = {"step_id": "police", "authority": "Công an tỉnh", "reference": "1", "dated": "2026-02-25"}
    for by, outcomes in ((COORDINATOR, []), (OTHER_COORDINATOR, ["delegation_rejected"])):
        going = given(*submitted(), rules=rules)
        more = {"dossier_digest": dossier(going.state), "outcome": "rejected", "letter": pdf("l"), "reason": text()}
        done = going.when(c.RecordExternalDecision.model_validate(said | more), by=by).accepted()
        assert [one["outcome"] for one in answers(done)] == outcomes
    other = OTHER_COORDINATOR.id
    given_away = given(*submitted()).when(c.HandOver(to=other))
    assert answers(given_away) == [{"notice": "handed_over", "to": other}]
    taken = given(*submitted()).when(c.HandOver(to=other), by=OTHER_COORDINATOR)
    assert answers(taken) == [{"notice": "handed_over", "to": "coordinator"}]


def test_a_letter_that_is_awaited_is_asked_for_by_a_notice_of_its_own() -> None:
    """Nobody here reads and signs what an authority outside decides."""
    opened = given(*drafted(), rules=under(policy(step("police", external=True)))).when(c.SubmitRequest())
    assert [(one.key, one.args["notice"]) for one in opened.effects] == [("step:1:police", "letter_awaited")]


def test_outcomes_are_recorded_in_every_phase() -> None:
    """What comes back after the file was closed is still a fact."""
    failed = c.RecordFailure(effect="calendars:1", code="mail_refused")
    done = given(*closed()).when(failed).then(e.EffectFailed(effect="calendars:1", code="mail_refused"))
    assert done.state.failures == ("calendars:1",)
    notice = c.RecordNotice(effect="step:1:department_head", sent=1, refused=1)
    given(*closed()).when(notice).then(e.NoticeSent(effect="step:1:department_head", sent=1, refused=1))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.type)
def test_names_of_effects_fit_what_records_their_outcome(example: Value) -> None:
    """A name is at most 128 characters, as `RecordNotice` takes it, and no two of a decision are alike."""
    keys = [effect.key for effect in given(*drafted()).when(example).effects]
    assert len(keys) == len(set(keys))
    assert all(c.RecordNotice(effect=key, sent=0).effect == key for key in keys)
