"""Text as people search for it and compare it: without diacritics and case."""

import unicodedata


def folded(text: str) -> str:
    """Return text in lower case without diacritics, đ as d, blanks single: `Đoàn Huế` is found by `doan hue`."""
    # Unfolded before and after: ℡ unfolds to capitals, and İ in lower case has a dot to be dropped.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).replace("đ", "d")
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())
