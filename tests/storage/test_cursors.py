"""Cursors of lists: opaque to whoever gets them, and refused where they are not what a list gave."""

import base64
import json

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from storage.cursors import BadCursor, read_cursor, write_cursor

TEXTS = st.text(st.characters(exclude_characters="\x00", codec="utf-8"))


@forall(TEXTS, st.booleans(), TEXTS)
def test_a_place_comes_back_as_it_was(first: str, flag: bool, last: str) -> None:
    """Whatever stands in the columns, in an address that needs no escaping."""
    cursor = write_cursor(first, flag, last)
    assert read_cursor(cursor, str, bool, str) == (first, flag, last)
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@forall(st.one_of(st.text(), st.binary().map(lambda octets: base64.urlsafe_b64encode(octets).decode())))
def test_whatever_is_sent_is_a_place_or_refused(sent: str) -> None:
    """Nothing breaks the reader."""
    try:
        first, last = read_cursor(sent, str, str)
    except BadCursor:
        return
    assert isinstance(first, str)
    assert isinstance(last, str)


@pytest.mark.parametrize(
    "place", [["a"], ["a", 1], ["a", None], ["a", "b", "c"], ["a", "b\x00"], {"a": "b"}, "ab", 1, None]
)
def test_a_place_of_another_list_is_refused(place: object) -> None:
    """Another number of columns, other types, what an engine would not take."""
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    with pytest.raises(BadCursor):
        read_cursor(cursor, str, str)


def test_what_nests_too_deeply_is_refused() -> None:
    """It would break the reader of JSON otherwise."""
    cursor = base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=")
    with pytest.raises(BadCursor):
        read_cursor(cursor, str)
