"""The keyring: what is encrypted opens with the right key and context, and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.keyring import CiphertextDamaged, DataKey, Keyring, MasterKey, UnknownMasterKey

OLD = MasterKey.of(b"\x01" * 32)
NEW = MasterKey.of(b"\x02" * 32)


@given(plaintext=st.binary(max_size=300), context=st.binary(max_size=40))
def test_what_is_encrypted_is_read_again(plaintext: bytes, context: bytes) -> None:
    """Decryption with the same context gives back exactly what went in."""
    ring = Keyring([OLD])
    assert ring.decrypt(ring.encrypt(plaintext, context=context), context=context) == plaintext


@given(data=st.data())
def test_one_changed_bit_anywhere_is_noticed(data: st.DataObject) -> None:
    """Format, key id, nonce, ciphertext and tag are all covered."""
    ring = Keyring([OLD])
    sealed = bytearray(ring.encrypt(b"Nguyen Thi Lan", context=b"person"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((CiphertextDamaged, UnknownMasterKey)):
        ring.decrypt(bytes(sealed), context=b"person")


def test_a_ciphertext_moved_to_another_row_does_not_open() -> None:
    """The context binds a ciphertext to its place."""
    ring = Keyring([OLD])
    with pytest.raises(CiphertextDamaged):
        ring.decrypt(ring.encrypt(b"secret", context=b"person:1"), context=b"person:2")


def test_the_newest_key_encrypts_and_every_key_decrypts() -> None:
    """Rotation: a new key goes to the front, the old one stays for what it encrypted."""
    before, after = Keyring([OLD]), Keyring([NEW, OLD])
    old = before.encrypt(b"payload", context=b"")
    assert after.decrypt(old, context=b"") == b"payload"
    assert not after.is_current(old)
    assert after.is_current(after.encrypt(b"payload", context=b""))


def test_without_its_master_key_a_ciphertext_names_the_key_it_wants() -> None:
    """The operator has to know which key is missing; the id is no secret."""
    sealed = Keyring([OLD]).encrypt(b"payload", context=b"")
    with pytest.raises(UnknownMasterKey) as raised:
        Keyring([NEW]).decrypt(sealed, context=b"")
    assert raised.value.key_id == OLD.id


def test_a_wrapped_data_key_opens_only_for_its_subject() -> None:
    """A key row copied to another subject is refused."""
    ring, key = Keyring([OLD]), DataKey.generate()
    wrapped = key.wrapped(ring, context=b"person:a")
    sealed = key.encrypt(b"details", context=b"1")
    assert ring.unwrap(wrapped, context=b"person:a").decrypt(sealed, context=b"1") == b"details"
    with pytest.raises(CiphertextDamaged):
        ring.unwrap(wrapped, context=b"person:b")


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_of_another_length_is_refused(length: int) -> None:
    """AES-256 has keys of 32 bytes."""
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKey.of(b"x" * length)


def test_no_key_shows_in_a_repr() -> None:
    """Keys do not reach logs by accident."""
    assert "\\x01" not in repr(OLD)
    assert repr(OLD) == f"MasterKey(id='{OLD.id}')"
