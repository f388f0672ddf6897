"""Names are compared without diacritics, case, legal forms and joining words; a name never vanishes by that."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.duplicates import comparable, compared, one_slip, web_host, with_a_letter_less
from domain.folding import folded
from domain.name_words import FORMS, GENERIC, STANDS_FOR, STOP_WORDS, WHOLE

VOWELS = "aăâeêioôơuưy"
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
BARE = dict(zip(VOWELS, "aaaeeiooouuy", strict=True))


@pytest.mark.parametrize("vowel", VOWELS)
@pytest.mark.parametrize("tone", TONES, ids=["ngang", "huyền", "sắc", "ngã", "hỏi", "nặng"])
def test_a_vietnamese_name_matches_its_unaccented_spelling(vowel: str, tone: str) -> None:
    """Each vowel under each tone, composed or not, small or capital; and đ."""
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, f"Đ{vowel}{tone}ng")
        assert folded(written) == f"d{BARE[vowel]}ng"
        assert comparable(written.upper()) == f"d{BARE[vowel]}ng"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Hội Hữu nghị Việt – Đức", "huu nghi viet duc"),
        ("hoi huu nghi  VIET-DUC", "huu nghi viet duc"),
        ("Deutsch-Vietnamesische Gesellschaft e.V.", "deutsch vietnamesische"),
        ("The Tokyo Friendship Association", "tokyo friendship"),
        ("Công ty TNHH Du lịch Sông Lam", "du lich song lam"),
        ("UBND TP. Huế", "uy ban nhan dan thanh pho hue"),
        ("Viet Nam – Vietnam", "viet viet"),
        ("Sở Văn hóa Đà Nẵng", "so van hoa da nang"),
        ("Trung tâm Hội An", "trung tam hoi an"),
        ("Liên đoàn Thể thao Lê Lợi", "lien doan the thao le loi"),
        ("Hội", "hoi"),
        ("e.V.", "e v"),
        ("=cmd()", "cmd"),
        ("…", ""),
    ],
)
def test_what_is_left_of_a_name(name: str, expected: str) -> None:
    assert comparable(name) == expected


PARTS = [*map(" ".join, (*FORMS, *WHOLE, *GENERIC, *STANDS_FOR)), *STOP_WORDS, "v", "nam", "Huế"]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PARTS), max_size=8)))
def test_a_comparable_name_stays_as_it_is(drawn: str | list[str]) -> None:
    """Idempotent, so that it does not matter how often a name was folded on its way."""
    name = drawn if isinstance(drawn, str) else " ".join(drawn)
    once = comparable(name)
    assert comparable(once) == once


def test_what_tells_a_body_from_others() -> None:
    """Its own words in their order; what is generic, and whether it trades, apart. Nothing but generic is its own."""
    found = compared("Công ty TNHH Khách sạn Mường Thanh Huế")
    assert (found.own, found.generic) == (("muong", "thanh", "hue"), frozenset({("khach", "san")}))
    assert found.trades is True
    assert compared("Hội Công ty Du lịch").trades is None
    assert compared("Hội Du lịch").trades is False
    assert (compared("Thành phố").own, compared("Thành phố").generic) == (("thanh", "pho"), frozenset())


SLIP = st.text("abc", min_size=4, max_size=7)


@given(SLIP, SLIP)
def test_words_one_slip_apart_share_what_a_letter_less_leaves(word: str, other: str) -> None:
    """So they are found through it; one slip is the same read from either side."""
    assert one_slip(word, other) is one_slip(other, word)
    if one_slip(word, other):
        assert set(with_a_letter_less(word)) & set(with_a_letter_less(other))


@given(st.text(max_size=60))
def test_a_name_with_a_letter_never_vanishes(name: str) -> None:
    """However many of its words are left out."""
    assert bool(comparable(name)) is any(letter.isalnum() for letter in folded(name))


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://www.DVG-ev.de/ueber-uns", "dvg-ev.de"),
        ("http://dvg-ev.de:8080", "dvg-ev.de"),
        ("https://[", None),
        (None, None),
    ],
)
def test_the_host_of_a_web_address(address: str | None, host: str | None) -> None:
    assert web_host(address) == host
