"""Which events ask for something to be done outside, and how its outcome comes back."""

from collections.abc import Sequence

import pytest

from domain import commands as c
from domain import events as e
from domain.decision import Effect
from domain.values import Value
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    Step,
    approved,
    closed,
    drafted,
    invited,
    moved,
    pdf,
    reporting,
    sign,
    submitted,
    text,
)
from tests.domain.every_command import EXAMPLES
from tests.domain.given import given

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
    assert [event.type for event in refused.events] == ["DeadlineMissed", "DeadlineMissed", "SignOffRefused"]
    assert [effect.args["notice"] for effect in refused.effects] == ["deadline_missed", "deadline_missed"]


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
