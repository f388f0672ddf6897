"""Text as people search for it: without diacritics and case."""

import unicodedata


def folded(text: str) -> str:
    """Return text in lower case without diacritics, đ as d, blanks single: `Đoàn Huế` is found by `doan hue`."""
    plain = text.casefold().replace("đ", "d")
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))
    return " ".join(bare.split())


LONGEST_KEY = 200
"""Characters of a title that take part in sorting: some letters unfold to many, and an index has a largest entry."""


def sort_key(text: str) -> str:
    """Return what a text is sorted by."""
    return folded(text)[:LONGEST_KEY]
