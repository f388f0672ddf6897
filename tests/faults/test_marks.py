"""Marks that end a header, hide a name or turn a sentence around (faults.md, row 16).

Refused with a reason where they enter; dropped where old text is printed; escaped where they only look like something.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from typing import Any

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.examples import EXAMPLES as SHOWN
from api.examples import command
from calendars.imip import calendar_part, message_id
from calendars.itip import Attendee, cancel, request
from calendars.views import ItemView, view_hash
from domain.commands import COMMAND
from domain.mailbox import Mailbox
from domain.text import one_line
from domain.values import BIDIRECTIONAL_CONTROLS, resolve
from notices.contents import ItemFacts, ItineraryRequest
from notices.message import compose
from notices.render import render
from storage.accounts import AccountDetails
from storage.persons import PersonDetails
from tests.domain.every_command import EXAMPLES
from tests.faults.page import Note
from tests.running import Running

BREAKS = {"CR LF": "\r\n", "CR": "\r", "LF": "\n", "NEL": "\x85", "line separator": "\u2028", "vertical tab": "\v"}
MARKS = {**BREAKS, "NUL": "\x00", "escape": "\x1b"} | {
    f"U+{ord(one):04X}": one for one in sorted(BIDIRECTIONAL_CONTROLS)
}

LOOKALIKES = [
    "=?utf-8?q?Bcc:_x=40y.example?=",
    r"Z:\Nghi thức\nBCC\;x\,y",
    'a"b;c:d,e<f>@g',
    "END:VEVENT BEGIN:VALARM",
    "Subject: Bcc: x@y.example",
    "ⓓấu tổ hợp e\u0302\u0301 và 👨\u200d👩\u200d👧",
    "Đ" * 300,
    "dấu " * 74,
    ".",
    "--=_x",
]
"""Text that passes the edge, and must come out as the text it is."""

HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Content-Language",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
}
STARTS = resolve("2026-04-06T09:00", "Asia/Ho_Chi_Minh")
ENDS = resolve("2026-04-06T10:00", "Asia/Ho_Chi_Minh")
UNION = Mailbox(address="lich@songlam.example", name="Liên hiệp")
STAMP = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def strings(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value where a string stands."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from strings(each, (*path, key))


def put(value: Any, path: tuple[Any, ...], mark: str) -> Any:
    """The same value with a mark in the middle of one of its strings."""
    if not path:
        return value[: len(value) // 2] + mark + value[len(value) // 2 :]
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = put(value[path[0]], path[1:], mark)
    return copied


def takes(body: Any) -> bool:
    """Whether a command is well formed."""
    try:
        COMMAND.validate_python(body)
    except ValidationError:
        return False
    return True


BODIES = [one.model_dump(mode="json", exclude_none=True) for one in EXAMPLES] + [command(kind) for kind in SHOWN]
PLACES = {
    f"{body['type']}.{'.'.join('*' if isinstance(part, int) else part for part in path)}": (body, path)
    for body in BODIES
    for path in strings(body)
    # Base64url and base64: decoded as a whole, and no text that anybody reads.
    if "signature" not in path
}


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_no_mark_enters_by_any_field_of_any_command(place: str) -> None:
    """Every string of every command, by itself and in any place: a field that joins tomorrow is tried tomorrow."""
    body, path = PLACES[place]
    assert [name for name, mark in MARKS.items() if takes(put(body, path, mark))] == []


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_no_mark_enters_by_a_name_or_an_address(mark: str, note: Note) -> None:
    """Neither of somebody on a file nor of an account."""
    note(row="16", fault=f"{mark!a} in names and addresses, and in every field of every command")
    person = {"full_name": "Sato Haruka", "given_name": "Haruka", "email": "h@tokyo.example"}
    rest = {"language": "en", "nationality": "JP"}
    for field in person:
        with pytest.raises(ValidationError):
            PersonDetails.model_validate(put(person, (field,), mark) | rest)
    account = {"id": "lan", "name": "Trần Lan", "email": "lan@songlam.example", "roles": ("coordinator",)}
    for field in ("id", "name", "email"):
        with pytest.raises(ValidationError):
            AccountDetails.model_validate(put(account, (field,), mark))


def examined(octets: bytes) -> EmailMessage:
    """A mail as a reader takes it apart, after looking at what goes over the wire."""
    assert octets.isascii()
    assert b"\x00" not in octets
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    assert max(len(line) for line in octets.split(b"\r\n")) <= 998
    message = message_from_bytes(octets, policy=default)
    assert isinstance(message, EmailMessage)
    # No more than were written, each once: nothing in a text began a header of its own.
    assert sorted(message.keys()) == sorted(HEADERS)
    assert len(message["To"].addresses) == len(message["From"].addresses) == 1
    assert re.fullmatch(r"<[0-9a-f]{64}@[a-z0-9.-]+>", message["Message-ID"])
    return message


def ics_of(message: EmailMessage) -> bytes:
    """The calendar object of a mail."""
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets


def read(ics: bytes) -> tuple[str, str]:
    """SUMMARY and LOCATION as two readers have them, who agree; one VEVENT, and nothing in it that we did not write."""
    assert b"\x00" not in ics
    assert ics.count(b"\n") == ics.count(b"\r\n") == ics.count(b"\r")
    assert all(len(line) <= 75 for line in ics.split(b"\r\n"))
    (event,) = icalendar.Calendar.from_ical(ics).walk("VEVENT")
    theirs = vobject.readOne(ics.decode()).vevent
    found = str(event["SUMMARY"]), str(event.get("LOCATION", ""))
    assert found == (theirs.summary.value, theirs.location.value if hasattr(theirs, "location") else "")
    assert event.subcomponents == []
    assert len([event["ATTENDEE"]]) == 1
    return found


def composed(title: str, place: str, name: str, method: str = "REQUEST") -> bytes:
    """The mail about one item to somebody."""
    guest = Mailbox(address="sato@tokyo.example", name=name)
    view = ItemView(uid="s1.visit@songlam.example", summary=title, location=place, starts=STARTS, ends=ENDS)
    make = request if method == "REQUEST" else cancel
    facts = ItineraryRequest.model_validate(
        {
            "recipient": name,
            "organisation": title,
            "delegation": title,
            "contact": "",
            "item": ItemFacts(title=title, starts=STARTS, ends=ENDS, place=place),
            "asks_answer": True,
        }
    )
    return compose(
        render("itinerary_request", "vi", facts),
        sender=UNION,
        recipient=guest,
        message_id=message_id(
            uid=view.uid,
            sequence=0,
            method=method,
            mailbox=guest,
            view_hash=view_hash(view),
            domain="songlam.example",
        ),
        date=STAMP,
        calendar=calendar_part(make(view, UNION, (Attendee(mailbox=guest, language="vi"),), STAMP)),
    )


MARKED = "".join(dict.fromkeys("".join(MARKS.values()) + '=?;:,"\\<>@'))
ANY_CHARACTER = st.one_of(st.characters(codec="utf-8"), st.sampled_from(MARKED))
ANY_TEXT = st.text(ANY_CHARACTER, min_size=1, max_size=100).filter(lambda text: one_line(text) != "")


@given(title=ANY_TEXT, place=ANY_TEXT, name=ANY_TEXT, method=st.sampled_from(["REQUEST", "CANCEL"]))
def test_whatever_stands_in_old_text_ends_no_line(title: str, place: str, name: str, method: str) -> None:
    """Text that entered before it was refused, or past the edge: marks are dropped, the rest is read as it was."""
    message = examined(composed(title, place, name, method))
    assert read(ics_of(message)) == (one_line(title), one_line(place))
    shown = str(make_header(decode_header(str(message["Subject"]))))
    assert not set(shown) & {*MARKS.values()}


def test_a_message_id_takes_nothing_from_a_text() -> None:
    """It is a hash; a domain with a mark in it is refused."""
    for mark in MARKS.values():
        guest = Mailbox(address="sato@tokyo.example")
        parts = {"sequence": 0, "method": "REQUEST", "mailbox": guest, "view_hash": "0" * 64}
        made = message_id(uid=f"s1{mark}x", domain="songlam.example", **parts)  # type: ignore[arg-type]
        assert re.fullmatch(r"<[0-9a-f]{64}@songlam\.example>", made)
        with pytest.raises(ValueError, match="domain"):
            message_id(uid="s1", domain=f"songlam{mark}.example", **parts)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="message_id"):
            compose(
                render("itinerary_request", "vi", _facts()),
                sender=UNION,
                recipient=guest,
                message_id=f"<a{mark}b@songlam.example>",
                date=STAMP,
            )


def _facts() -> ItineraryRequest:
    item = ItemFacts(title="x", starts=STARTS, ends=ENDS)
    common = {"recipient": "x", "organisation": "x", "delegation": "x", "contact": ""}
    return ItineraryRequest.model_validate({**common, "item": item, "asks_answer": True})


@pytest.mark.slow
async def test_what_only_looks_like_a_header_arrives_as_the_text_it_is(here: Running, note: Note) -> None:
    """Through the whole path: register, command, event, mail over SMTP; every title and name is read back unchanged."""
    note(row="16", fault="titles, places and names that look like headers, encoded words or calendar properties")
    await here.open(title=LOOKALIKES[0])
    for number, name in enumerate(LOOKALIKES):
        details = {"name": one_line(name)[:120], "email": f"guest{number}@tokyo.example", "given_name": f"g{number}"}
        person = await here.person(**details)
        role = "member" if number else "head"
        add = {"type": "add_member", "member_id": f"m{number}", "person": person, "role": role, "country": "JP"}
        await here.send(add)
    for number, title in enumerate(LOOKALIKES):
        only = {"groups": [], "people": [f"m{number}"]}
        await here.schedule(f"s{number}", hour=8 + number, audience=only, title=title.strip(), place=title.strip())
    await here.approve()
    await here.send({"type": "invite"})
    file = await here.idle()
    assert [(issue.sent, issue.refused) for issue in file.issues] == [(len(LOOKALIKES), ())]
    found = {}
    for recipient, octets in here.post.taken:
        if b"text/calendar" in octets:
            found[recipient] = read(ics_of(examined(octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))))
    assert found == {
        f"guest{number}@tokyo.example": (one_line(title), one_line(title)) for number, title in enumerate(LOOKALIKES)
    }
