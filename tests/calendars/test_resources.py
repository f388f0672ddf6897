"""Resources of a collection: what is written, what is read back, and what nobody can make us trip over."""

from contextlib import suppress
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars.dav import NotMultistatus, by_uid, conflict_of, multiget, name_in, read_multistatus
from calendars.resources import resource, resource_name, said, same
from calendars.views import ItemView
from tests.calendars.cases import FLIGHT, REPEATED, SESSION, STAY, VIDEO
from tests.calendars.misbehaving import LAUGHS

STAMP = datetime(2026, 3, 25, 9, 0, tzinfo=UTC)
ITEMS = (SESSION, VIDEO, FLIGHT, STAY, REPEATED)


@pytest.mark.parametrize("view", ITEMS, ids=lambda view: view.uid)
def test_a_resource_names_nobody_and_asks_for_nothing(view: ItemView) -> None:
    """No METHOD, no ORGANIZER, no ATTENDEE: a server has nothing to schedule; and it says what the view says."""
    body = resource(view, STAMP)
    assert not [word for word in (b"METHOD", b"ORGANIZER", b"ATTENDEE", b"SCHEDULE") if word in body]
    assert body.count(b"BEGIN:VEVENT") == 1
    assert resource(view, STAMP) == body
    read = said(body)
    assert read is not None
    assert (read.uid, read.texts[0], read.texts[1], read.texts[2], read.ours) == (
        view.uid,
        view.summary,
        view.location,
        view.description,
        True,
    )
    days = (view.first_day.isoformat(), view.last_day.isoformat())
    instants = (view.starts.instant.isoformat(), view.ends.instant.isoformat())
    assert read.span == (days if view.all_day_stay else instants)


def test_a_cancelled_item_is_no_resource() -> None:
    """It is taken out instead."""
    with pytest.raises(ValueError, match="cancelled"):
        resource(SESSION.model_copy(update={"status": "cancelled"}), STAMP)


def test_the_name_of_a_resource_says_nothing_and_is_the_same_for_ever() -> None:
    """A UID names the file; an address is written into logs of others."""
    assert resource_name(SESSION.uid) == resource_name(SESSION.uid)
    assert resource_name(SESSION.uid) != resource_name(VIDEO.uid)
    assert "session" not in resource_name(SESSION.uid)


def changed(old: str, new: str, view: ItemView = SESSION) -> bytes:
    """The resource with a text replaced, as a server might hold it."""
    body = resource(view, STAMP).decode()
    assert old in body
    return body.replace(old, new).encode()


def test_what_a_server_or_its_owner_adds_makes_no_difference() -> None:
    """Another order, another zone for the same time, an alarm, a time of writing: the item says the same."""
    body = resource(SESSION, STAMP)
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT"
    for other in (
        changed("END:VEVENT", alarm),
        changed("STATUS:CONFIRMED\r\n", ""),
        changed("DTSTART;TZID=Asia/Ho_Chi_Minh:20260411T143000", "DTSTART:20260411T073000Z"),
        changed("DTSTAMP:20260325T090000Z", "DTSTAMP:20260401T000000Z\r\nCATEGORIES:Work"),
        changed("\r\n", "\n"),
    ):
        assert same(other, body)


def test_what_changes_the_item_makes_a_difference() -> None:
    """Time, place, title, and anything that makes of one item several."""
    body = resource(SESSION, STAMP)
    for other in (
        changed("T143000", "T153000"),
        changed("STATUS:CONFIRMED", "STATUS:CANCELLED"),
        changed("TRANSP:OPAQUE", "TRANSP:TRANSPARENT"),
        changed("END:VEVENT", "RRULE:FREQ=DAILY\r\nEND:VEVENT"),
        changed("DTSTART;TZID=Asia/Ho_Chi_Minh:20260411T143000", "DTSTART:20260411T143000"),
        b"",
        b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
    ):
        assert not same(other, body)


def test_an_invitation_that_came_by_mail_is_not_taken_for_ours() -> None:
    """Programs keep PRODID when they import one; it names its organiser."""
    read = said(changed("END:VEVENT", "ORGANIZER:mailto:doanvao@songlam.example\r\nEND:VEVENT"))
    assert read is not None
    assert not read.ours


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fail(body: bytes) -> None:
    """A stranger's resource is read, or it is not; nothing is raised."""
    said(body)
    said(resource(SESSION, STAMP).replace(b"SUMMARY", body + b"\r\nSUMMARY"))


@given(st.binary(max_size=300))
def test_no_bytes_make_a_multistatus_fail_otherwise_than_it_says(body: bytes) -> None:
    """One error, whatever came."""
    for sent in (body, b'<D:multistatus xmlns:D="DAV:">' + body + b"</D:multistatus>"):
        with suppress(NotMultistatus):
            read_multistatus(sent)
        conflict_of(sent)


def test_a_document_type_is_refused_whatever_it_holds() -> None:
    """Entities, within and from outside."""
    entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    external = entity + b'<D:multistatus xmlns:D="DAV:">&e;</D:multistatus>'
    for body in (LAUGHS, external, b'<!DOCTYPE x><D:multistatus xmlns:D="DAV:"/>'):
        with pytest.raises(NotMultistatus):
            read_multistatus(body)


NAMES = [
    ("/haruka/visit/a.ics", "a.ics"),
    ("https://calendar.example/haruka/visit/a.ics", "a.ics"),
    ("/haruka%2Fvisit/a.ics", None),
    ("/haruka/vis%69t/b%20c.ics", "b%20c.ics"),
    ("a.ics", "a.ics"),
    ("/haruka/visit/", None),
    ("/haruka/visit/../other/a.ics", None),
    ("/haruka/other/a.ics", None),
    ("https://elsewhere.example/haruka/visit/a.ics", None),
    ("//elsewhere.example/haruka/visit/a.ics", None),
]


@pytest.mark.parametrize(("href", "name"), NAMES)
def test_only_what_is_in_the_collection_is_taken_for_a_part_of_it(href: str, name: str | None) -> None:
    """As the server wrote it: an address is not written anew."""
    assert name_in("https://calendar.example/haruka/visit/", href) == name


def test_what_stands_in_an_address_is_escaped_in_a_question() -> None:
    """A UID of a stranger's making ends no element."""
    sharp = '</D:href><x a="&'
    assert escape(sharp).encode() in multiget([sharp])
    assert escape(sharp).encode() in by_uid(sharp)
