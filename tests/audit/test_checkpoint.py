"""A chain of checkpoints holds as it was signed, and breaks, with its place, at whatever is changed."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import (
    Checkpoint,
    CheckpointBroken,
    Leaf,
    digest_of_checkpoint,
    document_of,
    entry_of,
    following,
    public_bytes,
    verify_checkpoints,
    written,
)
from audit.merkle import leaf_hash

KEY, LATER, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
TRUSTED = {public_bytes(KEY), public_bytes(LATER)}


def at(minute: int) -> str:
    return f"2026-04-11T07:{minute:02}:00.000000Z"


def chain() -> list[Checkpoint]:
    """Four checkpoints; from the third on the key is a later one."""
    first = following(None, size=3, root=leaf_hash(b"1"), at=at(1), key=KEY)
    second = following(first, size=5, root=leaf_hash(b"2"), at=at(2), key=KEY)
    third = following(second, size=5, root=leaf_hash(b"2"), at=at(2), key=LATER, endorser=KEY)
    return [first, second, third, following(third, size=9, root=leaf_hash(b"3"), at=at(3), key=LATER)]


def test_a_chain_holds_over_a_change_of_keys() -> None:
    """Each names the one before; the later key is endorsed by the one before it."""
    checkpoints = chain()
    assert verify_checkpoints(checkpoints, TRUSTED) == checkpoints[-1]
    assert [one.prev for one in checkpoints] == ["0" * 64, *map(digest_of_checkpoint, checkpoints[:-1])]
    assert [one.endorsement is not None for one in checkpoints] == [False, False, True, False]
    assert len({one.origin for one in checkpoints}) == 1


def test_it_is_written_and_read_without_loss() -> None:
    """As JSON, in which what is not said does not stand."""
    for one in chain():
        assert Checkpoint.model_validate(document_of(one)) == one
    assert "endorsement" not in document_of(chain()[0])


def test_no_checkpoint_is_nothing_to_doubt() -> None:
    """An installation that has not made one yet."""
    assert verify_checkpoints([], TRUSTED) is None


CHANGED: list[tuple[int, str, Any, str]] = [
    (2, "number", 3, "number_wrong"),
    (2, "origin", "legation:0000000000000000", "signature_invalid"),
    (2, "size", 6, "signature_invalid"),
    (2, "root", "1" * 64, "signature_invalid"),
    (2, "at", at(3), "signature_invalid"),
    (2, "prev", "1" * 64, "signature_invalid"),
    (2, "key_id", "0" * 16, "key_id_wrong"),
    (2, "public_key", written(public_bytes(OTHER)), "key_id_wrong"),
    (2, "public_key", "AAAA", "key_id_wrong"),
    (2, "signature", written(bytes(64)), "signature_invalid"),
    (2, "signature", "AAAA", "signature_invalid"),
    (3, "endorsement", None, "signature_invalid"),
    (3, "endorsement", written(bytes(64)), "signature_invalid"),
]


@pytest.mark.parametrize(("number", "field", "value", "code"), CHANGED)
def test_every_field_that_is_changed_is_named_by_its_checkpoint(number: int, field: str, value: Any, code: str) -> None:
    """Whether or not the installation's keys are known."""
    checkpoints = chain()
    checkpoints[number - 1] = checkpoints[number - 1].model_copy(update={field: value})
    for trusted in (TRUSTED, None):
        with pytest.raises(CheckpointBroken) as broken:
            verify_checkpoints(checkpoints, trusted)
        assert (broken.value.number, broken.value.code) == (number, code)


def test_one_that_is_missing_swapped_or_twice_breaks_the_chain() -> None:
    """At the first place that is not as it was."""
    first, second, third, fourth = chain()
    for tampered, number in (
        ([second, third, fourth], 1),
        ([first, third, fourth], 2),
        ([first, third, second, fourth], 2),
        ([first, second, second, third], 3),
    ):
        with pytest.raises(CheckpointBroken) as broken:
            verify_checkpoints(tampered, TRUSTED)
        assert (broken.value.number, broken.value.code) == (number, "number_wrong")


def test_one_signed_again_no_longer_fits_the_next() -> None:
    """Who holds the key can sign anything; what comes after shows it."""
    first, _, third, fourth = chain()
    again = following(first, size=5, root=leaf_hash(b"another"), at=at(2), key=KEY)
    with pytest.raises(CheckpointBroken, match="checkpoint 3: prev_wrong"):
        verify_checkpoints([first, again, third, fourth], TRUSTED)


def test_a_chain_signed_with_another_key_is_nobodys() -> None:
    """It holds by itself: only who knows the installation's keys sees that it is not theirs."""
    first = following(None, size=3, root=leaf_hash(b"1"), at=at(1), key=OTHER)
    with pytest.raises(CheckpointBroken, match="checkpoint 1: key_unknown"):
        verify_checkpoints([first], TRUSTED)
    assert verify_checkpoints([first], None) == first


def test_a_later_key_needs_the_word_of_the_key_before() -> None:
    """It is not made without, and not believed without, or with another's."""
    first, second, *_ = chain()
    for endorser in (None, OTHER):
        with pytest.raises(ValueError, match="a new key needs the signature of the key before"):
            following(second, size=5, root=leaf_hash(b"2"), at=at(2), key=LATER, endorser=endorser)
    forged = second.model_copy(update={"public_key": written(public_bytes(OTHER))})
    stolen = following(forged, size=6, root=leaf_hash(b"3"), at=at(3), key=LATER, endorser=OTHER)
    stolen = stolen.model_copy(update={"prev": digest_of_checkpoint(second)})
    with pytest.raises(CheckpointBroken, match="checkpoint 3: signature_invalid"):
        verify_checkpoints([first, second, stolen], None)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"size": 4}, "size_shrinks"), ({"at": at(1)}, "time_goes_back")],
)
def test_what_was_sealed_never_becomes_less(change: dict[str, Any], code: str) -> None:
    """Neither the tree nor the time, whoever signs it."""
    first, second, *_ = chain()
    said: dict[str, Any] = {"size": 7, "root": leaf_hash(b"3"), "at": at(3)} | change
    third = following(second, key=KEY, **said)
    with pytest.raises(CheckpointBroken) as broken:
        verify_checkpoints([first, second, third], TRUSTED)
    assert (broken.value.number, broken.value.code) == (3, code)


def test_a_leaf_names_its_stream_its_number_and_its_hash() -> None:
    """In canonical JSON: no two events have one entry."""
    leaf = Leaf(stream="d-1", seq=7, hash="ab" * 32)
    assert entry_of(leaf) == b'{"hash":"' + b"ab" * 32 + b'","seq":7,"stream":"d-1"}'
