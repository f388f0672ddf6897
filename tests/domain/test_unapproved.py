"""What nobody hears of before it is approved: a change after the decision stays out of every calendar until then."""

import pytest

from domain import commands as c
from domain import events as e
from tests.builders import Step, member, serving, session, sign
from tests.domain.given import Then
from tests.domain.test_amendment import (
    BACK_AGAIN,
    CHAIR,
    FINANCE,
    FREE,
    HEAD,
    MOVE,
    RULES,
    asked_for,
    decided,
    inviting,
)


def told(done: Then) -> list[tuple[str, str, tuple[str, ...]]]:
    """What went to whom."""
    return [(m.method, m.item_id, m.to) for one in done.of(e.InvitationsIssued) for m in one.messages]


@pytest.mark.parametrize("edit", [MOVE, session("third"), c.CancelItem(item_id="tuesday"), member("kato")])
def test_nothing_unapproved_is_published(edit: Step) -> None:
    """Before it is submitted, and while it waits."""
    file = inviting().further(edit)
    file.when(c.PublishProgramme()).then_refused("change_unapproved")
    file.further(c.SubmitChange())
    file.when(c.PublishProgramme()).then_refused("change_unapproved")


def test_nobody_is_invited_to_what_was_not_approved() -> None:
    """The refusal names what waits."""
    file = decided().further(MOVE)
    file.when(c.Invite()).then_refused("change_unapproved", parts=["programme"])
    file.when(c.PublishProgramme()).then_refused("change_unapproved")


def test_publishing_works_once_everybody_signed() -> None:
    """Then those whose view changed hear of it."""
    file = asked_for(MOVE).further(sign("head", HEAD), sign("chair", CHAIR))
    assert file.state.amendment is None
    assert file.state.amended is not None
    assert file.state.amended.signed
    assert told(file.when(c.PublishProgramme())) == [("REQUEST", "tuesday", ("sato", "ito", "bao"))]


def test_who_leaves_is_told_at_once_and_who_joins_when_it_is_approved() -> None:
    """Two sessions are taken out of one calendar; the newcomer's fills with the publication."""
    file = inviting()
    assert told(file.when(c.WithdrawMember(member_id="ito"))) == [
        ("CANCEL", "monday", ("ito",)),
        ("CANCEL", "tuesday", ("ito",)),
    ]
    assert told(file.when(member("kato"))) == []
    assert told(file.when(serving("lan"))) == []
    assert (
        told(file.when(c.ReplaceMember(member_id="kato", by="mori", person=member("mori").person, country="JP"))) == []
    )
    file.further(c.SubmitChange(), sign("head", HEAD), sign("finance", FINANCE), sign("chair", CHAIR))
    assert told(file.when(c.PublishProgramme())) == [
        ("REQUEST", "monday", ("mori",)),
        ("REQUEST", "tuesday", ("mori",)),
    ]


def test_without_unapproved_changes_who_joins_to_serve_hears_at_once() -> None:
    """As before; another audience is a change of the programme."""
    file = inviting().further(c.ReleaseParticipant(participant_id="bao"))
    assert told(file.when(serving("bao2"))) == []
    file.further(c.ReviseItem(item_id="tuesday", audience=c.Audience(groups=("delegates", "hosts"))))
    file.further(c.SubmitChange(), sign("head", HEAD), sign("chair", CHAIR), c.PublishProgramme())
    assert told(file.when(serving("chi"))) == [("REQUEST", "tuesday", ("chi",))]


def test_the_next_change_is_measured_against_the_one_approved_last() -> None:
    """Number 3 differs from number 2, not from the decided proposal, and leans on its signatures."""
    file = asked_for(MOVE).further(sign("head", HEAD), sign("chair", CHAIR), c.PublishProgramme())
    second = file.state.amended
    assert second is not None
    (submitted,) = file.further(member("kato", entry_papers=True)).when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert (submitted.proposal, submitted.changed) == (3, ("member:kato", "ceiling"))
    file.further(sign("head", HEAD), sign("finance", FINANCE), sign("chair", CHAIR))
    file.further(BACK_AGAIN)
    (submitted,) = file.when(c.SubmitChange()).of(e.ChangeSubmitted)
    assert [(one.step_id, one.proposal) for one in submitted.carried] == [("finance", 3)]


def test_without_a_policy_for_it_the_programme_changes_as_before() -> None:
    """Nothing to submit, and publishing reaches calendars at once."""
    file = inviting(FREE).further(MOVE)
    file.when(c.SubmitChange()).then_refused("nothing_to_approve")
    assert [method for method, _, _ in told(file.when(c.PublishProgramme()))] == ["REQUEST"]


def test_rules_adopted_later_ask_for_what_changed_since_the_decision() -> None:
    """Under a newer edition with such a policy, what was changed freely is to be approved before more is published."""
    file = inviting(FREE).further(MOVE, c.PublishProgramme())
    file.play.newest = RULES
    file.further(c.AdoptRules())
    file.play.edition = RULES
    file.when(c.PublishProgramme()).then_refused("programme_unchanged")
    file.further(session("third"))
    file.when(c.PublishProgramme()).then_refused("change_unapproved")
