"""Text as lists are sorted by it."""

from domain.folding import folded

LONGEST_KEY = 200
"""Characters of a title that take part in sorting: some letters unfold to many, and an index has a largest entry."""


def sort_key(text: str) -> str:
    """Return what a text is sorted by."""
    return folded(text)[:LONGEST_KEY]
