"""Text as people search for it and compare it: without diacritics and case."""

import unicodedata


def folded(text: str) -> str:
    """Return text in lower case without diacritics, đ as d, blanks single: `Đoàn Huế` is found by `doan hue`."""
    plain = text.casefold().replace("đ", "d")
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))
    return " ".join(bare.split())
