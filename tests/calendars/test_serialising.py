"""Components become the octets that icalendar would have written, whatever stands in them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar, Component, Event, vCalAddress, vText
from icalendar.parser import Contentline

from calendars.serialising import LONGEST_LINE, folded_line, serialised, serialised_zone
from calendars.zones import vtimezone
from tests.calendars.cases import CASES, GOLDEN

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=300)
PIECES = ["a", "\\", "^", "\r", "ệ", "e\u0323\u0302", "漢", "🇻🇳", "\u200d", ",", ";", '"']
HARD = st.lists(st.sampled_from(PIECES), max_size=200).map("".join)
WORDS = TEXT | HARD


@given(line=WORDS)
@example(line="x" * 74)
@example(line="x" * 75)
@example(line="x" * 76)
@example(line="x" * 73 + "\\n" + "y" * 80)
@example(line="x" * 73 + "ệ" + "y" * 80)
@example(line="x" * 72 + "🇻🇳" * 40)
@example(line="\\" * 300)
@example(line="^" * 149)
def test_a_line_is_folded_as_icalendar_folds_it(line: str) -> None:
    """Folding by octets and folding by characters end in the same lines."""
    assert folded_line(line.encode()) == Contentline(line).to_ical()  # type: ignore[no-untyped-call]


@given(line=WORDS)
def test_a_folded_line_is_the_line_again(line: str) -> None:
    """Nothing is lost, and no line is longer than RFC 5545 allows, its blank included."""
    folded = folded_line(line.encode())
    assert folded.replace(b"\r\n ", b"") == line.encode().replace(b"\r\n ", b"")
    if "\r" not in line:
        assert all(len(one) <= LONGEST_LINE + 1 for one in folded.split(b"\r\n"))


@given(summary=WORDS, description=WORDS, name=HARD, address=st.text("abc@.:;ệ", max_size=90), stay=st.booleans())
def test_a_component_is_written_as_icalendar_writes_it(
    summary: str, description: str, name: str, address: str, stay: bool
) -> None:
    """Texts, parameters, several values of one property and components within components."""
    event = Event()
    event.add("SUMMARY", vText(summary))
    event.add("DESCRIPTION", vText(description.replace("^", "\n")))
    event.add("ATTENDEE", [vCalAddress(f"mailto:{address}{n}", params={"CN": name, "ROLE": "CHAIR"}) for n in (1, 2)])
    event.add("CATEGORIES", ["a,b", name])
    event.add("DTSTART", vText("20260411"), {"VALUE": "DATE"} if stay else {"TZID": "UTC"})
    event["RESOURCES"] = vText("two", params={"X-MEMBERS": [name, "b"]})
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add_component(event)
    assert serialised(calendar) == written(calendar)


@pytest.mark.parametrize("name", CASES)
def test_a_message_is_written_as_icalendar_writes_it(name: str) -> None:
    """What stands in a golden file is read by icalendar, and written by both alike."""
    calendar = Calendar.from_ical((GOLDEN / f"{name}.ics").read_bytes())
    assert isinstance(calendar, Component)
    assert serialised(calendar) == written(calendar)


@pytest.mark.parametrize("tzid", ["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/Nuuk", "Europe/Dublin"])
def test_a_zone_is_kept_as_the_octets_of_its_component(tzid: str) -> None:
    """Every calendar that names a zone defines it by the same octets."""
    component = vtimezone(tzid)
    assert component is not None
    assert serialised_zone(tzid) == written(component)


def test_a_zone_that_goes_out_in_utc_has_no_octets() -> None:
    """Nothing is defined where nothing is named."""
    assert serialised_zone("Africa/Casablanca") == b""


def test_a_line_break_within_a_line_is_refused() -> None:
    """A value that would begin a line of its own is not written."""
    event = Event()
    event["URL"] = Unescaped("https://a.example/\nATTENDEE:mailto:b@c.example")
    with pytest.raises(ValueError, match=r"^URL: a line holds no line break$"):
        serialised(event)


class Unescaped(vText):
    """A value of icalendar's that does not look at what it writes."""

    def to_ical(self) -> bytes:
        return self.encode()


def written(component: Component) -> bytes:
    octets: bytes = component.to_ical(sorted=False)
    return octets
