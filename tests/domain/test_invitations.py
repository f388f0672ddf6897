"""Who is told what of the programme, and under which SEQUENCE (RFC 5546 section 2.1.4; design of calendars)."""

from datetime import timedelta
from typing import Any

from hypothesis import given as forall
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.state import Phase
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    Said,
    approved,
    at,
    invited,
    member,
    moved,
    person,
    reporting,
    serving,
    session,
    sign,
    text,
    under_way,
)
from tests.domain.given import Given, Then, given
from tests.rulebook import edition

PUBLISH = c.PublishProgramme()


def heard(then: Then) -> list[tuple[str, str, int, tuple[str, ...]]]:
    """Item, method, SEQUENCE and people of every message of a decision."""
    return [
        (message.item_id, message.method, message.sequence, message.to)
        for issued in then.of(e.InvitationsIssued)
        for message in issued.messages
    ]


def test_the_invitation_brings_each_published_item_to_those_who_attend_it() -> None:
    """The delegates both sessions, the host his own; counters start at 0."""
    done = given(*approved()).when(c.Invite(), at="2026-03-10T09:00")
    done.then(e.ProgrammePublished(programme=1, items=("monday", "tuesday")), e.DelegationInvited(letter=1)).then_state(
        phase=Phase.INVITING, letters=1, programme=1
    )
    assert heard(done) == [
        ("monday", "REQUEST", 0, ("sato", "ito")),
        ("tuesday", "REQUEST", 0, ("sato", "ito", "bao")),
    ]
    assert [effect.kind for effect in done.effects] == ["render_document", "issue_calendars", "sync_calendars"]


def test_before_the_invitation_nobody_is_told_of_anything() -> None:
    """A draft that is published for the dossier reaches no calendar."""
    done = given(*approved()).when(PUBLISH)
    done.then(e.ProgrammePublished(programme=1, items=("monday", "tuesday")))
    assert heard(done) == []
    assert heard(given(*approved()).when(c.WithdrawMember(member_id="ito"))) == []


def test_a_change_is_told_when_it_is_published_and_not_before() -> None:
    """Coordinators draft in peace."""
    going = given(*invited())
    assert heard(going.when(moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"))) == []
    assert heard(going.when(PUBLISH)) == [("monday", "REQUEST", 1, ("sato", "ito"))]


def test_only_those_whose_view_changed_hear_of_a_change() -> None:
    """Tuesday moves: the host hears of Tuesday; of Monday nobody hears anything."""
    going = given(*invited(), moved("tuesday", "2026-04-07T10:00", "2026-04-07T12:00"))
    assert heard(going.when(PUBLISH)) == [("tuesday", "REQUEST", 1, ("sato", "ito", "bao"))]


def test_a_change_that_was_taken_back_before_publication_is_nobodys_news() -> None:
    """What calendars hold is compared with what they should hold, not the drafts between."""
    going = given(
        *invited(),
        moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"),
        moved("monday", "2026-04-06T14:00", "2026-04-06T16:00"),
    )
    assert heard(going.when(PUBLISH)) == []


def test_someone_new_to_an_item_joins_at_its_standing_counter() -> None:
    """The others, whose view is as it was, hear nothing."""
    audience = c.Audience(groups=("delegates",), people=("bao",))
    going = given(*invited(), c.ReviseItem(item_id="monday", audience=audience))
    assert heard(going.when(PUBLISH)) == [("monday", "REQUEST", 0, ("bao",))]


def test_someone_taken_off_an_item_gets_its_cancellation_alone() -> None:
    """The counter goes up, and the next change goes up from there."""
    going = given(*invited(), c.ReviseItem(item_id="tuesday", audience=c.Audience(groups=("delegates",))))
    assert heard(going.when(PUBLISH)) == [("tuesday", "CANCEL", 1, ("bao",))]
    going.further(moved("tuesday", "2026-04-07T10:00", "2026-04-07T12:00"))
    assert heard(going.when(PUBLISH)) == [("tuesday", "REQUEST", 2, ("sato", "ito"))]


def test_who_drops_out_is_cancelled_at_once_and_alone() -> None:
    """Without a publication, and with what they were last told, not with the draft."""
    going = given(*invited(), moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"))
    done = going.when(c.WithdrawMember(member_id="ito"))
    assert heard(done) == [("monday", "CANCEL", 1, ("ito",)), ("tuesday", "CANCEL", 1, ("ito",))]
    (issued,) = done.of(e.InvitationsIssued)
    assert issued.messages[0].view.starts.local == "2026-04-06T14:00"
    assert heard(going.when(PUBLISH)) == [("monday", "REQUEST", 2, ("sato",))]


def test_a_newcomer_between_two_publications_gets_what_the_others_were_told() -> None:
    """Not the draft; and with the next publication the change, like everybody."""
    going = given(*invited(), moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"), session("wednesday"))
    done = going.when(member("kato"))
    assert heard(done) == [("monday", "REQUEST", 0, ("kato",)), ("tuesday", "REQUEST", 0, ("kato",))]
    (issued,) = done.of(e.InvitationsIssued)
    assert issued.messages[0].view.starts.local == "2026-04-06T14:00"
    assert heard(going.when(PUBLISH)) == [
        ("monday", "REQUEST", 1, ("sato", "ito", "kato")),
        ("wednesday", "REQUEST", 0, ("sato", "ito", "kato")),
    ]


def test_a_replacement_cancels_one_and_invites_the_other() -> None:
    """One counter for both messages of an item; nobody else hears of it."""
    replaced = c.ReplaceMember(member_id="ito", by="kato", person=person("kato"), country="JP")
    assert heard(given(*invited()).when(replaced)) == [
        ("monday", "CANCEL", 1, ("ito",)),
        ("monday", "REQUEST", 1, ("kato",)),
        ("tuesday", "CANCEL", 1, ("ito",)),
        ("tuesday", "REQUEST", 1, ("kato",)),
    ]


def test_who_is_put_back_on_an_item_counts_above_the_cancellation() -> None:
    """A REQUEST under the counter of the CANCEL would be taken for an old one."""
    without = c.ReviseItem(item_id="tuesday", audience=c.Audience(groups=("delegates",)))
    again = c.ReviseItem(item_id="tuesday", audience=c.Audience(groups=("delegates",), people=("bao",)))
    going = given(*invited(), without, PUBLISH, again)
    assert heard(going.when(PUBLISH)) == [("tuesday", "REQUEST", 2, ("bao",))]


def test_who_comes_back_under_another_id_counts_above_the_cancellation_too() -> None:
    """It is the same mailbox, and the item has the same UID there."""
    going = given(*invited(), c.WithdrawMember(member_id="ito"))
    back = going.when(member("ito-again", person=person("ito")))
    assert heard(back) == [("monday", "REQUEST", 2, ("ito-again",)), ("tuesday", "REQUEST", 2, ("ito-again",))]
    assert [sequence for _, _, sequence, _ in heard(going.when(member("kato")))] == [2, 2]


def test_who_is_replaced_by_themselves_keeps_the_entries() -> None:
    """Another id, the same mailbox: a CANCEL would take away what the REQUEST brings."""
    replaced = c.ReplaceMember(member_id="ito", by="ito-2", person=person("ito"), country="DE")
    going = given(*invited())
    assert heard(going.when(replaced)) == [("monday", "REQUEST", 0, ("ito-2",)), ("tuesday", "REQUEST", 0, ("ito-2",))]
    going.when(PUBLISH).then_refused("programme_unchanged")
    leaves = heard(going.when(c.WithdrawMember(member_id="ito-2")))
    assert [(item, method, sequence) for item, method, sequence, _ in leaves] == [
        ("monday", "CANCEL", 1),
        ("tuesday", "CANCEL", 1),
    ]


def test_a_cancelled_item_is_cancelled_for_all_who_hold_it() -> None:
    """And stays so."""
    going = given(*invited(), c.CancelItem(item_id="tuesday"))
    assert heard(going.when(PUBLISH)) == [("tuesday", "CANCEL", 1, ("sato", "ito", "bao"))]
    going.when(PUBLISH).then_refused("programme_unchanged")


def test_an_item_taken_from_publication_and_put_back_counts_on() -> None:
    """The counter is never reset."""
    hide, show = c.ReviseItem(item_id="monday", published=False), c.ReviseItem(item_id="monday", published=True)
    going = given(*invited(), hide)
    assert heard(going.when(PUBLISH)) == [("monday", "CANCEL", 1, ("sato", "ito"))]
    going.further(show)
    assert heard(going.when(PUBLISH)) == [("monday", "REQUEST", 2, ("sato", "ito"))]


def test_what_is_over_is_never_cancelled() -> None:
    """On Tuesday evening Ito leaves: nothing is left to be cancelled; on Tuesday morning one session is."""
    leaves = c.WithdrawMember(member_id="ito")
    assert heard(given(*under_way()).when(leaves, at="2026-04-07T18:00")) == []
    assert heard(given(*under_way()).when(leaves, at="2026-04-07T08:00")) == [("tuesday", "CANCEL", 1, ("ito",))]
    assert heard(given(*under_way()).when(c.CancelDelegation(reason=text()), at="2026-04-07T08:00")) == [
        ("tuesday", "CANCEL", 1, ("sato", "ito", "bao"))
    ]


def test_a_session_under_way_is_not_over() -> None:
    """Until it ends, a cancellation says something."""
    leaves = c.WithdrawMember(member_id="ito")
    assert heard(given(*under_way()).when(leaves, at="2026-04-07T10:59")) == [("tuesday", "CANCEL", 1, ("ito",))]
    assert heard(given(*under_way()).when(leaves, at="2026-04-07T11:00")) == []


def test_nobody_is_invited_to_what_is_over() -> None:
    """A newcomer on Tuesday morning hears of Tuesday alone; a past item scheduled afterwards is nobody's news."""
    going = given(*under_way())
    assert heard(going.when(member("kato"), at="2026-04-07T08:00")) == [("tuesday", "REQUEST", 0, ("kato",))]
    going.further(session("before", "2026-04-06T09:00", "2026-04-06T10:00"))
    assert heard(going.when(PUBLISH)) == []


def test_a_correction_of_what_was_over_changes_no_calendar() -> None:
    """The record is right; nobody is asked again."""
    going = given(*under_way(), Said(moved("monday", "2026-04-06T14:30", "2026-04-06T16:00"), None, "2026-04-07T08:00"))
    assert heard(going.when(PUBLISH)) == []


def test_an_item_moved_into_the_past_leaves_no_wrong_entry_before_those_who_hold_it() -> None:
    """Tuesday took place at 07:00: those who still expect it at 09:00 are told, a newcomer is not."""
    audience = c.Audience(groups=("delegates", "escorts"), people=("bao",))
    going = given(
        *under_way(),
        Said(serving("lan", "escort"), None, "2026-04-07T08:30"),
        c.ReviseItem(item_id="tuesday", audience=audience),
        moved("tuesday", "2026-04-07T07:00", "2026-04-07T08:00"),
    )
    assert heard(going.when(PUBLISH)) == [("tuesday", "REQUEST", 1, ("sato", "ito", "bao"))]


def test_an_item_moved_from_the_past_into_the_future_reaches_those_who_attend_it_then() -> None:
    """Who attended the first time and not the second keeps the entry of what was, also when it moves once more."""
    going = given(*under_way())
    going.further(Said(c.ReviseItem(item_id="tuesday", audience=c.Audience(people=("bao",))), None, "2026-04-07T12:00"))
    going.further(moved("tuesday", "2026-04-08T09:00", "2026-04-08T11:00"))
    assert heard(going.when(PUBLISH)) == [("tuesday", "REQUEST", 1, ("bao",))]
    going.further(moved("tuesday", "2026-04-08T10:00", "2026-04-08T12:00"))
    assert heard(going.when(PUBLISH)) == [("tuesday", "REQUEST", 2, ("bao",))]


def test_postponing_takes_everything_out_of_every_calendar() -> None:
    """And resuming invites anew, above the cancellations."""
    going = given(*invited())
    assert heard(going.when(c.Postpone(reason=text()))) == [
        ("monday", "CANCEL", 1, ("sato", "ito")),
        ("tuesday", "CANCEL", 1, ("sato", "ito", "bao")),
    ]
    again = resumed(going).when(c.Invite())
    assert heard(again) == [
        ("monday", "REQUEST", 2, ("sato", "ito")),
        ("tuesday", "REQUEST", 2, ("sato", "ito", "bao")),
    ]
    again.then(e.ProgrammePublished, e.DelegationInvited(letter=2))


def resumed(going: Given) -> Given:
    """A postponed delegation, approved anew for a month later; its sessions moved along."""
    return going.further(
        c.Resume.model_validate({"starts": "2026-05-11", "ends": "2026-05-17"}),
        moved("monday", "2026-05-11T14:00", "2026-05-11T16:00"),
        moved("tuesday", "2026-05-12T09:00", "2026-05-12T11:00"),
        Said(c.SubmitRequest(), COORDINATOR),
        sign("department_head", DEPARTMENT_HEAD),
        sign("vice_president", VICE_PRESIDENT),
        c.IssueDecision(number="28/QĐ"),
    )


def test_cancelling_takes_everything_out_of_every_calendar() -> None:
    """Whoever held an entry hears of it, once."""
    done = given(*invited()).when(c.CancelDelegation(reason=text()))
    done.then(e.DelegationCancelled(reason=text())).then_state(phase=Phase.CANCELLED)
    assert [(item, method) for item, method, _, _ in heard(done)] == [("monday", "CANCEL"), ("tuesday", "CANCEL")]


def test_calling_off_what_nobody_was_told_of_tells_nobody() -> None:
    """Before the invitation there is nothing to cancel."""
    assert heard(given(*approved()).when(c.CancelDelegation(reason=text()))) == []


def test_after_the_journey_calendars_are_left_alone() -> None:
    """The programme is no longer changed."""
    given(*reporting()).when(PUBLISH).then_refused("wrong_phase", phase="reporting")


def test_a_batch_of_changes_is_one_issue_of_messages() -> None:
    """98 members or a whole programme in one go: one round, one message an item."""
    going = given(*invited())
    done = going.when(
        moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"),
        c.WithdrawMember(member_id="ito"),
        member("kato"),
        PUBLISH,
    )
    assert heard(done) == [
        ("monday", "CANCEL", 1, ("ito",)),
        ("monday", "REQUEST", 1, ("sato", "kato")),
        ("tuesday", "CANCEL", 1, ("ito",)),
        ("tuesday", "REQUEST", 1, ("kato",)),
    ]
    assert [(issue.number, issue.requests, issue.cancels, issue.people) for issue in done.state.issues] == [
        (1, 5, 0, 3),
        (2, 3, 2, 3),
    ]


def test_a_reply_is_taken_from_those_who_were_told_and_to_what_they_were_told_of() -> None:
    """An unknown person, an unknown item, an item of others: each has its own refusal."""
    going = given(*invited())
    going.when(c.RecordReply(participant_id="ito", answer="accepted", item_id="monday")).then(
        e.ReplyRecorded(participant_id="ito", answer="accepted", item_id="monday")
    )
    going.when(c.RecordReply(participant_id="ito", answer="declined")).then(e.ReplyRecorded)
    assert {key: reply.answer for key, reply in going.state.replies.items()} == {
        "ito/monday": "accepted",
        "ito/*": "declined",
    }
    going.when(c.RecordReply(participant_id="nobody", answer="accepted")).then_refused("participant_unknown")
    going.when(c.RecordReply(participant_id="ito", answer="accepted", item_id="x")).then_refused("item_unknown")
    going.when(c.RecordReply(participant_id="bao", answer="accepted", item_id="monday")).then_refused("not_invited")


def test_an_answer_is_judged_by_the_last_message_to_whoever_gives_it() -> None:
    """One falls away: the counter rises with the CANCEL for that one alone, the others answer what they hold."""
    going = given(*invited(), c.WithdrawMember(member_id="ito"))
    assert {item: (told.sequence, told.behind) for item, told in going.state.told.items()} == {
        "monday": (1, {"sato": 0}),
        "tuesday": (1, {"sato": 0, "bao": 0}),
    }
    first = c.RecordReply(participant_id="sato", answer="accepted", item_id="monday", sequence=0)
    going.when(first).then(
        e.ReplyRecorded(participant_id="sato", answer="accepted", item_id="monday", sequence=0),
    )
    going.further(moved("monday", "2026-04-06T15:00", "2026-04-06T16:00"), PUBLISH)
    assert (going.state.told["monday"].sequence, going.state.told["monday"].behind) == (2, {})
    going.when(first).then_refused("reply_stale")
    going.when(first.model_copy(update={"sequence": 1})).then_refused("reply_stale")
    going.when(first.model_copy(update={"sequence": 2})).then(e.ReplyRecorded)


def test_of_two_answers_to_one_version_the_later_one_stands() -> None:
    """Whichever came first; a clock that runs ahead counts as the instant of recording, so answers after it count."""
    going = given(*invited())
    now = going.now
    early, late = now - timedelta(hours=3), now - timedelta(hours=1)
    comment = text()
    answer = c.RecordReply(
        participant_id="sato",
        answer="declined",
        item_id="monday",
        sequence=0,
        dtstamp=late,
        comment=comment,
        via="mail",
    )
    going.when(answer).then(
        e.ReplyRecorded(
            participant_id="sato",
            answer="declined",
            item_id="monday",
            sequence=0,
            dtstamp=late,
            comment=comment,
            via="mail",
        )
    )
    going.when(answer.model_copy(update={"dtstamp": early})).then_refused("reply_stale")
    going.when(answer.model_copy(update={"dtstamp": None})).then(e.ReplyRecorded)
    ahead = given(*invited()).when(answer.model_copy(update={"dtstamp": now + timedelta(days=400)}))
    (recorded,) = ahead.of(e.ReplyRecorded)
    assert recorded.dtstamp == now


@forall(
    said=st.lists(
        st.tuples(st.sampled_from(["accepted", "declined", "tentative"]), st.integers(0, 3), st.integers(0, 5)),
        min_size=1,
        max_size=5,
        unique_by=lambda one: (min(one[1], 1), one[2]),
    )
)
def test_in_whatever_order_mail_brings_answers_the_newest_stands(said: list[tuple[Any, int, int]]) -> None:
    """By SEQUENCE, at most the item's own, then by DTSTAMP; what was never asked for that way is refused."""
    going = given(*invited(), moved("monday", "2026-04-06T15:00", "2026-04-06T16:00"), PUBLISH)
    for answer, sequence, hours in said:
        stamp = going.now - timedelta(days=1) + timedelta(hours=hours)
        going.when(
            c.RecordReply(participant_id="sato", answer=answer, item_id="monday", sequence=sequence, dtstamp=stamp)
        )
    valid = [one for one in said if one[1] >= 1]
    expected = max(valid, key=lambda one: one[2])[0] if valid else None
    found = going.state.replies.get("sato/monday")
    assert (found.answer if found else None) == expected


def test_the_outcome_of_an_issue_is_recorded_once() -> None:
    """And only of an issue that was made."""
    going = given(*invited())
    going.when(c.RecordDelivery(issue=1, sent=5, refused=("bao",))).then(
        e.InvitationsDelivered(issue=1, sent=5, refused=("bao",))
    )
    assert (going.state.issues[0].sent, going.state.issues[0].refused) == (5, ("bao",))
    going.when(c.RecordDelivery(issue=1, sent=5)).then_refused("outcome_recorded_already")
    going.when(c.RecordDelivery(issue=2, sent=5)).then_refused("outcome_recorded_already")


def test_a_journey_that_ends_early_leaves_nothing_to_come_in_calendars() -> None:
    """What took place stays; what did not any more is cancelled."""
    ended = given(*under_way()).when(c.Conclude(), at="2026-04-06T20:00")
    assert heard(ended) == [("tuesday", "CANCEL", 1, ("sato", "ito", "bao"))]


def test_a_flight_is_told_with_a_zone_at_each_end() -> None:
    """The view carries both zones, as they were given."""
    flight = session("flight", kind="flight", starts="2026-04-12T19:45", ends="2026-04-12T23:00")
    flight = flight.model_copy(update={"ends": at("2026-04-13T08:05", "Europe/Berlin")})
    (issued,) = given(*invited(), flight).when(PUBLISH).of(e.InvitationsIssued)
    (message,) = issued.messages
    assert (message.view.starts.zone, message.view.ends.zone) == ("Asia/Ho_Chi_Minh", "Europe/Berlin")


def test_our_own_travellers_get_the_programme_without_a_letter_of_invitation() -> None:
    """Which delegations are sent a letter is a rule; outbound ones are not."""
    rules = edition().model_copy(update={"invitation_letter": ("outbound",)})
    done = given(*approved(), rules=rules).when(c.Invite())
    done.then(e.ProgrammePublished, e.DelegationInvited(letter=0))
    assert [effect.kind for effect in done.effects] == ["issue_calendars", "sync_calendars"]
