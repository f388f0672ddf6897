"""What makes a password, and what a scope lets through."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from domain.permission import ROLES, SIGNING
from domain.sign_in import new_password, prepared, scope_of_command


@given(st.text())
def test_preparing_twice_changes_nothing_more(password: str) -> None:
    """What is compared is what was kept."""
    assert prepared(prepared(password)) == prepared(password)


@given(st.text())
def test_composed_and_decomposed_are_one_password(password: str) -> None:
    """Keyboards differ; NFC makes them agree."""
    assert prepared(unicodedata.normalize("NFD", password)) == prepared(unicodedata.normalize("NFC", password))


def test_case_width_and_compatibility_stay() -> None:
    """NFKC would make different passwords one."""
    assert prepared("ＡＢＣ ﬁ Ⅷ") == "ＡＢＣ ﬁ Ⅷ"
    assert prepared("AbC") == "AbC"


def test_every_kind_of_space_is_one() -> None:
    """And none is taken away."""
    assert prepared(" a\u00a0b\u2003c\u3000 ") == " a b c  "


@pytest.mark.parametrize(
    ("password", "code"),
    [("", "password_too_short"), ("a" * 11, "password_too_short"), ("a" * 129, "password_too_long")],
)
def test_a_password_outside_twelve_to_128_characters_is_refused(password: str, code: str) -> None:
    """By a code of its own, without the value."""
    with pytest.raises(PydanticCustomError) as refused:
        new_password(password)
    assert refused.value.type == code


@given(st.text(min_size=12, max_size=128).filter(lambda text: 12 <= len(prepared(text)) <= 128))
def test_any_characters_make_a_password(password: str) -> None:
    """Length is all that is asked."""
    assert new_password(password) == prepared(password)


def test_characters_are_counted_after_preparing() -> None:
    """Twelve letters with marks are twelve, however they were typed."""
    with pytest.raises(PydanticCustomError):
        new_password(unicodedata.normalize("NFD", "ế" * 11))
    assert new_password(unicodedata.normalize("NFD", "ế" * 12)) == "ế" * 12


@pytest.mark.parametrize("kind", ROLES)
def test_what_signs_returns_or_rejects_needs_the_scope_sign(kind: str) -> None:
    """Everything else that changes a file is writing."""
    assert scope_of_command(kind) == ("sign" if kind in SIGNING else "write")
