"""Checkpoints: what an installation had sealed by an instant, in one root, signed and chained.

The tree's leaves are the sealed events of all streams: a delegation's (named by its id) and a register's
(`register:accounts`). Each checkpoint adds, in the order of the streams' names, what each has sealed since the one
before. Whoever keeps a checkpoint elsewhere can show later that nothing before it was changed, cut or put in between.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable
from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field

from audit.merkle import leaf_hash
from domain.canonical import canonical_json, digest_of
from domain.values import Digest, Fact

NOTHING = "0" * 64
"""The digest in the place of a checkpoint before the first."""

ENDORSEMENT = b"legation checkpoint key\x00"
"""Stands before a new public key where the key before signs for it, so that no signature means two things."""

Octets = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
"""Bytes in base64url without padding."""


class Leaf(Fact):
    """A sealed event as the tree knows it."""

    stream: str
    seq: Annotated[int, Field(ge=1)]
    hash: Digest


def entry_of(leaf: Leaf) -> bytes:
    """Return the entry that is hashed as a leaf: the canonical JSON of stream, number and hash."""
    return canonical_json({"hash": leaf.hash, "seq": leaf.seq, "stream": leaf.stream})


def leaf_hash_of(leaf: Leaf) -> bytes:
    """Return a leaf's hash in the tree."""
    return leaf_hash(entry_of(leaf))


class Span(Fact):
    """Events `first_seq` to `last_seq` of one stream, which one checkpoint added from place `position` (from 0) on."""

    checkpoint: Annotated[int, Field(ge=1)]
    stream: str
    first_seq: Annotated[int, Field(ge=1)]
    last_seq: Annotated[int, Field(ge=1)]
    position: Annotated[int, Field(ge=0)]


class Unsigned(Fact):
    """What a checkpoint says. `at` is wall time in UTC, written as events write it; `root` that of `size` leaves.

    `origin` names the installation by its first key. `prev` is the digest of the checkpoint before, signature included.
    `endorsement` is the signature of the key before over this one; only the first checkpoint of a later key has it.
    """

    number: Annotated[int, Field(ge=1)]
    origin: str
    size: Annotated[int, Field(ge=0)]
    root: Digest
    at: str
    prev: Digest
    key_id: str
    public_key: Octets
    endorsement: Octets | None = None


class Checkpoint(Unsigned):
    """A signed checkpoint: `signature` is Ed25519 (RFC 8032) over the canonical JSON of all other fields."""

    signature: Octets


class CheckpointBroken(ValueError):
    """A chain of checkpoints that does not hold, with the number of the first bad one; `code` is stable.

    Codes: number_wrong, prev_wrong, origin_wrong, size_shrinks, time_goes_back, key_id_wrong, key_unknown,
    key_not_endorsed, signature_invalid.
    """

    def __init__(self, number: int, code: str) -> None:
        super().__init__(f"checkpoint {number}: {code}")
        self.number = number
        self.code = code


def octets(written: str) -> bytes:
    """Return the bytes of base64url without padding. Raises ValueError, also for another spelling of the same bytes."""
    found = urlsafe_b64decode(written + "=" * (-len(written) % 4))
    if urlsafe_b64encode(found).rstrip(b"=").decode() != written:
        raise ValueError("bits are set that stand for nothing")
    return found


def written(content: bytes) -> str:
    """Return bytes as base64url without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of a key's public half."""
    return key.public_key().public_bytes_raw()


def key_id_of(public_key: bytes) -> str:
    """Return the name of a public key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def origin_of(first_key: bytes) -> str:
    """Return the name of an installation whose first checkpoint was signed with this public key."""
    return f"legation:{key_id_of(first_key)}"


def following(
    before: Checkpoint | None,
    *,
    size: int,
    root: bytes,
    at: str,
    key: Ed25519PrivateKey,
    endorser: Ed25519PrivateKey | None = None,
) -> Checkpoint:
    """Return the next checkpoint after `before`, signed with `key`.

    `endorser` is the key that signed the one before; needed (ValueError) where that is another.
    """
    public = public_bytes(key)
    endorsement = None
    if before is not None and octets(before.public_key) != public:
        if endorser is None or public_bytes(endorser) != octets(before.public_key):
            raise ValueError("a new key needs the signature of the key before")
        endorsement = written(endorser.sign(ENDORSEMENT + public))
    unsigned = Unsigned(
        number=before.number + 1 if before else 1,
        origin=before.origin if before else origin_of(public),
        size=size,
        root=root.hex(),
        at=at,
        prev=digest_of_checkpoint(before) if before else NOTHING,
        key_id=key_id_of(public),
        public_key=written(public),
        endorsement=endorsement,
    )
    return Checkpoint(**unsigned.model_dump(), signature=written(key.sign(signed_content(unsigned))))


def signed_content(checkpoint: Unsigned) -> bytes:
    """Return the bytes that are signed."""
    return canonical_json(checkpoint.model_dump(mode="json", include=set(Unsigned.model_fields), exclude_none=True))


def document_of(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint as the JSON object that is kept and handed out."""
    return checkpoint.model_dump(mode="json", exclude_none=True)


def digest_of_checkpoint(checkpoint: Checkpoint) -> str:
    """Return the SHA-256 of a checkpoint's canonical JSON, in hexadecimal."""
    return digest_of(document_of(checkpoint))


def verify_checkpoints(checkpoints: Iterable[Checkpoint], trusted: Collection[bytes] | None) -> Checkpoint | None:
    """Return the last of a chain from the first checkpoint on, or raise CheckpointBroken at the first bad one.

    `trusted` are the public keys of the installation, 32 bytes each; None takes the first checkpoint's own word for
    its key, and then shows no more than that whoever signed the first one signed or endorsed them all.
    """
    before: Checkpoint | None = None
    for number, one in enumerate(checkpoints, start=1):
        _verify(one, number, before, trusted)
        before = one
    return before


def why_untrusted(one: Checkpoint, trusted: Collection[bytes] | None) -> str | None:
    """Return why one checkpoint by itself is not to be believed; None when a trusted key signed it.

    The codes are those of CheckpointBroken: key_id_wrong, key_unknown, signature_invalid.
    """
    try:
        public = octets(one.public_key)
        key = Ed25519PublicKey.from_public_bytes(public)
    except ValueError:
        return "key_id_wrong"
    if one.key_id != key_id_of(public):
        return "key_id_wrong"
    if trusted is not None and public not in trusted:
        return "key_unknown"
    return None if _holds(key, one.signature, signed_content(one)) else "signature_invalid"


def _verify(one: Checkpoint, number: int, before: Checkpoint | None, trusted: Collection[bytes] | None) -> None:
    def require(holds: bool, code: str) -> None:
        if not holds:
            raise CheckpointBroken(number, code)

    require(one.number == number, "number_wrong")
    if code := why_untrusted(one, trusted):
        raise CheckpointBroken(number, code)
    public = octets(one.public_key)
    require(one.prev == (digest_of_checkpoint(before) if before else NOTHING), "prev_wrong")
    if before is None:
        require(one.origin == origin_of(public), "origin_wrong")
        require(one.endorsement is None, "key_not_endorsed")
        return
    require(one.origin == before.origin, "origin_wrong")
    require(one.size >= before.size, "size_shrinks")
    require(one.at >= before.at, "time_goes_back")
    if one.public_key == before.public_key:
        require(one.endorsement is None, "key_not_endorsed")
    else:
        endorser = Ed25519PublicKey.from_public_bytes(octets(before.public_key))
        require(_holds(endorser, one.endorsement or "", ENDORSEMENT + public), "key_not_endorsed")


def _holds(key: Ed25519PublicKey, signature: str, content: bytes) -> bool:
    try:
        key.verify(octets(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True
