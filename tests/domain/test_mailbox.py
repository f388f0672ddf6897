"""Addresses: one mailbox each, in a form that every server on the way carries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.mailbox import Mailbox


@pytest.mark.parametrize(
    ("given_address", "kept"),
    [
        ("tanaka@guests.example", "tanaka@guests.example"),
        ("Anna.Mueller+visit@Guests.Example", "Anna.Mueller+visit@guests.example"),
        ("hoa@hữu-nghị.example", "hoa@xn--hu-ngh-gl8b6k.example"),
        ("o'brien@a-b.co.example", "o'brien@a-b.co.example"),
    ],
)
def test_an_address_is_kept_in_ascii(given_address: str, kept: str) -> None:
    """The domain becomes its A-label in lower case; before the @ nothing is touched."""
    assert Mailbox(address=given_address).address == kept


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "address_without_at"),
        ("tanaka", "address_without_at"),
        ("@guests.example", "address_without_at"),
        ("tanaka@", "address_without_at"),
        ("a@guests.example\nBcc: b@guests.example", "address_name_malformed"),
        ("a\r\n@guests.example", "address_name_malformed"),
        ("a\x00@guests.example", "address_name_malformed"),
        ("a@guests.example\r\n", "address_domain_malformed"),
        ("a@guests.example,b@guests.example", "address_name_malformed"),
        ("a b@guests.example", "address_name_malformed"),
        ("Anna <a@guests.example>", "address_name_malformed"),
        ('"a b"@guests.example', "address_name_malformed"),
        ("hòa@guests.example", "address_name_malformed"),
        ("a..b@guests.example", "address_name_malformed"),
        ("a" * 65 + "@guests.example", "address_name_malformed"),
        ("a@localhost", "address_domain_malformed"),
        ("a@[127.0.0.1]", "address_domain_malformed"),
        ("a@127.0.0.1", "address_domain_malformed"),
        ("a@-x.example", "address_domain_malformed"),
        ("a@straße.example", "address_domain_ambiguous"),
        ("a@to\u2066kyo.example", "address_domain_malformed"),
        ("a@to\u00adkyo.example", "address_domain_malformed"),
        ("a@" + ".".join(["x" * 60] * 5), "address_too_long"),
        ("a@" + "x" * 400, "string_too_long"),
    ],
)
def test_anything_else_is_refused_by_a_code(address: str, code: str) -> None:
    """The refusal names the rule, and never repeats the address."""
    with pytest.raises(ValidationError) as refusal:
        Mailbox(address=address)
    assert [error["type"] for error in refusal.value.errors()] == [code]
    assert "guests" not in str(refusal.value)


def test_a_name_stands_in_a_header_without_quoting() -> None:
    """Commas and brackets, which some readers split at, are not sent; in the calendar the comma stays."""
    mailbox = Mailbox(address="m@guests.example", name='Müller, Anna "Anni" <PhD>\r\n(Berlin)')
    assert mailbox.name == 'Müller, Anna "Anni" <PhD> (Berlin)'
    assert mailbox.header_name == "Müller Anna Anni PhD Berlin"


def test_two_spellings_are_one_mailbox() -> None:
    """Whoever shares a mailbox shares it in any case of its letters."""
    assert Mailbox(address="A.B@guests.example").key == Mailbox(address="a.b@Guests.example").key


@given(st.text(max_size=330))
def test_no_text_gets_through_that_could_end_a_command(text: str) -> None:
    """What is accepted is one line of visible ASCII with one @."""
    try:
        address = Mailbox(address=text).address
    except ValidationError:
        return
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' ,;:<>()[]"\\\r\n')
    assert address.count("@") == 1
