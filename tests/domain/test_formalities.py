"""What the authorities ask for, and when it counts as done."""

from datetime import date

import pytest

from domain import commands as c
from domain import events as e
from domain.formalities import fulfilled
from tests.builders import Said, drafted, invited, member, opening, pdf, submitted, text
from tests.domain.given import given


def test_a_formality_is_recorded_as_done_on_the_business_date() -> None:
    """20:30 UTC on the 29th is the 30th in Hà Nội."""
    sent = c.RecordFormality(kind="delegation_list_sent", reference="Version 1", document=pdf())
    given(*invited()).when(sent, at="2026-03-30T03:30").then(
        e.FormalityRecorded(kind="delegation_list_sent", on=date(2026, 3, 30), reference="Version 1", document=pdf())
    )


def test_a_formality_names_people_on_the_file() -> None:
    """A stranger's papers are not this file's."""
    papers = c.RecordFormality(kind="entry_papers_requested", members=("ito", "nobody"))
    given(*drafted()).when(papers).then_refused("participant_unknown", field="members", member="nobody")


@pytest.mark.parametrize("kind", ["submitted", "decision_issued", "report_filed", "step.department_head"])
def test_what_the_file_itself_knows_is_not_recorded_by_hand(kind: str) -> None:
    """Otherwise a deadline would be met by a word: no report is filed by saying so."""
    given(*drafted()).when(c.RecordFormality(kind=kind)).then_refused("formality_reserved", field="kind", kind=kind)


def test_papers_count_once_they_cover_everybody_who_needs_them() -> None:
    """One of two is not enough; those who need none do not matter."""
    people = (member("carter", entry_papers=True), member("reyes", entry_papers=True), member("ito"))
    going = given(opening(), *people, c.RecordFormality(kind="entry_papers_granted", members=("carter", "ito")))
    assert "entry_papers_granted" not in fulfilled(going.state)
    going.further(c.RecordFormality(kind="entry_papers_granted", members=("reyes",)))
    assert "entry_papers_granted" in fulfilled(going.state)


def test_papers_are_complete_when_the_one_who_lacked_them_leaves() -> None:
    """The rest is covered."""
    people = (member("carter", entry_papers=True), member("reyes", entry_papers=True))
    going = given(opening(), *people, c.RecordFormality(kind="entry_papers_granted", members=("carter",)))
    going.further(c.WithdrawMember(member_id="reyes"))
    assert "entry_papers_granted" in fulfilled(going.state)


def test_a_notice_for_nobody_in_particular_is_for_all() -> None:
    """The police are told of the delegation."""
    going = given(*drafted(), c.RecordFormality(kind="police_notified"))
    assert "police_notified" in fulfilled(going.state)


def test_a_withdrawn_proposal_is_not_submitted() -> None:
    """What counts is the proposal that stands."""
    going = given(*submitted())
    assert "submitted" in fulfilled(going.state)
    going.further(Said(c.WithdrawRequest(reason=text())))
    assert "submitted" not in fulfilled(going.state)


def test_notices_for_dates_that_no_longer_stand_do_not_count() -> None:
    """After a postponement police and department are told anew; the record of the first time stays."""
    going = given(*invited(), c.RecordFormality(kind="police_notified"), c.Postpone(reason=text()))
    going.further(c.Resume.model_validate({"starts": "2026-05-11", "ends": "2026-05-17"}))
    assert "police_notified" not in fulfilled(going.state)
    assert [done.kind for done in going.state.formalities] == ["police_notified"]
