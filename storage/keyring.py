"""Encryption at rest: master keys that wrap data keys, data keys that encrypt content (AES-256-GCM throughout).

A data key belongs to one person, one delegation's file or one attachment. Destroying its row leaves nothing that
could open what it encrypted, whatever copies of the ciphertext exist.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = b"\x01"


class UnknownMasterKey(LookupError):
    """Something was encrypted under a master key that the keyring does not hold; the id is not secret."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"the keyring has no master key {key_id}")
        self.key_id = key_id


class CiphertextDamaged(ValueError):
    """The ciphertext, or what it was bound to, is not what was encrypted."""

    def __init__(self) -> None:
        super().__init__("the ciphertext was changed, cut or moved")


@dataclass(frozen=True)
class MasterKey:
    """A master key and the public id it is named by in everything it encrypts."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes, not {len(self.secret)}")
        if not (self.id.isascii() and 1 <= len(self.id) <= 64):
            raise ValueError("a master key's id has 1 to 64 ASCII characters")

    @classmethod
    def of(cls, secret: bytes) -> "MasterKey":
        """Return the key with an id derived from its secret, so that the same secret always has the same id."""
        return cls(id=hmac.digest(secret, b"legation master key id", hashlib.sha256)[:6].hex(), secret=secret)

    @classmethod
    def generate(cls) -> "MasterKey":
        """Return a new random key."""
        return cls.of(secrets.token_bytes(KEY_BYTES))


class DataKey:
    """A key for one person, file or attachment."""

    __slots__ = ("_cipher", "secret")

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._cipher = AESGCM(secret)

    @classmethod
    def generate(cls) -> "DataKey":
        """Return a new random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def encrypt(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Return nonce and ciphertext; `context` is bound to it and must be given again to decrypt."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plaintext, context)

    def decrypt(self, ciphertext: bytes, *, context: bytes) -> bytes:
        """Return the plaintext; raises CiphertextDamaged when it, or its context, is not what was encrypted."""
        return _open(self._cipher, ciphertext, context)

    def mac(self, content: bytes) -> str:
        """Return a keyed digest in hexadecimal: equal content is found again, the content cannot be guessed from it."""
        subkey = hmac.digest(self.secret, b"legation mac key", hashlib.sha256)
        return hmac.digest(subkey, content, hashlib.sha256).hex()

    def wrapped(self, keyring: "Keyring", *, context: bytes) -> bytes:
        """Return this key encrypted under the keyring's newest master key."""
        return keyring.encrypt(self.secret, context=b"data key\x00" + context)


class Keyring:
    """The master keys a process holds: the first one encrypts, every one decrypts.

    The ciphertext names its key: format byte, length of the id, id, nonce, ciphertext with tag. One master key is good
    for 2**32 messages with random nonces (NIST SP 800-38D section 8.3); rotate before that.
    """

    def __init__(self, keys: Sequence[MasterKey]) -> None:
        if not keys:
            raise ValueError("a keyring needs a master key")
        self._keys = {key.id: AESGCM(key.secret) for key in keys}
        self._derivations = {
            key.id: hmac.digest(key.secret, b"legation derivation key", hashlib.sha256) for key in keys
        }
        if len(self._keys) != len(keys):
            raise ValueError("two master keys have one id")
        self.newest = keys[0].id

    def encrypt(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Return plaintext encrypted under the newest key and bound to `context`."""
        nonce, name = secrets.token_bytes(NONCE_BYTES), self.newest.encode()
        head = FORMAT + bytes([len(name)]) + name
        return head + nonce + self._keys[self.newest].encrypt(nonce, plaintext, head + context)

    def decrypt(self, ciphertext: bytes, *, context: bytes) -> bytes:
        """Return the plaintext; raises UnknownMasterKey or CiphertextDamaged."""
        key_id, start = _key_id(ciphertext)
        cipher = self._keys.get(key_id)
        if cipher is None:
            raise UnknownMasterKey(key_id)
        return _open(cipher, ciphertext[start:], ciphertext[:start] + context)

    def unwrap(self, wrapped: bytes, *, context: bytes) -> DataKey:
        """Return the data key; raises UnknownMasterKey or CiphertextDamaged."""
        return DataKey(self.decrypt(wrapped, context=b"data key\x00" + context))

    def derive(self, key_id: str, content: bytes) -> bytes:
        """Return 32 bytes that only who holds the named master key can tell, always the same for equal content.

        Raises UnknownMasterKey.
        """
        if key_id not in self._derivations:
            raise UnknownMasterKey(key_id)
        return hmac.digest(self._derivations[key_id], content, hashlib.sha256)

    def is_current(self, ciphertext: bytes) -> bool:
        """Whether the newest key encrypted this."""
        return _key_id(ciphertext)[0] == self.newest


def key_of(ciphertext: bytes) -> str:
    """Return the id of the master key that encrypted something; raises CiphertextDamaged."""
    return _key_id(ciphertext)[0]


def _key_id(ciphertext: bytes) -> tuple[str, int]:
    if len(ciphertext) < 2 or ciphertext[:1] != FORMAT:
        raise CiphertextDamaged
    end = 2 + ciphertext[1]
    try:
        return ciphertext[2:end].decode("ascii"), end
    except UnicodeDecodeError:
        raise CiphertextDamaged from None


def _open(cipher: AESGCM, ciphertext: bytes, context: bytes) -> bytes:
    try:
        return cipher.decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], context)
    except (InvalidTag, ValueError):
        raise CiphertextDamaged from None
