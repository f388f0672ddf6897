"""The keys that checkpoints are signed with (Ed25519, RFC 8032): the newest signs, the earlier ones stay known."""

from collections.abc import Sequence
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import Checkpoint, octets, public_bytes, signed_content


class NoSigningKey(LookupError):
    """There is no key to sign with, or not the one that must endorse it; `code` is stable.

    Codes: signing_key_missing, endorsing_key_missing.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SigningKeys:
    """An installation's keys, the newest first. Nothing of them is shown."""

    def __init__(self, keys: Sequence[Ed25519PrivateKey]) -> None:
        if not keys:
            raise NoSigningKey("signing_key_missing")
        self.newest = keys[0]
        self._by_public = {public_bytes(key): key for key in keys}

    @classmethod
    def of(cls, seeds: Sequence[bytes]) -> Self:
        """Return the keys of these seeds, 32 bytes each, the newest first. Raises NoSigningKey where there is none."""
        return cls([Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds])

    @property
    def public(self) -> tuple[bytes, ...]:
        """The public halves, 32 bytes each, the newest first: whom a verification trusts."""
        return tuple(self._by_public)

    def holding(self, public: bytes) -> Ed25519PrivateKey:
        """Return the key of this public half. Raises NoSigningKey."""
        if public not in self._by_public:
            raise NoSigningKey("endorsing_key_missing")
        return self._by_public[public]

    def signed(self, checkpoint: Checkpoint) -> bool:
        """Whether a checkpoint is as one of these keys signed it. Raises NoSigningKey where none of them could have."""
        key = self.holding(octets(checkpoint.public_key)).public_key()
        try:
            key.verify(octets(checkpoint.signature), signed_content(checkpoint))
        except (InvalidSignature, ValueError):
            return False
        return True
