"""What calendars answer, as it arrives: five clients' shapes, damaged ones, hostile ones, and any octets at all."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calendars.received import AutomaticAnswer, DeliveryReport, Received, message_id_of, read_mail
from calendars.replies import Counter, DeclineCounter, Refresh, Reply, Unreadable, read_object
from tests.calendars.answers import CLIENTS, Answered, bare, calendar, event

ONE = Answered()
AT = datetime(2026, 3, 11, 2, tzinfo=UTC)


def told(octets: bytes) -> Reply:
    """What a mail answers; it must be an answer."""
    says = read_mail(octets).says
    assert isinstance(says, Reply), says
    return says


def code(octets: bytes) -> str:
    """Why a mail cannot be read; it must not be readable."""
    says = read_mail(octets).says
    assert isinstance(says, Unreadable), says
    return says.code


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("partstat", "answer"), [("ACCEPTED", "accepted"), ("DECLINED", "declined")])
def test_what_five_clients_send_is_one_and_the_same_answer(client: str, partstat: str, answer: str) -> None:
    """Whatever the nesting, encoding, order of parameters and line ends."""
    sent = CLIENTS[client](Answered(partstat=partstat, sequence=3, comment="Xin lỗi\\, tôi đến muộn"))
    received = read_mail(sent)
    assert received == Received(
        Reply(
            uid="monday.visit@hoihuunghi.example",
            sequence=3,
            attendee="ito@tokyo.example",
            answer="accepted" if answer == "accepted" else "declined",
            dtstamp=AT,
            comment="Xin lỗi, tôi đến muộn",
        ),
        sender="ito@tokyo.example",
        subject=f"Trả lời: {partstat}",
    )
    assert message_id_of(sent) == "<one@client.example>"


OBJECT = calendar(*event(replace(ONE, comment="đến muộn")))

READABLE: dict[str, tuple[bytes, str]] = {
    "bare LF": (OBJECT.replace("\r\n", "\n").encode(), "đến muộn"),
    "bare CR": (OBJECT.replace("\r\n", "\r").encode(), "đến muộn"),
    "UTF-8 with a mark": (b"\xef\xbb\xbf" + OBJECT.encode(), "đến muộn"),
    "UTF-16 where UTF-8 was declared": (OBJECT.encode("utf-16"), "đến muộn"),
    "UTF-16 without a mark": (OBJECT.encode("utf-16-le"), "đến muộn"),
    "UTF-16, the other way round": (OBJECT.encode("utf-16-be"), "đến muộn"),
    "Windows-1252 where UTF-8 was declared": (
        OBJECT.replace("đến muộn", "à bientôt").replace("Itō", "Ito").encode("cp1252"),
        "à bientôt",
    ),
    "no DTSTAMP": (OBJECT.replace("DTSTAMP:20260311T020000Z\r\n", "").encode(), "đến muộn"),
    "no ORGANIZER": (OBJECT.replace("ORGANIZER:mailto:lich@hoihuunghi.example\r\n", "").encode(), "đến muộn"),
    "a line folded in the middle of a letter": (
        OBJECT.encode().replace("đến".encode(), b"\xc4\r\n \x91\xe1\xba\xbfn"),
        "đến muộn",
    ),
    "a zone that is nonsense": (
        OBJECT.replace(
            "BEGIN:VEVENT",
            "BEGIN:VTIMEZONE\r\nTZID:\r\nBEGIN:STANDARD\r\nRRULE:FREQ=SECONDLY\r\nTZOFFSETTO:x\r\nEND:STANDARD\r\n"
            "END:VTIMEZONE\r\nBEGIN:VEVENT",
        ).encode(),
        "đến muộn",
    ),
    "everybody named, the sender among them": (
        OBJECT.replace("ATTENDEE;", "ATTENDEE;PARTSTAT=DECLINED:mailto:other@tokyo.example\r\nATTENDEE;", 1).encode(),
        "đến muộn",
    ),
}


@pytest.mark.parametrize("name", READABLE)
def test_an_answer_is_read_though_it_is_not_as_it_should_be(name: str) -> None:
    """What was said can still be told without a guess."""
    octets, comment = READABLE[name]
    says = told(bare(ONE, octets))
    assert (says.answer, says.attendee, says.comment) == ("accepted", "ito@tokyo.example", comment)


def test_the_method_may_stand_in_the_object_alone_or_in_the_mail_alone() -> None:
    """Where both have one, they are the same (RFC 6047 section 2.4)."""
    without = calendar(*event(ONE), method=None).encode()
    assert told(bare(ONE, without)).answer == "accepted"
    assert told(bare(ONE, OBJECT.encode(), "text/calendar; charset=utf-8")).answer == "accepted"
    assert code(bare(ONE, without, "text/calendar")) == "method_missing"
    assert code(bare(ONE, OBJECT.encode(), "text/calendar; method=REQUEST")) == "methods_differ"


def test_the_other_methods_are_told_apart() -> None:
    """COUNTER with the time that is proposed, REFRESH, DECLINECOUNTER; what an organizer sends is no answer."""
    assert read_object(calendar(*event(replace(ONE, comment="later")), method="COUNTER").encode()) == Counter(
        uid=ONE.uid,
        sequence=0,
        attendee=ONE.attendee,
        starts="2026-04-06T02:00Z",
        ends="2026-04-06T03:00Z",
        comment="later",
    )
    windows = calendar(*event(ONE), method="COUNTER").replace(
        "DTSTART:20260406T020000Z", "DTSTART;TZID=SE Asia Standard Time:20260406T150000"
    )
    proposed = read_object(windows.encode())
    assert isinstance(proposed, Counter)
    assert proposed.starts == "2026-04-06T15:00 SE Asia Standard Time"
    assert read_object(calendar(*event(ONE), method="REFRESH").encode()) == Refresh(ONE.uid, ONE.attendee)
    assert read_object(calendar(*event(ONE), method="DECLINECOUNTER").encode()) == DeclineCounter(ONE.uid)
    for method in ("REQUEST", "CANCEL", "PUBLISH", "ADD"):
        assert read_object(calendar(*event(ONE), method=method).encode()) == Unreadable("not_an_answer")


def test_reports_of_delivery_and_notices_of_absence_are_nobody_s_answer() -> None:
    """Also where they carry what was sent to them; a calendar that answers for a person says who it is for."""
    invitation = bare(ONE, calendar(*event(ONE), method="REQUEST").encode(), "text/calendar; method=REQUEST")
    report = (
        ONE.head('multipart/report; report-type=delivery-status; boundary="r"')
        + b"--r\r\nContent-Type: text/plain\r\n\r\nno such user\r\n"
        + b"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nAction: failed\r\n\r\n"
        + b"--r\r\nContent-Type: message/rfc822\r\n\r\n"
        + invitation
        + b"\r\n--r--\r\n"
    )
    assert read_mail(report).says == DeliveryReport()
    receipt = ONE.head('multipart/report; report-type=disposition-notification; boundary="r"') + b"--r--\r\n"
    assert read_mail(receipt).says == AutomaticAnswer()
    away = ONE.head("text/plain", "Auto-Submitted: auto-replied") + b"I am away"
    assert read_mail(away).says == AutomaticAnswer()
    assert read_mail(ONE.head("text/plain", "X-Auto-Response-Suppress: All") + b"away").says == AutomaticAnswer()
    assert isinstance(read_mail(CLIENTS["google"](ONE)).says, Reply)


def test_an_answer_inside_a_forwarded_mail_is_nobody_s() -> None:
    """Who forwards it is not who gave it."""
    forwarded = (
        replace(ONE, attendee="other@tokyo.example").head('multipart/mixed; boundary="f"')
        + b"--f\r\nContent-Type: message/rfc822\r\n\r\n"
        + bare(ONE, OBJECT.encode())
        + b"\r\n--f--\r\n"
    )
    assert code(forwarded) == "no_calendar"
    assert code(ONE.head("text/plain") + b"I shall come") == "no_calendar"
    assert code(ONE.head('application/ms-tnef; name="winmail.dat"') + b"AAAA") == "winmail_dat"


UNREADABLE: dict[str, tuple[str, str]] = {
    "object_broken": (OBJECT.replace("END:VEVENT\r\n", ""), "the event does not end"),
    "too_many_lines": (OBJECT.replace("END:VEVENT", "RRULE:FREQ=SECONDLY\r\n" * 5_000 + "END:VEVENT"), "a flood"),
    "recurring": (OBJECT.replace("END:VEVENT", "RRULE:FREQ=SECONDLY;COUNT=9999999\r\nEND:VEVENT"), "one rule"),
    "object_too_large": (OBJECT.replace("END:VEVENT", f"X-A:{'a' * 300_000}\r\nEND:VEVENT"), "one long line"),
    "no_event": (calendar(), "no event"),
    "several_items": (calendar(*event(ONE), *event(replace(ONE, uid="another"))), "two items"),
    "uid_missing": (OBJECT.replace(f"UID:{ONE.uid}\r\n", ""), "no UID"),
    "attendee_missing": (OBJECT.replace("ATTENDEE;", "X-ATTENDEE;"), "nobody answers"),
    "attendees_several": (
        OBJECT.replace(
            "ATTENDEE;",
            "ATTENDEE;PARTSTAT=DECLINED:mailto:ito@tokyo.example\r\nATTENDEE;",
            1,
        ),
        "two answers of one",
    ),
    "partstat_missing": (OBJECT.replace("PARTSTAT=ACCEPTED", "PARTSTAT=NEEDS-ACTION"), "no answer"),
    "partstat_delegated": (OBJECT.replace("PARTSTAT=ACCEPTED", "PARTSTAT=DELEGATED"), "somebody else comes"),
    "sequence_malformed": (OBJECT.replace("SEQUENCE:0", "SEQUENCE:-1"), "a number below 0"),
    "object_not_text": ("BEGIN:VCARD\r\nEND:VCARD\r\n", "no calendar"),
}


@pytest.mark.parametrize("expected", UNREADABLE)
def test_what_cannot_be_told_without_a_guess_is_for_a_person(expected: str) -> None:
    """Each with its reason."""
    octets, _ = UNREADABLE[expected]
    assert code(bare(ONE, octets.encode())) == expected


def test_a_charset_that_nobody_can_tell_and_a_zone_that_never_ends_are_for_a_person() -> None:
    """A zone without its end swallows the event; what its lines mean is not guessed."""
    assert code(bare(ONE, calendar(*event(replace(ONE, name="Ito"))).encode("cp037"))) == "object_not_text"
    unending = OBJECT.replace("BEGIN:VEVENT", "BEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:VEVENT")
    assert code(bare(ONE, unending.encode())) == "object_broken"


def test_two_objects_that_differ_are_for_a_person() -> None:
    """The same one twice, or once damaged, is one."""
    parts = [
        b"--m\r\nContent-Type: text/calendar; method=REPLY\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(calendar(*event(replace(ONE, partstat=partstat))).encode())
        + b"\r\n"
        for partstat in ("ACCEPTED", "DECLINED")
    ]
    head = ONE.head('multipart/mixed; boundary="m"')
    assert code(head + b"".join(parts) + b"--m--\r\n") == "objects_differ"
    assert told(head + parts[0] + parts[0] + b"--m--\r\n").answer == "accepted"
    damaged = b"--m\r\nContent-Type: application/ics\r\n\r\nBEGIN:VCALENDAR\r\n"
    assert told(head + damaged + parts[1] + b"--m--\r\n").answer == "declined"


def test_the_sender_is_one_address_or_none() -> None:
    """Two in From, or two lines of it, are nobody's; a name that looks like an address is a name."""
    octets = bare(ONE, OBJECT.encode())
    line = octets.split(b"\r\n")[0]
    for written, sender in {
        b"From: a@x.example, b@x.example": "",
        b"From: a@x.example\r\nFrom: b@x.example": "",
        b'From: "president@gov.example" <Mallory@X.example>': "mallory@x.example",
        b"From: nobody": "",
    }.items():
        assert read_mail(octets.replace(line, written, 1)).sender == sender


def test_of_the_results_of_authentication_only_our_own_server_s_topmost_count() -> None:
    """What a stranger wrote into the mail below, or in another server's name, is not looked at."""

    def found(*lines: str, trusted: str = "mx.own.example") -> bool | None:
        mail = ONE.head("text/calendar; method=REPLY", *lines) + OBJECT.encode()
        return read_mail(mail, trusted=trusted).authentic

    own = "Authentication-Results: mx.own.example; dkim=pass; dmarc={} header.from=tokyo.example"
    assert found(own.format("pass")) is True
    assert found(own.format("fail")) is False
    assert found(own.format("none")) is None
    assert found(own.format("pass"), trusted="") is None
    assert found(own.format("fail"), own.format("pass")) is False
    forged = "Authentication-Results: mx.stranger.example; dmarc=pass"
    assert found(forged, own.format("pass")) is None


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"a" * 10_000_000, "mail_too_large"),
        (
            b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(900)),
            "mail_nested",
        ),
        (ONE.head('multipart/mixed; boundary="b"') + b"--b\r\n\r\n\r\n" * 50_000, "mail_too_many_parts"),
        (b"".join(b"X-%d: a\r\n" % n for n in range(60_000)), "mail_broken"),
        (ONE.head("text/calendar; method=REPLY") + b"BEGIN:VCALENDAR\r\n" * 3_000, "object_broken"),
        (ONE.head("text/calendar; method=REPLY") + b"ATTENDEE;" + b"A=" * 90_000 + b":x", "object_not_text"),
    ],
    ids=["10 MB", "nested", "parts", "headers", "components", "parameters"],
)
def test_a_weapon_costs_little_and_is_for_a_person(octets: bytes, expected: str) -> None:
    """Bounds are looked at before anything is parsed."""
    began = perf_counter()
    assert code(octets) == expected
    assert perf_counter() - began < 2


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2_000))
def test_no_octets_raise(octets: bytes) -> None:
    """As a mail, as an object, and as an object inside a mail."""
    read_mail(octets)
    read_object(octets)
    read_mail(bare(ONE, octets))


@settings(max_examples=400, deadline=None)
@given(
    client=st.sampled_from(list(CLIENTS.values())),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=8),
)
def test_no_mutation_of_an_answer_raises_and_none_becomes_somebody_else_s(
    client: Callable[[Answered], bytes], cuts: list[tuple[float, int, bytes]]
) -> None:
    """Octets cut out and others put in, anywhere."""
    octets = client(ONE)
    for where, length, put_in in cuts:
        start = int(where * len(octets))
        octets = octets[:start] + put_in + octets[start + length :]
    received = read_mail(octets)
    if isinstance(received.says, Reply):
        assert received.says.uid.isprintable()
        assert received.says.attendee == received.says.attendee.lower()
        assert received.says.comment.isprintable() or "\n" in received.says.comment or "\t" in received.says.comment
