"""One primary channel a person: by mail until they choose another."""

from domain import commands as c
from domain import events as e
from domain.decision import PARTICIPANT, Actor
from tests.builders import invited, moved, reporting
from tests.domain.given import given
from tests.domain.test_invitations import PUBLISH, heard

ITO = Actor(id=f"{PARTICIPANT}ito", roles=("participant",))
BY_FEED = c.ChooseChannel(participant_id="ito", channel="feed")
BY_MAIL = c.ChooseChannel(participant_id="ito", channel="mail")


def test_who_chooses_another_channel_is_taken_out_of_the_mailbox_calendar() -> None:
    """Or they would see everything twice; the others hear nothing."""
    done = given(*invited()).when(BY_FEED)
    done.then(e.ChannelChosen(participant_id="ito", channel="feed"))
    assert heard(done) == [("monday", "CANCEL", 1, ("ito",)), ("tuesday", "CANCEL", 1, ("ito",))]


def test_a_mailbox_hears_no_more_of_who_chose_another_channel() -> None:
    """A change goes to the others."""
    going = given(*invited(), BY_FEED, moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"))
    assert heard(going.when(PUBLISH)) == [("monday", "REQUEST", 2, ("sato",))]


def test_who_comes_back_to_mail_gets_everything_again() -> None:
    """Under a higher counter than the cancellation, or the mailbox would take it for an older message."""
    going = given(*invited(), BY_FEED)
    assert heard(going.when(BY_MAIL)) == [("monday", "REQUEST", 2, ("ito",)), ("tuesday", "REQUEST", 2, ("ito",))]


def test_somebody_on_the_file_chooses_for_themselves_alone() -> None:
    """By their personal link, without an account."""
    going = given(*invited())
    going.when(c.ChooseChannel(participant_id="sato", channel="feed"), by=ITO).then_refused("not_yourself")
    going.when(BY_FEED, by=ITO).accepted()


def test_a_collection_is_chosen_only_where_there_is_one() -> None:
    """Or nothing would reach them any more."""
    going = given(*invited())
    going.play.uncollected = ("ito",)
    caldav = c.ChooseChannel(participant_id="ito", channel="caldav")
    going.when(caldav, by=ITO).then_refused("collection_missing", field="channel")
    going.play.uncollected = ()
    going.when(caldav, by=ITO).accepted()


def test_who_has_left_chooses_no_more() -> None:
    """Their calendar is empty."""
    going = given(*invited(), c.WithdrawMember(member_id="ito"))
    going.when(BY_FEED, by=ITO).then_refused("participant_unknown")


def test_the_same_channel_again_is_refused() -> None:
    """Mail is what everybody begins with."""
    given(*invited()).when(BY_MAIL).then_refused("channel_unchanged")


def test_after_the_journey_a_channel_may_still_be_chosen_and_nobody_is_told_anything() -> None:
    """What is over stays where it is."""
    assert heard(given(*reporting()).when(BY_FEED)) == []


def test_who_hears_by_feed_may_answer_too() -> None:
    """To what is in their calendar, by whatever channel it came there."""
    going = given(*invited(), BY_FEED)
    answer = c.RecordReply(participant_id="ito", answer="accepted", item_id="monday")
    going.when(answer, by=ITO).then(e.ReplyRecorded(participant_id="ito", answer="accepted", item_id="monday"))
    going.when(answer.model_copy(update={"participant_id": "sato"}), by=ITO).then_refused("not_yourself")
