"""RFC 5546 for events: each rule and example that concerns REQUEST, REPLY, CANCEL, COUNTER, REFRESH and DECLINECOUNTER.

The facts are the RFC's, the words are ours. `docs/calendars.md` lists every test with its section and, where we
deviate, the reason.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import vobject

from calendars.imip import calendar_part
from calendars.received import read_mail
from calendars.replies import Counter, DeclineCounter, Refresh, Reply, Unreadable, read_object
from domain import commands as c
from domain import events as e
from storage.mail_ledger import Mail
from tests.builders import Step, at, invited, member, moved
from tests.calendars.answers import Answered, calendar, event, outlook
from tests.calendars.cases import CASES
from tests.calendars.change_log import ORGANIZER, ChangeLog, address_of
from tests.calendars.model_calendar import ModelCalendar, calendar_of
from tests.domain.given import Given, given

PAGE = Path(__file__).parents[2] / "docs" / "calendars.md"
PUBLISH = c.PublishProgramme()
LATER = {"starts": "2026-04-06T15:00", "ends": "2026-04-06T17:00"}
MOVED = moved("monday", **LATER)
REQUESTS = [name for name in CASES if name != "cancelled-session"]


def only_event(mail: Mail) -> Any:
    """The one VEVENT of a mail."""
    [found] = vobject.readOne(calendar_of(mail.content).decode()).vevent_list
    return found


def properties(ics: bytes) -> dict[str, int]:
    """How often each property stands in the one VEVENT of an object."""
    [found] = vobject.readOne(ics.decode()).vevent_list
    return {name: len(lines) for name, lines in found.contents.items()}


def to(who: str, mails: list[Mail]) -> list[Mail]:
    return [mail for mail in mails if mail.mailbox == address_of(who)]


def first_invitation(who: str, item: str = "monday") -> Any:
    """What somebody was first told of an item."""
    [found] = [mail for mail in to(who, list(ChangeLog().ledger.values())) if mail.uid.startswith(f"{item}.")]
    return only_event(found)


def answering(answer: c.Answer, sequence: int, stamp: str, who: str = "ito") -> c.RecordReply:
    """A mailed answer about Monday, as it becomes a command."""
    return c.RecordReply(
        participant_id=who,
        item_id="monday",
        answer=answer,
        sequence=sequence,
        dtstamp=datetime.fromisoformat(stamp),
        via="mail",
    )


def going(*history: Step) -> Given:
    return given(*invited(), *history)


# 2.1.4 Sequence numbers


def test_a_new_item_counts_from_zero() -> None:
    """2.1.4: the first message of a UID has SEQUENCE 0."""
    assert first_invitation("ito").sequence.value == "0"


@pytest.mark.parametrize(
    "change",
    [
        moved("monday", "2026-04-06T15:00", "2026-04-06T16:00"),
        moved("monday", "2026-04-06T14:00", "2026-04-06T17:00"),
        c.MoveItem(
            item_id="monday", starts=at("2026-04-06T14:00"), ends=at("2026-04-06T16:00"), place="House of the Union"
        ),
    ],
    ids=["DTSTART", "DTEND", "LOCATION"],
)
def test_a_change_of_time_or_place_raises_the_counter_by_one(change: c.MoveItem) -> None:
    """2.1.4: DTSTART and DTEND must raise it; LOCATION may, and here does."""
    log = ChangeLog()
    log.act(change)
    assert {only_event(mail).sequence.value for mail in log.act(PUBLISH)} == {"1"}


@pytest.mark.parametrize("name", CASES)
def test_nothing_else_that_would_raise_the_counter_is_ever_written(name: str) -> None:
    """2.1.4: DURATION, DUE, RRULE, RDATE and EXDATE; every item stands alone."""
    inside = CASES[name].partition(b"BEGIN:VEVENT")[2]
    assert not re.search(rb"^(DURATION|DUE|RRULE|RDATE|EXDATE|EXRULE|RECURRENCE-ID)[;:]", inside, re.MULTILINE)


def test_a_cancellation_raises_the_counter_and_what_follows_counts_on() -> None:
    """2.1.4: STATUS is one of the properties that raise it; it never goes down again."""
    log = ChangeLog()
    counters = []
    for shown in (False, True, False, True):
        log.act(c.ReviseItem(item_id="monday", published=shown))
        counters += [only_event(mail).sequence.value for mail in to("ito", log.act(PUBLISH))]
    assert counters == ["1", "2", "3", "4"]


def test_who_is_added_to_an_item_does_not_raise_the_counter() -> None:
    """2.1.4: a further attendee is no revision for the others, who hear nothing."""
    log = ChangeLog()
    sent = log.act(member("kato"))
    assert {mail.mailbox for mail in sent} == {address_of("kato")}
    assert {only_event(mail).sequence.value for mail in sent} == {"0"}


def test_an_answer_leaves_the_counter_alone() -> None:
    """2.1.4: the counter is the organizer's; an attendee's answer does not move it."""
    assert going(answering("accepted", 0, "2026-03-11T02:00:00Z")).state.told["monday"].sequence == 0


# 2.1.5 Message sequencing


def test_a_message_is_older_by_its_sequence_then_by_its_dtstamp() -> None:
    """2.1.5, as a calendar that receives us judges: what we send later is never taken for older."""
    log = ChangeLog()
    log.act(MOVED)
    moved_to = to("ito", log.act(PUBLISH))
    first = [mail for mail in to("ito", list(log.ledger.values())) if mail not in moved_to]
    model = ModelCalendar()
    for mail in (*moved_to, *first):
        model.receive(mail.content)
    assert {one.starts for uid, one in model.shown.items() if uid.startswith("monday")} == {"2026-04-06T08:00:00+00:00"}


def test_an_answer_to_an_older_version_is_stale() -> None:
    """2.1.5: by SEQUENCE first, though it was written later."""
    file = going(MOVED, PUBLISH)
    file.when(answering("accepted", 0, "2026-03-20T02:00:00Z")).then_refused("reply_stale", field="sequence")
    file.when(answering("accepted", 1, "2026-03-10T02:00:00Z")).then(e.ReplyRecorded)


def test_of_two_answers_to_one_version_the_later_dtstamp_counts() -> None:
    """2.1.5: whatever came first through the mail."""
    file = given(*invited()).when(answering("declined", 0, "2026-03-10T01:30:00Z"), at="2026-03-12T09:00").given
    file.when(answering("accepted", 0, "2026-03-10T01:20:00Z")).then_refused("reply_stale", field="dtstamp")
    later = file.when(answering("tentative", 0, "2026-03-10T01:40:00Z"))
    assert later.state.replies["ito/monday"].answer == "tentative"


def test_answers_of_several_attendees_are_judged_each_by_themselves() -> None:
    """2.1.5: UID, SEQUENCE and DTSTAMP are compared for one attendee."""
    file = going(answering("declined", 0, "2026-03-12T02:00:00Z", who="sato"))
    file.when(answering("accepted", 0, "2026-03-11T02:00:00Z", who="ito")).then(e.ReplyRecorded)


# 3.2.2 REQUEST


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_has_what_it_must_have_and_nothing_it_must_not(name: str) -> None:
    """3.2.2: one each of DTSTAMP, DTSTART, ORGANIZER, UID and SUMMARY, ATTENDEE at least once; no REQUEST-STATUS."""
    counted = properties(CASES[name])
    for once in ("dtstamp", "dtstart", "dtend", "organizer", "uid", "summary", "sequence", "status"):
        assert counted[once] == 1, once
    assert counted["attendee"] >= 1
    assert not {"request-status", "duration", "recurrence-id"} & set(counted)
    whole = vobject.readOne(CASES[name].decode())
    assert whole.vevent.status.value in ("CONFIRMED", "TENTATIVE")
    assert whole.method.value == "REQUEST"
    assert set(whole.contents) <= {"version", "prodid", "method", "vevent", "vtimezone"}


@pytest.mark.parametrize("name", CASES)
def test_every_zone_that_is_named_is_defined(name: str) -> None:
    """3.2.2: VTIMEZONE must stand beside times that refer to it, and only then does it."""
    text = CASES[name].replace(b"\r\n ", b"").decode()
    named = set(re.findall(r"^DT(?:START|END);TZID=([^:]+):", text, re.MULTILINE))
    assert named == set(re.findall(r"^TZID:(.+?)\r?$", text, re.MULTILINE))


@pytest.mark.parametrize("name", CASES)
def test_the_method_of_the_part_is_that_of_the_object(name: str) -> None:
    """3.2 and RFC 6047 section 2.4: a reader of either finds the same."""
    part = calendar_part(CASES[name])
    assert part.get_param("method") == ("CANCEL" if name == "cancelled-session" else "REQUEST")


def test_rescheduling_keeps_the_uid_and_asks_again() -> None:
    """3.2.2.1 and 4.2.3: the same UID, a higher SEQUENCE, and an answer to the new time is asked for."""
    log = ChangeLog()
    log.act(answering("accepted", 0, "2026-03-10T02:00:00Z"))
    before = first_invitation("ito")
    log.act(MOVED)
    [mail] = to("ito", log.act(PUBLISH))
    after = only_event(mail)
    assert after.uid.value == before.uid.value
    assert (after.sequence.value, after.attendee.partstat_param, after.attendee.rsvp_param) == (
        "1",
        "NEEDS-ACTION",
        "TRUE",
    )


def test_an_update_without_rescheduling_keeps_the_answer() -> None:
    """3.2.2.2: new words, the same time and place: the answer stands and is not asked for again."""
    log = ChangeLog()
    log.act(answering("accepted", 0, "2026-03-10T02:00:00Z"))
    log.act(c.ReviseItem(item_id="monday", title="Opening session", announce=True))
    [mail] = to("ito", log.act(PUBLISH))
    attendee = only_event(mail).attendee
    assert (attendee.partstat_param, attendee.rsvp_param) == ("ACCEPTED", "FALSE")


def test_an_answer_given_in_another_s_name_is_for_a_person() -> None:
    """3.2.2.3 and 4.2.5: a delegate who sends somebody else is decided about by the coordinator."""
    said = read_object(calendar(*event(replace(Answered(), partstat="DELEGATED"))).encode())
    assert said == Unreadable("partstat_delegated")


def test_the_organizer_is_one_mailbox_for_ever() -> None:
    """3.2.2.4 and 4.2.11: the organizer never changes, whoever coordinates; replies find one mailbox."""
    log = ChangeLog()
    log.act(MOVED)
    log.act(PUBLISH)
    log.act(c.WithdrawMember(member_id="ito"))
    assert {only_event(mail).organizer.value for mail in log.ledger.values()} == {f"mailto:{ORGANIZER.address}"}


def test_a_forwarded_request_names_its_first_reader_alone() -> None:
    """3.2.2.6 and 4.2.8: who answers a forwarded invitation is nobody who was asked, and their answer says so."""
    stranger = Answered(attendee="friend@elsewhere.example")
    said = read_mail(outlook(stranger)).says
    assert isinstance(said, Reply)
    assert said.attendee == "friend@elsewhere.example"
    going().when(answering("accepted", 0, "2026-03-11T02:00:00Z", who="friend")).then_refused("participant_unknown")


def test_a_group_event_is_asked_of_each_attendee() -> None:
    """4.2.1: everybody is asked to answer, each in a message of their own; lists of attendees are nobody's view."""
    sent = [mail for mail in ChangeLog().ledger.values() if mail.uid.startswith("tuesday.")]
    asked = {mail.mailbox: [one.value for one in only_event(mail).contents["attendee"]] for mail in sent}
    assert asked == {address_of(who): [f"mailto:{address_of(who)}"] for who in ("sato", "ito", "bao")}
    assert {only_event(mail).attendee.rsvp_param for mail in sent} == {"TRUE"}


# 3.2.3 REPLY


@pytest.mark.parametrize(
    ("partstat", "answer"), [("ACCEPTED", "accepted"), ("DECLINED", "declined"), ("TENTATIVE", "tentative")]
)
def test_a_reply_gives_uid_attendee_sequence_and_answer(partstat: str, answer: str) -> None:
    """3.2.3 and 4.2.2: one ATTENDEE, the one who answers; SEQUENCE echoes the request."""
    said = read_object(calendar(*event(Answered(partstat=partstat, sequence=2), "REQUEST-STATUS:2.0;Success")).encode())
    assert isinstance(said, Reply)
    assert (said.uid, said.attendee, said.sequence, said.answer) == (
        "monday.visit@hoihuunghi.example",
        "ito@tokyo.example",
        2,
        answer,
    )
    assert said.dtstamp == datetime(2026, 3, 11, 2, tzinfo=UTC)


def test_a_reply_to_the_first_version_may_leave_out_its_sequence() -> None:
    """3.2.3: it may be absent where it is 0."""
    lines = [line for line in event(Answered()) if not line.startswith("SEQUENCE")]
    said = read_object(calendar(*lines).encode())
    assert isinstance(said, Reply)
    assert said.sequence == 0


def test_a_reply_of_two_is_nobody_s() -> None:
    """3.2.3: exactly one ATTENDEE; which of two answers is not guessed."""
    two = event(Answered(), "ATTENDEE;PARTSTAT=DECLINED:mailto:sato@tokyo.example")
    assert read_object(calendar(*two).encode()) == Unreadable("attendees_several")


def test_a_reply_changes_nothing_but_the_answer() -> None:
    """3.2.3: what an attendee writes into times, title or place is theirs alone."""
    file = going()
    before = file.state.published
    after = file.when(answering("accepted", 0, "2026-03-10T02:00:00Z"))
    assert after.state.published == before
    assert after.of(e.InvitationsIssued) == ()


# 3.2.5 CANCEL


def test_a_cancellation_has_what_it_must_have() -> None:
    """3.2.5 and 4.2.9: one UID, DTSTAMP, ORGANIZER and SEQUENCE, raised; STATUS:CANCELLED; no REQUEST-STATUS."""
    log = ChangeLog()
    log.act(c.CancelItem(item_id="monday"))
    sent = log.act(PUBLISH)
    assert {mail.mailbox for mail in sent} == {address_of("sato"), address_of("ito")}
    for mail in sent:
        counted = properties(calendar_of(mail.content))
        for once in ("uid", "dtstamp", "organizer", "sequence", "status"):
            assert counted[once] == 1
        assert "request-status" not in counted
        assert "valarm" not in counted
        assert (only_event(mail).sequence.value, only_event(mail).status.value) == ("1", "CANCELLED")


def test_a_cancellation_names_only_the_one_who_is_taken_off() -> None:
    """3.2.5 and 4.2.10: ATTENDEE lists who is removed, and nobody else hears of it."""
    log = ChangeLog()
    sent = log.act(c.WithdrawMember(member_id="ito"))
    assert {(mail.method, mail.mailbox) for mail in sent} == {("CANCEL", address_of("ito"))}
    assert {only_event(mail).attendee.value for mail in sent} == {f"mailto:{address_of('ito')}"}


def test_who_is_taken_off_is_told_that_it_is_cancelled_though_it_goes_on() -> None:
    """3.2.5 forbids STATUS there; in this one calendar the item was theirs alone, and readers drop it only so."""
    log = ChangeLog()
    sent = log.act(c.WithdrawMember(member_id="ito"))
    assert {only_event(mail).status.value for mail in sent} == {"CANCELLED"}
    assert log.state.told["monday"].holders == ("sato",)


def test_what_is_over_is_not_cancelled() -> None:
    """3.2.5 leaves it open; a calendar keeps what took place."""
    log = ChangeLog()
    log.act(c.Depart())
    log.now = datetime(2026, 4, 6, 12, tzinfo=UTC)
    assert [mail.uid.partition(".")[0] for mail in log.act(c.WithdrawMember(member_id="ito"))] == ["tuesday"]


# 3.2.6 REFRESH, 3.2.7 COUNTER, 3.2.8 DECLINECOUNTER


def test_a_refresh_is_known_by_its_method() -> None:
    """3.2.6 and 4.7.1: one attendee asks for the last version of one UID."""
    said = read_object(calendar(*event(Answered()), method="REFRESH").encode())
    assert said == Refresh(uid="monday.visit@hoihuunghi.example", attendee="ito@tokyo.example")


def test_a_refresh_can_be_answered_with_the_very_message() -> None:
    """3.2.6: the organizer answers with the latest REQUEST: the stored octets, so nothing counts up."""
    log = ChangeLog()
    [first] = [mail for issue in log.issues for mail in to("ito", list(issue.composed())) if "monday" in mail.uid]
    assert log.ledger[first.uid, 0, "REQUEST", first.mailbox, first.view_hash].content == first.content


def test_a_counter_is_read_as_a_proposal_and_changes_nothing() -> None:
    """3.2.7 and 4.2.4: another time is proposed, about the SEQUENCE it names; the programme is a person's to change."""
    lines = [
        line.replace("20260406T020000Z", "20260406T030000Z") if line.startswith("DTSTART") else line
        for line in event(Answered(sequence=1, comment="An hour later?"))
    ]
    said = read_object(calendar(*lines, method="COUNTER").encode())
    assert isinstance(said, Counter)
    assert (said.sequence, said.starts, said.comment) == (1, "2026-04-06T03:00Z", "An hour later?")


def test_an_accepted_counter_is_a_rescheduling_like_any_other() -> None:
    """3.2.7 and 4.2.4: the organizer who agrees sends a REQUEST with a higher SEQUENCE to everybody concerned."""
    log = ChangeLog()
    log.act(MOVED)
    sent = log.act(PUBLISH)
    assert {(mail.mailbox, mail.method, mail.sequence) for mail in sent} == {
        (address_of("sato"), "REQUEST", 1),
        (address_of("ito"), "REQUEST", 1),
    }


def test_a_declined_counter_is_an_organizer_s_word_and_for_a_person_here() -> None:
    """3.2.8: only an organizer says it, so nobody says it to us; we send none, a person answers in their own words."""
    said = read_object(calendar(*event(Answered()), method="DECLINECOUNTER").encode())
    assert said == DeclineCounter(uid="monday.visit@hoihuunghi.example")


# 3.6 and 3.7


def test_a_delivery_status_in_an_answer_is_passed_over() -> None:
    """3.6: REQUEST-STATUS of a mailed answer says nothing that PARTSTAT does not; failures come as delivery reports."""
    plain = read_object(calendar(*event(Answered())).encode())
    assert read_object(calendar(*event(Answered(), "REQUEST-STATUS:3.7;Invalid calendar user")).encode()) == plain


def test_nothing_recurs_so_an_answer_about_a_recurrence_is_for_a_person() -> None:
    """3.7.1 and 4.4: every item of a programme has its own UID."""
    said = read_object(calendar(*event(Answered(), "RRULE:FREQ=DAILY;COUNT=3")).encode())
    assert said == Unreadable("recurring")


def test_the_attendee_carries_role_and_kind() -> None:
    """3.7.2: an individual who is required; RSVP asks for the answer."""
    attendee = first_invitation("ito").attendee
    assert (attendee.cutype_param, attendee.role_param) == ("INDIVIDUAL", "REQ-PARTICIPANT")


def test_two_people_behind_one_mailbox_stand_as_two_attendees() -> None:
    """3.7.2 expects one address to be one attendee; a shared mailbox would otherwise lose one of the names."""
    [found] = vobject.readOne(CASES["shared-mailbox"].decode()).vevent_list
    assert len({one.value for one in found.contents["attendee"]}) == 1
    assert len(found.contents["attendee"]) == 2


def test_no_extension_is_needed_to_read_us() -> None:
    """3.7.3: no X- property and no X- parameter goes out."""
    for ics in CASES.values():
        assert not re.search(rb"^X-|;X-", ics.replace(b"\r\n ", b""), re.MULTILINE)


def test_the_page_lists_every_test_of_this_file_once() -> None:
    """A rule is kept, does not apply, or is deviated from with its reason."""
    row = re.compile(r"^\| ([^|]+) \| ([^|]+) \| (kept|deviates|not applicable) \| ([^|]*) \|$", re.MULTILINE)
    _, _, rules = PAGE.read_text(encoding="utf-8").partition("\n## RFC 5546, rule by rule\n")
    rows = row.findall(rules)
    named = [name for _, _, _, tests in rows for name in re.findall(r"`(test_\w+)`", tests)]
    here = {name for name, made in globals().items() if name.startswith("test_") and callable(made)}
    here.discard("test_the_page_lists_every_test_of_this_file_once")
    assert sorted(named) == sorted(here)
    for section, rule, status, tests in rows:
        if status == "deviates":
            assert "because" in rule, section
        if status == "kept":
            assert "`test_" in tests, section
