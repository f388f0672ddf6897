"""Notices: both languages say all that matters, and nothing that people wrote is ever read as markup."""

from html.parser import HTMLParser

import pytest
from pydantic import ValidationError

from domain.values import Language
from notices.contents import NOTICES, ItineraryChanged, ItineraryRequest, NoticeName
from notices.render import TEMPLATES, render
from tests.notices.samples import AFTERNOON, EVERY, FLIGHT, MORNING, SAMPLES, STAY

HOSTILE = '{{7*7}} {% raw %} <b onload="x">&amp; =cmd() #import "x"'


class Shown(HTMLParser):
    """The text a reader sees, and the tags that were opened but not closed."""

    EMPTY = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_notice_has_all_its_templates() -> None:
    """A notice without one of its files would fail on the day it is due."""
    files = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.rglob("*")
        if path.is_file() and path.parent != TEMPLATES
    }
    assert files == {
        f"{name}/{language}/{part}"
        for name in NOTICES
        for language in ("vi", "en")
        for part in ("subject.txt", "body.txt", "body.html")
    }
    assert set(SAMPLES) == set(NOTICES)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_every_notice_is_well_formed(name: NoticeName, language: Language) -> None:
    """Balanced HTML, one line of subject, the greeted person and the delegation in both bodies."""
    rendered = render(name, language, SAMPLES[name])
    shown = Shown(rendered.html)
    assert shown.open == []
    assert f'<html lang="{language}">' in rendered.html
    assert rendered.subject == rendered.subject.strip() != ""
    assert "\n" not in rendered.subject
    for body in (rendered.plain, shown.text):
        assert SAMPLES[name].recipient in body
        assert SAMPLES[name].delegation in body
        assert SAMPLES[name].contact in body


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_rendering_again_gives_the_same_text(name: NoticeName, language: Language) -> None:
    """What is sent again after a crash is what was sent."""
    assert render(name, language, SAMPLES[name]) == render(name, language, SAMPLES[name].model_dump())


def test_a_change_says_what_was_and_what_is() -> None:
    """Old and new time, old and new place, in both languages and both bodies."""
    for language, was, now in (
        ("vi", "trước đây: Thứ Bảy, ngày 11 tháng 4 năm 2026, 09:00–11:30", "ngày 11 tháng 4 năm 2026, 14:30–17:00"),
        ("en", "before: Saturday, 11 April 2026, 09:00–11:30", "Saturday, 11 April 2026, 14:30–17:00"),
    ):
        rendered = render("itinerary_changed", language, SAMPLES["itinerary_changed"])  # type: ignore[arg-type]
        for body in (rendered.plain, Shown(rendered.html).text):
            assert was in body
            assert now in body
            assert "86 Lê Thánh Tôn, Quận 1" in body
            assert "Hội trường Thống Nhất" in body


def test_a_change_of_place_alone_does_not_speak_of_time() -> None:
    """Only what changed is called changed."""
    moved = MORNING.model_copy(update={"place": "Huế"})
    notice = SAMPLES["itinerary_changed"].model_dump() | {"before": MORNING, "item": moved, "asks_answer": False}
    rendered = render("itinerary_changed", "en", notice)
    assert rendered.plain.count("09:00–11:30") == 1
    assert "before: 86 Lê Thánh Tôn, Quận 1" in rendered.plain
    assert "no new answer is needed" in rendered.plain


def test_a_change_in_which_nothing_changed_is_refused() -> None:
    """Nobody is disturbed for nothing."""
    same = SAMPLES["itinerary_changed"].model_dump() | {"before": MORNING, "item": MORNING}
    with pytest.raises(ValidationError, match="before and item are the same"):
        ItineraryChanged.model_validate(same)


def test_times_are_told_on_their_own_clocks() -> None:
    """A flight has two clocks; a stay has days."""
    request = SAMPLES["itinerary_request"].model_dump()
    flight = render("itinerary_request", "en", request | {"item": FLIGHT})
    departure = "Friday, 19 June 2026, 13:50, Czechia Time (UTC+2)"
    arrival = "Saturday, 20 June 2026, 06:20, Viet Nam Time (UTC+7)"
    assert f"When: {departure} – {arrival}\n" in flight.plain
    stay = render("itinerary_request", "vi", request | {"item": STAY})
    assert "Thời gian: Từ ngày 6 đến ngày 8 tháng 4 năm 2026\n" in stay.plain
    assert stay.subject == "Mời tham dự: Khách sạn, Hà Nội (06/04/2026)"


def test_hostile_text_appears_as_it_was_written() -> None:
    """Template and HTML marks in any field are shown, not obeyed."""
    item = AFTERNOON.model_copy(update={"title": HOSTILE, "place": HOSTILE, "notes": HOSTILE})
    data = dict.fromkeys(("recipient", "organisation", "delegation", "contact"), HOSTILE) | {"item": item}
    rendered = render("itinerary_request", "vi", data)
    assert rendered.subject.startswith(f"Mời tham dự: {HOSTILE} (")
    assert f"Địa điểm: {HOSTILE}\n" in rendered.plain
    shown = Shown(rendered.html)
    assert shown.open == []
    assert shown.text.count(HOSTILE) == 11
    assert "<b onload" not in rendered.html


def test_a_line_break_in_a_title_stays_in_the_subject_line() -> None:
    """A title cannot begin a header of its own."""
    item = AFTERNOON.model_dump() | {"title": "Họp\r\nBcc: other@example.org\x00"}
    rendered = render("itinerary_request", "vi", SAMPLES["itinerary_request"].model_dump() | {"item": item})
    assert rendered.subject == "Mời tham dự: Họp Bcc: other@example.org (14:30, 11/04/2026)"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"recipient": ""}, "too_short"),
        ({"recipient": "x" * 501}, "string_too_long"),
        ({"unknown": 1}, "extra_forbidden"),
        ({"item": None}, "model_type"),
    ],
)
def test_data_that_do_not_fit_are_refused_without_repeating_them(change: dict[str, object], code: str) -> None:
    """Names are personal data: the refusal names the field only."""
    data = SAMPLES["itinerary_request"].model_dump() | change
    with pytest.raises(ValidationError) as refusal:
        render("itinerary_request", "vi", data)
    assert [error["type"] for error in refusal.value.errors()] == [code]
    assert "Nguyễn" not in str(refusal.value)
    assert "x" * 50 not in str(refusal.value)


def test_a_missing_field_is_refused() -> None:
    """A notice never goes out with a hole in it."""
    data = SAMPLES["itinerary_request"].model_dump()
    del data["item"]
    with pytest.raises(ValidationError, match="Field required"):
        ItineraryRequest.model_validate(data)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//host", "https://", "https://a b", "ftp://host/x"])
def test_a_link_leads_to_a_web_page_only(link: str) -> None:
    """A button never runs a script."""
    with pytest.raises(ValidationError, match="a link begins with"):
        render("deadline_missed", "en", SAMPLES["deadline_missed"].model_dump() | {"link": link})


@pytest.mark.parametrize(("days", "words"), [(0, "due today"), (1, "due tomorrow"), (2, "due in 2 days")])
def test_a_reminder_counts_the_days(days: int, words: str) -> None:
    """Today and tomorrow have their own words."""
    data = SAMPLES["deadline_reminder"].model_dump() | {"days_left": days}
    assert words in Shown(render("deadline_reminder", "en", data).html).text
