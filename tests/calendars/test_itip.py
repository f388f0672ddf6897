"""iTIP messages: their exact bytes, and what readers that share no code with icalendar, the writer, make of them."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
import vobject
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from calendars.itip import Attendee, cancel, request
from calendars.views import ItemView, view_hash
from domain.mailbox import Mailbox
from domain.values import resolve
from tests.calendars.cases import CASES, FLIGHT, GOLDEN, MUELLER, SESSION, STAMP, STAY, TANAKA, THANH, UNION

INSTANTS = {
    "session-in-ho-chi-minh-city": ("2026-04-11T07:30Z", "2026-04-11T10:00Z"),
    "video-meeting-in-berlin-summer-time": ("2026-03-30T08:00Z", "2026-03-30T09:00Z"),
    "flight-over-two-zones": ("2026-06-19T11:50Z", "2026-06-19T23:20Z"),
    "repeated-hour-in-berlin": ("2026-10-25T01:15Z", "2026-10-25T01:45Z"),
    "shared-mailbox": ("2026-04-11T07:30Z", "2026-04-11T10:00Z"),
    "cancelled-session": ("2026-04-11T07:30Z", "2026-04-11T10:00Z"),
}


def unfolded(ics: bytes) -> list[str]:
    return ics.replace(b"\r\n ", b"").decode().split("\r\n")


def only_event(ics: bytes) -> Any:
    """Return the one event of an object, as vobject reads it."""
    [event] = vobject.readOne(ics.decode()).contents["vevent"]
    return event


def params(person: Any) -> dict[str, str]:
    """Return the parameters of an ATTENDEE or ORGANIZER, each of which has one value."""
    return {name: value for name, [value] in person.params.items()}


def by_name_of_zone(content_line: str) -> str:
    """Return the instant of a content line as Python's own zone rules say, without a look at the VTIMEZONE."""
    name, value = content_line.split(":")
    zone = name.partition(";TZID=")[2]
    assert value.endswith("Z") is not bool(zone)
    wall = datetime.fromisoformat(value.removesuffix("Z")).replace(tzinfo=ZoneInfo(zone or "UTC"))
    return wall.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


@pytest.mark.parametrize("name", CASES)
def test_the_bytes_are_those_of_the_golden_file(name: str) -> None:
    """A message is the same bytes every time; a change of form is a change of a golden file."""
    assert CASES[name] == (GOLDEN / f"{name}.ics").read_bytes()


@pytest.mark.parametrize("name", INSTANTS)
def test_vobject_reads_the_exact_instants(name: str) -> None:
    """vobject trusts the VTIMEZONE beside the item."""
    event = only_event(CASES[name])
    read = tuple(moment.value.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") for moment in (event.dtstart, event.dtend))
    assert read == INSTANTS[name]


@pytest.mark.parametrize("name", INSTANTS)
def test_the_name_of_the_zone_gives_the_exact_instants(name: str) -> None:
    """Readers that know the zone by its name look no further."""
    content = unfolded(CASES[name])
    event = content[content.index("BEGIN:VEVENT") :]
    read = tuple(by_name_of_zone(line) for line in event if line.startswith(("DTSTART", "DTEND")))
    assert read == INSTANTS[name]


@pytest.mark.parametrize("name", INSTANTS)
def test_recurring_ical_events_reads_the_exact_instants(name: str) -> None:
    """It stands on icalendar like the writer: what a program built on that library shows, no independent proof."""
    calendar = icalendar.Calendar.from_ical(CASES[name])
    [event] = recurring_ical_events.of(calendar).between((2026, 1, 1), (2027, 1, 1))
    read = tuple(event[key].dt.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") for key in ("DTSTART", "DTEND"))
    assert read == INSTANTS[name]


def test_a_stay_counts_nights() -> None:
    """From the 6th to the 8th there are two nights: whole days with an exclusive end, and the guest is not busy."""
    event = only_event(CASES["hotel-stay"])
    assert (event.dtstart.value, event.dtend.value) == (date(2026, 4, 6), date(2026, 4, 8))
    assert params(event.dtstart) == params(event.dtend) == {"VALUE": "DATE"}
    assert event.transp.value == "TRANSPARENT"
    assert event.rruleset is None


def test_a_flight_has_two_zones_in_order() -> None:
    """Departure on Prague's clock, arrival on Viet Nam's, each zone defined once before the event."""
    content = unfolded(CASES["flight-over-two-zones"])
    assert [line for line in content if line.startswith("TZID")] == ["TZID:Europe/Prague", "TZID:Asia/Ho_Chi_Minh"]
    assert "DTSTART;TZID=Europe/Prague:20260619T135000" in content
    assert "DTEND;TZID=Asia/Ho_Chi_Minh:20260620T062000" in content
    assert content.index("END:VTIMEZONE") < content.index("BEGIN:VEVENT")


def test_the_repeated_hour_goes_out_in_utc() -> None:
    """No zone is named, so none is defined."""
    content = unfolded(CASES["repeated-hour-in-berlin"])
    assert "DTSTART:20261025T011500Z" in content
    assert "BEGIN:VTIMEZONE" not in content


def test_a_request_asks_its_recipient_alone() -> None:
    """The organizer is the one mailbox, the attendee the recipient: nobody else's name is in it."""
    event = only_event(CASES["session-in-ho-chi-minh-city"])
    [attendee] = event.contents["attendee"]
    assert event.organizer.value == "mailto:doanvao@songlam.example"
    assert params(event.organizer) == {"CN": UNION.name}
    assert attendee.value == "mailto:tanaka@guests.example"
    assert params(attendee) == {
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "NEEDS-ACTION",
        "RSVP": "TRUE",
        "CN": "Tanaka Yūko",
        "LANGUAGE": "en",
    }
    assert (event.sequence.value, event.status.value, event.dtstamp.value) == ("1", "CONFIRMED", STAMP)


def test_an_answer_that_stands_is_kept_and_not_asked_again() -> None:
    """Only a change of time or place asks again (RFC 5546 section 2.1.4)."""
    accepted = TANAKA.model_copy(update={"answer": "ACCEPTED"})
    told = params(only_event(request(SESSION, UNION, (accepted,), STAMP)).attendee)
    assert (told["PARTSTAT"], told["RSVP"]) == ("ACCEPTED", "FALSE")


def test_a_mailbox_shared_by_two_gets_one_message_with_both() -> None:
    """Two messages with one UID would overwrite each other."""
    attendees = only_event(CASES["shared-mailbox"]).contents["attendee"]
    assert [one.value for one in attendees] == ["mailto:doan@hue.example", "mailto:doan@hue.example"]
    assert [params(one)["CN"] for one in attendees] == ["Nguyễn Thị Thanh", "Trần Văn Bình"]


def test_a_message_never_goes_to_two_mailboxes() -> None:
    """Attendees do not see one another."""
    for attendees in ((TANAKA, MUELLER), ()):
        with pytest.raises(ValueError, match="attendees: a message goes to the people of exactly one mailbox"):
            request(SESSION, UNION, attendees, STAMP)


def test_a_cancellation_names_the_same_item() -> None:
    """Same UID, raised SEQUENCE, METHOD:CANCEL and STATUS:CANCELLED, and no question in it."""
    ics = CASES["cancelled-session"]
    event = only_event(ics)
    assert vobject.readOne(ics.decode()).method.value == "CANCEL"
    assert (event.uid.value, event.sequence.value, event.status.value) == (SESSION.uid, "2", "CANCELLED")
    assert params(event.attendee) == {"CN": "Tanaka Yūko"}


def test_a_cancelled_item_is_not_requested() -> None:
    """A REQUEST with STATUS:CANCELLED means different things to different readers."""
    with pytest.raises(ValueError, match="not requested"):
        request(SESSION.model_copy(update={"status": "cancelled"}), UNION, (TANAKA,), STAMP)


def test_dtstamp_needs_a_zone() -> None:
    """A frozen stamp is an instant."""
    with pytest.raises(ValueError, match="an instant needs a zone"):
        request(SESSION, UNION, (TANAKA,), datetime(2026, 3, 25, 9, 0))


def test_no_double_quote_in_a_name() -> None:
    """A quoted name with a quote in it would end early; a comma stays, quoted."""
    assert any("CN=\"Müller, Anna 'Anni'\"" in line for line in unfolded(CASES["video-meeting-in-berlin-summer-time"]))


@pytest.mark.parametrize("name", CASES)
def test_every_line_is_short_and_ends_with_crlf(name: str) -> None:
    """At most 75 octets, every line valid UTF-8 by itself (RFC 5545 section 3.1)."""
    assert CASES[name].endswith(b"END:VCALENDAR\r\n")
    for line in CASES[name].split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        line.decode("utf-8")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('Anna "Anni", Müller', "Anna 'Anni', Müller"),
        ("a^'b^nc", "a'bnc"),
        ("Đoàn; Huế: x", "Đoàn; Huế: x"),
        ("Anna ^\\ x\\", "Anna x"),
        ("a\r\nATTENDEE:mailto:other@example.org\u202e\x00", "a ATTENDEE:mailto:other@example.org"),
    ],
)
def test_a_name_cannot_leave_its_parameter(name: str, shown: str) -> None:
    """Not even a name that no model has cleaned: it is one line, without quote, escape or direction mark."""
    guest = Attendee.model_construct(
        mailbox=Mailbox.model_construct(address="guest@guests.example", name=name), language="vi", answer="ACCEPTED"
    )
    [attendee] = only_event(request(SESSION, UNION, (guest,), STAMP)).contents["attendee"]
    assert (params(attendee)["CN"], attendee.value) == (shown, "mailto:guest@guests.example")


def test_a_name_without_a_printable_sign_is_left_out() -> None:
    """An empty CN would be shown in place of the address."""
    guest = Attendee(mailbox=Mailbox(address="guest@guests.example", name="^\\"), language="vi")
    assert "CN" not in params(only_event(request(SESSION, UNION, (guest,), STAMP)).attendee)


def test_a_written_backslash_n_is_no_line_break() -> None:
    r"""`Z:\Nghi thức` is a folder: a capital or small n after a backslash that somebody wrote ends no line."""
    folder = r"Z:\Nghi thức\nháp \\N \\\n"
    view = ItemView.model_validate({**SESSION.model_dump(), "summary": folder, "description": folder + "\n" + folder})
    event = only_event(request(view, UNION, (TANAKA,), STAMP))
    assert (event.summary.value, event.description.value) == (view.summary, view.description)


TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\\Nn;,:\"^'\r\n "), max_size=200)


@given(summary=TEXT.filter(lambda text: text.strip()), description=TEXT, location=TEXT, name=TEXT)
def test_any_text_is_read_back_as_it_was_cleaned(summary: str, description: str, location: str, name: str) -> None:
    """Whatever people write, the reader finds one event, the cleaned text, and no other property."""
    try:
        view = SESSION.model_copy(update={"description": "", "location": ""})
        view = ItemView.model_validate(
            {**view.model_dump(), "summary": summary, "description": description, "location": location}
        )
        guest = Attendee(mailbox=Mailbox(address="guest@guests.example", name=name), language="vi")
    except ValidationError:
        return
    ics = request(view, UNION, (guest,), STAMP)
    event = only_event(ics)
    written = {"summary": view.summary, "description": view.description, "location": view.location}
    assert {key: event.getChildValue(key, "") for key in written} == written
    [attendee] = event.contents["attendee"]
    assert attendee.value == "mailto:guest@guests.example"
    always = "uid dtstamp sequence status dtstart dtend transp summary organizer attendee"
    assert set(event.contents) - {"description", "location"} == set(always.split())
    assert ics == request(view, UNION, (guest,), STAMP)
    for line in ics.split(b"\r\n"):
        assert len(line) <= 75
        line.decode("utf-8")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("summary", "\u202e\x00 \r\n", "too_short"),
        ("summary", "x" * 501, "string_too_long"),
        ("uid", "has blank", "string_pattern_mismatch"),
        ("uid", "x\r\nATTENDEE:mailto:other@example.org", "string_pattern_mismatch"),
        ("ends", SESSION.starts, "item_ends_before_start"),
        ("sequence", -1, "greater_than_equal"),
        ("attendees", (), "extra_forbidden"),
    ],
)
def test_a_view_that_cannot_be_written_is_refused(field: str, value: object, code: str) -> None:
    """The refusal names what is wrong by a stable code."""
    with pytest.raises(ValidationError) as refusal:
        ItemView.model_validate({**SESSION.model_dump(), field: value})
    assert [error["type"] for error in refusal.value.errors()] == [code]


def test_a_stay_has_a_night() -> None:
    """A stay that ends on its first date is no stay."""
    with pytest.raises(ValidationError, match="a stay ends on a later date"):
        ItemView.model_validate({**STAY.model_dump(), "ends": resolve("2026-04-06T23:00", "Asia/Ho_Chi_Minh")})


def test_direction_marks_and_controls_are_dropped() -> None:
    """What was once accepted must be printable: marks that hurt a reader go, the text stays."""
    view = ItemView.model_validate(
        {**SESSION.model_dump(), "summary": "Gặp\u202e gỡ\r\nBEGIN:VALARM\x00", "description": "a\r\nb\x07\tc\u2067"}
    )
    assert (view.summary, view.description) == ("Gặp gỡ BEGIN:VALARM", "a\nb c")


def test_texts_are_in_nfc() -> None:
    """Vietnamese typed as base letters and marks is the same text as the composed one."""
    view = ItemView.model_validate({**SESSION.model_dump(), "summary": "Hội nghị"})
    assert view.summary == "Hội nghị"


def test_the_view_hash_is_about_what_is_seen() -> None:
    """The counter of the item is no part of the view; time, zone and place are."""
    unchanged = SESSION.model_copy(update={"sequence": 7})
    moved = SESSION.model_copy(update={"location": "Huế"})
    assert view_hash(unchanged) == view_hash(SESSION)
    assert len({view_hash(SESSION), view_hash(moved), view_hash(FLIGHT)}) == 3
    assert view_hash(SESSION) == "1b2bd54bbad1ea2a4c4c857c975a88767761fd408d20309197a8e1e36000d8ad"


def test_a_cancel_repeats_what_was_seen() -> None:
    """The recipient recognises what is cancelled by its title, time and place."""
    content = unfolded(cancel(SESSION, UNION, (THANH,), STAMP))
    assert "DTSTART;TZID=Asia/Ho_Chi_Minh:20260411T143000" in content
    assert "LOCATION:86 Lê Thánh Tôn\\, Quận 1\\, TP. Hồ Chí Minh" in content
