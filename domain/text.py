"""Written text made safe to print: in a calendar item, a message header, a mail or a document.

The edge refuses what may not enter (`domain.values.business_text`). What was accepted once must still be printable
years later, so here nothing is refused: a mark that could hurt a reader is dropped.
"""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.values import BIDIRECTIONAL_CONTROLS

_LINE_BREAKS = ("\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029")


def prose(text: str) -> str:
    """Return text of several lines in NFC: line breaks as LF, tabs as blanks, no other control or direction marks."""
    for line_break in _LINE_BREAKS:
        text = text.replace(line_break, "\n")
    kept = (
        character
        for character in text.replace("\t", " ")
        if character == "\n"
        or (unicodedata.category(character) not in ("Cc", "Cs") and character not in BIDIRECTIONAL_CONTROLS)
    )
    return unicodedata.normalize("NFC", "".join(kept)).strip()


def one_line(text: str) -> str:
    """Return text as one line in NFC: a run of blanks and line breaks is one blank, no control or direction marks."""
    return " ".join(prose(text).split())


Line = Annotated[str, Field(max_length=500), AfterValidator(one_line)]
"""One printable line, at most 500 characters; may be empty."""

Prose = Annotated[str, Field(max_length=20_000), AfterValidator(prose)]
"""Printable text of several lines, at most 20,000 characters; may be empty."""
