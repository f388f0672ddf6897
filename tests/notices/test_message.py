"""Mails as octets: their structure, their sameness, and what cannot be smuggled into them."""

import email
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32
from email.utils import getaddresses, parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from calendars.imip import calendar_part, message_id
from calendars.views import view_hash
from domain.mailbox import Mailbox
from notices.message import Attachment, compose
from notices.render import Rendered, render
from tests.calendars.cases import CASES, SESSION, STAMP, TANAKA, UNION
from tests.notices.samples import SAMPLES

ICS = CASES["session-in-ho-chi-minh-city"]
LETTER = Attachment(name="Thư mời số 17.pdf", media_type="application/pdf", content=b"%PDF-1.7\n\xe2\xe3")
ID = message_id(
    uid=SESSION.uid,
    sequence=SESSION.sequence,
    method="REQUEST",
    mailbox=TANAKA.mailbox,
    view_hash=view_hash(SESSION),
    domain="songlam.example",
)


def composed(*, calendar: bytes | None = ICS, attachments: tuple[Attachment, ...] = ()) -> bytes:
    return compose(
        render("itinerary_request", "vi", SAMPLES["itinerary_request"]),
        sender=UNION,
        recipient=TANAKA.mailbox,
        message_id=ID,
        date=STAMP,
        calendar=None if calendar is None else calendar_part(calendar),
        attachments=attachments,
    )


def read(octets: bytes) -> EmailMessage:
    message = email.message_from_bytes(octets, policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert [part.defects for part in message.walk()] == [[] for _ in message.walk()]
    return message


def shape(message: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in message.walk()]


def test_plain_then_html_then_calendar() -> None:
    """The last alternative is the one a calendar client takes (RFC 2046 section 5.1.4)."""
    message = read(composed())
    assert shape(message) == ["multipart/alternative", "text/plain", "text/html", "text/calendar"]
    part = list(message.walk())[-1]
    assert part.get_param("method") == "REQUEST"
    assert part.get_param("charset") == "utf-8"
    assert part["Content-Transfer-Encoding"] == "base64"
    assert part.get_payload(decode=True) == ICS


def test_attachments_stand_beside_the_text() -> None:
    """A PDF is not an alternative to the words."""
    message = read(composed(attachments=(LETTER,)))
    assert shape(message) == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/pdf",
    ]
    [attached] = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == (LETTER.name, LETTER.content)


def test_a_notice_without_calendar_is_plain_and_html() -> None:
    """Reminders and letters take the same way."""
    assert shape(read(composed(calendar=None))) == ["multipart/alternative", "text/plain", "text/html"]


def test_the_headers() -> None:
    """From is the organizer's mailbox, To the one recipient, the date is the frozen one."""
    message = read(composed())
    assert (message["From"].addresses[0].addr_spec, message["To"].addresses[0].addr_spec) == (
        UNION.address,
        TANAKA.mailbox.address,
    )
    assert message["Date"] == "Wed, 25 Mar 2026 09:00:00 +0000"
    assert message["Message-ID"] == ID
    assert message["Content-Language"] == "vi"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["MIME-Version"] == "1.0"


@pytest.mark.parametrize("attachments", [(), (LETTER, LETTER)])
def test_composed_again_it_is_the_same_octets(attachments: tuple[Attachment, ...]) -> None:
    """Boundaries are derived, not drawn."""
    assert composed(attachments=attachments) == composed(attachments=attachments)


def test_the_octets_pass_any_relay() -> None:
    """ASCII only, CRLF only, no line over 998 octets (RFC 5322 section 2.1.1)."""
    octets = composed(attachments=(LETTER,))
    assert octets.isascii()
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    assert max(map(len, octets.split(b"\r\n"))) <= 998


def test_the_message_id_is_derived_from_the_key() -> None:
    """Same version, same mailbox: same id, in any case of its letters. Any other part of the key: another id."""
    key: dict[str, Any] = {
        "uid": SESSION.uid,
        "sequence": 1,
        "method": "REQUEST",
        "mailbox": TANAKA.mailbox,
        "view_hash": view_hash(SESSION),
        "domain": "songlam.example",
    }
    others: list[dict[str, Any]] = [
        {"uid": "other"},
        {"sequence": 2},
        {"method": "CANCEL"},
        {"mailbox": UNION},
        {"view_hash": "0" * 64},
        {"recurrence_id": "20260411T073000Z"},
    ]
    assert message_id(**(key | {"mailbox": Mailbox(address="TANAKA@guests.example")})) == ID
    assert len({message_id(**(key | other)) for other in others} | {ID}) == 7
    assert ID == "<c0e3148f2a5430d2ac6e9e607eda80258a4a5ac0717ce32fe85264b9be09f367@songlam.example>"


@pytest.mark.parametrize("domain", ["", "SongLam.example", "songlam.example\r\nBcc: x", "songlam.example>"])
def test_a_message_id_has_a_plain_domain(domain: str) -> None:
    """The domain comes from settings, and a broken setting must not break a header."""
    with pytest.raises(ValueError, match="domain:"):
        message_id(uid="u", sequence=0, method="REQUEST", mailbox=UNION, view_hash="0" * 64, domain=domain)


@pytest.mark.parametrize("ics", [b"", ICS.replace(b"METHOD:REQUEST\r\n", b""), ICS.replace(b"\r\n", b"\n")])
def test_a_calendar_part_has_method_and_crlf(ics: bytes) -> None:
    """An object that lost its line ends or its method would be shown as text, or not at all."""
    with pytest.raises(ValueError, match="has no METHOD or lost its CRLF"):
        calendar_part(ics)


def test_a_subject_with_a_line_break_is_refused() -> None:
    """`render` never makes one; nobody else may either."""
    rendered = Rendered(language="en", subject="Hello\r\nBcc: other@guests.example", plain="", html="")
    with pytest.raises(ValueError, match="Subject: a header has no line break"):
        compose(rendered, sender=UNION, recipient=UNION, message_id=ID, date=STAMP)


@pytest.mark.parametrize("given_id", ["", "<a@b>\r\nBcc: x", "a@b", "<a b@c>", "<a@B>"])
def test_a_malformed_message_id_is_refused(given_id: str) -> None:
    """A header has one line."""
    rendered = Rendered(language="en", subject="Hello", plain="", html="")
    with pytest.raises(ValueError, match="message_id: not of the form"):
        compose(rendered, sender=UNION, recipient=UNION, message_id=given_id, date=STAMP)


def test_a_date_without_zone_is_refused() -> None:
    """The date is business time, an instant."""
    rendered = Rendered(language="en", subject="Hello", plain="", html="")
    with pytest.raises(ValueError, match="date: an instant needs a zone"):
        compose(rendered, sender=UNION, recipient=UNION, message_id=ID, date=datetime(2026, 3, 25))


@pytest.mark.parametrize(
    "bad", [{"name": "../x.pdf"}, {"name": "a\\b.pdf"}, {"name": ""}, {"media_type": "text/html; charset=x\r\nA: b"}]
)
def test_an_attachment_has_a_name_without_path(bad: dict[str, str]) -> None:
    """What stands in a header of the part is checked before it gets there."""
    with pytest.raises(ValidationError):
        Attachment.model_validate({"name": "a.pdf", "media_type": "application/pdf", "content": b""} | bad)


@given(name=st.text(max_size=120), subject=st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_name_and_subject_are_read_back_and_add_no_header(name: str, subject: str) -> None:
    """Two readers (the old and the new parser of the standard library) find one recipient and the same words."""
    try:
        recipient = Mailbox(address="guest@guests.example", name=name)
    except ValidationError:
        return
    rendered = render("deadline_missed", "en", SAMPLES["deadline_missed"].model_dump() | {"what": f"x{subject}"})
    octets = compose(rendered, sender=UNION, recipient=recipient, message_id=ID, date=datetime(2026, 3, 25, tzinfo=UTC))
    old = email.message_from_bytes(octets, policy=compat32)
    assert [key for key, _ in old.items()] == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Language",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]
    assert str(make_header(decode_header(old["Subject"]))) == rendered.subject
    assert getaddresses([old["To"]]) == [(parseaddr(old["To"])[0], "guest@guests.example")]
    shown = str(make_header(decode_header(parseaddr(old["To"])[0])))
    assert shown == recipient.header_name
    new = email.message_from_bytes(octets, policy=SMTP)
    assert new["Subject"] == rendered.subject
    assert [one.addr_spec for one in new["To"].addresses] == ["guest@guests.example"]
    assert all(len(line) <= 78 for line in octets.split(b"\r\n\r\n")[0].split(b"\r\n") if b"Message-ID" not in line)


def test_a_long_name_of_a_file_is_read_back() -> None:
    """Names beyond ASCII are split into pieces (RFC 2231) and joined again."""
    name = "Thư mời " + "tham dự Ngày hội " * 6 + ".pdf"
    [attached] = read(composed(attachments=(LETTER.model_copy(update={"name": name}),))).iter_attachments()
    assert attached.get_filename() == name
