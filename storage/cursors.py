"""Cursors of lists: what the last line that was shown has in the columns that the list is ordered by.

So lines that come or go meanwhile shift nothing: no line is repeated or skipped unless its own place changed.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_


class BadCursor(ValueError):
    """The cursor is not one that this list gave for this order."""

    def __init__(self) -> None:
        super().__init__("the cursor is not one that this list gave for this order")


def write_cursor(*place: str | bool | int) -> str:
    """Return the cursor of a place: URL-safe, and opaque to whoever gets it."""
    body = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def read_cursor(cursor: str, *like: type) -> tuple[Any, ...]:
    """Return the place that a cursor names, one value of each of these types; raises BadCursor."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise BadCursor from None
    if not isinstance(place, list) or [type(one) for one in place] != list(like):
        raise BadCursor
    # PostgreSQL does not even take the question.
    if any(isinstance(one, str) and "\x00" in one for one in place):
        raise BadCursor
    return tuple(place)


def beyond(
    columns: Sequence[ColumnElement[Any]], place: Sequence[Any], *, descending: bool = False
) -> ColumnElement[bool]:
    """Return whether a row comes after a place in the order of the columns, all of them rising or all falling."""
    alternatives = []
    for number, (column, value) in enumerate(zip(columns, place, strict=True)):
        equal = [earlier == known for earlier, known in zip(columns[:number], place[:number], strict=True)]
        alternatives.append(and_(*equal, column < value if descending else column > value))
    return or_(*alternatives)
