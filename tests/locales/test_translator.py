"""Dates, times and sums as each language writes them."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment

from locales import Language, translator

APRIL_6 = date(2026, 4, 6)
VI = translator("vi")
EN = translator("en")


@pytest.mark.parametrize(
    ("form", "vietnamese", "english"),
    [
        ("long_date", "Thứ Hai, ngày 6 tháng 4 năm 2026", "Monday, 6 April 2026"),
        ("plain_date", "ngày 6 tháng 4 năm 2026", "6 April 2026"),
        ("official_date", "ngày 06 tháng 4 năm 2026", "6 April 2026"),
        ("short_date", "06/04/2026", "6 Apr 2026"),
        ("weekday_date", "Thứ Hai, 06/04/2026", "Mon 6 Apr 2026"),
    ],
)
def test_a_date_has_five_forms(form: str, vietnamese: str, english: str) -> None:
    """The same day, written for a sentence, a document, a table."""
    assert getattr(VI, form)(APRIL_6) == vietnamese
    assert getattr(EN, form)(APRIL_6) == english


def test_an_official_date_pads_as_the_decree_says() -> None:
    """Days below 10 and the months 1 and 2 take a zero, other months do not (Decree 30/2020)."""
    assert VI.official_date(date(2026, 2, 10)) == "ngày 10 tháng 02 năm 2026"
    assert VI.official_date(date(2026, 3, 1)) == "ngày 01 tháng 3 năm 2026"


def test_a_time_is_read_in_its_own_zone() -> None:
    """An aware datetime near midnight keeps the day of its zone."""
    late = datetime(2026, 4, 6, 23, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    assert VI.date_and_time(late) == "23:30, 06/04/2026"
    assert EN.long_date(late) == "Monday, 6 April 2026"


@pytest.mark.parametrize(
    ("last", "vietnamese", "english"),
    [
        (date(2026, 4, 6), "ngày 6 tháng 4 năm 2026", "6 April 2026"),
        (date(2026, 4, 12), "từ ngày 6 đến ngày 12 tháng 4 năm 2026", "6–12 April 2026"),
        (date(2026, 5, 2), "từ ngày 6 tháng 4 đến ngày 2 tháng 5 năm 2026", "6 April – 2 May 2026"),
        (
            date(2027, 1, 2),
            "từ ngày 6 tháng 4 năm 2026 đến ngày 2 tháng 1 năm 2027",
            "6 April 2026 – 2 January 2027",
        ),
    ],
)
def test_a_range_says_once_what_its_days_share(last: date, vietnamese: str, english: str) -> None:
    """A month, a year, or nothing."""
    assert VI.date_range(APRIL_6, last) == vietnamese
    assert EN.date_range(APRIL_6, last) == english


def test_a_range_backwards_is_refused() -> None:
    """It would read as a different visit."""
    with pytest.raises(ValueError, match="before its first"):
        VI.date_range(APRIL_6, date(2026, 4, 5))


@pytest.mark.parametrize(
    ("zone", "month", "vietnamese", "english"),
    [
        ("Asia/Ho_Chi_Minh", 4, "giờ Việt Nam (UTC+7)", "Viet Nam Time (UTC+7)"),
        ("Europe/Berlin", 3, "giờ Berlin (UTC+1)", "Berlin Time (UTC+1)"),
        ("Europe/Berlin", 4, "giờ Berlin (UTC+2)", "Berlin Time (UTC+2)"),
        ("Asia/Kolkata", 4, "giờ Ấn Độ (UTC+5:30)", "India Time (UTC+5:30)"),
        ("America/Los_Angeles", 4, "giờ Los Angeles (UTC-7)", "Los Angeles Time (UTC-7)"),
        ("UTC", 4, "UTC", "UTC"),
    ],
)
def test_a_zone_is_named_with_its_offset_at_that_instant(zone: str, month: int, vietnamese: str, english: str) -> None:
    """Summer time shows: Berlin before and after 29 March."""
    instant = datetime(2026, month, 6, 9, 0, tzinfo=ZoneInfo(zone))
    assert VI.zone_label(instant) == vietnamese
    assert EN.zone_label(instant) == english


def test_a_bare_offset_is_its_own_name_and_no_zone_is_refused() -> None:
    """A naive time belongs to nobody's clock."""
    west = timezone(-timedelta(hours=3, minutes=30))
    assert VI.zone_label(datetime(2026, 4, 6, tzinfo=west)) == "UTC-3:30"
    with pytest.raises(ValueError, match="no zone label"):
        VI.zone_label(datetime(2026, 4, 6))


def test_sums_and_lists() -> None:
    """Dots and ₫, commas and VND, with a space that does not break; an empty list is an empty text."""
    assert VI.money_vnd(201_000_000) == "201.000.000\N{NO-BREAK SPACE}₫"
    assert EN.money_vnd(201_000_000) == "201,000,000\N{NO-BREAK SPACE}VND"
    assert VI.money_vnd(0) == "0\N{NO-BREAK SPACE}₫"
    assert VI.listing(["Hà Nội", "Huế", "Đà Nẵng"]) == "Hà Nội, Huế và Đà Nẵng"
    assert EN.listing(["Hà Nội", "Huế"]) == "Hà Nội and Huế"
    assert EN.listing([]) == ""


def test_countries_go_by_their_names() -> None:
    """Viet Nam as the state writes it; a code that is no country stays a code."""
    assert (VI.country("JP"), EN.country("JP")) == ("Nhật Bản", "Japan")
    assert (VI.country("VN"), EN.country("vn")) == ("Việt Nam", "Viet Nam")
    assert EN.country("Q0") == "Q0"


def test_sentences_are_filled_and_counted() -> None:
    """By name; English counts one and many, Vietnamese does not."""
    assert VI.tr("by %(name)s", name="Lê Văn Tám") == "bằng Lê Văn Tám"
    assert EN.ntr("%(count)s day late", "%(count)s days late", 1) == "1 day late"
    assert EN.ntr("%(count)s day late", "%(count)s days late", 1_500) == "1,500 days late"
    assert VI.ntr("%(count)s day late", "%(count)s days late", 1_500) == "Chậm 1.500 ngày"


def test_jinja_speaks_through_the_same_catalogues() -> None:
    """Templates use `_` and `trans` with the i18n extension."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.install_gettext_callables(VI.gettext, VI.ngettext, newstyle=True)  # type: ignore[attr-defined]
    template = environment.from_string("{{ _('by %(name)s', name='<b>') }}")
    assert template.render() == "bằng &lt;b&gt;"


def test_an_unknown_language_is_refused() -> None:
    """Nobody gets a page in half a language."""
    french: Language = "fr"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="unknown language 'fr'"):
        translator(french)
