"""Every Vietnamese letter has a glyph in every face; what has none is written out."""

import unicodedata
from itertools import product
from pathlib import Path

import pytest

from documents.coverage import FONTS, characters, legible

VOWELS = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY"
TONES = ("", "\N{COMBINING GRAVE ACCENT}", "\N{COMBINING ACUTE ACCENT}", "\N{COMBINING HOOK ABOVE}",
         "\N{COMBINING TILDE}", "\N{COMBINING DOT BELOW}")  # fmt: skip
VIETNAMESE = sorted({unicodedata.normalize("NFC", vowel + tone) for vowel, tone in product(VOWELS, TONES)} | {"đ", "Đ"})

FACES = sorted(path for path in FONTS.glob("*/*.ttf") if path.parent.name in {"be-vietnam-pro", "noto-serif"})


def test_the_alphabet_is_whole() -> None:
    """Twelve vowels in six tones, small and capital, and đ: each one code point."""
    assert len(VIETNAMESE) == 12 * 6 * 2 + 2
    assert all(len(letter) == 1 for letter in VIETNAMESE)


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.stem)
def test_each_face_alone_has_the_whole_alphabet(face: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No letter of a Vietnamese word is borrowed from another font."""
    (tmp_path / "family").mkdir()
    (tmp_path / "family" / face.name).symlink_to(face)
    monkeypatch.setattr("documents.coverage.FONTS", tmp_path)
    covered = characters.__wrapped__()
    assert [letter for letter in [*VIETNAMESE, "₫", "–", "’", "…"] if ord(letter) not in covered] == []


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Nguye\u0302\u0303n Thị Thuỳ Trang", "Nguyễn Thị Thuỳ Trang"),
        ("😀 ₫ Łódź Москва → ● ✓", "😀 ₫ Łódź Москва → ● ✓"),
        ("田中", "[U+7530][U+4E2D]"),
        ("ab\u202ecd", "abcd"),
        ("\ufeffabc\x00", "abc"),
        ("\ue000", "[U+E000]"),
        ("one\r\ntwo\u2028three\tfour", "one\ntwo\nthree four"),
        ("{{7*7}} #import $x$", "{{7*7}} #import $x$"),
    ],
)
def test_what_cannot_be_shown_is_written_out(written: str, shown: str) -> None:
    """Marks without a shape go, characters without a glyph are named by number, everything else stands."""
    assert legible(written) == shown
