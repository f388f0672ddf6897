"""The small values: texts, zones, local times, instants."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.values import (
    AttachmentRef,
    BusinessText,
    Instant,
    LocalTime,
    PersonRef,
    Slug,
    Zone,
    business_date,
    clock_of,
    days_between,
    known_zone,
    resolve,
)

TEXT: TypeAdapter[str] = TypeAdapter(BusinessText)
SLUG: TypeAdapter[str] = TypeAdapter(Slug)
ZONE: TypeAdapter[str] = TypeAdapter(Zone)
INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


def refusal(adapter: TypeAdapter[str] | TypeAdapter[datetime] | type[LocalTime], value: object) -> tuple[str, str]:
    """The code and the sentence of what is said against a value."""
    with pytest.raises(ValidationError) as caught:
        adapter.model_validate(value) if isinstance(adapter, type) else adapter.validate_python(value)
    (error,) = caught.value.errors()
    return error["type"], error["msg"]


# Text


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("one\r\ntwo", "text_has_control_character", "character 4 is a control character (U+000D)"),
        ("one\ntwo", "text_has_control_character", "character 4 is a control character (U+000A)"),
        ("one\ttwo", "text_has_control_character", "character 4 is a control character (U+0009)"),
        ("\x00", "text_has_control_character", "character 1 is a control character (U+0000)"),
        ("one\x85two", "text_has_control_character", "character 4 is a control character (U+0085)"),
        ("one\u2028two", "text_has_control_character", "character 4 is a control character (U+2028)"),
        ("one\u2029two", "text_has_control_character", "character 4 is a control character (U+2029)"),
        ("a\u202eb", "text_has_direction_mark", "character 2 (U+202E) changes the direction of reading"),
        ("a\u2066b", "text_has_direction_mark", "character 2 (U+2066) changes the direction of reading"),
        ("a\u200fb", "text_has_direction_mark", "character 2 (U+200F) changes the direction of reading"),
        ("   ", "text_is_empty", "the text is empty"),
    ],
)
def test_a_text_that_could_end_a_header_or_turn_the_reading_is_refused_with_its_place(
    text: str, code: str, place: str
) -> None:
    """Each mark by its number; nothing is silently dropped at the edge."""
    found, sentence = refusal(TEXT, text)
    assert found == code
    assert sentence.startswith(place)


def test_a_lone_surrogate_is_no_text() -> None:
    """It has no UTF-8 form."""
    assert refusal(TEXT, "\ud800")[0] in ("string_unicode", "text_has_control_character")


def test_a_text_of_three_megabytes_is_refused_by_its_length() -> None:
    """A business text is one line of at most 300 characters."""
    assert refusal(TEXT, "x" * 3_000_000) == ("string_too_long", "String should have at most 300 characters")
    assert TEXT.validate_python("x" * 300) == "x" * 300


@pytest.mark.parametrize(
    "text", ["Nguyễn Thị Minh Hạnh", "🎋 Tết 🧧", "Đoàn “hữu nghị” – №1", "{{7*7}} #import =cmd()"]
)
def test_every_other_text_is_kept_as_it_is(text: str) -> None:
    """Diacritics, emoji and what would be code elsewhere."""
    assert TEXT.validate_python(text) == text


def test_text_is_kept_in_nfc_without_outer_blanks() -> None:
    """Two spellings of one name are one."""
    assert TEXT.validate_python("  Hue\u0302\u0301 ") == "Huế"


@given(st.text(max_size=300))
def test_a_text_that_was_taken_is_taken_unchanged_again(text: str) -> None:
    """Taking is idempotent, so what stands in the trail passes the same door once more."""
    try:
        taken = TEXT.validate_python(text)
    except ValidationError:
        return
    assert TEXT.validate_python(taken) == taken


@pytest.mark.parametrize("slug", ["a", "song-lam-2026", "step.vice_president.2", "0" * 64])
def test_a_slug_is_a_short_plain_name(slug: str) -> None:
    """It may stand in a URL, a file name and a workflow id."""
    assert SLUG.validate_python(slug) == slug


@pytest.mark.parametrize("slug", ["", "A", "-a", "a-", "a/b", "a b", "đoàn", "a\n", "0" * 65, "..", "a\x00"])
def test_what_could_mean_more_than_a_name_is_no_slug(slug: str) -> None:
    """No blanks, slashes, capitals, line ends or letters beyond ASCII."""
    with pytest.raises(ValidationError):
        SLUG.validate_python(slug)


# Zones and local times


@pytest.mark.parametrize("zone", ["Mars/Olympus", "UTC+7", "", "localtime", "Factory", "../etc/passwd", "x" * 65])
def test_a_zone_that_the_tables_do_not_have_is_refused(zone: str) -> None:
    """Also the names of whatever this machine is set to."""
    assert refusal(ZONE, zone)[0] in ("zone_unknown", "string_too_long")


def test_a_zone_of_the_tables_is_taken() -> None:
    """By its IANA name."""
    assert [known_zone(zone) for zone in ("Asia/Ho_Chi_Minh", "Europe/Berlin", "UTC")] == [
        "Asia/Ho_Chi_Minh",
        "Europe/Berlin",
        "UTC",
    ]


def test_a_time_in_the_spring_gap_does_not_exist() -> None:
    """In Berlin the clock goes from 02:00 to 03:00 on 29 March 2026."""
    gap = {"local": "2026-03-29T02:30", "zone": "Europe/Berlin"}
    assert refusal(LocalTime, gap) == (
        "local_time_does_not_exist",
        "2026-03-29T02:30 does not exist in Europe/Berlin: the clock is put forward over it",
    )
    assert refusal(LocalTime, gap | {"fold": 1})[0] == "local_time_does_not_exist"


@pytest.mark.parametrize(
    ("local", "utc"), [("2026-03-29T01:59", "2026-03-29T00:59"), ("2026-03-29T03:00", "2026-03-29T01:00")]
)
def test_the_minutes_around_the_gap_exist(local: str, utc: str) -> None:
    """01:59 is followed by 03:00."""
    moment = LocalTime(local=local, zone="Europe/Berlin").resolve()
    assert f"{moment.instant:%Y-%m-%dT%H:%M}" == utc


def test_a_time_that_an_autumn_night_repeats_needs_to_say_which() -> None:
    """02:30 in Berlin on 25 October 2026 is 00:30Z or 01:30Z."""
    twice = {"local": "2026-10-25T02:30", "zone": "Europe/Berlin"}
    assert refusal(LocalTime, twice) == (
        "local_time_is_ambiguous",
        "2026-10-25T02:30 occurs twice in Europe/Berlin: say fold 0 for the first or 1 for the second",
    )
    instants = [LocalTime.model_validate(twice | {"fold": fold}).resolve().instant for fold in (0, 1)]
    assert instants == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("2026-02-30T09:00", "local_time_malformed"),
        ("2026-04-06T24:30", "local_time_malformed"),
        ("2026-04-06", "local_time_malformed"),
        ("2026-W15-1T09:00", "local_time_malformed"),
        ("tomorrow", "local_time_malformed"),
        ("", "local_time_malformed"),
        ("2026-04-06T09:00+07:00", "local_time_has_offset"),
        ("2026-04-06T09:00Z", "local_time_has_offset"),
        ("2026-04-06T09:00:30", "local_time_has_seconds"),
        ("1989-12-31T23:59", "local_time_out_of_range"),
        ("2200-01-01T00:00", "local_time_out_of_range"),
        ("2" * 33, "string_too_long"),
    ],
)
def test_a_local_time_is_a_date_and_a_minute_that_exist(local: str, code: str) -> None:
    """Nothing is guessed: a date alone is not its midnight."""
    assert refusal(LocalTime, {"local": local})[0] == code


def test_a_local_time_is_in_the_business_zone_unless_it_says_otherwise() -> None:
    """And is kept as wall clock, zone and instant."""
    moment = LocalTime(local="2026-04-11 14:30").resolve()
    assert moment.model_dump(mode="json") == {
        "local": "2026-04-11T14:30",
        "zone": "Asia/Ho_Chi_Minh",
        "instant": "2026-04-11T07:30:00.000000Z",
    }


ZONES = st.sampled_from(
    ["Asia/Ho_Chi_Minh", "Europe/Berlin", "America/Los_Angeles", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia"]
)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2199, 12, 31)), ZONES, st.sampled_from([None, 0, 1]))
@example(datetime(2000, 10, 29, 2, 0), "Europe/Berlin", None)
def test_a_time_that_is_taken_is_what_the_clock_of_its_zone_then_shows(
    wall: datetime, zone: str, fold: int | None
) -> None:
    """Whatever the zone does; what is refused is in a gap, or twofold and does not say which."""
    wall = wall.replace(second=0, microsecond=0)
    # Instants, not local times: two that differ only in their fold are equal, and a set would keep one of them.
    instants = (wall.replace(tzinfo=UTC) - timedelta(minutes=east) for east in range(-15 * 60, 15 * 60, 15))
    times = sum(instant.astimezone(clock_of(zone)).replace(tzinfo=None) == wall for instant in instants)
    try:
        moment = resolve(wall.isoformat(timespec="minutes"), zone, fold)
    except ValueError:
        assert times == 0 or (times == 2 and fold is None)
    else:
        assert times >= 1
        assert moment.instant.astimezone(clock_of(zone)).replace(tzinfo=None) == wall


# Instants, dates and references


def test_an_instant_needs_a_zone_and_is_kept_in_utc() -> None:
    """And written with microseconds, one spelling for one instant."""
    assert refusal(INSTANT, "2026-04-11T14:30:00")[0] == "instant_without_zone"
    assert INSTANT.validate_python("2026-04-11T14:30:00+07:00") == datetime(2026, 4, 11, 7, 30, tzinfo=UTC)
    assert INSTANT.dump_json(INSTANT.validate_python("2026-04-11T14:30:00+07:00")) == b'"2026-04-11T07:30:00.000000Z"'


def test_the_business_date_is_that_of_the_business_zone() -> None:
    """17:00Z is the next day in Hà Nội."""
    assert business_date(datetime(2026, 4, 10, 16, 59, tzinfo=UTC), "Asia/Ho_Chi_Minh") == date(2026, 4, 10)
    assert business_date(datetime(2026, 4, 10, 17, 0, tzinfo=UTC), "Asia/Ho_Chi_Minh") == date(2026, 4, 11)


def test_days_of_a_visit_count_both_ends() -> None:
    """6 to 12 April are seven days."""
    assert days_between(date(2026, 4, 6), date(2026, 4, 12)) == 7
    assert days_between(date(2026, 4, 6), date(2026, 4, 6)) == 1


@pytest.mark.parametrize("ref", ["per_short", "txt_12345678", "per_1234567/", "per_" + "a" * 65])
def test_a_reference_to_a_person_has_its_own_form(ref: str) -> None:
    """A name, a path or a reference of another register does not pass for one."""
    with pytest.raises(ValidationError):
        PersonRef(ref=ref, commitment="0" * 64)


@pytest.mark.parametrize(
    "said", [{"digest": "0" * 63}, {"digest": "G" * 64}, {"media_type": "pdf"}, {"size": 0}, {"size": 2**40 + 1}]
)
def test_a_reference_to_a_file_is_a_digest_a_type_and_a_size(said: dict[str, object]) -> None:
    """Lower-case hexadecimal, a media type, at least one byte."""
    with pytest.raises(ValidationError):
        AttachmentRef.model_validate({"digest": "0" * 64, "media_type": "application/pdf", "size": 1} | said)
