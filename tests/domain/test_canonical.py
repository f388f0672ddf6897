"""Canonical JSON against an independent implementation of RFC 8785, and the digests made over it."""

import hashlib
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import LARGEST_INTEGER, canonical_json, commitment, digest_of, sha256_hex

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5), max_leaves=20
)


@given(VALUES)
def test_the_bytes_are_those_of_rfc_8785(value: Any) -> None:
    """For every value without floating-point numbers."""
    assert canonical_json(value) == rfc8785.dumps(value)


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    """RFC 8785 section 3.2.3: the example in which Python's own order of strings is another."""
    keys = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}
    order = b'{"\\r":2,"1":4,"\xc2\x80":6,"\xc3\xb6":7,"\xe2\x82\xac":1,"\xf0\x9f\x98\x80":5,"\xef\xac\xb3":3}'
    assert canonical_json(keys) == order


def test_text_is_utf_8_and_only_what_must_be_escaped_is() -> None:
    """RFC 8785 section 3.2.2.2."""
    assert canonical_json('Huế\u2028\t\x0f"\\/') == '"Huế\u2028\\t\\u000f\\"\\\\/"'.encode()


def test_a_tuple_is_a_list() -> None:
    """Frozen values and what is read back from JSON have one form."""
    assert canonical_json({"a": (1, ("b",))}) == canonical_json({"a": [1, ["b"]]}) == b'{"a":[1,["b"]]}'


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), LARGEST_INTEGER + 1, -LARGEST_INTEGER - 1, {1: "one"}, "\ud800", {"\udfff": 1}, b"bytes", {1}],
    ids=repr,
)
def test_what_another_reader_could_read_otherwise_is_refused(value: Any) -> None:
    """Floats, large integers, keys that are not text, lone surrogates, and what is not JSON."""
    with pytest.raises(ValueError):  # noqa: PT011  # UnicodeEncodeError is one too
        canonical_json(value)


def test_a_digest_is_of_the_canonical_bytes() -> None:
    """The order in which keys were written does not matter; true is not 1."""
    assert digest_of({"b": 1, "a": 2}) == digest_of({"a": 2, "b": 1}) == sha256_hex(b'{"a":2,"b":1}')
    assert digest_of(True) != digest_of(1)
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_commitment_binds_salt_and_content() -> None:
    """SHA-256 over 32 bytes of salt and the content; another salt is another commitment."""
    salt = bytes(range(32))
    assert commitment(salt, b"words") == hashlib.sha256(salt + b"words").hexdigest()
    assert commitment(salt, b"words") != commitment(bytes(32), b"words")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_salt_has_32_bytes(length: int) -> None:
    """Otherwise a byte could pass from the salt to the content under one hash."""
    with pytest.raises(ValueError, match="a salt has 32 bytes"):
        commitment(bytes(length), b"words")
